"""The photographs of the demonstration: drawn on all processor cores; those that are there are not drawn again."""

import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from align.progress import Progress
from base.files import remove_parts
from base.mix import generator
from demo import faces
from tfrecords.benchmark import write_pairs
from tfrecords.holdout import fold_pairs

_FOLDS = 10


def draw_people(config):
    """Writes OUTPUT/photographs/train and OUTPUT/photographs/others."""
    asked = [(root, config.seed, person, photo, config.size)
             for root, people, photos in _groups(config) for person in people for photo in range(photos)]
    missing = [task for task in asked if not (task[0] / faces.key(task[2], task[3])).is_file()]
    for folder in {(root / faces.key(person, 0)).parent for root, _, person, _, _ in missing}:
        remove_parts(folder)
    with Progress(total=len(asked), done=len(asked) - len(missing), doing="drawing", did="drawn") as progress:
        for _ in _on_all_cores(_write, missing) if missing else ():
            progress.advance(1)


def known_landmarks(config):
    """Where the landmarks of the photographs lie: dict of key -> [5, 2], of all people."""
    return {faces.key(person, photo): faces.landmarks(config.seed, person, photo, height=config.size, width=config.size)
            for _, people, photos in _groups(config) for person in people for photo in range(photos)}


def draw_pairs(config, path):
    """Writes the pair list of the other people: ten person-disjoint folds."""
    (_, _, _), (_, people, photos) = _groups(config)
    keys = [faces.key(person, photo) for person in people for photo in range(photos)]
    how, pairs = generator(config.seed, "demo", "pairs"), []
    for fold in range(_FOLDS):
        crops = {place: np.arange(photos) + place * photos for place in range(fold, len(people), _FOLDS)}
        pairs += [(keys[a], keys[b], is_same, fold)
                  for a, b, is_same in fold_pairs(how, crops, config.pairs_a_fold, most_of_one=len(keys))]
    write_pairs(path, pairs)
    return len(pairs)


def _groups(config):
    """(folder, numbers of the people, photographs of each) for training and for the others."""
    root = Path(config.output) / "photographs"
    first = config.people
    return ((root / "train", range(first), config.photos),
            (root / "others", range(first, first + config.others), config.others_photos))


def _on_all_cores(work, tasks):
    """Yields what `work` makes of each task; the processes end with the last one, or at once where it is stopped."""
    context = multiprocessing.get_context("spawn")   # a fork would copy the locks of the progress bar's thread
    pool = ProcessPoolExecutor(os.cpu_count(), mp_context=context, initializer=_prepare)
    try:
        yield from pool.map(work, tasks, chunksize=4)
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare():
    """In each process: one thread for OpenCV, and Ctrl-C is the parent's to hear."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _write(task):
    root, seed, person, photo, size = task
    faces.write_photograph(root, seed, person, photo, height=size, width=size)
