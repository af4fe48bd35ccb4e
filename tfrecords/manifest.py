"""The manifest: one row a photograph, also those that failed; and the list of identities."""

import csv
from dataclasses import dataclass
from pathlib import Path

from base.files import atomic_text, atomic_write

STATUSES = ("aligned", "fallback", "failed")
POINTS = tuple(f"{axis}{point}" for point in range(5) for axis in "xy")
COLUMNS = ("key", "label", "status", "reason", "confidence", *POINTS, "shard", "record")


@dataclass(frozen=True)
class Row:
    """What became of one photograph."""

    key: str
    """Path relative to the folder of photographs, with `/`."""
    label: int
    """Rank of its identity."""
    status: str
    """aligned, fallback (no face, or landmarks that fit no face) or failed (unreadable)."""
    reason: str = ""
    """Why it is no aligned crop."""
    confidence: float | None = None
    """The detector's score of the chosen face, 0 to 1."""
    landmarks: tuple[float, ...] | None = None
    """x0, y0, ... x4, y4 in pixels of the upright photograph."""
    shard: int = -1
    """Number of the shard that holds its crop; -1 where there is none."""
    record: int = -1
    """Place of the crop in its shard, from 0; -1 where there is none."""


def write_manifest(path, rows):
    """Writes rows as CSV, whole or not at all."""
    with atomic_write(path, "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            points = row.landmarks or ("",) * 10
            confidence = "" if row.confidence is None else f"{row.confidence:.6f}"
            writer.writerow((row.key, row.label, row.status, row.reason, confidence, *points, row.shard, row.record))


def read_manifest(path):
    """Returns the rows of a manifest, in its order; ValueError where it is none."""
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        if tuple(next(reader, ())) != COLUMNS:
            raise ValueError(f"{path} is no manifest: its first line is not {','.join(COLUMNS)}")
        return [_row(path, number, fields) for number, fields in enumerate(reader, start=2)]


def write_classes(path, names):
    r"""Writes one identity a line, line i being label i; a newline in a name is written as `\n`."""
    atomic_text(path, "".join(escape(name) + "\n" for name in names))


def read_classes(path):
    """Returns the identities, by label."""
    text = Path(path).read_text(encoding="utf-8")
    return [unescape(line) for line in text.split("\n")[:-1]]


def escape(name):
    """Makes a name safe for a line of text: backslash, newline and carriage return become two characters."""
    return name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def unescape(line):
    """Undoes `escape`."""
    letters = {"n": "\n", "r": "\r", "\\": "\\"}
    pieces, rest = [], iter(line)
    for letter in rest:
        pieces.append(letters.get(next(rest, ""), "") if letter == "\\" else letter)
    return "".join(pieces)


def _row(path, number, fields):
    if len(fields) != len(COLUMNS) or fields[2] not in STATUSES:
        raise ValueError(f"{path}, line {number}: not a manifest row: {fields!r}")
    points = tuple(map(float, fields[5:15])) if fields[5] else None
    confidence = float(fields[4]) if fields[4] else None
    return Row(fields[0], int(fields[1]), fields[2], fields[3], confidence, points, int(fields[15]), int(fields[16]))
