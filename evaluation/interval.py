"""Uncertainty of a mean over folds."""

import numpy as np
from scipy.special import stdtrit


def fold_interval(accuracies, *, level=0.95):
    """Confidence interval of the mean of person-disjoint folds: mean +- t * std_ddof1 / sqrt(K), K - 1 degrees.

    Args:
        accuracies: float [K], K at least 2; with ten folds t is 2.262 at level 0.95.
        level: share of intervals that cover the truth, between 0 and 1.

    Returns:
        (low, high), cut to [0, 1]. With very few errors it is too narrow: where all folds agree its width is 0.
    """
    accuracies = np.asarray(accuracies, np.float64)
    if accuracies.ndim != 1 or len(accuracies) < 2:
        raise ValueError(f"accuracies have shape {accuracies.shape}, expected those of at least two folds")
    if not 0 < level < 1:
        raise ValueError(f"level is {level!r}, expected a share between 0 and 1")
    count = len(accuracies)
    half = stdtrit(count - 1, (1 + level) / 2) * accuracies.std(ddof=1) / count ** 0.5
    return max(0.0, float(accuracies.mean() - half)), min(1.0, float(accuracies.mean() + half))
