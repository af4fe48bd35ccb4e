"""What is not the person: background, things before the face, and what a camera does to light."""

import cv2
import numpy as np


def background(how, height, width):
    """A room out of focus, in linear light: float32 RGB [H, W, 3]."""
    small = 48
    wall = how.uniform(0.08, 0.75, 3) * how.uniform(0.5, 1)
    image = np.empty((small, small, 3), np.float32)
    image[:] = wall * np.linspace(how.uniform(0.7, 1.2), how.uniform(0.5, 1), small)[:, None, None]
    for _ in range(how.integers(2, 9)):
        x, y = (int(part) for part in how.integers(-8, small, 2))
        wide, high = (int(part) for part in how.integers(3, 30, 2))
        colour = (wall * how.uniform(0.3, 1.7) + how.uniform(-0.12, 0.12, 3)).clip(0.01, 1).tolist()
        if how.uniform() < 0.75:
            cv2.rectangle(image, (x, y), (x + wide, y + high), colour, -1)
        else:
            cv2.circle(image, (x, y), wide // 2, colour, -1)
    image = cv2.GaussianBlur(image, (0, 0), how.uniform(0.6, 3))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)


def cover(image, how, *, centre, radius):
    """Now and then holds something before a corner of the face: a cup, a telephone, a sheet."""
    is_there, angle = how.uniform() < 0.06, how.uniform(0.1, np.pi - 0.1)   # below, or to a side
    middle = np.array(centre) + (0, 0.35 * radius) + np.array([np.cos(angle), np.sin(angle)]) * 0.72 * radius
    size, turn, colour = how.uniform(0.25, 0.55, 2) * radius, how.uniform(0, 180), how.uniform(0.02, 0.8, 3)
    if not is_there:
        return
    corners = cv2.boxPoints((middle.tolist(), size.tolist(), turn))
    mask = np.zeros(image.shape[:2], np.float32)
    cv2.fillConvexPoly(mask, np.round(corners * 16).astype(np.int32), 1.0, cv2.LINE_8, 4)
    mask = cv2.GaussianBlur(mask, (0, 0), max(0.6, 0.02 * radius))[..., None]
    shade = np.linspace(1.1, 0.7, image.shape[1], dtype=np.float32)[None, :, None]
    image += mask * (colour.astype(np.float32) * shade - image)


def develop(image, how):
    """Linear light -> uint8 RGB: soft focus, little resolution, contrast, noise."""
    height, width = image.shape[:2]
    size = min(height, width)
    if how.uniform() < 0.10:
        share = how.uniform(0.35, 0.7)
        small = cv2.resize(image, (max(8, round(width * share)), max(8, round(height * share))),
                           interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    image = cv2.GaussianBlur(image, (0, 0), max(0.35, how.uniform(0.0, 0.0032) * size))
    if how.uniform() < 0.08:
        image = cv2.filter2D(image, -1, _shake(how, max(3, round(0.014 * size))))
    shown = np.clip(image, 0, 4)
    shown = np.where(shown > 0.8, 0.8 + 0.2 * np.tanh((shown - 0.8) / 0.2), shown) ** (1 / 2.2)   # lights burn softly
    contrast = how.uniform(0.85, 1.15)
    noise = how.normal(0, how.uniform(0.004, 0.022), image.shape)
    return np.clip(((shown - 0.5) * contrast + 0.5 + noise) * 255, 0, 255).astype(np.uint8)


def quality(how):
    """JPEG quality of a photograph's file."""
    return int(how.integers(55, 97))


def _shake(how, length):
    kernel = np.zeros((length, length), np.float32)
    angle, middle = how.uniform(0, np.pi), (length - 1) / 2
    step = np.array([np.cos(angle), np.sin(angle)]) * middle
    ends = [tuple(np.round(middle + sign * step).astype(int).tolist()) for sign in (-1, 1)]
    cv2.line(kernel, *ends, 1.0, 1)
    return kernel / kernel.sum()
