"""ElasticFace: every crop's margin is drawn from a normal distribution, anew in every step."""

import math
from dataclasses import dataclass
from typing import ClassVar

from base.checks import require
from losses.angle import turned
from losses.backend import ops
from losses.draws import normal
from losses.margin import Margined

KINDS = ("arc", "cos")


@dataclass(frozen=True)
class ElasticFace(Margined):
    """Target logit scale cos(theta + m), or scale (cos - m) in kind cos, with m from Normal(margin, spread).

    A draw depends on the seed and the crop's running number alone, so it is the same on every device. With `plus` the
    drawn margins of the global batch are dealt out by rank: the crop nearest to its center gets the least. (The
    authors' code indexes with the permutation instead of its inverse, which deals them out otherwise.) Where nothing
    is trained, m is the margin.
    """

    scale: float | str = 64.0
    """Multiplies every cosine, above 0 (s in the paper); "adaptive" takes it from the number of classes."""
    margin: float = 0.5
    """Mean of the margins, in [0, pi/2), in radians for arc; with kind cos give 0.35. They ramp with `margin_share`."""
    spread: float = 0.05
    """Their deviation, in [0, 1); with plus give 0.0175 for arc, 0.02 for cos, as the paper."""
    kind: str = "arc"
    """arc (plain beyond pi) or cos."""
    plus: bool = False
    """Deal the margins out by rank."""
    margin_below: ClassVar[float] = math.pi / 2
    margin_words: ClassVar[str] = "a number in [0, pi/2)"
    paper: ClassVar[str] = "Boutros, Damer, Kirchbuchner, Kuijper 2022, arXiv:2109.09416"

    def __post_init__(self):
        super().__post_init__()
        require(self.kind in KINDS, "kind", self.kind, f"one of {', '.join(KINDS)}")
        require(0 <= self.spread < 1, "spread", self.spread, "a number in [0, 1)")

    @property
    def asks(self):
        """The batch, where margins are dealt out in it."""
        return ("batch",) if self.plus else ()

    def lowered(self, cosine):
        """The target's cosine with the mean margin, of a number."""
        return math.cos(math.acos(cosine) + self.margin) if self.kind == "arc" else cosine - self.margin

    def draw(self, g, context):
        """int32 [N, 2] -> [N], what is added to the mean margin."""
        return self.spread * normal(g, context.facts.seed, "elastic margin")

    def target(self, target, context):
        """cos(theta + m) or cos - m."""
        margin = self.margin_of(context)
        if context.training:
            margin = margin + self._extra_margin(target, context) * context.margin_share
        return turned(target, margin) if self.kind == "arc" else target - margin

    def _extra_margin(self, target, context):
        if not self.plus:
            return ops.cast(self.draw(context.g, context), target.dtype)
        rising = ops.sort(ops.cast(self.draw(context.batch.g, context), target.dtype))
        return ops.take(rising, ranks(ops.stop_gradient(target), context))


def ranks(target, context):
    """[B] -> int32 [B], how many crops of the global batch are nearer to their centers; ties by running number."""
    def column(values):
        return ops.expand_dims(values, 1)

    batch = context.batch
    is_nearer = batch.target > column(target)
    is_tied = ops.logical_and(ops.equal(batch.target, column(target)), batch.g[:, 0] < column(context.g[:, 0]))
    return ops.sum(ops.cast(ops.logical_or(is_nearer, is_tied), "int32"), axis=1)
