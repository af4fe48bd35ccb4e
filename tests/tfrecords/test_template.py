import pytest

from tfrecords.template import TEMPLATES, get_template


def test_points_to_the_fourth_decimal():
    assert TEMPLATES["112x96"].points == (
        (30.2946, 51.6963), (65.5318, 51.5014), (48.0252, 71.7366), (33.5493, 92.3655), (62.7299, 92.2041))
    for (x, y), (wide_x, wide_y) in zip(TEMPLATES["112x96"].points, TEMPLATES["112x112"].points, strict=True):
        assert wide_x == pytest.approx(x + 8, abs=1e-9)
        assert wide_y == y


def test_unknown_template_names_the_near_one():
    with pytest.raises(ValueError, match=r"no template '112x69'. Did you mean '112x96'"):
        get_template("112x69")
