import json
from pathlib import Path

import numpy as np
import pytest

from evaluation.interval import fold_interval

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
