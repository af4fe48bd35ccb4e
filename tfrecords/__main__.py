"""Describes dataset folders, draws people to hold out of training, unpacks insightface's .bin benchmarks.

python -m tfrecords DATA ... [options]
"""

import sys

from base import settings
from base.checks import require
from tfrecords.config import Tool


@settings.command("python -m tfrecords")
def main(argv):
    """Returns the exit code."""
    tool = settings.parse(Tool, argv, "python -m tfrecords", leading="data", describe=__doc__)
    require(tool.data, "data", tool.data, "a dataset folder: python -m tfrecords DATA")
    from base.environment import load_tensorflow
    load_tensorflow()
    if tool.benchmark:
        from tfrecords.unpack import unpack
        crops, pairs = unpack(tool.data[0], tool.benchmark)
        print(f"{crops} crops and {pairs} pairs in ten folds, of people who are not named: {tool.benchmark}")
        return 0
    from tfrecords.folder import Folder
    folders = [Folder.open(path) for path in tool.data]
    if not tool.hold_out:
        for folder in folders:
            counts = ", ".join(f"{count} {name}" for name, count in folder.meta["counts"].items())
            print(f"{folder.path}: {folder.meta['kind']}, {folder.template.name}, {counts}; "
                  f"digest {folder.digest[:16]}")
        return 0
    require(tool.output, "output", tool.output, "a folder for people.txt and pairs.csv: --output FOLDER")
    from tfrecords.holdout import hold_out
    people, pairs = hold_out(folders[0], tool.output, people=tool.hold_out, rich=tool.rich,
                             pairs_a_fold=tool.pairs_a_fold, seed=tool.seed)
    print(f"{people} people and {pairs} pairs of theirs in ten person-disjoint folds: {tool.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
