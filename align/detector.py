"""MTCNN over batches of photographs of any sizes.

What is found in a photograph does not depend on the others of its batch: each has its own pyramid, suppression knows
one photograph at a time, crops are cut in pixels of the photograph itself, and the networks run over all of them.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from align.boxes import regress, square, suppress
from align.choose import may_stop, value
from align.networks import output_network, proposal_network, refine_network
from align.pyramid import join, levels, propose, scales

_CHUNK = 1024   # crops given to a network at once
_FIRST_CELL = 0.2        # the coarse search begins with cells of at least this share of the shorter side
_LEVELS_A_ROUND = 2      # and goes on with so many levels at a time
_LEVELS = 64             # more than any pyramid has


@dataclass(frozen=True)
class Faces:
    """The N faces of one photograph, in pixels of it."""

    boxes: np.ndarray
    """float64 [N, 4]: x1, y1, x2, y2, edges."""
    scores: np.ndarray
    """float64 [N], O-Net's, 0 to 1."""
    landmarks: np.ndarray
    """float64 [N, 5, 2]: image-left eye, image-right eye, nose tip, image-left and image-right mouth corner."""


class Detector:
    """Finds faces; settings are a config Detection."""

    def __init__(self, settings):
        self.settings = settings
        self._cores = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._cores)
        self._propose, self._refine, self._output = proposal_network(), refine_network(), output_network()

    def search(self, images):
        """Searches every level: a list of uint8 RGB [H, W, 3] -> a list of Faces."""
        return self._in_parts(self._search, images)

    def search_for_choice(self, images, choice):
        """Searches coarse levels first, and finer ones only where a face of theirs could win `choice`.

        Returns:
            A list of Faces that hold the face which a full search would choose; smaller ones may be missing.
        """
        return self._in_parts(lambda part: self._search_for_choice(part, choice), images)

    def _in_parts(self, search, images):
        """A part of the photographs a processor core, so that cutting crops and networks overlap."""
        for place, image in enumerate(images):
            if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
                raise ValueError(f"photograph {place} is {image.dtype} of shape {image.shape}, expected uint8 RGB "
                                 f"[height, width, 3] with values from 0 to 255")
        size = max(1, -(-len(images) // self._cores))
        parts = [images[start:start + size] for start in range(0, len(images), size)]
        return [faces for part in self._pool.map(search, parts) for faces in part]

    def _search(self, images):
        pyramids = self._pyramids(images)
        found = self._proposals(images, pyramids, {place: (0, len(it)) for place, it in enumerate(pyramids)})
        faces = self._faces(images, found)
        return [faces.get(place, _NONE) for place in range(len(images))]

    def _search_for_choice(self, images, choice):
        pyramids = self._pyramids(images)
        bottom = {place: len(pyramid) for place, pyramid in enumerate(pyramids)}   # levels from here on are searched
        parts, faces = [], {}
        while bottom:
            spans = {place: (self._next(images[place], level), level) for place, level in bottom.items()}
            parts.append(self._proposals(images, pyramids, spans))
            joined = join(parts)
            faces |= self._faces(images, joined.take(np.isin(joined.image, list(bottom))))
            bottom = {place: first for place, (first, _) in spans.items()
                      if first and not self._is_settled(images[place], faces.get(place), first - 1, choice)}
        return [faces.get(place, _NONE) for place in range(len(images))]

    def _pyramids(self, images):
        settings = self.settings
        return [list(levels(image, scales(*image.shape[:2], min_face=settings.min_face, factor=settings.factor)))
                for image in images]

    def _cell(self, level):
        """Pixels of the photograph that a cell of `level` looks at."""
        return self.settings.min_face / self.settings.factor**level

    def _next(self, image, level):
        """The level down to which the next round goes: first the coarse ones, then a few at a time."""
        coarse = _FIRST_CELL * min(image.shape[:2])
        first = level - _LEVELS_A_ROUND
        while first > 0 and self._cell(first - 1) >= coarse:
            first -= 1
        return max(0, first)

    def _is_settled(self, image, faces, level, choice):
        """True where no face of `level` or a finer one can win."""
        if faces is None or not len(faces.scores):
            return False
        height, width = image.shape[:2]
        best = value(faces.boxes, faces.scores, height=height, width=width, choice=choice).max()
        return may_stop(best, self._cell(level), choice=choice)

    def _proposals(self, images, pyramids, spans):
        """P-Net over levels first .. last - 1 of the photographs in `spans`, suppressed within each level."""
        pieces = [(place, level, pyramids[place][level])
                  for place, (first, last) in spans.items() for level in range(first, last)]
        shapes = [image.shape[:2] for image in images]
        found = propose(self._propose, pieces, shapes, threshold=self.settings.proposal_threshold)
        return found.take(suppress(found.boxes, found.scores, found.image * _LEVELS + found.level, 0.5))

    def _faces(self, images, found):
        """R-Net and O-Net over Proposals; returns a dict of Faces for the photographs that have any."""
        kept = found.take(suppress(found.boxes, found.scores, found.image, 0.7))
        boxes, image = square(regress(kept.boxes, kept.regression)), kept.image

        scores, regression = _in_chunks(self._refine, images, image, boxes, 24)
        good = np.flatnonzero(scores >= self.settings.refine_threshold)
        boxes, image, scores, regression = boxes[good], image[good], scores[good], regression[good]
        good = suppress(boxes, scores, image, 0.7)
        boxes, image = square(regress(boxes[good], regression[good])), image[good]

        scores, regression, points = _in_chunks(self._output, images, image, boxes, 48)
        good = np.flatnonzero(scores >= self.settings.output_threshold)
        boxes, image, scores = boxes[good], image[good], scores[good]
        sides = boxes[:, 2:] - boxes[:, :2]
        landmarks = boxes[:, None, :2] + points[good].reshape(-1, 2, 5).transpose(0, 2, 1) * sides[:, None]
        boxes = regress(boxes, regression[good])
        good = suppress(boxes, scores, image, 0.7, over_smaller=True)
        return {int(place): Faces(boxes[mine], scores[mine], landmarks[mine])
                for place in np.unique(image[good]) for mine in [good[image[good] == place]]}


def _crops(images, image, boxes, side):
    """Cuts whole-pixel squares out, black outside, shrunk by area or enlarged bilinearly: uint8 [N, side, side, 3]."""
    crops = np.zeros((len(boxes), side, side, 3), np.uint8)
    for place, (source, (left, top, right, bottom)) in enumerate(zip(image, boxes.astype(np.int64), strict=True)):
        picture = images[source]
        height, width = picture.shape[:2]
        inside = picture[max(top, 0):max(bottom, 0), max(left, 0):max(right, 0)]
        if not inside.size:
            continue
        if inside.shape[0] != bottom - top or inside.shape[1] != right - left:
            inside = cv2.copyMakeBorder(inside, max(-top, 0), max(bottom - height, 0), max(-left, 0),
                                        max(right - width, 0), cv2.BORDER_CONSTANT)
        method = cv2.INTER_AREA if right - left > side else cv2.INTER_LINEAR
        crops[place] = cv2.resize(inside, (side, side), interpolation=method)
    return crops


def _in_chunks(network, images, image, boxes, side):
    """Runs a network over the crops at boxes, a fixed number at a time; returns float64 arrays of as many rows."""
    parts = []
    for start in range(0, max(len(boxes), 1), _CHUNK):
        crops = _crops(images, image[start:start + _CHUNK], boxes[start:start + _CHUNK], side)
        filled = crops if len(crops) else np.zeros((1, side, side, 3), np.uint8)   # oneDNN takes no empty batch
        parts.append([value.numpy().astype(np.float64)[:len(crops)] for value in network(filled)])
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


_NONE = Faces(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2)))
