"""Evaluates runs on benchmarks: tables, pages, and the thresholds in each run's card; several runs are compared.

python evaluate.py RUN ... --benchmarks DATA ... [--fars FAR ...]
"""

import os
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

    from evaluation.benchmark import evaluate_scored, open_benchmark
    from evaluation.card import model_hash, read_card, update_card
    from evaluation.compare import compare
    from evaluation.embed import load_model
    from evaluation.outputs import write_comparison, write_report
    from evaluation.report import comparison_table, table
    from tfrecords.template import get_template

    for run in config.runs:
        require(os.access(run, os.W_OK) or not os.path.isdir(run), "run", run, "a folder that you may write to")
    cards = {run: read_card(run) for run in config.runs}   # everything is refused before anything is computed
    folders = {(run, path): open_benchmark(path, get_template(card["template"]), fars=config.fars)
               for run, card in cards.items() for path in config.benchmarks}
    found = {path: {} for path in config.benchmarks}
    for run, card in cards.items():
        digest = model_hash(run)
        model = load_model(run)
        for path in found:
            scored = evaluate_scored(model, folders[run, path], fusion=card["fusion"], batch=config.batch,
                                     fars=config.fars)
            scored.result["model_sha256"] = digest
            print(f"written: {write_report(run, scored)}")
            update_card(run, scored.result)
            found[path][run] = scored
    for scored in found.values():
        Console().print(table({run: one.result for run, one in scored.items()}))
        if len(scored) > 1:
            comparison = compare(scored)
            Console().print(comparison_table(comparison))
            print(f"written: {write_comparison(next(iter(scored)), scored, comparison)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
