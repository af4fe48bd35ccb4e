"""Verification metrics of arrays: they know nothing of models or files.

A score is a similarity, a pair is accepted where `score >= threshold`. Candidate thresholds are the distinct finite
scores and +inf ("reject all"). Counts are integers and are compared as such. The scores -inf (never accepted) and
+inf (always accepted) are allowed: so a pair of which a photograph is unreadable counts as wrong at every threshold.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np


@dataclass(frozen=True)
class Roc:
    """What every threshold accepts, from strict to lax."""

    thresholds: np.ndarray
    """float64 [T], falling, the first is +inf."""
    false_accepts: np.ndarray
    """int64 [T]: impostor pairs at or above the threshold."""
    true_accepts: np.ndarray
    """int64 [T]: genuine pairs at or above the threshold."""
    num_genuine: int
    """At least 1."""
    num_impostor: int
    """At least 1."""


@dataclass(frozen=True)
class OperatingPoint:
    """The laxest threshold that keeps a stated FAR."""

    far: float
    """The FAR asked for."""
    allowed: int
    """floor(far * impostors): the false accepts that it permits; 0 means that the pairs cannot show this FAR."""
    false_accepts: int
    """Impostors accepted; equal scores stand or fall together, so it may be below `allowed`. It is above `allowed`
    only where more impostor pairs than that are unreadable."""
    true_accepts: int
    """Genuine pairs accepted."""
    threshold: float
    """+inf where nothing may be accepted."""
    num_genuine: int
    """Genuine pairs."""
    num_impostor: int
    """Impostor pairs."""

    @property
    def tar(self):
        """Share of genuine pairs accepted."""
        return self.true_accepts / self.num_genuine


@dataclass(frozen=True)
class Folds:
    """Accuracy of each of K folds, at the threshold fitted on the others."""

    thresholds: np.ndarray
    """float64 [K]"""
    correct: np.ndarray
    """int64 [K]: pairs of the fold decided rightly."""
    num_pairs: np.ndarray
    """int64 [K]"""

    @property
    def accuracies(self):
        """float64 [K]."""
        return self.correct / self.num_pairs

    @property
    def accuracy(self):
        """Mean over folds."""
        return float(self.accuracies.mean())

    @property
    def std_ddof0(self):
        """Standard deviation over folds, divided by K (what facenet and insightface print after "+-")."""
        return float(self.accuracies.std())

    @property
    def std_ddof1(self):
        """Standard deviation over folds, divided by K - 1."""
        return float(self.accuracies.std(ddof=1))

    @property
    def standard_error(self):
        """std_ddof1 / sqrt(K): LFW's own "mean +- S_E"."""
        return self.std_ddof1 / len(self.correct) ** 0.5


def roc(scores, same):
    """Counts accepted pairs at every candidate threshold.

    Args:
        scores: float [P].
        same: bool [P], True for genuine pairs.

    Raises:
        ValueError: shapes that disagree, a NaN, or pairs of one kind only.
    """
    scores, same = _checked(scores, same)
    finite = np.unique(scores[np.isfinite(scores)])
    thresholds = np.concatenate([[np.inf], finite[::-1]])
    return Roc(thresholds, num_at_least(scores[~same], thresholds), num_at_least(scores[same], thresholds),
               int(same.sum()), int((~same).sum()))


def best_threshold(curve):
    """Fits a threshold: the lowest among those with the most correct pairs.

    Returns:
        (threshold, number of correct pairs). Tested on the same pairs, the accuracy is too good.
    """
    correct = curve.true_accepts + (curve.num_impostor - curve.false_accepts)
    lowest = np.flatnonzero(correct == correct.max())[-1]
    return float(curve.thresholds[lowest]), int(correct[lowest])


def k_fold(scores, same, fold, *, fitting=None):
    """Decides each fold's pairs at the threshold that `best_threshold` finds on all other folds.

    Args:
        scores: float [P].
        same: bool [P].
        fold: int [P], any numbers.
        fitting: float [K, P], where the scores themselves are fitted on the other folds: row k holds the scores of all
            pairs for the k-th fold, whose threshold is found on them. None takes `scores` for all.

    Returns:
        Folds, in rising order of the fold's number.

    Raises:
        ValueError: fewer than two folds, or a fold with pairs of one kind only.
    """
    scores, same = _checked(scores, same)
    fold = np.asarray(fold)
    if fold.shape != scores.shape:
        raise ValueError(f"fold has shape {fold.shape}, expected {scores.shape} like the scores")
    check_folds(same, fold)
    numbers = np.unique(fold)
    thresholds, correct = [], []
    for place, number in enumerate(numbers):
        is_test = fold == number
        known = scores if fitting is None else fitting[place]
        threshold, _ = best_threshold(roc(known[~is_test], same[~is_test]))
        thresholds.append(threshold)
        correct.append(_num_correct(scores[is_test], same[is_test], threshold))
    counts = np.array([(fold == number).sum() for number in numbers], np.int64)
    return Folds(np.array(thresholds), np.array(correct, np.int64), counts)


def check_folds(same, fold):
    """Raises ValueError unless there are two folds at least, each with genuine and impostor pairs."""
    numbers = np.unique(fold)
    if len(numbers) < 2:
        raise ValueError(f"all {len(same)} pairs are in one fold, but the threshold of a fold comes from the others; "
                         f"number the pairs in folds, ten of them with disjoint people, in the column fold of the "
                         f"pair list, and align again")
    for number in numbers:
        _check_both_kinds(same[fold == number], f"fold {number}")


