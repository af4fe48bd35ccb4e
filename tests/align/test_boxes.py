import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from align.boxes import regress, square, suppress


def test_a_chain_keeps_both_ends():
    """A overlaps B, B overlaps C: B falls to A, so it can no longer suppress C."""
    boxes = np.array([[0, 0, 10, 10], [2.5, 0, 12.5, 10], [5, 0, 15, 10]], float)   # IoU 0.6, 0.6, 0.333
    assert suppress(boxes, np.array([0.9, 0.8, 0.7]), np.zeros(3, int), 0.5).tolist() == [0, 2]


def test_groups_do_not_know_of_each_other():
    boxes = np.array([[0, 0, 10, 10]] * 4, float)
    kept = suppress(boxes, np.array([0.1, 0.2, 0.3, 0.4]), np.array([1, 0, 1, 0]), 0.5)
    assert kept.tolist() == [3, 2]


def test_over_the_smaller_area():
    boxes = np.array([[0, 0, 10, 10], [2, 2, 6, 6]], float)
    scores, groups = np.array([0.9, 0.8]), np.zeros(2, int)
    assert len(suppress(boxes, scores, groups, 0.7)) == 2
    assert len(suppress(boxes, scores, groups, 0.7, over_smaller=True)) == 1


def test_nothing():
    assert suppress(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int), 0.5).tolist() == []


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 40), st.integers(0, 10**6), st.sampled_from([0.3, 0.5, 0.7]))
def test_equals_a_plain_greedy_loop(count, seed, threshold):
    draw = np.random.default_rng(seed)
    corner = draw.integers(0, 20, (count, 2)).astype(float)
    boxes = np.hstack([corner, corner + draw.integers(5, 15, (count, 2))])
    scores, groups = draw.integers(0, 6, count) / 6, draw.integers(0, 3, count)   # with ties
    expected = []
    for group in range(3):
        left = sorted(np.flatnonzero(groups == group), key=lambda i: (-scores[i], i))
        while left:
            best, *left = left
            expected.append(best)
            left = [i for i in left if _iou(boxes[best], boxes[i]) <= threshold]
    assert suppress(boxes, scores, groups, threshold).tolist() == expected


def _iou(a, b):
    width, height = (max(0, min(a[k + 2], b[k + 2]) - max(a[k], b[k])) for k in (0, 1))
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def test_regression_and_squares_by_hand():
    moved = regress(np.array([[10.0, 20, 30, 60]]), np.array([[0.1, -0.1, 0.2, 0.05]]))
    assert moved[0] == pytest.approx([12, 16, 34, 62])
    assert square(moved)[0].tolist() == [0, 16, 46, 62]   # side 46 about (23, 39)
