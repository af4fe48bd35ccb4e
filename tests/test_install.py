import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REAL = sys.executable


@pytest.fixture
def clone(tmp_path):
    """A folder with install.sh, demo.sh, a list of packages that is empty, and a folder `bin` before all others."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in ("install.sh", "demo.sh"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "requirements.txt").write_text("# nothing\n")
    (tmp_path / "bin").mkdir()
    return folder


def stand_in(clone, name, script):
    """Puts a program before the real one on the path."""
    path = clone.parent / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def call(clone, *words, **more):
    variables = {**os.environ, "PATH": f"{clone.parent / 'bin'}:{os.environ['PATH']}", **more}
    return subprocess.run(words or ["./install.sh", "requirements.txt"], cwd=clone, capture_output=True, text=True,
                          env=variables)


def told(done):
    """The one sentence of a call that failed."""
    assert done.returncode == 1, done
    [line] = done.stderr.splitlines()
    assert line.startswith("install.sh: ")
    return line


def test_once_and_nothing_again(clone):
    done = call(clone, PYTHON=REAL)
    assert done.returncode == 0, done.stderr
    assert "installing the packages of requirements.txt" in done.stdout
    again = call(clone)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    (clone / "requirements.txt").write_text("# changed\n")
    assert "installing the packages" in call(clone).stdout
    (clone / "requirements-dev.txt").write_text("-r requirements.txt\n")
    assert "requirements-dev.txt" in call(clone, "./install.sh", "requirements-dev.txt").stdout
    assert call(clone).stdout == ""   # they hold the others

    (clone / "requirements.txt").write_text("no-such-package-of-anybody==1\n")
    line = told(call(clone, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="1"))
    assert "pip reaches no package index; check the network or proxy" in line
    stand_in(clone, "df", "echo head; echo 'disk 1 1 20480 1% /'")
    (clone / ".venv" / ".installed").unlink()
    assert f"{clone} has 20 MB free and the packages take about 4,000; free some" in told(call(clone))


@pytest.mark.parametrize("command", ["./install.sh requirements.txt", "./demo.sh"])
def test_no_python_that_fits(clone, command):
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        stand_in(clone, name, "exit 1")
    line = told(call(clone, *command.split()))
    assert "no Python 3.11, 3.12 or 3.13 was found (looked for python3, python3.13, python3.12, python3.11)" in line
    assert "PYTHON=/path/to/python3.12" in line
    assert not (clone / ".venv").exists()
    assert "looked for /no/python3.9" in told(call(clone, PYTHON="/no/python3.9"))


def test_another_python_on_the_path_is_taken(clone):
    stand_in(clone, "python3", "exit 1")
    stand_in(clone, "python3.13", f'case "$*" in *ensurepip*) exit 1;; esac; exec {REAL} "$@"')
    assert "python3.13 has no venv module; on Debian and Ubuntu: apt install python3-venv" in told(call(clone))
    assert not (clone / ".venv").exists()


def test_what_pip_says_of_a_full_disk_and_of_anything_else(clone):
    (clone / ".venv" / "bin").mkdir(parents=True)
    python = clone / ".venv" / "bin" / "python"
    for words, sentence in (("OSError: [Errno 28] No space left on device", f"the disk of {clone} is full; free about"),
                            ("ERROR: No matching thing", "pip could not install requirements.txt: ERROR: No match")):
        python.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "{words}" >&2\nexit 1\n')
        python.chmod(0o755)
        assert sentence in told(call(clone))
        assert not (clone / ".venv" / ".installed").exists()
