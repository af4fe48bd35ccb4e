"""NormFace: softmax over cosines times a scale."""

import math
from dataclasses import dataclass
from typing import ClassVar

from base.checks import require
from losses.scale import LEAST, Scaled, check_scale


def lower_bound(num_classes, scale):
    """Least mean loss over C balanced classes at a scale: ln(1 + (C - 1) e^(-s C / (C - 1))) (proposition 2).

    A scale so small that this stays high cannot be learned with: 8.27 for 10,575 classes at scale 1. At least two
    classes, a finite scale above 0.
    """
    require(num_classes >= 2, "number of classes", num_classes, "at least 2")
    check_scale(scale)
    others = num_classes - 1
    return math.log1p(others * math.exp(-scale * num_classes / others))


@dataclass(frozen=True)
class NormFace(Scaled):
    """Logits scale cos; no margin. A trained scale starts at `scale`, and is 0.01 or more there and later."""

    scale: float | str = 30.0
    """Multiplies every cosine, above 0 (s in the paper); "adaptive" takes it from the number of classes."""
    trained: bool = False
    """The scale is trained; train.py leaves it out of weight decay."""
    paper: ClassVar[str] = "Wang, Xiang, Cheng, Yuille 2017, arXiv:1704.06369"

    def __post_init__(self):
        super().__post_init__()
        require(not self.trained or self.scale == "adaptive" or self.scale >= LEAST, "scale", self.scale,
                f"at least {LEAST} where it is trained")

    def scalars(self, facts):
        """The scale, where it is trained."""
        return {"scale": (self.scale, LEAST)} if self.trained else {}

    def scaling(self, context):
        """The fixed or the trained scale."""
        return context.scalars["scale"] if self.trained else self.scale
