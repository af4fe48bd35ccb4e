import itertools
import json
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binomtest

from evaluation.benchmark import Scored, measure
from evaluation.compare import compare, holm, mcnemar, sign_flip
from tfrecords.benchmark import Pairs

GOLDEN = json.loads((Path(__file__).parent.parent / "goldens" / "evaluation.json").read_text())["statistics"]


def scored(*, seed=0, shift=2.0, folds=10, each=300, base=None, digest="0123456789abcdef"):
    """A benchmark of drawn scores; with `base` its noise is partly that of another one, as of the same photographs."""
    same, fold = np.arange(2 * each) % 2 == 0, np.arange(2 * each) // 2 % folds
    noise = np.random.default_rng(seed).normal(size=2 * each)
    scores = shift * same + (noise if base is None else 0.9 * base + 0.3 * noise)
    nobody = np.zeros(2 * each, np.int64)
    pairs = Pairs(nobody, nobody, same, fold, np.zeros(2 * each, bool))
    result = {"benchmark": "lfw", "digest": digest, "fusion": "flip_concatenate", "num_fallback": 0,
              "num_unreadable": 0, **measure(scores, same, fold)}
    return Scored(SimpleNamespace(name="lfw", digest=digest), pairs, scores, result)


def test_sign_flip_is_the_count_over_all_patterns():
    kept = GOLDEN["sign_flip"]
    differences = kept["differences_in_correct_pairs"]
    assert sign_flip(differences) == kept["p"] == kept["hits"] / kept["total"]
    draw = np.random.default_rng(0)
    for _ in range(5):
        differences = draw.integers(-4, 6, 10).tolist()
        sums = [sum(s * d for s, d in zip(signs, differences, strict=True))
                for signs in itertools.product((1, -1), repeat=10)]
        assert sign_flip(differences) == sum(abs(total) >= abs(sum(differences)) for total in sums) / 1024


def test_sign_flip_by_hand():
    assert sign_flip([1, 1, 1]) == 2 / 8
    assert sign_flip([1, 1, -1]) == 1              # |1| is the smallest sum that three odd numbers have
    assert sign_flip([0] * 10) == 1
    assert sign_flip(range(1, 11)) == 2 / 1024
    assert sign_flip([Fraction(value, 600) for value in (1, 1, -1, 1)]) == 10 / 16   # in floats a tie is lost: 8 / 16
    primes = [59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131]
    assert sign_flip([Fraction(1, prime) for prime in primes]) == 2 / 2 ** 16   # no 64 bits hold their denominator


@pytest.mark.parametrize("count", [0, 17])
def test_sign_flip_of_too_few_or_many(count):
    with pytest.raises(ValueError, match=f"there are {count} differences, expected 1 to 16"):
        sign_flip([1] * count)


def test_mcnemar_is_the_binomial_test():
    for kept in GOLDEN["mcnemar"]:
        assert mcnemar(kept["b"], kept["c"]) == pytest.approx(kept["p_exact"])
    for b, c in ((0, 1), (3, 12), (40, 61), (7, 7), (500, 400)):
        assert mcnemar(b, c) == pytest.approx(binomtest(b, b + c).pvalue)


@pytest.mark.parametrize("name", ["holm", "holm_ties"])
def test_holm(name):
    assert holm(GOLDEN[name]["p"]) == pytest.approx(GOLDEN[name]["adjusted"])
    assert holm([]) == []


