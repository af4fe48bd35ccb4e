"""Circle loss: cosines far from where they should be count for more; over classes and over pairs of a batch."""

from dataclasses import dataclass
from typing import ClassVar

from base.checks import require
from losses.backend import ops
from losses.loss import Loss, PairLoss
from losses.scale import check_scale
from losses.vectors import unit


@dataclass(frozen=True)
class Circle(Loss):
    """Logits scale [1 + m - cos]_+ (cos - (1 - m)) for the target, scale [cos + m]_+ (cos - m) for the others.

    The weights [.]_+ have no gradient. This is the pairs' formula with one genuine pair a row.
    """

    scale: float = 256.0
    """Multiplies every logit, above 0 (gamma in the paper)."""
    margin: float = 0.25
    """In [0, 1) (m in the paper); it ramps with `margin_share`."""
    paper: ClassVar[str] = "Sun et al. 2020, arXiv:2002.10857"

    def __post_init__(self):
        super().__post_init__()
        check(self)

    def scaling(self, context):
        """The fixed scale."""
        return self.scale

    def target(self, target, context):
        """Weighted distance to 1 - m."""
        return wanted_same(target, self.margin * context.margin_share)

    def others(self, similarity, target, context):
        """Weighted distance to m."""
        return wanted_different(similarity, self.margin * context.margin_share)


@dataclass(frozen=True)
class PairCircle(PairLoss):
    """softplus(lse of the impostor pairs + lse of the genuine pairs) over all pairs of a batch."""

    scale: float = 256.0
    """Multiplies every pair's term, above 0 (gamma in the paper)."""
    margin: float = 0.25
    """In [0, 1) (m in the paper)."""
    paper: ClassVar[str] = "Sun et al. 2020, arXiv:2002.10857, equation 6"

    def __post_init__(self):
        super().__post_init__()
        check(self)

    def __call__(self, embeddings, labels):
        """[G, D], int32 [G] -> []; 0 where there is no genuine or no impostor pair."""
        units = unit(embeddings)
        cosines = ops.matmul(units, ops.transpose(units))
        places = ops.arange(ops.shape(labels)[0], dtype="int32")
        is_once = ops.expand_dims(places, 1) < ops.expand_dims(places, 0)
        is_same = ops.equal(ops.expand_dims(labels, 1), ops.expand_dims(labels, 0))
        genuine = _log_sum_exp(-self.scale * wanted_same(cosines, self.margin), ops.logical_and(is_once, is_same))
        impostor = _log_sum_exp(self.scale * wanted_different(cosines, self.margin),
                                ops.logical_and(is_once, ops.logical_not(is_same)))
        return ops.softplus(genuine + impostor)


def check(loss):
    """Raises SettingsError where scale or margin are out of range."""
    check_scale(loss.scale)
    require(0 <= loss.margin < 1, "margin", loss.margin, "a number in [0, 1)")


def wanted_same(cosine, margin):
    """[1 + m - cos]_+ (cos - (1 - m)), the weight without gradient."""
    return ops.relu(ops.stop_gradient(1 + margin - cosine)) * (cosine - (1 - margin))


def wanted_different(cosine, margin):
    """[cos + m]_+ (cos - m), the weight without gradient."""
    return ops.relu(ops.stop_gradient(cosine + margin)) * (cosine - margin)


def _log_sum_exp(values, is_member):
    """[G, G], bool [G, G] -> []; -inf, without gradient, where there is no member."""
    kept = ops.where(is_member, values, float("-inf"))
    peak = ops.stop_gradient(ops.max(kept))
    peak = ops.where(ops.equal(peak, float("-inf")), 0.0, peak)
    total = ops.sum(ops.where(is_member, ops.exp(kept - peak), 0.0))
    is_empty = ops.equal(total, 0.0)
    return ops.where(is_empty, float("-inf"), peak + ops.log(ops.where(is_empty, 1.0, total)))
