"""The tables of parameters in docs/losses.md, from the losses themselves.

`python -m tests.parameter_tables` renews them. A table stands below a comment `<!-- parameters of NAME -->` and ends at
the first empty line.
"""

import re
from dataclasses import fields
from pathlib import Path

from losses.loss import Loss
from losses.margin import Margined
from losses.registry import load, meanings
from losses.scale import Scaled

PAGE = Path(__file__).parent.parent / "docs" / "losses.md"
MARK = re.compile(r"(<!-- parameters of ([\w-]+) -->\n)((?:.+\n)*)")
SHARED = {"every-loss-with-a-classifier": Loss, "adaptive-scale": Scaled, "margins-of-classes": Margined}
"""Headings of the page -> the class whose parameters stand there, since many losses have them."""
_EACH_STATES_ITS_OWN = {"scale", "margin"}


def table(name):
    """The lines of a loss, or of a heading of SHARED."""
    if name in SHARED:
        return _rows(SHARED[name], _shared(SHARED[name]))
    kind = load(name)
    bases = {heading: base for heading, base in SHARED.items() if issubclass(kind, base)}
    common = {field.name: field.default for base in bases.values() for field in _shared(base)}
    own = [field for field in fields(kind) if field.name not in common or common[field.name] != field.default]
    more = ", ".join(f"[{heading.replace('-', ' ')}](#{heading})" for heading in bases)
    return _rows(kind, own) + ([f"| and those of | | {more} |"] if bases else [])


def renewed(text):
    """The page with every table as the code has it."""
    return MARK.sub(lambda found: found[1] + "".join(f"{line}\n" for line in table(found[2])), text)


def _shared(base):
    declared = set(vars(base)["__annotations__"]) - _EACH_STATES_ITS_OWN
    return [field for field in fields(base) if field.name in declared]


def _rows(kind, chosen):
    told = meanings(kind)
    rows = [f"| `{field.name}` | {_word(field.default)} | {told[field.name].replace('|', '&#124;')} |"
            for field in chosen]
    return ["| parameter | default | |", "|---|---|---|", *rows]


def _word(default):
    """As it is written in a preset."""
    return str(default).lower() if isinstance(default, bool) else f"{default}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