def tar_at_far(curve, far):
    """Finds the lowest threshold with at most floor(far * impostors) false accepts; no interpolation.

    Args:
        curve: a Roc.
        far: 0 to 1.
    """
    allowed = num_allowed(far, curve.num_impostor)
    # The first point accepts nothing but unreadable impostor pairs, which nothing can reject.
    place = max(int(np.searchsorted(curve.false_accepts, allowed, side="right")) - 1, 0)
    return OperatingPoint(float(far), allowed, int(curve.false_accepts[place]), int(curve.true_accepts[place]),
                          float(curve.thresholds[place]), curve.num_genuine, curve.num_impostor)


def num_allowed(far, num_impostor):
    """Returns floor(far * impostors), exactly: a float counts as the decimal fraction that it is written as."""
    share = Fraction(str(far))
    if not 0 <= share <= 1:
        raise ValueError(f"far is {far!r}, expected a share from 0 to 1")
    return share.numerator * num_impostor // share.denominator


def auc(curve):
    """Area under the ROC: the share of (genuine, impostor) couples in right order, ties half; an exact fraction."""
    doubled = np.diff(curve.false_accepts) * (curve.true_accepts[:-1] + curve.true_accepts[1:])
    return float(Fraction(int(doubled.sum()), 2 * curve.num_genuine * curve.num_impostor))


def eer(curve):
    """Equal error rate: at the first ROC point, from strict to lax, with FAR >= FRR.

    Where both are equal it is that value, else linearly interpolated between that point and the one before.
    """
    genuine, impostor = curve.num_genuine, curve.num_impostor
    # FAR - FRR times genuine * impostor: an integer that rises along the curve, from at most 0.
    excess = curve.false_accepts * genuine - (genuine - curve.true_accepts) * impostor
    place = int(np.flatnonzero(excess >= 0)[0])
    if excess[place] == 0:
        return float(curve.false_accepts[place] / impostor)
    under, over = -int(excess[place - 1]), int(excess[place])
    first, second = (Fraction(int(curve.false_accepts[i]), impostor) for i in (place - 1, place))
    return float(first + (second - first) * Fraction(under, under + over))


def tar_in_folds(scores, same, fold, far):
    """TAR of each fold at a threshold from the fold's own pairs (so it flatters where few false accepts are allowed).

    Args:
        scores: float [P].
        same: bool [P].
        fold: int [P].
        far: 0 to 1.

    Returns:
        A list of OperatingPoints in rising order of the fold's number; None where a fold's impostor pairs cannot
        show the FAR (k = 0).
    """
    scores, same, fold = np.asarray(scores), np.asarray(same, bool), np.asarray(fold)
    points = [tar_at_far(roc(scores[fold == number], same[fold == number]), far) for number in np.unique(fold)]
    return points if all(point.allowed >= 1 for point in points) else None


def d_prime(scores, same):
    """Distance of the mean scores in common deviations: (mean_g - mean_i) / sqrt((var_g + var_i) / 2), ddof 1.

    Pairs of unreadable photographs (infinite scores) are left out.

    Returns:
        A float, or None where it has no meaning: no spread, or fewer than two pairs of a kind.
    """
    scores, same = _checked(scores, same)
    genuine, impostor = (np.sort(scores[is_kind & np.isfinite(scores)]) for is_kind in (same, ~same))
    if min(len(genuine), len(impostor)) < 2:
        return None
    spread = np.sqrt((genuine.var(ddof=1) + impostor.var(ddof=1)) / 2)
    least = np.finfo(np.float64).eps * max(abs(genuine).max(), abs(impostor).max())   # equal scores, rounded
    return float((genuine.mean() - impostor.mean()) / spread) if spread > least else None


def staircase(curve):
    """Thins a Roc to the points where TAR as a function of FAR rises, with its end, for drawing and keeping.

    Returns:
        (false_accepts, true_accepts): int64 [S] each; between two points the curve is level.
    """
    is_last = np.append(np.diff(curve.false_accepts) > 0, True)   # the most true accepts at this many false ones
    false_accepts, true_accepts = curve.false_accepts[is_last], curve.true_accepts[is_last]
    keep = np.append(True, np.diff(true_accepts) > 0)
    keep[-1] = True
    return false_accepts[keep], true_accepts[keep]


def num_at_least(scores, thresholds):
    """Counts the scores at or above each threshold: [P], [T] -> int64 [T]."""
    return (len(scores) - np.searchsorted(np.sort(scores), thresholds, side="left")).astype(np.int64)


def _num_correct(scores, same, threshold):
    # A genuine -inf is rejected and an impostor +inf accepted at every threshold, +inf included.
    return int(((scores >= threshold) == same).sum())


def _checked(scores, same):
    scores, same = np.asarray(scores, np.float64), np.asarray(same)
    if scores.ndim != 1 or same.shape != scores.shape:
        raise ValueError(f"scores have shape {scores.shape} and same {same.shape}, expected [P] both")
    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} of {len(scores)} scores are NaN; a NaN would be rejected in "
                         f"silence, so find the embeddings that gave it")
    same = same.astype(bool)
    _check_both_kinds(same, "the list")
    return scores, same


def _check_both_kinds(same, where):
    genuine, impostor = int(same.sum()), int((~same).sum())
    if not genuine or not impostor:
        raise ValueError(f"{where} has {genuine} genuine and {impostor} impostor pairs, expected both kinds; is the "
                         f"pair list in another order than its folds?")
