import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from evaluation import metrics

GOLDEN = json.loads((Path(__file__).parent.parent / "goldens" / "evaluation.json").read_text())
SETS = {**GOLDEN["sets"], **GOLDEN["degenerate"]}


def data(name):
    """Scores as stored, integers divided by a scale; bool same; int fold."""
    kept = SETS[name]["data"]
    return np.array(kept["scores"]) / kept["scale"], np.array(kept["same"]) == 1, np.array(kept["folds"])


def number(value):
    return np.inf if value == "inf" else value


@pytest.fixture(params=SETS)
def golden(request):
    return *data(request.param), SETS[request.param]["expect"]


# --- goldens ---------------------------------------------------------------------------------------------------------
def test_goldens_of_folds(golden):
    scores, same, fold, expect = golden
    folds, expect = metrics.k_fold(scores, same, fold), expect["kfold"]
    assert folds.thresholds.tolist() == [number(row["threshold"]) for row in expect["per_fold"]]
    assert folds.correct.tolist() == [row["test_correct"] for row in expect["per_fold"]]
    assert folds.num_pairs.tolist() == [row["test_pairs"] for row in expect["per_fold"]]
    assert int(folds.correct.sum()) == expect["pooled_correct"]
    assert folds.accuracy == pytest.approx(expect["mean"], abs=1e-12)
    for name in ("std_ddof0", "std_ddof1", "standard_error"):
        assert getattr(folds, name) == pytest.approx(expect[name], abs=1e-12)


def test_goldens_of_the_best_threshold_without_folds(golden):
    scores, same, _, expect = golden
    expect = expect["best_threshold_no_folds"]
    assert metrics.best_threshold(metrics.roc(scores, same)) == (number(expect["threshold"]), expect["correct"])


def test_goldens_of_tar(golden):
    scores, same, fold, expect = golden
    for far, expected in expect["tar_at_far"].items():
        far = float(Fraction(far))
        _agrees(metrics.tar_at_far(metrics.roc(scores, same), far), expected["pooled"])
        for row in expected["threshold_inside_fold"]:
            inside = fold == row["fold"]
            _agrees(metrics.tar_at_far(metrics.roc(scores[inside], same[inside]), far), row)


def _agrees(point, expect):
    assert (point.allowed, point.false_accepts, point.true_accepts) == (
        expect["allowed"], expect["false_accepts"], expect["true_accepts"])
    assert point.threshold == number(expect["threshold"])
    assert point.tar == pytest.approx(expect["tar"], abs=1e-12)
    assert (point.allowed >= 1) == expect["resolvable"]


def test_goldens_of_tar_inside_folds(golden):
    scores, same, fold, expect = golden
    for far, expected in expect["tar_at_far"].items():
        points = metrics.tar_in_folds(scores, same, fold, float(Fraction(far)))
        if any(row["allowed"] < 1 for row in expected["threshold_inside_fold"]):
            assert points is None
        else:
            assert np.mean([point.tar for point in points]) == pytest.approx(expected["mean_tar_inside"], abs=1e-12)


def test_goldens_of_d_prime(golden):
    scores, same, _, expect = golden
    assert metrics.d_prime(scores, same) == (
        None if expect["dprime"]["ddof1"] is None else pytest.approx(expect["dprime"]["ddof1"], rel=1e-12))


def test_d_prime_leaves_unreadable_pairs_out_and_knows_when_it_has_no_meaning():
    scores, same, _ = data("A20")
    more = np.concatenate([scores, [-np.inf, np.inf]]), np.concatenate([same, [True, False]])
    assert metrics.d_prime(*more) == metrics.d_prime(scores, same)
    assert metrics.d_prime([0.1, 0.2, 0.3], [True, False, False]) is None     # one genuine pair has no spread
    assert metrics.d_prime([1 / 3] * 3 + [0.1 + 0.2] * 3, [True, True, True, False, False, False]) is None


def test_goldens_of_areas_and_points(golden):
    scores, same, _, expect = golden
    curve = metrics.roc(scores, same)
    assert metrics.auc(curve) == expect["auc"]["num"] / expect["auc"]["den"]
    assert metrics.eer(curve) == expect["eer"]["num"] / expect["eer"]["den"]
    assert len(curve.thresholds) == expect["roc_points"]
    assert (curve.num_genuine, curve.num_impostor) == (expect["genuine"], expect["impostor"])
    rows = expect["roc"]["rows"] if "roc" in expect else [row[1:] for row in expect["roc_sample"]["rows"]]
    places = range(len(rows)) if "roc" in expect else [row[0] for row in expect["roc_sample"]["rows"]]
    for place, (threshold, false_accepts, true_accepts) in zip(places, rows, strict=True):
        assert curve.thresholds[place] == number(threshold)
        assert (curve.false_accepts[place], curve.true_accepts[place]) == (false_accepts, true_accepts)


def test_a20_by_hand():
    scores, same, fold = data("A20")
    folds = metrics.k_fold(scores, same, fold)
    assert folds.thresholds.tolist() == [0.40, 0.45]   # the second is a tie of three, the lowest counts
    assert folds.correct.tolist() == [8, 7]


