"""A dataset folder: shards, index, manifest, identities, and meta.json, which is written last.

A folder without meta.json is unfinished; one with it is whole.
"""

import functools
import hashlib
import os
from pathlib import Path

import cv2
import numpy as np

from base.checks import require_folder
from base.files import atomic_json, atomic_write, read_json, sha256
from tfrecords.benchmark import write_pairs
from tfrecords.manifest import read_classes, read_manifest, write_classes, write_manifest
from tfrecords.shard import parse, shard_name, spans
from tfrecords.template import get_template

FORMAT = 1
_INDEX = ("label", "offset", "length")
_WRONG = "align the photographs again into an empty folder"   # the cure of everything that was changed


def finish(path, *, template, classes, rows, num_shards, settings, quality, pairs=None):
    """Turns finished shards into a dataset folder: index, identities, manifest, pairs, then meta.json.

    Args:
        path: the folder that holds the shards.
        template: the Template of the crops.
        classes: identities, by label.
        rows: manifest Rows of all photographs.
        num_shards: shards that there are, those without a crop too.
        settings: dict of what else decided the crops (detector, choice), to be written down.
        quality: JPEG quality, 1 to 100.
        pairs: in a benchmark, a list of (key, key, is_same, fold).

    Returns:
        What was written to meta.json.
    """
    path = Path(path)
    shards, labels, offsets, lengths, entries = [], [], [], [], []
    for number in range(num_shards):
        file = path / shard_name(number, num_shards)
        starts, sizes = spans(file)
        records = [parse(payload) for payload in _payloads(file, starts, sizes)]
        labels.extend(record.label for record in records)
        entries.extend((record.key, record.label, hashlib.sha256(record.jpeg).hexdigest()) for record in records)
        offsets.append(starts)
        lengths.append(sizes)
        shards.append({"name": file.name, "records": len(records), "bytes": file.stat().st_size,
                       "sha256": sha256(file)})
    (path / "index").mkdir(exist_ok=True)
    for name, parts in zip(_INDEX, ([np.array(labels, np.int64)], offsets, lengths), strict=True):
        array = np.concatenate([np.zeros(0, np.int64), *parts])
        with atomic_write(path / _index(name)) as file:
            np.save(file, array.astype("<i8"), allow_pickle=False)
    write_classes(path / "classes.txt", classes)
    write_manifest(path / "manifest.csv", rows)
    if pairs is not None:
        write_pairs(path / "pairs.csv", pairs)
    meta = {
        "format": FORMAT,
        "kind": "training" if pairs is None else "benchmark",
        "template": {"name": template.name, "height": template.height, "width": template.width,
                     "points": [list(point) for point in template.points]},
        "colour": "RGB",
        "jpeg_quality": quality,
        "settings": settings,
        "counts": _counts(classes, rows, entries),
        "shards": shards,
        "files": {name: sha256(path / name) for name in _beside(pairs is not None)},
        "digest": _digest(entries, template, pairs),
    }
    atomic_json(path / "meta.json", meta)
    return meta


class Folder:
    """A finished dataset folder, read at random by offset.

    Attributes:
        path, meta, template, digest; classes: identities by label; labels: int64 [N] by record number.
    """

    @classmethod
    def open(cls, path):
        """Opens a folder; FileNotFoundError or ValueError says what is missing and what to do."""
        path = Path(path)
        require_folder(path, "dataset folder", "make one by: python -m align --input PHOTOGRAPHS --output DATA")
        if not (path / "meta.json").is_file():
            _refuse(path)
        return cls(path, read_json(path / "meta.json"))

    def __init__(self, path, meta):
        """Use `open`."""
        self.path, self.meta = path, meta
        _check_meta(path, meta)
        self.template = _template(path, meta["template"])
        self.digest = meta["digest"]
        self.name = path.resolve().name
        self._files = [path / _plain_name(path, shard["name"]) for shard in meta["shards"]]
        for file, shard in zip(self._files, meta["shards"], strict=True):
            if not file.is_file() or file.stat().st_size != shard["bytes"]:
                raise ValueError(f"{file} is missing or not the {shard['bytes']} bytes that meta.json states; {_WRONG}")
        self._first = np.cumsum([0] + [shard["records"] for shard in meta["shards"]])
        self.labels, self._offsets, self._lengths = (
            _load_index(path / _index(name), self._first[-1]) for name in _INDEX)

    @functools.cached_property
    def classes(self):
        """Identities, by label."""
        self.check("classes.txt")
        return read_classes(self.path / "classes.txt")

    @functools.cached_property
    def rows(self):
        """Manifest rows, one a photograph."""
        self.check("manifest.csv")
        return read_manifest(self.path / "manifest.csv")

    @functools.cached_property
    def keys(self):
        """Keys of the crops' photographs, by record number."""
        keys = [""] * self.num_records
        for row in self.rows:
            if row.record >= 0:
                keys[int(self._first[row.shard]) + row.record] = row.key
        return keys

    @property
    def num_records(self):
        """Number of crops."""
        return int(self._first[-1])

    def payload(self, number):
        """Returns the bytes of record `number`."""
        shard = int(np.searchsorted(self._first, number, side="right")) - 1
        return os.pread(self._descriptors[shard], int(self._lengths[number]), int(self._offsets[number]))

    def record(self, number):
        """Returns the Record `number`."""
        return parse(self.payload(number))

    def crop(self, number):
        """Returns crop `number`: uint8 RGB [H, W, 3]."""
        image = cv2.imdecode(np.frombuffer(self.record(number).jpeg, np.uint8), cv2.IMREAD_COLOR)
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

    def verify(self):
        """Reads all files and compares them with meta.json; ValueError names one that was changed."""
        for file, shard in zip(self._files, self.meta["shards"], strict=True):
            _check_hash(file, shard["sha256"])
        for name in self.meta["files"]:
            self.check(name)

    def check(self, name):
        """Compares a file beside the shards, such as pairs.csv, with meta.json; ValueError where it was changed."""
        _check_hash(self.path / name, self.meta["files"].get(name))

    @functools.cached_property
    def _descriptors(self):
        return [os.open(file, os.O_RDONLY) for file in self._files]

    def __del__(self):
        """Closes the shards."""
        for descriptor in self.__dict__.pop("_descriptors", []):
            os.close(descriptor)


