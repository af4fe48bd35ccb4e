"""Layers and small rules that networks of every family share."""

import keras
import numpy as np
from keras import ops

from base.mix import mix, scramble

PRELU_SLOPE = 0.25


def channels(full, width):
    """Channels at a width: nearest multiple of 8, at least 8, and not below 90 % of `full` * `width`."""
    exact = full * width
    rounded = max(8, int(exact / 8 + 0.5) * 8)
    return rounded + 8 if rounded < 0.9 * exact else rounded


def layer_seed(seed, name):
    """Seed of one layer's initialiser, in [0, 2**31): a function of the network's seed and the layer's name."""
    return mix(seed, "weights", name) % 2**31


def symmetric_padding(shape):
    """((top, bottom), (left, right)) that centre a 3x3 stride-2 convolution on even rows of [H, W].

    One pixel each side, without those at the bottom and right that an even side never reads.
    """
    return tuple((1, side % 2) for side in shape)


def pixels(spec):
    """Returns (uint8 RGB input [B, H, W, 3], the same as (x - 127.5) / 128), the start of every network."""
    crops = keras.Input((*spec.template_shape, 3), dtype="uint8", name="crops")
    return crops, keras.layers.Rescaling(1 / 128, offset=-127.5 / 128, dtype=spec.dtype, name="pixels")(crops)


def flatten(x, crops, spec):
    """Returns (the model's inputs, the last map as a vector, with dropout where the spec has it)."""
    x = keras.layers.Flatten(dtype=spec.dtype, name="flatten")(x)
    if not spec.has_dropout:
        return crops, x
    inputs = {"crops": crops, "g": keras.Input((2,), dtype="int32", name="g")}
    return inputs, Dropout(spec.dropout, spec.seed, dtype=spec.dtype, name="dropout")(x, inputs["g"])


def prelu(x, name, spec):
    """PReLU, a slope a channel."""
    return (spec.activation or keras.layers.PReLU)(
        alpha_initializer=keras.initializers.Constant(PRELU_SLOPE), shared_axes=[1, 2], dtype=spec.dtype, name=name)(x)


def split(numbers):
    """Running numbers g, integers [B] -> int32 [B, 2]: their low and high 32 bits."""
    wide = np.asarray(numbers, np.int64)
    return np.stack([wide & 0xFFFFFFFF, wide >> 32], axis=-1).astype(np.uint32).view(np.int32)


@keras.saving.register_keras_serializable(package="models")
class Dropout(keras.layers.Layer):
    """Dropout whose mask is a pure function of (seed, g, position): no state, the same on every backend.

    g is the crop's running number, so the mask of a crop depends neither on its batch nor on its replica, and a run
    that is stopped and resumed meets the same masks.

    Args:
        rate: share of the positions that become 0, in [0, 1); the others are divided by 1 - rate.
        seed: integer.

    Call arguments: x [B, P] of any float type; g int32 [B, 2] from `split`; training (False: x comes back).
    """

    def __init__(self, rate, seed, **kwargs):
        super().__init__(**kwargs)
        self.rate, self.seed = rate, seed

    def build(self, x_shape, g_shape=None):
        """Hashes the positions once; they are constants of the graph, not variables."""
        key = np.uint32(mix(self.seed, "dropout") % 2**32)
        with np.errstate(over="ignore"):
            positions = np.arange(x_shape[-1], dtype=np.uint32) * np.uint32(0x9E3779B9) + key
        self._positions = scramble(positions, np)[None, :]

    def call(self, x, g, training=None):
        """Drops in training; see the class."""
        if not training or self.rate == 0:
            return x
        keep = self.mask(g)
        return ops.where(keep, x * (1 / (1 - self.rate)), ops.zeros((), dtype=x.dtype))

    def mask(self, g):
        """Running numbers int32 [B, 2] -> bool [B, P], True where a number is kept."""
        words = ops.cast(g, "uint32")
        low, high = words[:, :1], words[:, 1:]
        row = scramble(scramble(high, ops) + low, ops)
        mixed = scramble(ops.bitwise_xor(row, ops.convert_to_tensor(self._positions)), ops)
        return ops.greater_equal(mixed, ops.convert_to_tensor(np.uint32(round(self.rate * 2**32))))

    def compute_output_shape(self, x_shape, g_shape=None):
        """Same as x."""
        return x_shape

    def get_config(self):
        """Rate and seed."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
