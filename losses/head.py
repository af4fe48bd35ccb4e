"""The one Keras layer of every loss: rows for a training step of one's own, a call for plain `model.fit`."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from base.checks import require
from losses.classifier import Classifier, at_least_float32, norms, wide_type
from losses.loss import Context
from losses.reduce import largest_other, log_sum_exp_others, part, target_of
from losses.registry import build, describe


class Rows(NamedTuple):
    """One number a row, float32 at least; all but `loss` are measurements without gradient.

    A named tuple, so that traced functions of every backend can return it.
    """

    loss: Any
    """[B]; NaN where the label is out of range."""
    target_cosine: Any
    """[B], cosine between an embedding and its target's center, also where the loss takes inner products."""
    correct: Any
    """[B], 1 where the target has the largest similarity, margin left out, else 0; a tie counts as 0."""
    norm: Any
    """[B], the embedding's norm."""


def row_losses(loss, parts, context):
    """The loss of each row [B] from the similarities of all classes, given in one part or several."""
    scale, target = loss.scaling(context), target_of(parts)
    column = ops.expand_dims(target, 1)
    logits = [each.map(lambda values: scale * loss.others(values, column[:, 0], context)) for each in parts]
    target_logit = ops.reshape(scale * ops.expand_dims(loss.target(target, context), 1), (-1,))
    return loss.finish(target_logit, log_sum_exp_others(logits), context) + loss.extra(context)


@keras.saving.register_keras_serializable(package="losses")
class Head(keras.layers.Layer):
    """Classifier and loss: `Head(AMSoftmax(scale=30, margin=0.35), num_classes=10_572)`.

    In plain Keras the labels are a second input of the model: `head(embeddings, labels)` adds the mean loss and
    returns logits [B, C] without margin; `head.margin_share.assign(...)` in a callback ramps the margin. An engine
    calls `rows`. Whatever the global policy is, the head computes in float32 at least (float64 stays float64).

    Args:
        loss: a `losses.loss.Loss`.
        num_classes: C.
        seed: of the first centers.
        dtype: of the variables, "float32" or "float64".
    """

    def __init__(self, loss, num_classes, *, seed=0, name="head", dtype="float32", **kwargs):
        super().__init__(name=name, dtype=dtype, autocast=False, **kwargs)
        require(self.dtype_policy.name in ("float32", "float64"), "head dtype", dtype, "'float32' or 'float64'")
        self.loss, self.num_classes, self.seed = loss, int(num_classes), seed
        self.classifier = Classifier(loss, num_classes, seed=seed, dtype=dtype, name="classifier")

    def build(self, embeddings_shape, labels_shape=None):
        """Makes the variables for embeddings [B, D]."""
        self.classifier.build(embeddings_shape)
        self.margin_share = self.add_weight(name="margin_share", shape=(), initializer="ones", trainable=False)
        self.built = True

    @property
    def decayed(self):
        """The variables that weight decay applies to: centers, neither bias nor scalars."""
        return [self.classifier.centers]

    def rows(self, embeddings, labels, *, margin_share=1.0, step=0, training=True):
        """[B, D], integers [B] -> Rows.

        `margin_share` in [0, 1] and `step` may be 0-d tensors: a changed value does not retrace. ValueError where
        labels are no integers, or out of range and visible (eager); in a graph such a row's loss is NaN.
        """
        if not self.built:
            self.build(tuple(embeddings.shape))
        return self._rows(embeddings, labels, margin_share=margin_share, step=step, training=training)[0]

    def call(self, embeddings, labels, training=None):
        """[B, D], integers [B] or [B, 1] -> logits [B, C] without margin; adds the mean loss to the model's."""
        rows, logits = self._rows(
            embeddings, labels, margin_share=self.margin_share, step=0, training=bool(training))
        self.add_loss(ops.mean(rows.loss))
        return logits

    def compute_output_spec(self, embeddings, labels, training=None):
        """[B, C]."""
        return keras.KerasTensor((embeddings.shape[0], self.num_classes), dtype=wide_type(embeddings.dtype))

    def get_config(self):
        """The loss by its registered name and parameters, classes and seed."""
        name, params = describe(self.loss)
        return {**super().get_config(), "loss": {"name": name, "params": params}, "num_classes": self.num_classes,
                "seed": self.seed}

    @classmethod
    def from_config(cls, config):
        """Rebuilds what `get_config` described."""
        config = dict(config)
        loss = config.pop("loss")
        return cls(build(loss["name"], loss["params"]), **config)

    def _rows(self, embeddings, labels, *, margin_share, step, training):
        embeddings = at_least_float32(embeddings)
        labels, is_valid = checked_labels(labels, self.num_classes)
        lengths = norms(embeddings)
        context = Context(labels=labels, norms=lengths[:, 0], step=step, training=training,
                          margin_share=ops.cast(margin_share, embeddings.dtype))
        similarity = self.classifier(embeddings)
        parts = [part(similarity, labels)]
        loss = ops.where(is_valid, row_losses(self.loss, parts, context), float("nan"))
        target = target_of(parts)
        is_correct = ops.cast(target > largest_other(parts), loss.dtype)
        measured = map(ops.stop_gradient, (self._cosine(target, context), is_correct, context.norms))
        return Rows(loss, *measured), self.loss.scaling(context) * similarity

    def _cosine(self, target, context):
        """Brings the target's similarity [B] to a cosine, whatever the loss multiplies."""
        if self.loss.has_bias:
            target = target - ops.take(ops.cast(self.classifier.bias, target.dtype), context.labels)
        divisor = ops.ones_like(target)
        if not self.loss.unit_embeddings:
            divisor = divisor * context.norms
        if not self.loss.unit_centers:
            centers = ops.take(ops.cast(self.classifier.centers, target.dtype), context.labels, axis=0)
            divisor = divisor * norms(centers)[:, 0]
        return ops.where(divisor > 0, target / ops.where(divisor > 0, divisor, 1.0), 0.0)


def checked_labels(labels, num_classes):
    """Integers [B] or [B, 1] of any integer type -> (int32 [B] clipped to 0..C-1, bool [B] in range).

    ValueError where they are no integers, or where values out of range can be seen.
    """
    labels = ops.convert_to_tensor(labels)
    kind = keras.backend.standardize_dtype(labels.dtype)
    require("int" in kind, "labels' type", kind, "an integer type")
    if len(labels.shape) == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    require(len(labels.shape) == 1, "labels' shape", tuple(labels.shape), "[B]")
    visible = _visible(labels)
    if visible is not None and visible.size:
        wrong = visible[(visible < 0) | (visible >= num_classes)]
        require(wrong.size == 0, "label", int(wrong[0]) if wrong.size else None, f"in 0..{num_classes - 1}")
    is_valid = ops.logical_and(labels >= 0, labels < num_classes)
    return ops.cast(ops.where(is_valid, labels, ops.zeros_like(labels)), "int32"), is_valid


def _visible(tensor):
    """The values of an eager tensor, or None within a graph or a trace."""
    if isinstance(tensor, keras.KerasTensor):
        return None
    try:
        return np.asarray(tensor)
    except (NotImplementedError, TypeError):          # TensorFlow's graphs and JAX's tracers say so in this way
        return None