def _refuse(path):
    """Says what a folder without meta.json is."""
    if (path / "job.json").is_file():
        raise ValueError(f"{path} has no meta.json, so it is no finished dataset; run the python -m align command "
                         f"that began it again, it goes on where it stopped")
    if (path / "config.yaml").is_file() or (path / "card.json").is_file():
        raise ValueError(f"{path} is a run, expected a dataset folder, as python -m align makes it")
    raise ValueError(f"{path} has no meta.json, so it is no dataset folder; if it holds photographs, make one by: "
                     f"python -m align --input {path} --output DATA")


def _beside(is_benchmark):
    """The files of a folder that are neither shards nor meta.json nor pictures."""
    return ("classes.txt", "manifest.csv", *map(_index, _INDEX), *(["pairs.csv"] if is_benchmark else []))


def _index(name):
    return f"index/{name}.npy"


def _load_index(file, count):
    """One array of the index, int64 [count], left on the disk."""
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{file} is no array ({error}); {_WRONG}") from error
    if array.dtype != np.int64 or array.shape != (count,):
        raise ValueError(f"{file} holds {array.dtype} {list(array.shape)}, the shards {count} records; {_WRONG}")
    return array


def _check_meta(path, meta):
    found = meta.get("format") if isinstance(meta, dict) else None
    if found != FORMAT:
        raise ValueError(f"{path} has dataset format {found!r}, this program reads {FORMAT}; {_WRONG}")
    missing = [name for name in ("template", "digest", "shards", "files", "counts") if name not in meta]
    if missing:
        raise ValueError(f"{path}/meta.json lacks {', '.join(missing)}; {_WRONG}")
    stray = sorted(meta["files"].keys() - set(_beside(True)))
    if stray:
        raise ValueError(f"{path}/meta.json names {stray[0]!r}, which no dataset has; {_WRONG}")


def _check_hash(file, digest):
    if not file.is_file() or sha256(file) != digest:
        raise ValueError(f"{file} is missing or was changed after it was made (its sha256 is not that of meta.json); "
                         f"{_WRONG}")


def _payloads(file, starts, sizes):
    with open(file, "rb") as stream:
        for start, size in zip(starts, sizes, strict=True):
            stream.seek(start)
            yield stream.read(size)


def _counts(classes, rows, entries):
    status = [row.status for row in rows]
    return {"identities": len(classes), "photographs": len(rows), "records": len(entries),
            **{name: status.count(name) for name in ("aligned", "fallback", "failed")}}


def _digest(entries, template, pairs):
    """Names the data: a hash over the sorted (key, label, crop hash), the template and the pairs."""
    digest = hashlib.sha256(repr((template.name, template.points)).encode())
    for entry in sorted(entries):
        digest.update(repr(entry).encode("utf-8", "surrogateescape"))
    for a, b, same, fold in pairs or ():
        digest.update(repr((a, b, bool(same), int(fold))).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _template(path, stated):
    template = get_template(stated["name"])
    if [list(point) for point in template.points] != stated["points"]:
        raise ValueError(f"{path}: template {template.name!r} of meta.json has other points than this program's; "
                         f"align the photographs again")
    return template


def _plain_name(path, name):
    if Path(name).name != name:
        raise ValueError(f"{path}/meta.json names a shard outside the folder: {name!r}")
    return name
