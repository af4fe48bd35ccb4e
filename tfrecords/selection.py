"""Which crops of a folder are trained on, with their identities numbered densely."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from base.checks import near_names
from tfrecords.manifest import unescape


@dataclass(frozen=True)
class Selection:
    """The kept crops: class i is the i-th kept identity in the order of classes.txt."""

    records: np.ndarray
    """int64 [N]: record numbers in the folder, rising."""
    labels: np.ndarray
    """int64 [N]: dense labels, 0 to C - 1."""
    classes: list[str]
    """C identities, by dense label."""


def select(folder, *, fewest_crops=1, left_out=()):
    """Keeps the identities with enough crops that are not left out.

    Args:
        folder: a Folder.
        fewest_crops: identities with fewer crops are left out, at least 1.
        left_out: names of identities to leave out.

    Raises:
        ValueError: a name is no identity of the folder, or fewer than two identities remain.
    """
    labels = np.asarray(folder.labels)
    counts = np.bincount(labels, minlength=len(folder.classes))
    is_kept = counts >= max(1, fewest_crops)
    place = {name: label for label, name in enumerate(folder.classes)}
    for name in left_out:
        if name not in place:
            raise ValueError(f"{name!r} is to be left out, but is no identity of {folder.path}"
                             f"{near_names(name, place)}")
        is_kept[place[name]] = False
    if is_kept.sum() < 2:
        raise ValueError(f"{folder.path}: {int(is_kept.sum())} of {len(counts)} identities have at least "
                         f"{fewest_crops} crops and are not left out; training needs two: add people, or lower "
                         f"--data.fewest_crops")
    dense = np.cumsum(is_kept) - 1
    records = np.flatnonzero(is_kept[labels])
    return Selection(records, dense[labels[records]], [folder.classes[label] for label in np.flatnonzero(is_kept)])


def read_names(path):
    """Reads identities, one a line (a newline in a name written as in classes.txt); blank lines are passed over."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}), expected identities, one "
                         f"a line") from error
    return [unescape(line.strip("\r")) for line in text.split("\n") if line.strip()]
