"""What is wrong with a run or a benchmark, in sentences: always what costs nothing, by --check what costs embedding."""

import math
import unicodedata

import numpy as np
from scipy.stats import binomtest

from evaluation import metrics
from evaluation.benchmark import pair_scores
from evaluation.embed import embed_crops, fuse
from tfrecords.benchmark import Pairs

_COLLAPSED = 0.9        # mean cosine of impostor pairs
_CHECKED_PAIRS = 1000
_LEVEL = 0.01           # a fault is one that chance shows once in a hundred at most
_SHIFT_PX = 4
_EQUAL = 0.999          # cosine of a crop's embedding with itself in other company


def faults(model, scores, pairs, result):
    """What always is looked at.

    Args:
        model: the keras.Model.
        scores: float64 [P] of the pairs.
        pairs: Pairs.
        result: what `evaluation.benchmark.evaluate` returned.

    Returns:
        A list of sentences, empty where nothing is wrong.
    """
    found = []
    readable = np.isfinite(scores)
    impostor = scores[readable & ~pairs.same]
    if is_untrained(model):
        found.append("the model was never trained: its batch statistics are those of a fresh network")
    if len(impostor) and impostor.mean() > _COLLAPSED:
        found.append(f"the embeddings are collapsed: the mean cosine of impostor pairs is {impostor.mean():.3f}; look "
                     f"at the learning rate and the margin")
    if len(np.unique(scores[readable])) < 2:
        found.append("all scores are equal: the model gives every crop the same embedding")
    elif result["auc"] < 0.5:
        found.append(f"AUC is {result['auc']:.3f}: impostor pairs score higher than genuine ones, as if the lists were "
                     f"exchanged")
    elif result["accuracy"] < 0.5 + 3 * math.sqrt(0.25 / len(scores)):
        found.append(f"accuracy {result['accuracy']:.3f} is no better than chance on {len(scores):,} pairs; labels and "
                     f"photographs may be shifted against each other")
    return found


def is_untrained(model):
    """True where there are batch normalizations and all of them have the statistics that they begin with."""
    means = [weight.numpy() for weight in model.weights if weight.path.endswith("moving_mean")]
    spreads = [weight.numpy() for weight in model.weights if weight.path.endswith("moving_variance")]
    return bool(means) and not any(np.any(mean) for mean in means) and all(np.all(spread == 1) for spread in spreads)


def overlap(trained, benchmark):
    """Sentence about people of a benchmark that were trained on, by name.

    Args:
        trained: names of the training people, None where the run does not tell.
        benchmark: names of the benchmark's people.

    Returns:
        (number or None, sentence).
    """
    if trained is None:
        return None, "overlap of training and benchmark people: unknown (the run has no classes.txt)"
    known = {_plain(name) for name in trained}
    shared = sorted(name for name in benchmark if _plain(name) in known)
    if not shared:
        return 0, f"overlap of training and benchmark people by name: none of {len(benchmark):,}"
    return len(shared), (f"overlap of training and benchmark people by name: {len(shared):,} of {len(benchmark):,}, "
                         f"such as {shared[0]!r}; the result is too good by an unknown amount, leave them out by "
                         f"--data.left_out")


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
    return found


def _shifted(crops, down, right):
    """Crops moved by whole pixels, black where nothing is left; [N, H, W, 3]."""
    height, width = crops.shape[1:3]
    moved = np.zeros_like(crops)
    moved[:, max(down, 0):height + min(down, 0), max(right, 0):width + min(right, 0)] = crops[
        :, max(-down, 0):height + min(-down, 0), max(-right, 0):width + min(-right, 0)]
    return moved


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


def _plain(name):
    """A name without accents, case, and what stands between its words."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in letters if letter.isalnum())
