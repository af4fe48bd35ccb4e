import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import interval, metrics
from evaluation.interval import fold_interval, resampled

GOLDEN = json.loads((Path(__file__).parent.parent / "goldens" / "evaluation.json").read_text())


def test_ten_folds_take_the_t_of_nine_degrees():
    expect = GOLDEN["sets"]["B600"]["expect"]["kfold"]
    low, high = fold_interval([row["accuracy"] for row in expect["per_fold"]])
    half = 2.2621571628540993 * expect["standard_error"]   # a table of Student's t: 9 degrees, two sides, 5 %
    assert low == pytest.approx(expect["mean"] - half, abs=1e-12)
    assert high == pytest.approx(expect["mean"] + half, abs=1e-12)


def test_two_folds_by_hand():
    low, high = fold_interval([0.4, 0.6], level=0.5)   # t of 1 degree at 0.75 is 1; S_E = 0.1
    assert (low, high) == (pytest.approx(0.4), pytest.approx(0.6))


def test_it_is_cut_to_rates_and_has_no_width_without_spread():
    assert fold_interval([1.0, 0.9])[1] == 1
    assert fold_interval([0.0, 0.1])[0] == 0
    assert fold_interval(np.full(10, 0.5)) == (0.5, 0.5)


@pytest.mark.parametrize("accuracies", [[0.9], [[0.1, 0.2]], []])
def test_too_few_folds(accuracies):
    with pytest.raises(ValueError, match="at least two folds"):
        fold_interval(accuracies)


def test_a_level_out_of_range():
    with pytest.raises(ValueError, match="level is 95"):
        fold_interval([0.1, 0.2], level=95)


def golden(name):
    kept = GOLDEN["sets"][name]["data"]
    return (np.array(kept["scores"]) / kept["scale"], np.array(kept["same"]) == 1, np.array(kept["folds"]),
            np.array(kept.get("people")))


def brute_variance(is_error, people):
    rest = np.array(is_error, float) - np.mean(is_error)
    shares = [[len({*first} & {*second}) > 0 for second in people] for first in people]
    return float(rest @ np.array(shares, float) @ rest) / len(rest) ** 2


@pytest.mark.parametrize(("kind", "name"), [(False, "far"), (True, "frr")])
def test_person_variance_of_the_golden(kind, name):
    expect = GOLDEN["statistics"]["person_sandwich"]
    scores, same, _, people = golden(expect["set"])
    is_error = ((scores >= expect["threshold"]) != same)[same == kind]
    assert is_error.mean() == pytest.approx(expect[name]["rate"])
    larger = max(expect[name]["variance"], expect[name]["binomial_variance"])
    assert interval.person_variance(is_error, people[same == kind]) == pytest.approx(larger)
    assert brute_variance(is_error, people[same == kind]) == pytest.approx(expect[name]["variance"])


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=40))
@settings(max_examples=200, deadline=None)
def test_person_variance_against_all_couples(pairs):
    is_error, people = [error for error, *_ in pairs], [persons for _, *persons in pairs]
    rate = np.mean(is_error)
    expected = max(brute_variance(is_error, people), rate * (1 - rate) / len(pairs))
    assert interval.person_variance(is_error, people) == pytest.approx(expected, abs=1e-12)


def test_person_interval_is_binomial_where_nobody_is_shared():
    is_right, people = np.arange(100) % 10 > 0, np.arange(200).reshape(100, 2)
    low, high = interval.person_interval(is_right, people)
    half = 1.959963984540054 * (0.9 * 0.1 / 100) ** 0.5   # a table of the normal distribution
    assert (low, high) == (pytest.approx(0.9 - half), pytest.approx(0.9 + half))
    assert interval.person_interval([True] * 3, people[:3]) == (1, 1)


def test_people_that_do_not_fit():
    with pytest.raises(ValueError, match=r"people have shape \(3, 2\), expected \[2, 2\]"):
        interval.person_variance([True, False], np.zeros((3, 2)))


@pytest.mark.parametrize("name", ["A20", "B600"])
def test_bootstrap_against_whole_lists_of_pairs(name):
    """Each round anew from the pairs of its folds, by the functions that measure one list."""
    scores, same, fold, _ = golden(name)
    scores = np.where(np.arange(len(same)) == 3, -np.inf, scores)     # a genuine pair that is unreadable
    scores = np.where(np.arange(len(same)) == np.flatnonzero(~same)[0], np.inf, scores)
    fars, count = (0.1, 0.01), len(np.unique(fold))
    weights = interval.generator(5, "folds", 40, count).multinomial(count, np.full(count, 1 / count), size=40)
    rounds = []
    for row in weights:
        chosen = np.concatenate([np.flatnonzero(fold == number) for number, times in enumerate(row)
                                 for _ in range(times)])
        curve = metrics.roc(scores[chosen], same[chosen])
        rounds.append([metrics.auc(curve), metrics.eer(curve), *(metrics.tar_at_far(curve, far).tar for far in fars)])
    expected = np.quantile(rounds, [0.1, 0.9], axis=0).T
    found = interval.fold_bootstrap(scores, same, fold, fars=fars, rounds=40, level=0.8, seed=5)
    np.testing.assert_allclose([found["auc"], found["eer"], *found["tar"]], expected, atol=1e-12)


def test_bootstrap_repeats_and_follows_its_seed():
    scores, same, fold, _ = golden("B600")
    one, again, other = (interval.fold_bootstrap(scores, same, fold, fars=[0.1], seed=seed) for seed in (0, 0, 1))
    assert one == again != other
    assert one["auc"][0] < metrics.auc(metrics.roc(scores, same)) < one["auc"][1]


def test_resampled_tar_is_that_of_the_repeated_pairs():
    draw = np.random.default_rng(3)
    same, fold = draw.random(400) < 0.4, draw.integers(0, 5, 400)   # folds of unequal sizes
    scores = np.round(draw.normal(size=400) + 1.5 * same, 1)        # with ties
    scores[0], same[0] = np.inf, False                              # an unreadable pair
    draws = draw.multinomial(5, np.full(5, 0.2), 40)
    for far in (0.1, 0.013, 0.001):
        expected = []
        for counts in draws:
            rows = np.concatenate([np.flatnonzero(fold == number).repeat(count) for number, count in enumerate(counts)])
            expected.append(metrics.tar_at_far(metrics.roc(scores[rows], same[rows]), far).tar)
        assert resampled(scores, same, fold, draws, fars=[far])[2].tolist() == expected
