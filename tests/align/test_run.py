import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from align.__main__ import main
from align.photographs import walk
from align.warp import similarity
from demo.faces import write_people
from tfrecords.benchmark import read_pairs
from tfrecords.folder import Folder
from tfrecords.shard import plan

ROOT = Path(__file__).parents[2]


def align(photographs, output, *more):
    return main(["--input", str(photographs), "--output", str(output), "--shard_size", "6", *map(str, more)])


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Four people with four drawn photographs each."""
    root = tmp_path_factory.mktemp("photographs")
    return root, write_people(root, seed=2, people=4, photos=4)


@pytest.fixture
def odd(tmp_path):
    """A folder with all that goes wrong beside what goes well."""
    root = tmp_path / "photographs"
    write_people(root, seed=2, people=2, photos=2)
    good = Image.open(root / "person-000" / "photo-000.jpg")
    (root / "one ä\nphoto").mkdir()
    good.save(root / "one ä\nphoto" / "a b\n.png")
    good.convert("L").save(root / "person-000" / "gray.jpg")
    good.convert("CMYK").save(root / "person-000" / "cmyk.jpg")
    good.convert("RGBA").save(root / "person-000" / "rgba.png")
    Image.fromarray(np.asarray(good.convert("L")).astype(np.uint16) * 257).save(root / "person-000" / "deep.png")
    Image.new("RGB", (1, 1)).save(root / "person-001" / "dot.png")
    Image.new("RGB", (200, 200), (90, 90, 90)).save(root / "person-001" / "blank.png")
    (root / "person-001" / "empty.jpg").write_bytes(b"")
    data = (root / "person-001" / "photo-000.jpg").read_bytes()
    (root / "person-001" / "cut.jpg").write_bytes(data[:len(data) // 2])
    (root / "person-001" / "text.jpg").write_text("no picture")
    return root


def test_training_data(odd, tmp_path, capsys):
    assert align(odd, tmp_path / "data") == 0
    text = capsys.readouterr().out
    assert "aligned 9, fallback 2, failed 3 (listed in manifest.csv) of 14 photographs of 3 people" in text
    folder = Folder.open(tmp_path / "data")
    folder.verify()
    assert folder.classes == ["one ä\nphoto", "person-000", "person-001"]
    status = {row.key.rpartition("/")[2]: (row.status, row.reason) for row in folder.rows}
    assert {name for name, (kind, _) in status.items() if kind == "failed"} == {"empty.jpg", "cut.jpg", "text.jpg"}
    assert status["empty.jpg"][1] == "is empty (0 bytes)"
    assert status["blank.png"] == status["dot.png"] == ("fallback", "no face was found")
    assert sorted(folder.keys) == sorted(row.key for row in folder.rows if row.status == "aligned")
    assert "one ä\nphoto/a b\n.png" in folder.keys
    for row in folder.rows:
        if row.record >= 0:
            assert folder.classes[row.label] == row.key.split("/")[0]
    assert {path.name for path in (tmp_path / "data").iterdir()} >= {"random.png", "low_confidence.png", "meta.json"}
    for name in ("photo-000.jpg", "gray.jpg", "cmyk.jpg", "rgba.png", "deep.png"):
        number = folder.keys.index(f"person-000/{name}")
        landmarks = np.reshape(folder.record(number).landmarks, (5, 2))
        np.testing.assert_allclose(landmarks, folder.template.points, atol=8)


def test_the_crop_shows_the_face_where_the_template_says(people, tmp_path):
    """The drawn landmarks, which the detector does not know, come to lie near the template's points."""
    root, drawn = people
    assert align(root, tmp_path / "data", "--template", "112x112") == 0
    folder = Folder.open(tmp_path / "data")
    assert folder.crop(0).shape == (112, 112, 3)
    places = []
    for row in folder.rows:
        matrix = similarity(np.reshape(row.landmarks, (5, 2)), folder.template.points)
        places.append(drawn[row.key] @ matrix[:, :2].T + matrix[:, 2])
    far = np.linalg.norm(places - np.array(folder.template.points), axis=-1).mean(axis=1)
    assert np.median(far) < 5   # turned heads cannot fit it
    assert np.abs(np.mean(places, axis=0) - folder.template.points).max() < 4


def test_a_benchmark_loses_nothing(odd, tmp_path, capsys):
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("a,b,same,fold\nperson-001/blank.png,person-001/photo-000.jpg,1,0\n"
                     "person-001/empty.jpg,person-000/photo-000.jpg,0,0\nperson-000/gray.jpg,person-000/rgba.png,1,1\n"
                     "person-001/photo-001.jpg,person-000/cmyk.jpg,0,1\n")
    assert align(odd, tmp_path / "data", "--pairs", pairs) == 0
    folder = Folder.open(tmp_path / "data")
    assert folder.meta["kind"] == "benchmark"
    assert folder.num_records == len(folder.rows) == 8
    found = read_pairs(folder)
    assert found.unreadable.tolist() == [False, True, False, False]
    assert folder.crop(folder.keys.index("person-001/empty.jpg")).max() == 0
    blank = folder.crop(folder.keys.index("person-001/blank.png"))
    assert abs(int(np.median(blank)) - 90) <= 1


