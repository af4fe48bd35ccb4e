"""CurricularFace: hard other classes count for little at first and for more as the network learns."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from base.checks import require
from losses.angle import turned
from losses.arcface import with_angle
from losses.backend import mean, ops
from losses.margin import Margined


@dataclass(frozen=True)
class CurricularFace(Margined):
    """ArcFace's monotone target; another class above cos(theta + margin) becomes cos (t + cos).

    t follows the mean target cosine of the global batch, before use in the same step: t <- rate mean + (1 - rate) t,
    as in the authors' code with a rate of 0.01 (the paper's text can be read as 0.99).
    """

    scale: float | str = 64.0
    """Multiplies every cosine, above 0 (s in the paper); "adaptive" takes it from the number of classes."""
    margin: float = 0.5
    """Added to the target's angle, in radians, in [0, pi/2) (m in the paper); it ramps with `margin_share`."""
    rate: float = 0.01
    """Weight of the present batch in t, in (0, 1]."""
    margin_below: ClassVar[float] = math.pi / 2
    margin_words: ClassVar[str] = "an angle in [0, pi/2) radians"
    asks: ClassVar[tuple] = ("batch",)
    paper: ClassVar[str] = "Huang et al. 2020, arXiv:2004.00288"

    def __post_init__(self):
        super().__post_init__()
        require(0 < self.rate <= 1, "rate", self.rate, "a share in (0, 1]")

    def lowered(self, cosine):
        """cos(theta + margin), of a number."""
        return math.cos(math.acos(cosine) + self.margin)

    def first_state(self, facts, dim):
        """The factor t, first 0."""
        return {"t": np.array(0.0)}

    def update(self, state, batch, context):
        """The factor t, a moving average of the mean target cosine."""
        return {"t": self.rate * mean(batch.target) + (1 - self.rate) * state["t"]}

    def target(self, target, context):
        """cos(theta + margin), falling beyond pi too."""
        return with_angle(target, self.margin_of(context), "monotone")

    def others(self, similarity, target, context):
        """Hard classes as cos (t + cos)."""
        edge = ops.expand_dims(turned(target, self.margin_of(context)), 1)
        return ops.where(similarity > edge, similarity * (context.state["t"] + similarity), similarity)
