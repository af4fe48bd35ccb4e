"""The one Keras layer of every loss: rows for a training step of one's own, a call for plain `model.fit`."""

import warnings
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from base.checks import require
from losses.backend import like
from losses.classifier import Classifier, constant
from losses.given import check_finite, check_shapes, checked_labels
from losses.loss import Context, Facts, Loss
from losses.margin import margins_of
from losses.reduce import Part, target_of
from losses.registry import build, describe
from losses.rows import plain_logits, row_losses, updated
from losses.vectors import at_least_float32, norms, wide_type


class Rows(NamedTuple):
    """One number a row, float32 at least; all but `loss` are measurements without gradient.

    A named tuple, so that traced functions of every backend can return it.
    """

    loss: Any
    """[B]; NaN where the label is out of range."""
    target_cosine: Any
    """[B], cosine between an embedding and its target's nearest center, also where the loss takes inner products."""
    correct: Any
    """[B], 1 where the target has the largest logit, margin left out, else 0; a tie counts as 0."""
    norm: Any
    """[B], the embedding's norm."""
    state: dict
    """New state by name, for `Head.state`; empty where the loss has none or where this is no training."""


@keras.saving.register_keras_serializable(package="losses")
class Head(keras.layers.Layer):
    """Classifier and loss: `Head(AMSoftmax(scale=30, margin=0.35), num_classes=10_572)`.

    In plain Keras the labels are a second input of the model: `head(embeddings, labels)` adds the mean loss and
    returns logits [B, C] without margin; `head.margin_share.assign(...)` in a callback ramps the margin. An engine
    calls `rows`. Whatever the global policy is, the head computes in float32 at least (float64 stays float64).

    Args:
        loss: a `losses.loss.Loss`.
        num_classes: C.
        counts: crops of each class [C], where the loss takes margins from them.
        margins: a margin for each class [C], where the loss has class_margins "given".
        epoch_steps: steps of an epoch, for losses that draw something anew each epoch.
        seed: of the first centers and of random draws.
        dtype: of the variables, "float32" or "float64".

    Attributes:
        state: {name: variable} of what the loss remembers; `rows` returns new values, `call` assigns them.

    Raises:
        ValueError: a loss over pairs, or a loss that needs counts, margins or epoch_steps that are not given.

    Warns where `advice` is not empty.
    """

    def __init__(self, loss, num_classes, *, counts=None, margins=None, epoch_steps=0, seed=0, name="head",
                 dtype="float32", **kwargs):
        super().__init__(name=name, dtype=dtype, autocast=False, **kwargs)
        require(self.dtype_policy.name in ("float32", "float64"), "head dtype", dtype, "'float32' or 'float64'")
        require(isinstance(num_classes, int | np.integer) and num_classes >= 1, "num_classes", num_classes,
                "an integer of at least 1")
        require(isinstance(loss, Loss), "loss of a head", loss,
                "one with a classifier, such as losses.ArcFace() (a loss over pairs goes into losses.PairHead)")
        self.loss, self.num_classes = loss, int(num_classes)
        self.facts = Facts(self.num_classes, counts, margins, int(epoch_steps), seed)
        self.resolved = loss.resolved(self.facts)
        self._margins = margins_of(self.resolved, self.facts)
        self.classifier = Classifier(self.resolved, self.facts, dtype=dtype, name="classifier")
        if self.advice:
            warnings.warn(self.advice, stacklevel=2)

    def build(self, embeddings_shape, labels_shape=None):
        """Makes the variables for embeddings [B, D]; ValueError for another shape, such as labels given first."""
        require(len(embeddings_shape) == 2, "embeddings' shape", tuple(embeddings_shape), "[B, D]")
        self.classifier.build(embeddings_shape)
        self.margin_share = self.add_weight(name="margin_share", shape=(), initializer="ones", trainable=False)
        self.step = self.add_weight(name="step", shape=(), initializer="zeros", trainable=False, dtype="int32")
        self.state = {
            name: self.add_weight(name=name, shape=np.shape(first), initializer=constant(first), trainable=False)
            for name, first in self.resolved.first_state(self.facts, embeddings_shape[-1]).items()}
        self.built = True

    @property
    def advice(self):
        """A sentence about settings that are allowed and likely harmful, else ""."""
        return self.resolved.advice(self.facts)

    @property
    def decayed(self):
        """The variables that weight decay applies to: centers, neither bias nor scalars."""
        return [self.classifier.centers]

    @property
    def not_decayed(self):
        """The other trained variables, for `optimizer.exclude_from_weight_decay` of plain Keras."""
        return [variable for variable in self.trainable_variables if variable is not self.classifier.centers]

    def rows(self, embeddings, labels, *, margin_share=1.0, step=0, g=None, gather=None, training=True):
        """[B, D], integers [B] -> Rows.

        Args:
            embeddings: [B, D].
            labels: integers [B].
            margin_share: in [0, 1]; it and `step` may be 0-d tensors: a changed value does not retrace.
            step: steps done before this one.
            g: running numbers of the crops, int32 [B, 2] (low and high word); default: place and step.
            gather: a function that joins [B, ...] of all replicas to [G, ...]; default: there is one replica.
            training: False leaves the state alone and draws nothing.

        Raises:
            ValueError: shapes do not fit, labels are no integers, or margin_share is a plain number out of range; a
                label out of range or an embedding that is not finite, where values can be seen (eager). In a graph
                such a row's loss is NaN, and the state stays what it was.
        """
        require(not isinstance(margin_share, int | float) or 0 <= margin_share <= 1, "margin_share", margin_share,
                "in [0, 1]")
        if not self.built:
            self.build(tuple(embeddings.shape))
        return self._rows(embeddings, labels, margin_share=margin_share, step=step, g=g, gather=gather,
                          training=training)[0]

    def call(self, embeddings, labels, training=None):
        """[B, D], integers [B] or [B, 1] -> logits [B, C] without margin; adds the mean loss to the model's."""
        rows, whole, context = self._rows(embeddings, labels, margin_share=self.margin_share, step=self.step, g=None,
                                          gather=None, training=bool(training))
        self.add_loss(ops.mean(rows.loss))
        if training:
            self.step.assign(self.step + 1)
            for name in self.state if self.resolved.asks else ():
                self.state[name].assign(ops.cast(rows.state[name], self.state[name].dtype))
        return plain_logits(self.resolved, whole, context)

    def compute_output_spec(self, embeddings, labels, training=None):
        """[B, C]."""
        return keras.KerasTensor((embeddings.shape[0], self.num_classes), dtype=wide_type(embeddings.dtype))

    def get_config(self):
        """The loss by its registered name and parameters, classes and what is known of them, seed."""
        name, params = describe(self.loss)
        facts = self.facts
        lists = {key: None if value is None else np.asarray(value).tolist()
                 for key, value in (("counts", facts.counts), ("margins", facts.margins))}
        return {**super().get_config(), "loss": {"name": name, "params": params}, "num_classes": self.num_classes,
                **lists, "epoch_steps": facts.epoch_steps, "seed": facts.seed}

    @classmethod
    def from_config(cls, config):
        """Rebuilds what `get_config` described."""
        config = dict(config)
        loss = config.pop("loss")
        return cls(build(loss["name"], loss["params"]), **config)

    def _rows(self, embeddings, labels, *, margin_share, step, g, gather, training):
        embeddings = at_least_float32(embeddings)
        labels, is_valid = checked_labels(labels, self.num_classes)
        check_shapes(embeddings, labels, self.classifier.centers.shape[1])
        check_finite(embeddings)
        bias = self.classifier.bias
        whole = Part(self.classifier(embeddings), labels, bias=None if bias is None else _like(bias, embeddings))
        context = self._context(embeddings, labels, margin_share=_like(margin_share, embeddings), step=step,
                                g=_numbers(embeddings, step) if g is None else g, training=training)
        if training and self.resolved.asks:
            context = updated(self.resolved, [whole], context, gather or _alone, is_valid=is_valid)
        losses, is_correct = row_losses(self.resolved, [whole], context)
        measured = (self._cosine(whole, embeddings, labels), ops.cast(is_correct, losses.dtype), context.norms)
        rows = Rows(ops.where(is_valid, losses, float("nan")), *map(ops.stop_gradient, measured),
                    context.state if training else {})
        return rows, whole, context

    def _context(self, embeddings, labels, **live):
        state = {name: _like(variable, embeddings) for name, variable in self.state.items()}
        margins = None if self._margins is None else ops.take(
            ops.convert_to_tensor(self._margins, dtype=embeddings.dtype), labels)
        scalars = {name: _like(variable, embeddings) for name, variable in self.classifier.scalars.items()}
        return Context(labels=labels, norms=norms(embeddings)[:, 0], embeddings=embeddings, facts=self.facts,
                       margins=margins, scalars=scalars, state=state, previous=state, **live)

    def _cosine(self, whole, embeddings, labels):
        if self.resolved.similarity == "cosine":
            return target_of([whole])
        return self.classifier.target_cosine(ops.stop_gradient(embeddings), labels)


def _numbers(embeddings, step):
    """Running numbers of rows that nobody numbered: int32 [B, 2], place in the batch and step."""
    places = ops.arange(ops.shape(embeddings)[0], dtype="int32")
    return ops.stack([places, ops.zeros_like(places) + ops.cast(step, "int32")], axis=1)


def _alone(tensor):
    return tensor


def _like(value, embeddings):
    return like(value, embeddings) if isinstance(value, int | float) else ops.cast(value, embeddings.dtype)


