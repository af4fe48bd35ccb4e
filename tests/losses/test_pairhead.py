"""The pair head in plain Keras: what it adds, what it returns, which labels it takes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import losses

EMBEDDINGS = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
LABELS = np.array([7, 7, 2**31 - 2, 1000], np.int64)


def test_it_adds_the_loss_of_the_wide_embeddings_and_returns_them_as_they_came():
    head = losses.PairHead(losses.Triplet(0.5, "all"))
    half = tf.cast(EMBEDDINGS, tf.bfloat16)
    found = head(half, LABELS)
    assert found is half or found.dtype == "bfloat16"
    np.testing.assert_array_equal(tf.cast(found, tf.float32), tf.cast(half, tf.float32))
    wanted = losses.Triplet(0.5, "all")(tf.cast(half, tf.float32), tf.constant([0, 0, 1, 2]))
    assert float(head.losses[0]) == float(wanted) > 0
    double = losses.PairHead(losses.PairCircle(8.0))
    assert double(EMBEDDINGS.astype(np.float64), LABELS[:, None]).dtype == "float64"
    assert double.losses[0].dtype == "float64"


def test_labels_out_of_range():
    head = losses.PairHead(losses.Triplet())
    for wrong in (-1, 2**31 - 1, 2**40):
        with pytest.raises(ValueError, match=f"label is {wrong}, expected in 0"):
            head(EMBEDDINGS, np.array([0, 0, 1, wrong]))

    @tf.function
    def step(labels):
        head(EMBEDDINGS, labels)
        return head.losses[-1]

    assert np.isfinite(step(tf.constant([0, 0, 1, 1])))
    assert np.isnan(step(tf.constant([0, 0, 1, -1])))   # one is enough


def test_shape_and_settings():
    head = losses.PairHead(losses.Triplet(0.3, "hard"), name="pairs")
    again = losses.PairHead.from_config(head.get_config())
    assert (again.name, again.loss) == ("pairs", losses.Triplet(0.3, "hard"))
    features, label = keras.Input((6,)), keras.Input((), dtype="int32")
    assert head(features, label).shape == (None, 6)
    with pytest.raises(ValueError, match=r"loss of a pair head is .* expected one over pairs"):
        losses.PairHead(losses.AMSoftmax())
