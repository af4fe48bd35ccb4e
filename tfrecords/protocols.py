"""Protocols that are no text list: AgeDB-30's MATLAB file and CFP's folder of splits. Readers as in `lists`."""

from pathlib import Path, PurePosixPath

from tfrecords.lists import FOLDS
from tfrecords.matlab import MAGIC, read_matrices

_IMAGES = PurePosixPath("Data/Images")


def is_matlab(path):
    """True where a file begins as those of MATLAB 5 do."""
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def read_agedb(path):
    """AgeDB-30's `04_FINAL_protocol_30_years.mat`: ten splits of pairs, labels +1 and -1.

    A name such as `1_Ann_A_50_f` is the photograph 1/1_Ann_A_50_f.jpg: its first part names the person.

    Raises:
        ValueError: another shape, or a label that contradicts the names.
    """
    found = read_matrices(path)
    try:
        splits = found["splits"].values
        return [pair for number, split in enumerate(splits) for pair in _agedb_split(path, split, number)]
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        if str(path) in str(error):
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ValueError(f"{path} does not hold AgeDB's `splits` of pairs and labels ({reason}); take "
                         f"04_FINAL_protocol_30_years.mat as it was published") from error


def _agedb_split(path, split, number):
    """The pairs of one split: a struct of a cell 2 x n, each a struct whose first field is a name, and n labels."""
    names, labels = split.values[0].values()
    first, second = names.values[::2], names.values[1::2]   # column-major: the rows take turns
    if names.shape[0] != 2 or not len(first) == len(second) == len(labels.values):
        raise ValueError(f"{names.shape} names and {len(labels.values)} labels")
    pairs = []
    for place, (*cells, label) in enumerate(zip(first, second, labels.values.tolist(), strict=True)):
        where = f"split {number + 1}, pair {place + 1}"
        a, b = (next(iter(cell.values[0].values())).values for cell in cells)
        for name in (a, b):
            if "_" not in name:
                raise ValueError(f"{path}, {where}: expected a name such as 1_Ann_A_50_f, got {name!r}")
        people = [name.partition("_")[0] for name in (a, b)]
        if label not in (1, -1) or (people[0] == people[1]) != (label == 1):
            raise ValueError(f"{path}, {where}: label {label} contradicts the names {a!r} and {b!r}; take the file as "
                             f"it was published")
        pairs.append((where, (f"{people[0]}/{a}.jpg", f"{people[1]}/{b}.jpg", label == 1, number)))
    return pairs


def read_cfp(path):
    """CFP's `Protocol/Split/FF` or `FP`: ten folders with same.txt and diff.txt, lines of two numbers.

    The numbers count in Protocol/Pair_list_F.txt (frontal), the second of FP in Pair_list_P.txt (profile), whose paths
    lead to Data/Images: keys are relative to that folder.

    Raises:
        ValueError: another name or shape, or a path that leads elsewhere.
        FileNotFoundError: a file of the protocol is missing.
    """
    path = Path(path)
    if path.name not in ("FF", "FP") or not (path / "01" / "same.txt").is_file():
        raise ValueError(f"{path} is a folder, but not CFP's Protocol/Split/FF or Protocol/Split/FP with 01/same.txt "
                         f"in it; name a pair list or one of those")
    protocol = path.resolve().parent.parent
    frontal = _cfp_photographs(protocol / "Pair_list_F.txt")
    second = frontal if path.name == "FF" else _cfp_photographs(protocol / "Pair_list_P.txt")
    pairs = []
    for fold in range(FOLDS):
        for name, is_same in (("same.txt", True), ("diff.txt", False)):
            file = path / f"{fold + 1:02d}" / name
            for number, line in _lines(file):
                a, comma, b = line.replace(" ", "").partition(",")
                if not comma or a not in frontal or b not in second:
                    raise ValueError(f"{file}, line {number}: expected two numbers `a,b` of Pair_list_F.txt and of "
                                     f"Pair_list_{path.name[1]}.txt, got {line!r}")
                pairs.append((f"{fold + 1:02d}/{name}, line {number}", (frontal[a], second[b], is_same, fold)))
    return pairs


def _cfp_photographs(file):
    """A dict of number (as text) -> key."""
    keys = {}
    for number, line in _lines(file):
        index, _, where = line.strip().partition(" ")
        parts = PurePosixPath(where.strip()).parts
        inside = PurePosixPath(*parts[1:])   # `..` leads from Protocol to the root, and may lead nowhere else
        is_good = (index.isdecimal() and parts[:1] == ("..",) and ".." not in inside.parts
                   and inside.is_relative_to(_IMAGES) and len(inside.parts) > len(_IMAGES.parts) + 1)
        if not is_good or index in keys:
            raise ValueError(f"{file}, line {number}: expected a new number and ../{_IMAGES}/PERSON/PHOTOGRAPH, got "
                             f"{line!r}")
        keys[index] = inside.relative_to(_IMAGES).as_posix()
    return keys


def _lines(file):
    """(number, line) of the lines of a text file that are not blank."""
    if not file.is_file():
        raise FileNotFoundError(f"there is no {file}, which CFP's protocol has; copy its whole folder Protocol")
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    return [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
