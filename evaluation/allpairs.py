"""TAR at low FARs over every pair of a benchmark's crops ("all-pairs"): beside the protocol, never in its place.

LFW's 3,000 impostor pairs carry a FAR of 1e-2, its 7,701 crops make 29,640,749 impostor pairs, which carry 1e-4. The
pairs share people, so they are worth less than as many independent ones.
"""

import numpy as np

from evaluation.blocks import AllPairs, operating_points

FARS = (0.01, 0.001, 0.0001)


def all_pairs(embeddings, people, *, fars=FARS):
    """Scores all pairs of crops by cosine, block by block, and counts exactly what each threshold accepts.

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
    sizes = np.unique(people, return_counts=True)[1]
    genuine = int((sizes * (sizes - 1) // 2).sum())
    if genuine in (0, len(people) * (len(people) - 1) // 2):
        return None
    return operating_points(AllPairs(embeddings, people), fars)
