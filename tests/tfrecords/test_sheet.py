import cv2
import numpy as np

from tfrecords.sheet import contact_sheet, write_png


def test_crops_stand_in_rows(tmp_path):
    crops = [np.full((112, 96, 3), (value, 0, 255 - value), np.uint8) for value in range(0, 250, 10)]
    sheet = contact_sheet(crops, [f"person {value}/ü" for value in range(25)])
    assert sheet.shape == (3 * 130 + 4, 10 * 100 + 4, 3)
    np.testing.assert_array_equal(sheet[4:116, 4:100], crops[0])
    np.testing.assert_array_equal(sheet[4 + 130:116 + 130, 104:200], crops[11])
    write_png(tmp_path / "s.png", sheet)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "s.png"))[..., ::-1], sheet)


def test_one_crop_without_a_caption():
    assert contact_sheet([np.zeros((10, 8, 3), np.uint8)]).shape == (18, 16, 3)
