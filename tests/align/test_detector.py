import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from align.choose import choose
from align.config import CHOICES, Detection
from align.detector import Detector
from align.pyramid import CELL, Proposals, _tiles, levels, scales
from align.weights import SHA256, load
from demo.faces import Place, draw, draw_scene

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def detector():
    return Detector(Detection())


def blank(height, width, value=90):
    return np.full((height, width, 3), value, np.uint8)


def crowd(seed, heads, height=300, width=400):
    """A picture with several faces, each (x, y, half its height)."""
    places = [Place(number, *head) for number, head in enumerate(heads)]
    return draw_scene(seed, 0, places, height=height, width=width).image


def chosen(image, faces, choice="largest_central"):
    height, width = image.shape[:2]
    return choose(faces.boxes, faces.scores, height=height, width=width, choice=choice)


MIXED = [blank(400, 400), draw(0, 1, 0).image, blank(60, 300), draw(0, 2, 0, height=180, width=320).image,
         blank(100, 100), draw(0, 3, 0, height=333, width=257).image, draw(0, 4, 0, height=90, width=90).image]


def test_a_batch_equals_one_by_one_with_blank_pictures_between(detector):
    """Faults 1 to 3 of the package: padding undone for the wrong picture, one pyramid for all, two outsides."""
    together = detector.search(MIXED)
    assert [len(faces.scores) > 0 for faces in together] == [False, True, False, True, False, True, True]
    for image, faces in zip(MIXED, together, strict=True):
        [alone] = detector.search([image])
        np.testing.assert_allclose(alone.boxes, faces.boxes, atol=1e-3)
        np.testing.assert_allclose(alone.landmarks, faces.landmarks, atol=1e-3)
        np.testing.assert_allclose(alone.scores, faces.scores, atol=1e-5)


def test_the_order_in_a_batch_does_not_matter(detector):
    for faces, again in zip(detector.search(MIXED), detector.search(MIXED[::-1])[::-1], strict=True):
        np.testing.assert_allclose(faces.landmarks, again.landmarks, atol=1e-3)


def test_landmarks_are_sub_pixel_and_follow_a_shift(detector):
    places = [Place(1, 150, 130, 70)]
    drawing = draw_scene(3, 0, places, height=300, width=400)
    image, points = drawing.image, drawing.landmarks
    found = detector.search([image, np.roll(image, 4, axis=1)])
    first, moved = (faces.landmarks[chosen(image, faces)] for faces in found)
    assert np.abs(first * 64 % 64).max() > 0
    assert np.linalg.norm(first - points[0], axis=1).mean() < 8
    np.testing.assert_allclose((moved - first).mean(axis=0), [4, 0], atol=1.2)


def test_colours_are_rgb(detector):
    image = draw(0, 1, 0).image
    right, swapped = detector.search([image, image[..., ::-1].copy()])
    assert right.scores.max() > 0.9
    assert len(swapped.scores) == 0 or np.abs(right.boxes[0] - swapped.boxes[0]).max() > 0.01


@pytest.mark.parametrize("wrong", [
    np.zeros((50, 50, 3), np.float32), np.zeros((50, 50), np.uint8), np.zeros((50, 50, 4), np.uint8)])
def test_other_arrays_are_refused(detector, wrong):
    with pytest.raises(ValueError, match=r"photograph 1 is .* expected uint8 RGB"):
        detector.search([blank(50, 50), wrong])


def test_no_photographs(detector):
    assert detector.search([]) == []
    assert detector.search_for_choice([], "largest") == []


@pytest.mark.parametrize("size", [(12, 12), (12, 300), (19, 20), (20, 20), (21, 500), (40, 13)])
def test_small_sides(detector, size):
    [faces] = detector.search([blank(*size)])
    assert len(faces.scores) == 0


@pytest.mark.parametrize("min_face", [12, 20, 31, 60])
def test_levels_follow_the_smallest_face(min_face):
    """Fault 6 of the package: the number of levels came from the picture alone."""
    found = scales(250, 400, min_face=min_face, factor=0.709)
    assert found[0] == CELL / min_face
    assert 250 * found[-1] >= CELL > 250 * found[-1] * 0.709


def test_large_faces_are_found_whatever_the_smallest(detector):
    image = draw(0, 5, 0, height=340, width=440, face=150).image
    for settings in (Detection(min_face=12), Detection(min_face=60), Detection(factor=0.8)):
        [faces] = Detector(settings).search([image])
        assert len(faces.scores)
        assert np.ptp(faces.boxes[chosen(image, faces)][[0, 2]]) > 130


def test_a_level_depends_on_the_photograph_alone():
    image = draw(0, 0, 0).image
    found = list(levels(image, scales(250, 250, min_face=20, factor=0.709)))
    assert [level.shape[:2] for level in found[:3]] == [(150, 150), (107, 107), (76, 76)]


