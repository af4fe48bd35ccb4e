"""Uncertainty: by folds, by the people that pairs share, and by folds drawn anew where no formula serves."""

from fractions import Fraction

import numpy as np
from scipy.special import ndtri, stdtrit

from base.mix import generator
from evaluation import metrics


def fold_interval(accuracies, *, level=0.95):
    """Confidence interval of the mean of person-disjoint folds: mean +- t * std_ddof1 / sqrt(K), K - 1 degrees.

    Args:
        accuracies: float [K], K at least 2; with ten folds t is 2.262 at level 0.95.
        level: share of intervals that cover the truth, between 0 and 1.

    Returns:
        (low, high), cut to [0, 1]. With very few errors it is too narrow: where all folds agree its width is 0. Folds
        share most of the pairs that their thresholds came from, which the formula does not know: on LFW's pair graph
        it covers about 93 % instead of 95 % (benchmarks/evaluation.py).
    """
    accuracies = np.asarray(accuracies, np.float64)
    if accuracies.ndim != 1 or len(accuracies) < 2:
        raise ValueError(f"accuracies have shape {accuracies.shape}, expected those of at least two folds")
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}, expected a share between 0 and 1")
    count = len(accuracies)
    half = stdtrit(count - 1, (1 + level) / 2) * accuracies.std(ddof=1) / count ** 0.5
    return max(0.0, float(accuracies.mean() - half)), min(1.0, float(accuracies.mean() + half))


def person_variance(is_error, people):
    """Variance of a rate of errors over pairs that share people (person-robust, "sandwich").

    With u = error - rate it is the sum of u_e u_f over all ordered couples of pairs that share a person, e = f
    included, divided by m^2; where that is below the binomial variance, as on tiny sets, it is the latter.

    Args:
        is_error: bool [m].
        people: int [m, 2], the persons of each pair; equal in a genuine pair.

    Raises:
        ValueError: no pairs, or shapes that disagree.
    """
    is_error, people = np.asarray(is_error, np.int64), np.asarray(people)
    if people.shape != (len(is_error), 2) or not len(is_error):
        raise ValueError(f"people have shape {people.shape}, expected [{len(is_error)}, 2] with at least one pair")
    rate, count = is_error.mean(), len(is_error)
    rest = is_error * count - is_error.sum()   # m u: whole numbers, so that the order of the pairs changes no bit
    is_two = people[:, 0] != people[:, 1]
    _, person = np.unique(people, return_inverse=True)
    person = person.reshape(people.shape)
    of_person = np.bincount(person[:, 0], rest, minlength=person.max() + 1)
    of_person += np.bincount(person[is_two, 1], rest[is_two], minlength=person.max() + 1)
    # Two pairs of the same two persons are counted once with each of them: one of the two is taken off again.
    couples = np.sort(person[is_two], axis=1)
    couple = np.unique(couples[:, 0] * (person.max() + 1) + couples[:, 1], return_inverse=True)[1]
    of_couple = np.bincount(couple, rest[is_two]) if is_two.any() else np.zeros(0)
    variance = ((of_person ** 2).sum() - (of_couple ** 2).sum()) / count ** 4
    return max(float(variance), float(rate * (1 - rate) / count))


def person_interval(is_right, people, *, level=0.95):
    """Confidence interval of the share of right pairs by `person_variance` and the normal distribution.

    The thresholds are taken as given. Arguments as there; `level` and cut as in `fold_interval`.
    """
    share = float(np.mean(is_right))
    half = ndtri((1 + level) / 2) * person_variance(~np.asarray(is_right, bool), people) ** 0.5
    return max(0.0, share - half), min(1.0, share + half)


