"""`python -m losses`: lists the losses with parameters, defaults, one sentence and the paper."""

import sys
import textwrap

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
    from losses.registry import parameters

    lines = [f"{name}: {loss.__doc__.splitlines()[0]}", f"    {loss.paper}"]
    for parameter, (kinds, default, meaning) in parameters(name).items():
        lines.append(f"    --loss.params.{parameter} {default} ({kinds})")
        lines.extend(textwrap.wrap(meaning, 110, initial_indent=" " * 8, subsequent_indent=" " * 8))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
