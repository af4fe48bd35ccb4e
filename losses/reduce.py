"""Reductions over classes: the target's similarity and sums over the others, from any parts of the classes.

Part by part they give sums and maxima of B numbers; those are joined over the parts (here by Python, over devices by
collectives), so that parts of any size give what the whole gives. The others' sum never contains the target's term.
"""

from dataclasses import dataclass, replace
from typing import Any

from keras import ops


@dataclass(frozen=True)
class Part:
    """Consecutive classes: their similarities [B, c], and bool [B, c] that is True in a row's target column."""

    values: Any
    is_target: Any
    bias: Any = None
    """[c], added to the logits; None where the loss has none."""

    def map(self, function):
        """Returns the part with `function(values)`."""
        return replace(self, values=function(self.values))


def part(similarity, labels, first=0, bias=None):
    """[B, c], int32 [B], [c] -> Part, `first` being the class of column 0."""
    columns = ops.arange(first, first + similarity.shape[1], dtype="int32")
    return Part(similarity, ops.equal(ops.expand_dims(labels, 1), ops.expand_dims(columns, 0)), bias)


def target_of(parts):
    """Parts -> [B], each row's value in its target's column; 0 where no part holds the target."""
    return sum(ops.sum(ops.where(each.is_target, each.values, 0.0), axis=1) for each in parts)


def target_bias(parts):
    """Parts -> [B], the bias of each row's target; 0 where there is none."""
    return sum(0.0 if each.bias is None else
               ops.sum(ops.where(each.is_target, ops.expand_dims(each.bias, 0), 0.0), axis=1) for each in parts)


def others_of(parts):
    """Parts -> list of [B, c], -inf in the target's column."""
    return [ops.where(each.is_target, float("-inf"), each.values) for each in parts]


def largest(others):
    """List of [B, c] -> [B], the largest of all; -inf where there is no other class."""
    peaks = [ops.max(each, axis=1) for each in others]
    found = peaks[0]
    for peak in peaks[1:]:
        found = ops.maximum(found, peak)
    return found


def log_sum_exp_others(parts):
    """Parts of logits -> [B], log of the sum of exp over all classes but the target.

    The largest is taken out before exp and has no gradient of its own. NaN goes through; without another class the
    result is -inf, with gradient 0.
    """
    others = others_of(parts)
    peak = ops.stop_gradient(largest(others))
    peak = ops.where(ops.equal(peak, float("-inf")), 0.0, peak)
    total = sum(ops.sum(ops.exp(each - ops.expand_dims(peak, 1)), axis=1) for each in others)
    is_alone = ops.equal(total, 0.0)
    return ops.where(is_alone, float("-inf"), peak + ops.log(ops.where(is_alone, 1.0, total)))


def softplus_sum_others(parts):
    """Parts of logits -> [B], sum of softplus over all classes but the target."""
    return sum(ops.sum(ops.softplus(each), axis=1) for each in others_of(parts))


SUMS = {"log_sum_exp": log_sum_exp_others, "softplus_sum": softplus_sum_others}
