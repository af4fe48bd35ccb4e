"""The target's part of a loss alone, over given cosines."""

import numpy as np
import tensorflow as tf

import losses

ANGLES = np.linspace(1e-4, np.pi - 1e-4, 10_001)
"""What "over 10,001 angles" means."""


def target(loss, cosines, **context):
    """float64 [N] -> (the target's similarities with margin [N], their derivatives [N])."""
    cosines = tf.constant(np.asarray(cosines, np.float64))
    with tf.GradientTape() as tape:
        tape.watch(cosines)
        values = loss.target(cosines, losses.Context(None, context.pop("norms", None), **context))
    return values.numpy(), tape.gradient(values, cosines, unconnected_gradients="zero").numpy()


def check_falls(loss, **context):
    """The target's similarity falls over all angles, and its derivative has the same sign everywhere."""
    values, slopes = target(loss, np.cos(ANGLES), **context)
    assert (np.diff(values) < 0).all()
    assert (slopes > 0).all()


def check_slopes(loss, angles=(0.05, 0.4, 1.1, 1.5, 1.7, 2.3, 2.9, 3.05), **context):
    """The derivative is that of the formula, by differences."""
    cosines, step = np.cos(angles), 1e-6
    above, below = (target(loss, cosines + sign * step, **context)[0] for sign in (1, -1))
    np.testing.assert_allclose(target(loss, cosines, **context)[1], (above - below) / (2 * step), rtol=2e-6, atol=1e-8)
