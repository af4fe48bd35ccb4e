"""Benchmarks: lists of pairs of photographs in folds, from the files people have and from a dataset folder."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from base.files import atomic_text


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
    listed = _read_csv(path)
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
    """Reads a pair list: LFW's (View 1 and 2) or a CSV with the header `a,b,same[,fold]`.

    Returns:
        A list of (key, key, is_same, fold), folds from 0.

    Raises:
        ValueError: another shape (with the line's number), a name that leaves the folder, or no pairs.
    """
    try:
        first = Path(path).read_text(encoding="utf-8-sig").partition("\n")[0].strip()
        pairs = _read_csv(path) if first.replace(" ", "").startswith("a,b,same") else _read_lfw(path)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8"
                         ) from error
    except csv.Error as error:
        raise ValueError(f"{path} is no CSV ({error}); look for a stray quotation mark") from error
    for a, b, _, _ in pairs:
        for key in (a, b):
            _check_key(path, key)
    if not pairs:
        raise ValueError(f"{path} lists no pairs")
    return pairs


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


def _read_csv(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, skipinitialspace=True)
        header = next(reader, [])
        if [name.strip() for name in header] not in (["a", "b", "same"], ["a", "b", "same", "fold"]):
            raise ValueError(f"{path}, line 1: expected the header a,b,same or a,b,same,fold, got {header!r}")
        return [_csv_pair(path, reader.line_num, fields, len(header)) for fields in reader if fields]


def _csv_pair(path, line, fields, width):
    good = len(fields) == width and fields[2].strip() in ("0", "1")
    if not good or (width == 4 and not fields[3].strip().isdecimal()):
        raise ValueError(f"{path}, line {line}: expected photograph, photograph, 1 or 0{', fold' * (width == 4)}; "
                         f"got {','.join(fields)!r}")
    return fields[0], fields[1], fields[2].strip() == "1", int(fields[3]) if width == 4 else 0


def _read_lfw(path):
    lines = [line.strip("\r") for line in Path(path).read_text(encoding="utf-8-sig").split("\n")]
    head = lines[0].split()
    if not 1 <= len(head) <= 2 or not all(word.isdecimal() for word in head):
        raise ValueError(f"{path}, line 1: expected LFW's `folds pairs` (such as 10 300) or the CSV header "
                         f"a,b,same, got {lines[0]!r}")
    folds, each = (1, int(head[0])) if len(head) == 1 else map(int, head)
    body = [(number, line) for number, line in enumerate(lines[1:], start=2) if line.strip()]
    if each < 1 or len(body) != folds * 2 * each:
        raise ValueError(f"{path}: line 1 promises {folds} folds of {each} + {each} pairs, "
                         f"{folds * 2 * each} lines; there are {len(body)}")
    pairs = []
    for place, (number, line) in enumerate(body):
        is_same = place % (2 * each) < each
        pairs.append((*_lfw_keys(path, number, line, is_same), is_same, place // (2 * each)))
    return pairs


def _lfw_keys(path, number, line, is_same):
    fields = line.split("\t") if "\t" in line else line.split()
    fields = [field.strip() for field in fields]
    numbers = fields[1:] if is_same else fields[1::2]
    if len(fields) != (3 if is_same else 4) or not all(word.isdecimal() for word in numbers):
        shape = "name, number, number" if is_same else "name, number, name, number"
        raise ValueError(f"{path}, line {number}: expected {shape}, got {line!r}")
    if is_same:
        return _lfw_key(fields[0], fields[1]), _lfw_key(fields[0], fields[2])
    return _lfw_key(fields[0], fields[1]), _lfw_key(fields[2], fields[3])


def _lfw_key(name, number):
    return f"{name}/{name}_{int(number):04d}.jpg"


def _check_key(path, key):
    parts = PurePosixPath(key).parts
    if not key or key.startswith("/") or "\0" in key or ".." in parts or len(parts) < 2:
        raise ValueError(f"{path} names {key!r}; expected IDENTITY/PHOTOGRAPH inside the folder of photographs")
