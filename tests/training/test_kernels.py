"""The fast layers equal Keras' own: values, gradients, statistics, weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import models
from training.kernels import FastPReLU, FusedBatchNormalization, fast_layers, prelu

FAST = fast_layers(on_processor=True, jit_compile=False)
CROPS = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)


def network(dtype="float32", **options):
    return models.build("resface10", width=0.25, template_shape=(32, 32), embedding_size=16, dtype=dtype, **options)


def step(model):
    """Embeddings, gradients and statistics of one training pass, all as arrays."""
    upstream = tf.constant(np.random.default_rng(1).normal(size=(8, 16)), tf.float32)
    with tf.GradientTape() as tape:
        embeddings = model(CROPS, training=True)
        loss = tf.reduce_mean(embeddings * upstream)
    gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
    return [value.numpy() for value in (embeddings, *gradients, *model.non_trainable_variables)]


def test_network_equals_the_stock_one():
    fast, stock = network(**FAST), network()
    assert [variable.path for variable in fast.variables] == [variable.path for variable in stock.variables]
    assert any(isinstance(layer, FusedBatchNormalization) for layer in fast.layers)
    for found, wanted in zip(step(fast), step(stock), strict=True):
        assert np.abs(found - wanted).max() <= 2e-5 * np.abs(wanted).max()
    np.testing.assert_allclose(fast(CROPS), stock(CROPS), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(models.export(fast)(CROPS), stock(CROPS), rtol=1e-4, atol=1e-4)


def test_half_precision_statistics_stay_float32():
    layer = FusedBatchNormalization(momentum=0.0, dtype="mixed_bfloat16")
    x = np.random.default_rng(3).normal(5.0, 0.5, (4, 6, 5, 16)).astype("float32")
    half = tf.cast(x, tf.bfloat16)
    outputs = layer(half, training=True)
    exact = tf.cast(half, tf.float32).numpy().reshape(-1, 16).astype("float64")
    assert outputs.dtype == tf.bfloat16
    np.testing.assert_allclose(layer.moving_mean.numpy(), exact.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), exact.var(0), rtol=1e-4)   # divided by N, not by N - 1


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_prelu_and_its_gradients(dtype):
    rng = np.random.default_rng(4)
    x = tf.cast(np.where(rng.random((3, 4, 5, 16)) < 0.1, 0.0, rng.normal(size=(3, 4, 5, 16))), dtype)
    upstream, slopes = tf.cast(rng.normal(size=x.shape), dtype), tf.constant(rng.uniform(-0.5, 1.5, 16), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch([x, slopes])
        outputs = prelu(x, slopes)
    to_x, to_slopes = tape.gradient(outputs, [x, slopes], output_gradients=upstream)
    wide, up = (tf.cast(value, tf.float64).numpy() for value in (x, upstream))
    slope = slopes.numpy().astype("float64")
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == "float32" else {"rtol": 1e-2, "atol": 1e-2}
    np.testing.assert_allclose(tf.cast(outputs, tf.float64), np.where(wide > 0, wide, slope * wide), **tolerance)
    np.testing.assert_allclose(
        tf.cast(to_x, tf.float64), np.where(wide > 0, up, np.where(wide < 0, slope * up, 0)), **tolerance)
    np.testing.assert_allclose(to_slopes, (up * np.minimum(wide, 0)).sum((0, 1, 2)), rtol=1e-4, atol=1e-4)


def test_other_maps_take_keras_own_code():
    for size in (24, 16):
        x = np.random.default_rng(5).normal(size=(2, 3, 3, size)).astype("float32")
        fast, stock = FastPReLU(shared_axes=[1, 2]), keras.layers.PReLU(shared_axes=[1, 2])
        for layer in (fast, stock):
            layer.build(x.shape)
            layer.alpha.assign(np.full((1, 1, size), 0.3))
        np.testing.assert_allclose(fast(x), stock(x), rtol=1e-6)
    assert fast_layers(on_processor=True, jit_compile=True) == fast_layers(on_processor=False, jit_compile=False) == {}
