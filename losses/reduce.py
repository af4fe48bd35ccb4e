"""Reductions over classes: the target's similarity and the log-sum-exp of the others, from any parts of the classes.

Part by part they give sums and maxima of B numbers; those are joined over the parts (here by Python, over devices by
collectives), so that parts of any size give what the whole gives. The others' sum never contains the target's term.
"""

from dataclasses import dataclass
from typing import Any

from keras import ops


@dataclass(frozen=True)
class Part:
    """Consecutive classes: their similarities [B, c], and bool [B, c] that is True in a row's target column."""

    values: Any
    is_target: Any

    def map(self, function):
        """Returns the part with `function(values)`."""
        return Part(function(self.values), self.is_target)


def part(similarity, labels, first=0):
    """[B, c], int32 [B] -> Part, `first` being the class of column 0."""
    columns = ops.arange(first, first + similarity.shape[1], dtype="int32")
    return Part(similarity, ops.equal(ops.expand_dims(labels, 1), ops.expand_dims(columns, 0)))


def target_of(parts):
    """Parts -> [B], each row's value in its target's column; 0 where no part holds the target."""
    return sum(ops.sum(ops.where(each.is_target, each.values, 0.0), axis=1) for each in parts)


def largest_other(parts):
    """Parts -> [B], the largest value of another class than the target; -inf where there is none."""
    peaks = [ops.max(ops.where(each.is_target, float("-inf"), each.values), axis=1) for each in parts]
    largest = peaks[0]
    for peak in peaks[1:]:
        largest = ops.maximum(largest, peak)
    return largest


def log_sum_exp_others(parts):
    """Parts of logits -> [B], log of the sum of exp over all classes but the target.

    The largest is taken out before exp and has no gradient of its own. NaN goes through; without another class the
    result is -inf, with gradient 0.
    """
    peak = ops.stop_gradient(largest_other(parts))
    peak = ops.where(peak > float("-inf"), peak, 0.0)
    total = 0.0
    for each in parts:
        shifted = ops.where(each.is_target, 0.0, each.values - ops.expand_dims(peak, 1))
        total = total + ops.sum(ops.where(each.is_target, 0.0, ops.exp(shifted)), axis=1)
    is_alone = ops.equal(total, 0.0)
    return ops.where(is_alone, float("-inf"), peak + ops.log(ops.where(is_alone, 1.0, total)))
