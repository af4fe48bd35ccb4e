"""Cells, structs, texts and numbers of a MATLAB 5 file, by MathWorks' "MAT-File Format" (level 5).

SciPy's reader of this format ends the whole program by a segmentation fault on some damaged files; this one raises.
"""

import struct
import zlib
from dataclasses import dataclass

import numpy as np

MAGIC = b"MATLAB 5.0 MAT-file"
_HEADER, _MATRIX, _COMPRESSED = 128, 14, 15
_CELL, _STRUCT, _CHAR, _NUMBERS = 1, 2, 4, range(6, 16)
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_MOST_BYTES, _DEEPEST = 2 ** 26, 8   # unpacked; AgeDB's file has about 10 MB and 5 levels


@dataclass(frozen=True)
class Matrix:
    """One array of the file."""

    name: str
    shape: tuple[int, ...]
    values: object
    """Column-major: of a cell a list of Matrix, of a struct a list of dicts of Matrix, of text a str, of numbers an
    array [n]."""


def read_matrices(path):
    """Returns the arrays of a file, by name; ValueError where it is damaged or holds something else."""
    with open(path, "rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if data[:len(MAGIC)] != MAGIC or len(data) > _MOST_BYTES or data[126:128] not in (b"IM", b"MI"):
        raise ValueError(f"{path} is no MATLAB 5 file of at most {_MOST_BYTES >> 20} MiB")
    order = "<" if data[126:128] == b"IM" else ">"
    try:
        found = [_matrix(element, order, 0) for element in _unpacked(data, order)]
    except (struct.error, zlib.error, UnicodeDecodeError, IndexError, OverflowError, _Damaged) as error:
        raise ValueError(f"{path} is a damaged MATLAB file or one with other contents than cells, structs, texts and "
                         f"numbers ({error}); copy it again") from error
    return {matrix.name: matrix for matrix in found}


class _Damaged(Exception):
    pass


def _unpacked(data, order):
    """Yields the bytes of each matrix of a file; compressed ones unpacked, within the limit in all."""
    left = _MOST_BYTES
    for kind, content in _elements(data, order, start=_HEADER, pad=1):   # MATLAB pads no compressed element
        if kind == _COMPRESSED:
            content = zlib.decompressobj().decompress(content, left)
            left -= len(content)
            if left <= 0:
                raise _Damaged("it unpacks to too much")
            [(kind, content), *_] = [*_elements(content, order)] or [(0, b"")]
        if kind != _MATRIX:
            raise _Damaged(f"an element of type {kind}")
        yield content


def _elements(data, order, *, start=0, pad=8):
    """Yields (type, bytes) of the elements that lie one after the other."""
    place = start
    while place < len(data):
        kind, size = struct.unpack_from(f"{order}II", data, place)
        body = place + 8
        following = body + -(-size // pad) * pad
        if kind >> 16:   # up to four bytes stand in the tag itself
            kind, size, body, following = kind & 0xFFFF, kind >> 16, place + 4, place + 8
        if body + size > len(data) or body + size > following:
            raise _Damaged("an element ends after the file")
        yield kind, data[body:body + size]
        place = following


def _matrix(data, order, depth):
    if depth > _DEEPEST:
        raise _Damaged("nested too deep")
    parts = [*_elements(data, order)]
    if not parts:
        return Matrix("", (0, 0), np.zeros(0))
    flags, shape = _numbers(parts[0], order), tuple(_numbers(parts[1], order).tolist())
    name, kind = _text(parts[2], order), int(flags[0]) & 0xFF
    if kind == _CELL:
        values = _children(parts[3:], order, depth)
    elif kind == _STRUCT:
        width, names = int(_numbers(parts[3], order)[0]), parts[4][1]
        fields = [names[at:at + width].split(b"\0")[0].decode() for at in range(0, len(names), max(width, 1))]
        children = _children(parts[5:], order, depth)
        count = max(len(fields), 1)
        values = [dict(zip(fields, children[at:at + count], strict=False)) for at in range(0, len(children), count)]
    elif kind == _CHAR:
        values = _text(parts[3], order) if len(parts) > 3 else ""
    elif kind in _NUMBERS:
        values = _numbers(parts[3], order) if len(parts) > 3 else np.zeros(0)
    else:
        raise _Damaged(f"an array of class {kind}")
    return Matrix(name, shape, values)


def _children(parts, order, depth):
    if any(kind != _MATRIX for kind, _ in parts):
        raise _Damaged("a cell without an array")
    return [_matrix(content, order, depth + 1) for _, content in parts]


def _numbers(part, order):
    kind, content = part
    if kind not in _TYPES or len(content) % np.dtype(_TYPES[kind]).itemsize:
        raise _Damaged(f"{len(content)} bytes of numbers of type {kind}")
    return np.frombuffer(content, order + _TYPES[kind])


def _text(part, order):
    kind, content = part
    if kind not in _TEXTS:
        raise _Damaged(f"a text of type {kind}")
    coding = _TEXTS[kind] + ({"<": "-le", ">": "-be"}[order] if kind in (4, 17, 18) else "")
    return content.decode(coding)
