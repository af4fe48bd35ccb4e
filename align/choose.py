"""Which of several faces is the person: stated rules, and when a search may stop."""

import numpy as np

_REACH = 1.8
"""A face found at a level is at most so many times the cell of that level (measured: `benchmarks/alignment.py`)."""


def choose(boxes, scores, *, height, width, choice):
    """Returns the place of the chosen face.

    Args:
        boxes: float [N, 4], N at least 1, edges in pixels of the photograph.
        scores: float [N].
        height: of the photograph.
        width: of the photograph.
        choice: largest_central (area - 2 x squared distance of the centres), largest, most_confident, central.
    """
    return int(np.argmax(value(boxes, scores, height=height, width=width, choice=choice)))


def value(boxes, scores, *, height, width, choice):
    """What `choice` makes as large as possible, for each box: float [N]."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 - np.array([width, height]) / 2
    distance = (centre**2).sum(axis=1)
    rules = {"largest_central": area - 2 * distance, "largest": area, "most_confident": scores, "central": -distance}
    return rules[choice]


def may_stop(best, cell, *, choice):
    """True where no face of cells of `cell` pixels or smaller can beat the value `best` of a face found already.

    A face of such a level covers at most (_REACH x cell) squared pixels, and no place is more central than the centre.
    The other rules look at what a small face can have as well, so they never stop.
    """
    return choice in ("largest_central", "largest") and best > (_REACH * cell) ** 2
