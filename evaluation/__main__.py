"""Evaluates runs on media sets: python -m evaluation RUN ... --sets PROTOCOL --data DATA.

PROTOCOL is IJB-B or IJB-C (a folder with their lists), IJB-A (a folder with its splits) or YouTube Faces (its split
file). DATA comes from python -m align --input MEDIA --output DATA. Prints a table; results.json in RUN/evaluations/.
"""

import sys

from base import settings
from base.checks import require
from evaluation.config import MediaSetsConfig


@settings.command("python -m evaluation")
def main(argv):
    """Returns the exit code: 0 done, 2 a mistake in what was given, 130 stopped."""
    config = settings.parse(MediaSetsConfig, argv, "python -m evaluation", leading="runs", describe=__doc__)
    require(config.runs, "runs", config.runs, "at least one run folder before the options")
    require(config.sets, "sets", config.sets, "a protocol: --sets FOLDER, or --sets FILE for YouTube Faces")
    require(config.data, "data", config.data, "the dataset folder of its media: --data DATA")
    from base.environment import load_tensorflow  # after --help had its chance
    load_tensorflow()
    from rich.console import Console

    from evaluation.card import model_hash, read_cards
    from evaluation.embed import check_template, load_model
    from evaluation.mediasets import evaluate_protocol, prepare
    from evaluation.setreport import table, write_results
    from tfrecords.folder import Folder
    from tfrecords.setprotocols import read_protocol
    from tfrecords.template import get_template

    cards = read_cards(config.runs)   # everything is refused before anything is computed
    folder = Folder.open(config.data)
    for card in cards.values():
        check_template(folder, get_template(card["template"]))
    protocol = prepare(read_protocol(config.sets, folder), folder)
    results = {}
    for run, card in cards.items():
        digest = model_hash(run)
        result = evaluate_protocol(load_model(run), folder, protocol, fusion=card["fusion"], batch=config.batch)
        if model_hash(run) != digest:
            raise ValueError(f"{run}/model.keras was written anew during the evaluation; evaluate again when training "
                             f"has ended")
        result["model_sha256"] = digest
        print(f"written: {write_results(run, result)}")
        results[run] = result
    Console().print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
