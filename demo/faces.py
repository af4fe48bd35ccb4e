"""Drawn faces with known landmarks: a function of (seed, person, photo) alone.

A person is proportions and colours; a photograph adds place, size, turn, light, background and noise.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from base.mix import generator

_SHIFT = 4   # drawn in 1/16 pixel
_LANDMARKS = ((-0.38, -0.18), (0.38, -0.18), (0.0, 0.2), (-0.27, 0.5), (0.27, 0.5))   # eyes, nose, mouth corners


@dataclass(frozen=True)
class Drawing:
    """One drawn photograph."""

    image: np.ndarray
    """uint8 RGB [H, W, 3]"""
    landmarks: np.ndarray
    """float64 [5, 2], pixels: image-left eye, image-right eye, nose tip, mouth corners."""


def draw(seed, person, photo, *, height=250, width=250, face=None):
    """Draws photograph `photo` of person `person`.

    Args:
        seed: of everybody.
        person: number of the person.
        photo: number of the photograph.
        height: of the picture, in pixels.
        width: of the picture, in pixels.
        face: half the height of the head in pixels, None for a share of the picture that the photograph decides.
    """
    who, how = generator(seed, "person", person), generator(seed, "photo", person, photo)
    radius = face or min(height, width) * how.uniform(0.24, 0.32)
    centre = np.array([width, height]) / 2 + how.uniform(-0.05, 0.05, 2) * min(height, width)
    image = _background(how, height, width)
    landmarks = paint(image, who, how, centre=centre, radius=radius)
    return Drawing(_photographed(image, how), landmarks)


def paint(image, who, how, *, centre, radius):
    """Paints a head into a float32 RGB picture; returns its landmarks [5, 2].

    Args:
        image: float32 [H, W, 3], 0 to 255, changed in place.
        who: generator of the person.
        how: generator of the photograph.
        centre: x, y of the head's middle, in pixels.
        radius: half the height of the head, in pixels.
    """
    skin = np.array([225, 180, 150]) * who.uniform(0.45, 1.05) * (1 + who.uniform(-0.06, 0.06, 3))
    hair, iris = who.uniform(10, 150) * np.array([1, 0.8, 0.6]), who.uniform(30, 140, 3)
    wide, spread, mouth_width, brow, nose = who.uniform((0.70, 0.9, 0.85, 0.05, 0.9), (0.84, 1.1, 1.2, 0.1, 1.1))
    points = np.array(_LANDMARKS) * [[spread, 1], [spread, 1], [1, nose], [mouth_width, 1], [mouth_width, 1]]
    angle, smile = how.uniform(-12, 12), how.uniform(-0.02, 0.07)
    turn = cv2.getRotationMatrix2D((0, 0), angle, radius)[:, :2]
    layer = _Layer(image, turn, np.asarray(centre), angle, radius)

    layer.ellipse((0, 1.25), (1.2, 0.55), who.uniform(20, 230, 3))                       # shoulders
    layer.ellipse((0, 0.75), (0.32, 0.6), skin * 0.8)                                    # neck
    layer.ellipse((0, -0.25), (wide * 1.16, 0.92), hair)
    layer.ellipse((0, 0.05), (wide, 0.95), skin)
    layer.ellipse((0, -0.95), (wide * 0.85, 0.32), hair)                                 # over the forehead
    for side, eye in zip((-1, 1), points[:2], strict=True):
        layer.ellipse(eye + (0, 0.02), (0.2, 0.13), skin * 0.82)
        layer.ellipse(eye, (0.16, 0.075), (245, 245, 245))
        layer.ellipse(eye, (0.075, 0.075), iris)
        layer.ellipse(eye, (0.035, 0.035), (5, 5, 5))
        layer.ellipse(eye + (0.02 * side, -0.2), (0.2, brow), hair * 0.6)
    layer.ellipse(points[2] + (0, -0.15), (0.08, 0.28), skin * 1.07)
    layer.ellipse(points[2] + (0, 0.05), (0.15, 0.06), skin * 0.78)                      # under the nose
    middle = points[3:].mean(axis=0)
    layer.ellipse(middle, (0.27 * mouth_width, 0.075 + smile), skin * (0.85, 0.5, 0.5))
    layer.ellipse(middle, (0.22 * mouth_width, 0.02), skin * 0.35)
    layer.ellipse((0, 0.98), (0.3, 0.04), skin * 0.85)
    return points @ turn.T + centre


def write_people(root, *, seed, people, photos, height=250, width=250):
    """Writes ROOT/person-000/photo-000.jpg ...; returns a dict from key to landmarks [5, 2]."""
    landmarks = {}
    for person in range(people):
        folder = Path(root) / f"person-{person:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        for photo in range(photos):
            drawing = draw(seed, person, photo, height=height, width=width)
            path = folder / f"photo-{photo:03d}.jpg"
            cv2.imwrite(str(path), cv2.cvtColor(drawing.image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
            landmarks[f"{folder.name}/{path.name}"] = drawing.landmarks
    return landmarks


@dataclass(frozen=True)
class _Layer:
    """Paints in units of the head: (0, 0) is its middle, 1 is half its height."""

    image: np.ndarray
    turn: np.ndarray
    centre: np.ndarray
    angle: float
    radius: float

    def ellipse(self, middle, axes, colour):
        """A filled, smoothed ellipse."""
        x, y = self.turn @ np.asarray(middle, float) + self.centre
        size = tuple(max(1, round(self.radius * axis * 2**_SHIFT)) for axis in axes)
        mask = np.zeros(self.image.shape[:2], np.float32)
        cv2.ellipse(mask, (round(x * 2**_SHIFT), round(y * 2**_SHIFT)), size, -self.angle, 0, 360, 1.0, -1,
                    cv2.LINE_8, _SHIFT)
        mask = cv2.GaussianBlur(mask, (0, 0), max(0.5, self.radius * 0.015))[..., None]
        self.image[:] += mask * (np.clip(colour, 0, 255) - self.image)


def _background(how, height, width):
    small = how.uniform(30, 220, (4, 4, 3)).astype(np.float32)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def _photographed(image, how):
    """Light from one side, noise."""
    light = np.linspace(-1, 1, image.shape[1], dtype=np.float32)[None, :, None] * how.uniform(-0.2, 0.2)
    noise = how.normal(0, 3, image.shape)
    return np.clip(image * (how.uniform(0.8, 1.15) + light) + noise, 0, 255).astype(np.uint8)
