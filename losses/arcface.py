"""ArcFace: the margin is added to the angle."""

import math
from dataclasses import dataclass
from typing import ClassVar

from base.checks import require
from losses.angle import cos, sin, turned
from losses.backend import ops
from losses.gradient import check_gradient, through
from losses.margin import Margined

VARIANTS = ("monotone", "plain", "easy", "clip")


@dataclass(frozen=True)
class ArcFace(Margined):
    """Target logit scale cos(theta + margin), the others scale cos; theta is the angle to the target's center.

    Beyond theta + margin = pi the cosine rises again, and a crop there would be pushed away from its center.
    "monotone" goes on with cos - margin sin(margin), which falls; "plain" leaves it; "clip" stays at -1, without a
    gradient; "easy" takes the margin only where the cosine is above 0. The arcface_torch code of insightface is
    "plain" with "straight_through".
    """

    scale: float | str = 64.0
    """Multiplies every cosine, above 0 (s in the paper); "adaptive" takes it from the number of classes."""
    margin: float = 0.5
    """Added to the target's angle, in radians, in [0, pi/2) (m in the paper); it ramps with `margin_share`."""
    variant: str = "monotone"
    """What happens at large angles: monotone, plain, easy or clip."""
    gradient: str = "exact"
    """exact: the derivative of the formula; straight_through: 1 in place of the derivative of the margin."""
    margin_below: ClassVar[float] = math.pi / 2
    margin_words: ClassVar[str] = "an angle in [0, pi/2) radians"
    paper: ClassVar[str] = "Deng et al. 2019, arXiv:1801.07698, equation 3"

    def __post_init__(self):
        super().__post_init__()
        require(self.variant in VARIANTS, "variant", self.variant, f"one of {', '.join(VARIANTS)}")
        check_gradient(self.gradient)

    def lowered(self, cosine):
        """cos(theta + margin), of a number."""
        return math.cos(math.acos(cosine) + self.margin)

    def target(self, target, context):
        """cos(theta + margin), by the variant where the angle is large."""
        return through(target, with_angle(target, self.margin_of(context), self.variant), self.gradient)


def with_angle(cosine, margin, variant):
    """cos(theta + margin) [B] from cos(theta) [B]; margin [] or [B] in radians; `variant` as in ArcFace."""
    lowered = turned(cosine, margin)
    is_below_pi = cosine > -cos(margin)   # theta + margin < pi
    if variant == "monotone":
        return ops.where(is_below_pi, lowered, cosine - margin * sin(margin))
    if variant == "easy":
        return ops.where(cosine > 0, lowered, cosine)
    if variant == "clip":
        return ops.where(is_below_pi, lowered, ops.full_like(cosine, -1.0))
    return lowered
