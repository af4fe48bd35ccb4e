"""How many pairs of media sets a second are counted exactly, and with how much memory. Last line: one JSON object.

python benchmarks/mediasets.py [--million_pairs 101] [--size 1024] [--people 2000]

Drawn unit vectors stand for the sets (`--size` numbers each, as flip-concatenate makes them of embeddings of 512); all
pairs are scored and counted twice, as TAR at FAR 1e-1 to 1e-6 needs it. `peak_mb` is the whole process's, with NumPy.
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))   # so that `python benchmarks/mediasets.py` works as well

import numpy as np  # noqa: E402 - after the path is set

from base.environment import processor  # noqa: E402
from evaluation.blocks import AllPairs, operating_points  # noqa: E402

FARS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


def main(argv):
    """Returns the exit code."""
    options = _options(argv)
    count = int((2e6 * options.million_pairs) ** 0.5) + 1
    draw = np.random.default_rng(0)
    labels = draw.integers(0, options.people, count)
    sets = _unit(draw.normal(size=(options.people, options.size)).astype(np.float32))[labels]
    sets = _unit(sets + 2 / options.size ** 0.5 * draw.normal(size=sets.shape).astype(np.float32))
    started = time.perf_counter()
    points = operating_points(AllPairs(sets, labels), FARS)
    seconds = time.perf_counter() - started
    for point in points:
        print(f"FAR {point.far:g}: TAR {point.tar:.4f} at {point.threshold:.6f}, k = {point.allowed:,}, "
              f"{point.false_accepts:,} accepted")
    pairs = points[0].num_genuine + points[0].num_impostor
    unit = 1 if sys.platform == "darwin" else 1024   # of ru_maxrss, in bytes
    print(json.dumps({
        "million_pairs_per_s": round(pairs / 1e6 / seconds, 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6),
        "seconds": round(seconds, 2), "million_pairs": round(pairs / 1e6, 1),
        "million_impostors": round(points[0].num_impostor / 1e6, 1), "size": options.size, "processor": processor()}))
    return 0


def _unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _options(argv):
    parser = argparse.ArgumentParser("benchmarks/mediasets.py", description=__doc__.split("\n")[0])
    parser.add_argument("--million_pairs", type=float, default=101, help="to be counted (default %(default)s)")
    parser.add_argument("--size", type=int, default=1024, help="numbers a set (default %(default)s)")
    parser.add_argument("--people", type=int, default=2000, help="whose sets they are (default %(default)s)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
