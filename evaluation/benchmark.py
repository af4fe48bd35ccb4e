"""A model and a benchmark folder -> every number of the protocol, over all pairs always."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evaluation import metrics
from evaluation.allpairs import FARS as ALL_PAIRS_FARS
from evaluation.allpairs import all_pairs
from evaluation.card import read_cards
from evaluation.embed import CENTRED, centred, check_fusion, check_template, embed, fuse
from evaluation.interval import fold_bootstrap, fold_interval, person_interval
from evaluation.quality import accuracy_by_norm
from evaluation.sanity import faults
from tfrecords.benchmark import Pairs, read_pairs
from tfrecords.folder import Folder
from tfrecords.template import get_template

FARS = (0.01, 0.001)
_BLOCK = 8192   # pairs scored at once


@dataclass(frozen=True)
class Scored:
    """A benchmark whose pairs a model has scored: what results.json keeps, and what it is too small for."""

    folder: Folder
    """The benchmark."""
    pairs: Pairs
    scores: np.ndarray
    """float64 [P], see `pair_scores`."""
    result: dict
    """What `evaluate` returns."""
    fitting: np.ndarray | None = None
    """float64 [K, P] where the fusion is fitted as well: row k is what fold k's threshold is fitted on"""

    @cached_property
    def folds(self):
        """Folds (`evaluation.metrics`): threshold and correct pairs of each."""
        return metrics.k_fold(self.scores, self.pairs.same, self.pairs.fold, fitting=self.fitting)

    @property
    def thresholds(self):
        """Float64 [P]: for each pair the threshold that all folds but its own gave."""
        return self.folds.thresholds[np.unique(self.pairs.fold, return_inverse=True)[1]]

    @property
    def is_right(self):
        """Truths [P]: the pair is decided rightly at its threshold."""
        return (self.scores >= self.thresholds) == self.pairs.same


def open_benchmark(path, template, *, fars=()):
    """Opens a benchmark Folder; ValueError unless it has folds of pairs, enough for `fars`, and crops of `template`."""
    folder = Folder.open(path)
    check_template(folder, template)
    pairs = read_pairs(folder)
    metrics.check_folds(pairs.same, pairs.fold)
    _check_fars(fars, int((~pairs.same).sum()))
    return folder


def open_all(runs, benchmarks, *, fars=()):
    """Opens run folders and, with each one's template, benchmark folders; refuses here whatever can be refused.

    Returns:
        (dict of run -> card, dict of (run, benchmark) -> Folder), by the paths given.

    Raises:
        ValueError, FileNotFoundError: see `read_cards` and `open_benchmark`; or a run that may not be written to.
    """
    cards = read_cards(runs)
    return cards, {(run, path): open_benchmark(path, get_template(card["template"]), fars=fars)
                   for run, card in cards.items() for path in benchmarks}


def evaluate(model, folder, *, fusion="flip_concatenate", batch=256, fars=()):
    """Evaluates a model on a benchmark.

    Args:
        model: a keras.Model, uint8 crops [B, H, W, 3] -> embeddings [B, D].
        folder: an opened benchmark Folder.
        fusion: how the embeddings of a crop and its mirror image become one (`evaluation.embed.FUSIONS`, CENTRED).
        batch: crops embedded at once.
        fars: rates asked for beside FARS; one that the impostor pairs cannot show is refused.

    Returns:
        A dict for JSON, see `measure`; thresholds that reject everything are None. `all_pairs` holds num_crops,
        num_left_out (unreadable photographs, which have no face to compare; those without a found face stay in) and
        tar over all pairs of crops, or is None where the people are unknown or make pairs of one kind only.
    """
    return evaluate_scored(model, folder, fusion=fusion, batch=batch, fars=fars).result


