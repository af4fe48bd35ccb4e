"""Reductions over classes: the target's similarity and sums over the others, from any parts of the classes.

Part by part they give sums and maxima of B numbers; those are joined over the parts (here by Python, over devices by
collectives), so that parts of any size give what the whole gives. The others' sum never contains the target's term.
"""

from dataclasses import dataclass, replace
from typing import Any

from keras import ops

_WIDE, _PLACES = 2**18, 2**31
"""Classes, and numbers B c where B is known, from which a flat place may not fit int32 (2**18 of 8,191 rows do)."""


@dataclass(frozen=True)
class Part:
    """Consecutive classes, `first` being the class of column 0."""

    values: Any
    """[B, c], similarities or logits."""
    labels: Any
    """int32 [B], the target classes, which this part need not hold."""
    first: int = 0
    bias: Any = None
    """[c], added to the logits; None where the loss has none."""

    def map(self, function):
        """Returns the part with `function(values)`."""
        return replace(self, values=function(self.values))

    def columns(self):
        """Returns (int32 [B], column of the target or some column, bool [B], whether the target is here)."""
        places = self.labels - self.first
        is_here = ops.logical_and(places >= 0, places < self.values.shape[1])
        return ops.where(is_here, places, 0), is_here

    def others(self):
        """[B, c], -inf in the target's column."""
        columns = ops.arange(self.first, self.first + self.values.shape[1], dtype="int32")
        is_target = ops.equal(ops.expand_dims(self.labels, 1), ops.expand_dims(columns, 0))
        return ops.where(is_target, float("-inf"), self.values)

    def target(self):
        """[B], the target's value, 0 where it is not here.

        By one flat place a row: places along an axis take more memory, a mask [B, c] three times as much.
        """
        columns, is_here = self.columns()
        width = self.values.shape[1]
        if width >= _WIDE or width * (self.values.shape[0] or 0) >= _PLACES:
            found = ops.take_along_axis(self.values, ops.expand_dims(columns, 1), axis=1)[:, 0]
        else:
            places = ops.arange(ops.shape(columns)[0], dtype="int32") * width + columns
            found = ops.take(ops.reshape(self.values, (-1,)), places)
        return ops.where(is_here, found, 0.0)

    def target_bias(self):
        """[B], the target's bias, 0 where it is not here or there is none."""
        if self.bias is None:
            return 0.0
        columns, is_here = self.columns()
        return ops.where(is_here, ops.take(self.bias, columns), 0.0)


def target_of(parts):
    """Parts -> [B], each row's value in its target's column; 0 where no part holds the target."""
    return sum(each.target() for each in parts)


def count_reaching(parts, bar):
    """Parts, [B] -> [B], how many values are not below a row's bar."""
    return sum(ops.sum(ops.cast(each.values >= ops.expand_dims(bar, 1), bar.dtype), axis=1) for each in parts)


def largest(others):
    """List of [B, c] -> [B], the largest of all; -inf where there is no other class."""
    peaks = [ops.max(each, axis=1) for each in others]
    found = peaks[0]
    for peak in peaks[1:]:
        found = ops.maximum(found, peak)
    return found


def log_sum_exp(others, peak):
    """List of [B, c], their largest [B] -> [B], log of the sum of exp.

    The largest is taken out before exp and has no gradient of its own. NaN goes through; without another class the
    result is -inf, with gradient 0.
    """
    peak = ops.stop_gradient(peak)
    peak = ops.where(ops.equal(peak, float("-inf")), 0.0, peak)
    total = sum(ops.sum(ops.exp(each - ops.expand_dims(peak, 1)), axis=1) for each in others)
    is_alone = ops.equal(total, 0.0)
    return ops.where(is_alone, float("-inf"), peak + ops.log(ops.where(is_alone, 1.0, total)))


def softplus_sum(others, peak):
    """List of [B, c] -> [B], sum of softplus."""
    return sum(ops.sum(ops.softplus(each), axis=1) for each in others)


SUMS = {"log_sum_exp": log_sum_exp, "softplus_sum": softplus_sum}
