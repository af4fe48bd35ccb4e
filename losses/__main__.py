"""`python -m losses`: lists the losses with parameters, defaults, one sentence and the paper."""

import sys

from base.settings import command, parse
from losses.config import ListSettings


@command("python -m losses")
def main(argv):
    """Prints the losses asked for; exit code 0, or 2 where a name is unknown."""
    settings = parse(ListSettings, argv, "python -m losses", leading="names",
                     describe="Lists the losses: parameters with defaults, one sentence, the paper.")
    from losses.registry import load, names

    chosen = [(name, load(name)) for name in settings.names or names()]
    print("\n\n".join(_text(name, loss) for name, loss in chosen))
    return 0


def _text(name, loss):
    from losses.registry import fields

    lines = [f"{name}: {loss.__doc__.splitlines()[0]}", f"    {loss.paper}"]
    return "\n".join(lines + [f"    --loss.params.{field} {default}" for field, default in fields(name).items()])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