def evaluate_scored(model, folder, *, fusion="flip_concatenate", batch=256, fars=()):
    """Evaluates like `evaluate`, but returns Scored, for pictures of single pairs and for tests between models."""
    check_fusion(fusion)
    pairs = read_pairs(folder)
    halves = embed(model, folder, batch=batch)
    fitting = None   # scores of all pairs, a row a fold, where the fusion itself is fitted on the other folds
    if fusion == CENTRED:
        fitting, scores, embeddings = _by_folds(halves, pairs)
    else:
        embeddings = fuse(*halves, fusion)
        scores = pair_scores(embeddings, pairs)
    norms = np.linalg.norm(halves[0], axis=1)
    crops = np.stack([pairs.a, pairs.b], axis=1)
    people = None if folder.meta["settings"].get("people") == "unknown" else folder.labels
    status = [row.status for row in folder.rows]
    result = {
        "benchmark": folder.name,
        "digest": folder.digest,
        "template": folder.template.name,
        "fusion": fusion,
        "recipe": folder.meta["settings"],
        "num_crops": folder.num_records,
        "num_fallback": status.count("fallback"),
        "num_unreadable": int(pairs.unreadable.sum()),
        **measure(scores, pairs.same, pairs.fold, fars=fars, people=None if people is None else people[crops],
                  norms=norms[crops], fitting=fitting),
        "all_pairs": None if people is None else _all_pairs(embeddings, people, folder, fars),
    }
    return Scored(folder, pairs, scores, result | {"faults": faults(model, scores, pairs, result)}, fitting)


def _by_folds(halves, pairs):
    """Scores by a fusion that is fitted on the other folds: [K, P] for every fold, [P] of each pair's own fold.

    The embeddings that are returned as well have the mean of all pairs' crops: there is no fold for other pairs.
    """
    numbers = np.unique(pairs.fold)
    sides = np.stack([pairs.a, pairs.b])
    fitting = np.stack([pair_scores(centred(*halves, sides[:, pairs.fold != number].ravel()), pairs)
                        for number in numbers])
    own = fitting[np.searchsorted(numbers, pairs.fold), np.arange(len(pairs.fold))]
    return fitting, own, centred(*halves, sides.ravel())


def _all_pairs(embeddings, people, folder, fars):
    """All pairs of the crops whose photograph could be read; None where there is no pair of a kind."""
    failed = {row.key for row in folder.rows if row.status == "failed"}
    is_in = np.array([key not in failed for key in folder.keys], bool)
    points = all_pairs(embeddings[is_in], people[is_in], fars=sorted({*ALL_PAIRS_FARS, *fars}, reverse=True))
    if points is None:
        return None
    return {"num_crops": int(is_in.sum()), "num_left_out": int((~is_in).sum()), "num_genuine": points[0].num_genuine,
            "num_impostor": points[0].num_impostor, "tar": [point_dict(point) for point in points]}


def pair_scores(embeddings, pairs):
    """Scores pairs by cosine.

    A pair of which a photograph is unreadable must count as wrong: a genuine one gets -inf, which nothing accepts, an
    impostor one +inf, which nothing rejects.

    Args:
        embeddings: unit rows, float64 [N, E].
        pairs: Pairs.

    Returns:
        float64 [P].
    """
    scores = np.concatenate([np.zeros(0)] + [
        (embeddings[pairs.a[start:start + _BLOCK]] * embeddings[pairs.b[start:start + _BLOCK]]).sum(axis=1)
        for start in range(0, len(pairs.a), _BLOCK)])
    return np.where(pairs.unreadable, np.where(pairs.same, -np.inf, np.inf), scores)


