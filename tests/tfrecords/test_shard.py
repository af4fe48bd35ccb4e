import os

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrecords import shard


def record(number, key="p/ä.jpg"):
    return shard.Record(key, number, b"\xff\xd8" + bytes(range(number % 50)), tuple(float(x) for x in range(10)))


def test_plain_tensorflow_reads_the_same(tmp_path):
    records = [record(number, f"p/{number}\n.jpg") for number in range(7)]
    shard.write_shard(tmp_path / "a.tfrecord", records)
    payloads = [item.numpy() for item in tf.data.TFRecordDataset(str(tmp_path / "a.tfrecord"))]
    assert [shard.parse(payload) for payload in payloads] == records
    offsets, lengths = shard.spans(tmp_path / "a.tfrecord")
    data = (tmp_path / "a.tfrecord").read_bytes()
    assert [data[start:start + size] for start, size in zip(offsets, lengths, strict=True)] == payloads
    example = tf.io.parse_single_example(payloads[3], {
        "image/encoded": tf.io.FixedLenFeature((), tf.string), "image/class/label": tf.io.FixedLenFeature((), tf.int64),
        "image/key": tf.io.FixedLenFeature((), tf.string), "image/landmarks": tf.io.FixedLenFeature((10,), tf.float32)})
    assert example["image/class/label"].numpy() == 3


@pytest.mark.parametrize("cut", [1, 4, 15])
def test_a_truncated_file_is_named(tmp_path, cut):
    path = tmp_path / "a.tfrecord"
    shard.write_shard(path, [record(1), record(2)])
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ValueError, match=r"a\.tfrecord ends in the middle of record 1"):
        shard.spans(path)


def test_nothing_is_left_when_a_record_fails(tmp_path):
    def records():
        yield record(1)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        shard.write_shard(tmp_path / "a.tfrecord", records())
    assert "a.tfrecord" not in os.listdir(tmp_path)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 3))
def test_plan_is_a_partition_and_a_function_of_the_keys(count, size, seed):
    keys = [f"p{number % 5}/{number}.jpg" for number in range(count)]
    parts = shard.plan(keys, seed=seed, shard_size=size)
    assert sorted(np.concatenate(parts)) == list(range(count))
    assert all(len(part) == size for part in parts[:-1])
    backwards = shard.plan(keys[::-1], seed=seed, shard_size=size)
    assert [[keys[i] for i in part] for part in parts] == [[keys[::-1][i] for i in part] for part in backwards]


def test_plan_mixes_identities():
    keys = [f"p{person:02d}/{photo}" for person in range(20) for photo in range(10)]
    first = shard.plan(keys, seed=0, shard_size=50)[0]
    assert len({keys[place][:3] for place in first}) > 12
