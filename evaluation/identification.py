"""Identification: probes looked for in a gallery, closed-set (rank k) and open-set (TPIR at FPIR), by blocks of probes.

A probe is *mated* where the gallery has its label. Its rank is the place of its best mate when the gallery is sorted by
score, equal scores by place in the gallery. Rank k: share of mated probes with a rank of at most k. Open set: FPIR(t)
is the share of non-mated probes whose best score is at least t; TPIR(t) the share of mated probes whose mate is at rank
1 and has a score of at least t. The threshold is the lowest score, of all, at which at most floor(FPIR * non-mated
probes) of these have their best score (Grother and Ngan 2014, NIST IR 8009, has mates up to rank L; here L = 1).
"""

import numpy as np

from evaluation.metrics import num_allowed

FPIRS = (1e-1, 1e-2, 1e-3)
RANKS = (1, 5, 10, 20)
_SCORES = 1 << 21   # in a block of probes


def identify(gallery, gallery_labels, probes, probe_labels, *, has_crop):
    """Looks for probes in a gallery.

    Args:
        gallery: unit rows, float [G, E].
        gallery_labels: int [G].
        probes: unit rows, float [Q, E].
        probe_labels: int [Q].
        has_crop: (bool [G], bool [Q]). A row without a crop counts as wrong: a mated probe is never found, a non-mated
            one always raises an alarm, a gallery entry is found by nobody.

    Returns:
        A dict for JSON: num_gallery, num_mated, num_nonmated, num_without_crop (of both); rank: a dict of k -> share
        of mated probes, for those of RANKS that the gallery does not make trivial (None without mated probes); tpir,
        one entry for each of FPIRS that the non-mated probes can show and one for FPIR 0 (no false alarm), empty where
        either kind is missing.
    """
    in_gallery, in_probes = has_crop
    mated = np.isin(probe_labels, gallery_labels)
    best, mate, rank = np.full(len(probes), np.inf), np.full(len(probes), -np.inf), np.zeros(len(probes), np.int64)
    kept = probes[in_probes]
    best[in_probes], mate[in_probes], rank[in_probes] = find(
        score_blocks(gallery, kept, in_gallery), gallery_labels, probe_labels[in_probes])
    result = {
        "num_gallery": len(gallery), "num_mated": int(mated.sum()), "num_nonmated": int((~mated).sum()),
        "num_without_crop": int((~in_gallery).sum() + (~in_probes).sum()),
        "rank": {str(k): float(((rank <= k) & (mate > -np.inf))[mated].mean()) for k in RANKS
                 if k == 1 or k < len(gallery)} if mated.any() else None,
        "tpir": [],
    }
    if mated.any() and not mated.all():
        result["tpir"] = tpir_at_fpir(score_blocks(gallery, kept, in_gallery), best[~mated],
                                      np.where(rank == 1, mate, -np.inf)[mated], (*FPIRS, 0))
        result["tpir"] = [point for point in result["tpir"] if point["allowed"] or not point["fpir"]]
    return result


def score_blocks(gallery, probes, in_gallery):
    """Yields scores float32 [q, G] for consecutive probes, about two million at a time; -inf outside `in_gallery`."""
    gallery, probes = (np.ascontiguousarray(rows, np.float32) for rows in (gallery, probes))
    step = max(_SCORES // len(gallery), 1)
    for start in range(0, len(probes), step):
        scores = probes[start:start + step] @ gallery.T
        scores[:, ~in_gallery] = -np.inf
        yield scores


def find(blocks, gallery_labels, probe_labels):
    """Ranks the mates of probes.

    Args:
        blocks: scores float32 [q, G] of consecutive probes.
        gallery_labels: int [G].
        probe_labels: int [Q].

    Returns:
        (best, mate, rank): the best score float32 [Q], the best mate's score float32 [Q] (-inf without one), its rank
        int64 [Q] (0 without one).
    """
    best, mate = np.zeros((2, len(probe_labels)), np.float32)
    rank, start, places = np.zeros(len(probe_labels), np.int64), 0, np.arange(len(gallery_labels))
    for scores in blocks:
        part = slice(start, start + len(scores))
        is_mate = probe_labels[part, None] == gallery_labels
        best[part] = scores.max(axis=1)
        mate[part] = scores.max(axis=1, where=is_mate, initial=-np.inf)
        is_equal = scores == mate[part, None]
        place = (is_mate & is_equal).argmax(axis=1)[:, None]
        is_before = (scores > mate[part, None]) | (is_equal & (places < place))
        rank[part] = np.where(is_mate.any(axis=1), 1 + is_before.sum(axis=1), 0)
        start = part.stop
    return best, mate, rank


def tpir_at_fpir(blocks, nonmated, mated, fpirs):
    """TPIR at the lowest thresholds that keep given FPIRs.

    Args:
        blocks: all scores, float32 [q, G]: the candidates for thresholds, where finite.
        nonmated: float [m]: best scores of the non-mated probes.
        mated: float [n]: the mates' scores of the mated probes, -inf where the mate is not at rank 1.
        fpirs: rates from 0 to 1.

    Returns:
        A list of dicts: fpir, allowed (k), false_alarms, found, tpir, threshold (None: rejects all).
    """
    falling = np.append(np.sort(nonmated)[::-1], -np.inf)
    allowed = [num_allowed(fpir, len(nonmated)) for fpir in fpirs]
    thresholds = _lowest_above(blocks, [falling[k] for k in allowed])
    return [{"fpir": fpir, "allowed": k, "false_alarms": int((nonmated >= threshold).sum()),
             "found": int((mated >= threshold).sum()), "tpir": int((mated >= threshold).sum()) / len(mated),
             "threshold": float(threshold) if np.isfinite(threshold) else None}
            for fpir, k, threshold in zip(fpirs, allowed, thresholds, strict=True)]


def _lowest_above(blocks, bounds):
    """For each bound the lowest finite score above it; +inf without one."""
    lowest = np.full(len(bounds), np.inf)
    for scores in blocks:
        for place, bound in enumerate(bounds):
            lowest[place] = min(lowest[place], scores.min(where=(scores > bound), initial=np.inf))
    return lowest