@pytest.mark.parametrize("size", [(522, 522), (600, 30), (1200, 700), (12, 2000), (523, 1045)])
def test_tiles_hold_every_cell_once(size):
    cells = np.zeros(((size[0] - CELL) // 2 + 1, (size[1] - CELL) // 2 + 1), int)
    picture = np.arange(size[0] * size[1], dtype=np.int64).reshape(size)
    for top, left, tile in _tiles(picture):
        assert top % 2 == left % 2 == 0
        assert tile[0, 0] == picture[top, left]
        rows, columns = ((side - CELL) // 2 + 1 for side in tile.shape)
        cells[top // 2:top // 2 + rows, left // 2:left // 2 + columns] += 1
    assert (cells == 1).all()


def test_tiled_levels_find_the_same(detector, monkeypatch):
    image = crowd(1, [(150, 140, 70), (320, 160, 40)])
    [whole] = detector.search([image])
    monkeypatch.setattr("align.pyramid._TILE", 64)
    [tiled] = detector.search([image])
    np.testing.assert_allclose(tiled.landmarks, whole.landmarks, atol=1e-3)


CROWDS = [
    [(200, 150, 70)],
    [(200, 150, 40), (70, 90, 35), (330, 210, 35)],
    [(100, 150, 80), (270, 150, 80)],
    [(60, 60, 45), (340, 240, 45), (200, 150, 28)],
    [(200, 150, 22), (60, 200, 60)],
    [(90, 150, 75), (210, 150, 30), (330, 150, 75)],
]


@pytest.mark.parametrize("choice", CHOICES)
def test_the_fast_search_chooses_the_same_face(detector, choice):
    images = [crowd(seed, heads) for seed, heads in enumerate(CROWDS)] + MIXED
    full, fast = detector.search(images), detector.search_for_choice(images, choice)
    assert sum(len(faces.scores) for faces in full) >= 14
    moved = []
    for image, every, some in zip(images, full, fast, strict=True):
        assert bool(len(every.scores)) == bool(len(some.scores))
        if len(every.scores):
            moved.append(np.abs(every.landmarks[chosen(image, every, choice)]
                                - some.landmarks[chosen(image, some, choice)]).max())
    assert sum(far > 0.5 for far in moved) <= 1   # a box from a coarse level now and then wins by another border
    assert max(moved) < 3


def test_the_fast_search_leaves_fine_levels_out(detector, monkeypatch):
    searched = []
    plain = Detector._proposals

    def counted(self, images, pyramids, spans):
        searched.extend(spans.values())
        return plain(self, images, pyramids, spans)

    monkeypatch.setattr(Detector, "_proposals", counted)
    image = crowd(0, [(200, 150, 110)])
    detector.search_for_choice([image], "largest_central")
    assert min(first for first, _ in searched) >= 2
    searched.clear()
    detector.search_for_choice([image], "central")
    assert min(first for first, _ in searched) == 0


def test_weights_are_hashed_before_they_are_read(tmp_path, monkeypatch):
    assert [len(load(name)) for name in ("pnet", "rnet", "onet")] == [13, 16, 21]
    monkeypatch.setitem(SHA256, "pnet", "0" * 64)
    monkeypatch.setattr("joblib.load", lambda *_: pytest.fail("read a file of unknown content"))
    with pytest.raises(ValueError, match=r"pnet\.lz4 has sha256 .* install mtcnn 1\.0\.0 again"):
        load("pnet")


def test_without_the_package(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(FileNotFoundError, match="pip install 'mtcnn"):
        load("pnet")


LARGE = """
import resource
from base.environment import load_tensorflow
load_tensorflow()
import numpy as np
from align.config import Detection
from align.detector import Detector
from demo.faces import draw
detector = Detector(Detection())
picture = draw(0, 1, 0, height=400, width=400).image
detector.search([picture])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
large = np.full((8000, 8000, 3), 90, np.uint8)
large[3000:3400, 5000:5400] = picture
for image in (large, large[:20], large[:, :20].copy()):
    [faces] = detector.search([image])
    print(len(faces.scores), faces.landmarks.mean() if len(faces.scores) else 0)
print("MB", (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_eight_thousand_pixels_within_a_gigabyte():
    done = subprocess.run([sys.executable, "-c", LARGE], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    large, flat, thin, memory = done.stdout.split("\n")[:4]
    assert large.startswith("1 ")
    assert float(large.split()[1]) == pytest.approx(4200, abs=40)
    assert flat.startswith("0 ")
    assert thin.startswith("0 ")
    assert int(memory.split()[1]) < 1000


def test_proposals_take():
    some = Proposals(np.arange(3), np.zeros(3, int), np.zeros((3, 4)), np.arange(3.0), np.zeros((3, 4)))
    assert some.take([2, 0]).scores.tolist() == [2, 0]


def test_crops_are_black_outside():
    from align.detector import _crops
    image = np.full((60, 60, 3), 200, np.uint8)
    boxes = np.array([[-24, -24, 24, 24], [100, 100, 148, 148], [6, 6, 54, 54]], float)
    crops = _crops([image], np.zeros(3, int), boxes, 24)
    assert crops[0, :11].max() == 0
    assert crops[0, 14:, 14:].min() == 200
    assert crops[1].max() == 0
    assert crops[2].min() == 200


def test_large_crops_are_averaged():
    from align.detector import _crops
    image = np.zeros((240, 240, 3), np.uint8)
    image[:, ::2] = 255
    crops = _crops([image], np.zeros(1, int), np.array([[0, 0, 240, 240]], float), 24)
    assert np.abs(crops.astype(int) - 127).max() <= 2
