"""AdaFace: the moving statistics of lengths, and what they do to the margin."""

import math

import numpy as np
import pytest
import tensorflow as tf

import losses
from losses.loss import Batch
from tests.losses.cases import Given, example
from tests.losses.on_tensorflow import gradients
from tests.losses.targets import target

DEFAULTS = {"adaface": {"scale": 64.0, "margin": 0.4, "h": 0.333, "rate": 0.01}}
GOLDENS = {"adaface": lambda hyper: Given(
    losses.AdaFace(hyper["s"], hyper["m"], hyper["h"], hyper["t_alpha"]),
    {"batch_mean": "mean", "batch_std": "deviation"})}
VARIANTS = [losses.AdaFace(), losses.AdaFace(30.0, h=1.0, rate=1.0), losses.AdaFace("adaptive")]


def by_hand(loss, row):
    scale = 2**0.5 * np.log(11) if loss.scale == "adaptive" else loss.scale
    cosines = [max(-0.999, min(0.999, c)) for c in row.cosines]
    q = loss.h * (max(0.001, min(100, row.norm)) - row.state["mean"]) / (row.state["deviation"] + 1e-3)
    q = max(-1, min(1, q))
    theta = max(1e-3, min(math.pi - 1e-3, math.acos(cosines[row.label]) - loss.margin * q))
    return row.cross_entropy(scale * (math.cos(theta) - loss.margin - loss.margin * q), [scale * c for c in cosines])


def test_lengths_have_no_gradient():
    case = example(losses.AdaFace(rate=1.0, h=1.0), rows="norms")
    slopes = gradients(case, "float64")[1]["grad_embeddings"]
    assert np.abs(np.sum(slopes * case.embeddings, axis=1)).max() < 1e-12


def statistics(lengths, **options):
    state = {"mean": tf.constant(20.0), "deviation": tf.constant(100.0)}
    found = losses.AdaFace(**options).update(state, Batch(None, tf.constant(lengths), None), None)
    return float(found["mean"]), float(found["deviation"])


def test_statistics():
    mean, deviation = statistics([10.0, 20.0, 60.0], rate=1.0)
    assert mean == pytest.approx(30)
    assert deviation == pytest.approx(np.std([10, 20, 60], ddof=1))
    mean, deviation = statistics([10.0, 20.0, 60.0], rate=0.1)
    assert mean == pytest.approx(0.1 * 30 + 0.9 * 20)
    assert deviation == pytest.approx(0.1 * np.std([10, 20, 60], ddof=1) + 90)
    assert statistics([1e4, 0.0], rate=1.0)[0] == pytest.approx(50.0005)   # cut to 0.001..100
    assert statistics([30.0], rate=1.0) == (30.0, 100.0)   # one crop keeps the deviation


def test_no_margin_is_normface_but_for_the_cut():
    bare = gradients(example(losses.NormFace(64.0), rows="random"), "float64")[0]
    for found in (gradients(example(losses.AdaFace(margin=0.0), rows="random"), "float64"),
                  gradients(example(losses.AdaFace(), rows="random"), "float64", margin_share=0.0)):
        np.testing.assert_allclose(found[0], bare, rtol=1e-10)
    assert losses.AdaFace().lowered(0.5) == pytest.approx(0.1)


@pytest.mark.parametrize(("params", "message"), [
    ({"margin": 22.9}, r"margin is 22.9, expected a number in \[0, 1\)"), ({"h": 0.0}, "h is 0.0"),
    ({"rate": 0.0}, "rate is 0.0"), ({"rate": 1.5}, "rate is 1.5"),
])
def test_ranges(params, message):
    with pytest.raises(ValueError, match=message):
        losses.AdaFace(**params)


def test_the_first_statistics_are_the_authors():
    assert losses.AdaFace().first_state(None, 512) == {"mean": 20.0, "deviation": 100.0}


def test_a_crop_of_middling_length_turns_nothing_and_the_cut_is_a_thousandth():
    """cos(0) - 0.4 at the mean; beyond +-0.999 there is no gradient, and margin q turns by 0.4 at most."""
    state = {"mean": tf.constant(20.0, tf.float64), "deviation": tf.constant(10.0, tf.float64)}
    norms = tf.constant([20.0, 20.0, 100.0, 0.001], tf.float64)
    cosines = np.array([0.5, 0.9995, 0.5, 0.5])
    values, slopes = target(losses.AdaFace(h=1.0), cosines, norms=norms, state=state)
    q = np.array([0, 0, 1, -1])
    np.testing.assert_allclose(values, np.cos(np.arccos([0.5, 0.999, 0.5, 0.5]) - 0.4 * q) - 0.4 - 0.4 * q, rtol=1e-12)
    assert (slopes > 0).tolist() == [True, False, True, True]
