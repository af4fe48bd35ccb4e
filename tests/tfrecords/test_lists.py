"""Pair lists in other shapes than LFW's."""

import numpy as np
import pytest
from scipy.io import savemat

from tfrecords.benchmark import parse_pairs_file
from tfrecords.matlab import read_matrices


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path


def calfw(tmp_path, *, each=20, token=lambda place: place // 2 + 1, digits=4):
    """Tenths of `each` genuine, then `each` impostor pairs."""
    genuine = [(f"Ann_{place}_{1:0{digits}d}.jpg", f"Ann_{place}_{3:0{digits}d}.jpg", token(place))
               for place in range(each)]
    impostor = [(f"Ann_{place}_{2:0{digits}d}.jpg", f"Bob-X._B_{1:0{digits}d}.jpg", 0) for place in range(each)]
    return write(tmp_path / "pairs_CALFW.txt",
                 "".join(f"{a} {kind}\n{b} {kind}\n" for a, b, kind in genuine + impostor))


def test_calfw(tmp_path):
    pairs = parse_pairs_file(calfw(tmp_path))
    assert pairs[0] == ("Ann_0/Ann_0_0001.jpg", "Ann_0/Ann_0_0003.jpg", True, 0)
    assert pairs[20] == ("Ann_0/Ann_0_0002.jpg", "Bob-X._B/Bob-X._B_0001.jpg", False, 0)
    assert [same for *_, same, _ in pairs] == [True] * 20 + [False] * 20   # a token of 2 to 10 is the same person too
    assert [fold for *_, fold in pairs] == [place // 2 for place in range(20)] * 2   # each fold has both kinds


def test_cplfw_has_tokens_of_0_and_1_and_numbers_without_zeros(tmp_path):
    pairs = parse_pairs_file(calfw(tmp_path, token=lambda place: 1, digits=1))
    assert pairs[2] == ("Ann_2/Ann_2_1.jpg", "Ann_2/Ann_2_3.jpg", True, 1)
    assert [fold for *_, fold in pairs] == [place // 2 for place in range(20)] * 2


@pytest.mark.parametrize(("change", "words"), [
    (lambda text: text.replace("Ann_3_0003.jpg 2", "Ann_3_0003.jpg 3"), r"line 8: expected PHOTOGRAPH 2, as in the"),
    (lambda text: text + "Ann_1_0009.jpg 0\n", r"line 81: expected two lines a pair, got 81 lines"),
    (lambda text: text.replace("Ann_3_0001.jpg 2", "Ann.jpg 2"), r"line 7: expected PERSON_NUMBER\.jpg and a number"),
    (lambda text: text.replace("Ann_3_0001.jpg 2", "a/Ann_3_0001.jpg 2"), r"line 7: expected PERSON_NUMBER\.jpg"),
    (lambda text: text.replace("0003.jpg 2", "0003.jpg 3").replace("0001.jpg 2", "0001.jpg 3"),
     r"line 5: expected token 2, the fold of this tenth"),
])
def test_calfw_that_is_broken(tmp_path, change, words):
    path = calfw(tmp_path)
    with pytest.raises(ValueError, match=words):
        parse_pairs_file(write(path, change(path.read_text())))


def cell(values):
    found = np.empty(np.shape(values), object)
    for place in np.ndindex(found.shape):
        found[place] = values[place[0]][place[1]]
    return found


def agedb(path, *, folds=10, label=lambda pair: 1 if pair < 2 else -1, variable="splits",
          do_compression=False):
    """A file of AgeDB's shape: four pairs a fold, the first two genuine."""
    splits = []
    for fold in range(folds):
        names = [[], []]
        for pair in range(4):
            names[0].append({"name": f"{fold}{pair}_Ann_A_30_f", "age": 30})
            person = f"{fold}{pair}" if pair < 2 else f"9{fold}{pair}"
            names[1].append({"name": f"{person}_Bob_B_60_m", "age": 60})
        labels = np.array([[label(pair) for pair in range(4)]], np.int16)
        splits.append([{"pairs": cell(names), "labels": labels}])
    savemat(path, {variable: cell(splits)}, do_compression=do_compression)
    return path


def test_agedb(tmp_path):
    pairs = parse_pairs_file(agedb(tmp_path / "30.mat"))
    assert len(pairs) == 40
    assert pairs[4] == ("10/10_Ann_A_30_f.jpg", "10/10_Bob_B_60_m.jpg", True, 1)
    assert pairs[6] == ("12/12_Ann_A_30_f.jpg", "912/912_Bob_B_60_m.jpg", False, 1)
    assert [fold for *_, fold in pairs] == [place // 4 for place in range(40)]


@pytest.mark.parametrize(("options", "words"), [
    ({"label": lambda pair: 1}, r"split 1, pair 3: label 1 contradicts the names '02_Ann_A_30_f' and '902_Bob"),
    ({"label": lambda pair: 0}, r"split 1, pair 1: label 0 contradicts"),
    ({"variable": "other"}, r"does not hold AgeDB's `splits`"),
])
def test_agedb_that_is_broken(tmp_path, options, words):
    with pytest.raises(ValueError, match=words):
        parse_pairs_file(agedb(tmp_path / "30.mat", **options))


@pytest.mark.parametrize("do_compression", [False, True])
def test_a_damaged_matlab_file_ends_in_a_sentence(tmp_path, do_compression):
    draw, refused, other = np.random.default_rng(0), 0, []
    data = agedb(tmp_path / "30.mat", folds=1, do_compression=do_compression).read_bytes()
    for _ in range(1000):
        broken = bytearray(data[:draw.integers(20, len(data))] if draw.random() < 0.3 else data)
        for place in draw.integers(19, len(broken), 3):
            broken[place] = draw.integers(256)
        (tmp_path / "broken.mat").write_bytes(broken)
        try:
            parse_pairs_file(tmp_path / "broken.mat")
        except ValueError as error:
            refused += 1
            other += [str(error)] if "broken.mat" not in str(error) else []
    assert other == []
    assert refused > 300


def test_a_matlab_file_that_unpacks_to_too_much(tmp_path, monkeypatch):
    savemat(tmp_path / "bomb.mat", {"splits": np.zeros(2 ** 20)}, do_compression=True)
    monkeypatch.setattr("tfrecords.matlab._MOST_BYTES", 2 ** 20)
    with pytest.raises(ValueError, match=r"bomb\.mat is a damaged MATLAB file .*unpacks to too much"):
        parse_pairs_file(tmp_path / "bomb.mat")


def test_matlab_files_as_scipy_writes_and_reads_them(tmp_path):
    values = {"text": "Ännä", "number": np.array([[1.5, -2], [3, 4]]), "small": np.uint8([[7]]),
              "cells": cell([["a", 3.0], [{"deep": "b"}, "c"]])}
    savemat(tmp_path / "x.mat", values, do_compression=True)
    found = read_matrices(tmp_path / "x.mat")
    assert found["text"].values == "Ännä"
    assert (found["number"].shape, found["number"].values.tolist()) == ((2, 2), [1.5, 3, -2, 4])
    assert found["small"].values.tolist() == [7]
    assert found["cells"].values[0].values == "a"
    assert found["cells"].values[1].values[0]["deep"].values == "b"
    assert (found["cells"].values[2].values.tolist(), found["cells"].values[3].values) == ([3.0], "c")


def cfp(root, kind):
    """Three people in ten folds; each fold has one genuine and one impostor pair, number 1 + fold of the frontal."""
    frontal = "".join(f"{i} ../Data/Images/{(i - 1) % 3 + 1:03d}/frontal/{i:02d}.jpg\n" for i in range(1, 34))
    profile = "".join(f"{i} ../Data/Images/{(i - 1) % 3 + 1:03d}/profile/{i:02d}.jpg\n" for i in range(1, 34))
    write(root / "Protocol" / "Pair_list_F.txt", frontal)
    write(root / "Protocol" / "Pair_list_P.txt", profile)
    for fold in range(1, 11):
        split = root / "Protocol" / "Split" / kind / f"{fold:02d}"
        write(split / "same.txt", f"{fold},{fold + 3}\n")
        write(split / "diff.txt", f"{fold},{fold + 1}\n")
    return root / "Protocol" / "Split" / kind


@pytest.mark.parametrize(("kind", "second"), [("FF", "frontal"), ("FP", "profile")])
def test_cfp(tmp_path, kind, second):
    pairs = parse_pairs_file(cfp(tmp_path, kind))
    assert len(pairs) == 20
    assert pairs[0] == ("001/frontal/01.jpg", f"001/{second}/04.jpg", True, 0)
    assert pairs[3] == ("002/frontal/02.jpg", f"003/{second}/03.jpg", False, 1)
    assert [fold for *_, fold in pairs] == [place // 2 for place in range(20)]


@pytest.mark.parametrize(("file", "text", "words"), [
    ("Pair_list_F.txt", "1 ../Data/Images/../../x/1.jpg\n", r"Pair_list_F\.txt, line 1: expected a new number and"),
    ("Pair_list_F.txt", "1 /etc/passwd\n", r"line 1: expected a new number"),
    ("Pair_list_F.txt", "1 ../Data/Images/001/a.jpg\n1 ../Data/Images/001/b.jpg\n", r"line 2: expected a new number"),
    ("Split/FP/03/diff.txt", "99,1\n", r"diff\.txt, line 1: expected two numbers `a,b` of Pair_list_F\.txt and of"),
    ("Split/FP/03/diff.txt", "1 2\n", r"Pair_list_P\.txt, got '1 2'"),
])
def test_cfp_that_is_broken(tmp_path, file, text, words):
    path = cfp(tmp_path, "FP")
    write(tmp_path / "Protocol" / file, text)
    with pytest.raises(ValueError, match=words):
        parse_pairs_file(path)


def test_folders_that_are_no_protocol(tmp_path):
    with pytest.raises(ValueError, match="is a folder, but not CFP's"):
        parse_pairs_file(tmp_path)
    path = cfp(tmp_path, "FP")
    (tmp_path / "Protocol" / "Pair_list_P.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"there is no .*Pair_list_P\.txt"):
        parse_pairs_file(path)


@pytest.mark.parametrize(("lines", "words"), [
    ("p/a,q/b,0\np/a,p/a,1\nq/b,q/b,1\n", r"line 3: 'p/a' is paired with itself, as in 2 of 3 pairs"),
    ("p/a,q/b,0\np/c,q/b,0\nq/b,p/a,0\np/a,q/b,0\n",
     r"line 4: the pair 'q/b', 'p/a' is there already in line 2; 2 of 4 pairs are repeated"),
])
def test_pairs_that_count_twice_or_tell_nothing(tmp_path, lines, words):
    with pytest.raises(ValueError, match=words):
        parse_pairs_file(write(tmp_path / "p.csv", "a,b,same\n" + lines))
