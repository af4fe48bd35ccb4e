import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from base import files

ROOT = Path(__file__).parents[2]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    files.atomic_text(path, "old")

    def fail():
        with files.atomic_write(path, "w") as file:
            file.write("new")
            raise RuntimeError("power")

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_killed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    files.atomic_text(path, "old")
    code = ("import sys, os, signal\nfrom base.files import atomic_write\n"
            "with atomic_write(sys.argv[1], 'w') as f:\n"
            "    f.write('new' * 100000); f.flush(); os.kill(os.getpid(), signal.SIGKILL)")
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    files.remove_parts(tmp_path)
    assert os.listdir(tmp_path) == ["a.txt"]


def test_ordinary_permissions(tmp_path):
    before = os.umask(0o022)
    try:
        files.atomic_text(tmp_path / "a", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


def test_json_round_trip_and_refusals(tmp_path):
    files.atomic_json(tmp_path / "a.json", {"name": "Ä", "n": [1, 2]})
    assert files.read_json(tmp_path / "a.json") == {"name": "Ä", "n": [1, 2]}
    with pytest.raises(ValueError, match="Out of range float"):
        files.atomic_json(tmp_path / "b.json", float("nan"))
    assert not (tmp_path / "b.json").exists()
    (tmp_path / "c.json").write_text("{")
    with pytest.raises(ValueError, match=r"c\.json is not readable JSON"):
        files.read_json(tmp_path / "c.json")


def test_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc" * 10**6)
    assert files.sha256(tmp_path / "a") == hashlib.sha256(b"abc" * 10**6).hexdigest()
