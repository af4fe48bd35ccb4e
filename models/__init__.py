"""Backbones: uint8 RGB crops [B, H, W, 3] -> embeddings [B, D]; keras only, so that they run on every backend."""

import importlib

_HOMES = {"build": "models.registry", "names": "models.registry", "export": "models.stock", "count": "models.counts"}


def __getattr__(name):
    """Imports `models.build`, `names`, `export`, `count` on first use: importing the room costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'models' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
