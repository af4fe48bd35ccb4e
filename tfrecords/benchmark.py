"""Benchmarks: lists of pairs of photographs in folds, from the files people have and from a dataset folder."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from base.files import atomic_text
from tfrecords import lists, protocols


@dataclass(frozen=True)
class Pairs:
    """P pairs of crops of one folder, as record numbers, in the order of the pair list."""

    a: np.ndarray
    """int64 [P]"""
    b: np.ndarray
    """int64 [P]"""
    same: np.ndarray
    """bool [P]"""
    fold: np.ndarray
    """int64 [P], from 0"""
    unreadable: np.ndarray
    """bool [P]: a photograph of the pair was there but unreadable; the pair counts as wrong."""


def read_pairs(folder):
    """Returns the Pairs of a benchmark's Folder; ValueError where it is no benchmark or pairs and crops disagree."""
    path = folder.path / "pairs.csv"
    if not path.is_file():
        raise ValueError(f"{folder.path} has no pairs.csv, so it is no benchmark; make one by: python -m align "
                         f"--input PHOTOGRAPHS --pairs PAIRS --output {folder.path}")
    folder.check("pairs.csv")
    number = {key: place for place, key in enumerate(folder.keys)}
    failed = {row.key for row in folder.rows if row.status == "failed"}
    listed = [pair for _, pair in lists.read_csv(path)]
    missing = sorted({key for a, b, _, _ in listed for key in (a, b)} - number.keys())
    if missing:
        raise ValueError(f"{path} names {len(missing)} photographs without a crop: {', '.join(missing[:20])}; "
                         f"align the benchmark again")
    columns = list(zip(*listed, strict=True))
    return Pairs(
        a=np.array([number[key] for key in columns[0]], np.int64),
        b=np.array([number[key] for key in columns[1]], np.int64),
        same=np.array(columns[2], bool),
        fold=np.array(columns[3], np.int64),
        unreadable=np.array([a in failed or b in failed for a, b, _, _ in listed], bool),
    )


def parse_pairs_file(path):
    """Reads a pair list; its kind is told by its content.

    Known are LFW's (View 1 and 2), CALFW's and CPLFW's, AgeDB-30's MATLAB file, CFP's folder Protocol/Split/FF or FP,
    and a CSV with the header `a,b,same[,fold]`.

    Returns:
        A list of (key, key, is_same, fold), folds from 0.

    Raises:
        ValueError: another shape (with the line's number), a name that leaves the folder, a pair that is there twice,
            a photograph paired with itself, or no pairs.
    """
    try:
        found = _read(path)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8"
                         ) from error
    except csv.Error as error:
        raise ValueError(f"{path} is no CSV ({error}); look for a stray quotation mark") from error
    for where, (a, b, *_) in found:
        for key in (a, b):
            _check_key(f"{path}, {where},", key)
    if not found:
        raise ValueError(f"{path} lists no pairs")
    check_pairs(path, found)
    return [pair for _, pair in found]


def write_pairs(path, pairs):
    """Writes (key, key, is_same, fold) as CSV, whole or not at all."""
    atomic_text(path, pairs_text(pairs))


def pairs_text(pairs):
    """(key, key, is_same, fold) as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("a", "b", "same", "fold"))
    writer.writerows((a, b, int(same), fold) for a, b, same, fold in pairs)
    return text.getvalue()


def _read(path):
    """Pairs with their places, by the reader that the file's kind asks for."""
    if Path(path).is_dir():
        return protocols.read_cfp(path)
    if protocols.is_matlab(path):
        return protocols.read_agedb(path)
    first = Path(path).read_text(encoding="utf-8-sig").partition("\n")[0].strip()
    return lists.read_csv(path) if first.replace(" ", "").startswith("a,b,same") else lists.read_text(path)


def check_pairs(path, found):
    """Refuses pairs that count twice or tell nothing.

    Args:
        path: what to call the list.
        found: list of (where, (key, key, is_same, fold)).

    Raises:
        ValueError: a photograph paired with itself, or a pair that is there again, in either order; how many there are
            and the first of them.
    """
    alone = [(where, pair) for where, pair in found if pair[0] == pair[1]]
    if alone:
        where, (key, *_) = alone[0]
        raise ValueError(f"{path}, {where}: {key!r} is paired with itself, as in {len(alone)} of {len(found)} pairs; "
                         f"such a pair is right always: take them out of the list")
    first, again = {}, []
    for where, (a, b, *_) in found:
        if first.setdefault(frozenset((a, b)), where) != where:
            again.append((where, a, b))
    if again:
        where, a, b = again[0]
        raise ValueError(f"{path}, {where}: the pair {a!r}, {b!r} is there already in {first[frozenset((a, b))]}; "
                         f"{len(again)} of {len(found)} pairs are repeated and would count twice: take them out")


def _check_key(path, key):
    parts = PurePosixPath(key).parts
    if not key or key.startswith("/") or "\0" in key or ".." in parts or len(parts) < 2:
        raise ValueError(f"{path} names {key!r}; expected IDENTITY/PHOTOGRAPH inside the folder of photographs")
