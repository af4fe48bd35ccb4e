"""Ctrl-C and SIGTERM at random moments of every command: one line, exit code 130, and the same command goes on."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from align.__main__ import main
from demo.faces import write_people
from tests.evaluation.runs import make_benchmark, make_run
from tests.test_verify_command import with_threshold
from tests.training.commands import words
from tfrecords.folder import Folder

pytestmark = pytest.mark.usefixtures("heard_signals")
ROOT = Path(__file__).parents[1]
STOPPED = (130, -signal.SIGINT)   # which a shell calls 130 too: Python ends so where C code saw the exception


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    root = tmp_path_factory.mktemp("there")
    write_people(root / "photos", seed=2, people=4, photos=4)
    make_benchmark(root / "bench")
    with_threshold(make_run(root / "run"), 0.5)
    return root


def stopped(number, line, *, is_there, seconds, is_finished_too=False):
    """Stops a command up to `seconds` after `is_there(process)`, by the signal `number`; returns what it told."""
    seed = random.SystemRandom().randrange(10**6)
    after = random.Random(seed).uniform(0, seconds)
    print(f"seed {seed}: {number.name} after {after:.2f} s")
    process = subprocess.Popen([sys.executable, *map(str, line)], cwd=ROOT, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not is_there(process):
        time.sleep(0.01)
    time.sleep(after)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)   # no process and no thread of it goes on
    if not (is_finished_too and process.returncode == 0):
        assert process.returncode in STOPPED, told
        *before, last = told.splitlines()
        assert "the same command goes on from there" in last
        assert not [line for line in before if "Traceback" in line or "Error" in line or "stopped" in line]
    return told


def imports_tensorflow(process):
    """True from the moment at which TensorFlow's libraries are opened; where that cannot be seen, at once."""
    try:
        return "tensorflow" in Path(f"/proc/{process.pid}/maps").read_text()
    except OSError:
        return True


def test_while_tensorflow_is_imported(there):
    line = ["verify.py", there / "run", there / "photos" / "person-000" / "photo-000.jpg", there / "none.jpg"]
    told = stopped(signal.SIGTERM, line, is_there=imports_tensorflow, seconds=0.8)
    assert told == "verify.py: stopped; what is finished stays, the same command goes on from there\n"


def test_align_in_the_middle(there, tmp_path):
    output = tmp_path / "data"
    line = ["--input", there / "photos", "--output", output, "--shard_size", 1]
    stopped(signal.SIGINT, ["-m", "align", *line], is_there=lambda _: (output / "job.json").exists(), seconds=1.5,
            is_finished_too=True)
    assert main([str(word) for word in line]) == 0
    folder = Folder.open(output)
    folder.verify()
    assert folder.num_records == 16
    assert not list(output.rglob("*.part"))


def test_train_before_the_first_step(there, tmp_path):
    line = words(there / "data", tmp_path / "run")[1:]
    assert main(["--input", str(there / "photos"), "--output", str(there / "data")]) == 0
    stopped(signal.SIGTERM, line, is_there=lambda _: (tmp_path / "run" / "config.yaml").exists(), seconds=0.3)


def test_evaluate(there):
    stopped(signal.SIGINT, ["evaluate.py", there / "run", "--benchmarks", there / "bench"],
            is_there=imports_tensorflow, seconds=4, is_finished_too=True)
