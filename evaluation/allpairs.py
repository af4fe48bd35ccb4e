"""TAR at low FARs over every pair of a benchmark's crops ("all-pairs"): beside the protocol, never in its place.

LFW's 3,000 impostor pairs carry a FAR of 1e-2, its 7,701 crops make 29,640,749 impostor pairs, which carry 1e-4. The
pairs share people, so they are worth less than as many independent ones.
"""

import numpy as np

from evaluation.metrics import OperatingPoint, num_allowed

FARS = (0.01, 0.001, 0.0001)
_BLOCK = 512   # rows of the table of scores at once: with 7,701 columns 16 MB


def all_pairs(embeddings, people, *, fars=FARS):
    """Scores all pairs of crops by cosine, block by block, and counts exactly what each threshold accepts.

    Memory: one block of scores, the highest impostor scores (as many as the highest FAR allows), the genuine scores.

    Args:
        embeddings: unit rows, [N, E]; the products are taken in float32.
        people: int [N], whose crop each is.
        fars: 0 to below 1.

    Returns:
        A list of OperatingPoints, one a FAR: the lowest score as threshold that accepts at most floor(far * impostors)
        impostor pairs. None where the crops make no genuine or no impostor pair.

    Raises:
        ValueError: shapes that disagree, or an embedding that is not finite.
    """
    embeddings, people = np.asarray(embeddings, np.float32), np.asarray(people)
    if embeddings.ndim != 2 or people.shape != embeddings.shape[:1] or not np.isfinite(embeddings).all():
        raise ValueError(f"embeddings have shape {embeddings.shape} and people {people.shape}, expected finite [N, E] "
                         f"and [N]")
    num_genuine, num_impostor = _counts(people)
    if not num_genuine or not num_impostor:
        return None
    allowed = [num_allowed(far, num_impostor) for far in fars]
    genuine, impostor = _scores(embeddings, people, keep=min(max(allowed, default=0) + 1, num_impostor))
    return [_point(far, k, genuine, impostor, num_impostor) for far, k in zip(fars, allowed, strict=True)]


def _counts(people):
    """(genuine, impostor) pairs of different crops."""
    sizes = np.unique(people, return_counts=True)[1]
    num_genuine = int((sizes * (sizes - 1) // 2).sum())
    return num_genuine, len(people) * (len(people) - 1) // 2 - num_genuine


def _scores(embeddings, people, *, keep):
    """All genuine scores, rising, and the `keep` highest impostor scores, falling: float32 each."""
    genuine, highest = [], np.zeros(0, np.float32)
    for start in range(0, len(people), _BLOCK):
        rows = slice(start, start + _BLOCK)
        scores = embeddings[rows] @ embeddings[start:].T   # what lies left of the block was scored before
        is_new = np.arange(scores.shape[1]) > np.arange(scores.shape[0])[:, None]   # each pair once, none with itself
        is_same = people[rows, None] == people[start:]
        genuine.append(scores[is_same & is_new])
        # Once `keep` scores are known, only higher ones can change which score is the keep-th highest.
        bound = highest.min() if len(highest) == keep else -np.inf
        found = np.concatenate([highest, scores[is_new & ~is_same & (scores > bound)]])
        highest = np.partition(found, len(found) - keep)[-keep:] if len(found) > keep else found
    return np.sort(np.concatenate(genuine)), np.sort(highest)[::-1]


def _point(far, allowed, genuine, impostor, num_impostor):
    """The threshold is the lowest score of any pair above the first impostor score that may not be accepted."""
    refused = impostor[allowed]
    false_accepts = int((impostor[:allowed] > refused).sum())   # equal scores stand or fall together
    first = int(np.searchsorted(genuine, refused, side="right"))
    accepted = [*impostor[:false_accepts][-1:], *genuine[first:first + 1]]
    return OperatingPoint(float(far), allowed, false_accepts, len(genuine) - first,
                          float(min(accepted, default=np.inf)), len(genuine), num_impostor)
