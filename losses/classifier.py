"""The classifier: it owns centers and bias; the mathematics takes them as arguments, at least in float32."""

import keras
import numpy as np
from keras import ops

from base.checks import require
from base.mix import mix

LEAST_NORM = 1e-12
"""Vectors shorter than this have the unit vector 0, with gradient 0."""


def at_least_float32(x):
    """Raises half precision to float32; float64 stays."""
    x = ops.convert_to_tensor(x)
    return ops.cast(x, wide_type(x.dtype))


def wide_type(dtype):
    """The wider of float32 and `dtype` (Keras' own rule for it has no float64 on JAX)."""
    return "float64" if keras.backend.standardize_dtype(dtype) == "float64" else "float32"


def norms(x):
    """[N, D] -> [N, 1], lengths of the rows; 0 with gradient 0 below LEAST_NORM. NaN stays NaN."""
    squares = ops.sum(x * x, axis=1, keepdims=True)
    is_zero = squares < LEAST_NORM**2
    return ops.where(is_zero, 0.0, ops.sqrt(ops.where(is_zero, 1.0, squares)))


def unit(x):
    """[N, D] -> [N, D], rows divided by their lengths; 0 with gradient 0 where a row is shorter than LEAST_NORM."""
    length = norms(x)
    is_zero = ops.equal(length, 0.0)
    return ops.where(is_zero, 0.0, x / ops.where(is_zero, 1.0, length))


def similarities(embeddings, centers, *, loss, bias=None):
    """[B, D], [c, D], [c] -> [B, c], as `loss` says: which sides are unit vectors; both sides of one float type."""
    left = unit(embeddings) if loss.unit_embeddings else embeddings
    right = unit(centers) if loss.unit_centers else centers
    product = ops.matmul(left, ops.transpose(right))
    return product if bias is None else product + bias


def center_rows(seed, first, *, count, dim, scheme):
    """Draws center rows first..first + count - 1 as float64 [count, dim], each a function of (seed, row) alone.

    So they are equal however the rows are divided over devices. `scheme`: "normal" is N(0, 0.01) (deviation 0.01),
    a number is the half-width of a uniform distribution about 0.
    """
    words = -(-2 * dim // 4) * 4                      # Philox counts in fours
    bits = np.random.Philox(mix(seed, "centers"))
    bits.advance(first * words // 4)
    raw = bits.random_raw(count * words).reshape(count, words)
    uniform = ((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    left, right = uniform[:, :dim], uniform[:, dim:2 * dim]
    if scheme == "normal":
        return 0.01 * np.sqrt(-2 * np.log(left)) * np.cos(2 * np.pi * right)
    return scheme * (2 * left - 1)


@keras.saving.register_keras_serializable(package="losses")
class Classifier(keras.layers.Layer):
    """Owns `centers` [C, D] and, where the loss has one, `bias` [C]; never lower than float32.

    Cosine centers start as N(0, 0.01), inner-product ones Glorot-uniform, biases at 0.
    """

    def __init__(self, loss, num_classes, *, seed=0, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, autocast=False, **kwargs)
        require(int(num_classes) == num_classes and num_classes >= 1, "num_classes", num_classes, "at least 1")
        self.loss, self.num_classes, self.seed = loss, int(num_classes), seed

    def build(self, embeddings_shape):
        """Makes the variables for embeddings [B, D]."""
        dim = embeddings_shape[-1]
        glorot = float(np.sqrt(6 / (dim + self.num_classes)))
        scheme = "normal" if self.loss.similarity == "cosine" else glorot

        def draw(shape, dtype=None):
            return ops.convert_to_tensor(
                center_rows(self.seed, 0, count=shape[0], dim=shape[1], scheme=scheme).astype(dtype), dtype=dtype)

        self.centers = self.add_weight(name="centers", shape=(self.num_classes, dim), initializer=draw)
        self.bias = (self.add_weight(name="bias", shape=(self.num_classes,), initializer="zeros")
                     if self.loss.has_bias else None)
        self.built = True

    def call(self, embeddings):
        """[B, D] -> similarities [B, C] in the wider of float32 and the embeddings' type."""
        embeddings = at_least_float32(embeddings)
        bias = None if self.bias is None else ops.cast(self.bias, embeddings.dtype)
        return similarities(embeddings, ops.cast(self.centers, embeddings.dtype), loss=self.loss, bias=bias)

    def compute_output_shape(self, embeddings_shape):
        """[B, C]."""
        return (embeddings_shape[0], self.num_classes)
