import dataclasses

import cv2
import numpy as np
import pytest

from align.choose import choose
from align.config import Detection
from align.detector import Detector
from base.mix import generator
from demo.faces import Place, draw, draw_scene, landmarks, write_people
from demo.head import Head
from demo.look import STYLES, make_look
from demo.person import make_person
from demo.render import Surface, project, render, rotation
from demo.skin import Canvas


@pytest.fixture(scope="module")
def detector():
    return Detector(Detection())


def test_a_drawing_is_a_function_of_seed_person_and_photo():
    first = draw(0, 3, 1)
    np.testing.assert_array_equal(first.image, draw(0, 3, 1).image)
    for other in (draw(1, 3, 1), draw(0, 4, 1), draw(0, 3, 2)):
        assert (first.image != other.image).any()
    assert first.image.shape == (250, 250, 3)
    assert first.image.dtype == np.uint8
    assert draw(0, 0, 0, height=120, width=90).image.shape == (120, 90, 3)


def test_landmarks_are_known_without_drawing():
    size = {"height": 120, "width": 90}
    np.testing.assert_array_equal(draw(0, 3, 1, **size).landmarks, landmarks(0, 3, 1, **size))


def test_the_detector_finds_them_where_they_are(detector):
    drawings = [draw(7, person, photo, height=180, width=180) for person in range(20) for photo in range(2)]
    errors = []
    for drawing, found in zip(drawings, detector.search([d.image for d in drawings]), strict=True):
        if len(found.scores):
            place = choose(found.boxes, found.scores, height=180, width=180, choice="largest_central")
            eyes = np.linalg.norm(drawing.landmarks[1] - drawing.landmarks[0])
            errors.append(np.linalg.norm(found.landmarks[place] - drawing.landmarks, axis=1).mean() / eyes)
    assert len(errors) >= 39   # of 40
    assert np.mean(errors) < 0.065


def test_several_faces_or_none(detector):
    places = [Place(0, 90, 110, 55), Place(1, 210, 120, 60), Place(2, 320, 100, 50)]
    crowd, empty = draw_scene(0, 0, places, height=260, width=400), draw_scene(0, 0, [], height=260, width=400)
    assert crowd.landmarks.shape == (3, 5, 2)
    assert empty.landmarks.shape == (0, 5, 2)
    found, nobody = detector.search([crowd.image, empty.image])
    assert len(nobody.scores) == 0
    for each in crowd.landmarks:   # every face is found where it stands
        assert np.linalg.norm(found.landmarks - each, axis=2).mean(axis=1).min() < 8
    assert len(found.scores) == 3


def test_a_person_is_no_look_and_a_look_is_no_person():
    """What is drawn of two people from the same generator of looks differs in the camera's exposure alone."""
    first, second = make_person(0, 1), make_person(0, 2)
    looks = [dataclasses.asdict(make_look(generator("look"), person)) for person in (first, second)]
    other = {name for name in looks[0] if np.any(looks[0][name] != looks[1][name])}
    assert other == {"exposure"}
    assert first.shape.keys() == second.shape.keys()
    assert all(first.shape[name] != second.shape[name] for name in first.shape)
    with pytest.raises(AttributeError, match="nose"):
        _ = first.nose


@pytest.mark.parametrize("style", sorted(set(STYLES)))
def test_every_style_and_frame_can_be_drawn(style):
    person = make_person(0, 0)
    look = dataclasses.replace(make_look(generator(style), person), style=style, glasses="square", open=0.5)
    image = np.full((60, 60, 3), 0.2, np.float32)
    surfaces = Head(person, look, step=0.05).surfaces()
    assert len(surfaces) == (6 if style == "bald" else 7)
    render(image, surfaces, look, centre=(30, 28), radius=18)
    assert np.isfinite(image).all()
    assert (image[15:35, 25:35] != 0.2).all()   # the face has no holes


def test_what_lies_outside_the_painting_changes_nothing():
    canvas = Canvas((10, 20, 30))
    for middle in ((-9, 0), (9, 0), (0, -9), (0, 9)):
        canvas.ellipse(middle, (0.1, 0.1), (255, 255, 255))
    assert (canvas.image == (10, 20, 30)).all()


def test_landmarks_turn_with_the_head():
    person = make_person(0, 0)
    plain = dataclasses.replace(make_look(generator("turn"), person), yaw=0.0, pitch=0.0, roll=0.0, smile=0.0)

    def turned(**angles):
        look = dataclasses.replace(plain, **angles)
        points = Head(person, look, step=0.1).landmarks() @ rotation(look).T
        return project(points, look, centre=(0, 0), radius=100)

    straight, right, down = turned(), turned(yaw=0.3), turned(pitch=0.2)
    np.testing.assert_allclose(straight[0], straight[1] * (-1, 1), atol=1e-9)   # mirror images
    assert right[2, 0] - straight[2, 0] > right[:2, 0].mean() + 5               # the nose stands out
    assert down[2, 1] > straight[2, 1] + 5
    eyes = turned(roll=0.2)[1] - turned(roll=0.2)[0]
    assert np.arctan2(eyes[1], eyes[0]) == pytest.approx(0.2, abs=1e-6)


def plate(z, colour, half=0.5):
    """A square that faces the viewer."""
    side = np.linspace(-half, half, 60)
    x, y = np.meshgrid(side, side)
    return Surface(np.stack([x, y, np.full_like(x, z)], axis=-1), np.broadcast_to(colour, (60, 60, 3)))


def shown(surfaces, *, light=(0.0, 0.0, 1.0)):
    look = dataclasses.replace(make_look(generator("plate"), make_person(0, 0)), yaw=0.0, pitch=0.0, roll=0.0, lens=1e6,
                               light=np.array(light), strength=0.8)
    image = np.zeros((40, 40, 3), np.float32)
    render(image, surfaces, look, centre=(20, 20), radius=20)
    return image


@pytest.mark.parametrize("is_reversed", [False, True])
def test_the_nearest_wins(is_reversed):
    surfaces = [plate(0.0, (255, 0, 0)), plate(0.5, (0, 255, 0), half=0.25)]
    image = shown(surfaces[::-1] if is_reversed else surfaces)
    assert image[20, 20, 1] > 10 * image[20, 20, 0]
    assert image[12, 12, 0] > 10 * image[12, 12, 1]


def test_what_stands_before_the_light_throws_a_shadow():
    image = shown([plate(0.0, (200, 200, 200), half=1.0), plate(0.5, (0, 0, 255), half=0.2)], light=(0.6, 0.0, 0.8))
    shadow, lit = image[20, 20 - round(0.375 * 20), 0], image[20, 34, 0]   # 0.5 * 0.6 / 0.8 to the left
    assert 0 < shadow < 0.5 * lit


def test_people_are_folders(tmp_path):
    known = write_people(tmp_path, seed=1, people=2, photos=3, height=90, width=90)
    assert sorted(known) == [
        f"person-{person:03d}/photo-{photo:03d}.jpg" for person in (0, 1) for photo in (0, 1, 2)]
    for key in known:
        assert cv2.imread(str(tmp_path / key)).shape == (90, 90, 3)
    assert not list(tmp_path.rglob("*.part"))
