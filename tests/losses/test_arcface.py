"""What ArcFace's variants promise beyond their goldens."""

import numpy as np
import pytest
import tensorflow as tf

from losses import ArcFace, Context
from losses.arcface import VARIANTS, sine

MARGIN = 0.5


def target(cosines, *, share=1.0, **options):
    """Target cosines with margin, and their derivative."""
    cosines = tf.constant(cosines, tf.float64)
    context = Context(labels=None, norms=None, margin_share=share)
    with tf.GradientTape() as tape:
        tape.watch(cosines)
        values = ArcFace(margin=MARGIN, **options).target(cosines, context)
    return values.numpy(), tape.gradient(values, cosines).numpy()


def test_monotone_falls_with_the_angle_also_beyond_pi():
    values, slopes = target(np.cos(np.linspace(0.001, np.pi - 0.001, 2001)))
    assert (np.diff(values) < 0).all()
    assert (slopes > 0).all()
    plain, _ = target(np.cos(np.linspace(0.001, np.pi - 0.001, 2001)), variant="plain")
    assert (np.diff(plain)[-200:] > 0).all()   # what monotone is for


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_derivative_is_that_of_the_formula(variant):
    angles = np.array([0.05, 0.4, 1.1, 1.5, 1.7, 2.3, 2.9, 3.1])
    _, slopes = target(np.cos(angles), variant=variant)
    step = 1e-6
    above, _ = target(np.cos(angles) + step, variant=variant)
    below, _ = target(np.cos(angles) - step, variant=variant)
    np.testing.assert_allclose(slopes, (above - below) / (2 * step), rtol=1e-6, atol=1e-8)
    _, through = target(np.cos(angles), variant=variant, gradient="straight_through")
    np.testing.assert_array_equal(through, 1.0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_ends_have_finite_values_and_derivatives(variant):
    """Cosines of float32 pass 1 by some 1e-7."""
    values, slopes = target([1.0, 1 + 1e-7, -1.0, -1 - 1e-7], variant=variant)
    assert np.isfinite(values).all()
    assert np.isfinite(slopes).all()
    np.testing.assert_allclose(values[:2], np.cos(MARGIN), atol=1e-6)


def test_the_margin_ramps():
    angles = np.linspace(0.1, 1.2, 7)
    np.testing.assert_allclose(target(np.cos(angles), share=0.0)[0], np.cos(angles), rtol=1e-12)
    np.testing.assert_allclose(target(np.cos(angles), share=0.4)[0], np.cos(angles + 0.4 * MARGIN), rtol=1e-12)


def test_sine():
    angles = np.linspace(0, np.pi, 9)
    np.testing.assert_allclose(sine(tf.constant(np.cos(angles))).numpy(), np.sin(angles), atol=1e-12)
