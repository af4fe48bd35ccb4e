"""Center loss: taken before the means move, which no gradient does."""

import numpy as np
import pytest
import tensorflow as tf

import losses
from losses.loss import Batch
from tests.losses.cases import example, golden
from tests.losses.on_tensorflow import gradients

DEFAULTS = {"centerloss": {"weight": 0.003, "rate": 0.5}}
VARIANTS = [losses.CenterLoss(), losses.CenterLoss(1.0, 0.1)]


def by_hand(loss, row):
    """The means are still 0 when the first loss is taken."""
    logits = [product + bias for product, bias in zip(row.products, row.bias, strict=True)]
    return row.cross_entropy(logits[row.label], logits) + loss.weight * row.norm**2 / 2


def test_values_gradients_and_moved_means_are_golden():
    found = golden("center_loss")
    for case in found["cases"]:
        inputs = found["inputs"][case["input"]]
        head = losses.Head(losses.CenterLoss(1.0, case["hyper"]["alpha"]), 12, dtype="float64")
        head.build((None, 16))
        head.state["means"].assign(inputs["centers"])
        embeddings, labels = tf.constant(inputs["embeddings"], tf.float64), np.array(inputs["labels"])
        with tf.GradientTape() as tape:
            tape.watch(embeddings)
            rows = head.rows(embeddings, labels)
            with tape.stop_recording():
                plain = losses.Head(losses.Softmax(), 12, dtype="float64")
                plain.build((None, 16))
                bare = plain.rows(embeddings, labels).loss
            mean = tf.reduce_mean(rows.loss)
        np.testing.assert_allclose(rows.loss - bare, case["outputs"]["per_sample"], rtol=1e-10)
        np.testing.assert_allclose(rows.state["means"], case["outputs"]["new_centers"], rtol=1e-12, atol=1e-15)
        with tf.GradientTape() as other:
            other.watch(embeddings)
            bare = tf.reduce_mean(plain.rows(embeddings, labels).loss)
        np.testing.assert_allclose(tape.gradient(mean, embeddings) - other.gradient(bare, embeddings),
                                   case["outputs"]["grad_embeddings"], rtol=1e-10, atol=1e-14)


def test_classes_that_are_absent_stay():
    batch = Batch(None, tf.ones(2), None, embeddings=tf.ones((2, 3)), labels=tf.constant([1, 1]))
    before = tf.constant(np.arange(12.0).reshape(4, 3), tf.float32)
    after = losses.CenterLoss(rate=0.5).update({"means": before}, batch, None)["means"]
    np.testing.assert_array_equal(np.delete(after, 1, axis=0), np.delete(before, 1, axis=0))
    np.testing.assert_allclose(after[1], before[1] - 0.5 * 2 * (before[1] - 1) / 3)


def test_no_weight_is_softmax_and_nothing_moves_without_training():
    case = example(losses.CenterLoss(0.0))
    np.testing.assert_array_equal(gradients(case, "float64")[0], gradients(example(losses.Softmax()), "float64")[0])
    assert not np.any(gradients(case, "float64", training=False)[2]["means"])


def test_ranges():
    for params, message in (({"weight": -1.0}, "weight is -1.0"), ({"rate": 1.5}, "rate is 1.5")):
        with pytest.raises(ValueError, match=message):
            losses.CenterLoss(**params)
