"""Small training runs by the command itself, in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TINY = ["--network.name", "resface10", "--network.width", "0.125", "--network.embedding_size", "16",
        "--network.dropout", "0.3",
        "--data.batch_size", "8", "--schedule.steps", "10", "--schedule.rate", "0.05", "--loss.params.scale", "8",
        "--loss.ramp_to", "0.5", "--augmentation.shift_px", "2", "--augmentation.erase", "0.5",
        "--engine.precision", "float32", "--engine.threads", "1", "--intervals.log", "1",
        "--intervals.checkpoint", "2"]


def words(data, run, *more):
    """The command line of a tiny run."""
    return [sys.executable, "train.py", "--data.train", str(data), "--run", str(run), *TINY, *map(str, more)]


def train(data, run, *more, devices=1):
    """Runs train.py to its end; `devices` makes so many logical processors."""
    environment = {**os.environ, "XLA_FLAGS": "", "TEST_LOGICAL_CPUS": str(devices)}
    return subprocess.run(words(data, run, *more), cwd=ROOT, capture_output=True, text=True, env=environment)


def log(run):
    """The lines of a run's log, without what depends on the clock."""
    lines = (Path(run) / "log.jsonl").read_text().splitlines()
    clock = ("crops_per_s", "waiting", "seconds")
    return [{name: value for name, value in json.loads(line).items() if name not in clock} for line in lines]
