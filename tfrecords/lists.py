"""Pair lists in the shapes that people have: LFW, CALFW and CPLFW, AgeDB-30, CFP, and our CSV.

Every reader returns a list of (where, (key, key, is_same, fold)): `where` names the place in the file for a message, a
key is PERSON/PHOTOGRAPH inside the folder of photographs, folds count from 0.
"""

import csv
from pathlib import Path

FOLDS = 10


def read_csv(path):
    """`a,b,same[,fold]` with that header; without the column all pairs are in fold 0."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, skipinitialspace=True)
        header = next(reader, [])
        if [name.strip() for name in header] not in (["a", "b", "same"], ["a", "b", "same", "fold"]):
            raise ValueError(f"{path}, line 1: expected the header a,b,same or a,b,same,fold, got {header!r}")
        return [(f"line {reader.line_num}", _csv_pair(path, reader.line_num, fields, len(header)))
                for fields in reader if fields]


def _csv_pair(path, line, fields, width):
    good = len(fields) == width and fields[2].strip() in ("0", "1")
    if not good or (width == 4 and not _is_number(fields[3].strip())):
        raise ValueError(f"{path}, line {line}: expected photograph, photograph, 1 or 0{', fold' * (width == 4)}; "
                         f"got {','.join(fields)!r}")
    return fields[0], fields[1], fields[2].strip() == "1", int(fields[3]) if width == 4 else 0


def read_text(path):
    """LFW's View 1 (one number in line 1) and View 2 (two), or the two lines a pair of CALFW and CPLFW."""
    lines = [line.strip("\r") for line in Path(path).read_text(encoding="utf-8-sig").split("\n")]
    head = lines[0].split()
    body = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if 1 <= len(head) <= 2 and all(map(_is_number, head)):
        return _read_lfw(path, head, body[1:])
    if body and _calfw_fields(body[0][1]):
        return _read_calfw(path, body)
    raise ValueError(f"{path}, line 1: expected LFW's `folds pairs` (such as 10 300), CALFW's `PHOTOGRAPH.jpg 1` or "
                     f"the CSV header a,b,same, got {lines[0][:80]!r}")


def _read_lfw(path, head, body):
    folds, each = (1, int(head[0])) if len(head) == 1 else map(int, head)
    if each < 1 or len(body) != folds * 2 * each:
        raise ValueError(f"{path}: line 1 promises {folds} folds of {each} + {each} pairs, "
                         f"{folds * 2 * each} lines; there are {len(body)}")
    pairs = []
    for place, (number, line) in enumerate(body):
        is_same = place % (2 * each) < each
        pairs.append((f"line {number}", (*_lfw_keys(path, number, line, is_same), is_same, place // (2 * each))))
    return pairs


def _lfw_keys(path, number, line, is_same):
    fields = line.split("\t") if "\t" in line else line.split()
    fields = [field.strip() for field in fields]
    numbers = fields[1:] if is_same else fields[1::2]
    if len(fields) != (3 if is_same else 4) or not all(map(_is_number, numbers)):
        shape = "name, number, number" if is_same else "name, number, name, number"
        raise ValueError(f"{path}, line {number}: expected {shape}, got {line!r}")
    if is_same:
        return _lfw_key(fields[0], fields[1]), _lfw_key(fields[0], fields[2])
    return _lfw_key(fields[0], fields[1]), _lfw_key(fields[2], fields[3])


def _lfw_key(name, number):
    return f"{name}/{name}_{int(number):04d}.jpg"


def _read_calfw(path, body):
    """Two lines a pair with the same token twice: 0 is different, anything else same.

    All genuine pairs come first, then all impostor pairs, so consecutive tenths of the list would hold one kind only:
    fold f is the f-th tenth of the genuine and the f-th tenth of the impostor pairs. CALFW's tokens 1 to 10 are the
    folds of the genuine pairs.
    """
    if len(body) % 2:
        raise ValueError(f"{path}, line {body[-1][0]}: expected two lines a pair, got {len(body)} lines; this one has "
                         f"no second")
    pairs = []
    for (first_number, first), (number, second) in zip(body[::2], body[1::2], strict=True):
        a, b = _calfw_fields(first), _calfw_fields(second)
        if not a or not b or a[1] != b[1]:
            line, found = (number, second) if a else (first_number, first)
            expected = f"PHOTOGRAPH {a[1]}, as in the line before" if a else "PERSON_NUMBER.jpg and a number"
            raise ValueError(f"{path}, line {line}: expected {expected}, got {found!r}")
        pairs.append((f"line {first_number}", _calfw_key(a[0]), _calfw_key(b[0]), a[1]))
    numbers = {kind: sum((token != 0) == kind for *_, token in pairs) for kind in (True, False)}
    most, seen, found = max(token for *_, token in pairs), {True: 0, False: 0}, []
    for where, a, b, token in pairs:
        is_same = token != 0
        fold = seen[is_same] * FOLDS // numbers[is_same]
        seen[is_same] += 1
        if most > 1 and is_same and token != fold + 1:
            raise ValueError(f"{path}, {where}: expected token {fold + 1}, the fold of this tenth of the genuine "
                             f"pairs, got {token}; take the list as it was published")
        found.append((where, (a, b, is_same, fold)))
    return found


def _calfw_fields(line):
    """(name, token) of `PERSON_NUMBER.jpg TOKEN`; None where the line is no such one."""
    name, _, token = line.strip().rpartition(" ")
    name = name.strip()
    stem, _, number = name.rpartition(".")[0].rpartition("_")
    is_good = stem and _is_number(number) and _is_number(token) and "/" not in name
    return (name, int(token)) if is_good else None


def _calfw_key(name):
    return f"{name.rpartition('_')[0]}/{name}"   # a person's name may hold underscores: the last one ends it


def _is_number(word):
    return word.isascii() and word.isdecimal() and len(word) < 10
