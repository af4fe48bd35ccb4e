import numpy as np

from align.choose import choose
from align.config import Detection
from align.detector import Detector
from demo.faces import draw, write_people


def test_a_drawing_is_a_function_of_seed_person_and_photo():
    first = draw(0, 3, 1)
    np.testing.assert_array_equal(first.image, draw(0, 3, 1).image)
    for other in (draw(1, 3, 1), draw(0, 4, 1), draw(0, 3, 2)):
        assert (first.image != other.image).any()
    assert first.image.shape == (250, 250, 3)
    assert draw(0, 0, 0, height=120, width=90).image.shape == (120, 90, 3)


def test_the_detector_finds_them_where_they_are():
    drawings = [draw(7, person, photo) for person in range(20) for photo in range(2)]
    errors = []
    for drawing, faces in zip(drawings, Detector(Detection()).search([d.image for d in drawings]), strict=True):
        if len(faces.scores):
            place = choose(faces.boxes, faces.scores, height=250, width=250, choice="largest_central")
            eyes = np.linalg.norm(drawing.landmarks[1] - drawing.landmarks[0])
            errors.append(np.linalg.norm(faces.landmarks[place] - drawing.landmarks, axis=1).mean() / eyes)
    assert len(errors) >= 39   # of 40
    assert np.mean(errors) < 0.08


def test_people_are_folders(tmp_path):
    landmarks = write_people(tmp_path, seed=1, people=2, photos=3)
    assert sorted(landmarks) == [
        f"person-{person:03d}/photo-{photo:03d}.jpg" for person in (0, 1) for photo in (0, 1, 2)]
    assert all((tmp_path / key).is_file() for key in landmarks)
