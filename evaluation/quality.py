"""Does the network attend to the quality of a photograph? Accuracy against the norm of the raw embedding."""

import numpy as np


def accuracy_by_norm(scores, same, norms, threshold):
    """Accuracy in thirds of the pairs by embedding norm, from low to high, at one threshold for all.

    A network whose norm follows quality (as MagFace, arXiv:2103.06627, makes it do) errs most in the first third.

    Args:
        scores: float [P].
        same: bool [P].
        norms: float [P]: of each pair the smaller norm of its two embeddings. Equal norms stay in one third, so the
            thirds may differ in size.
        threshold: accept at or above it.

    Returns:
        Three dicts: norms (lowest and highest), num_pairs and accuracy; norms and accuracy are None in an empty third.

    Raises:
        ValueError: norms of another shape than the scores, or not finite.
    """
    scores, norms = np.asarray(scores), np.asarray(norms, np.float64)
    if norms.shape != scores.shape or not np.isfinite(norms).all():
        raise ValueError(f"norms have shape {norms.shape}, expected finite ones {scores.shape} like the scores")
    is_right = (scores >= threshold) == np.asarray(same, bool)
    ordered, count = np.sort(norms), len(norms)
    third = np.searchsorted(ordered[[count // 3, 2 * count // 3]], norms, side="right")
    return [_third(is_right[third == number], norms[third == number]) for number in range(3)]


def _third(is_right, norms):
    if not len(norms):
        return {"norms": None, "num_pairs": 0, "accuracy": None}
    return {"norms": [float(norms.min()), float(norms.max())], "num_pairs": len(norms),
            "accuracy": float(is_right.mean())}
