"""Losses on real photographs: twenty minutes of NormFace, then three minutes of each loss from there; row by row.

python benchmarks/loss_rows.py --faces DIR [--work FOLDER] [--rows arcface ...]

DIR as in benchmarks/real_faces.py. Minutes become steps by a speed that is measured once, so that every row gets the
same number of steps; a row that is done is not done again. Each row starts from the same backbone with new centers.
Last line: one JSON object with LFW's accuracy and TAR over all pairs for each row.
"""

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))   # so that `python benchmarks/loss_rows.py` works as well

from base.environment import processor  # noqa: E402 - after the path is set
from base.files import atomic_json, read_json  # noqa: E402
from benchmarks.real_faces import align, batch_size, log, run  # noqa: E402

PRESET = "presets/small.yaml"
BASE_MINUTES, ROW_MINUTES, _TIMED_STEPS = 20, 3, 80
LOSSES = {
    "softmax": {}, "l2softmax": {}, "normface": {}, "spherefacer": {}, "amsoftmax": {}, "arcface": {}, "combined": {},
    "subcenter": {}, "curricularface": {}, "magface": {}, "adaface": {}, "circle": {},
}
"""The losses with their papers' defaults."""
ROWS = {
    **{name: (name, params, 0) for name, params in LOSSES.items()},
    **{f"{name}, seed {seed}": (name, {}, seed) for seed in (1, 2) for name in ("normface", "arcface")},
    **{f"normface, scale {scale}": ("normface", {"scale": scale}, 0) for scale in (4, "adaptive", 64)},
    **{f"l2softmax, alpha {alpha}": ("l2softmax", {"alpha": alpha}, 0) for alpha in (1, 4, 8, 32)},
    "l2softmax, alpha trained": ("l2softmax", {"trained": "true"}, 0),
    "subcenter, K 1": ("subcenter", {"sub_centers": 1}, 0), "subcenter, K 10": ("subcenter", {"sub_centers": 10}, 0),
}
"""Name of a row -> loss, parameters other than its defaults, seed."""


def main(argv):
    """Returns the exit code."""
    options = _options(argv)
    faces, work = Path(options.faces), Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    align(work, faces / "train")
    align(work, faces / "lfw", "--pairs", faces / "pairs.txt")
    plan = planned(work)
    train(work, "base", ["--loss.name", "normface", "--loss.params.scale", "adaptive"], steps=plan["base_steps"])
    rows = {"base": score(work, "base")}
    for name in options.rows:
        loss, params, seed = ROWS[name]
        folder = "".join(letter if letter.isalnum() else "_" for letter in name)
        words = [word for field, value in params.items() for word in (f"--loss.params.{field}", value)]
        train(work, folder, ["--loss.name", loss, *words, "--seed", seed, "--network.init_from", work / "base",
                             "--schedule.rate", options.rate], steps=plan["row_steps"])
        rows[name] = score(work, folder)
        print(f"{name}: {json.dumps(rows[name])}", file=sys.stderr, flush=True)
    print(json.dumps({**plan, "processor": processor(), "rows": rows}))
    return 0


def planned(work):
    """Steps that the minutes hold, by a speed that is measured once."""
    note = work / "loss_rows.json"
    if not note.exists():
        train(work, "timing", ["--loss.name", "normface"], steps=_TIMED_STEPS)
        rate, batch = log(work / "timing")[-1]["crops_per_s"], batch_size(work / "timing")
        atomic_json(note, {"crops_per_s": round(rate, 1), "batch": batch,
                           "base_steps": int(BASE_MINUTES * 60 * rate / batch),
                           "row_steps": int(ROW_MINUTES * 60 * rate / batch)})
    return read_json(note)


def train(work, folder, words, *, steps):
    """Trains RUN = work/folder, or goes on, or finds that it is done."""
    run(["train.py", PRESET, "--data.train", work / "train", "--run", work / folder, "--intervals.checkpoint", 500,
         "--schedule.steps", steps, *words])


def score(work, folder):
    """LFW's accuracy and TAR over all its pairs, evaluated unless that was done."""
    digest = read_json(work / "lfw" / "meta.json")["digest"]
    if digest not in read_json(work / folder / "card.json").get("results", {}):
        run(["evaluate.py", work / folder, "--benchmarks", work / "lfw"])
    result = read_json(work / folder / "card.json")["results"][digest]
    rates = {f"tar_at_far_{found['far']:g}": round(found["tar"], 4) for found in result["all_pairs"]["tar"]}
    last = log(work / folder)[-1]
    return {"lfw_accuracy": round(result["accuracy"], 4), "standard_error": round(result["standard_error"], 4), **rates,
            "training_loss": round(last["loss"], 3), "training_accuracy": round(last["accuracy"], 3)}


def _options(argv):
    parser = argparse.ArgumentParser("benchmarks/loss_rows.py", description=__doc__.split("\n")[0])
    parser.add_argument("--faces", required=True, help="folder with train/, lfw/ and pairs.txt")
    parser.add_argument("--work", default="runs/loss_rows", help="folder for everything made (default %(default)s)")
    parser.add_argument("--rate", type=float, default=0.05, help="highest learning rate of a row (default 0.05)")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW", help="default: all")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
