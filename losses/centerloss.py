"""Center loss: softmax, and every embedding is drawn to the mean of its class."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from base.checks import require
from losses.backend import ops
from losses.softmax import Softmax


@dataclass(frozen=True)
class CenterLoss(Softmax):
    """Softmax with bias, plus weight |x - c|^2 / 2 with c the mean embedding of the target's class so far.

    The class means have no gradient; a step moves those of its batch: c <- c - rate sum(c - x) / (1 + n) over the n
    crops of the class in the global batch. The loss is taken before they move. The paper sums over the batch, here
    as in its Caffe layer it is the mean. The means are state of C x D numbers.
    """

    weight: float = 0.003
    """Of the second term, 0 or more (lambda in the paper)."""
    rate: float = 0.5
    """How far the means move, in [0, 1] (alpha in the paper)."""
    asks: ClassVar[tuple] = ("embeddings",)
    paper: ClassVar[str] = "Wen, Zhang, Li, Qiao 2016, ECCV, A Discriminative Feature Learning Approach"

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.weight < float("inf"), "weight", self.weight, "a finite number, 0 or more")
        require(0 <= self.rate <= 1, "rate", self.rate, "in [0, 1]")

    def first_state(self, facts, dim):
        """The class means start at 0."""
        return {"means": np.zeros((facts.num_classes, dim))}

    def update(self, state, batch, context):
        """Moves the means of the batch's classes."""
        means, classes = state["means"], state["means"].shape[0]
        counts = ops.segment_sum(ops.ones_like(batch.norms), batch.labels, num_segments=classes)[:, None]
        sums = ops.segment_sum(batch.embeddings, batch.labels, num_segments=classes)
        return {"means": means - self.rate * (counts * means - sums) / (1 + counts)}

    def extra(self, context):
        """The second term, with the means before this step."""
        away = context.embeddings - ops.take(context.previous["means"], context.labels, axis=0)
        return self.weight * ops.sum(away * away, axis=1) / 2
