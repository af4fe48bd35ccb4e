import cv2
import numpy as np
import pytest

from tfrecords.augment import apply, draw
from tfrecords.config import Augmentation

ALL = Augmentation(shift_px=3, turn_degrees=6, scale=0.1, colour=0.3, gray=0.2, low_resolution=0.3, erase=0.3)


def picture(count):
    small = np.random.default_rng(0).integers(0, 256, (count, 14, 12, 3), np.uint8)
    return np.stack([cv2.resize(image, (96, 112), interpolation=cv2.INTER_CUBIC) for image in small])


def changed(settings, crops, g, seed=0):
    return apply(crops, draw(settings, seed=seed, g=np.asarray(g), height=112, width=96))


def test_what_happens_to_a_crop_is_a_function_of_seed_and_g():
    crops = picture(8)
    whole = changed(ALL, crops, np.arange(8) + 1000)
    np.testing.assert_array_equal(whole[5:], changed(ALL, crops[5:], np.arange(5, 8) + 1000))
    assert (whole != changed(ALL, crops, np.arange(8) + 1000, seed=1)).any(axis=(1, 2, 3)).all()
    assert whole.dtype == np.uint8


def test_nothing_asked_for_changes_nothing():
    crops = picture(4)
    np.testing.assert_array_equal(changed(Augmentation(flip=0), crops, np.arange(4)), crops)


def test_a_flip_is_exact():
    crops = picture(4)
    np.testing.assert_array_equal(changed(Augmentation(flip=1), crops, np.arange(4)), crops[:, :, ::-1])


def test_shares_are_met():
    crops = np.repeat(picture(1), 400, axis=0)
    flipped = (changed(Augmentation(flip=0.3), crops, np.arange(400)) != crops).any(axis=(1, 2, 3)).mean()
    assert flipped == pytest.approx(0.3, abs=0.07)
    gray = changed(Augmentation(flip=0, gray=0.2), crops, np.arange(400)).astype(int)
    assert (np.ptp(gray, axis=3).max(axis=(1, 2)) <= 1).mean() == pytest.approx(0.2, abs=0.06)
    erased = changed(Augmentation(flip=0, erase=0.4), crops, np.arange(400)) != crops
    assert erased.any(axis=(1, 2, 3)).mean() == pytest.approx(0.4, abs=0.08)
    assert erased.any(axis=3).mean(axis=(1, 2)).max() <= 0.45**2 + 0.01


def test_geometry_moves_no_farther_than_asked():
    """A dot at the centre lands within shift_px times the scale; a turn leaves it where it is."""
    crop = np.zeros((1, 113, 97, 3), np.uint8)
    crop[0, 54:59, 46:51] = 255
    g = np.arange(60)
    draws = draw(Augmentation(flip=0.5, shift_px=4, turn_degrees=20, scale=0.2), seed=0, g=g, height=113, width=97)
    for image in apply(np.repeat(crop, 60, axis=0), draws):
        y, x = np.nonzero(image[..., 0] > 127)
        assert abs(y.mean() - 56) <= 4 * 1.2 + 0.6
        assert abs(x.mean() - 48) <= 4 * 1.2 + 0.6


def test_low_resolution_loses_detail_and_keeps_the_mean():
    crops = picture(20)
    blurred = changed(Augmentation(flip=0, low_resolution=1), crops, np.arange(20)).astype(float)
    assert np.abs(np.diff(blurred, axis=2)).mean() < np.abs(np.diff(crops.astype(float), axis=2)).mean()
    np.testing.assert_allclose(blurred.mean(axis=(1, 2, 3)), crops.mean(axis=(1, 2, 3)), atol=3)


@pytest.mark.parametrize(("name", "value"), [("flip", 1.5), ("erase", -0.1), ("turn_degrees", 360), ("colour", 2)])
def test_wrong_settings(name, value):
    with pytest.raises(ValueError, match=f"augmentation.{name} is {value}"):
        Augmentation(**{name: value})
