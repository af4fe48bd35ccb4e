"""People held out of a training folder, with pairs of their photographs: for choosing settings without a benchmark."""

from pathlib import Path

import numpy as np

from base.checks import require
from base.files import atomic_text
from base.mix import generator
from tfrecords.benchmark import pairs_text
from tfrecords.manifest import escape

_FOLDS = 10


def hold_out(folder, output, *, people, rich, pairs_a_fold, seed):
    """Draws people and writes OUTPUT/people.txt (to leave out of training) and OUTPUT/pairs.csv (to align with).

    Most people drawn have two to four crops, `rich` of them ten or more; folds are person-disjoint, each with up to
    `pairs_a_fold` genuine and as many impostor pairs.

    Returns:
        (number of people, number of pairs).

    Raises:
        ValueError: too few people, or one of the two files is there with other content.
    """
    require(people >= 2 * _FOLDS, "people", people, f"at least {2 * _FOLDS}, two a fold")
    counts = np.bincount(np.asarray(folder.labels), minlength=len(folder.classes))
    draw = generator(seed, "hold out")
    few = _sample(draw, np.flatnonzero((counts >= 2) & (counts <= 4)), people - rich, "with two to four crops")
    well = _sample(draw, np.flatnonzero(counts >= 10), rich, "with ten or more crops")
    pairs = []
    for fold in range(_FOLDS):
        members = np.concatenate([few[fold::_FOLDS], well[fold::_FOLDS]])
        crops = {int(label): np.flatnonzero(np.asarray(folder.labels) == label) for label in members}
        pairs.extend((folder.keys[a], folder.keys[b], same, fold)
                     for a, b, same in fold_pairs(draw, crops, pairs_a_fold, most_of_one=12))
    names = sorted(folder.classes[label] for label in np.concatenate([few, well]))
    files = {Path(output) / "people.txt": "".join(escape(name) + "\n" for name in names),
             Path(output) / "pairs.csv": pairs_text(pairs)}
    for path, text in files.items():
        if path.is_file() and path.read_bytes() != text.encode():
            raise ValueError(f"{path} is there already and holds something else; name another folder with --output")
    Path(output).mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        atomic_text(path, text)
    return len(names), len(pairs)


def _sample(draw, labels, count, what):
    require(count <= len(labels), "people", count, f"at most the {len(labels)} identities {what}")
    return draw.permutation(labels)[:count]


def fold_pairs(draw, crops, most, *, most_of_one):
    """Draws the pairs of one fold: genuine ones spread over the people, then as many impostor ones.

    Args:
        draw: a NumPy generator.
        crops: dict of person -> record numbers of this person's crops; at least two people.
        most: genuine pairs at most.
        most_of_one: genuine pairs of one person at most, so that nobody fills the fold.

    Returns:
        A list of (record, record, is_same).
    """
    genuine = []
    for label in crops:
        couples = [(a, b) for place, a in enumerate(crops[label]) for b in crops[label][place + 1:]]
        take = draw.permutation(len(couples))[:most_of_one]
        genuine.extend((couples[index][0], couples[index][1], True) for index in take)
    sizes = [len(numbers) for numbers in crops.values()]
    there = (sum(sizes) ** 2 - sum(size ** 2 for size in sizes)) // 2   # impostor pairs that could be drawn
    genuine = [genuine[index] for index in draw.permutation(len(genuine))[:min(most, there)]]
    labels, impostor = list(crops), set()
    while len(impostor) < len(genuine):
        first, second = draw.choice(len(labels), 2, replace=False)
        a, b = int(draw.choice(crops[labels[first]])), int(draw.choice(crops[labels[second]]))
        if (b, a, False) not in impostor:   # the same pair the other way round would count twice
            impostor.add((a, b, False))
    return genuine + sorted(impostor)
