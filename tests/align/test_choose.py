import numpy as np
import pytest

from align.choose import choose, may_stop

#                  central, small     large, off centre      sure, tiny             largest, at the edge
BOXES = np.array([[90, 90, 130, 130], [120, 60, 200, 140], [20, 20, 40, 40], [150, 150, 250, 250]], float)
SCORES = np.array([0.8, 0.9, 0.99, 0.7])


@pytest.mark.parametrize(("rule", "place"), [
    ("largest_central", 0), ("largest", 3), ("most_confident", 2), ("central", 0)])
def test_rules(rule, place):
    """Of 220 x 220 pixels; area - 2 d^2 is 1600, 6400 - 5200, 400 - 25600, 10000 - 32400."""
    assert choose(BOXES, SCORES, height=220, width=220, choice=rule) == place


def test_size_wins_over_a_little_distance():
    boxes = np.array([[90, 90, 130, 130], [80, 80, 180, 180]], float)   # 1600 against 10000 - 2 x 800
    assert choose(boxes, np.array([0.9, 0.8]), height=220, width=220, choice="largest_central") == 1


def test_only_area_rules_stop_early():
    assert may_stop(10_000.0, 40, choice="largest_central")
    assert not may_stop(5_000.0, 40, choice="largest_central")
    assert may_stop(10_000.0, 40, choice="largest")
    assert not may_stop(10_000.0, 1, choice="most_confident")
    assert not may_stop(10_000.0, 1, choice="central")
