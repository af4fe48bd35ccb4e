"""The Keras layer of the losses over pairs of a batch, which need no classifier."""

import keras
from keras import ops

from base.checks import require
from losses.given import check_finite, check_shapes, checked_labels
from losses.loss import PairLoss
from losses.registry import build, describe
from losses.vectors import at_least_float32


@keras.saving.register_keras_serializable(package="losses")
class PairHead(keras.layers.Layer):
    """Trains with a loss over pairs: `PairHead(Triplet())(embeddings, labels)` adds the loss, returns the embeddings.

    A batch has to hold several crops of a person; labels are any integers of at least 0. On several devices each
    pairs its own crops.
    """

    def __init__(self, loss, *, name="pair_head", **kwargs):
        super().__init__(name=name, autocast=False, dtype="float32", **kwargs)
        require(isinstance(loss, PairLoss), "loss of a pair head", loss,
                "one over pairs (a loss with a classifier goes into losses.Head)")
        self.loss = loss

    def call(self, embeddings, labels):
        """[B, D], integers [B] or [B, 1] -> the embeddings."""
        wide = at_least_float32(embeddings)
        labels, is_valid = checked_labels(labels, 2**31 - 1)
        check_shapes(wide, labels)
        check_finite(wide)
        self.add_loss(ops.where(ops.all(is_valid), self.loss(wide, labels), float("nan")))
        return embeddings

    def compute_output_spec(self, embeddings, labels):
        """[B, D]."""
        return keras.KerasTensor(embeddings.shape, dtype=embeddings.dtype)

    def get_config(self):
        """The loss by its registered name and parameters."""
        name, params = describe(self.loss)
        return {"name": self.name, "loss": {"name": name, "params": params}}

    @classmethod
    def from_config(cls, config):
        """Rebuilds what `get_config` described."""
        return cls(build(config["loss"]["name"], config["loss"]["params"]), name=config["name"])
