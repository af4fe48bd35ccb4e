import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from align import warp
from tfrecords.template import get_template

GOLDEN = json.loads((Path(__file__).parents[1] / "goldens" / "align.json").read_text())
SETS = [*GOLDEN["random"], *GOLDEN["worked"]]


@pytest.mark.parametrize("case", SETS, ids=[f"{case['name']}-{case['width']}" for case in SETS])
def test_similarity_equals_the_goldens(case):
    matrix = warp.similarity(case["landmarks"], case["template"])
    np.testing.assert_allclose(matrix, case["matrix"], rtol=1e-9, atol=1e-9)
    assert warp.residual(matrix, case["landmarks"], case["template"]) == pytest.approx(case["rms"], rel=1e-9, abs=1e-9)


def test_the_template_maps_to_itself():
    points = get_template("112x96").points
    np.testing.assert_allclose(warp.similarity(points, points), [[1, 0, 0], [0, 1, 0]], atol=1e-12)


def test_landmarks_in_one_place():
    with pytest.raises(ValueError, match="stand in one place"):
        warp.similarity(np.ones((5, 2)), get_template("112x96").points)


def test_fallback_of_lfw_photographs():
    """Written down in the specification for 250 x 250 pixels."""
    matrix = warp.fallback_matrix(250, 250, get_template("112x96"))
    np.testing.assert_allclose(matrix, [[0.8619, 0, -59.8430555580], [0, 0.8619, -44.3863715260]], atol=2e-3)
    larger = warp.fallback_matrix(500, 500, get_template("112x96"))
    np.testing.assert_allclose(larger[:, :2], matrix[:, :2] / 2)
    np.testing.assert_allclose(larger[:, 2], matrix[:, 2], atol=1e-9)


@pytest.mark.parametrize("scale", [0.2, 0.45, 0.9])
def test_points_land_where_the_matrix_says(scale):
    """Dots of a large picture are found again in the crop, shrunk by area first or not."""
    template = get_template("112x96")
    points = np.array([[20, 30], [70, 25], [48, 60], [30, 95], [66, 90]], float)
    photograph = np.zeros((900, 900, 3), np.uint8)
    places = points / scale + 40
    for x, y in places:
        cv2.circle(photograph, (round(x * 16), round(y * 16)), round(16 * 3 / scale), (255, 255, 255), -1,
                   cv2.LINE_AA, 4)
    crop = warp.warp(photograph, warp.similarity(places, points), template)
    assert crop.shape == (112, 96, 3)
    for x, y in points:
        part = crop[int(y) - 7:int(y) + 8, int(x) - 7:int(x) + 8, 0].astype(float)
        rows, columns = np.mgrid[int(y) - 7:int(y) + 8, int(x) - 7:int(x) + 8]
        assert (rows * part).sum() / part.sum() == pytest.approx(y, abs=0.15)
        assert (columns * part).sum() / part.sum() == pytest.approx(x, abs=0.15)


def test_large_photographs_are_averaged():
    """Lines finer than a crop's pixel become gray, not a pattern."""
    photograph = np.zeros((1200, 1200, 3), np.uint8)
    photograph[:, ::2] = 255
    matrix = np.array([[0.1, 0, -5.0], [0, 0.1, -5.0]])
    crop = warp.warp(photograph, matrix, get_template("112x96"))
    assert np.abs(crop[10:100, 10:90].astype(int) - 127).max() <= 8


def test_outside_is_black():
    photograph = np.full((50, 50, 3), 200, np.uint8)
    crop = warp.warp(photograph, np.array([[1.0, 0, 60], [0, 1, 60]]), get_template("112x96"))
    assert crop[:50].max() == 0
    assert crop[70, 70].tolist() == [200, 200, 200]


def test_landmarks_are_rounded_to_a_64th():
    assert (warp.rounded([[1.0078, 2.003]]) * 64 == [[64, 128]]).all()


def test_jpeg_keeps_the_colours():
    crop = np.zeros((112, 96, 3), np.uint8)
    crop[..., 0] = 200
    decoded = cv2.imdecode(np.frombuffer(warp.jpeg(crop, 95), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(decoded[50, 50].astype(int) - [0, 0, 200]).max() <= 2   # OpenCV gives blue first
