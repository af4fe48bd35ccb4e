"""SphereFace, also known as A-Softmax: the target's angle is multiplied."""

import math
from dataclasses import dataclass
from typing import ClassVar

from base.checks import require
from losses.angle import angle, cos
from losses.backend import ops
from losses.loss import Loss
from losses.scale import check_scale


def psi(cosine, margin):
    """(-1)^k cos(m theta) - 2 k [B], which falls all the way: 1 at 0, by 2 for every pi of m theta.

    k counts the joints i pi / m that theta has passed, up to ceil(m) - 1; they are compared as cosines, so that
    rounding cannot put an angle on the wrong side of one.
    """
    passed = sum(ops.cast(cosine <= math.cos(joint * math.pi / margin), cosine.dtype)
                 for joint in range(1, math.ceil(margin)))
    return cos(margin * angle(cosine) - math.pi * passed) - 2 * passed


@dataclass(frozen=True)
class SphereFace(Loss):
    """Logits |x| cos, the target's |x| (lambda cos + psi) / (1 + lambda) with a lambda that falls from step to step.

    With a `scale` that takes the place of |x|. lambda(t) = max(least, base (1 + gamma t)^-power), t counting from 1.
    """

    margin: float = 4.0
    """What the angle is multiplied by, in [1, 8]; any real number, such as 1.35 (m in the paper)."""
    scale: float = 0.0
    """Takes the place of the embedding's length, above 0; 0 keeps the length, as in the paper."""
    base: float = 1000.0
    """lambda before the first step; 0 with least 0 is psi alone."""
    gamma: float = 0.12
    """How fast lambda falls."""
    power: float = 1.0
    """Exponent of the fall."""
    least: float = 5.0
    """Where lambda ends."""
    paper: ClassVar[str] = "Liu et al. 2017, arXiv:1704.08063; lambda from the authors' prototxt"

    def __post_init__(self):
        super().__post_init__()
        require(1 <= self.margin <= 8, "margin", self.margin, "a factor of the angle in [1, 8]")
        if self.scale:
            check_scale(self.scale)
        for name in ("base", "gamma", "power", "least"):
            require(0 <= getattr(self, name) < math.inf, name, getattr(self, name), "a finite number, 0 or more")

    def annealing(self, step, dtype="float32"):
        """The weight lambda after `step` steps, a number or a 0-d tensor."""
        time = ops.cast(step, dtype) + 1
        return ops.maximum(self.least, self.base * ops.power(1 + self.gamma * time, -self.power))

    def scaling(self, context):
        """The embeddings' lengths [B, 1], or the scale."""
        return self.scale if self.scale else ops.expand_dims(context.norms, 1)

    def target(self, target, context):
        """(lambda cos + psi) / (1 + lambda)."""
        share = context.margin_share / (1 + self.annealing(context.step, target.dtype))
        return target + share * (psi(target, self.margin) - target)
