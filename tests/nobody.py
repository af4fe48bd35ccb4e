"""Somebody else than root, whom permissions bind."""

import contextlib
import os

_NOBODY = 65534


@contextlib.contextmanager
def as_nobody():
    """The body runs without root's rights; where there are none, as it is."""
    is_root = os.geteuid() == 0
    if is_root:
        os.setresuid(_NOBODY, _NOBODY, 0)   # os.access asks for the real one
    try:
        yield
    finally:
        if is_root:
            os.setresuid(0, 0, 0)
