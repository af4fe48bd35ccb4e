"""Media sets: several media of one person that are compared as one. What a protocol is, and its media in a folder.

IJB calls such a set a template; a medium is a still image or a video, of which there may be many frames.

Protocols give their media by file name. The crops come from a dataset folder, as `python -m align --input MEDIA` makes
it, in which each media file is one photograph: the key of a crop is the media file's path. The boxes and landmarks that
some lists have are not read; where a media file shows several people (as in IJB-A's own images), cut the faces out
first and name the pieces as the list does.
"""

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

NUM_NAMED = 5   # of many faults of one kind so many are named


@dataclass(frozen=True)
class MediaSets:
    """S sets of M media files in all; a file may be in several sets."""

    names: list[str]
    """[S]: what the protocol calls the sets."""
    subjects: list[str]
    """[S]: whom they show; "" where the protocol does not say."""
    keys: list[str]
    """[M]: media files."""
    sets: np.ndarray
    """int64 [M]: the set that a file belongs to."""
    media: np.ndarray
    """int64 [M]: files of one set with one number are one medium (frames of a video)."""
    records: np.ndarray | None = None
    """int64 [M]: record of the file's crop in the folder, -1 where it has none; None before `locate`."""


@dataclass(frozen=True)
class SetPairs:
    """P pairs of sets to verify."""

    a: np.ndarray
    """int [P]: number of a set."""
    b: np.ndarray
    """int [P]"""
    same: np.ndarray
    """bool [P]"""
    num_repeated: int = 0
    """Pairs that the list has once more; they count as often as they are listed, as the protocol has it."""
    fold: np.ndarray | None = None
    """int64 [P], where thresholds come from the other folds."""


@dataclass(frozen=True)
class Search:
    """Probe sets looked for in a gallery of sets."""

    name: str
    gallery: np.ndarray
    """int64 [G]: numbers of sets."""
    probes: np.ndarray
    """int64 [Q]"""


@dataclass(frozen=True)
class Split:
    """One run of a protocol."""

    name: str
    sets: MediaSets
    pairs: SetPairs | None
    """None where there is nothing to verify."""
    searches: tuple[Search, ...] = ()


@dataclass(frozen=True)
class Protocol:
    """Everything a protocol asks for."""

    name: str
    """For a folder's name and the table."""
    files: tuple[Path, ...]
    """What it was read from."""
    splits: tuple[Split, ...]


def locate(sets, folder):
    """Finds each media file's crop in a dataset Folder.

    Where all crops lie in one folder above the media files (`loose_crop/1.jpg` for a list's `1.jpg`), its name is put
    before. A photograph that `python -m align` left out (no face, unreadable) has no crop: the record is -1.

    Returns:
        The MediaSets with `records`.

    Raises:
        ValueError: media files that were not among the photographs; all are counted, the first are named.
    """
    number = {key: place for place, key in enumerate(folder.keys)}
    usable = {row.key: number.get(row.key, -1) if row.status != "failed" else -1 for row in folder.rows}
    above = {key.partition("/")[0] for key in usable}
    prefix = f"{above.pop()}/" if len(above) == 1 and not any(key in usable for key in sets.keys) else ""
    missing = [key for key in dict.fromkeys(sets.keys) if prefix + key not in usable]
    if missing:
        raise ValueError(f"{folder.path} lacks {len(missing):,} media files of the protocol: {named(missing)}; align "
                         f"the folder that holds them all: python -m align --input MEDIA --output DATA")
    return replace(sets, records=np.array([usable[prefix + key] for key in sets.keys], np.int64))


def named(names):
    """Joins the first of many names for a message."""
    names = [repr(name) for name in names]
    return ", ".join(names[:NUM_NAMED]) + (" ..." if len(names) > NUM_NAMED else "")


def check_media_name(path, line, name):
    """Raises ValueError where a list names a file that is not within the folder of media."""
    if not name or name.startswith("/") or "\0" in name or ".." in PurePosixPath(name).parts:
        raise ValueError(f"{path}, line {line}: {name!r} is no file within the folder of media")


def numbered_lines(path):
    """Yields (line number from 1, text) for the lines of a UTF-8 text that are not blank."""
    with open(path, encoding="utf-8-sig", newline="\n") as file:
        try:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.strip("\r\n")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is not UTF-8 text ({error.reason}); save it as UTF-8") from error


def check_pairs(path, a, b, same, lines, names):
    """Counts the repeated pairs of a list, in either order; ValueError where the same pair is called both.

    Args:
        path: the list, for messages.
        a: int [P], numbers of sets.
        b: int [P].
        same: bool [P].
        lines: int [P]: where each pair stands.
        names: of the sets.
    """
    if not len(a):
        raise ValueError(f"{path} lists no pairs")
    itself = np.flatnonzero(a == b)
    if len(itself):
        place = itself[0]
        raise ValueError(f"{path}, line {lines[place]}: set {names[a[place]]!r} is paired with itself, as in "
                         f"{len(itself) - 1:,} other lines; it would score 1 whatever the model")
    code = np.minimum(a, b).astype(np.int64) * len(names) + np.maximum(a, b)
    order = np.argsort(code, kind="stable")
    repeated = np.flatnonzero(code[order][1:] == code[order][:-1])
    both = repeated[same[order][repeated] != same[order][repeated + 1]]
    if len(both):
        first, second = sorted((order[both[0]], order[both[0] + 1]))
        raise ValueError(f"{path}, lines {lines[first]} and {lines[second]}: sets {names[a[first]]!r} and "
                         f"{names[b[first]]!r} are called the same person and different people, as are "
                         f"{len(both) - 1:,} other pairs; use an unharmed copy of the list")
    return len(repeated)
