"""The classifier: it owns centers and bias; the mathematics takes them as arguments, at least in float32."""

import keras
import numpy as np
from keras import ops

from base.mix import mix
from losses.backend import like
from losses.vectors import at_least_float32, norms, unit

_DRAWN_ROWS = 64


def similarities(embeddings, centers, *, loss):
    """[B, D], [c K, D] -> [B, c], as `loss` says: which sides are unit vectors, K sub-centers; one float type."""
    left = unit(embeddings) if loss.unit_embeddings else embeddings
    product = by_unit_centers(left, centers) if loss.unit_centers else ops.einsum("bd,cd->bc", left, centers)
    return product if loss.sub_centers == 1 else nearest(product, loss.sub_centers)


@ops.custom_gradient
def by_unit_centers(left, centers):
    """[B, D], [c, D] -> [B, c], products with the centers' unit vectors.

    The norms go into the products, and the gradient is written out: no normalised copy of the centers is made, which
    would be the largest array of a training step three times over.
    """
    length = norms(centers)[:, 0]
    is_zero = ops.equal(length, 0.0)
    inverse = ops.where(is_zero, 0.0, 1 / ops.where(is_zero, 1.0, length))
    product = ops.einsum("bd,cd->bc", left, centers) * inverse

    def gradient(*upstream, **_):
        scaled = upstream[-1] * inverse
        along = ops.sum(scaled * product, axis=0) * inverse   # what changes the length alone
        return (ops.einsum("bc,cd->bd", scaled, centers),
                ops.einsum("bc,bd->cd", scaled, left) - ops.expand_dims(along, 1) * centers)

    return product, gradient


def nearest(products, count):
    """[B, c K] -> [B, c], the largest of each class's K; of equal ones the first alone gets the gradient."""
    grouped = ops.reshape(products, (-1, products.shape[1] // count, count))
    winner = ops.expand_dims(ops.argmax(grouped, axis=2), 2)
    return ops.take_along_axis(grouped, winner, axis=2)[:, :, 0]


def center_rows(seed, first, *, count, dim, scheme, dtype="float64"):
    """Draws center rows first..first + count - 1, [count, dim], each a function of (seed, row) alone.

    So they are equal however the rows are divided over devices. `scheme`: "normal" is N(0, 0.01) (deviation 0.01),
    a number is the half-width of a uniform distribution about 0.
    """
    rows = np.empty((count, dim), dtype)
    for start in range(0, count, _DRAWN_ROWS):        # the draw itself takes 40 times a row's memory
        some = rows[start:start + _DRAWN_ROWS]
        some[...] = _drawn(seed, first + start, count=len(some), dim=dim, scheme=scheme)
    return rows


def _drawn(seed, first, *, count, dim, scheme):
    words = -(-2 * dim // 4) * 4                      # Philox counts in fours
    bits = np.random.Philox(mix(seed, "centers"))
    bits.advance(first * words // 4)
    raw = bits.random_raw(count * words).reshape(count, words)
    uniform = ((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    left, right = uniform[:, :dim], uniform[:, dim:2 * dim]
    if scheme == "normal":
        return 0.01 * np.sqrt(-2 * np.log(left)) * np.cos(2 * np.pi * right)
    return scheme * (2 * left - 1)


def constant(first):
    """An initializer that gives the number or array `first`; Keras' own rounds it to float32 first."""
    def initializer(shape, dtype=None):
        return ops.convert_to_tensor(np.broadcast_to(np.asarray(first), shape).astype(dtype), dtype=dtype)

    return initializer


class AtLeast(keras.constraints.Constraint):
    """Keeps a trained number at a least value after every update."""

    def __init__(self, least):
        self.least = least

    def __call__(self, value):
        """The new value, raised where it is lower."""
        return ops.maximum(value, like(self.least, value))


class Classifier(keras.layers.Layer):
    """Owns `centers` [C K, D] (row = class K + sub-center), `bias` [C] and `scalars`; never lower than float32.

    Cosine centers start as N(0, 0.01), inner-product ones Glorot-uniform, biases at 0, scalars as the loss says.

    Args:
        loss: a resolved loss.
        facts: losses.loss.Facts.
        dtype: of the variables.
    """

    def __init__(self, loss, facts, *, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, autocast=False, **kwargs)
        self.loss, self.facts = loss, facts

    def build(self, embeddings_shape):
        """Makes the variables for embeddings [B, D]."""
        dim, num_classes = embeddings_shape[-1], self.facts.num_classes
        glorot = float(np.sqrt(6 / (dim + num_classes)))
        scheme = "normal" if self.loss.similarity == "cosine" else glorot

        def draw(shape, dtype=None):
            return ops.convert_to_tensor(center_rows(
                self.facts.seed, 0, count=shape[0], dim=shape[1], scheme=scheme, dtype=dtype), dtype=dtype)

        self.centers = self.add_weight(
            name="centers", shape=(num_classes * self.loss.sub_centers, dim), initializer=draw)
        self.bias = (self.add_weight(name="bias", shape=(num_classes,), initializer="zeros")
                     if self.loss.has_bias else None)
        self.scalars = {
            name: self.add_weight(name=name, shape=(), initializer=constant(first), constraint=AtLeast(least))
            for name, (first, least) in self.loss.scalars(self.facts).items()}
        self.built = True

    def call(self, embeddings):
        """[B, D] -> similarities [B, C] in the wider of float32 and the embeddings' type."""
        embeddings = at_least_float32(embeddings)
        return similarities(embeddings, ops.cast(self.centers, embeddings.dtype), loss=self.loss)

    def target_cosine(self, embeddings, labels):
        """[B, D], int32 [B] -> [B], cosine with the nearest center of the target, whatever the loss multiplies."""
        count = self.loss.sub_centers
        rows = ops.expand_dims(labels, 1) * count + ops.expand_dims(ops.arange(count, dtype="int32"), 0)
        centers = ops.cast(ops.take(self.centers, ops.reshape(rows, (-1,)), axis=0), embeddings.dtype)
        centers = ops.reshape(unit(centers), (-1, count, embeddings.shape[1]))
        return ops.max(ops.sum(centers * ops.expand_dims(unit(embeddings), 1), axis=2), axis=1)

    def compute_output_shape(self, embeddings_shape):
        """[B, C]."""
        return (embeddings_shape[0], self.facts.num_classes)
