"""Media sets: embeddings of many crops -> one of the set, and every number of a protocol of sets.

Of each crop comes one vector (`evaluation.embed.fuse`); the vectors of one medium (the frames of a video) are averaged,
the media of a set are added up, and the sum gets norm 1 (Crosswhite et al. 2018, arXiv:1603.03958; the scripts of
IJB-B and IJB-C). `plain`: a crop's vector has norm 1. `norm_weighted`: it is multiplied by the norm of the raw
embedding (mean of original and mirrored), which is small for poor pictures; the public scripts do that by default.
"""

import itertools
from dataclasses import replace

import numpy as np

from base.files import sha256
from evaluation import metrics
from evaluation.blocks import operating_points
from evaluation.embed import embed, fuse
from evaluation.identification import identify
from evaluation.interval import fold_interval
from tfrecords.mediasets import locate

FARS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
WEIGHTINGS = ("plain", "norm_weighted")
_MEMBERS = 8192   # crops fused at once; a set is never cut
_PAIRS = 8192     # pairs scored at once
_SCORES = 1 << 20   # scores counted at once
_LEAST_NORM = 1e-12


def prepare(protocol, folder):
    """Finds the crops of a protocol's media in a Folder, and refuses what would give no number or a wrong one.

    Returns:
        The Protocol, its sets with records.

    Raises:
        ValueError: media that are not in the folder, pairs of one kind only, or a search in which nobody has a mate.
    """
    splits = tuple(replace(split, sets=locate(split.sets, folder)) for split in protocol.splits)
    for split in splits:
        if split.pairs is not None:
            genuine = int(np.count_nonzero(split.pairs.same))
            if genuine in (0, len(split.pairs.same)):
                raise ValueError(f"{split.name} has {genuine:,} genuine of {len(split.pairs.same):,} pairs, expected "
                                 f"both kinds; use an unharmed copy of the list")
            if split.pairs.fold is not None:
                metrics.check_folds(split.pairs.same, split.pairs.fold)
        subjects = np.array(split.sets.subjects)
        for search in split.searches:
            if not np.isin(subjects[search.probes], subjects[search.gallery]).any():
                raise ValueError(f"{split.name}: none of {len(search.probes):,} probes has its subject in gallery "
                                 f"{search.name!r}; is it the gallery of another version?")
    return replace(protocol, splits=splits)


def evaluate_protocol(model, folder, protocol, *, fusion, batch=256):
    """Evaluates a model on a protocol of media sets.

    Args:
        model: a keras.Model, uint8 crops [B, H, W, 3] -> embeddings [B, D].
        folder: the dataset Folder of the media.
        protocol: what `prepare` returned.
        fusion: how the embeddings of a crop and its mirror image become one (`evaluation.embed.FUSIONS`).
        batch: crops embedded at once.

    Returns:
        A dict for JSON; splits has one entry a split, with each of WEIGHTINGS.
    """
    halves = embed(model, folder, batch=batch)
    every = [split.sets for split in protocol.splits]
    return {
        "protocol": protocol.name,
        "protocol_files": {f"{file.parent.name}/{file.name}": sha256(file) for file in protocol.files},
        "data": folder.name,
        "digest": folder.digest,
        "template": folder.template.name,
        "fusion": fusion,
        "recipe": folder.meta["settings"],
        "num_sets": sum(len(sets.names) for sets in every),
        "num_media_files": sum(len(sets.keys) for sets in every),
        "num_media_without_crop": sum(int((sets.records < 0).sum()) for sets in every),
        "num_sets_without_crop": sum(int((~_has_crop(sets)).sum()) for sets in every),
        "splits": [{"name": split.name, **{
            weighting: evaluate_split(halves, split, fusion=fusion, weighting=weighting) for weighting in WEIGHTINGS}}
            for split in protocol.splits],
    }


def embed_sets(halves, sets, *, fusion, weighting):
    """Makes one unit vector of every set.

    Args:
        halves: (original, mirrored), float [N, D] each, as `evaluation.embed.embed` gives them.
        sets: a MediaSets with records.
        fusion: how a crop's embeddings become one.
        weighting: one of WEIGHTINGS.

    Returns:
        float32 [S, E]; zeros for a set without any crop.

    Raises:
        ValueError: a set whose vectors cancel.
    """
    has_crop = np.flatnonzero(sets.records >= 0)
    order = has_crop[np.lexsort((sets.media[has_crop], sets.sets[has_crop]))]
    result = None
    for part in _parts(sets.sets[order]):
        members = order[part]
        raw = [half[sets.records[members]] for half in halves]
        rows = fuse(*raw, fusion)
        if weighting == "norm_weighted":
            rows = rows * np.mean([np.linalg.norm(half.astype(np.float64), axis=1) for half in raw], axis=0)[:, None]
        numbers, vectors = aggregate(rows, sets.sets[members], sets.media[members], sets.names)
        result = np.zeros((len(sets.names), vectors.shape[1]), np.float32) if result is None else result
        result[numbers] = vectors
    if result is None:
        raise ValueError(f"none of the {len(sets.keys):,} media files has a crop; look into the folder's manifest.csv")
    return result


