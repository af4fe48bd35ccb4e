"""The combined margin really combines."""

import math

import numpy as np
import pytest

import losses
from tests.losses.cases import example
from tests.losses.on_tensorflow import gradients
from tests.losses.targets import check_slopes, target

DEFAULTS = {"combined": {"scale": 64.0, "multiply": 1.0, "add": 0.3, "subtract": 0.2}}
GOLDENS = {"combined": lambda hyper: losses.Combined(hyper["s"], hyper["m1"], hyper["m2"], hyper["m3"])}
VARIANTS = [losses.Combined(), losses.Combined(32.0, 0.9, 0.4, 0.15), losses.Combined("adaptive", 1.35, 0.0, 0.0)]


def by_hand(loss, row):
    scale = 2**0.5 * np.log(11) if loss.scale == "adaptive" else loss.scale
    turned = math.cos(loss.multiply * math.acos(max(-1, min(1, row.cosine))) + loss.add) - loss.subtract
    return row.cross_entropy(scale * turned, [scale * cosine for cosine in row.cosines])


@pytest.mark.parametrize(("combined", "same"), [
    (losses.Combined(30.0, 1.0, 0.0, 0.0), losses.NormFace(30.0)),
    (losses.Combined(30.0, 1.0, 0.5, 0.0), losses.ArcFace(30.0, 0.5, "plain")),
    (losses.Combined(30.0, 1.0, 0.0, 0.35), losses.AMSoftmax(30.0, 0.35)),
])
def test_each_alone_is_the_loss_it_comes_from(combined, same):
    found, wanted = (gradients(example(loss), "float64") for loss in (combined, same))
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-13)
    np.testing.assert_allclose(found[1]["grad_centers"], wanted[1]["grad_centers"], rtol=1e-11, atol=1e-15)


def test_all_three_ramp_from_none():
    loss = losses.Combined(1.0, 0.9, 0.4, 0.15)
    cosines = np.cos([0.3, 1.0, 2.0])
    np.testing.assert_allclose(target(loss, cosines, margin_share=0.0)[0], cosines, rtol=1e-13)
    half = np.cos(0.95 * np.arccos(cosines) + 0.2) - 0.075
    np.testing.assert_allclose(target(loss, cosines, margin_share=0.5)[0], half, rtol=1e-13)
    check_slopes(loss)
    assert loss.lowered(0.3) == pytest.approx(math.cos(0.9 * math.acos(0.3) + 0.4) - 0.15)


@pytest.mark.parametrize(("params", "message"), [
    ({"multiply": 0.0}, "multiply is 0.0"), ({"multiply": 4.0}, r"multiply is 4.0, expected a factor in \(0, 2\)"),
    ({"add": 28.6}, r"add is 28.6, expected an angle in \[0, pi/2\) radians"), ({"add": -0.1}, "add is -0.1"),
    ({"subtract": 2.0}, "subtract is 2.0"), ({"subtract": -0.1}, "subtract is -0.1"),
])
def test_ranges(params, message):
    with pytest.raises(ValueError, match=message):
        losses.Combined(**params)


def test_a_factor_of_one_is_arcface_also_in_its_slopes_at_the_ends():
    ends = [1.0, -1.0, 0.3]
    found, wanted = (target(loss, ends) for loss in (
        losses.Combined(30.0, 1.0, 0.5, 0.2), losses.ArcFace(30.0, 0.5, "plain")))
    np.testing.assert_allclose(found[0], wanted[0] - 0.2, rtol=1e-14)
    np.testing.assert_array_equal(found[1], wanted[1])
