"""Verification counts of more pairs than memory holds: exact, with the memory of one block of scores.

A *walk* is anything that can be walked over again and again and gives blocks `(scores, same)`, float [n] and bool [n],
the same each time: `AllPairs` (every row of one array against every row of another, or all pairs of the rows of one),
or a list with one block. Scores count as float32 and are never kept; counts are int64. The thresholds are those of
`evaluation.metrics.tar_at_far` on all scores at once.

A float32 is an integer of 32 bits in the same order. One walk counts the pairs by the upper 16 bits, a second one, in
the few bins where a threshold lies, by the lower 16: so two walks find any number of thresholds exactly, ties included,
and memory does not depend on the number of pairs.
"""

from dataclasses import dataclass

import numpy as np

from evaluation.metrics import OperatingPoint, num_allowed

_HALF = 1 << 16
_ROWS, _COLUMNS = 512, 4096   # a block of 2 million scores, 8 MB


@dataclass(frozen=True)
class AllPairs:
    """A walk over the pairs of all rows of `a` with all rows of `b`; where `b` is None, over the pairs i < j of `a`."""

    a: np.ndarray
    """Unit rows, float [N, E]."""
    labels_a: np.ndarray
    """int [N]: a pair with equal labels is genuine."""
    b: np.ndarray | None = None
    """Unit rows, float [M, E]."""
    labels_b: np.ndarray | None = None
    """int [M]"""

    def __iter__(self):
        is_triangle = self.b is None
        a = np.ascontiguousarray(self.a, np.float32)
        b = a if is_triangle else np.ascontiguousarray(self.b, np.float32)
        labels_a, labels_b = np.asarray(self.labels_a), np.asarray(self.labels_a if is_triangle else self.labels_b)
        for row in range(0, len(a), _ROWS):
            rows = slice(row, row + _ROWS)
            for column in range(row if is_triangle else 0, len(b), _COLUMNS):
                columns = slice(column, column + _COLUMNS)
                scores, same = a[rows] @ b[columns].T, labels_a[rows, None] == labels_b[columns]
                if is_triangle and column < row + _ROWS:
                    above = np.arange(len(a))[rows, None] < np.arange(len(b))[columns]
                    scores, same = scores[above], same[above]
                yield scores.ravel(), same.ravel()


def operating_points(walk, fars):
    """Finds for every FAR the lowest threshold that keeps it, and counts what it accepts; walks twice.

    Args:
        walk: blocks of (scores, same); -inf (never accepted) and +inf (always accepted) are allowed.
        fars: rates from 0 to 1.

    Returns:
        A list of `evaluation.metrics.OperatingPoint`, in the order of `fars`.

    Raises:
        ValueError: a NaN, pairs of one kind only, or blocks that differ between the walks.
    """
    coarse = np.zeros((2, _HALF), np.int64)   # impostor and genuine pairs by the upper half
    for scores, same in walk:
        upper = _keys(scores) >> 16
        _count(coarse, upper, same)
    impostors, genuine = (int(count) for count in coarse.sum(axis=1))
    if not genuine or not impostors:
        raise ValueError(f"the list has {genuine:,} genuine and {impostors:,} impostor pairs, expected both kinds")
    allowed = [num_allowed(far, impostors) for far in fars]
    fine = _refine(walk, coarse, _bins(coarse, allowed))
    return [_point(far, k, coarse, fine) for far, k in zip(fars, allowed, strict=True)]


def counts_at(walk, thresholds):
    """Counts the pairs at or above given thresholds, in one walk.

    Args:
        walk: blocks of (scores, same).
        thresholds: float [T].

    Returns:
        (false_accepts, true_accepts): int64 [T] each.
    """
    thresholds = np.asarray(thresholds, np.float64)
    counts = np.zeros((2, len(thresholds)), np.int64)
    for scores, same in walk:
        scores = _checked(scores)
        for place, threshold in enumerate(thresholds):
            accepted = scores >= threshold   # a float32 beside a float64 is compared as one
            num_true = int(np.count_nonzero(accepted & same))
            counts[:, place] += int(np.count_nonzero(accepted)) - num_true, num_true
    return counts[0], counts[1]


