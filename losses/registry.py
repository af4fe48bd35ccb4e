"""Names of the losses; costs nothing to import. A new loss is one line here, its file and its test."""

import dataclasses
import importlib

from base.checks import near_names, require

LOSSES = {
    "softmax": "losses.softmax:Softmax",
    "amsoftmax": "losses.amsoftmax:AMSoftmax",
    "arcface": "losses.arcface:ArcFace",
}


def names():
    """Returns the sorted names that `build` knows."""
    return sorted(LOSSES)


def load(name):
    """Returns the class of a loss; ValueError gives the nearest name to an unknown one."""
    require(name in LOSSES, "loss", name, f"a known name{near_names(name, LOSSES)}")
    module, loss = LOSSES[name].split(":")
    return getattr(importlib.import_module(module), loss)


def fields(name):
    """Returns {parameter: default} of a loss, in the order of its file."""
    return {field.name: field.default for field in dataclasses.fields(load(name))}


def build(name, params=None):
    """Makes the loss `name` from the dict `params` (name -> number, truth value or word); missing ones are defaults.

    ValueError where the loss or a parameter is unknown, of the wrong kind or out of its range.
    """
    loss, params = load(name), dict(params or {})
    defaults = fields(name)
    for key, value in params.items():
        require(key in defaults, f"{name} parameter", key, f"one that {name} has{near_names(key, defaults)}")
        params[key] = _as_kind(f"{name} parameter {key}", value, type(defaults[key]))
    return loss(**params)


def describe(loss):
    """Returns (name, params) from which `build` makes an equal loss."""
    path = f"{type(loss).__module__}:{type(loss).__name__}"
    found = [name for name, home in LOSSES.items() if home == path]
    require(found, "loss", loss, "one of losses.registry.LOSSES")
    return found[0], dataclasses.asdict(loss)


def _as_kind(name, value, kind):
    if kind is float and type(value) is int:
        return float(value)
    require(type(value) is kind, name, value, f"a value of type {kind.__name__}")
    return value
