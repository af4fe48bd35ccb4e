"""The registry is complete, its errors help, and the room imports keras only."""

import ast
import math
from pathlib import Path

import pytest

import losses
from losses.__main__ import main
from losses.loss import Loss
from losses.registry import LOSSES, build, describe, fields, load, names

ROOM = Path(losses.__file__).parent
INFRASTRUCTURE = {"__init__", "__main__", "config", "registry", "loss", "classifier", "reduce", "head"}


def test_registry_walks_the_folder():
    files = {path.stem for path in ROOM.glob("*.py")} - INFRASTRUCTURE
    assert files == {home.split(":")[0].rpartition(".")[2] for home in LOSSES.values()}


@pytest.mark.parametrize("name", names())
def test_member(name):
    loss = build(name)
    assert isinstance(loss, Loss)
    assert build(*describe(loss)) == loss
    assert loss.paper
    assert getattr(losses, load(name).__name__) is load(name)


def test_defaults_are_those_of_the_papers():
    assert fields("amsoftmax") == {"scale": 30.0, "margin": 0.35, "easy": False}
    assert fields("softmax") == {}
    assert fields("arcface") == {"scale": 64.0, "margin": 0.5, "variant": "monotone", "gradient": "exact"}
    assert build("softmax").similarity == "inner"
    assert build("amsoftmax", {"scale": 64}).scale == 64.0


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
    ("arcface", {"scale": 0}, "scale is 0.0"),
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
