import numpy as np
import pytest

from evaluation.quality import accuracy_by_norm


def test_thirds_by_hand():
    """Lowest norms 1, 2: one of two is right at 0.5; middle: both; highest: none."""
    scores = [0.9, 0.9, 0.9, 0.1, 0.1, 0.1]
    same = [True, False, True, False, True, True]
    thirds = accuracy_by_norm(scores, same, [2.0, 1.0, 3.0, 4.0, 6.0, 5.0], 0.5)
    assert thirds == [{"norms": [1, 2], "num_pairs": 2, "accuracy": 0.5},
                      {"norms": [3, 4], "num_pairs": 2, "accuracy": 1},
                      {"norms": [5, 6], "num_pairs": 2, "accuracy": 0}]


def test_equal_norms_stay_together():
    thirds = accuracy_by_norm(np.zeros(6), np.ones(6, bool), [1, 1, 1, 1, 1, 2], 0.0)
    assert [third["num_pairs"] for third in thirds] == [0, 0, 6]   # both borders are 1
    assert thirds[0] == {"norms": None, "num_pairs": 0, "accuracy": None}


@pytest.mark.parametrize("norms", [[1.0, 2.0], [1.0, 2.0, np.nan]])
def test_norms_that_do_not_fit(norms):
    with pytest.raises(ValueError, match=r"norms have shape .*, expected finite ones \(3,\)"):
        accuracy_by_norm(np.zeros(3), [True, False, True], norms, 0.5)
