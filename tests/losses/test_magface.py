"""MagFace: the margin by the length, the gradient through it, the bound."""

import math
import warnings

import numpy as np
import pytest
import tensorflow as tf

import losses
from tests.losses.cases import example, golden
from tests.losses.on_tensorflow import gradients
from tests.losses.targets import check_falls, check_slopes

DEFAULTS = {"magface": {"scale": 64.0, "low": 10.0, "high": 110.0, "margin_low": 0.45, "margin_high": 0.8,
                        "weight": 35.0, "easy": True}}
GOLDENS = {"magface": lambda hyper: losses.MagFace(
    hyper["s"], hyper["l_a"], hyper["u_a"], hyper["l_m"], hyper["u_m"], hyper["lambda_g"], hyper["easy"])}
VARIANTS = [losses.MagFace(), losses.MagFace(easy=False, low=1.0), losses.MagFace("adaptive", low=1.0, high=4.0)]


def by_hand(loss, row):
    scale = 2**0.5 * np.log(11) if loss.scale == "adaptive" else loss.scale
    length = max(loss.low, min(loss.high, row.norm))
    margin = loss.margin_low + (loss.margin_high - loss.margin_low) * (length - loss.low) / (loss.high - loss.low)
    theta = math.acos(max(-1, min(1, row.cosine)))
    target = math.cos(theta + margin)
    if loss.easy:
        target = target if row.cosine > 0 else row.cosine
    elif theta + margin >= math.pi:
        target = row.cosine - margin * math.sin(margin)
    return row.cross_entropy(scale * target, [scale * c for c in row.cosines]) + loss.weight * (
        length / loss.high**2 + 1 / length)


def test_the_gradient_goes_along_the_embedding_inside_the_range_alone():
    case = example(losses.MagFace(), rows="norms")
    lengths = np.linalg.norm(case.embeddings, axis=1)
    along = np.sum(gradients(case, "float64")[1]["grad_embeddings"] * case.embeddings, axis=1)
    is_inside = (lengths > 10) & (lengths < 110)
    assert 0 < is_inside.sum() < 8
    assert (np.abs(along[is_inside]) > 1e-4).all()
    assert (np.abs(along[~is_inside]) < 1e-12).all()


def test_the_bound_is_the_golden_one_and_is_warned_of():
    [case] = [case for case in golden("magface")["cases"] if case["name"] == "lambda_g_bound"]
    assert losses.MagFace().bound() == pytest.approx(case["bound"], rel=1e-12)
    assert case["bound"] == pytest.approx(22.587, abs=5e-4)
    with pytest.warns(UserWarning, match=r"weight is 20, not above 22\.59 for scale 64"):
        losses.Head(losses.MagFace(weight=20.0), 10).build((None, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        losses.Head(losses.MagFace("adaptive", weight=20.0), 10).build((None, 4))   # scale 3.1: the bound is 1.1


def test_the_target_falls_and_the_margin_ramps():
    for length in (5.0, 60.0, 200.0):
        check_falls(losses.MagFace(easy=False), norms=tf.constant(length, tf.float64))
        check_slopes(losses.MagFace(easy=False), norms=tf.constant(length, tf.float64))
    bare = gradients(example(losses.NormFace(64.0)), "float64")[0]
    found = gradients(example(losses.MagFace(weight=0.0)), "float64", margin_share=0.0)[0]
    np.testing.assert_allclose(found, bare, rtol=1e-13)
    assert losses.MagFace().lowered(0.5) == pytest.approx(math.cos(math.pi / 3 + 0.625))


@pytest.mark.parametrize(("params", "message"), [
    ({"low": 0.0}, "low and high is"), ({"low": 120.0}, "low and high"),
    ({"margin_high": 45.0}, "margin_low and margin_high"), ({"margin_low": 0.9}, "rising angles"),
    ({"weight": -1.0}, "weight is -1.0"), ({"margin_low": -0.1}, "margin_low"),
])
def test_ranges(params, message):
    with pytest.raises(ValueError, match=message):
        losses.MagFace(**params)


def test_a_weight_at_the_bound_is_not_above_it():
    bound = losses.MagFace().bound()
    assert "not above" in losses.MagFace(weight=bound).advice(None)
    assert losses.MagFace(weight=math.nextafter(bound, math.inf)).advice(None) == ""
