"""AM-Softmax, also known as CosFace."""

from dataclasses import dataclass
from typing import ClassVar

from base.checks import require
from losses.loss import Loss


@dataclass(frozen=True)
class AMSoftmax(Loss):
    """Target logit scale (cos - margin), the others scale cos."""

    scale: float = 30.0
    """Multiplies every cosine, above 0 (s in the paper)."""
    margin: float = 0.35
    """Taken from the target cosine, in [0, 2) (m in the paper); it ramps with `margin_share`."""
    easy: bool = False
    """Margin only where the target cosine is above 0 (the loss-search repository's flag)."""
    paper: ClassVar[str] = "Wang et al. 2018, arXiv:1801.05599; Wang et al. 2018, arXiv:1801.09414 (CosFace)"

    def __post_init__(self):
        require(0 < self.scale < float("inf"), "scale", self.scale, "a finite number above 0")
        require(0 <= self.margin < 2, "margin", self.margin, "a difference of cosines in [0, 2)")

    def scaling(self, context):
        """The fixed scale."""
        return self.scale

    def target(self, target, context):
        """Cosine less margin."""
        lowered = target - self.margin * context.margin_share
        if not self.easy:
            return lowered
        from keras import ops

        return ops.where(target > 0, lowered, target)
