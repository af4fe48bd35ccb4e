"""Aligns photographs: INPUT/<identity>/<photograph> -> a dataset folder of crops, or a benchmark where pairs are given.

python -m align --input PHOTOGRAPHS --output DATA [--pairs PAIRS] [--section.field VALUE ...]
"""

import sys

from align.config import AlignConfig
from base import settings


@settings.command("python -m align")
def main(argv):
    """Returns the exit code: 0 finished, 2 a mistake in what was given, 130 stopped."""
    config = settings.parse(AlignConfig, argv, "python -m align", describe=__doc__)
    from base.environment import load_tensorflow  # after --help had its chance
    load_tensorflow()
    from align.run import run
    return run(config)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
