"""AM-Softmax, also known as CosFace."""

from dataclasses import dataclass
from typing import ClassVar

from losses.backend import ops
from losses.margin import Margined


@dataclass(frozen=True)
class AMSoftmax(Margined):
    """Target logit scale (cos - margin), the others scale cos."""

    scale: float | str = 30.0
    """Multiplies every cosine, above 0 (s in the paper); "adaptive" takes it from the number of classes."""
    margin: float = 0.35
    """Taken from the target cosine, in [0, 2) (m in the paper); it ramps with `margin_share`."""
    easy: bool = False
    """Margin only where the target cosine is above 0 (the loss-search repository's flag)."""
    paper: ClassVar[str] = "Wang et al. 2018, arXiv:1801.05599; Wang et al. 2018, arXiv:1801.09414 (CosFace)"

    def lowered(self, cosine):
        """Cosine less margin, of a number."""
        return cosine - self.margin

    def target(self, target, context):
        """Cosine less margin."""
        lowered = target - self.margin_of(context)
        if not self.easy:
            return lowered
        return ops.where(target > 0, lowered, target)
