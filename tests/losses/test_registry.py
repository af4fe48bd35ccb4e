"""The registry is complete, its errors help, and the room imports keras only."""

import ast
import math
from pathlib import Path

import numpy as np
import pytest

import losses
from losses.__main__ import main
from losses.loss import Loss, PairLoss
from losses.margin import Margined
from losses.registry import LOSSES, build, describe, load, names, parameters
from losses.scale import Scaled
from tests.losses.cases import modules

ROOM = Path(losses.__file__).parent
INFRASTRUCTURE = {"__init__", "__main__", "config", "registry", "loss", "classifier", "reduce", "head", "pairhead",
                  "rows", "given", "scale", "margin", "angle", "vectors", "draws", "backend", "gradient"}


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
    assert {key: each.default for key, each in parameters(name).items()} == common | stated[name]


def test_kinds_of_parameters():
    assert build("softmax").similarity == "inner"
    assert build("amsoftmax", {"scale": 64}).scale == 64.0
    assert build("amsoftmax", {"scale": "adaptive"}).scale == "adaptive"
    assert build("amsoftmax", {"sub_centers": 3}).sub_centers == 3


@pytest.mark.parametrize(("name", "params", "message"), [
    ("amsoftmx", {}, "loss is 'amsoftmx'.*Did you mean 'amsoftmax'"), ("CosFace", {}, "Did you mean 'amsoftmax'"),
    ("MVSoftmax", {}, "Did you mean 'mvsoftmax'"), ("A-Softmax", {}, "Did you mean 'sphereface'"),
    ("zz", {}, r"loss is 'zz', expected a known name \(python -m losses lists them\)"),
    ("amsoftmax", {"margn": 0.3}, "margn.*Did you mean 'margin'"),
    ("amsoftmax", {"margin": "a"}, "margin is 'a', expected a value of type float"),
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


def test_numpys_numbers_are_numbers_and_other_kinds_are_refused():
    loss = losses.AMSoftmax(np.float32(30), np.float64(0.25), sub_centers=np.int64(2))
    assert loss == losses.AMSoftmax(30.0, 0.25, sub_centers=2)
    assert {type(value) for value in (loss.scale, loss.margin, loss.sub_centers)} == {float, int}
    assert losses.Head.from_config(losses.Head(loss, 5).get_config()).loss == loss
    for make, message in ((lambda: losses.AMSoftmax(easy="false"), "easy is 'false', expected a value of type bool"),
                          (lambda: losses.ArcFace(margin="0.5"), "margin is '0.5', expected a value of type float"),
                          (lambda: losses.ArcFace(margin=True), "margin is True"),
                          (lambda: losses.ArcFace(margin=None), "margin is None"),
                          (lambda: losses.SphereFace2(exponent=2.5), "exponent is 2.5, expected a value of type int"),
                          (lambda: losses.RandomSoftmax(every=2.5), "every is 2.5, expected a value of type int"),
                          (lambda: losses.Triplet(squared="no"), "squared is 'no', expected a value of type bool"),
                          (lambda: losses.PairCircle(scale="a"), "scale is 'a', expected a value of type float"),
                          (lambda: losses.AMSoftmax(adaptive_with_margin=True), "expected false where the scale is a")):
        with pytest.raises(ValueError, match=message):
            make()


BELOW, MOST, RIGHT = math.nextafter(0, -1), 1e9, math.pi / 2
EDGES = [   # loss, parameter, values that are the last allowed ones, values that are the first refused, others beside
    ("adaface", "margin", (0.0, 0.999), (BELOW, 1.0)), ("adaface", "h", (1e-9, MOST), (0.0, math.inf)),
    ("adaface", "rate", (1e-9, 1.0), (0.0, 1.001)),
    ("amsoftmax", "margin", (0.0, 1.999), (BELOW, 2.0)), ("amsoftmax", "scale", (1e-9, MOST), (0.0, math.inf)),
    ("amsoftmax", "angle", (1e-9, 89.999), (0.0, 90.0)), ("amsoftmax", "count_power", (1e-9, 9.999), (0.0, 10.0)),
    ("amsoftmax", "smallest_margin", (0.35,), (0.351,), {"class_margins": "range"}),
    ("amsoftmax", "sub_centers", (1, 2), (0, -1)), ("amsoftmax", "filter_above", (0.0, 0.999), (BELOW, 1.0)),
    ("arcface", "margin", (0.0, 1.57), (BELOW, RIGHT)),
    ("centerloss", "weight", (0.0, MOST), (BELOW, math.inf)), ("centerloss", "rate", (0.0, 1.0), (BELOW, 1.001)),
    ("circle", "margin", (0.0, 0.999), (BELOW, 1.0)), ("circle", "scale", (1e-9, MOST), (0.0, math.inf)),
    ("combined", "multiply", (1e-9, 1.999), (0.0, 2.0)), ("combined", "add", (0.0, 1.57), (BELOW, RIGHT)),
    ("combined", "subtract", (0.0, 1.999), (BELOW, 2.0)),
    ("curricularface", "margin", (0.0, 1.57), (BELOW, RIGHT)), ("curricularface", "rate", (1e-9, 1.0), (0.0, 1.001)),
    ("elasticface", "margin", (0.0, 1.57), (BELOW, RIGHT)), ("elasticface", "spread", (0.0, 0.999), (BELOW, 1.0)),
    ("l2softmax", "alpha", (1e-9, MOST), (0.0, math.inf)),
    ("l2softmax", "alpha", (0.01, MOST), (0.009,), {"trained": True}),
    ("normface", "scale", (0.01, MOST, "adaptive"), (0.009,), {"trained": True}),
    ("magface", "low", (1e-9, 109.999), (0.0, 110.0)), ("magface", "high", (10.001, MOST), (10.0, math.inf)),
    ("magface", "margin_low", (0.0, 0.8), (BELOW, 0.801)), ("magface", "margin_high", (0.45, 1.57), (0.449, RIGHT)),
    ("magface", "weight", (0.0, MOST), (BELOW, math.inf)),
    ("mvsoftmax", "margin", (0.0, 1.999), (BELOW, 2.0)), ("mvsoftmax", "t", (0.0, MOST), (BELOW, math.inf)),
    ("mvsoftmax", "margin", (0.0, 1.57), (BELOW, RIGHT), {"base": "arc"}),
    ("mvsoftmax", "margin", (0.0,), (BELOW, 1e-9), {"base": "none"}),
    ("mvsoftmax", "t", (1.0, MOST), (0.999, math.inf), {"mode": "sv"}),
    ("paircircle", "margin", (0.0, 0.999), (BELOW, 1.0)),
    ("randomsoftmax", "spread", (1e-9, MOST), (0.0, math.inf)), ("randomsoftmax", "every", (0, 1), (-1,)),
    ("randomsoftmax", "growth", (0.0, 1.0), (BELOW, 1.001)), ("unified", "growth", (0.0, 1.0), (BELOW, 1.001)),
    ("unified", "a", (0.0, -MOST, "0 -1 -2 -3 -4 -5 -6 -7 -8 -9"), (
        1e-9, -math.inf, "", "-1 -1", "0 -1 -2 -3 -4 -5 -6 -7 -8", "0 -1 -2 -3 -4 -5 -6 -7 -8 1")),
    ("sphereface", "margin", (1.0, 8.0), (0.999, 8.001)), ("sphereface", "scale", (0.0, 1e-9), (BELOW, math.inf)),
    *(("sphereface", name, (0.0, MOST), (BELOW, math.inf)) for name in ("base", "gamma", "power", "least")),
    ("spherefacer", "margin", (1.0, 8.0), (0.999, 8.001)), ("spherefacer", "scale", (1e-9, MOST), (0.0, math.inf)),
    ("spherefacer", "soft_norm", (0.0, MOST), (BELOW, math.inf)),
    ("sphereface2", "margin", (0.0, 1.999), (BELOW, 2.0)), ("sphereface2", "scale", (1e-9, MOST), (0.0, math.inf)),
    ("sphereface2", "margin", (0.0, 1.57), (BELOW, RIGHT), {"kind": "A"}),
    ("sphereface2", "margin", (1.0, 7.999), (0.999, 8.0), {"kind": "M"}),
    ("sphereface2", "balance", (1e-9, 0.999), (0.0, 1.0)), ("sphereface2", "exponent", (1, 10), (0, 11)),
    ("triplet", "margin", (1e-9, MOST), (0.0, math.inf)),
    ("uniface", "scale", (1e-9, MOST), (0.0, math.inf)), ("uniface", "margin", (0.0, 1.999), (BELOW, 2.0)),
    ("uniface", "weight", (1e-9, MOST), (0.0, math.inf)), ("uniface", "sampled", (1e-9, 1.0), (0.0, 1.001)),
]


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: " ".join(map(str, edge[:2])))
def test_the_last_allowed_values_pass_and_the_first_refused_do_not(edge):
    name, parameter, allowed, refused, beside = (*edge, {})[:5]
    for value in allowed:
        assert getattr(build(name, {**beside, parameter: value}), parameter) == value
    for value in (*refused, *([math.nan] if isinstance(refused[0], float) else [])):
        with pytest.raises(ValueError, match=rf"{parameter}\b.* is .*, expected"):
            build(name, {**beside, parameter: value})


def test_command_lists(capsys):
    assert main([]) == 0
    text = capsys.readouterr().out
    assert "amsoftmax: " in text
    assert "arXiv:1801.05599" in text
    assert "--loss.params.margin 0.35 (float)\n        Taken from the target" in text
    assert "--loss.params.scale 30.0 (float or str)" in text
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
