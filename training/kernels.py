"""Batch normalization and PReLU from TensorFlow's operations that are fast on a processor; same values, same weights.

Keras computes batch normalization from a dozen elementwise operations and sums in float32, and PReLU's slope gradient
from more; on a processor they cost as much as the convolutions (measure it: `benchmarks/step.py`). One fused operation
each way does the first, and a fused affine map (batch normalization without statistics) multiplies a map by one number
a channel, and gives both gradients of that, in one pass. oneDNN does so only where the number of channels is a multiple
of 16 (its plain code for others is slower than Keras' own, and its convolutions suffer too): other maps stay Keras'
own. So widths 0.25, 0.5, 0.75 and 1 are the ones to train on a processor.
"""

import keras
import tensorflow as tf

BLOCK = 16
"""Channels that oneDNN computes at a time."""


def fast_layers(*, on_processor, jit_compile):
    """Returns the options of `models.build` for these layers: none on accelerators or under XLA, which fuse anyway."""
    if not on_processor or jit_compile:
        return {}
    return {"normalization": FusedBatchNormalization, "activation": FastPReLU}


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """keras.layers.BatchNormalization whose training pass over maps [B, H, W, C] is one fused operation.

    Statistics are float32 whatever the map's type, and the moving variance takes the variance divided by the number
    of pixels, as Keras does (the fused operation gives it divided by one less). Everything else, such as inference,
    vectors and synchronized statistics, is Keras' own.
    """

    def call(self, inputs, training=None, mask=None):
        """Normalizes; in training moves the statistics."""
        is_plain = not training or not self.trainable or self.synchronized or mask is not None
        if is_plain or not _is_fast(inputs):
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=tf.cast(inputs, self.compute_dtype), scale=_value(self.gamma), offset=_value(self.beta),
            mean=tf.zeros([0]), variance=tf.zeros([0]), epsilon=self.epsilon, is_training=True)
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
        variance *= (count - 1) / count
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + new * (1 - self.momentum))
        return outputs


class FastPReLU(keras.layers.PReLU):
    """keras.layers.PReLU(shared_axes=[1, 2]) over maps [B, H, W, C]; the slopes stay float32."""

    def call(self, inputs):
        """relu(x) - slope relu(-x)."""
        if not _is_fast(inputs):
            return super().call(inputs)
        return prelu(inputs, tf.reshape(_value(self.alpha), [-1]))


@tf.custom_gradient
def prelu(inputs, slopes):
    """[B, H, W, C], float32 [C] -> [B, H, W, C], with gradients to both; at 0 they are 0, as Keras' are."""
    positive = tf.nn.relu(inputs)
    negative = positive - inputs
    outputs = positive - _affine(negative, slopes)

    def gradient(upstream):
        scaled, to_slopes = _affine_gradients(upstream, negative, slopes)
        passed = tf.raw_ops.ReluGrad(gradients=upstream, features=positive)
        return passed + tf.raw_ops.ReluGrad(gradients=scaled, features=negative), -to_slopes

    return outputs, gradient


def _affine(x, factors):
    """[B, H, W, C] times [C]: batch normalization with mean 0 and variance 1, not computed but given."""
    zeros, ones = tf.zeros_like(factors), tf.ones_like(factors)
    return tf.raw_ops.FusedBatchNormV3(
        x=x, scale=factors, offset=zeros, mean=zeros, variance=ones, epsilon=0.0, is_training=False)[0]


def _affine_gradients(upstream, x, factors):
    """Gradients of `_affine` to x and (float32) to the factors."""
    zeros, ones = tf.zeros_like(factors), tf.ones_like(factors)
    return tf.raw_ops.FusedBatchNormGradV3(
        y_backprop=upstream, x=x, scale=factors, reserve_space_1=zeros, reserve_space_2=ones, reserve_space_3=zeros,
        epsilon=0.0, is_training=False)[:2]


def _is_fast(inputs):
    return len(inputs.shape) == 4 and inputs.shape[-1] % BLOCK == 0 and inputs.dtype != tf.float64


def _value(variable):
    """A variable in its own float32, past the autocast of a mixed policy."""
    return tf.cast(tf.convert_to_tensor(variable.value), tf.float32)
