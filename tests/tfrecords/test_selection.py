import numpy as np
import pytest

from tests.datasets import make_folder
from tfrecords.selection import read_names, select


def test_kept_identities_are_numbered_densely(tmp_path):
    folder = make_folder(tmp_path / "data")
    chosen = select(folder, left_out=["p00", "p03"])
    assert chosen.classes == ["p01", "p02", "p04", "p05"]
    assert np.bincount(chosen.labels).tolist() == [5, 5, 5, 5]
    for record, label in zip(chosen.records, chosen.labels, strict=True):
        assert folder.keys[record].startswith(chosen.classes[label])


def test_fewest_crops(tmp_path):
    folder = make_folder(tmp_path / "data", photos=2)
    assert len(select(folder, fewest_crops=2).classes) == 6
    with pytest.raises(ValueError, match="0 of 6 identities have at least 3 crops"):
        select(folder, fewest_crops=3)


def test_an_unknown_name_is_refused(folder):
    with pytest.raises(ValueError, match=r"'p99' is to be left out, but is no identity"):
        select(folder, left_out=["p99"])


def test_read_names(tmp_path):
    (tmp_path / "n.txt").write_text("a b\r\n\nc\\nd\n")
    assert read_names(tmp_path / "n.txt") == ["a b", "c\nd"]
