"""What the demonstration states: how well faces were found, and how well pairs of unseen people are told apart."""

from dataclasses import dataclass

import numpy as np

from demo.photographs import known_landmarks
from evaluation import metrics
from evaluation.benchmark import Scored, evaluate_scored, pair_scores
from evaluation.card import read_card
from evaluation.embed import load_model
from tfrecords.folder import Folder


@dataclass(frozen=True)
class Found:
    """Everything for the page."""

    numbers: dict
    """accuracy, pixel_accuracy, detected_share, landmark_error and counts"""
    scored: Scored
    """the benchmark, its pairs and scores, and what `evaluate.py` writes to results.json"""


def measure(config, output):
    """Reads the folders of a finished demonstration; returns Found."""
    training, folder = Folder.open(output / "data"), Folder.open(output / "benchmark")
    scored = evaluate_scored(load_model(output / "run"), folder, fusion=read_card(output / "run")["fusion"])
    results = scored.result
    rows = [*training.rows, *folder.rows]
    numbers = {
        "accuracy": round(results["accuracy"], 4),
        "pixel_accuracy": round(_pixel_accuracy(folder, scored.pairs), 4),
        "tar_at_far_1e-2": round(results["tar"][0]["tar"], 4),
        "detected_share": round(sum(row.status == "aligned" for row in rows) / len(rows), 4),
        "landmark_error": round(_landmark_error(rows, known_landmarks(config)), 4),
        "photographs": len(rows), "pairs": len(scored.scores),
    }
    return Found(numbers, scored)


def _pixel_accuracy(folder, pairs):
    """Accuracy of the same folds where the score is the cosine of the crops' own pixels."""
    crops = np.stack([folder.crop(number) for number in range(folder.num_records)])
    rows = crops.reshape(len(crops), -1).astype(np.float64) - 127.5
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return metrics.k_fold(pair_scores(rows, pairs), pairs.same, pairs.fold).accuracy


def _landmark_error(rows, known):
    """Mean distance of the landmarks found from those drawn, as a share of the distance between the eyes."""
    errors = []
    for row in rows:
        if row.status == "aligned":
            drawn = known[row.key]
            far = np.linalg.norm(np.reshape(row.landmarks, (5, 2)) - drawn, axis=1)
            errors.append(far.mean() / np.linalg.norm(drawn[1] - drawn[0]))
    return float(np.mean(errors))
