import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import blocks, metrics

GOLDEN = json.loads((Path(__file__).parent.parent / "goldens" / "evaluation.json").read_text())
FARS = [0, 1e-6, 0.001, 0.01, 0.1, 0.5, 1]
SCORES = st.one_of(st.integers(-6, 6).map(lambda n: n / 4), st.floats(-1, 1, width=32),
                   st.sampled_from([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, 1e-45, -1e-45]))


def plain(scores, same):
    curve = metrics.roc(np.asarray(scores, np.float32), same)
    return [metrics.tar_at_far(curve, far) for far in FARS]


@pytest.mark.parametrize("name", GOLDEN["sets"])
def test_goldens_of_tar(name):
    kept = GOLDEN["sets"][name]["data"]
    scores, same = np.array(kept["scores"]) / kept["scale"], np.array(kept["same"]) == 1
    walk = [(scores[start:start + 701], same[start:start + 701]) for start in range(0, len(scores), 701)]
    expected = GOLDEN["sets"][name]["expect"]["tar_at_far"]
    fars = [float(np.divide(*map(int, far.split("/")))) for far in expected]
    for point, want in zip(blocks.operating_points(walk, fars), expected.values(), strict=True):
        want = want["pooled"]
        assert (point.allowed, point.false_accepts, point.true_accepts) == (
            want["allowed"], want["false_accepts"], want["true_accepts"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(SCORES, st.booleans()), min_size=2, max_size=60), st.integers(1, 9))
def test_like_all_scores_at_once(pairs, size):
    """Also -0 beside +0, the smallest numbers, and unreadable pairs: impostors at +inf, genuine ones at -inf."""
    pairs = [(-score if np.isinf(score) and (score < 0) != same else score, same) for score, same in pairs]
    scores, same = np.array([p[0] for p in pairs], np.float32), np.array([p[1] for p in pairs])
    walk = [(scores[start:start + size], same[start:start + size]) for start in range(0, len(pairs), size)]
    if same.all() or not same.any():
        with pytest.raises(ValueError, match="expected both kinds"):
            blocks.operating_points(walk, FARS)
        return
    assert blocks.operating_points(walk, FARS) == plain(scores, same)


def all_pairs(draw, count, others=0):
    """Rows of few values whose scores are exact in float32 and tie a lot, with labels."""
    rows = draw.integers(-3, 4, (count + others, 6)).astype(np.float32) / 8
    labels = draw.integers(0, 5, count + others)
    return rows[:count], labels[:count], rows[count:], labels[count:]


@pytest.mark.parametrize("block", [(3, 5), (4, 4), (7, 3), (512, 4096)])
def test_all_pairs_by_brute_force(monkeypatch, block):
    monkeypatch.setattr(blocks, "_ROWS", block[0])
    monkeypatch.setattr(blocks, "_COLUMNS", block[1])
    a, labels_a, b, labels_b = all_pairs(np.random.default_rng(0), 23, 31)
    couples = [(i, j) for i in range(23) for j in range(31)]
    _agrees(blocks.AllPairs(a, labels_a, b, labels_b), [(a[i] @ b[j], labels_a[i] == labels_b[j]) for i, j in couples])
    couples = [(i, j) for i in range(23) for j in range(i + 1, 23)]
    _agrees(blocks.AllPairs(a, labels_a), [(a[i] @ a[j], labels_a[i] == labels_a[j]) for i, j in couples])


def _agrees(walk, expected):
    scores, same = np.array([row[0] for row in expected]), np.array([row[1] for row in expected])
    assert len(np.unique(scores)) < len(scores) / 3
    assert sorted(np.concatenate([block[0] for block in walk]).tolist()) == sorted(scores.tolist())
    points = blocks.operating_points(walk, FARS)
    assert points == plain(scores, same)
    thresholds = [point.threshold for point in points] + [0.3, -2]
    false_accepts, true_accepts = blocks.counts_at(walk, thresholds)
    assert false_accepts.tolist() == [sum(s >= t and not y for s, y in expected) for t in thresholds]
    assert true_accepts.tolist() == [sum(s >= t and y for s, y in expected) for t in thresholds]


def test_a_far_of_a_millionth():
    """Three of 3.1 million impostor pairs are allowed, and the fourth and fifth tie."""
    draw = np.random.default_rng(1)
    scores = draw.normal(0, 0.1, 3_100_000).astype(np.float32)
    scores[[5, 70, 900_000, 1_000_000, 3_000_000]] = [0.9, 0.95, 0.85, 0.8, 0.8]
    same = np.zeros(len(scores), bool)
    scores, same = np.append(scores, [0.86, 0.8]).astype(np.float32), np.append(same, [True, True])
    point, = blocks.operating_points([(scores, same)], [1e-6])
    assert (point.allowed, point.false_accepts, point.true_accepts) == (3, 3, 1)
    assert point.threshold == np.float32(0.85)


def test_bad_blocks():
    same = np.array([True, False])
    with pytest.raises(ValueError, match="1 of 2 scores are NaN"):
        blocks.operating_points([(np.array([np.nan, 0]), same)], [0.1])
    with pytest.raises(ValueError, match="1 of 2 scores are NaN"):
        blocks.counts_at([(np.array([np.nan, 0]), same)], [0.1])

    class Changing:
        number = 0

        def __iter__(self):
            self.number += 1
            yield np.array([0.5, 0.1 * self.number]), same

    with pytest.raises(ValueError, match="other scores than those of the first"):
        blocks.operating_points(Changing(), [0.1])
