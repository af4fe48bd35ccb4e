"""The dropout mask is a pure function of (seed, g, position)."""

import hashlib

import keras
import numpy as np
import tensorflow as tf

from models.blocks import Dropout, split

RUNNING = [0, 1, 2, 12345, 2**31, 2**32 - 1, 2**32, 2**40 + 3]
MASK_DIGEST = "b692081ab6c557ac"
"""sha256 of Dropout(0.3, seed=7).mask over 64 positions for RUNNING. A change of it changes every user's training."""


def mask_of(numbers, *, rate=0.3, seed=7, size=64):
    layer = Dropout(rate, seed)
    layer.build((None, size))
    return np.array(layer.mask(split(numbers)))


def test_split_gives_low_and_high_words():
    words = split([5, 2**32 + 7, 2**31])
    assert words.dtype == np.int32
    np.testing.assert_array_equal(words, [[5, 0], [7, 1], [-(2**31), 0]])
    np.testing.assert_array_equal(words, tf.bitcast(tf.constant([5, 2**32 + 7, 2**31], tf.int64), tf.int32))


def test_golden_mask():
    assert hashlib.sha256(np.packbits(mask_of(RUNNING)).tobytes()).hexdigest()[:16] == MASK_DIGEST


def test_eager_graph_and_xla_agree():
    layer = Dropout(0.3, seed=7)
    layer.build((None, 64))
    for compiled in (False, True):
        found = tf.function(layer.mask, jit_compile=compiled)(tf.constant(split(RUNNING)))
        np.testing.assert_array_equal(found, mask_of(RUNNING))


def test_a_row_keeps_its_mask_wherever_it_stands():
    masks = mask_of(RUNNING)
    np.testing.assert_array_equal(mask_of(RUNNING[::-1]), masks[::-1])
    np.testing.assert_array_equal(mask_of([RUNNING[3]])[0], masks[3])


def test_masks_of_other_crops_seeds_and_positions_are_independent():
    masks = mask_of(range(400), size=500, rate=0.3).astype(float) - 0.7
    noise = 0.21 / np.sqrt(500)
    for other in (masks[1:], mask_of(range(1, 400), size=500, seed=8) - 0.7,
                  mask_of([2**32 + i for i in range(1, 400)], size=500) - 0.7):
        correlation = (masks[:-1] * other).mean(1)
        assert np.abs(correlation).max() < 5 * noise
        assert abs(correlation.mean()) < 5 * noise / np.sqrt(399)
    by_position = masks.T
    assert np.abs((by_position[:-1] * by_position[1:]).mean(1)).max() < 5 * 0.21 / np.sqrt(400)


def test_share_kept():
    for rate in (0.0, 0.1, 0.5, 0.9):
        masks = mask_of(range(500), rate=rate, size=1000)
        assert abs(masks.mean() - (1 - rate)) < 5 * np.sqrt(max(rate * (1 - rate), 1e-12) / masks.size)
        assert np.abs(masks.mean(0) - (1 - rate)).max() < 5 * np.sqrt(max(rate * (1 - rate), 1e-12) / 500)


def test_call_scales_what_is_kept_and_does_nothing_outside_training():
    layer = Dropout(0.25, seed=1)
    x, g = np.full((3, 40), 3.0, np.float32), split([4, 5, 6])
    dropped = np.array(layer(x, g, training=True))
    assert set(np.unique(dropped)) == {0.0, 4.0}
    np.testing.assert_array_equal(dropped > 0, layer.mask(g))
    np.testing.assert_array_equal(layer(x, g, training=False), x)
    np.testing.assert_array_equal(layer(x, g), x)
    assert not layer.variables


def test_half_precision_and_config():
    layer = Dropout(0.5, seed=2, dtype="mixed_bfloat16")
    dropped = layer(keras.ops.ones((2, 8), "bfloat16"), split([1, 2]), training=True)
    assert keras.backend.standardize_dtype(dropped.dtype) == "bfloat16"
    assert Dropout.from_config(layer.get_config()).seed == 2
