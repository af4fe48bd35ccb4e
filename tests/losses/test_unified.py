"""The unified loss: a shift of the target logit, global or by bins of the probability."""

import math

import numpy as np
import pytest
import tensorflow as tf

import losses
from losses.unified import bins
from tests.losses.cases import example, golden
from tests.losses.on_tensorflow import gradients

WORDS = "-3 -2 -1 -0.5 -0.25 -4 -0.1 0 -6 -0.7"
DEFAULTS = {"unified": {"scale": 32.0, "a": -1.0, "growth": 0.0}}
GOLDENS = {"unified": lambda hyper: losses.Unified(hyper["s"], hyper["a"]),
           "search_softmax": lambda hyper: losses.Unified(hyper["s"], " ".join(map(str, hyper["a"])))}
VARIANTS = [losses.Unified(), losses.Unified(8.0, WORDS), losses.Unified("adaptive", growth=1 / 3)]


def by_hand(loss, row):
    """The definition with the probability itself, not the shift."""
    scale = 2**0.5 * np.log(11) if loss.scale == "adaptive" else loss.scale
    logits = [scale * cosine for cosine in row.cosines]
    p = math.exp(-row.cross_entropy(logits[row.label], logits))
    numbers = [float(word) for word in str(loss.a).split()]
    a = numbers[0] if len(numbers) == 1 else numbers[max(math.ceil(10 * p) - 1, 0)]
    a *= math.exp(loss.growth * scale)
    return math.log(a * p + 1 - a) - math.log(p)


def test_none_is_normface_and_a_constant_is_amsoftmax():
    bare = gradients(example(losses.NormFace(32.0)), "float64")
    for found in (gradients(example(losses.Unified(a=0.0)), "float64"),
                  gradients(example(losses.Unified(a=-5.0)), "float64", margin_share=0.0)):
        np.testing.assert_allclose(found[0], bare[0], rtol=1e-14)
    same = gradients(example(losses.AMSoftmax(32.0, math.log(6) / 32)), "float64")
    found = gradients(example(losses.Unified(a=-5.0)), "float64")
    np.testing.assert_allclose(found[0], same[0], rtol=1e-13)
    np.testing.assert_allclose(found[1]["grad_centers"], same[1]["grad_centers"], rtol=1e-11, atol=1e-15)
    code = gradients(example(losses.Unified(growth=1 / 3)), "float64")[0]      # a = -1: margin 0.3333 at scale 32
    margin = math.log1p(math.exp(32 / 3)) / 32
    assert margin == pytest.approx(0.3333, abs=1e-4)
    np.testing.assert_allclose(code, gradients(example(losses.AMSoftmax(32.0, margin)), "float64")[0], rtol=1e-13)


def test_a_large_growth_does_not_overflow():
    """ln(1 - a e^800) is 800 + ln(-a); e^800 is no float."""
    bare = gradients(example(losses.NormFace(800.0)), "float64")[0]
    found = gradients(example(losses.Unified(800.0, -2.0, growth=1.0)), "float64")[0]
    logits = gradients(example(losses.AMSoftmax(800.0, (800 + math.log(2)) / 800)), "float64")[0]
    np.testing.assert_allclose(found, logits, rtol=1e-12)
    none = gradients(example(losses.Unified(800.0, 0.0, growth=1.0)), "float64")[0]
    np.testing.assert_allclose(none, bare, rtol=1e-14)


def test_the_golden_equivalences():
    """AM-Softmax, ArcFace and SphereFace are values of a; those above 0 lie outside the paper's range."""
    found = golden("unified")
    [table] = [case["table"] for case in found["cases"] if case["name"] == "equivalences"]
    checked = 0
    for entry in table:
        inputs = found["inputs"][entry["input"]]
        for place, (a, wanted) in enumerate(zip(entry["a_per_sample"], entry["per_sample"], strict=True)):
            if a <= 0 and entry["input"] != "wrap":
                case = example(losses.Unified(entry["s"], a), rows=entry["input"])
                values = gradients(case, "float64")[0]
                assert values[place] == pytest.approx(wanted, rel=1e-9, abs=1e-12)
                checked += 1
    assert checked > 30
    assert inputs["labels"] == [0, 11, 3, 3, 7, 5, 11, 1]


def test_bins_are_open_below_and_closed_above():
    found = bins(tf.constant([0.0, 1e-9, 0.1, 0.1000001, 0.5, 0.95, 1.0], tf.float64))
    np.testing.assert_array_equal(found, [0, 0, 0, 1, 4, 9, 9])


def test_a_may_change_without_a_new_trace():
    head, traces = losses.Head(losses.Unified(8.0, WORDS), 5), []
    head.build((None, 8))
    crops = tf.random.stateless_normal((6, 8), (0, 0))

    @tf.function
    def step():
        traces.append(1)
        return tf.reduce_sum(head.rows(crops, tf.constant([0, 1, 2, 3, 4, 0])).loss)

    before = float(step())
    head.state["a"].assign(10 * head.state["a"])
    assert float(step()) > before
    assert len(traces) == 1


@pytest.mark.parametrize(("params", "message"), [
    ({"a": 0.5}, "a is 0.5, expected finite numbers of at most 0"),
    ({"a": "-1 -2"}, "a is '-1 -2', expected one number"), ({"a": "x"}, "a is 'x'"), ({"a": -math.inf}, "a is -inf"),
    ({"growth": 2.0}, "growth is 2.0"),
    ({"adaptive_with_margin": True}, "adaptive_with_margin is True, expected false"),
])
def test_ranges(params, message):
    with pytest.raises(ValueError, match=message):
        losses.Unified(**params)
