"""SV- and MV-Softmax: what is hard, and how much nearer it looks."""

import math

import numpy as np
import pytest
import tensorflow as tf

import losses
from losses.loss import Context
from tests.losses.cases import example
from tests.losses.on_tensorflow import gradients

DEFAULTS = {"mvsoftmax": {"scale": 32.0, "margin": 0.35, "t": 0.2, "base": "am", "mode": "adaptive", "easy": False}}
GOLDENS = {"mv_softmax": lambda hyper: losses.MVSoftmax(
    hyper["s"], hyper["m"], hyper["t"], hyper["base"], hyper["mode"], hyper["easy"])}
VARIANTS = [losses.MVSoftmax(), losses.MVSoftmax(margin=0.5, base="arc", mode="fixed"), losses.MVSoftmax(easy=True),
            losses.MVSoftmax(30.0, 0.0, 1.2, "none", "sv"), losses.MVSoftmax("adaptive", class_margins="given")]


def by_hand(loss, row):
    scale = 2**0.5 * np.log(11) if loss.scale == "adaptive" else loss.scale
    margin = loss.margin if row.margin is None else row.margin
    lowered = math.cos(math.acos(max(-1, min(1, row.cosine))) + margin) if loss.base == "arc" else row.cosine - margin
    nearer = {"adaptive": lambda c: (loss.t + 1) * c + loss.t, "fixed": lambda c: c + loss.t,
              "sv": lambda c: loss.t * c + loss.t - 1}[loss.mode]
    target = row.cosine if loss.easy and row.cosine <= 0 else lowered
    return row.cross_entropy(scale * target, [scale * (nearer(c) if c > lowered else c) for c in row.cosines])


def test_sv_is_adaptive_with_one_less():
    found, wanted = (gradients(example(loss, rows="hardneg"), "float64") for loss in (
        losses.MVSoftmax(t=1.2, mode="sv"), losses.MVSoftmax(t=0.2)))
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-13)


def test_without_t_it_is_the_base():
    for loss, base in ((losses.MVSoftmax(t=0.0), losses.AMSoftmax(32.0)), (
            losses.MVSoftmax(margin=0.5, t=0.0, base="arc"), losses.ArcFace(32.0, variant="plain"))):
        found, wanted = (gradients(example(each, rows="hardneg"), "float64") for each in (loss, base))
        np.testing.assert_allclose(found[0], wanted[0], rtol=1e-13)


def test_what_is_not_above_the_target_with_margin_stays():
    similarity = tf.constant([[0.25, 0.2500001, -1.0, 0.9]], tf.float64)
    context = Context(None, None)
    found = losses.MVSoftmax(margin=0.35).others(similarity, tf.constant([0.6], tf.float64), context).numpy()[0]
    np.testing.assert_allclose(found, [0.25, 1.2 * 0.2500001 + 0.2, -1.0, 1.28], rtol=1e-12)
    hard = losses.MVSoftmax(margin=0.35).others(similarity, tf.constant([-1.0], tf.float64), context).numpy()[0]
    assert hard[2] == pytest.approx(-1.0)   # unchanged at -1
    easy = losses.MVSoftmax(easy=True).others(similarity, tf.constant([-0.05], tf.float64), context).numpy()[0]
    assert easy[2] == -1.0
    assert easy[0] == pytest.approx(0.5)    # what is hard is told with margin also where the target has none


@pytest.mark.parametrize(("params", "message"), [
    ({"base": "x"}, "base is 'x', expected one of am, arc, none"), ({"mode": "x"}, "mode is 'x'"),
    ({"base": "arc", "margin": 28.6}, r"margin is 28.6, expected an angle in \[0, pi/2\)"),
    ({"base": "none"}, "margin is 0.35, expected 0 for base none"), ({"t": -0.1}, "t is -0.1"),
    ({"mode": "sv", "t": 0.9}, "t is 0.9, expected a finite number of at least 1 for mode sv"),
    ({"margin": 2.0}, "margin is 2.0, expected a difference of cosines"),
])
def test_ranges(params, message):
    with pytest.raises(ValueError, match=message):
        losses.MVSoftmax(**params)


def test_lowered():
    assert losses.MVSoftmax(margin=0.5, base="arc").lowered(0.5) == pytest.approx(math.cos(math.pi / 3 + 0.5))
    assert losses.MVSoftmax().lowered(0.5) == pytest.approx(0.15)


def test_easy_leaves_the_cosine_zero_and_a_class_at_the_edge():
    context = Context(None, None)
    values = losses.MVSoftmax(easy=True).target(tf.constant([0.0, 0.5], tf.float64), context)
    np.testing.assert_allclose(values, [0.0, 0.15], rtol=1e-15)
    edge, cosine = tf.constant([[0.25]], tf.float64), tf.constant([0.5], tf.float64)
    np.testing.assert_array_equal(losses.MVSoftmax(margin=0.25).others(edge, cosine, context), edge)
