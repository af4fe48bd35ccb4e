"""Names of the losses; costs nothing to import. A new loss is one line here, its file and its test."""

import dataclasses
import importlib
import typing

from base.checks import near_names, require

LOSSES = {
    "softmax": "losses.softmax:Softmax",
    "l2softmax": "losses.l2softmax:L2Softmax",
    "normface": "losses.normface:NormFace",
    "amsoftmax": "losses.amsoftmax:AMSoftmax",
    "arcface": "losses.arcface:ArcFace",
    "combined": "losses.combined:Combined",
    "sphereface": "losses.sphereface:SphereFace",
    "spherefacer": "losses.spherefacer:SphereFaceR",
    "sphereface2": "losses.sphereface2:SphereFace2",
    "adacos": "losses.adacos:AdaCos",
    "subcenter": "losses.subcenter:SubcenterArcFace",
    "unified": "losses.unified:Unified",
    "randomsoftmax": "losses.randomsoftmax:RandomSoftmax",
    "mvsoftmax": "losses.mvsoftmax:MVSoftmax",
    "curricularface": "losses.curricularface:CurricularFace",
    "magface": "losses.magface:MagFace",
    "adaface": "losses.adaface:AdaFace",
    "elasticface": "losses.elasticface:ElasticFace",
    "uniface": "losses.uniface:UniFace",
    "circle": "losses.circle:Circle",
    "paircircle": "losses.circle:PairCircle",
    "triplet": "losses.triplet:Triplet",
    "centerloss": "losses.centerloss:CenterLoss",
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
    """Returns {parameter: default} of a loss, its own in the order of its file, then those that many share."""
    return {field.name: field.default for field in sorted(dataclasses.fields(load(name)), key=lambda f: f.kw_only)}


def build(name, params=None):
    """Makes the loss `name` from the dict `params` (name -> number, truth value or word); missing ones are defaults.

    ValueError where the loss or a parameter is unknown, of the wrong kind or out of its range.
    """
    loss, params = load(name), dict(params or {})
    kinds = {field.name: field.type for field in dataclasses.fields(loss)}
    for key, value in params.items():
        require(key in kinds, f"{name} parameter", key, f"one that {name} has{near_names(key, kinds)}")
        params[key] = _as_kind(f"{name} parameter {key}", value, kinds[key])
    return loss(**params)


def describe(loss):
    """Returns (name, params) from which `build` makes an equal loss."""
    path = f"{type(loss).__module__}:{type(loss).__name__}"
    found = [name for name, home in LOSSES.items() if home == path]
    require(found, "loss", loss, "one of losses.registry.LOSSES")
    return found[0], dataclasses.asdict(loss)


def _as_kind(name, value, kind):
    kinds = typing.get_args(kind) or (kind,)
    if type(value) is int and int not in kinds and float in kinds:
        return float(value)
    require(type(value) in kinds, name, value, f"a value of type {' or '.join(each.__name__ for each in kinds)}")
    return value
