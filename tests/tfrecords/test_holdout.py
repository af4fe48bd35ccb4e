import csv

import numpy as np
import pytest

from base.mix import generator
from tests.datasets import make_folder
from tfrecords.benchmark import parse_pairs_file
from tfrecords.holdout import fold_pairs, hold_out
from tfrecords.selection import read_names, select


def test_people_and_pairs(tmp_path):
    folder = make_folder(tmp_path / "data", people=24, photos=3)
    people, count = hold_out(folder, tmp_path / "out", people=20, rich=0, pairs_a_fold=5, seed=1)
    names = read_names(tmp_path / "out" / "people.txt")
    pairs = parse_pairs_file(tmp_path / "out" / "pairs.csv")
    assert (people, count) == (20, len(pairs)) == (len(names), 100)
    folds = {}
    for a, b, same, fold in pairs:
        assert a != b
        assert (a[:3] == b[:3]) == same
        folds.setdefault(fold, set()).update((a[:3], b[:3]))
    assert len(folds) == 10
    assert sum(map(len, folds.values())) == len(set().union(*folds.values()))   # person-disjoint
    assert set().union(*folds.values()) <= set(names)
    assert len(select(folder, left_out=names).classes) == 4
    again = hold_out(folder, tmp_path / "again", people=20, rich=0, pairs_a_fold=5, seed=1)
    assert again == (people, count)
    assert (tmp_path / "again" / "pairs.csv").read_text() == (tmp_path / "out" / "pairs.csv").read_text()


def test_more_people_than_there_are(tmp_path):
    folder = make_folder(tmp_path / "data", people=5, photos=3)
    with pytest.raises(ValueError, match="people is 29, expected at most the 5 identities with two to four crops"):
        hold_out(folder, tmp_path / "out", people=29, rich=0, pairs_a_fold=5, seed=1)


def test_a_fold_needs_two_people(tmp_path):
    folder = make_folder(tmp_path / "data", people=12, photos=3)
    with pytest.raises(ValueError, match="people is 12, expected at least 20"):
        hold_out(folder, tmp_path / "out", people=12, rich=0, pairs_a_fold=5, seed=1)


def test_header(tmp_path):
    folder = make_folder(tmp_path / "data", people=24, photos=2)
    hold_out(folder, tmp_path / "out", people=20, rich=0, pairs_a_fold=5, seed=1)
    with open(tmp_path / "out" / "pairs.csv") as file:
        assert next(csv.reader(file)) == ["a", "b", "same", "fold"]


def test_no_pair_is_drawn_twice_even_where_there_are_few():
    """Six crops of one person and two of another: 12 + 1 genuine pairs, but only 12 impostor ones."""
    crops = {0: np.arange(6), 1: np.arange(6, 8)}
    pairs = fold_pairs(generator(0, "few"), crops, 300, most_of_one=12)
    assert [same for *_, same in pairs] == [True] * 12 + [False] * 12
    assert len({frozenset((a, b)) for a, b, _ in pairs}) == 24
