"""Names of the losses; costs nothing to import. A new loss is one line here, its file and its test."""

import ast
import dataclasses
import importlib
import inspect
import typing

from base.checks import kinds_of, near_names, require

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


_ALSO = {"cosface": "amsoftmax", "lmcl": "amsoftmax", "asoftmax": "sphereface", "svsoftmax": "mvsoftmax",
         "subcenterarcface": "subcenter", "crossentropy": "softmax"}
"""What people call some of them; for suggestions alone."""


class Parameter(typing.NamedTuple):
    """What is known of a loss's parameter without making the loss."""

    kinds: str
    """The types that it may have, such as "float or str"."""
    default: object
    meaning: str
    """The sentence below it in its file: range, unit, the paper's letter."""


def names():
    """Returns the sorted names that `build` knows."""
    return sorted(LOSSES)


def load(name):
    """Returns the class of a loss; ValueError gives the nearest name to an unknown one."""
    require(name in LOSSES, "loss", name, f"a known name{_suggestion(name)} (python -m losses lists them)")
    module, loss = LOSSES[name].split(":")
    return getattr(importlib.import_module(module), loss)


def parameters(name):
    """Returns {name: Parameter} of a loss, its own in the order of its file, then those that many share."""
    loss = load(name)
    told = meanings(loss)
    return {field.name: Parameter(" or ".join(kinds_of(field)), field.default, told[field.name])
            for field in sorted(dataclasses.fields(loss), key=lambda field: field.kw_only)}


def meanings(loss):
    """Returns {parameter: the string below it in the source} of a loss's class and its bases; the nearest counts."""
    found = {}
    for each in reversed(loss.__mro__[:-1]):
        [body] = ast.parse(inspect.getsource(each)).body
        for field, words in zip(body.body, body.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(words, ast.Expr):
                found[field.target.id] = " ".join(words.value.value.split())
    return found


def build(name, params=None):
    """Makes the loss `name` from the dict `params` (name -> number, truth value or word); missing ones are defaults.

    ValueError where the loss or a parameter is unknown, of the wrong kind or out of its range.
    """
    loss, params = load(name), params or {}
    known = [field.name for field in dataclasses.fields(loss)]
    for key in params:
        require(key in known, f"{name} parameter", key, f"one that {name} has{near_names(key, known)}")
    return loss(**params)


def describe(loss):
    """Returns (name, params) from which `build` makes an equal loss."""
    path = f"{type(loss).__module__}:{type(loss).__name__}"
    found = [name for name, home in LOSSES.items() if home == path]
    require(found, "loss", loss, "one of losses.registry.LOSSES")
    return found[0], dataclasses.asdict(loss)


def _suggestion(name):
    """Class names and what people say are found as well."""
    word = "".join(letter for letter in str(name).lower() if letter.isalnum())
    meant = _ALSO.get(word, word)
    return f". Did you mean {meant!r}?" if meant in LOSSES else near_names(meant, LOSSES)