def _checked(scores):
    scores = np.asarray(scores, np.float32)
    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} of {len(scores)} scores are NaN; a NaN would be rejected in "
                         f"silence, so find the embeddings that gave it")
    return scores


def _keys(scores):
    """Scores [n] -> int64 [n], from 0 to 2^32 - 1, in the same order."""
    bits = (_checked(scores) + np.float32(0)).view(np.int32)   # the sum makes +0 of -0, which is equal
    ordered = bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF))
    return ordered.astype(np.int64) + (1 << 31)


def _value(key):
    """The float that `_keys` makes `key` of."""
    ordered = np.int64(key) - (1 << 31)
    bits = np.array([ordered if ordered >= 0 else ordered ^ 0x7FFFFFFF]).astype(np.int32)
    return float(bits.view(np.float32)[0])


_FINITE = tuple(int(_keys([value])[0]) for value in (np.finfo(np.float32).min, np.finfo(np.float32).max))


def _count(counts, numbers, same):
    """Adds to counts [2, n] how often each number comes with an impostor and with a genuine pair."""
    all_of_them = np.bincount(numbers, minlength=counts.shape[1])
    genuine = np.bincount(numbers[same], minlength=counts.shape[1])
    counts[0] += all_of_them - genuine
    counts[1] += genuine


def _bins(coarse, allowed):
    """The upper halves in which thresholds lie: that of the first impostor to refuse, and the next one in use."""
    used, bins = np.flatnonzero(coarse.sum(axis=0)), set()
    for k in allowed:
        refused = _largest_with_more(coarse[0], k)
        above = used[used > refused]
        # The lowest bins may hold infinities alone, which are no thresholds; then one more is needed.
        bins |= {refused, *above[:2].tolist()} - {-1}
    return sorted(bins)


def _largest_with_more(counts, k):
    """The largest number such that more than k stand at or above it; -1 where there are no more than k at all."""
    from_above = np.cumsum(counts[::-1])
    place = int(np.searchsorted(from_above, k, side="right"))
    return len(counts) - 1 - place if place < len(counts) else -1


def _refine(walk, coarse, bins):
    """Counts by lower half within some bins: a dict of bin -> int64 [2, 2^16]."""
    slots = np.full(_HALF, -1, np.int64)
    slots[bins] = np.arange(len(bins))
    counts = np.zeros((2, len(bins) * _HALF), np.int64)
    for scores, same in walk:
        keys = _keys(scores)
        slot = slots[keys >> 16]
        is_in = slot >= 0
        _count(counts, slot[is_in] * _HALF + (keys[is_in] & (_HALF - 1)), same[is_in])
    fine = dict(zip(bins, counts.reshape(2, len(bins), _HALF).swapaxes(0, 1), strict=True))
    if any((fine[number].sum(axis=1) != coarse[:, number]).any() for number in bins):
        raise ValueError("the blocks of the second walk have other scores than those of the first; make the walk give "
                         "the same blocks each time")
    return fine


def _point(far, k, coarse, fine):
    """The operating point that allows k impostors."""
    refused = _largest_with_more(coarse[0], k)
    if refused >= 0:
        over = int(coarse[0, refused + 1:].sum())
        refused_key = refused * _HALF + _largest_with_more(fine[refused][0], k - over)
    else:
        refused_key = -1
    key = _lowest_above(max(refused_key, _FINITE[0] - 1), fine)
    # Above all finite scores only those stand that nothing can reject.
    threshold, key = (_value(key), key) if key <= _FINITE[1] else (float("inf"), _FINITE[1] + 1)
    upper, lower = divmod(key, _HALF)
    counts = coarse[:, upper + 1:].sum(axis=1)
    counts = counts + (fine[upper][:, lower:].sum(axis=1) if upper in fine else 0)
    impostors, genuine = coarse.sum(axis=1)
    return OperatingPoint(float(far), k, int(counts[0]), int(counts[1]), threshold, int(genuine), int(impostors))


def _lowest_above(key, fine):
    """The lowest key in use above `key`, within the refined bins."""
    found = [number * _HALF + int(lower) for number, counts in fine.items()
             for lower in np.flatnonzero(counts.sum(axis=0)) if number * _HALF + lower > key]
    return min(found, default=1 << 32)
