"""Faults of the input that only embedding again shows: exchanged channels, other crops, batch statistics in use."""

from pathlib import Path

import cv2
import numpy as np
from scipy.stats import binomtest

from evaluation import metrics
from evaluation.benchmark import pair_scores
from evaluation.embed import embed_crops, fuse
from evaluation.sanity import overlap
from tfrecords.benchmark import Pairs
from tfrecords.manifest import read_classes

_CHECKED_PAIRS = 1000
_LEVEL = 0.01      # a fault is one that chance shows once in a hundred at most
_SHIFT_PX = 4
_EQUAL = 0.999     # cosine of a crop's embedding with itself in other company


def examine(run, scored, *, fusion, model=None):
    """Looks for what makes a result worthless; writes `faults` and `overlap` into the result.

    Args:
        run: the run folder.
        scored: Scored.
        fusion: a fusion of crops alone, for what is embedded again.
        model: the run's keras.Model, to embed changed crops as well (`check`); None leaves that out.

    Returns:
        A list of sentences to print; the last says how many people of the benchmark were trained on.
    """
    names = Path(run) / "classes.txt"
    number, told = overlap(read_classes(names) if names.is_file() else None, scored.folder.classes)
    faults = scored.result["faults"]
    if model is not None:
        faults = faults + check(model, scored.folder, scored.pairs, fusion=fusion)
    scored.result.update(faults=faults, overlap=number, num_people=len(scored.folder.classes),
                         is_checked=model is not None)
    return [*(f"warning: {fault}" for fault in faults), told]


def check(model, folder, pairs, *, fusion):
    """Looks for faults of the input, on up to 1,000 pairs: channels exchanged, crops shifted, batch statistics in use.

    A variant of the crops counts as a fault where more pairs are right with it than as they are, by an exact paired
    test at p < 0.01 (shared among the variants by Bonferroni).

    Returns:
        A list of sentences, empty where nothing is wrong.
    """
    chosen = _some(pairs)
    numbers = np.unique(np.concatenate([chosen.a, chosen.b]))
    names = [folder.keys[number] for number in numbers]
    crops = np.stack([folder.crop(int(number)) for number in numbers])
    places = Pairs(np.searchsorted(numbers, chosen.a), np.searchsorted(numbers, chosen.b), chosen.same, chosen.fold,
                   np.zeros(len(chosen.a), bool))

    def right(variant):
        scores = pair_scores(fuse(*embed_crops(model, variant, names=names), fusion), places)
        threshold, _ = metrics.best_threshold(metrics.roc(scores, places.same))
        return (scores >= threshold) == places.same

    plain, variants = right(crops), _variants(crops)
    found = []
    for told, variant in variants.items():
        better, p = _paired(right(variant), plain)
        if better > 0 and p < _LEVEL / len(variants):
            found.append(f"{told}: {better} more of {len(plain):,} pairs are right so (exact paired p {p:.1g}); the "
                         f"crops are not what the model was trained on")
    if not _is_alone_as_in_company(model, crops):
        found.append("an embedding depends on the other crops of its batch: batch normalization is in training mode")
    return found


def _variants(crops):
    found = {"with red and blue exchanged": crops[..., ::-1]}
    for name, down, right in (("right", 0, _SHIFT_PX), ("left", 0, -_SHIFT_PX), ("down", _SHIFT_PX, 0),
                              ("up", -_SHIFT_PX, 0)):
        found[f"with the crops shifted {_SHIFT_PX} pixels {name}"] = _shifted(crops, down, right)
    for scale in (0.9, 1.1):   # as another template would make them
        found[f"with the faces {scale:g} times as large"] = _scaled(crops, scale)
    return found


def _shifted(crops, down, right):
    """Crops moved by whole pixels, black where nothing is left; [N, H, W, 3]."""
    height, width = crops.shape[1:3]
    moved = np.zeros_like(crops)
    moved[:, max(down, 0):height + min(down, 0), max(right, 0):width + min(right, 0)] = crops[
        :, max(-down, 0):height + min(-down, 0), max(-right, 0):width + min(-right, 0)]
    return moved


def _scaled(crops, scale):
    """Crops enlarged about their middle, black where nothing is left; [N, H, W, 3]."""
    height, width = crops.shape[1:3]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 0, scale)
    return np.stack([cv2.warpAffine(crop, matrix, (width, height)) for crop in crops])


def _paired(now, before):
    """(how many more are right now, exact McNemar p)."""
    gained, lost = int((now & ~before).sum()), int((before & ~now).sum())
    p = binomtest(min(gained, lost), gained + lost).pvalue if gained + lost else 1.0
    return gained - lost, p


def _is_alone_as_in_company(model, crops):
    """True where a crop's embedding is the same among other crops."""
    first = crops[:1]
    others = [first, crops[:16], np.concatenate([first, np.zeros((15, *first.shape[1:]), np.uint8)])]
    rows = [np.asarray(model(company, training=False))[0].astype(np.float64) for company in others]
    cosines = [row @ rows[0] / (np.linalg.norm(row) * np.linalg.norm(rows[0])) for row in rows[1:]]
    return min(cosines) > _EQUAL


def _some(pairs):
    """Up to 1,000 readable pairs, spread evenly over the list, as many genuine as impostor ones where there are."""
    places = []
    for same in (True, False):
        kind = np.flatnonzero((pairs.same == same) & ~pairs.unreadable)
        places.append(kind[np.linspace(0, len(kind) - 1, min(len(kind), _CHECKED_PAIRS // 2)).astype(int)])
    chosen = np.sort(np.concatenate(places))
    return Pairs(pairs.a[chosen], pairs.b[chosen], pairs.same[chosen], pairs.fold[chosen], pairs.unreadable[chosen])
