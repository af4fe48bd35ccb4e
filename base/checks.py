"""Checks of what people give us: one sentence with the name, the value and what would do."""

import difflib
import typing
from pathlib import Path


class SettingsError(ValueError):
    """A setting that cannot be used; the text is the whole message for the person."""


def require(condition, name, value, expected):
    """Raises SettingsError `NAME is VALUE, expected EXPECTED` unless `condition` holds."""
    if not condition:
        raise SettingsError(f"{name} is {value!r}, expected {expected}")


def require_folder(path, what, cure):
    """Raises FileNotFoundError `there is no WHAT PATH; CURE` unless `path` is a folder; a file is called one."""
    if Path(path).is_file():
        raise FileNotFoundError(f"{str(path)!r} is a file, expected a {what}; {cure}")
    if not Path(path).is_dir():
        raise FileNotFoundError(f"there is no {what} {str(path)!r}; {cure}")


def differences(before, now):
    """Returns `name was x, is y; ...` of two dicts, over the names of both in order; "" where they agree."""
    return "; ".join(f"{name} was {before.get(name)!r}, is {now.get(name)!r}"
                     for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name))


def near_names(name, names):
    """Returns `. Did you mean 'x'?`; where nothing is near, the names if they are few, else nothing."""
    names = sorted(names)
    near = difflib.get_close_matches(str(name), names, 1)
    if near:
        return f". Did you mean {near[0]!r}?"
    return f"; there is {', '.join(names)}" if 0 < len(names) <= 12 else ""


def kinds_of(parameter):
    """Returns the names of the types that a dataclass's field may have, such as ["float", "str"]."""
    return [kind.__name__ for kind in typing.get_args(parameter.type) or (parameter.type,)]
