"""AdaFace: hard crops count for much where the embedding is long, for little where it is short."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from base.checks import require
from losses.angle import angle, cos
from losses.backend import like, mean, ops
from losses.scale import Scaled

_EPSILON = 1e-3


@dataclass(frozen=True)
class AdaFace(Scaled):
    """Target logit scale (cos(theta - margin q) - margin - margin q), q in [-1, 1] the embedding's standing in length.

    q = h (length - mean) / deviation over batches gone by, without gradient. Cosines are cut to 0.001 inside +-1.
    """

    scale: float | str = 64.0
    """Multiplies every cosine, above 0 (s in the paper); "adaptive" takes it from the number of classes."""
    margin: float = 0.4
    """Turns the angle and lowers the cosine, in [0, 1) (m in the paper); it ramps with `margin_share`."""
    h: float = 0.333
    """How steeply q follows the length, above 0."""
    rate: float = 0.01
    """Weight of the present batch in mean and deviation, in (0, 1] (t_alpha in the authors' code)."""
    asks: ClassVar[tuple] = ("batch",)
    paper: ClassVar[str] = "Kim, Jain, Liu 2022, arXiv:2204.00964"

    def __post_init__(self):
        super().__post_init__()
        require(0 <= self.margin < 1, "margin", self.margin, "a number in [0, 1)")
        require(0 < self.h < math.inf, "h", self.h, "a finite number above 0")
        require(0 < self.rate <= 1, "rate", self.rate, "a share in (0, 1]")

    def lowered(self, cosine):
        """The target's cosine for a crop of middling length, of a number."""
        return cosine - self.margin

    def first_state(self, facts, dim):
        """Mean 20 and deviation 100, as in the authors' code."""
        return {"mean": np.array(20.0), "deviation": np.array(100.0)}

    def update(self, state, batch, context):
        """Moving averages of the lengths' mean and deviation (divisor G - 1; one crop alone keeps the deviation)."""
        lengths = _lengths(batch.norms)
        count = ops.cast(ops.shape(lengths)[0], lengths.dtype)
        average = mean(lengths)
        deviation = ops.sqrt(ops.sum((lengths - average) ** 2) / ops.maximum(count - 1, 1))
        deviation = ops.where(count > 1, deviation, state["deviation"])
        return {"mean": self.rate * average + (1 - self.rate) * state["mean"],
                "deviation": self.rate * deviation + (1 - self.rate) * state["deviation"]}

    def target(self, target, context):
        """cos(theta - margin q) - margin - margin q."""
        lengths = ops.stop_gradient(_lengths(context.norms))
        standing = self.h * (lengths - context.state["mean"]) / (context.state["deviation"] + _EPSILON)
        turn = self.margin * ops.clip(standing, -1.0, 1.0) * context.margin_share
        turned = _cut(angle(_inside(target)) - turn, _EPSILON, math.pi - _EPSILON)
        return cos(turned) - self.margin * context.margin_share - turn

    def others(self, similarity, target, context):
        """Cosines cut inside +-1, without gradient where they are cut."""
        return _inside(similarity)


def _inside(cosine):
    return _cut(cosine, -1 + _EPSILON, 1 - _EPSILON)


def _lengths(norms):
    return _cut(norms, 0.001, 100.0)


def _cut(values, low, high):
    return ops.clip(values, like(low, values), like(high, values))
