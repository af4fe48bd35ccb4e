"""SphereFace-R: SphereFace with a real factor and a fixed scale, in three variants."""

import math
from dataclasses import dataclass
from typing import ClassVar

from base.checks import require
from losses.angle import angle, cos
from losses.backend import like, ops
from losses.gradient import check_gradient, through
from losses.loss import Loss
from losses.scale import check_scale
from losses.sphereface import psi

VARIANTS = ("v0", "v1", "v2")


@dataclass(frozen=True)
class SphereFaceR(Loss):
    """Target logit scale f(theta): v0 psi as in SphereFace; v1 cos(min(margin theta, pi)).

    v2 leaves the target alone and divides the others' angles: cos(theta / margin). The authors' code takes the
    derivative of f as 1 (characteristic gradient detachment): gradient "straight_through".
    """

    scale: float = 30.0
    """Multiplies every cosine, above 0 (s in the paper)."""
    margin: float = 1.5
    """The factor of the angle, in [1, 8] (m in the paper); 1.4 to 1.7 are in use."""
    variant: str = "v1"
    """v0, v1 or v2."""
    gradient: str = "exact"
    """exact: the derivative of the formula; straight_through: 1 in its place."""
    soft_norm: float = 0.0
    """Above 0: the embedding's length takes the scale's place, and soft_norm | |x| - scale | is added (t, 0.01)."""
    paper: ClassVar[str] = "Liu, Wen, Raj, Singh, Weller 2021, arXiv:2109.05565"

    def __post_init__(self):
        super().__post_init__()
        check_scale(self.scale)
        require(1 <= self.margin <= 8, "margin", self.margin, "a factor of the angle in [1, 8]")
        require(self.variant in VARIANTS, "variant", self.variant, f"one of {', '.join(VARIANTS)}")
        check_gradient(self.gradient)
        require(0 <= self.soft_norm < math.inf, "soft_norm", self.soft_norm, "a finite number, 0 or more")

    def scaling(self, context):
        """The scale, or the embeddings' lengths [B, 1]."""
        return ops.expand_dims(context.norms, 1) if self.soft_norm else self.scale

    def target(self, target, context):
        """Variant v0 psi, v1 cos(min(margin theta, pi))."""
        if self.variant == "v2":
            return target
        if self.variant == "v0":
            lowered = target + context.margin_share * (psi(target, self.margin) - target)
        else:
            lowered = multiplied(target, 1 + (self.margin - 1) * context.margin_share)
        return through(target, lowered, self.gradient)

    def others(self, similarity, target, context):
        """cos(theta / margin) in variant v2."""
        if self.variant != "v2":
            return similarity
        divided = cos(angle(similarity) / (1 + (self.margin - 1) * context.margin_share))
        return through(similarity, divided, self.gradient)

    def extra(self, context):
        """The penalty of the soft norm."""
        return self.soft_norm * ops.abs(context.norms - self.scale) if self.soft_norm else 0.0


def multiplied(cosine, factor):
    """cos(min(factor theta, pi)) [B]; -1 without gradient beyond."""
    turned = factor * angle(cosine)
    return cos(ops.minimum(turned, like(math.pi, turned)))
