"""Lengths and directions by hand, down to vectors that have none."""

import numpy as np
import pytest
import tensorflow as tf

from losses.vectors import LEAST_NORM, at_least_float32, norms, unit, wide_type


def slopes(function, x):
    x = tf.constant(x, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        values = function(x)
    return values.numpy(), tape.gradient(values, x).numpy()


def test_lengths_and_their_gradient_the_direction():
    values, found = slopes(norms, [[3.0, 4.0], [0.0, -2.0]])
    np.testing.assert_allclose(values, [[5], [2]], rtol=1e-15)
    np.testing.assert_allclose(found, [[0.6, 0.8], [0, -1]], rtol=1e-15)


def test_unit_vectors_do_not_change_with_the_length():
    values, found = slopes(lambda x: unit(x) * [[1.0, 0.0]], [[3.0, 4.0]])
    np.testing.assert_allclose(values, [[0.6, 0]], rtol=1e-15)
    np.testing.assert_allclose(found, [[0.8 * 0.8 / 5, -0.6 * 0.8 / 5]], rtol=1e-14)   # across the vector


def test_shorter_than_the_least_norm_is_no_direction():
    assert LEAST_NORM == 1e-12
    for function in (norms, unit):
        values, found = slopes(function, [[0.0, 0.0], [0.9e-12, 0.0], [1.1e-12, 0.0]])
        np.testing.assert_array_equal(values[:2], 0)
        np.testing.assert_array_equal(found[:2], 0)
        assert values[2, 0] == pytest.approx(1.1e-12 if function is norms else 1, rel=1e-12)
    assert np.isnan(norms(tf.constant([[np.nan, 1.0]]))).all()


def test_half_precision_is_raised_and_the_rest_stays():
    for given, wanted in (("bfloat16", "float32"), ("float16", "float32"), ("float32", "float32"),
                          ("float64", "float64")):
        assert wide_type(given) == wanted
        assert at_least_float32(tf.ones(2, given)).dtype == wanted
