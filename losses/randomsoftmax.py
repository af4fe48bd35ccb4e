"""Random-Softmax: the unified loss with a drawn anew, the baseline that a search must beat."""

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar

from base.checks import require
from losses.backend import ops
from losses.draws import normal
from losses.scale import Scaled
from losses.unified import check_growth, shift


@dataclass(frozen=True)
class RandomSoftmax(Scaled):
    """-ln(p / (a p + 1 - a)) with a = -|n|, n from Normal(0, spread), drawn by seed and epoch, the same everywhere.

    The paper names no distribution; this is the one of its authors' code. Where nothing is trained, a is its mean.
    """

    scale: float | str = 32.0
    """Multiplies every cosine, above 0 (s in the paper); "adaptive" takes it from the number of classes."""
    spread: float = 0.2
    """Deviation of the normal distribution, above 0."""
    every: int = 0
    """Steps between draws; 0 is an epoch."""
    growth: float = 0.0
    """a is multiplied by e^(growth scale): 0 as in the paper, 1/3 in the authors' code."""
    paper: ClassVar[str] = "Wang, Wang, Zhang, Mei 2020, arXiv:2007.06542, section 3.3"

    def __post_init__(self):
        super().__post_init__()
        require(not self.adaptive_with_margin, "adaptive_with_margin", True, "false: this margin is a shift of a logit")
        require(0 < self.spread < math.inf, "spread", self.spread, "a finite number above 0")
        require(self.every >= 0, "every", self.every, "a number of steps, 0 for an epoch")
        check_growth(self.growth)

    def resolved(self, facts):
        """The loss with scale and steps as numbers."""
        require(self.every or facts.epoch_steps, "every", self.every,
                "a number of steps above 0 where the head is not given the epoch_steps")
        return dataclasses.replace(super().resolved(facts), every=self.every or facts.epoch_steps)

    def draw(self, context):
        """Returns [], a of this epoch; its mean where nothing is trained."""
        if not context.training:
            return ops.convert_to_tensor(-self.spread * math.sqrt(2 / math.pi))
        period = ops.cast(ops.floor_divide(ops.cast(context.step, "int32"), self.every), "int32")
        words = ops.stack([period, ops.zeros_like(period)])
        return -self.spread * ops.abs(normal(ops.expand_dims(words, 0), context.facts.seed, "random softmax")[0])

    def finish(self, target_logit, rest, context):
        """Cross-entropy with the lowered target logit."""
        a = ops.cast(self.draw(context), target_logit.dtype)
        return ops.softplus(rest - target_logit + shift(a, self, context))
