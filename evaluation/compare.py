"""Are two models different on one benchmark? Paired tests: both have scored the same pairs.

The exact sign-flip test over folds decides, since pairs share people and folds do not; McNemar's test, which takes the
pairs for independent, is stated beside it. Where more than two models are compared, Holm's correction counts every
pair of models: the best one was found by the same numbers, so a correction for its own comparisons would be too small.
"""

import itertools
import math
from fractions import Fraction

import numpy as np
from scipy.special import bdtr

from evaluation.interval import resampled

LEVEL = 0.05
_MOST_FOLDS = 16     # 65,536 sign patterns
_NUM_DRAWS = 10_000


def compare(scored):
    """Compares models on one benchmark.

    Args:
        scored: dict of label -> Scored (`evaluation.benchmark`), at least two, all of one benchmark.

    Returns:
        A dict for JSON: benchmark, digest, num_folds; best (the label of the highest accuracy, the first of equals);
        models (label -> accuracy, interval95, model_sha256); level, smallest_p (of the sign-flip test), num_tests,
        note (a sentence where the folds cannot decide, else ""); pairs, one entry a pair of models: first and second
        (labels), accuracy_difference (first - second) with interval95, p_sign_flip and p_holm (None where there are
        too many folds), mcnemar (only_first, only_second: pairs that one alone decides rightly; p), tar (far,
        difference, interval95). The intervals are from 10,000 draws of folds with replacement.

    Raises:
        ValueError: fewer than two models, or not all of one benchmark.
    """
    results = {label: one.result for label, one in scored.items()}
    _check_comparable(results)
    folds = {label: one.folds for label, one in scored.items()}
    num_folds = len(next(iter(folds.values())).correct)
    draws = np.random.default_rng(0).multinomial(num_folds, np.full(num_folds, 1 / num_folds), _NUM_DRAWS)
    tars = {label: _resampled_tars(one, draws) for label, one in scored.items()}
    is_right = {label: one.is_right for label, one in scored.items()}
    pairs = [{"first": a, "second": b, **_accuracy(folds[a], folds[b], draws),
              "mcnemar": _discordant(is_right[a], is_right[b]), "tar": _tar_differences(tars[a], tars[b])}
             for a, b in itertools.combinations(scored, 2)]
    if num_folds <= _MOST_FOLDS:
        for pair, adjusted in zip(pairs, holm([pair["p_sign_flip"] for pair in pairs]), strict=True):
            pair["p_holm"] = adjusted
    first = next(iter(results.values()))
    return {
        "benchmark": first["benchmark"], "digest": first["digest"], "num_folds": num_folds,
        "best": max(results, key=lambda label: results[label]["accuracy"]),
        "models": {label: {name: result.get(name) for name in ("accuracy", "interval95", "model_sha256")}
                   for label, result in results.items()},
        "level": LEVEL, "smallest_p": 2 / 2 ** num_folds, "num_tests": len(pairs), "note": _note(num_folds, len(pairs)),
        "pairs": pairs,
    }


def sign_flip(differences):
    """Exact two-sided sign-flip test: the share of all 2^F patterns of signs with a sum as far from 0 as the found one.

    Args:
        differences: F numbers, 1 to 16, taken exactly (int, Fraction; a float counts as the fraction that it is).

    Returns:
        p, at least 2 / 2^F; 1 where all differences are 0.
    """
    if not 1 <= len(differences) <= _MOST_FOLDS:
        raise ValueError(f"there are {len(differences)} differences, expected 1 to {_MOST_FOLDS}: one a fold, and all "
                         f"patterns of their signs are counted")
    fractions = [Fraction(value) for value in differences]
    scale = math.lcm(*(value.denominator for value in fractions))
    sums = np.array([0], object)   # of Python's integers: folds of many sizes have a large common denominator
    for value in fractions:
        step = int(value * scale)
        sums = np.concatenate([sums + step, sums - step])
    return int((abs(sums) >= abs(sums[0])).sum()) / len(sums)


def mcnemar(only_first, only_second):
    """Exact two-sided McNemar test of the counts of pairs that one model alone decides rightly; 1 where both are 0."""
    total = only_first + only_second
    return min(1.0, 2 * float(bdtr(min(only_first, only_second), total, 0.5))) if total else 1.0


def holm(values):
    """Holm's correction: p-values -> adjusted ones in the same order, each at most 1."""
    adjusted, largest = [0.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=lambda place: values[place])):
        largest = max(largest, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = largest
    return adjusted


def _check_comparable(results):
    if len(results) < 2:
        raise ValueError(f"there is {len(results)} model, expected at least two to compare")
    digests = {label: result["digest"] for label, result in results.items()}
    if len(set(digests.values())) > 1:
        raise ValueError(f"models are compared on one benchmark, but they were evaluated on several: "
                         f"{', '.join(f'{label} on {digest[:8]}' for label, digest in digests.items())}")


def _accuracy(first, second, draws):
    """The difference of two Folds' accuracies, with its interval and test."""
    exact = [Fraction(int(a) - int(b), int(count))
             for a, b, count in zip(first.correct, second.correct, first.num_pairs, strict=True)]
    differences = np.array(exact, np.float64)
    return {"accuracy_difference": float(differences.mean()),
            "interval95": _interval(draws @ differences / len(differences)),
            "p_sign_flip": sign_flip(exact) if len(exact) <= _MOST_FOLDS else None, "p_holm": None}


def _discordant(first, second):
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    return {"only_first": only_first, "only_second": only_second, "p": mcnemar(only_first, only_second)}


def _resampled_tars(one, draws):
    """Maps each FAR that the impostor pairs can show to the TAR and its draws [B]."""
    points = [point for point in one.result["tar"] if point["allowed"] >= 1]
    drawn = resampled(one.scores, one.pairs.same, one.pairs.fold, draws, fars=[point["far"] for point in points])[2:]
    return {point["far"]: (point["tar"], tars) for point, tars in zip(points, drawn, strict=True)}


def _tar_differences(first, second):
    return [{"far": far, "difference": first[far][0] - second[far][0],
             "interval95": _interval(first[far][1] - second[far][1])} for far in first if far in second]


def _interval(draws):
    return [float(value) for value in np.quantile(draws, [0.025, 0.975])]


def _note(num_folds, num_tests):
    if num_folds > _MOST_FOLDS:
        return (f"{num_folds} folds are too many for the exact sign-flip test, which counts 2^{_MOST_FOLDS} patterns "
                f"at most: no difference is decided here; number the pairs in {_MOST_FOLDS} folds at most")
    least = min(1.0, num_tests * 2 / 2 ** num_folds)
    if least >= LEVEL:
        return (f"{num_folds} folds cannot show a difference of {'two models' if num_tests == 1 else 'these models'}: "
                f"the smallest p of the sign-flip test is {least:.2g}"
                f"{'' if num_tests == 1 else f', corrected for {num_tests} pairs of models'}; number the pairs in more "
                f"folds, ten for example, or compare fewer models")
    return ""
