"""Trials of settings on people held out of training: each variant some minutes, several seeds; resumable row by row.

python benchmarks/trials.py --faces DIR --work FOLDER [--minutes 15] [--seeds 3] [--people N] [--variants base ...]

Needs the aligned train/ of benchmarks/real_faces.py in the work folder. Settings are chosen on pairs of 300 people who
are held out, never on LFW. With --people only so many of the others are trained on, drawn at random: then a few minutes
hold as many epochs as an hour does for all. Last line: one JSON object with mean and standard error of each variant.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))   # so that `python benchmarks/trials.py` works as well

from base.environment import processor  # noqa: E402 - after the path is set
from base.files import atomic_json, atomic_text, read_json, sha256  # noqa: E402
from base.mix import generator  # noqa: E402
from benchmarks.real_faces import batch_size, log  # noqa: E402

PRESET = "presets/small.yaml"
VARIANTS = {
    "base": [],
    "batch 48": ["--data.batch_size", 48, "--schedule.rate", 0.07],
    "batch 192": ["--data.batch_size", 192],
    "rate 0.2": ["--schedule.rate", 0.2],
    "rate 0.05": ["--schedule.rate", 0.05],
    "width 0.35": ["--network.width", 0.35],
    "scale 30, margin 0.35": ["--loss.params.scale", 30, "--loss.params.margin", 0.35],
    "scale 24, margin 0.25": ["--loss.params.scale", 24, "--loss.params.margin", 0.25],
    "scale 16, margin 0.2": ["--loss.params.scale", 16],
    "no margin": ["--loss.params.margin", 0],
    "class balanced": ["--data.order", "class_balanced"],
    "at least 3 crops": ["--data.fewest_crops", 3],
    "at least 5 crops": ["--data.fewest_crops", 5],
    "flip alone": ["--augmentation.shift_px", 0, "--augmentation.turn_degrees", 0, "--augmentation.scale", 0,
                   "--augmentation.colour", 0, "--augmentation.gray", 0, "--augmentation.low_resolution", 0,
                   "--augmentation.erase", 0],
    "no low resolution": ["--augmentation.low_resolution", 0],
    "no erasing": ["--augmentation.erase", 0],
    "no colour, no gray": ["--augmentation.colour", 0, "--augmentation.gray", 0],
    "dropout 0": ["--network.dropout", 0],
    "dropout 0.5": ["--network.dropout", 0.5],
    "decay 1e-3": ["--optimizer.weight_decay", 1e-3],
    "dropout 0.5, decay 1e-3": ["--network.dropout", 0.5, "--optimizer.weight_decay", 1e-3],
    "more augmentation": ["--augmentation.shift_px", 5, "--augmentation.turn_degrees", 10, "--augmentation.scale", 0.1,
                          "--augmentation.colour", 0.4, "--augmentation.gray", 0.2,
                          "--augmentation.low_resolution", 0.35, "--augmentation.erase", 0.4],
    "plain network": ["--network.batch_norm", "false", "--schedule.rate", 0.02],
}


def main(argv):
    """Returns the exit code."""
    options = _options(argv)
    work = Path(options.work)
    held = hold_out(work, Path(options.faces))
    left_out = leave_out(work, held, options.people)
    rows = {}
    for seed in range(options.seeds):         # seeds outermost: an interrupted table is complete for its seeds
        for name in options.variants:
            result = trial(work, held, left_out, name, seed=seed, minutes=options.minutes)
            rows.setdefault(name, []).append(result)
            print(f"{name}, seed {seed}: {json.dumps(result)}", file=sys.stderr, flush=True)
    print(json.dumps({"minutes": options.minutes, "processor": processor(),
                      "variants": {name: summary(results) for name, results in rows.items()}}))
    return 0


def hold_out(work, faces):
    """Draws 300 people with pairs of theirs and makes the benchmark, unless that was done; returns its folder."""
    folder = work / "held_out"
    if not (folder / "pairs.csv").exists():
        run("-m", "tfrecords", work / "train", "--hold_out", 300, "--output", folder)
    run("-m", "align", "--input", faces / "train", "--pairs", folder / "pairs.csv", "--output", folder / "crops")
    return folder


def leave_out(work, held, people):
    """The file of those who are not trained on: the held out, and all but `people` of the others (None: just them)."""
    file = held / "people.txt"
    if people is None:
        return file
    everybody, away = (path.read_text(encoding="utf-8").splitlines() for path in (work / "train/classes.txt", file))
    others = sorted(set(everybody) - set(away))
    kept = {others[place] for place in generator(0, "people of trials").permutation(len(others))[:people]}
    atomic_text(held / f"all_but_{people}.txt", "".join(f"{name}\n" for name in everybody if name not in kept))
    return held / f"all_but_{people}.txt"


def trial(work, held, left_out, name, *, seed, minutes):
    """One training of a variant and its scores on the held-out pairs, kept in a file."""
    slug = "".join(letter if letter.isalnum() else "_" for letter in name)
    note = work / "trials" / f"{left_out.stem}-{sha256(ROOT / PRESET)[:8]}" / f"{slug}-{minutes:g}min-seed{seed}.json"
    if note.exists():
        return read_json(note)
    note.parent.mkdir(parents=True, exist_ok=True)
    common = [PRESET, "--data.train", work / "train", "--data.left_out", left_out,
              "--seed", seed, "--intervals.checkpoint", 1_000_000, *VARIANTS[name]]
    timing, folder = note.with_name(f"timing-{slug}"), note.with_suffix("")
    if not (timing / "card.json").exists():
        run("train.py", *common, "--seed", 0, "--run", timing, "--schedule.steps", 40)
    batch = batch_size(timing)
    steps = int(minutes * 60 * log(timing)[-1]["crops_per_s"] / batch)
    run("train.py", *common, "--run", folder, "--schedule.steps", steps, "--data.benchmarks", f"[{held / 'crops'}]")
    [result] = read_json(folder / "card.json")["results"].values()
    last = log(folder)[-1]
    found = {"accuracy": result["accuracy"], "tar_at_far_1e-2": result["tar"]["0.01"], "auc": result["auc"],
             "steps": steps, "training_accuracy": last["accuracy"], "crops_per_s": last["crops_per_s"]}
    atomic_json(note, found)
    return found


def summary(results):
    """Mean and standard error over seeds of what counts."""
    columns = {name: [result[name] for result in results] for name in ("accuracy", "tar_at_far_1e-2", "auc")}
    error = {name: statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
             for name, values in columns.items()}
    return {"seeds": len(results), **{name: [round(statistics.mean(values), 4), error[name] and round(error[name], 4)]
                                      for name, values in columns.items()}}


def run(*words):
    """Runs a command of the project quietly; ends the trials where it fails."""
    done = subprocess.run([sys.executable, *map(str, words)], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}")


def _options(argv):
    parser = argparse.ArgumentParser("benchmarks/trials.py", description=__doc__.split("\n")[0])
    parser.add_argument("--faces", required=True, help="folder with train/")
    parser.add_argument("--work", default="runs/real_faces", help="work folder of real_faces.py (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=15.0, help="minutes of training a trial (default 15)")
    parser.add_argument("--seeds", type=int, default=3, help="seeds a variant (default 3)")
    parser.add_argument("--people", type=int, help="train on so many people (default: all who are not held out)")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS), help="default: all")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