# --- other derivations -----------------------------------------------------------------------------------------------
def test_scikit_learn_agrees():
    for name in ("A20", "B600", "C6000"):
        scores, same, _ = data(name)
        curve = metrics.roc(scores, same)
        far, tar, thresholds = roc_curve(same, scores, drop_intermediate=False)
        np.testing.assert_allclose(curve.false_accepts / curve.num_impostor, far, rtol=0, atol=1e-12)
        np.testing.assert_allclose(curve.true_accepts / curve.num_genuine, tar, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(curve.thresholds, thresholds)
        assert metrics.auc(curve) == pytest.approx(roc_auc_score(same, scores), abs=1e-12)


@st.composite
def lists_of_pairs(draw):
    """Few distinct scores, so that ties are common; every fold has both kinds; some pairs are unreadable."""
    folds = draw(st.integers(2, 4))
    pairs = [(draw(st.integers(-3, 3)), kind, fold) for fold in range(folds) for kind in (True, False)]
    more = draw(st.lists(st.tuples(st.integers(-3, 3), st.booleans(), st.integers(0, folds - 1)), max_size=16))
    scores, same, fold = (np.array(column) for column in zip(*pairs, *more, strict=True))
    lost = np.array(draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)))) & draw(st.booleans())
    return np.where(lost, np.where(same, -np.inf, np.inf), scores.astype(float)), same, fold


def brute_candidates(scores):
    return [np.inf, *sorted({score for score in scores if np.isfinite(score)}, reverse=True)]


def brute_correct(scores, same, threshold):
    return sum(bool(score >= threshold) == bool(kind) for score, kind in zip(scores, same, strict=True))


def brute_fit(scores, same):
    return max(brute_candidates(scores), key=lambda threshold: (brute_correct(scores, same, threshold), -threshold))


@settings(max_examples=150, deadline=None)
@given(lists_of_pairs())
def test_brute_force_over_folds(pairs):
    scores, same, fold = pairs
    folds = metrics.k_fold(scores, same, fold)
    for place, name in enumerate(sorted(set(fold.tolist()))):
        threshold = brute_fit(scores[fold != name], same[fold != name])
        assert folds.thresholds[place] == threshold
        assert folds.correct[place] == brute_correct(scores[fold == name], same[fold == name], threshold)


@settings(max_examples=150, deadline=None)
@given(lists_of_pairs(), st.sampled_from([0.0, 0.001, 0.1, 0.25, 0.5, 1.0]))
def test_brute_force_of_tar(pairs, far):
    scores, same, _ = pairs
    genuine, impostor = scores[same], scores[~same]
    point = metrics.tar_at_far(metrics.roc(scores, same), far)
    fitting = [threshold for threshold in brute_candidates(scores)
               if (impostor >= threshold).sum() <= int(Fraction(str(far)) * len(impostor))]
    threshold = min(fitting, default=np.inf)
    assert point.threshold == threshold
    assert point.false_accepts == (impostor >= threshold).sum()
    assert point.true_accepts == (genuine >= threshold).sum()
    strictly_above = np.sort(impostor)[::-1][point.allowed] if point.allowed < len(impostor) else -np.inf
    assert point.true_accepts == (genuine > strictly_above).sum()   # the same rule said otherwise


@settings(max_examples=150, deadline=None)
@given(lists_of_pairs())
def test_brute_force_of_auc_and_eer(pairs):
    scores, same, _ = pairs
    genuine, impostor = scores[same], scores[~same]
    curve = metrics.roc(scores, same)
    wins = sum(Fraction(int(g > d) * 2 + int(g == d), 2) for g in genuine for d in impostor)
    assert metrics.auc(curve) == float(wins / (len(genuine) * len(impostor)))
    points = [(Fraction(int((impostor >= t).sum()), len(impostor)), Fraction(int((genuine < t).sum()), len(genuine)))
              for t in brute_candidates(scores)]
    place = next(i for i, (far, frr) in enumerate(points) if far >= frr)
    (far, frr), (before, missed) = points[place], points[max(place - 1, 0)]
    share = Fraction(0) if far == frr else (missed - before) / ((missed - before) + (far - frr))
    assert metrics.eer(curve) == float(far if far == frr else before + share * (far - before))


@settings(max_examples=80, deadline=None)
@given(lists_of_pairs(), st.randoms(use_true_random=False))
def test_order_inside_a_fold_and_monotone_transforms_change_nothing(pairs, random):
    scores, same, fold = pairs
    order = list(range(len(scores)))
    random.shuffle(order)
    folds, curve = metrics.k_fold(scores, same, fold), metrics.roc(scores, same)
    again = metrics.k_fold(scores[order], same[order], fold[order])
    assert again.correct.tolist() == folds.correct.tolist()
    assert again.thresholds.tolist() == folds.thresholds.tolist()
    bent = np.where(np.isfinite(scores), np.arctan(scores) ** 3 + scores / 7, scores)
    other = metrics.roc(bent, same)
    assert metrics.k_fold(bent, same, fold).correct.tolist() == folds.correct.tolist()
    assert metrics.auc(other) == metrics.auc(curve)
    assert metrics.eer(other) == metrics.eer(curve)
    for far in (0.001, 0.3):
        a, b = metrics.tar_at_far(curve, far), metrics.tar_at_far(other, far)
        assert (a.true_accepts, a.false_accepts) == (b.true_accepts, b.false_accepts)


