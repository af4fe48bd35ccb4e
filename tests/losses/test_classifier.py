"""The classifier: its first variables, products with unit centers, and the nearest center of the target."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import losses
from losses import classifier
from losses.loss import Facts

DRAWN = [   # what runs start from: other numbers here would be other runs
    ((3, 0, 2, 3, "normal"), [[-0.01375144747936881, -0.01316386954991545, -0.00607872795394668],
                              [-0.00410482586630045, 0.00089618232834032, -0.00384195590672566]]),
    ((3, 5, 1, 6, 0.5), [[-0.3629697757966364, -0.00592555652715016, -0.4659374167997517, -0.07972179283876374,
                          0.3224109517136333, 0.24331620473995175]]),
    ((0, 1, 1, 5, 1.0), [[-0.02255135217906556, -0.3198761588599198, -0.4586839875948653, 0.6506354908876935,
                          -0.7739393303452285]]),
]


def built(loss, *, num_classes=40, dim=24, **facts):
    layer = classifier.Classifier(loss, Facts(num_classes, **facts))
    layer.build((None, dim))
    return layer


@pytest.mark.parametrize(("given", "wanted"), DRAWN, ids=str)
def test_drawn_rows_stay_what_they_are(given, wanted):
    seed, first, count, dim, scheme = given
    found = classifier.center_rows(seed, first, count=count, dim=dim, scheme=scheme)
    np.testing.assert_allclose(found, wanted, rtol=1e-13)


@pytest.mark.parametrize(("word", "normal", "flat"), [
    (0, 0.01 * math.sqrt(2 * 54 * math.log(2)), -0.5), (2**64 - 1, 0.0, 0.5)])
def test_the_extreme_words_are_finite_rows(monkeypatch, word, normal, flat):
    class Philox:
        def __init__(self, key):
            pass

        def advance(self, count):
            pass

        def random_raw(self, count):
            return np.full(count, word, np.uint64)

    monkeypatch.setattr(np.random, "Philox", Philox)
    np.testing.assert_allclose(classifier.center_rows(0, 0, count=2, dim=3, scheme="normal"), normal, rtol=1e-13)
    np.testing.assert_allclose(classifier.center_rows(0, 0, count=2, dim=3, scheme=0.5), flat, rtol=1e-13)


def test_the_first_variables():
    cosine = built(losses.NormFace(), seed=3)
    np.testing.assert_array_equal(
        cosine.centers, classifier.center_rows(3, 0, count=40, dim=24, scheme="normal").astype(np.float32))
    assert cosine.bias is None
    assert cosine.scalars == {}
    inner = built(losses.L2Softmax(8.0, trained=True))
    most, found = math.sqrt(6 / (24 + 40)), np.abs(inner.centers.numpy())   # Glorot and Bengio 2010
    assert 0.99 * most < found.max() <= most
    np.testing.assert_array_equal(inner.bias, np.zeros(40))
    assert float(inner.scalars["alpha"]) == 8.0
    assert inner.compute_output_shape((7, 24)) == (7, 40)
    assert built(losses.NormFace(sub_centers=3)).centers.shape == (120, 24)


def test_a_trained_number_is_kept_at_its_least():
    least = classifier.AtLeast(0.01)
    np.testing.assert_array_equal(least(tf.constant([0.5, -2.0, 0.01], tf.float64)), [0.5, 0.01, 0.01])


def test_the_products_gradient_goes_to_both_sides():
    """Of <x, w / |w|>: w / |w| to x, and x across w, divided by |w|, to w."""
    left, centers = tf.constant([[2.0, 1.0]], tf.float64), tf.constant([[3.0, 4.0], [0.0, 0.0]], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch([left, centers])
        product = classifier.by_unit_centers(left, centers)
        total = tf.reduce_sum(product * [[1.0, 7.0]])
    np.testing.assert_allclose(product, [[2.0, 0.0]], rtol=1e-15)
    to_left, to_centers = tape.gradient(total, [left, centers])
    np.testing.assert_allclose(to_left, [[0.6, 0.8]], rtol=1e-15)
    np.testing.assert_allclose(to_centers, [[(2 - 2 * 0.6) / 5, (1 - 2 * 0.8) / 5], [0, 0]], rtol=1e-14)


@pytest.mark.parametrize("loss", [losses.Softmax(sub_centers=2), losses.NormFace(sub_centers=2)], ids=str)
def test_the_targets_cosine_is_that_of_its_nearest_center(loss):
    layer = built(loss, num_classes=3, dim=2)
    layer.centers.assign([[1, 0], [0, 1], [-1, 0], [0, -2], [3, 4], [-3, -4]])
    embeddings, labels = tf.constant([[3.0, 4.0], [6.0, 8.0], [-0.3, 0.4]], tf.float64), tf.constant([0, 2, 1])
    np.testing.assert_allclose(layer.target_cosine(embeddings, labels), [0.8, 1.0, 0.6], rtol=1e-12)


def test_it_computes_in_the_wider_type_whatever_the_policy():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer = built(losses.Softmax(), dim=3)
    finally:
        keras.config.set_dtype_policy("float32")
    fine = np.array([[1 + 1e-12, 0, 0]])
    assert layer(fine).dtype == "float64"
    assert layer(fine.astype(np.float32)).dtype == layer(tf.cast(fine, tf.bfloat16)).dtype == "float32"
    assert not np.array_equal(layer(fine), layer(np.eye(1, 3)))
