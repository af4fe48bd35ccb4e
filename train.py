"""Trains a backbone on a dataset folder, goes on with a run that was stopped, and evaluates it.

python train.py PRESET.yaml ... --data.train DATA --run RUN [--section.field VALUE ...]
"""

import sys

from base import settings
from training.config import TrainingConfig


@settings.command("train.py")
def main(argv):
    """Returns the exit code: 0 finished, 2 a mistake in what was given, 130 stopped."""
    config = settings.parse(TrainingConfig, argv, "train.py", describe=_describe(argv))
    from base.environment import load_tensorflow  # after --help had its chance
    load_tensorflow(config.engine.threads)
    from training.run import run
    return run(config)


def _describe(argv):
    if not {"-h", "--help"} & set(argv):
        return ""
    import losses.registry
    name = settings.chosen(argv, "loss", "name", TrainingConfig().loss.name)
    told = " ".join(f"{parameter} ({kinds}, default {default}): {meaning}"
                    for parameter, (kinds, default, meaning) in losses.registry.parameters(name).items())
    return f"{__doc__} Parameters of the loss {name} (--loss.params.NAME VALUE): {told}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
