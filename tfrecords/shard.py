"""Shards: TFRecord files of aligned crops, written whole or not at all, read by offset.

A record is a tf.train.Example under names that TensorFlow users know: `image/encoded` (JPEG bytes),
`image/class/label` (int64), `image/key` (bytes), `image/landmarks` (10 floats, crop pixels).
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from base.files import publish, sync
from base.mix import generator

_HEADER, _FOOTER = 12, 4   # length and its checksum before a payload, the payload's checksum after it


@dataclass(frozen=True)
class Record:
    """One aligned crop: its photograph's key, its label, JPEG bytes, landmarks x0, y0, ... x4, y4 in crop pixels."""

    key: str
    label: int
    jpeg: bytes
    landmarks: tuple[float, ...]


def plan(keys, *, seed, shard_size):
    """Divides photographs into shards before any is read: a function of (seed, keys) alone.

    Args:
        keys: the photographs' keys; their order does not matter.
        seed: integer.
        shard_size: photographs a shard, at least 1; the last shard may hold fewer.

    Returns:
        A list of int64 arrays: the positions in `keys` of each shard's photographs, in the order of writing.
    """
    by_key = np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)
    shuffled = by_key[generator(seed, "shards").permutation(len(keys))]
    return [shuffled[start:start + shard_size] for start in range(0, len(keys), shard_size)]


def shard_name(number, count):
    """Returns `data-00003-of-00016.tfrecord`."""
    return f"data-{number:05d}-of-{count:05d}.tfrecord"


def write_shard(path, records):
    """Writes Records to `path` beside it first, synced, then renamed: it exists whole or not at all."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.part")
    with tf.io.TFRecordWriter(str(temporary)) as writer:
        for record in records:
            writer.write(serialize(record))
    sync(temporary)
    publish(temporary, path)


def serialize(record):
    """Returns a Record's bytes; equal records give equal bytes."""
    feature = {
        "image/encoded": _bytes(record.jpeg),
        "image/class/label": tf.train.Feature(int64_list=tf.train.Int64List(value=[record.label])),
        "image/key": _bytes(record.key.encode("utf-8", "surrogateescape")),
        "image/landmarks": tf.train.Feature(float_list=tf.train.FloatList(value=record.landmarks)),
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString(deterministic=True)


def parse(payload):
    """Returns the Record in a payload."""
    feature = tf.train.Example.FromString(payload).features.feature
    return Record(
        key=feature["image/key"].bytes_list.value[0].decode("utf-8", "surrogateescape"),
        label=feature["image/class/label"].int64_list.value[0],
        jpeg=feature["image/encoded"].bytes_list.value[0],
        landmarks=tuple(feature["image/landmarks"].float_list.value),
    )


def spans(path):
    """Finds the payloads of a TFRecord file by its length fields alone.

    Returns:
        (offsets, lengths): int64 [N] each, in bytes.

    Raises:
        ValueError: the file ends in the middle of a record.
    """
    size = os.path.getsize(path)
    offsets, lengths, position = [], [], 0
    with open(path, "rb") as file:
        while position < size:
            file.seek(position)
            header = file.read(8)
            length = int.from_bytes(header, "little")
            if len(header) < 8 or position + _HEADER + length + _FOOTER > size:
                raise ValueError(f"{path} ends in the middle of record {len(offsets)}; make the dataset again")
            offsets.append(position + _HEADER)
            lengths.append(length)
            position += _HEADER + length + _FOOTER
    return np.array(offsets, np.int64), np.array(lengths, np.int64)


def _bytes(value):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
