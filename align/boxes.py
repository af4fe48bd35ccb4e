"""Boxes: rows x1, y1, x2, y2 in pixels of the photograph, edges, so that pixel i covers i to i + 1."""

import numpy as np


def suppress(boxes, scores, groups, threshold, *, over_smaller=False):
    """Greedy non-maximum suppression within each group: a box falls if a kept, better one overlaps it too much.

    Groups do not know of each other. Ties in score go to the earlier box.

    Args:
        boxes: float64 [N, 4].
        scores: [N].
        groups: int [N].
        threshold: overlap above which a box falls.
        over_smaller: overlap = intersection over the smaller area; else over the union.

    Returns:
        int64: places kept, by group, then by falling score.
    """
    left = np.lexsort((np.arange(len(scores)), -scores, groups))
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []
    while len(left):
        group = groups[left]
        is_first = np.concatenate([[True], group[1:] != group[:-1]])
        kept.append(left[is_first])
        best = left[is_first][np.cumsum(is_first) - 1]   # of each box's group
        overlap = _overlap(boxes[left], boxes[best], areas[left], areas[best], over_smaller)
        left = left[~is_first & (overlap <= threshold)]
    places = np.concatenate([np.zeros(0, np.int64), *kept])
    return places[np.argsort(groups[places], kind="stable")]


def regress(boxes, regression):
    """Moves each side by its regression times the box's width or height."""
    sides = (boxes[:, 2:] - boxes[:, :2])[:, [0, 1, 0, 1]]
    return boxes + regression * sides


def square(boxes):
    """Squares about the same centres with the longer side, rounded to whole pixels (at least 1)."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    side = np.maximum(np.round((boxes[:, 2:] - boxes[:, :2]).max(axis=1)), 1)
    corner = np.round(centre - side[:, None] / 2)
    return np.concatenate([corner, corner + side[:, None]], axis=1)


def _overlap(a, b, area_a, area_b, over_smaller):
    sides = np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])
    shared = np.maximum(sides, 0).prod(axis=1)
    return shared / (np.minimum(area_a, area_b) if over_smaller else area_a + area_b - shared)