def aggregate(rows, sets, media, names):
    """Averages within media, adds up within sets, and normalises.

    Args:
        rows: float64 [n, E].
        sets: int [n], rising.
        media: int [n], rising within a set.
        names: of all sets, by number.

    Returns:
        (numbers, vectors): the sets that there are, int [s], and unit rows float64 [s, E].
    """
    is_first = np.append(True, np.diff(sets) > 0)
    is_new = np.append(True, np.diff(media) != 0) | is_first
    starts = np.flatnonzero(is_new)
    lengths = np.diff(np.append(starts, len(rows)))
    means = np.add.reduceat(rows, starts, axis=0) / lengths[:, None]
    sums = np.add.reduceat(means, np.flatnonzero(is_first[starts]), axis=0)
    numbers, norms = sets[is_first], np.linalg.norm(sums, axis=1)
    if norms.min() < _LEAST_NORM:
        name = names[numbers[int(norms.argmin())]]
        raise ValueError(f"the vectors of set {name!r} cancel, so it has no direction; the model is broken")
    return numbers, sums / norms[:, None]


def evaluate_split(halves, split, *, fusion, weighting):
    """Computes every number of one split of a protocol.

    Args:
        halves: (original, mirrored), float [N, D] each.
        split: a Split whose sets have records.
        fusion: how a crop's embeddings become one.
        weighting: one of WEIGHTINGS.

    Returns:
        A dict for JSON: verification (None without pairs) and searches (a list).
    """
    vectors = embed_sets(halves, split.sets, fusion=fusion, weighting=weighting)
    has_crop = _has_crop(split.sets)
    return {"verification": split.pairs and verify(vectors, split.pairs, has_crop),
            "searches": [_search(vectors, split, search, has_crop) for search in split.searches]}


def verify(vectors, pairs, has_crop):
    """Verifies listed pairs of sets; those with a set without any crop count as wrong.

    Args:
        vectors: float32 [S, E].
        pairs: SetPairs.
        has_crop: bool [S].

    Returns:
        A dict for JSON: num_pairs, num_genuine, num_impostor, num_repeated, num_without_crop; tar, one entry for each
        of FARS that the impostor pairs can show and one for FAR 0 (no false accept); with folds also accuracy and what
        belongs to it.
    """
    scores = np.empty(len(pairs.a), np.float32)
    for start in range(0, len(scores), _PAIRS):
        part = slice(start, start + _PAIRS)
        scores[part] = np.einsum("ij,ij->i", vectors[pairs.a[part]], vectors[pairs.b[part]])
    is_wrong = ~(has_crop[pairs.a] & has_crop[pairs.b])
    scores[is_wrong] = np.where(pairs.same[is_wrong], -np.inf, np.inf)
    genuine = int(np.count_nonzero(pairs.same))
    walk = [(scores[start:start + _SCORES], pairs.same[start:start + _SCORES])
            for start in range(0, len(scores), _SCORES)]
    return {
        "num_pairs": len(scores), "num_genuine": genuine, "num_impostor": len(scores) - genuine,
        "num_repeated": pairs.num_repeated, "num_without_crop": int(np.count_nonzero(is_wrong)),
        "tar": [_tar(point) for point in operating_points(walk, (*FARS, 0))
                if point.allowed or not point.far],
        **({} if pairs.fold is None else _folds(scores, pairs)),
    }


def _folds(scores, pairs):
    folds = metrics.k_fold(scores, pairs.same, pairs.fold)
    return {"accuracy": folds.accuracy, "num_folds": len(folds.correct), "interval95":
            list(fold_interval(folds.accuracies)), "std_ddof0": folds.std_ddof0, "std_ddof1": folds.std_ddof1,
            "standard_error": folds.standard_error, "accuracies": folds.accuracies.tolist()}


def _tar(point):
    return {"far": point.far, "tar": point.tar, "threshold": _finite(point.threshold), "allowed": point.allowed,
            "false_accepts": point.false_accepts, "true_accepts": point.true_accepts}


def _search(vectors, split, search, has_crop):
    subjects = {name: number for number, name in enumerate(dict.fromkeys(split.sets.subjects))}
    labels = np.array([subjects[name] for name in split.sets.subjects], np.int64)
    gallery, probes = search.gallery, search.probes
    found = identify(vectors[gallery], labels[gallery], vectors[probes], labels[probes],
                     has_crop=(has_crop[gallery], has_crop[probes]))
    return {"name": search.name, **found}


def _has_crop(sets):
    return np.bincount(sets.sets[sets.records >= 0], minlength=len(sets.names)) > 0


def _finite(threshold):
    """JSON knows no infinity: None stands for "reject all"."""
    return threshold if np.isfinite(threshold) else None


def _parts(sets):
    """Slices of about _MEMBERS places that cut no set, of rising numbers of sets."""
    starts = np.append(np.flatnonzero(np.append(True, np.diff(sets) > 0)), len(sets)) if len(sets) else [0]
    first = 0
    for start, after in itertools.pairwise(starts):
        if after - first > _MEMBERS and start > first:
            yield slice(first, start)
            first = start
    if first < len(sets):
        yield slice(first, len(sets))