def test_two_models():
    first = scored()
    second = scored(seed=1, shift=1.6, base=first.scores - 2.0 * first.pairs.same)
    found = compare({"first": first, "second": second})
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["best"], found["num_tests"], found["note"]) == ("first", 1, "")
    [pair] = found["pairs"]
    differences = np.array(first.result["accuracies"]) - second.result["accuracies"]
    assert pair["accuracy_difference"] == pytest.approx(differences.mean())
    assert pair["interval95"][0] < differences.mean() < pair["interval95"][1]
    # Of ten folds the mean of a draw has the folds' variance / 10.
    assert np.ptp(pair["interval95"]) == pytest.approx(2 * 1.96 * differences.std() / 10 ** 0.5, rel=0.05)
    assert pair["p_sign_flip"] == pair["p_holm"] == sign_flip(np.round(differences * 60).astype(int).tolist())
    one, other = pair["mcnemar"]["only_first"], pair["mcnemar"]["only_second"]
    assert one - other == round(differences.sum() * 60)
    assert one == (first.is_right & ~second.is_right).sum()
    [tar] = pair["tar"]   # 300 impostor pairs show 0.01 and no 0.001
    assert tar["far"] == 0.01
    assert tar["difference"] == first.result["tar"][0]["tar"] - second.result["tar"][0]["tar"]
    assert tar["interval95"][0] <= tar["difference"] <= tar["interval95"][1]


def test_a_model_against_itself():
    [pair] = compare({"a": scored(), "b": scored()})["pairs"]
    assert (pair["accuracy_difference"], pair["interval95"], pair["p_holm"]) == (0, [0, 0], 1)
    assert pair["mcnemar"] == {"only_first": 0, "only_second": 0, "p": 1}
    assert pair["tar"][0]["interval95"] == [0, 0]


def test_three_models_are_corrected_for_three_pairs():
    """The best one is found by the same numbers, so that two would be too few."""
    found = compare({name: scored(seed=seed, shift=shift)
                     for name, seed, shift in (("a", 0, 1.0), ("b", 1, 3.0), ("c", 2, 2.0))})
    assert (found["best"], found["num_tests"]) == ("b", 3)
    assert [(pair["first"], pair["second"]) for pair in found["pairs"]] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [pair["p_holm"] for pair in found["pairs"]] == holm([pair["p_sign_flip"] for pair in found["pairs"]])
    assert found["pairs"][0]["p_holm"] == 3 * 2 / 1024


def test_right_decisions_are_those_of_the_folds():
    one = scored(folds=7)
    assert [one.is_right[one.pairs.fold == fold].mean() for fold in range(7)] == one.result["accuracies"]


def test_a_fusion_that_is_fitted_too_is_compared_by_its_own_thresholds():
    plain = scored()
    fitting = np.tile(plain.scores + 1.5, (10, 1))   # its thresholds lie too high for the folds themselves
    moved = Scored(plain.folder, plain.pairs, plain.scores, plain.result | {
        "accuracy": measure(plain.scores, plain.pairs.same, plain.pairs.fold, fitting=fitting)["accuracy"]}, fitting)
    [pair] = compare({"plain": plain, "moved": moved})["pairs"]
    assert pair["accuracy_difference"] == pytest.approx(plain.result["accuracy"] - moved.result["accuracy"])
    assert pair["accuracy_difference"] > 0.1


@pytest.mark.parametrize(("folds", "models", "told"), [
    (5, 2, "5 folds cannot show a difference of two models: the smallest p of the sign-flip test is 0.062; number"),
    (7, 4, "smallest p of the sign-flip test is 0.094, corrected for 6 pairs of models"),
    (17, 2, "17 folds are too many for the exact sign-flip test"),
    (6, 2, "")])
def test_folds_that_cannot_decide_are_told(folds, models, told):
    found = compare({str(seed): scored(seed=seed, folds=folds) for seed in range(models)})
    assert told in found["note"]
    assert bool(found["note"]) == bool(told)
    assert (found["pairs"][0]["p_holm"] is None) == (folds == 17)


def test_what_cannot_be_compared():
    with pytest.raises(ValueError, match="there is 1 model, expected at least two"):
        compare({"a": scored()})
    with pytest.raises(ValueError, match=r"one benchmark, but .* a on 01234567, b on fedcba98"):
        compare({"a": scored(), "b": scored(digest="fedcba9876543210")})
