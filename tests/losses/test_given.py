"""Labels and embeddings as people give them."""

import numpy as np
import pytest
import tensorflow as tf

from losses.given import check_finite, checked_labels, visible_values


def test_labels_of_both_shapes_and_every_number():
    for labels in ([0, 4, 2], [[0], [4], [2]]):
        found, is_valid = checked_labels(np.array(labels, np.int64), 5)
        assert found.dtype == "int32"
        np.testing.assert_array_equal(found, [0, 4, 2])
        assert np.all(is_valid)
    assert checked_labels(np.zeros(0, np.int32), 5)[0].shape == (0,)
    for labels, shape in (([[0, 1]], r"\(1, 2\)"), (2, r"\(\)"), ([[[0]]], r"\(1, 1, 1\)")):
        with pytest.raises(ValueError, match=f"labels' shape is {shape}, expected"):
            checked_labels(np.array(labels), 5)


@pytest.mark.parametrize("label", [-1, 5, 6, -(2**40)])
def test_the_first_wrong_label_is_named(label):
    with pytest.raises(ValueError, match=rf"label is {label}, expected in 0\.\.4"):
        checked_labels(np.array([4, 0, label, -7]), 5)
    found, is_valid = tf.function(lambda labels: checked_labels(labels, 5))(tf.constant([4, 0, label], tf.int64))
    np.testing.assert_array_equal(found, [4, 0, 0])     # a class that there is
    assert is_valid.numpy().tolist() == [True, True, False]


def test_the_first_number_that_is_none_is_named():
    for place in ((0, 0), (2, 1)):
        embeddings = np.ones((3, 2), np.float32)
        check_finite(embeddings)
        embeddings[place] = -np.inf
        with pytest.raises(ValueError, match=f"embedding {place[0]}, number {place[1]}, is -inf"):
            check_finite(embeddings)
    check_finite(np.zeros((0, 2)))


def test_what_is_visible():
    seen = []
    tf.function(lambda x: seen.append(visible_values(x)))(tf.constant([1]))
    assert seen == [None]
    np.testing.assert_array_equal(visible_values(tf.constant([3, 4])), [3, 4])
