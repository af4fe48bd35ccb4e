"""Losses of the softmax family as small pure functions, and the one Keras layer that trains them; keras only."""

import importlib

_HOMES = {"Head": "losses.head", "PairHead": "losses.pairhead", "Rows": "losses.head", "Loss": "losses.loss",
          "PairLoss": "losses.loss", "Context": "losses.loss", "adaptive_scale": "losses.scale",
          "range_margins": "losses.margin", "power_margins": "losses.margin"}


def __getattr__(name):
    """Imports `losses.Head`, `losses.AMSoftmax` and so on at first use: importing the room costs nothing."""
    from losses.registry import LOSSES

    homes = _HOMES | {path.split(":")[1]: path.split(":")[0] for path in LOSSES.values()}
    if name not in homes:
        raise AttributeError(f"module 'losses' has no attribute {name!r}")
    return getattr(importlib.import_module(homes[name]), name)
