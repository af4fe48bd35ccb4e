"""The combined margin: multiplied, added and subtracted at once."""

import math
from dataclasses import dataclass
from typing import ClassVar

from base.checks import require
from losses.scale import Scaled


@dataclass(frozen=True)
class Combined(Scaled):
    """Target logit scale (cos(multiply theta + add) - subtract), all three in force; no treatment beyond pi.

    (1, 0, 0) is NormFace, (1, 0.5, 0) ArcFace's plain variant, (1, 0, 0.35) AM-Softmax; the paper also names
    (0.9, 0.4, 0.15). Each ramps from no margin with `margin_share`.
    """

    scale: float | str = 64.0
    """Multiplies every cosine, above 0 (s in the paper); "adaptive" takes it from the number of classes."""
    multiply: float = 1.0
    """What the angle is multiplied by, in (0, 2) (m1)."""
    add: float = 0.3
    """Added to the angle, in radians, in [0, pi/2) (m2)."""
    subtract: float = 0.2
    """Taken from the cosine, in [0, 2) (m3)."""
    paper: ClassVar[str] = "Deng et al. 2019, arXiv:1801.07698, equation 4"

    def __post_init__(self):
        super().__post_init__()
        require(0 < self.multiply < 2, "multiply", self.multiply, "a factor in (0, 2)")
        require(0 <= self.add < math.pi / 2, "add", self.add, "an angle in [0, pi/2) radians")
        require(0 <= self.subtract < 2, "subtract", self.subtract, "a difference of cosines in [0, 2)")

    def lowered(self, cosine):
        """The target's cosine with all three, of a number."""
        return math.cos(self.multiply * math.acos(cosine) + self.add) - self.subtract

    def target(self, target, context):
        """cos(multiply theta + add) - subtract."""
        from losses.angle import angle, cos, turned

        share = context.margin_share
        if self.multiply == 1:
            return turned(target, self.add * share) - self.subtract * share
        factor = 1 + (self.multiply - 1) * share
        return cos(factor * angle(target) + self.add * share) - self.subtract * share
