"""UniFace: one threshold for every crop and class, trained with the network."""

import math
from dataclasses import dataclass
from typing import ClassVar

from base.checks import require
from losses.backend import ops
from losses.loss import Loss
from losses.scale import check_scale


@dataclass(frozen=True)
class UniFace(Loss):
    """softplus(-(scale (cos_y - margin) - bias)) + weight sum of softplus(scale cos_j - bias).

    bias / scale is the threshold that separates same from different. The authors' code cuts the arguments to
    +-scale, since it writes ln(1 + e^x); softplus needs no cut.
    """

    scale: float = 64.0
    """Multiplies every cosine, above 0 (s in the paper)."""
    margin: float = 0.4
    """Taken from the target cosine, in [0, 2) (m in the paper); it ramps with `margin_share`."""
    weight: float = 1.0
    """Of the other classes, above 0 (l in the paper)."""
    sampled: float = 1.0
    """Share of the other classes that a sampled classifier computes, in (0, 1] (r in the paper). It sets the first bias
    alone, ln(10 sampled C)."""
    sums: ClassVar[str] = "softplus_sum"
    paper: ClassVar[str] = "Zhou et al. 2023, ICCV, UniFace: Unified Cross-Entropy Loss for Deep Face Recognition"

    def __post_init__(self):
        super().__post_init__()
        check_scale(self.scale)
        require(0 <= self.margin < 2, "margin", self.margin, "a difference of cosines in [0, 2)")
        require(0 < self.weight < math.inf, "weight", self.weight, "a finite number above 0")
        require(0 < self.sampled <= 1, "sampled", self.sampled, "a share in (0, 1]")

    def scalars(self, facts):
        """The bias."""
        return {"bias": (math.log(10 * self.sampled * facts.num_classes), -math.inf)}

    def scaling(self, context):
        """The fixed scale."""
        return self.scale

    def target(self, target, context):
        """Cosine less margin and threshold."""
        return target - self.margin * context.margin_share - context.scalars["bias"] / self.scale

    def others(self, similarity, target, context):
        """Cosine less threshold."""
        return similarity - context.scalars["bias"] / self.scale

    def finish(self, target_logit, rest, context):
        """Both kinds of questions."""
        return ops.softplus(-target_logit) + self.weight * rest
