import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import allpairs, metrics


def brute(scores, people, fars):
    """From the whole table, by the functions that measure a list of pairs."""
    a, b = np.triu_indices(len(people), 1)
    curve = metrics.roc(scores[a, b], people[a] == people[b])
    return [metrics.tar_at_far(curve, far) for far in fars]


def drawn(*, count=150, people=40, size=8, seed=0):
    draw = np.random.default_rng(seed)
    people = draw.integers(0, people, count)
    rows = draw.normal(size=(people.max() + 1, size))[people] + draw.normal(size=(count, size))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), people


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=40),
       st.integers(1, 50))
@settings(max_examples=100, deadline=None)
def test_against_the_whole_table_with_ties(crops, block):
    """Small whole numbers: their products are exact, and many are equal."""
    people, rows = np.array([person for person, *_ in crops]), np.float32([row for _, *row in crops])
    fars = (0.5, 0.1, 0.01, 0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evaluation.blocks._ROWS", block)
        found = allpairs.all_pairs(rows, people, fars=fars)
    if len(np.unique(people)) in (1, len(people)):   # pairs of one kind only
        assert found is None
    else:
        assert found == brute(rows @ rows.T, people, fars)


def test_against_the_whole_table_of_cosines(monkeypatch):
    embeddings, people = drawn()
    monkeypatch.setattr("evaluation.blocks._ROWS", 37)
    found = allpairs.all_pairs(embeddings, people, fars=(0.01, 0.001, 0.0001))
    expected = brute(embeddings.astype(np.float64) @ embeddings.T.astype(np.float64), people, (0.01, 0.001, 0.0001))
    for one, other in zip(found, expected, strict=True):
        assert one.threshold == pytest.approx(other.threshold, abs=1e-6)
        assert (one.allowed, one.false_accepts, one.true_accepts, one.num_genuine, one.num_impostor) == (
            other.allowed, other.false_accepts, other.true_accepts, other.num_genuine, other.num_impostor)
    assert [point.allowed for point in found] == [found[0].num_impostor // 100, found[0].num_impostor // 1000, 1]


def test_equal_embeddings_are_all_refused():
    found = allpairs.all_pairs(np.ones((6, 1)), np.arange(6) // 2)
    assert [(point.true_accepts, point.threshold) for point in found] == [(0, np.inf)] * 3


def test_pairs_of_both_kinds_are_needed():
    rows = np.eye(4)
    assert allpairs.all_pairs(rows, np.arange(4)) is None
    assert allpairs.all_pairs(rows, np.zeros(4)) is None
    [point] = allpairs.all_pairs(rows, np.array([7, 7, 7, 1]), fars=[0.5])
    assert (point.num_genuine, point.num_impostor) == (3, 3)


@pytest.mark.parametrize(("embeddings", "people"), [
    (np.ones((3, 2)), np.zeros(2)), (np.ones(3), np.zeros(3)), (np.full((3, 2), np.nan), np.zeros(3))])
def test_what_does_not_fit(embeddings, people):
    with pytest.raises(ValueError, match=r"expected finite \[N, E\] and \[N\]"):
        allpairs.all_pairs(embeddings, people)
