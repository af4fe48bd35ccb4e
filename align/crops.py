"""One shard: photographs -> records and what became of each."""

from dataclasses import dataclass, replace

import numpy as np

from align import warp
from align.choose import choose
from align.photographs import UnreadablePhotograph, decode
from tfrecords.manifest import Row
from tfrecords.shard import Record

_LARGE = 4_000_000   # pixels of photographs held and searched at once: large ones go in smaller batches


@dataclass(frozen=True)
class Outcome:
    """What became of one photograph."""

    row: Row
    crop: np.ndarray | None
    """uint8 RGB, None where there is none."""


def align_shard(job, detector, number, *, report):
    """Aligns the photographs of a shard.

    Args:
        job: a Job.
        detector: a Detector.
        number: of the shard.
        report: called with the number of photographs done since the last call.

    Returns:
        (records, rows): Records to write, and the Rows of all its photographs in the same order.
    """
    records, rows = [], []
    for keys in _batches(job, number):
        for outcome in _align(job, detector, keys):
            row = outcome.row
            if outcome.crop is not None:
                row = replace(row, shard=number, record=len(records))
                data = warp.jpeg(outcome.crop, job.config.quality)
                records.append(Record(row.key, row.label, data, _crop_landmarks(job, row)))
            rows.append(row)
        report(len(keys))
    return records, rows


def align_one(image, detector, template, choice):
    """Finds, chooses and warps the face of one photograph, uint8 RGB [H, W, 3].

    Returns:
        (crop uint8 [h, w, 3], score) or (None, None) where there is no face.
    """
    [faces] = detector.search_for_choice([image], choice)
    found = _landmarks(image, faces, template, choice)
    if found.matrix is None:
        return None, None
    return warp.warp(image, found.matrix, template), found.confidence


@dataclass(frozen=True)
class _Found:
    """The chosen face: matrix None where there is none, or its landmarks fit no face."""

    matrix: np.ndarray | None = None
    landmarks: np.ndarray | None = None
    confidence: float | None = None
    reason: str = "no face was found"


def _batches(job, number):
    """Yields the shard's keys in batches; what is found does not depend on how they are divided."""
    keys = [job.keys[place] for place in job.shards[number]]
    for start in range(0, len(keys), job.config.batch_size):
        yield keys[start:start + job.config.batch_size]


def _align(job, detector, keys):
    for pictures in _read(job, keys):
        images = [picture for picture in pictures.values() if not isinstance(picture, str)]
        faces = iter(detector.search(images) if job.config.full_search
                     else detector.search_for_choice(images, job.config.choice))
        for key, picture in pictures.items():
            if isinstance(picture, str):
                crop = None if job.pairs is None else warp.black(job.template)
                yield Outcome(Row(key, job.label(key), "failed", picture), crop)
            else:
                yield _outcome(job, key, picture, next(faces))


def _read(job, keys):
    """Yields dicts of key -> photograph, or the reason why there is none; few at a time where they are large."""
    pictures, pixels = {}, 0
    for key in keys:
        try:
            picture = decode(f"{job.config.input}/{key}", max_pixels=job.config.max_pixels)
        except UnreadablePhotograph as error:
            picture = str(error)
        size = 0 if isinstance(picture, str) else picture.size // 3
        if pictures and pixels + size > _LARGE:
            yield pictures
            pictures, pixels = {}, 0
        pictures[key] = picture
        pixels += size
    yield pictures


def _outcome(job, key, image, faces):
    found = _landmarks(image, faces, job.template, job.config.choice)
    landmarks = None if found.landmarks is None else tuple(found.landmarks.ravel().tolist())
    row = Row(key, job.label(key), "aligned", "", found.confidence, landmarks)
    if found.matrix is not None:
        return Outcome(row, warp.warp(image, found.matrix, job.template))
    row = replace(row, status="fallback", reason=found.reason)
    if job.pairs is None:   # training data hold no record of it
        return Outcome(row, None)
    return Outcome(row, warp.warp(image, warp.fallback_matrix(*image.shape[:2], job.template), job.template))


def _landmarks(image, faces, template, choice):
    if not len(faces.scores):
        return _Found()
    height, width = image.shape[:2]
    place = choose(faces.boxes, faces.scores, height=height, width=width, choice=choice)
    landmarks, confidence = warp.rounded(faces.landmarks[place]), float(faces.scores[place])
    matrix = warp.similarity(landmarks, template.points)
    distance = warp.residual(matrix, landmarks, template.points)
    if distance > warp.LARGEST_RESIDUAL_PX:
        return _Found(None, landmarks, confidence, f"the landmarks fit no face ({distance:.1f} px from the template)")
    return _Found(matrix, landmarks, confidence, "")


def _crop_landmarks(job, row):
    """Landmarks in pixels of the crop; the template's own points where there are none."""
    if row.status != "aligned":
        return tuple(np.ravel(job.template.points).tolist())
    landmarks = np.reshape(row.landmarks, (5, 2))
    matrix = warp.similarity(landmarks, job.template.points)
    return tuple((landmarks @ matrix[:, :2].T + matrix[:, 2]).ravel().tolist())
