"""Angles and sines: right values and slopes inside, none at the ends; the series that JAX needs, on any backend."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from losses import angle as angles

INSIDE = np.array([-0.999999, -0.8, -0.6, -0.1, 0.0, 0.3, 0.6, 0.8, 0.999999])
ENDS = np.array([1.0, 1 + 1e-7, -1.0, -1 - 1e-7])


def slopes(function, points):
    """(values, derivatives) in float64."""
    points = tf.constant(points, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(points)
        values = function(points)
    return values.numpy(), tape.gradient(values, points, unconnected_gradients="zero").numpy()


def test_the_sine_of_a_cosine():
    values, found = slopes(angles.sine, [0.6, -0.8, 0.0])
    np.testing.assert_allclose(values, [0.8, 0.6, 1.0], rtol=1e-15)
    np.testing.assert_allclose(found, [-0.75, 4 / 3, 0.0], rtol=1e-14)
    for array in slopes(angles.sine, ENDS):
        np.testing.assert_array_equal(array, 0)


def test_the_angle_of_a_cosine():
    values, found = slopes(angles.angle, INSIDE)
    np.testing.assert_allclose(values, np.arccos(INSIDE), rtol=1e-14)
    np.testing.assert_allclose(found, -1 / np.sqrt((1 - INSIDE) * (1 + INSIDE)), rtol=1e-13)
    values, found = slopes(angles.angle, ENDS)
    np.testing.assert_array_equal(values, [0, 0, math.pi, math.pi])
    np.testing.assert_array_equal(found, 0)


@pytest.mark.parametrize("turn", [0.5, 2, tf.constant(0.5, tf.float64)], ids=str)
def test_turned_by_the_addition_formula(turn):
    values, found = slopes(lambda cosines: angles.turned(cosines, turn), INSIDE)
    theta = np.arccos(INSIDE) + float(turn)
    np.testing.assert_allclose(values, np.cos(theta), rtol=1e-12)
    np.testing.assert_allclose(found, np.sin(theta) / np.sqrt((1 - INSIDE) * (1 + INSIDE)), rtol=1e-9)


def test_numbers_and_tensors():
    assert (angles.cos(2), angles.sin(2)) == (math.cos(2), math.sin(2))
    assert (angles.cos(0.3), angles.sin(0.3)) == (math.cos(0.3), math.sin(0.3))
    radians = np.linspace(-6, 6, 41)
    np.testing.assert_allclose(angles.cos(tf.constant(radians)), np.cos(radians), atol=1e-15)
    np.testing.assert_allclose(angles.sin(tf.constant(radians)), np.sin(radians), atol=1e-15)


def test_the_series_is_cosine_and_sine_to_two_pi(monkeypatch):
    monkeypatch.setattr(angles, "_is_lowered", lambda tensor: True)
    radians = np.linspace(-2 * np.pi, 2 * np.pi, 101)
    np.testing.assert_allclose(slopes(angles.cos, radians), [np.cos(radians), -np.sin(radians)], atol=2e-13)
    np.testing.assert_allclose(slopes(angles.sin, radians)[0], np.sin(radians), atol=1e-10)   # to 5 pi / 2


def test_an_angle_of_float32_is_mended_to_float64(monkeypatch):
    """As on JAX, where arctan2 turns float64 to float32."""
    exact = tf.math.atan2
    monkeypatch.setattr(angles, "_is_lowered", lambda tensor: True)
    monkeypatch.setattr(angles.ops, "arctan2", lambda y, x: exact(tf.cast(y, tf.float32), tf.cast(x, tf.float32)))
    values, found = slopes(angles.angle, INSIDE[1:-1])
    np.testing.assert_allclose(values, np.arccos(INSIDE[1:-1]), rtol=1e-13)
    np.testing.assert_allclose(found, -1 / np.sqrt(1 - INSIDE[1:-1]**2), rtol=1e-6)
    np.testing.assert_array_equal(slopes(angles.angle, ENDS), [[0, 0, math.pi, math.pi], [0, 0, 0, 0]])


@pytest.mark.parametrize(("backend", "dtype", "is_lowered"), [
    ("jax", "float64", True), ("jax", "float32", False), ("tensorflow", "float64", False),
    ("tensorflow", "float32", False)])
def test_only_jax_lowers_and_only_float64(monkeypatch, backend, dtype, is_lowered):
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    assert angles._is_lowered(np.zeros(1, dtype)) is is_lowered
