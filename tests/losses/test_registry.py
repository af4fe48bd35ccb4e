"""The registry is complete, its errors help, and the room imports keras only."""

import ast
import math
from pathlib import Path

import pytest

import losses
from losses.__main__ import main
from losses.loss import Loss, PairLoss
from losses.margin import Margined
from losses.registry import LOSSES, build, describe, fields, load, names
from losses.scale import Scaled
from tests.losses.cases import modules

ROOM = Path(losses.__file__).parent
INFRASTRUCTURE = {"__init__", "__main__", "config", "registry", "loss", "classifier", "reduce", "head", "pairhead",
                  "rows", "given", "scale", "margin", "angle", "vectors", "draws", "backend"}


def test_registry_walks_the_folder():
    files = {path.stem for path in ROOM.glob("*.py")} - INFRASTRUCTURE
    assert files == {home.split(":")[0].rpartition(".")[2] for home in LOSSES.values()}


@pytest.mark.parametrize("name", names())
def test_member(name):
    loss = build(name)
    assert isinstance(loss, Loss | PairLoss)
    assert build(*describe(loss)) == loss
    assert loss.paper
    assert getattr(losses, load(name).__name__) is load(name)


BASES = {
    Loss: {"sub_centers": 1, "filter_above": 0.0},
    Scaled: {"angle": 45.0, "adaptive_form": "half", "adaptive_with_margin": False},
    Margined: {"class_margins": "equal", "smallest_margin": 0.05, "count_power": 0.25},
}
"""What many losses bring."""


@pytest.mark.parametrize("name", names())
def test_defaults_are_those_of_the_papers(name):
    """Each loss's test module states them, but for those that its base brings."""
    stated = {}
    for module in modules():
        stated.update(getattr(module, "DEFAULTS", {}))
    kind, common = load(name), {}
    for base, theirs in BASES.items():
        common |= theirs if issubclass(kind, base) else {}
    assert fields(name) == common | stated[name]


def test_kinds_of_parameters():
    assert build("softmax").similarity == "inner"
    assert build("amsoftmax", {"scale": 64}).scale == 64.0
    assert build("amsoftmax", {"scale": "adaptive"}).scale == "adaptive"
    assert build("amsoftmax", {"sub_centers": 3}).sub_centers == 3


@pytest.mark.parametrize(("name", "params", "message"), [
    ("amsoftmx", {}, "loss is 'amsoftmx'.*Did you mean 'amsoftmax'"),
    ("amsoftmax", {"margn": 0.3}, "margn.*Did you mean 'margin'"),
    ("amsoftmax", {"margin": "a"}, "amsoftmax parameter margin is 'a', expected a value of type float"),
    ("amsoftmax", {"easy": 1}, "easy is 1, expected a value of type bool"),
    ("amsoftmax", {"margin": -0.1}, r"margin is -0.1, expected a difference of cosines in \[0, 2\)"),
    ("amsoftmax", {"margin": 20.0}, "margin is 20.0"), ("amsoftmax", {"scale": 0.0}, "scale is 0.0"),
    ("amsoftmax", {"scale": math.nan}, "scale is nan"), ("amsoftmax", {"margin": math.nan}, "margin is nan"),
    ("arcface", {"margin": 28.6}, r"margin is 28.6, expected an angle in \[0, pi/2\) radians"),
    ("arcface", {"variant": "esay"}, "variant is 'esay', expected one of monotone, plain, easy, clip"),
    ("arcface", {"gradient": "st"}, "gradient is 'st', expected one of exact, straight_through"),
    ("arcface", {"scale": 0}, "scale is 0.0"), ("arcface", {"scale": True}, "scale is True, expected a value of type"),
    ("softmax", {"sub_centers": 0}, "sub_centers is 0"), ("softmax", {"sub_centers": 1.5}, "sub_centers is 1.5"),
    ("softmax", {"filter_above": 0.4}, "filter_above is 0.4, expected 0: this loss has no cosines"),
    ("normface", {"filter_above": 1.0}, r"filter_above is 1.0, expected a cosine in \[0, 1\)"),
    ("normface", {"filter_above": -0.1}, "filter_above is -0.1"),
    ("amsoftmax", {"scale": math.inf}, "scale is inf"), ("softmax", {"scale": 3.0}, "scale"),
])
def test_mistakes_are_named(name, params, message):
    with pytest.raises(ValueError, match=message):
        build(name, params)


def test_command_lists(capsys):
    assert main([]) == 0
    text = capsys.readouterr().out
    assert "amsoftmax: " in text
    assert "arXiv:1801.05599" in text
    assert "--loss.params.margin 0.35" in text
    assert main(["softmax"]) == 0
    assert "amsoftmax" not in capsys.readouterr().out
    assert main(["sofmax"]) == 2
    assert "Did you mean 'softmax'?" in capsys.readouterr().err


@pytest.mark.parametrize("room", ["losses", "models"])
def test_keras_only(room):
    for path in (ROOM.parent / room).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else (
                [node.module] if isinstance(node, ast.ImportFrom) else [])
            for name in found:
                assert name.split(".")[0] not in ("tensorflow", "jax", "torch"), path
                assert not name.startswith("keras.src"), path
