import numpy as np
import pytest

from tests.datasets import make_folder
from tfrecords.benchmark import parse_pairs_file, read_pairs


def write(tmp_path, text, name="pairs.txt"):
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    return tmp_path / name


LFW = "2\t2\n" + "".join(
    f"Ann_A\t1\t{fold + 2}\nBob\t10\t{fold + 2}\nAnn_A\t{fold + 2}\tBob\t1\nCy\t{fold + 1}\tBob\t3\n"
    for fold in range(2))


@pytest.mark.parametrize("text", [LFW, LFW.replace("\t", " "), LFW.replace("\n", "\r\n"), LFW.rstrip("\n"),
                                  "﻿" + LFW, LFW.replace("\n", "\n\n")])
def test_lfw_view_2(tmp_path, text):
    pairs = parse_pairs_file(write(tmp_path, text))
    assert pairs[:4] == [("Ann_A/Ann_A_0001.jpg", "Ann_A/Ann_A_0002.jpg", True, 0),
                         ("Bob/Bob_0010.jpg", "Bob/Bob_0002.jpg", True, 0),
                         ("Ann_A/Ann_A_0002.jpg", "Bob/Bob_0001.jpg", False, 0),
                         ("Cy/Cy_0001.jpg", "Bob/Bob_0003.jpg", False, 0)]
    assert [pair[3] for pair in pairs] == [0] * 4 + [1] * 4


def test_lfw_view_1_has_one_number(tmp_path):
    pairs = parse_pairs_file(write(tmp_path, "1\nAnn\t1\t2\nAnn\t1\tBob\t2\n"))
    assert [(same, fold) for _, _, same, fold in pairs] == [(True, 0), (False, 0)]


def test_csv(tmp_path):
    path = write(tmp_path, 'a,b,same,fold\n"p, 1/ä.jpg",q/b.png,1,3\np/a.jpg,q/c.jpg,0,4\n', "p.csv")
    assert parse_pairs_file(path) == [("p, 1/ä.jpg", "q/b.png", True, 3), ("p/a.jpg", "q/c.jpg", False, 4)]
    assert parse_pairs_file(write(tmp_path, "a,b,same\np/a,q/b,1\n", "q.csv")) == [("p/a", "q/b", True, 0)]


@pytest.mark.parametrize(("text", "words"), [
    ("hello\n", r"line 1: expected LFW's `folds pairs`"),
    ("1\t2\nAnn\t1\t2\n", "promises 1 folds of 2 \\+ 2 pairs, 4 lines; there are 1"),
    ("1\t1\nAnn\t1\nAnn\t1\tBob\t1\n", "line 2: expected name, number, number, got"),
    ("1\t1\nAnn\t1\t2\nAnn\t1\t2\n", "line 3: expected name, number, name, number"),
    ("a,b,same\n", "lists no pairs"),
    ("a,b,same\np/a,q/b,yes\n", "line 2: expected photograph, photograph, 1 or 0"),
    ("a,b,same,fold\np/a,q/b,1\n", "line 2: expected"),
    ("a,b,same\n../x/a.jpg,q/b,1\n", "names '../x/a.jpg'"),
    ("a,b,same\n/etc/passwd,q/b,1\n", "names '/etc/passwd'"),
    ("a,b,same\nalone.jpg,q/b,1\n", "names 'alone.jpg'"),
    ("0\t0\n", "promises 0 folds"),
])
def test_other_shapes_are_named(tmp_path, text, words):
    with pytest.raises(ValueError, match=words):
        parse_pairs_file(write(tmp_path, text))


def test_pairs_of_a_folder(tmp_path):
    listed = [("p00/0000.jpg", "p00/0001.jpg", True, 0), ("p01/0002.jpg", "p00/0001.jpg", False, 1)]
    folder = make_folder(tmp_path / "b", pairs=listed, failed=("p01/0002.jpg",))
    pairs = read_pairs(folder)
    assert [folder.keys[number] for number in pairs.a] == ["p00/0000.jpg", "p01/0002.jpg"]
    np.testing.assert_array_equal(pairs.same, [True, False])
    np.testing.assert_array_equal(pairs.fold, [0, 1])
    np.testing.assert_array_equal(pairs.unreadable, [False, True])


def test_training_data_are_no_benchmark(folder):
    with pytest.raises(ValueError, match=r"has no pairs\.csv, so it is no benchmark"):
        read_pairs(folder)


def test_a_pair_without_a_crop_is_named(tmp_path):
    folder = make_folder(tmp_path / "b", pairs=[("p00/0000.jpg", "p09/0001.jpg", False, 0)])
    with pytest.raises(ValueError, match=r"names 1 photographs without a crop: p09/0001\.jpg"):
        read_pairs(folder)


def test_changed_pairs_are_refused(tmp_path):
    """No pair may be dropped in silence."""
    folder = make_folder(tmp_path / "b", pairs=[("p00/0000.jpg", "p00/0001.jpg", True, fold) for fold in range(3)])
    path = folder.path / "pairs.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(ValueError, match=r"pairs\.csv is missing or was changed"):
        read_pairs(folder)


def test_what_is_no_text_is_named(tmp_path):
    (tmp_path / "p.csv").write_bytes("a,b,same\nJosé/1.jpg,q/b.jpg,0\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"p\.csv is not UTF-8 text .* save it as UTF-8"):
        parse_pairs_file(tmp_path / "p.csv")
    (tmp_path / "q.csv").write_text('a,b,same\n"' + "x" * 200_000)
    with pytest.raises(ValueError, match=r"q\.csv is no CSV .* stray quotation mark"):
        parse_pairs_file(tmp_path / "q.csv")
