import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from demo.__main__ import main
from demo.config import DemoConfig
from demo.photographs import draw_pairs, draw_people, known_landmarks
from tfrecords.benchmark import parse_pairs_file

ROOT = Path(__file__).parents[2]
SMALL = ("--people", "12", "--photos", "3", "--others", "20", "--others_photos", "3", "--size", "110", "--epochs", "1",
         "--pairs_a_fold", "4")


def start(output):
    return subprocess.Popen([sys.executable, "-m", "demo", "--output", str(output), *SMALL], cwd=ROOT, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def is_empty(group, seconds=10):
    for _ in range(seconds * 20):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_stopped_and_called_again_it_does_the_whole_job(tmp_path):
    output = tmp_path / "demo"
    process = start(output)
    while not list(output.rglob("*.jpg")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)   # as a terminal does it: the program and all that it started
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.strip().splitlines()[-1].startswith("python -m demo: stopped; what is finished stays")
    assert is_empty(process.pid)            # nobody is left
    first = {path: path.stat().st_mtime_ns for path in output.rglob("*.jpg")}

    process = start(output)
    text, told = process.communicate(timeout=300)
    assert process.returncode == 0, told[-3000:]
    assert all(path.stat().st_mtime_ns == changed for path, changed in first.items())   # not drawn again
    numbers = json.loads(text.splitlines()[-1])
    assert numbers["photographs"] == 12 * 3 + 20 * 3
    assert numbers["pairs"] == 80
    assert numbers["detected_share"] > 0.9
    assert 0 < numbers["landmark_error"] < 0.1
    assert 0 < numbers["peak_mb"] < 4000
    assert {"accuracy", "pixel_accuracy", "seconds"} <= numbers.keys()
    page = (output / "index.html").read_text(encoding="utf-8")
    assert len(re.findall(r'<img alt="[^"]+" src="data:image/', page)) == 5 + 16
    assert not re.search(r'(src|href)="(?!data:)', page)   # it needs nothing beside it
    for command in re.findall(r"^  (\.venv/bin/.*)$", text, re.M):
        assert command in page
    assert list((output / "run" / "events").iterdir())


def test_another_demonstration_is_refused(tmp_path, capsys):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    assert main(["--output", str(tmp_path / "other")]) == 2
    assert "was not made by this command; name another folder with --output" in capsys.readouterr().err
    (tmp_path / "other" / "letter.txt").unlink()
    (tmp_path / "other" / "demo.json").write_text(json.dumps({"people": 7}))
    assert main(["--output", str(tmp_path / "other")]) == 2
    assert "people was 7, is 160" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "told"), [
    (("--others", "10"), "others is 10, expected 20 to 400"), (("--size", "20"), "size is 20, expected 80 to 2000"),
    (("--epochs", "0"), "epochs is 0.0"), (("--photos", "1"), "photos is 1, expected 2 to 1000"),
    (("--output", ""), "output is ''")])
def test_wrong_settings(words, told, capsys):
    with pytest.raises(SystemExit):
        main(list(words))
    assert told in capsys.readouterr().err


def test_no_disk(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("demo.run._NEEDED_MB", 10**9)
    assert main(["--output", str(tmp_path / "demo")]) == 2
    assert re.search(r"expected a folder on a disk with 1000000000 MB free, not \d+", capsys.readouterr().err)


def test_pairs_are_of_others_and_folds_share_nobody(tmp_path):
    config = DemoConfig(output=str(tmp_path), people=30)
    assert draw_pairs(config, tmp_path / "pairs.csv") == 2100
    pairs = parse_pairs_file(tmp_path / "pairs.csv")
    of_fold = {}
    for a, b, is_same, fold in pairs:
        people = {int(key[7:10]) for key in (a, b)}
        assert (len(people) == 1) == is_same
        assert min(people) >= 30
        of_fold.setdefault(fold, set()).update(people)
    assert sum(map(len, of_fold.values())) == len(set().union(*of_fold.values())) == 40
    assert len({(a, b) for a, b, _, _ in pairs}) == 2100


def test_only_what_is_missing_is_drawn(tmp_path, monkeypatch):
    config = DemoConfig(output=str(tmp_path), people=2, photos=2, others=20, others_photos=2, size=80)
    drawn = []

    def work(function, tasks):
        for task in tasks:
            drawn.append(task[0] / f"person-{task[2]:03d}" / f"photo-{task[3]:03d}.jpg")
            drawn[-1].parent.mkdir(parents=True, exist_ok=True)
            drawn[-1].write_bytes(b"x")
            yield

    monkeypatch.setattr("demo.photographs._on_all_cores", work)
    draw_people(config)
    assert len(drawn) == 44
    drawn[7].unlink()
    (drawn[7].parent / ".photo.part").write_bytes(b"half")
    draw_people(config)
    assert drawn[44:] == [drawn[7]]
    assert not list(tmp_path.rglob("*.part"))
    assert known_landmarks(config).keys() == {"/".join(path.parts[-2:]) for path in drawn}
    assert all(np.shape(points) == (5, 2) for points in known_landmarks(config).values())
