"""`python -m models`: lists the networks with their parameters and multiply-adds."""

import sys

from base.environment import load_tensorflow
from base.settings import command, parse
from models.config import ListSettings


@command("python -m models")
def main(argv):
    """Prints one row a network; exit code 0, or 2 where a name or an option is wrong."""
    settings = parse(ListSettings, argv, "python -m models", leading="names",
                     describe="Lists the networks with their parameters and multiply-adds for one crop.")
    load_tensorflow()   # Keras imports it, with its notes
    from models.registry import MODELS, Spec, names

    # Without batch normalization there are the ResFaces only.
    listed = [name for name in names() if settings.batch_norm or MODELS[name].startswith("models.resface:")]
    specs = [
        Spec(name=name, template_shape=settings.template_shape, width=settings.width,
             embedding_size=settings.embedding_size, batch_norm=settings.batch_norm)
        for name in settings.names or listed]
    print(f"{'network':<16}{'trainable':>14}{'not trained':>14}{'parameters':>14}{'multiply-adds':>16}")
    for spec in specs:
        print(_row(spec))
    return 0


def _row(spec):
    from models.counts import count
    from models.registry import from_spec

    counts = count(from_spec(spec))
    return (f"{spec.name:<16}{counts.trainable:>14,}{counts.non_trainable:>14,}{counts.total:>14,}"
            f"{counts.macs:>16,}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
