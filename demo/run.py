"""The demonstration, step by step, by the same commands that a person would type."""

import dataclasses
import json
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from base.checks import differences, require
from base.environment import load_tensorflow, processor
from base.files import atomic_json, read_json
from demo.photographs import draw_pairs, draw_people

_NEEDED_MB = 300


def run(config):
    """Runs all steps of a DemoConfig; returns the exit code. A step that is finished is not done again."""
    started, output = time.monotonic(), Path(config.output)
    _open(config, output)
    data, benchmark, trained = output / "data", output / "benchmark", output / "run"
    steps = (
        ("draw", f"{config.people} people to train with, {config.others} others to test with", None),
        ("align", "the training people", ("-m", "align", "--input", output / "photographs" / "train",
                                          "--output", data)),
        ("align", "the others, whose pairs are the benchmark",
         ("-m", "align", "--input", output / "photographs" / "others", "--pairs", output / "pairs.csv",
          "--output", benchmark)),
        ("train", "and evaluate on the others", ("train.py", "presets/demo.yaml", "--data.train", data,
                                                 "--data.benchmarks", benchmark, "--run", trained,
                                                 "--schedule.epochs", f"{config.epochs:g}")),
        ("report", "everything on one page", None))
    for number, (name, what, words) in enumerate(steps, start=1):
        print(f"\n[{number} of {len(steps)}] {name}: {what}", flush=True)
        if words:
            code = _call(words)
            if code:
                return code
        elif name == "draw":
            draw_people(config)
            draw_pairs(config, output / "pairs.csv")
    numbers = _report(config, output, started)
    print(f"\nThe page: {output / 'index.html'}\n\nTo try next:")
    for line in next_commands(config):
        print(f"  {line}")
    print(json.dumps(numbers), flush=True)
    return 0


def next_commands(config):
    """Three commands for a person who has seen the page."""
    output = Path(config.output)
    photograph = f"{output}/photographs/others/person-{config.people:03d}/photo-00"
    return (f".venv/bin/python verify.py {output}/run {photograph}0.jpg {photograph}1.jpg",
            f".venv/bin/tensorboard --logdir {output}/run",
            f".venv/bin/python train.py presets/demo.yaml --loss.name arcface --data.train {output}/data "
            f"--data.benchmarks {output}/benchmark --run runs/arcface")


def _open(config, output):
    """Makes the output folder, or checks that it is of these settings."""
    note, settings = output / "demo.json", dataclasses.asdict(config) | {"output": ""}
    if note.is_file():
        other = differences(read_json(note), settings)
        if other:
            raise ValueError(f"{output} is of a demonstration with other settings: {other}. Name another folder with "
                             f"--output")
        return
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise ValueError(f"{output} is there and was not made by this command; name another folder with --output")
    output.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(output).free // 1_000_000
    require(free >= _NEEDED_MB, "output", config.output, f"a folder on a disk with {_NEEDED_MB} MB free, not {free}")
    atomic_json(note, settings)


def _call(words):
    """Runs a command of this project as a person would; returns its exit code.

    Ctrl-C and SIGTERM reach it through us, once; it is waited for until it has saved what it had.
    """
    words = [str(word) for word in words]
    print(f"$ {shlex.join(['python', *words])}", flush=True)
    process = subprocess.Popen([sys.executable, *words], cwd=Path(__file__).parents[1], process_group=0)
    is_stopped = False
    while process.returncode is None:
        try:
            process.wait()
        except KeyboardInterrupt:
            if not is_stopped:
                process.send_signal(signal.SIGINT)
            is_stopped = True
    if is_stopped:
        raise KeyboardInterrupt
    if process.returncode < 0:
        raise ValueError(f"the step above was ended by signal {-process.returncode}, for want of memory perhaps; run "
                         f"the same command again, it goes on from there")
    return process.returncode


def _report(config, output, started):
    load_tensorflow()
    from demo.measure import measure
    from demo.page import write_page
    found = measure(config, output)
    numbers = {**found.numbers, "seconds": round(time.monotonic() - started, 1), "peak_mb": _peak_mb(),
               "processor": processor()}
    write_page(config, output, found, numbers, next_commands(config))
    return numbers


def _peak_mb():
    """Largest memory of this process or one that it started, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024   # macOS counts bytes, Linux KiB
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(most * unit / 1e6)
