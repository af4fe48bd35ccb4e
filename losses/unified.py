"""The unified loss that loss functions are searched in: the target's probability is lowered by a number a."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from base.checks import require
from losses.backend import like, ops
from losses.scale import Scaled

BINS = 10


@dataclass(frozen=True)
class Unified(Scaled):
    """-ln(p / (a p + 1 - a)), p the target's probability, a <= 0.

    Exactly the same as a target logit lowered by ln(1 - a), for any p; a constant a is AM-Softmax with a margin of
    ln(1 - a) / scale, so a of order 1 is a tiny margin: the authors' code multiplies a by e^(scale / 3) (local:
    e^(scale / 2)), which `growth` does. Local: a for each of ten bins of p, (k/10, (k+1)/10], without gradient
    through the choice. `Head.state["a"]` holds a, so that a search may change it without tracing anew.
    """

    scale: float | str = 32.0
    """Multiplies every cosine, above 0 (s in the paper); "adaptive" takes it from the number of classes."""
    a: float | str = -1.0
    """At most 0; ten numbers with spaces between them are those of the bins of p."""
    growth: float = 0.0
    """a is multiplied by e^(growth scale): 0 as in the paper, 1/3 and 1/2 in the authors' code."""
    paper: ClassVar[str] = "Wang, Wang, Zhang, Mei 2020, arXiv:2007.06542"

    def __post_init__(self):
        super().__post_init__()
        require(not self.adaptive_with_margin, "adaptive_with_margin", True, "false: this margin is a shift of a logit")
        check_growth(self.growth)
        numbers = self._numbers()
        require(len(numbers) in (1, BINS), "a", self.a, f"one number or {BINS} with spaces between them")
        require(all(-math.inf < number <= 0 for number in numbers), "a", self.a, "finite numbers of at most 0")

    def first_state(self, facts, dim):
        """a, [] or [10]."""
        numbers = self._numbers()
        return {"a": np.array(numbers[0] if len(numbers) == 1 else numbers)}

    def finish(self, target_logit, rest, context):
        """Cross-entropy with the lowered target logit."""
        a = context.state["a"]
        if len(a.shape) == 1:
            a = ops.take(a, bins(ops.stop_gradient(ops.sigmoid(target_logit - rest))))
        return ops.softplus(rest - target_logit + shift(a, self, context))

    def _numbers(self):
        try:
            return [float(word) for word in str(self.a).split()]
        except ValueError:
            return []


def bins(probability):
    """[B] in [0, 1] -> int32 [B] in 0..9: (k/10, (k+1)/10], 0 in the first."""
    return sum(ops.cast(probability > like(edge / BINS, probability), "int32") for edge in range(1, BINS))


def shift(a, loss, context):
    """What the target logit is lowered by: ln(1 - a e^(growth scale)), ramped; a sum, since the product overflows."""
    return ops.softplus(ops.log(-a) + loss.growth * loss.scale) * context.margin_share


def check_growth(growth):
    """Raises SettingsError unless growth is a share of the scale."""
    require(0 <= growth <= 1, "growth", growth, "in [0, 1]")
