"""Circle loss over classes and over pairs."""

import math

import numpy as np
import pytest
import tensorflow as tf

import losses
from tests.losses.cases import example, golden
from tests.losses.on_tensorflow import gradients

DEFAULTS = {"circle": {"scale": 256.0, "margin": 0.25}, "paircircle": {"scale": 256.0, "margin": 0.25}}
GOLDENS = {"circle": lambda hyper: losses.Circle(hyper["gamma"], hyper["m"])}
PAIR_GOLDENS = {"circle": lambda hyper: losses.PairCircle(hyper["gamma"], hyper["m"])}
VARIANTS = [losses.Circle(), losses.Circle(64.0, 0.4, sub_centers=2)]


def by_hand(loss, row):
    m = loss.margin
    target = max(1 + m - row.cosine, 0) * (row.cosine - (1 - m))
    return row.cross_entropy(loss.scale * target, [loss.scale * max(c + m, 0) * (c - m) for c in row.cosines])


def pairs_by_hand(loss, embeddings, labels):
    units = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    genuine = impostor = 0.0
    for i in range(len(labels)):
        for j in range(i + 1, len(labels)):
            s = units[i] @ units[j]
            if labels[i] == labels[j]:
                genuine += math.exp(-loss.scale * max(1 + loss.margin - s, 0) * (s - (1 - loss.margin)))
            else:
                impostor += math.exp(loss.scale * max(s + loss.margin, 0) * (s - loss.margin))
    return math.log1p(genuine * impostor)


def test_pairs_by_hand():
    inputs = golden("circle")["inputs"]["pairs"]
    embeddings, labels = np.array(inputs["embeddings"]), np.array(inputs["labels"])
    for loss in (losses.PairCircle(8.0), losses.PairCircle(16.0, 0.4)):
        found = loss(tf.constant(embeddings), tf.constant(labels))
        assert float(found) == pytest.approx(pairs_by_hand(loss, embeddings, labels), rel=1e-12)


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_no_genuine_or_no_impostor_pair_costs_nothing(labels):
    embeddings = tf.constant(np.eye(3) + 0.1)
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        loss = losses.PairCircle()(embeddings, tf.constant(labels))
    assert float(loss) == 0
    np.testing.assert_array_equal(tape.gradient(loss, embeddings), 0)


def test_weights_have_no_gradient():
    """With them the derivative of the target would be 1 + m - cos less (cos - (1 - m))."""
    cosine = tf.constant([0.3], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(cosine)
        value = losses.Circle().target(cosine, losses.Context(None, None))
    assert float(tape.gradient(value, cosine)[0]) == pytest.approx(1.25 - 0.3)


def test_the_margin_ramps():
    case = example(losses.Circle(16.0))
    none = gradients(example(losses.Circle(16.0, 0.0)), "float64")[0]
    np.testing.assert_allclose(gradients(case, "float64", margin_share=0.0)[0], none, rtol=1e-13)


@pytest.mark.parametrize("loss", [losses.Circle, losses.PairCircle])
@pytest.mark.parametrize(("params", "message"), [
    ({"margin": 1.0}, r"margin is 1.0, expected a number in \[0, 1\)"), ({"margin": -0.1}, "margin is -0.1"),
    ({"scale": 0.0}, "scale is 0.0"),
])
def test_ranges(loss, params, message):
    with pytest.raises(ValueError, match=message):
        loss(**params)
