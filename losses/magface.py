"""MagFace: the margin grows with the embedding's length, which so becomes a measure of quality."""

import math
from dataclasses import dataclass
from typing import ClassVar

from base.checks import require
from losses.arcface import with_angle
from losses.backend import like, ops
from losses.scale import Scaled


@dataclass(frozen=True)
class MagFace(Scaled):
    """Target logit scale cos(theta + m(a)) with a the length cut to a range, plus weight (a / high^2 + 1 / a).

    m(a) is linear. Nothing is detached: the gradient goes through the length, but for lengths that are cut.
    """

    scale: float | str = 64.0
    """Multiplies every cosine, above 0 (s in the paper); "adaptive" takes it from the number of classes."""
    low: float = 10.0
    """Shortest length told apart, above 0 (l_a in the paper)."""
    high: float = 110.0
    """Longest, above low (u_a)."""
    margin_low: float = 0.45
    """Margin at the shortest, in [0, pi/2) radians (l_m)."""
    margin_high: float = 0.8
    """Margin at the longest, in [0, pi/2) radians (u_m); both ramp with `margin_share`."""
    weight: float = 35.0
    """Of the term that draws lengths out, 0 or more (lambda_g); the paper has a bound for it."""
    easy: bool = True
    """Margin only where the target cosine is above 0 (the authors' code); false: monotone as in ArcFace."""
    paper: ClassVar[str] = "Meng, Zhao, Huang, Zhou 2021, arXiv:2103.06627"

    def __post_init__(self):
        super().__post_init__()
        require(0 < self.low < self.high < math.inf, "low and high", (self.low, self.high), "rising lengths above 0")
        require(0 <= self.margin_low <= self.margin_high < math.pi / 2, "margin_low and margin_high",
                (self.margin_low, self.margin_high), "rising angles in [0, pi/2) radians")
        require(0 <= self.weight < math.inf, "weight", self.weight, "a finite number, 0 or more")

    def bound(self):
        """Weight above which each crop has one best length: scale K high^2 low^2 / (high^2 - low^2), K m's slope."""
        slope = (self.margin_high - self.margin_low) / (self.high - self.low)
        return self.scale * slope * self.high**2 * self.low**2 / (self.high**2 - self.low**2)

    def advice(self, facts):
        """Says where the weight is not above the bound at the scale in force."""
        if self.weight > self.bound():
            return ""
        return (f"weight is {self.weight:g}, not above {self.bound():.2f} for scale {self.scale:g}: lengths need not "
                "settle, and may not tell quality")

    def lowered(self, cosine):
        """cos(theta + the middle of the margins), of a number."""
        return math.cos(math.acos(cosine) + (self.margin_low + self.margin_high) / 2)

    def target(self, target, context):
        """cos(theta + m(a))."""
        slope = (self.margin_high - self.margin_low) / (self.high - self.low)
        margin = self.margin_low + slope * (self._length(context) - self.low)
        return with_angle(target, margin * context.margin_share, "easy" if self.easy else "monotone")

    def extra(self, context):
        """The term that draws lengths out."""
        length = self._length(context)
        return self.weight * (length / self.high**2 + 1 / length)

    def _length(self, context):
        return ops.clip(context.norms, like(self.low, context.norms), like(self.high, context.norms))
