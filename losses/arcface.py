"""ArcFace: the margin is added to the angle."""

import math
from dataclasses import dataclass
from typing import ClassVar

from base.checks import require
from losses.loss import Loss

VARIANTS = ("monotone", "plain", "easy", "clip")
GRADIENTS = ("exact", "straight_through")


@dataclass(frozen=True)
class ArcFace(Loss):
    """Target logit scale cos(theta + margin), the others scale cos; theta is the angle to the target's center.

    Beyond theta + margin = pi the cosine rises again, and a crop there would be pushed away from its center.
    "monotone" goes on with cos - margin sin(margin), which falls; "plain" leaves it; "clip" stays at -1, without a
    gradient; "easy" takes the margin only where the cosine is above 0. The arcface_torch code of insightface is
    "plain" with "straight_through".
    """

    scale: float = 64.0
    """Multiplies every cosine, above 0 (s in the paper)."""
    margin: float = 0.5
    """Added to the target's angle, in radians, in [0, pi/2) (m in the paper); it ramps with `margin_share`."""
    variant: str = "monotone"
    """What happens at large angles: monotone, plain, easy or clip."""
    gradient: str = "exact"
    """exact: the derivative of the formula; straight_through: 1 in place of the derivative of the margin."""
    paper: ClassVar[str] = "Deng et al. 2019, arXiv:1801.07698, equation 3"

    def __post_init__(self):
        require(0 < self.scale < float("inf"), "scale", self.scale, "a finite number above 0")
        require(0 <= self.margin < 1.5707963, "margin", self.margin, "an angle in [0, pi/2) radians")
        require(self.variant in VARIANTS, "variant", self.variant, f"one of {', '.join(VARIANTS)}")
        require(self.gradient in GRADIENTS, "gradient", self.gradient, f"one of {', '.join(GRADIENTS)}")

    def scaling(self, context):
        """The fixed scale."""
        return self.scale

    def target(self, target, context):
        """cos(theta + margin), by the variant where the angle is large."""
        from keras import ops

        lowered = self._lowered(target, self.margin * context.margin_share)
        if self.gradient == "exact":
            return lowered
        return target + ops.stop_gradient(lowered - target)

    def _lowered(self, cosine, margin):
        from keras import ops

        cos_margin, sin_margin = _cosine_and_sine(margin)
        turned = cosine * cos_margin - sine(cosine) * sin_margin
        is_below_pi = cosine > -cos_margin   # theta + margin < pi
        if self.variant == "monotone":
            return ops.where(is_below_pi, turned, cosine - margin * sin_margin)
        if self.variant == "easy":
            return ops.where(cosine > 0, turned, cosine)
        if self.variant == "clip":
            return ops.where(is_below_pi, turned, ops.full_like(cosine, -1.0))
        return turned


def _cosine_and_sine(angle):
    """Of a plain number by math: Keras' own lower float64 to float32 on JAX."""
    from keras import ops

    return [getattr(math if isinstance(angle, float) else ops, name)(angle) for name in ("cos", "sin")]


def sine(cosine):
    """Sine of an angle in [0, pi] from its cosine; at 0 and pi, where it has no derivative, 0 with gradient 0."""
    from keras import ops

    square = (1 - cosine) * (1 + cosine)
    is_inside = square > 0
    return ops.where(is_inside, ops.sqrt(ops.where(is_inside, square, 1.0)), 0.0)