def test_absent_photographs_are_all_listed(odd, tmp_path, capsys):
    (tmp_path / "p.csv").write_text("a,b,same\nx/1.jpg,person-000/photo-000.jpg,0\nperson-000/9.jpg,x/2.jpg,0\n")
    assert align(odd, tmp_path / "data", "--pairs", tmp_path / "p.csv") == 2
    text = capsys.readouterr().err
    assert "names 3 photographs that are not in" in text
    assert "person-000/9.jpg, x/1.jpg, x/2.jpg" in text
    assert not (tmp_path / "data").exists()


def test_mistakes_are_one_sentence(people, tmp_path, capsys):
    root, _ = people

    def refused(photographs, output, *more):
        assert align(photographs, output, *more) == 2
        text = capsys.readouterr().err
        assert text.startswith("python -m align: ")
        assert text.count("\n") == 1
        return text

    (tmp_path / "empty").mkdir()
    assert "holds no photographs" in refused(tmp_path / "empty", tmp_path / "d")
    assert "no folder of photographs" in refused(tmp_path / "none", tmp_path / "d")
    (tmp_path / "faceless" / "p").mkdir(parents=True)
    Image.new("RGB", (50, 50)).save(tmp_path / "faceless" / "p" / "1.png")
    assert "no face was found in any of the 1 photographs" in refused(tmp_path / "faceless", tmp_path / "d")
    assert "not empty and was not made by this command" in refused(root, tmp_path / "faceless")
    assert align(root, tmp_path / "data") == 0
    capsys.readouterr()
    assert "template was '112x96', is '112x112'" in refused(root, tmp_path / "data", "--template", "112x112")
    (tmp_path / "data" / "random.png").unlink()
    assert align(root, tmp_path / "data") == 0
    assert "is finished: aligned 16" in capsys.readouterr().out
    assert (tmp_path / "data" / "random.png").is_file()
    assert not (tmp_path / "data" / "outcomes").exists()
    assert "so its pictures would be taken for photographs" in refused(root, root / "data")


def test_a_last_shard_without_a_crop(people, tmp_path):
    root = tmp_path / "photographs"
    shutil.copytree(people[0], root)
    (root / "person-000" / "broken.jpg").write_bytes(b"x")
    keys = walk(root)[1]
    seed = next(seed for seed in range(999)
                if "broken" in keys[plan(keys, seed=seed, shard_size=16)[-1][0]])
    assert align(root, tmp_path / "data", "--shard_size", 16, "--seed", seed) == 0
    folder = Folder.open(tmp_path / "data")
    folder.verify()
    assert [shard["records"] for shard in folder.meta["shards"]] == [16, 0]


def digests(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def test_killed_and_continued_gives_the_same_bytes(people, tmp_path):
    root, _ = people
    assert align(root, tmp_path / "whole") == 0
    words = [sys.executable, "-m", "align", "--input", str(root), "--output", str(tmp_path / "killed"),
             "--shard_size", "6"]
    process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL)
    while process.poll() is None and not list((tmp_path / "killed").glob("data-*")):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(list((tmp_path / "killed").glob("data-*"))) < 3 or process.returncode == 0
    (tmp_path / "killed" / ".data-00002-of-00003.tfrecord.part").write_bytes(b"half")
    with pytest.raises(ValueError, match=r"no finished dataset; run the python -m align command"):
        Folder.open(tmp_path / "killed")
    assert subprocess.run(words, cwd=ROOT, capture_output=True).returncode == 0
    assert digests(tmp_path / "killed") == digests(tmp_path / "whole")


def test_batch_size_changes_nothing(people, tmp_path):
    root, _ = people
    assert align(root, tmp_path / "a", "--batch_size", 1) == 0
    assert align(root, tmp_path / "b", "--batch_size", 32, "--full_search", "true") == 0
    first, second = (Folder.open(tmp_path / name) for name in "ab")
    assert first.keys == second.keys
    for a, b in zip(first.rows, second.rows, strict=True):
        np.testing.assert_allclose(a.landmarks, b.landmarks, atol=1 / 64 + 1e-9)


def test_nobody_follows_a_link_out(people, tmp_path):
    root = tmp_path / "root"
    (root / "p").mkdir(parents=True)
    os.symlink(people[0] / "person-000" / "photo-000.jpg", root / "p" / "1.jpg")
    assert align(root, tmp_path / "data") == 2
