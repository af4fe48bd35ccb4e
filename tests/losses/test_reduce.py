"""Sums over the other classes by hand: in one part and in several, alone, far apart, with NaN."""

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from losses import reduce

VALUES = np.array([[1.0, 5.0, 2.0, -3.0], [0.5, 0.0, -1.0, 4.0]])
LABELS = tf.constant([1, 3])
BIAS = np.array([10.0, 20.0, 30.0, 40.0])


def parts(*bounds):
    return [reduce.Part(tf.constant(VALUES[:, first:last]), LABELS, first, tf.constant(BIAS[first:last]))
            for first, last in bounds]


def rest_of(cut):
    others = [each.others() for each in cut]
    return reduce.log_sum_exp(others, reduce.largest(others))


@pytest.mark.parametrize("bounds", [[(0, 4)], [(0, 1), (1, 4)], [(0, 2), (2, 3), (3, 4)]], ids=str)
def test_by_hand(bounds):
    cut = parts(*bounds)
    np.testing.assert_array_equal(reduce.target_of(cut), [5, 4])
    np.testing.assert_array_equal(sum(each.target_bias() for each in cut), [20, 40])
    np.testing.assert_array_equal(reduce.largest([each.others() for each in cut]), [2, 0.5])
    np.testing.assert_array_equal(reduce.count_reaching(cut, tf.constant([2.0, 0.0], tf.float64)), [2, 3])
    others = [[1, 2, -3], [0.5, 0, -1]]
    np.testing.assert_allclose(rest_of(cut), np.log(np.sum(np.exp(others), axis=1)), rtol=1e-14)
    found = reduce.softplus_sum([each.others() for each in cut], None)
    np.testing.assert_allclose(found, np.sum(np.log1p(np.exp(others)), axis=1), rtol=1e-14)


def test_wide_parts_take_their_target_in_another_way(monkeypatch):
    narrow = reduce.target_of(parts((0, 2), (2, 4)))
    for limit in ("_WIDE", "_PLACES"):                # many classes; or many numbers, where the batch is known
        with monkeypatch.context() as patched:
            patched.setattr(reduce, limit, 1)
            patched.setattr(reduce.ops, "reshape", None)
            np.testing.assert_array_equal(reduce.target_of(parts((0, 2), (2, 4))), narrow)


def test_a_part_begins_at_class_0_without_bias():
    whole = reduce.Part(tf.constant(VALUES), LABELS)
    np.testing.assert_array_equal(np.isneginf(whole.others()), [[0, 1, 0, 0], [0, 0, 0, 1]])
    assert whole.target_bias() == 0
    assert reduce.Part(tf.constant(VALUES), LABELS).map(lambda values: 2 * values).values[0, 1] == 10
    with pytest.raises(dataclasses.FrozenInstanceError):
        whole.bias = BIAS


def test_logits_far_apart_do_not_overflow():
    far = reduce.Part(tf.constant([[900.0, 0.0, -900.0], [-900.0, -901.0, 7.0]], tf.float64), tf.constant([1, 2]))
    np.testing.assert_allclose(rest_of([far]), [900, -900 + math.log1p(math.exp(-1))], rtol=1e-15)


def test_alone_and_not_a_number():
    alone = tf.constant([[3.0], [np.nan]], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(alone)
        rest = rest_of([reduce.Part(alone, tf.constant([0, 0]))])
    assert rest.numpy().tolist() == [-math.inf, -math.inf]
    np.testing.assert_array_equal(tape.gradient(rest, alone), 0)
    torn = tf.constant([[3.0, np.nan, 1.0]])
    assert np.isnan(rest_of([reduce.Part(torn, tf.constant([0]))])).all()


def test_the_gradient_is_the_softmax_of_the_others():
    values = tf.constant(VALUES)
    with tf.GradientTape() as tape:
        tape.watch(values)
        rest = rest_of([reduce.Part(values, LABELS)])
    weights = np.exp(VALUES) * [[1, 0, 1, 1], [1, 1, 1, 0]]
    np.testing.assert_allclose(tape.gradient(rest, values), weights / weights.sum(axis=1, keepdims=True), rtol=1e-13)
