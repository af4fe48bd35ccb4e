"""The whole job with drawn faces: draws people, aligns, trains, evaluates on others, and writes one page about it.

python -m demo [--output FOLDER] [--section.field VALUE ...]        (./demo.sh sets up .venv first)
"""

import sys

from base import settings
from demo.config import DemoConfig


@settings.command("python -m demo")
def main(argv):
    """Returns the exit code: 0 finished, 2 a mistake in what was given, 130 stopped."""
    config = settings.parse(DemoConfig, argv, "python -m demo", leading="presets", describe=__doc__)
    from demo.run import run  # after --help had its chance
    return run(config)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
