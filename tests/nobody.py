"""Somebody else than root, whom permissions bind."""

import contextlib
import os

_NOBODY = 65534


@contextlib.contextmanager
def as_nobody():
    """The body runs without root's rights; where there are none, as it is."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
