"""A model and a benchmark folder -> every number of the protocol, over all pairs always."""

import math
import os
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from base.checks import require
from evaluation import metrics
from evaluation.card import read_card
from evaluation.embed import check_template, embed, fuse
from evaluation.interval import fold_interval
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

    @cached_property
    def thresholds(self):
        """Float64 [P]: for each pair the threshold that all folds but its own gave."""
        pairs = self.pairs
        of_fold = metrics.k_fold(self.scores, pairs.same, pairs.fold).thresholds
        return of_fold[np.unique(pairs.fold, return_inverse=True)[1]]

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
        ValueError, FileNotFoundError: see `read_card` and `open_benchmark`; or a run that may not be written to.
    """
    for run in runs:
        require(os.access(run, os.W_OK) or not os.path.isdir(run), "run", run, "a folder that you may write to")
    cards = {run: read_card(run) for run in runs}
    return cards, {(run, path): open_benchmark(path, get_template(card["template"]), fars=fars)
                   for run, card in cards.items() for path in benchmarks}


def evaluate(model, folder, *, fusion="flip_concatenate", batch=256, fars=()):
    """Evaluates a model on a benchmark.

    Args:
        model: a keras.Model, uint8 crops [B, H, W, 3] -> embeddings [B, D].
        folder: an opened benchmark Folder.
        fusion: how the embeddings of a crop and its mirror image become one (`evaluation.embed.FUSIONS`).
        batch: crops embedded at once.
        fars: rates asked for beside FARS; one that the impostor pairs cannot show is refused.

    Returns:
        A dict for JSON, see `measure`; thresholds that reject everything are None.
    """
    return evaluate_scored(model, folder, fusion=fusion, batch=batch, fars=fars).result


def evaluate_scored(model, folder, *, fusion="flip_concatenate", batch=256, fars=()):
    """Evaluates like `evaluate`, but returns Scored, for pictures of single pairs and for tests between models."""
    pairs = read_pairs(folder)
    embeddings = fuse(*embed(model, folder, batch=batch), fusion)
    scores = pair_scores(embeddings, pairs)
    status = [row.status for row in folder.rows]
    return Scored(folder, pairs, scores, {
        "benchmark": folder.name,
        "digest": folder.digest,
        "template": folder.template.name,
        "fusion": fusion,
        "recipe": folder.meta["settings"],
        "num_crops": folder.num_records,
        "num_fallback": status.count("fallback"),
        "num_unreadable": int(pairs.unreadable.sum()),
        **measure(scores, pairs.same, pairs.fold, fars=fars),
    })


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


def measure(scores, same, fold, *, fars=()):
    """Computes every number of the protocol from scores float [P], same bool [P], fold int [P].

    Returns:
        A dict for JSON: num_pairs, num_genuine, num_impostor, num_folds; accuracy (mean of folds) with std_ddof0,
        std_ddof1, standard_error and interval95 (by folds); accuracies and thresholds of the folds;
        best_threshold_no_folds; tar, one entry a FAR; auc; eer; roc (points where the curve rises).

    Raises:
        ValueError: fewer than two folds, a fold with one kind of pairs, or a FAR of `fars` below 1 / impostors.
    """
    folds = metrics.k_fold(scores, same, fold)
    curve = metrics.roc(scores, same)
    _check_fars(fars, curve.num_impostor)
    threshold, correct = metrics.best_threshold(curve)
    false_accepts, true_accepts = metrics.staircase(curve)
    return {
        "num_pairs": len(scores),
        "num_genuine": curve.num_genuine,
        "num_impostor": curve.num_impostor,
        "num_folds": len(folds.correct),
        "accuracy": folds.accuracy,
        "std_ddof0": folds.std_ddof0,
        "std_ddof1": folds.std_ddof1,
        "standard_error": folds.standard_error,
        "interval95": list(fold_interval(folds.accuracies)),
        "accuracies": folds.accuracies.tolist(),
        "thresholds": [_finite(value) for value in folds.thresholds.tolist()],
        "best_threshold_no_folds": {"accuracy": correct / len(scores), "correct": correct,
                                    "threshold": _finite(threshold)},
        "tar": [_point(metrics.tar_at_far(curve, far)) for far in sorted({*FARS, *fars}, reverse=True)],
        "auc": metrics.auc(curve),
        "eer": metrics.eer(curve),
        "roc": {"false_accepts": false_accepts.tolist(), "true_accepts": true_accepts.tolist()},
    }


def _check_fars(fars, num_impostor):
    for far in fars:
        if metrics.num_allowed(far, num_impostor) < 1:
            raise ValueError(f"fars has {far:g}, but {num_impostor:,} impostor pairs show no FAR below 1 / "
                             f"{num_impostor:,} = {1 / max(num_impostor, 1):.2g}; ask for a higher one")


def _point(point):
    return {"far": point.far, "tar": point.tar, "threshold": _finite(point.threshold), "allowed": point.allowed,
            "false_accepts": point.false_accepts, "true_accepts": point.true_accepts,
            "num_genuine": point.num_genuine, "num_impostor": point.num_impostor}


def _finite(threshold):
    """JSON knows no infinity: None stands for "reject all"."""
    return threshold if math.isfinite(threshold) else None
