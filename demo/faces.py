"""Drawn faces with known landmarks, and whole folders of them: functions of (seed, person, photo) alone.

A person (`demo/person.py`) is shape and colours; a look (`demo/look.py`) is all that changes between two photographs.
Both become a height map with paint on it (`demo/head.py`, `demo/skin.py`), turned and lit (`demo/render.py`), before a
background and through a bad camera (`demo/camera.py`).
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from base.files import atomic_write
from base.mix import generator
from demo.camera import background, cover, develop, quality
from demo.head import Head
from demo.look import make_look
from demo.person import make_person
from demo.render import FINE, project, render, rotation


@dataclass(frozen=True)
class Drawing:
    """One drawn photograph."""

    image: np.ndarray
    """uint8 RGB [H, W, 3]"""
    landmarks: np.ndarray
    """float64 [5, 2] for one face, [F, 5, 2] for a scene, pixels: image-left eye, image-right eye, nose tip, mouth
    corners."""
    quality: int
    """JPEG quality for a file of it."""


@dataclass(frozen=True)
class Place:
    """Where a person stands in a picture."""

    person: int
    x: float
    """Of the point between the eyes, in pixels."""
    y: float
    radius: float
    """Half the height of the head, in pixels."""


def draw(seed, person, photo, *, height=250, width=250, face=None):
    """Draws photograph `photo` of person `person`.

    Args:
        seed: of everybody.
        person: number of the person.
        photo: number of the photograph.
        height: of the picture, in pixels.
        width: of the picture, in pixels.
        face: half the height of the head in pixels, None for a share of the picture that the photograph decides.

    Returns:
        A Drawing with landmarks [5, 2].
    """
    place = _place(seed, person, photo, height, width, face)
    scene = draw_scene(seed, photo, [place], height=height, width=width)
    return Drawing(scene.image, scene.landmarks[0], scene.quality)


def draw_scene(seed, photo, places, *, height=250, width=250):
    """Draws a picture of several people, or of none; those named later stand in front.

    Args:
        seed: of everybody.
        photo: number of the photograph.
        places: a list of Place, which may be empty.
        height: of the picture, in pixels.
        width: of the picture, in pixels.

    Returns:
        A Drawing with landmarks [F, 5, 2].
    """
    how = generator(seed, "photo", photo, *(place.person for place in places))
    image = background(how, height, width)
    for place in places:
        head = _head(seed, photo, place)
        render(image, head.surfaces(), head.look, centre=(place.x, place.y), radius=place.radius)
    for place in places:
        cover(image, how, centre=(place.x, place.y), radius=place.radius)
    landmarks = [_project(_head(seed, photo, place), place) for place in places]
    return Drawing(develop(image, how), np.array(landmarks).reshape(-1, 5, 2), quality(how))


def landmarks(seed, person, photo, *, height=250, width=250):
    """Where `draw` puts the landmarks, without drawing: [5, 2]."""
    place = _place(seed, person, photo, height, width, None)
    return _project(_head(seed, photo, place), place)


def key(person, photo):
    """The name of a photograph in a folder of people."""
    return f"person-{person:03d}/photo-{photo:03d}.jpg"


def write_photograph(root, seed, person, photo, *, height=250, width=250):
    """Writes ROOT/person-000/photo-000.jpg or the like, whole or not at all; returns its landmarks [5, 2]."""
    path = Path(root) / key(person, photo)
    path.parent.mkdir(parents=True, exist_ok=True)
    drawing = draw(seed, person, photo, height=height, width=width)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(drawing.image, cv2.COLOR_RGB2BGR),
                           [cv2.IMWRITE_JPEG_QUALITY, drawing.quality])
    with atomic_write(path) as file:
        file.write(data.tobytes())
    return drawing.landmarks


def write_people(root, *, seed, people, photos, height=250, width=250):
    """Writes `photos` photographs of each of the first `people`; returns a dict from key to landmarks [5, 2]."""
    return {key(person, photo): write_photograph(root, seed, person, photo, height=height, width=width)
            for person in range(people) for photo in range(photos)}


def _place(seed, person, photo, height, width, face):
    how = generator(seed, "place", person, photo)
    size = min(height, width)
    radius = size * how.uniform(0.24, 0.32)
    x, y = np.array((width / 2, height * 0.47)) + how.uniform(-0.05, 0.05, 2) * size
    return Place(person, x, y, face or radius)


def _head(seed, photo, place):
    person = make_person(seed, place.person)
    look = make_look(generator(seed, "look", place.person, photo), person)
    return Head(person, look, step=1.3 / (place.radius * FINE))


def _project(head, place):
    return project(head.landmarks() @ rotation(head.look).T, head.look, centre=(place.x, place.y), radius=place.radius)
