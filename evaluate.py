"""Evaluates runs on benchmarks: tables, pages, and the thresholds in each run's card; several runs are compared.

python evaluate.py RUN ... --benchmarks DATA ... [--fars FAR ...] [--fusion NAME] [--check true]
"""

import sys

from base import settings
from base.checks import require
from evaluation.config import EvaluationConfig


@settings.command("evaluate.py")
def main(argv):
    """Returns the exit code: 0 done, 2 a mistake in what was given, 130 stopped."""
    config = settings.parse(EvaluationConfig, argv, "evaluate.py", leading="runs", describe=__doc__)
    require(config.runs, "runs", config.runs, "at least one run folder before the options")
    require(config.benchmarks, "benchmarks", config.benchmarks, "at least one benchmark folder: --benchmarks DATA")
    from base.environment import load_tensorflow  # after --help had its chance
    load_tensorflow()
    from rich.console import Console

    from evaluation.benchmark import evaluate_scored, open_all
    from evaluation.card import model_hash, update_card
    from evaluation.check import examine
    from evaluation.embed import load_model
    from evaluation.outputs import write_comparison, write_report
    from evaluation.report import comparison_table, table

    # Everything is refused before anything is computed.
    cards, folders = open_all(config.runs, config.benchmarks, fars=config.fars)
    found = {path: {} for path in config.benchmarks}
    for run, card in cards.items():
        digest = model_hash(run)
        model = load_model(run)
        for path in found:
            fusion = config.fusion or card["fusion"]
            one = evaluate_scored(model, folders[run, path], fusion=fusion, batch=config.batch, fars=config.fars)
            one.result["model_sha256"] = digest
            for sentence in examine(run, one, fusion=card["fusion"], model=model if config.check else None):
                print(f"{run} on {one.folder.name}: {sentence}")
            print(f"written: {write_report(run, one)}")
            if fusion == card["fusion"]:   # verify.py fuses by the card
                update_card(run, one.result)
            found[path][run] = one
    for scored in found.values():
        Console().print(table({run: one.result for run, one in scored.items()}))
        if len(scored) > 1:
            comparison, page = write_comparison(config.runs[0], scored)
            Console().print(comparison_table(comparison))
            print(f"written: {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
