"""Triplet loss: an anchor is nearer to its own person than to others, by a margin."""

import math
from dataclasses import dataclass
from typing import ClassVar

from base.checks import require
from losses.backend import mean, ops
from losses.loss import PairLoss
from losses.vectors import unit

MODES = ("all", "hard", "semihard", "tfa")
MEANS = ("valid", "active")


@dataclass(frozen=True)
class Triplet(PairLoss):
    """[D(anchor, positive) - D(anchor, negative) + margin]_+ over triplets of a batch; unit embeddings.

    all: every triplet. hard: each anchor's farthest positive and nearest negative; anchors that lack either are left
    out. semihard: each pair's nearest negative that is farther than the positive, else the farthest of all (as
    tensorflow-addons' TripletSemiHardLoss). tfa: as tensorflow-addons' TripletHardLoss, whose mean is over all anchors:
    one without a positive takes its own distance 0 for it, one without a negative its farthest crop. Which crops are
    taken has no gradient.
    """

    margin: float = 0.2
    """In units of D, above 0 (alpha in the paper)."""
    mode: str = "semihard"
    """all, hard, semihard or tfa."""
    squared: bool = True
    """D is the squared distance; false: the distance."""
    mean: str = "active"
    """Of mode all: over the triplets above 0 (active) or over all there are (valid)."""
    paper: ClassVar[str] = "Schroff et al. 2015, arXiv:1503.03832; Hermans et al. 2017, arXiv:1703.07737 (hard)"

    def __post_init__(self):
        super().__post_init__()
        require(0 < self.margin < math.inf, "margin", self.margin, "a finite number above 0")
        require(self.mode in MODES, "mode", self.mode, f"one of {', '.join(MODES)}")
        require(self.mean in MEANS, "mean", self.mean, f"one of {', '.join(MEANS)}")

    def __call__(self, embeddings, labels):
        """[G, D], int32 [G] -> []; 0 where there is no triplet."""
        distance = distances(embeddings, squared=self.squared)
        is_same = ops.equal(ops.expand_dims(labels, 1), ops.expand_dims(labels, 0))
        places = ops.arange(ops.shape(labels)[0], dtype="int32")
        is_self = ops.equal(ops.expand_dims(places, 1), ops.expand_dims(places, 0))
        is_positive = ops.logical_and(is_same, ops.logical_not(is_self))
        return getattr(self, f"_{self.mode}")(distance, is_positive, ops.logical_not(is_same))

    def _all(self, distance, is_positive, is_negative):
        terms = ops.expand_dims(distance, 2) - ops.expand_dims(distance, 1) + self.margin
        is_valid = ops.logical_and(ops.expand_dims(is_positive, 2), ops.expand_dims(is_negative, 1))
        is_active = ops.logical_and(is_valid, terms > 0)
        return _mean(terms, is_active, is_valid if self.mean == "valid" else is_active)

    def _hard(self, distance, is_positive, is_negative):
        farthest = _largest(distance, is_positive)
        nearest = -_largest(-distance, is_negative)
        is_valid = ops.logical_and(ops.any(is_positive, axis=1), ops.any(is_negative, axis=1))
        terms = ops.where(is_valid, farthest - nearest + self.margin, 0.0)
        return _mean(terms, terms > 0, is_valid)

    def _semihard(self, distance, is_positive, is_negative):
        negatives = ops.expand_dims(distance, 1)                               # [a, 1, n] beside [a, p, 1]
        is_farther = ops.logical_and(ops.expand_dims(is_negative, 1), negatives > ops.expand_dims(distance, 2))
        place = ops.argmax(ops.where(is_farther, -negatives, float("-inf")), axis=2)      # [a, p]
        nearest = ops.take_along_axis(distance, place, axis=1)
        farthest = ops.expand_dims(_largest(distance, is_negative), 1)
        negative = ops.where(ops.any(is_farther, axis=2), nearest, farthest)
        is_valid = ops.logical_and(is_positive, ops.any(is_negative, axis=1, keepdims=True))
        terms = ops.where(is_valid, distance - negative + self.margin, 0.0)
        return _mean(terms, terms > 0, is_valid)

    def _tfa(self, distance, is_positive, is_negative):
        farthest = _largest(distance, is_positive)                             # 0, its own, where there is none
        nearest = ops.where(ops.any(is_negative, axis=1), -_largest(-distance, is_negative),
                            ops.max(distance, axis=1))
        return mean(ops.relu(farthest - nearest + self.margin))


def distances(embeddings, *, squared):
    """[G, D] -> [G, G], distances of unit embeddings; from differences, since 2 - 2 cos loses the near ones' digits.

    A distance of 0 has gradient 0.
    """
    units = unit(embeddings)
    square = ops.sum((ops.expand_dims(units, 1) - ops.expand_dims(units, 0)) ** 2, axis=2)
    if squared:
        return square
    is_zero = ops.equal(square, 0.0)
    return ops.where(is_zero, 0.0, ops.sqrt(ops.where(is_zero, 1.0, square)))


def _largest(values, is_member):
    """[G, G] -> [G], the largest member of each row; 0, without gradient, where there is none. Of equals the first."""
    place = ops.argmax(ops.where(is_member, values, float("-inf")), axis=1, keepdims=True)
    found = ops.take_along_axis(values, place, axis=1)[:, 0]
    return ops.where(ops.any(is_member, axis=1), found, 0.0)


def _mean(terms, is_counted, is_divisor):
    """Sum of the counted terms over the number of the others; 0 where there is none."""
    count = ops.sum(ops.cast(is_divisor, terms.dtype))
    return ops.sum(ops.where(is_counted, terms, 0.0)) / ops.maximum(count, 1)
