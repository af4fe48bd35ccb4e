"""A disk that is full in the middle: one sentence, nothing half written is taken for whole, the same command goes on.

The disks are tmpfs of a few pages, in a name space of their own; one process does it all, since TensorFlow's import
takes longest.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo.faces import write_people
from tests.datasets import make_folder
from tests.evaluation.runs import make_benchmark, make_run
from tests.training.commands import TINY
from tfrecords.folder import Folder

ROOT = Path(__file__).parents[1]
INSIDE = """
import contextlib, io, json, os, shutil, subprocess, sys
import align.__main__, evaluate, train
root, jobs = sys.argv[1], json.loads(sys.argv[2])
commands = {"align": align.__main__.main, "train": train.main, "evaluate": evaluate.main}
for name, words, sizes in jobs:
    disk = f"{root}/{name}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", disk], check=True)
    shutil.copytree(f"{root}/first/{name}", disk, dirs_exist_ok=True)
    for size in [*sizes, "64m"]:
        subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)
        told = io.StringIO()
        with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
            code = commands[name](words)
        print(json.dumps([name, code, told.getvalue(), [f for _, _, files in os.walk(disk) for f in files]]))
    shutil.copytree(disk, f"{root}/kept/{name}")
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("disks")
    try:
        done = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", str(root)], capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no unshare here, so no small disk can be made")
    if done.returncode:
        pytest.skip(f"no small disk may be made here: {done.stderr.decode()}")
    return root


@pytest.fixture(scope="module")
def calls(root):
    """For each program its calls on a growing disk: exit code, what it told, the files there afterwards."""
    for name in ("align", "train", "evaluate"):
        (root / name).mkdir()
        (root / "first" / name).mkdir(parents=True)
    write_people(root / "photos", seed=2, people=4, photos=4)
    data, bench = make_folder(root / "data").path, make_benchmark(root / "bench").path
    run = make_run(root / "first" / "evaluate" / "run")
    used = sum(-(-path.stat().st_size // 4096) * 4 for path in run.iterdir())   # pages, in KiB
    jobs = [
        ("align", ["--input", root / "photos", "--output", root / "align" / "data", "--shard_size", "6"],
         ["20k", "60k", "112k", "160k"]),
        ("train", ["--data.train", data, "--run", root / "train" / "run", *TINY, "--schedule.steps", "3"],
         ["4k", "500k", "1400k"]),
        ("evaluate", [root / "evaluate" / "run", "--benchmarks", bench], [f"{used}k", f"{used + 8}k"]),
    ]
    done = subprocess.run(["unshare", "-rm", sys.executable, "-c", INSIDE, root, json.dumps(jobs, default=str)],
                          cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    assert done.returncode == 0, done.stderr
    found = {}
    for name, *call in map(json.loads, done.stdout.splitlines()):
        found.setdefault(name, []).append(call)
    return found


def check(calls, program, *names):
    """Every call but the last says that the disk is full, for each of `names` in turn; the last one is whole."""
    for (code, told, _), name in zip(calls[:-1], names, strict=True):
        sentence = told.splitlines()[-1]
        assert sentence.startswith(f"{program}: no space left on the disk for /")
        assert name in sentence
        assert sentence.endswith("; free some and run the same command again: it goes on")
        assert "Traceback" not in told
        assert code == 2
    code, told, files = calls[-1]
    assert code == 0, told
    assert not [file for file in files if ".part" in file]


def test_align(root, calls):
    check(calls["align"], "python -m align", ".data-00000-of-00003.tfrecord.part", ".data-00001-of-00003.tfrecord.part",
          "/meta.json", "/random.png")
    assert "meta.json" not in calls["align"][2][2]
    folder = Folder.open(root / "kept" / "align" / "data")
    folder.verify()
    assert folder.num_records == 16


def test_train(root, calls):
    check(calls["train"], "train.py", "/events/", "/checkpoints/.step-00000002.part/", "/model.keras")
    assert not {"model.keras", ".part.model.keras"} & set(calls["train"][2][2])
    run = root / "kept" / "train" / "run"
    assert "going on after step 2" in calls["train"][-1][1]
    assert [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()] == [1, 2, 3]
    assert json.loads((run / "card.json").read_text())["step"] == 3


def test_evaluate(root, calls):
    check(calls["evaluate"], "evaluate.py", "/results.json", "/roc.png")
    assert len(json.loads((root / "kept" / "evaluate" / "run" / "card.json").read_text())["results"]) == 1
