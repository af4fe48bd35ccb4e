import numpy as np
import pytest
import tensorflow as tf

from training.config import Optimizer
from training.optimizer import SGD, clip, global_norm


def updated(steps, gradient, **settings):
    weight, plain = tf.Variable([1.0, 2.0]), tf.Variable([1.0, 2.0])
    sgd = SGD(Optimizer(**settings), [weight, plain], decayed=[True, False])
    for _ in range(steps):
        sgd.update([tf.constant(gradient), tf.constant(gradient)], rate=0.1, is_finite=tf.constant(True))
    return weight.numpy(), plain.numpy()


def test_two_steps_by_hand():
    """v1 = -.1 (.5 + .01 1) = -.051, w1 = .949; v2 = .9 v1 - .1 (.5 + .01 .949) = -.096849, w2 = .852151."""
    weight, plain = updated(2, [0.5, 0.0], momentum=0.9, weight_decay=0.01)
    np.testing.assert_allclose(weight, [0.852151, 1.994202], atol=1e-6)
    np.testing.assert_allclose(plain, [1 - 0.05 - 0.095, 2.0], atol=1e-6)


def test_decay_enters_the_momentum_unlike_keras():
    """With a zero gradient Keras' decoupled decay gives .999, .998001, .997003; the field's rule falls faster."""
    values = [updated(steps, [0.0, 0.0], momentum=0.9, weight_decay=0.01)[0][0] for steps in (1, 2, 3)]
    np.testing.assert_allclose(values, [0.999, 0.997101, 0.994394799], atol=1e-6)


def test_clipping_comes_before_the_decay():
    weight, _ = updated(1, [3.0, 4.0], momentum=0.0, weight_decay=0.5, clip_norm=1.0)
    factor = 1 / np.sqrt(50)
    np.testing.assert_allclose(weight, [1 - 0.1 * (3 * factor + 0.5), 2 - 0.1 * (4 * factor + 1.0)], atol=1e-6)


def test_a_constraint_bounds_the_weight_and_not_the_velocity():
    weight, free = tf.Variable(0.5), tf.Variable(0.5)
    sgd = SGD(Optimizer(momentum=0.9), [weight, free], decayed=[False, False],
              constraints=[lambda value: tf.maximum(value, 0.01), None])
    sgd.update([tf.constant(10.0)] * 2, rate=0.1, is_finite=tf.constant(True))
    assert (weight.numpy(), free.numpy()) == (np.float32(0.01), np.float32(-0.5))
    assert sgd.velocities[0].numpy() == -1
    sgd.update([tf.constant(np.nan)] * 2, rate=0.1, is_finite=tf.constant(False))
    assert weight.numpy() == np.float32(0.01)


def test_clip_leaves_small_gradients():
    gradients = [tf.constant([0.3]), tf.constant([0.4])]
    assert [g.numpy()[0] for g in clip(gradients, 1.0)] == pytest.approx([0.3, 0.4])
    assert global_norm(clip(gradients, 0.1)).numpy() == pytest.approx(0.1)


def test_nothing_changes_where_not_finite():
    weight = tf.Variable([1.0, 2.0])
    sgd = SGD(Optimizer(), [weight], decayed=[True])
    sgd.update([tf.constant([np.nan, 1.0])], rate=0.1, is_finite=tf.constant(False))
    np.testing.assert_array_equal(weight, [1.0, 2.0])
    np.testing.assert_array_equal(sgd.velocities[0], [0.0, 0.0])