def fold_bootstrap(scores, same, fold, *, fars, rounds=1000, level=0.95, seed=0):
    """Percentile intervals of AUC, EER and TAR over folds drawn anew with replacement (pooled in each round).

    Folds and not pairs are drawn, since only folds share nobody. Ten units give a slightly short interval.

    Args:
        scores: float [P].
        same: bool [P].
        fold: int [P].
        fars: rates to state TAR at, each with floor(far * impostors of the round) false accepts.
        rounds: draws.
        level: share between the two percentiles, between 0 and 1.
        seed: of the draws; they are a function of it, of rounds and of the number of folds.

    Returns:
        A dict: auc and eer (low, high), tar a list of (low, high) in the order of `fars`.
    """
    count = len(np.unique(fold))
    weights = generator(seed, "folds", rounds, count).multinomial(count, np.full(count, 1 / count), size=rounds)
    found = resampled(scores, same, fold, weights, fars=fars)
    tails = [(1 - level) / 2, (1 + level) / 2]
    limits = np.quantile(found, tails, axis=1).T.tolist()
    return {"auc": limits[0], "eer": limits[1], "tar": limits[2:]}


def resampled(scores, same, fold, weights, *, fars):
    """AUC, EER and TAR of benchmarks that are made of drawn folds, each with its own thresholds.

    Args:
        scores: float [P].
        same: bool [P].
        fold: int [P], K different numbers.
        weights: int [R, K], how often a round has each fold, in rising order of the fold's number.
        fars: rates to state TAR at, each with floor(far * impostors of the round) false accepts.

    Returns:
        float64 [2 + len(fars), R]: AUC, EER, then the TARs.
    """
    scores, same, fold = np.asarray(scores, np.float64), np.asarray(same, bool), np.asarray(fold)
    thresholds = metrics.roc(scores, same).thresholds
    numbers = np.unique(fold)
    impostor, genuine = (np.stack([metrics.num_at_least(scores[(fold == number) & is_kind], thresholds)
                                   for number in numbers]) for is_kind in (~same, same))
    sizes = np.array([[((fold == number) & is_kind).sum() for number in numbers] for is_kind in (~same, same)])
    return _pooled(weights.T, impostor, genuine, weights @ sizes[0], weights @ sizes[1], fars)


def _pooled(weights, impostor, genuine, num_impostor, num_genuine, fars):
    """AUC, EER and TARs of R weightings of K folds: int [K, R], [K, T], [K, T], [R], [R] -> [2 + len(fars), R].

    Points of a round's curve are found by bisection, since all T points of all rounds would take a second.
    """
    def accepts(counts, place):
        return (weights * counts[:, place]).sum(axis=0)

    def excess(place):   # of FAR over FRR, times both numbers of pairs; as in `metrics.eer`
        return accepts(impostor, place) * num_genuine - (num_genuine - accepts(genuine, place)) * num_impostor

    # The area is bilinear in the weights: one K x K table of areas serves all rounds.
    areas = np.diff(impostor) @ (genuine[:, :-1] + genuine[:, 1:]).T
    rows = [(weights * (areas @ weights)).sum(axis=0) / (2 * num_impostor * num_genuine)]
    num_points, shape = impostor.shape[1], num_impostor.shape
    place = _first(lambda place: excess(place) >= 0, num_points, shape)
    before = np.maximum(place - 1, 0)
    under, over = -excess(before), excess(place)
    part = np.divide(under, under + over, out=np.zeros(shape), where=under + over > 0)
    first, second = accepts(impostor, before), accepts(impostor, place)
    rows.append((first + (second - first) * part) / num_impostor)
    for far in fars:
        exact = Fraction(str(far))
        allowed = exact.numerator * num_impostor // exact.denominator
        after = _first(lambda place, allowed=allowed: accepts(impostor, place) > allowed, num_points, shape)
        rows.append(accepts(genuine, np.maximum(after - 1, 0)) / num_genuine)
    return np.stack(rows)


def _first(is_reached, count, shape):
    """The first place below `count` where a condition that stays once it holds does so; `count` where it never does."""
    low, high = np.zeros(shape, np.int64), np.full(shape, count)
    while (low < high).any():
        middle = (low + high) // 2
        is_here = is_reached(np.minimum(middle, count - 1)) | (middle >= count)
        low, high = np.where(is_here, low, middle + 1), np.where(is_here, middle, high)
    return low
