"""AdaCos: the scale follows from the number of classes, or from every batch."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from base.checks import require
from losses.angle import angle, cos
from losses.backend import like, mean, ops
from losses.loss import Loss
from losses.scale import adaptive_scale

MEDIANS = ("lower", "mean")


@dataclass(frozen=True)
class AdaCos(Loss):
    """Logits s cos without margin; s starts at sqrt(2) ln(C - 1).

    In training s becomes ln B / cos(min(pi/4, theta)) before the logits: B is the mean over the global batch of the
    others' sum of e^(s cos) at the s before, theta the median of the target angles. No gradient goes through s.
    """

    dynamic: bool = True
    """False keeps the first scale."""
    median: str = "lower"
    """Of an even number of angles: lower, the smaller of the middle two (as in PyTorch); mean, their mean."""
    paper: ClassVar[str] = "Zhang, Zhao, Qiao, Wang, Li 2019, arXiv:1905.00292"

    def __post_init__(self):
        super().__post_init__()
        require(self.median in MEDIANS, "median", self.median, f"one of {', '.join(MEDIANS)}")

    @property
    def asks(self):
        """The batch's sums, where the scale follows them."""
        return ("rest",) if self.dynamic else ()

    def resolved(self, facts):
        """Itself, where there are classes enough for a scale."""
        adaptive_scale(facts.num_classes)
        return self

    def first_state(self, facts, dim):
        """The scale from the number of classes."""
        return {"scale": np.array(adaptive_scale(facts.num_classes))}

    def scaling(self, context):
        """The scale of this step."""
        return context.state["scale"]

    def update(self, state, batch, context):
        """The scale from the batch."""
        count = ops.shape(batch.target)[0]
        peak = ops.max(batch.rest)
        average = peak + ops.log(mean(ops.exp(batch.rest - peak)))
        angles = ops.sort(angle(batch.target))
        middle = ops.take(angles, (count - 1) // 2)
        if self.median == "mean":
            middle = (middle + ops.take(angles, count // 2)) / 2
        return {"scale": ops.maximum(average / cos(ops.minimum(middle, like(math.pi / 4, middle))), 1)}
