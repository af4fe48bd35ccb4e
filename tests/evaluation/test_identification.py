import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation import identification

GOLDENS = json.loads((Path(__file__).parent.parent / "goldens" / "evaluation.json").read_text())
OPEN, CLOSED = GOLDENS["open_set_identification"], GOLDENS["retrieval"]


def numbers(names, known):
    return np.array([known.index(name) if name in known else -1 for name in names])


def test_golden_of_the_open_set():
    gallery = np.arange(len(OPEN["gallery"]))
    mated, nonmated = (np.array(OPEN[name], np.float32) for name in ("mated_scores", "nonmated_scores"))
    labels = numbers(OPEN["mated_labels"] + [""] * len(nonmated), OPEN["gallery"])
    blocks = [mated[:2], mated[2:], nonmated]
    best, mate, rank = identification.find(blocks, gallery, labels)
    assert rank[5:].tolist() == [0] * 4
    assert np.mean(rank[:5] == 1) == OPEN["closed_set_rank1"]
    fpirs = [float(Fraction(fpir)) for fpir in OPEN["tpir_at_fpir"]]
    got = identification.tpir_at_fpir(blocks, best[5:], np.where(rank == 1, mate, -np.inf)[:5], fpirs)
    for point, want in zip(got, OPEN["tpir_at_fpir"].values(), strict=True):
        assert (point["allowed"], point["threshold"], point["found"], point["tpir"]) == (
            want["allowed"], want["threshold"], want["tpir_rank1_num"], want["tpir_rank1"])
        assert point["false_alarms"] <= point["allowed"]


def test_golden_of_the_ranks():
    """The golden's queries are probes; those without a mate are left out there."""
    known = sorted({*CLOSED["gallery_labels"], *CLOSED["query_labels"]})
    scores = np.array(CLOSED["scores"], np.float32)
    gallery, probes = numbers(CLOSED["gallery_labels"], known), numbers(CLOSED["query_labels"], known)
    _, _, rank = identification.find([scores], gallery, probes)
    rank = rank[rank > 0]
    assert [float(np.mean(rank <= k)) for k in range(1, scores.shape[1] + 1)] == pytest.approx(CLOSED["cmc"])


def brute(scores, gallery, probes, in_gallery, in_probes):
    """By sorting and by trying every threshold."""
    ranks, alarms, found = [], [], []
    for row, probe, usable in zip(scores, probes, in_probes, strict=True):
        order = sorted((j for j in range(len(gallery)) if in_gallery[j]), key=lambda j: (-row[j], j))
        hits = [place for place, j in enumerate(order, 1) if gallery[j] == probe]
        if probe not in gallery:
            alarms.append(row[order[0]] if usable and order else np.inf if not usable else -np.inf)
        else:
            ranks.append(hits[0] if hits and usable else np.inf)
            found.append(row[order[0]] if hits[:1] == [1] and usable else -np.inf)
    candidates = sorted({s for row, usable in zip(scores, in_probes, strict=True) if usable
                         for s, there in zip(row, in_gallery, strict=True) if there}) + [np.inf]
    result = []
    for fpir in (*identification.FPIRS, 0):
        k = int(Fraction(str(fpir)) * len(alarms))
        if fpir and not k:
            continue
        fits = [t for t in candidates if sum(s >= t for s in alarms) <= k]
        t = fits[0] if fits else np.inf
        result.append((k, sum(s >= t for s in alarms), sum(s >= t for s in found), None if t == np.inf else t))
    return ranks, result


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 25), st.booleans())
def test_by_brute_force(seed, num_gallery, num_probes, is_whole):
    """Rows of few values, so that scores are exact and tie; several gallery entries of one label; missing crops."""
    draw = np.random.default_rng(seed)
    gallery = draw.integers(-2, 3, (num_gallery, 4)).astype(np.float32) / 4
    probes = draw.integers(-2, 3, (num_probes, 4)).astype(np.float32) / 4
    labels, wanted = draw.integers(0, 6, num_gallery), draw.integers(0, 6, num_probes)
    in_gallery, in_probes = (draw.random(n) < (1 if is_whole else 0.7) for n in (num_gallery, num_probes))
    identification._SCORES, kept = 3 * num_gallery, identification._SCORES
    try:
        got = identification.identify(gallery, labels, probes, wanted, has_crop=(in_gallery, in_probes))
    finally:
        identification._SCORES = kept
    ranks, points = brute((probes @ gallery.T).tolist(), labels, wanted, in_gallery, in_probes)
    assert (got["num_gallery"], got["num_mated"], got["num_nonmated"]) == (
        num_gallery, len(ranks), num_probes - len(ranks))
    assert got["num_without_crop"] == (~in_gallery).sum() + (~in_probes).sum()
    assert got["rank"] == ({str(k): pytest.approx(np.mean(np.array(ranks) <= k)) for k in identification.RANKS
                            if k == 1 or k < num_gallery}
                           if ranks else None)
    if ranks and got["num_nonmated"]:
        assert [(p["allowed"], p["false_alarms"], p["found"], p["threshold"]) for p in got["tpir"]] == points
        assert [p["tpir"] for p in got["tpir"]] == [p["found"] / len(ranks) for p in got["tpir"]]
    else:
        assert got["tpir"] == []
