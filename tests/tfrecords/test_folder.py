import json

import numpy as np
import pytest
import tensorflow as tf

from tests.datasets import make_folder
from tfrecords.folder import Folder


def test_records_are_read_by_number(folder):
    assert folder.num_records == 30
    assert sorted(folder.keys) == [f"p{person:02d}/{photo:04d}.jpg" for person in range(6) for photo in range(5)]
    for number in (0, 14, 15, 29):
        record = folder.record(number)
        assert record.key == folder.keys[number]
        assert folder.classes[folder.labels[number]] == record.key[:3]
        crop = tf.io.decode_jpeg(record.jpeg, dct_method="INTEGER_ACCURATE").numpy()
        np.testing.assert_array_equal(folder.crop(number), crop)
    assert folder.meta["counts"] == {
        "identities": 6, "photographs": 30, "records": 30, "aligned": 30, "fallback": 0, "failed": 0}


def test_digest_names_the_data_and_not_the_shards(tmp_path):
    base = make_folder(tmp_path / "a").digest
    assert make_folder(tmp_path / "b", shards=3).digest == base
    assert make_folder(tmp_path / "c", seed=1).digest != base
    pairs = [("p00/0000.jpg", "p00/0001.jpg", True, 0)]
    assert make_folder(tmp_path / "d", pairs=pairs).digest != base


def test_an_unfinished_or_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no dataset folder .*python -m align"):
        Folder.open(tmp_path / "none")
    (tmp_path / "half").mkdir()
    with pytest.raises(ValueError, match=r"half has no meta\.json, so it is no dataset folder; if it holds photo"):
        Folder.open(tmp_path / "half")
    (tmp_path / "half" / "job.json").write_text("{}")
    with pytest.raises(ValueError, match=r"half has no meta\.json, so it is no finished dataset"):
        Folder.open(tmp_path / "half")
    (tmp_path / "half" / "job.json").rename(tmp_path / "half" / "config.yaml")
    with pytest.raises(ValueError, match=r"half is a run, expected a dataset folder"):
        Folder.open(tmp_path / "half")
    with pytest.raises(FileNotFoundError, match=r"config\.yaml' is a file, expected a dataset folder"):
        Folder.open(tmp_path / "half" / "config.yaml")


def test_a_shortened_shard_is_named(folder):
    shard = folder.path / folder.meta["shards"][1]["name"]
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"data-00001-of-00002\.tfrecord is missing or not the"):
        Folder.open(folder.path)


def test_a_changed_shard_is_named(folder):
    folder.verify()
    shard = folder.path / folder.meta["shards"][0]["name"]
    data = bytearray(shard.read_bytes())
    data[200] ^= 1
    shard.write_bytes(data)
    with pytest.raises(ValueError, match="was changed after it was made"):
        Folder.open(folder.path).verify()


@pytest.mark.parametrize(("change", "words"), [
    (lambda meta: meta.update(format=99), "dataset format 99"),
    (lambda meta: meta["template"].update(points=[[0, 0]] * 5), "other points"),
    (lambda meta: meta["template"].update(name="9x9"), "no template '9x9'"),
    (lambda meta: meta["shards"][0].update(name="../x.tfrecord"), "outside the folder"),
    (lambda meta: meta["shards"].pop(), r"label\.npy holds int64 \[30\], the shards 15 records"),
    (lambda meta: meta["files"].update({"../x": "0"}), "names '../x', which no dataset has"),
])
def test_a_wrong_meta_is_refused(folder, change, words):
    meta = json.loads((folder.path / "meta.json").read_text())
    change(meta)
    (folder.path / "meta.json").write_text(json.dumps(meta))
    with pytest.raises(ValueError, match=words):
        Folder.open(folder.path)


def test_pickled_index_is_refused(folder):
    np.save(folder.path / "index" / "label.npy", np.array([{}] * 30, object), allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects"):
        Folder.open(folder.path)


def test_a_shard_without_a_crop(tmp_path):
    folder = make_folder(tmp_path / "one", people=1, photos=1, shards=2)
    assert [shard["records"] for shard in folder.meta["shards"]] == [1, 0]
    folder.verify()
    assert folder.crop(0).shape == (112, 96, 3)


@pytest.mark.parametrize("name", ["classes.txt", "manifest.csv", "index/label.npy", "index/offset.npy"])
def test_a_changed_file_beside_the_shards_is_named(folder, name):
    data = (folder.path / name).read_bytes()
    (folder.path / name).write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    with pytest.raises(ValueError, match=f"{name} is missing or was changed after it was made"):
        Folder.open(folder.path).verify()
    (folder.path / name).unlink()
    with pytest.raises((ValueError, FileNotFoundError), match=name):
        Folder.open(folder.path).verify()


@pytest.mark.parametrize("array", [np.zeros(29, np.int64), np.zeros(30, np.int32), np.zeros((30, 1), np.int64)])
def test_another_index_is_named(folder, array):
    np.save(folder.path / "index" / "length.npy", array)
    with pytest.raises(ValueError, match=r"length\.npy holds .* the shards 30 records"):
        Folder.open(folder.path)
    (folder.path / "index" / "length.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(ValueError, match=r"length\.npy is no array"):
        Folder.open(folder.path)


@pytest.mark.parametrize("meta", ["[]", "3", '{"format": 1}', '{"format": 1, "template": {}}'])
def test_a_meta_of_another_shape_is_refused(folder, meta):
    (folder.path / "meta.json").write_text(meta)
    with pytest.raises(ValueError, match=r"dataset format None|lacks .*digest, shards"):
        Folder.open(folder.path)
