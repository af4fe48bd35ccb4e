"""The whole job on real photographs: align, train for at most M minutes, evaluate on LFW. Last line: one JSON object.

python benchmarks/real_faces.py --faces DIR [--minutes 60] [--work FOLDER]

DIR holds train/<person>/<photograph>, lfw/<Name>/<Name>_NNNN.jpg and pairs.txt (LFW View 2). It goes on where it was
stopped: alignment and training do so themselves.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))   # so that `python benchmarks/real_faces.py` works as well

from base.environment import processor  # noqa: E402 - after the path is set
from base.files import atomic_json, read_json  # noqa: E402

_TIMED_STEPS, _SAFETY = 60, 0.97


def main(argv):
    """Returns the exit code."""
    options = _options(argv)
    faces, work = Path(options.faces), Path(options.work)
    for name in ("train", "lfw", "pairs.txt"):
        if not (faces / name).exists():
            print(f"real_faces: {faces / name} is missing; needed are {faces}/train/<person>/<photograph>, "
                  f"{faces}/lfw/<Name>/<Name>_NNNN.jpg and {faces}/pairs.txt (LFW View 2)", file=sys.stderr)
            return 2
    work.mkdir(parents=True, exist_ok=True)
    aligned = [align(work, faces / "train"), align(work, faces / "lfw", "--pairs", faces / "pairs.txt")]
    steps, batch = plan(options, work)
    run(["train.py", *options.preset, *arguments(work), "--run", work / "run", "--schedule.steps", steps])
    run(["evaluate.py", work / "run", "--benchmarks", work / "lfw"])
    print(json.dumps(report(work, aligned, steps=steps, batch=batch)))
    return 0


def align(work, photographs, *more):
    """Aligns a folder; returns (photographs, seconds), seconds as first measured where it was done before."""
    output = work / photographs.name
    note = work / f"{photographs.name}.seconds.json"
    started = time.monotonic()
    run(["-m", "align", "--input", photographs, "--output", output, *more])
    if not note.exists():
        atomic_json(note, time.monotonic() - started)
    return read_json(output / "meta.json")["counts"]["photographs"], read_json(note)


def plan(options, work):
    """Times the step, then fixes the number of steps that take at most the minutes: (steps, batch size)."""
    note, asked = work / "plan.json", {"minutes": options.minutes, "preset": options.preset}
    if not note.exists():
        run(["train.py", *options.preset, *arguments(work), "--run", work / "timing", "--schedule.steps", _TIMED_STEPS,
             "--intervals.log", 20])
        rate, batch = log(work / "timing")[-1]["crops_per_s"], batch_size(work / "timing")
        atomic_json(note, {"steps": int(options.minutes * 60 * rate * _SAFETY / batch), "batch": batch} | asked)
    found = read_json(note)
    if {name: found.get(name) for name in asked} != asked:
        sys.exit(f"real_faces: {note} was made for other minutes or another preset ({found}); name a new folder with "
                 f"--work, or delete {note}, {work / 'timing'} and {work / 'run'}")
    return found["steps"], found["batch"]


def report(work, aligned, *, steps, batch):
    """Everything that was measured, as one dict."""
    counts = read_json(work / "lfw" / "meta.json")["counts"]
    card = read_json(work / "run" / "card.json")
    result = card["results"][read_json(work / "lfw" / "meta.json")["digest"]]
    tar = {f"lfw_tar_at_far_{name}": result["tar"][str(far)] for name, far in (("1e-2", 0.01), ("1e-3", 0.001))}
    lines = log(work / "run")
    return {
        "photos": sum(count for count, _ in aligned),
        "lost": counts["photographs"] - counts["records"],
        "fallbacks": counts["fallback"],
        "align_images_per_s": round(sum(count for count, _ in aligned) / sum(spent for _, spent in aligned), 1),
        "train_crops_per_s": round(sum(line["crops_per_s"] for line in lines) / len(lines), 1),
        "epochs": round(steps * batch / card["crops"], 2),
        "processor": processor(),
        "lfw_accuracy": round(result["accuracy"], 5),
        "lfw_std": round(result["std_ddof0"], 5),
        **{name: round(value, 5) for name, value in tar.items()},
        "train_minutes": round(lines[-1]["seconds"] / 60, 2),
        "precision": card["precision"], "steps": steps, "batch_size": batch,
        "people": card["people"], "crops": card["crops"],
    }


def run(words):
    """Runs a command of the project; ends the benchmark where it fails."""
    done = subprocess.run([sys.executable, *map(str, words)], cwd=ROOT)
    if done.returncode:
        sys.exit(done.returncode)


def arguments(work):
    """What every training gets."""
    return ["--data.train", work / "train", "--intervals.checkpoint", 500]


def log(run_folder):
    """The lines of a run's log."""
    return [json.loads(line) for line in (run_folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def batch_size(run_folder):
    """The global batch of a run."""
    import yaml
    return yaml.safe_load((run_folder / "config.yaml").read_text(encoding="utf-8"))["data"]["batch_size"]


def _options(argv):
    parser = argparse.ArgumentParser("benchmarks/real_faces.py", description=__doc__.split("\n")[0])
    parser.add_argument("--faces", required=True, help="folder with train/, lfw/ and pairs.txt")
    parser.add_argument("--minutes", type=float, default=60.0, help="training time at most (default 60)")
    parser.add_argument("--work", default="runs/real_faces", help="folder for everything made (default %(default)s)")
    parser.add_argument("--preset", nargs="+", default=["presets/small.yaml"], help="default %(default)s")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
