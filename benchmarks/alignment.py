"""Speed and agreement of the detector against the package `mtcnn` on real photographs. Last line: one JSON object.

python benchmarks/alignment.py --faces DIR [--timed 200] [--train 2000] [--rounds 3]

DIR holds lfw/<Name>/<photograph> (250 x 250) and train/<person>/<photograph>. All sides search for faces of 20 pixels
and more with the package's thresholds, in one process with TensorFlow's threads as they are, taking turns.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))   # so that `python benchmarks/alignment.py` works as well

from base.environment import load_tensorflow, processor  # noqa: E402 - after the path is set

CHOICE, BATCH = "largest_central", 25
THRESHOLDS = {"proposal_threshold": 0.6, "refine_threshold": 0.7, "output_threshold": 0.8}   # the package's


def main(argv):
    """Returns the exit code."""
    options = _options(argv)
    faces = Path(options.faces)
    for name in ("lfw", "train"):
        if not (faces / name).is_dir():
            print(f"alignment: {faces / name} is missing; needed are {faces}/lfw/<Name>/<photograph> and "
                  f"{faces}/train/<person>/<photograph>", file=sys.stderr)
            return 2
    load_tensorflow()
    from align.config import Detection
    from align.detector import Detector
    from align.photographs import walk
    detector = Detector(Detection(**THRESHOLDS))
    lfw, train = ([faces / name / key for key in walk(faces / name)[1]] for name in ("lfw", "train"))
    result = speed(detector, _spread(lfw, options.timed), options.rounds)
    result |= agreement(detector, [*lfw, *_spread(train, options.train)])
    print(json.dumps({**result, "processor": processor()}))
    return 0


def speed(detector, paths, rounds):
    """Images a second of the four ways, in turns; each ratio is the median over the rounds."""
    from mtcnn import MTCNN
    package = MTCNN()
    images = list(map(_read, paths))
    few = images[::5]   # the package one by one takes five times as long
    ways = {
        "one_by_one": lambda: [package_search(package, [image]) for image in few],
        "list": lambda: _batches(lambda part: package_search(package, part), images),
        "full": lambda: _batches(detector.search, images),
        "fast": lambda: _batches(lambda part: detector.search_for_choice(part, CHOICE), images),
    }
    rates = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, search in ways.items():
            count, started = len(few) if name == "one_by_one" else len(images), time.perf_counter()
            search()
            if turn:   # the first traces and warms up
                rates[name].append(count / (time.perf_counter() - started))
    ratio = {f"{ours}{over}": statistics.median(a / b for a, b in zip(rates[way], rates[against], strict=True))
             for ours, way in (("full_", "full"), ("", "fast"))
             for over, against in (("over_one_by_one", "one_by_one"), ("over_list", "list"))}
    listed = ways["list"]()
    return {**{name: round(value, 2) for name, value in ratio.items()},
            "images_per_s": round(statistics.median(rates["fast"]), 1),
            "full_images_per_s": round(statistics.median(rates["full"]), 1),
            "package_images_per_s": round(statistics.median(rates["one_by_one"]), 2),
            "package_list_images_per_s": round(statistics.median(rates["list"]), 2),
            "landmark_median_px_full": _distance(listed, ways["full"](), images),
            "landmark_median_px_fast": _distance(listed, ways["fast"](), images)}


def agreement(detector, paths):
    """How often the fast search chooses another face, or landmarks more than 0.5 px away; the keys are listed."""
    import numpy as np
    differs = []
    for start in range(0, len(paths), BATCH):
        part = paths[start:start + BATCH]
        images = list(map(_read, part))
        full, fast = detector.search(images), detector.search_for_choice(images, CHOICE)
        for path, image, a, b in zip(part, images, full, fast, strict=True):
            a, b = _chosen(image, a), _chosen(image, b)
            if (a is None) != (b is None) or (a is not None and np.abs(a - b).max() > 0.5):
                differs.append("/".join(path.parts[-3:]))
        if start % 1000 == 0:
            print(f"compared {start + len(part)} of {len(paths)}", file=sys.stderr, flush=True)
    return {"compared": len(paths), "fast_differs": len(differs), "fast_differs_keys": differs}


def package_search(package, images):
    """The package's landmarks of each image: a list of float [N, 5, 2]."""
    import numpy as np
    rows = package.detect_faces(images if len(images) > 1 else images[0], output_type="numpy", min_face_size=20)
    rows = rows if rows.shape[1] == 16 else np.zeros((0, 16))
    found = []
    for place in range(len(images)):
        mine = rows[rows[:, 0] == place] if len(images) > 1 else rows
        found.append(np.stack([mine[:, 6:11], mine[:, 11:16]], axis=2))
    return found


def _distance(listed, ours, images):
    """Median over photographs of the mean landmark distance of the chosen face to the package's nearest."""
    import numpy as np
    found = []
    for image, points, faces in zip(images, listed, ours, strict=True):
        landmarks = _chosen(image, faces)
        if landmarks is not None and len(points):
            found.append(np.linalg.norm(points - landmarks, axis=2).mean(axis=1).min())
    return round(float(np.median(found)), 3)


def _chosen(image, faces):
    from align.choose import choose
    if not len(faces.scores):
        return None
    height, width = image.shape[:2]
    return faces.landmarks[choose(faces.boxes, faces.scores, height=height, width=width, choice=CHOICE)]


def _batches(search, images):
    return [item for start in range(0, len(images), BATCH) for item in search(images[start:start + BATCH])]


def _read(path):
    from align.photographs import decode
    return decode(path, max_pixels=64_000_000)


def _spread(paths, count):
    step = max(1, len(paths) // count)
    return paths[::step][:count]


def _options(argv):
    parser = argparse.ArgumentParser("benchmarks/alignment.py", description=__doc__.split("\n")[0])
    parser.add_argument("--faces", required=True, help="folder with lfw/ and train/")
    parser.add_argument("--timed", type=int, default=200, help="photographs of lfw/ to time (default 200)")
    parser.add_argument("--train", type=int, default=2000, help="photographs of train/ to compare (default 2000)")
    parser.add_argument("--rounds", type=int, default=3, help="timed rounds (default 3)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