@settings(max_examples=80, deadline=None)
@given(lists_of_pairs())
def test_the_staircase_keeps_every_tar_at_far(pairs):
    scores, same, _ = pairs
    curve = metrics.roc(scores, same)
    false_accepts, true_accepts = metrics.staircase(curve)
    assert (np.diff(false_accepts) > 0).all()
    assert (false_accepts[-1], true_accepts[-1]) == (curve.false_accepts[-1], curve.true_accepts[-1])
    for allowed in range(int(curve.false_accepts[0]), curve.num_impostor + 1):
        best = curve.true_accepts[curve.false_accepts <= allowed].max()
        assert true_accepts[false_accepts <= allowed].max() == best


# --- rules -----------------------------------------------------------------------------------------------------------
def test_the_fitted_threshold_never_sees_its_fold():
    scores, same, fold = data("B600")
    before = metrics.k_fold(scores, same, fold).thresholds
    scores[fold == 3] = np.where(same[fold == 3], -1.0, 1.0)
    after = metrics.k_fold(scores, same, fold).thresholds
    assert after[3] == before[3]
    assert (after != before).any()


def test_unreadable_pairs_are_wrong_at_every_threshold():
    scores, same, fold = data("A20")
    clean = metrics.k_fold(scores, same, fold)
    lost = np.array([0, 5])   # a genuine and an impostor pair of fold 0
    scores[lost] = [-np.inf, np.inf]
    curve = metrics.roc(scores, same)
    assert curve.false_accepts[0] == 1                # nothing rejects the impostor pair
    assert curve.true_accepts[-1] == 9                # nothing accepts the genuine pair
    assert not np.isneginf(curve.thresholds).any()
    folds = metrics.k_fold(scores, same, fold)
    assert folds.thresholds[0] == clean.thresholds[0]
    right_before = (np.array([0.91, 0.60]) >= clean.thresholds[0]) == [True, False]
    assert folds.correct[0] == clean.correct[0] - right_before.sum()
    assert metrics.tar_at_far(curve, 0.001).tar == 0   # even 0 false accepts cannot be had
    assert metrics.tar_at_far(curve, 0.001).false_accepts == 1


def test_all_pairs_unreadable():
    same = np.array([True, False, True, False])
    scores = np.where(same, -np.inf, np.inf)
    curve = metrics.roc(scores, same)
    assert metrics.k_fold(scores, same, np.array([0, 0, 1, 1])).accuracy == 0
    assert (metrics.auc(curve), metrics.eer(curve)) == (0, 1)


def test_allowed_false_accepts_are_integer_arithmetic():
    scores = np.arange(3001.0)
    same = np.arange(3001) == 3000
    curve = metrics.roc(scores, same)
    assert metrics.tar_at_far(curve, 0.001).allowed == 3
    assert [metrics.tar_at_far(curve, far).allowed for far in (0.007, 0.029, 1.1e-3)] == [21, 87, 3]
    many = metrics.Roc(curve.thresholds, curve.false_accepts, curve.true_accepts, 1, 100)
    assert metrics.tar_at_far(many, 0.29).allowed == 29   # in floats 28.999...


@pytest.mark.parametrize("far", [-0.1, 1.5])
def test_a_far_out_of_range(far):
    with pytest.raises(ValueError, match=rf"far is {far}, expected a share from 0 to 1"):
        metrics.tar_at_far(metrics.roc([0.1, 0.2], [True, False]), far)


def test_what_is_refused():
    both = np.array([True, False, True, False])
    with pytest.raises(ValueError, match="1 of 4 scores are NaN"):
        metrics.roc([0.1, np.nan, 0.2, 0.3], both)
    with pytest.raises(ValueError, match=r"scores have shape \(4,\) and same \(3,\)"):
        metrics.roc(np.zeros(4), both[:3])
    with pytest.raises(ValueError, match="the list has 4 genuine and 0 impostor pairs"):
        metrics.roc(np.zeros(4), np.ones(4, bool))
    with pytest.raises(ValueError, match="fold 7 has 0 genuine and 2 impostor pairs"):
        metrics.k_fold(np.zeros(4), [True, False, False, False], [2, 2, 7, 7])
    with pytest.raises(ValueError, match="all 4 pairs are in one fold"):
        metrics.k_fold(np.zeros(4), both, np.zeros(4, int))
    with pytest.raises(ValueError, match="fold has shape"):
        metrics.k_fold(np.zeros(4), both, np.zeros(3, int))
