"""SphereFace2: a yes-or-no question for every class instead of a softmax."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from base.checks import require
from losses.arcface import with_angle
from losses.backend import ops
from losses.gradient import check_gradient, through
from losses.loss import Loss
from losses.scale import check_scale
from losses.spherefacer import multiplied

KINDS = ("C", "A", "M")


@dataclass(frozen=True)
class SphereFace2(Loss):
    """balance/scale softplus(-z_y) + (1 - balance)/scale sum of softplus(z_j), z = scale g(...) + bias.

    g(z) = 2 ((z + 1) / 2)^exponent - 1 spreads cosines near 0. The margin by kind: C, g less or plus margin; A, added
    to the target's angle; M, multiplies it; both end at pi. The bias is trained. The authors' code multiplies by 50.
    """

    scale: float = 40.0
    """Multiplies every g, above 0 (r in the paper)."""
    margin: float = 0.4
    """For kind C; with A give 0.5 (radians), with M a factor of 1.7."""
    kind: str = "C"
    """C, A or M."""
    balance: float = 0.7
    """Weight of the target's question, in (0, 1) (lambda in the paper)."""
    exponent: int = 3
    """t in the paper, 1 to 10."""
    gradient: str = "exact"
    """exact: the derivative of the formula; straight_through: 1 in its place, as in the authors' code."""
    sums: ClassVar[str] = "softplus_sum"
    paper: ClassVar[str] = "Wen et al. 2022, arXiv:2108.01513"

    def __post_init__(self):
        super().__post_init__()
        check_scale(self.scale)
        require(self.kind in KINDS, "kind", self.kind, f"one of {', '.join(KINDS)}")
        check_gradient(self.gradient)
        low, below, words = {"C": (0, 2, "a difference in [0, 2)"), "A": (0, math.pi / 2, "radians in [0, pi/2)"),
                             "M": (1, 8, "a factor in [1, 8)")}[self.kind]
        require(low <= self.margin < below, "margin", self.margin, f"{words} for kind {self.kind}")
        require(0 < self.balance < 1, "balance", self.balance, "in (0, 1)")
        require(1 <= self.exponent <= 10, "exponent", self.exponent, "1 to 10")

    def scalars(self, facts):
        """The bias, first where positive and negative gradients balance at 90 degrees."""
        return {"bias": (self.first_bias(facts.num_classes), -math.inf)}

    def first_bias(self, num_classes):
        """Closed form of the authors' code for C classes."""
        zero = 2 * 0.5**self.exponent - 1                  # g at 90 degrees
        if self.kind == "C":
            own, other = zero - self.margin, zero + self.margin
        else:
            turned = math.pi / 2 + self.margin if self.kind == "A" else self.margin * math.pi / 2
            own, other = 2 * ((math.cos(min(turned, math.pi)) + 1) / 2)**self.exponent - 1, zero
        ratio = self.balance / ((1 - self.balance) * max(num_classes - 1, 1))
        apart = math.log(abs(1 - ratio)) if ratio != 1 else -math.inf
        root = np.logaddexp(2 * apart, math.log(4 * ratio) + self.scale * (own - other)) / 2
        total = float(np.logaddexp(apart, root))           # ln(|1 - ratio| + root), of which no part cancels another
        if ratio > 1:
            return total - math.log(2) - self.scale * own
        return math.log(2 * ratio) - self.scale * other - total

    def scaling(self, context):
        """The fixed scale."""
        return self.scale

    def target(self, target, context):
        """The target's g with the margin, and the bias."""
        share = context.margin_share
        if self.kind == "C":
            asked = self._spread(target) - self.margin * share
        elif self.kind == "A":
            asked = self._spread(with_angle(target, self.margin * share, "clip"))
        else:
            asked = self._spread(multiplied(target, 1 + (self.margin - 1) * share))
        return self._question(target, asked, context)

    def others(self, similarity, target, context):
        """g, plus the margin in kind C, and the bias."""
        asked = self._spread(similarity)
        if self.kind == "C":
            asked = asked + self.margin * context.margin_share
        return self._question(similarity, asked, context)

    def finish(self, target_logit, rest, context):
        """The weighted sum of both kinds of questions."""
        return (self.balance * ops.softplus(-target_logit) + (1 - self.balance) * rest) / self.scale

    def _question(self, cosine, asked, context):
        return through(cosine, asked, self.gradient) + context.scalars["bias"] / self.scale

    def _spread(self, cosine):
        half = power = (cosine + 1) / 2
        for _ in range(self.exponent - 1):                 # whole powers: a base of -1e-8 by rounding gives no NaN
            power = power * half
        return 2 * power - 1