def measure(scores, same, fold, *, fars=(), people=None, norms=None, fitting=None):
    """Computes every number of the protocol.

    Args:
        scores: float [P].
        same: bool [P].
        fold: int [P].
        fars: rates asked for beside FARS.
        people: int [P, 2], the persons of each pair; None where they are not known.
        norms: float [P, 2], norms of the raw embeddings of each pair's unmirrored crops, or None.
        fitting: float [K, P] where scores differ with the fold that is left out, see `metrics.k_fold`.

    Returns:
        A dict for JSON: num_pairs, num_genuine, num_impostor, num_folds; accuracy (mean of folds) with std_ddof0,
        std_ddof1, standard_error, interval95 (by folds: the one to quote) and interval95_persons (None without
        people); accuracies and thresholds of the folds; best_threshold_no_folds; norm_thirds at that threshold (None
        without norms); tar, one entry a FAR; auc, eer (each with ..._interval95 by folds drawn anew); d_prime; roc
        (points where the curve rises).

    Raises:
        ValueError: fewer than two folds, a fold with one kind of pairs, or a FAR of `fars` below 1 / impostors.
    """
    scores, same, fold = np.asarray(scores, np.float64), np.asarray(same, bool), np.asarray(fold)
    curve = metrics.roc(scores, same)
    _check_fars(fars, curve.num_impostor)
    false_accepts, true_accepts = metrics.staircase(curve)
    accuracy = _accuracy(scores, same, fold, people, fitting)
    threshold, correct = metrics.best_threshold(curve)
    return {
        "num_pairs": len(scores),
        "num_genuine": curve.num_genuine,
        "num_impostor": curve.num_impostor,
        "num_folds": len(accuracy["accuracies"]),
        **accuracy,
        "best_threshold_no_folds": {"accuracy": correct / len(scores), "correct": correct,
                                    "threshold": finite(threshold)},
        "norm_thirds": None if norms is None else accuracy_by_norm(scores, same, np.min(norms, axis=1), threshold),
        **_rates(curve, scores, same, fold, sorted({*FARS, *fars}, reverse=True)),
        "d_prime": metrics.d_prime(scores, same),
        "roc": {"false_accepts": false_accepts.tolist(), "true_accepts": true_accepts.tolist()},
    }


def _accuracy(scores, same, fold, people, fitting):
    """Accuracy by folds, with its two intervals."""
    folds = metrics.k_fold(scores, same, fold, fitting=fitting)
    is_right = (scores >= folds.thresholds[np.unique(fold, return_inverse=True)[1]]) == same
    return {
        "accuracy": folds.accuracy,
        "std_ddof0": folds.std_ddof0,
        "std_ddof1": folds.std_ddof1,
        "standard_error": folds.standard_error,
        "interval95": list(fold_interval(folds.accuracies)),
        "interval95_persons": None if people is None else list(person_interval(is_right, people)),
        "accuracies": folds.accuracies.tolist(),
        "thresholds": [finite(value) for value in folds.thresholds.tolist()],
    }


def _rates(curve, scores, same, fold, fars):
    """TAR at each FAR, AUC and EER, with intervals by folds drawn anew."""
    drawn = fold_bootstrap(scores, same, fold, fars=fars)
    return {
        "tar": [{**point_dict(metrics.tar_at_far(curve, far)), "interval95": interval,
                 "in_folds": _in_folds(metrics.tar_in_folds(scores, same, fold, far))}
                for far, interval in zip(fars, drawn["tar"], strict=True)],
        "auc": metrics.auc(curve),
        "auc_interval95": drawn["auc"],
        "eer": metrics.eer(curve),
        "eer_interval95": drawn["eer"],
    }


def _in_folds(points):
    """Mean and deviation over folds of TAR at a threshold from the fold itself; None where k is 0 in a fold."""
    if points is None:
        return None
    tars = np.array([point.tar for point in points])
    return {"allowed": [point.allowed for point in points],
            "false_accepts": [point.false_accepts for point in points],
            "mean": float(tars.mean()), "std_ddof1": float(tars.std(ddof=1))}


def _check_fars(fars, num_impostor):
    for far in fars:
        if metrics.num_allowed(far, num_impostor) < 1:
            raise ValueError(f"fars has {far:g}, but {num_impostor:,} impostor pairs show no FAR below 1 / "
                             f"{num_impostor:,} = {1 / max(num_impostor, 1):.2g}; ask for a higher one")


def point_dict(point):
    """An OperatingPoint for JSON."""
    return {"far": point.far, "tar": point.tar, "threshold": finite(point.threshold), "allowed": point.allowed,
            "false_accepts": point.false_accepts, "true_accepts": point.true_accepts,
            "num_genuine": point.num_genuine, "num_impostor": point.num_impostor}


def finite(threshold):
    """JSON knows no infinity: None stands for "reject all"."""
    return threshold if math.isfinite(threshold) else None
