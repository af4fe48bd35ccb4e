"""The pyramid of a photograph, and P-Net over the levels of many photographs at once."""

import math
from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np

CELL = 12
"""Pixels of a level that one cell of P-Net looks at."""
_TILE = 522          # a larger level is cut into tiles of this side, which overlap by CELL - 2
_ENOUGH = 4          # levels of one size make a batch of their own; the others
_STEP = 16           # are put on canvases whose sides are multiples of this
_PIXELS = 1 << 21    # canvas pixels given to P-Net at once


@dataclass(frozen=True)
class Proposals:
    """What P-Net found: N cells above the threshold."""

    image: np.ndarray
    """int64 [N], place of the photograph in the batch."""
    level: np.ndarray
    """int64 [N], 0 = finest."""
    boxes: np.ndarray
    """float64 [N, 4], in pixels of the photograph, not regressed."""
    scores: np.ndarray
    """float64 [N]"""
    regression: np.ndarray
    """float64 [N, 4]"""

    def take(self, places):
        """The proposals at `places`."""
        return Proposals(*(getattr(self, name)[places] for name in self.__dataclass_fields__))


def join(parts):
    """One Proposals of several."""
    return Proposals(*(np.concatenate([getattr(part, name) for part in parts]) for name in
                       Proposals.__dataclass_fields__))


def scales(height, width, *, min_face, factor):
    """Scales of the levels, finest first, as long as the shorter side holds a cell."""
    shorter, found = min(height, width), []
    while True:
        scale = CELL / min_face * factor ** len(found)
        if shorter * scale < CELL:
            return found
        found.append(scale)


def levels(image, wanted):
    """Yields the picture at each of `wanted` scales, falling; sides are rounded up, each is shrunk from the one before.

    So what a level looks like depends on the photograph alone, not on what else is searched.
    """
    height, width = image.shape[:2]
    for scale in wanted:
        size = (math.ceil(width * scale), math.ceil(height * scale))
        if size != (image.shape[1], image.shape[0]):
            is_smaller = size[0] <= image.shape[1] and size[1] <= image.shape[0]
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR)
        yield image


def propose(network, pieces, shapes, *, threshold):
    """Runs P-Net over levels of several photographs.

    Args:
        network: `align.networks.proposal_network()`.
        pieces: list of (image, level, picture): the level's picture uint8 RGB.
        shapes: (height, width) of each photograph.
        threshold: least score.

    Returns:
        Proposals.
    """
    tiles = [(image, level, picture.shape[:2], top, left, tile)
             for image, level, picture in pieces for top, left, tile in _tiles(picture)]
    count = Counter(tile.shape[:2] for *_, tile in tiles)
    buckets = {}
    for member in tiles:
        size = member[-1].shape[:2]
        canvas = size if count[size] >= _ENOUGH else tuple(-(-side // _STEP) * _STEP for side in size)
        buckets.setdefault(canvas, []).append(member)
    found = [_empty()]
    for canvas, members in sorted(buckets.items()):
        at_once = max(1, _PIXELS // (canvas[0] * canvas[1]))
        for start in range(0, len(members), at_once):
            found.append(_run(network, members[start:start + at_once], canvas, shapes, threshold))
    return join(found)


def _tiles(picture):
    """Yields (top, left, tile): together their cells are the cells of the whole picture, each once."""
    height, width = picture.shape[:2]
    step = _TILE - (CELL - 2)
    for top in range(0, max(height - (CELL - 2), 1), step):
        for left in range(0, max(width - (CELL - 2), 1), step):
            tile = picture[top:top + _TILE, left:left + _TILE]
            if min(tile.shape[:2]) >= CELL:
                yield top, left, tile


def _run(network, members, canvas, shapes, threshold):
    pictures = np.zeros((len(members), *canvas, 3), np.uint8)
    for place, (*_, tile) in enumerate(members):
        pictures[place, :tile.shape[0], :tile.shape[1]] = tile
    scores, regression = (value.numpy() for value in network(pictures))
    place, row, column = np.nonzero(scores >= threshold)
    about = np.array([(image, level, *size, top, left, *tile.shape[:2], *shapes[image])
                      for image, level, size, top, left, tile in members])[place]
    is_inside = (2 * row + CELL <= about[:, 6]) & (2 * column + CELL <= about[:, 7])   # not on the canvas's rest
    place, row, column, about = place[is_inside], row[is_inside], column[is_inside], about[is_inside]
    ratio = about[:, [9, 8]] / about[:, [3, 2]]   # photograph over level, x and y
    corner = np.stack([about[:, 5] + 2 * column, about[:, 4] + 2 * row], axis=1)
    return Proposals(
        image=about[:, 0], level=about[:, 1],
        boxes=np.concatenate([corner * ratio, (corner + CELL) * ratio], axis=1),
        scores=scores[place, row, column].astype(np.float64),
        regression=regression[place, row, column].astype(np.float64))


def _empty():
    return Proposals(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 4)), np.zeros(0), np.zeros((0, 4)))
