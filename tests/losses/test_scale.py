"""The adaptive scale: the golden table, its two forms, and who takes it."""

import math

import numpy as np
import pytest

import losses
from losses.registry import build, names
from losses.scale import Scaled, adaptive_scale
from tests.losses.cases import golden

[TABLE] = [case["table"] for case in golden("adaptive_scale")["cases"] if "table" in case]


def test_the_golden_table():
    for row in TABLE:
        classes, angle = row["classes"], float(row["angle_deg"])
        assert adaptive_scale(classes, angle) == pytest.approx(row["approx"], rel=1e-12)
        if row["exact_upper"] is None:
            with pytest.raises(ValueError, match=f"number of classes is {classes}, expected more of them"):
                adaptive_scale(classes, angle, "inflection")
        else:
            assert adaptive_scale(classes, angle, "inflection") == pytest.approx(row["exact_upper"], rel=1e-9)


def test_a_root_exists_from_23_classes_on():
    with pytest.raises(ValueError, match="or form 'half'"):
        adaptive_scale(22, form="inflection")
    scale = adaptive_scale(23, form="inflection")
    left = scale * math.cos(math.pi / 4) + 2 * math.atanh(math.sqrt(2) / scale)
    assert left == pytest.approx(math.log(22), rel=1e-12)


def test_few_classes_and_a_cosine_that_the_margin_takes_to_zero():
    assert adaptive_scale(3) == pytest.approx(math.sqrt(2) * math.log(2), rel=1e-14)
    nothing_left = losses.AMSoftmax("adaptive", math.cos(math.radians(45.0)), adaptive_with_margin=True)
    with pytest.raises(ValueError, match=r"angle is 45\.0, expected an angle whose cosine with margin is above 0"):
        losses.Head(nothing_left, 1000)


def probability(theta, scale, classes):
    return 1 / (1 + (classes - 1) * np.exp(-scale * np.cos(theta)))


@pytest.mark.parametrize(("form", "angle"), [
    ("half", 30.0), ("half", 45.0), ("inflection", 45.0), ("inflection", 60.0)])
def test_what_the_forms_say_is_so(form, angle):
    theta, scale, step = math.radians(angle), adaptive_scale(5000, angle, form), 1e-4
    if form == "half":
        assert probability(theta, scale, 5000) == pytest.approx(0.5, rel=1e-12)
    else:
        bend = [probability(theta + k * step, scale, 5000) for k in (-1, 0, 1)]
        assert abs(bend[0] - 2 * bend[1] + bend[2]) / step**2 < 1e-5


@pytest.mark.parametrize("classes", [100, 10575, 1_000_000])
def test_the_losses_second_derivative_has_no_zero_below_ninety_degrees(classes):
    """What the seed document says of it is true of the probability's."""
    angles = np.linspace(1e-3, np.pi / 2, 2001)
    for scale in (4.0, adaptive_scale(classes), 30.0, 64.0):
        p, q = probability(angles, scale, classes), 1 / (1 + np.exp(scale * np.cos(angles)) / (classes - 1))
        assert (scale * q * (np.cos(angles) + p * scale * np.sin(angles)**2) > 0).all()


def test_with_margin_the_lowered_cosine_has_probability_one_half():
    for loss in (losses.AMSoftmax("adaptive", 0.35, adaptive_with_margin=True), losses.NormFace(
            "adaptive", adaptive_with_margin=True), losses.ArcFace("adaptive", 0.3, adaptive_with_margin=True)):
        scale = losses.Head(loss, 1000).resolved.scale
        assert scale * loss.lowered(math.cos(math.pi / 4)) == pytest.approx(math.log(999), rel=1e-12)
    with pytest.raises(ValueError, match=r"angle is 45.0, expected an angle whose cosine with margin is above 0"):
        losses.Head(losses.AMSoftmax("adaptive", 0.8, adaptive_with_margin=True), 10)


def test_who_takes_it():
    takers = {name for name in names() if isinstance(build(name), Scaled)}
    assert takers >= {"normface", "amsoftmax", "arcface", "combined", "mvsoftmax", "curricularface", "elasticface",
                      "magface", "adaface", "unified", "randomsoftmax", "subcenter"}
    for name in takers - {"randomsoftmax"}:
        head = losses.Head(build(name, {"scale": "adaptive", "angle": 60.0}), 100)
        assert head.resolved.scale == pytest.approx(2 * math.log(99), rel=1e-12)
        assert head.loss.scale == "adaptive"   # what is saved
    exact = losses.Head(losses.AMSoftmax("adaptive", adaptive_form="inflection"), 10575).resolved.scale
    assert exact == pytest.approx(12.790299, abs=1e-6)


@pytest.mark.parametrize(("params", "message"), [
    ({"scale": "adaptiv"}, "scale is 'adaptiv', expected a finite number above 0, or 'adaptive'"),
    ({"scale": -3.0}, "scale is -3.0"), ({"angle": 0.0}, r"angle is 0.0, expected an angle in \(0, 90\) degrees"),
    ({"angle": 90.0}, "angle is 90.0"), ({"adaptive_form": "x"}, "adaptive_form is 'x'"),
    ({"scale": True}, "scale is True"),
    ({"adaptive_form": "inflection", "adaptive_with_margin": True}, "adaptive_with_margin is True"),
])
def test_ranges(params, message):
    with pytest.raises(ValueError, match=message):
        losses.AMSoftmax(**params)
    with pytest.raises(ValueError, match="number of classes is 2, expected at least 3"):
        adaptive_scale(2)
    with pytest.raises(ValueError, match="adaptive_form is 'x'"):
        adaptive_scale(10, form="x")
