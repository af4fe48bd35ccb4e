"""Draws the README's picture: drawn faces, what the detector finds in them, and their crops.

python -m demo.picture OUTPUT.png
"""

import sys

from base.environment import load_tensorflow

_PEOPLE, _PHOTOS = (3, 22, 33), 8   # a row for each


def main(argv):
    """Returns the exit code."""
    if len(argv) != 1 or not argv[0].endswith(".png"):
        print("python -m demo.picture: expected one argument, the PNG file to write", file=sys.stderr)
        return 2
    load_tensorflow()
    from align.config import Detection
    from align.detector import Detector
    from tfrecords.sheet import contact_sheet, write_png
    detector = Detector(Detection())
    tiles = [_tile(detector, person, photo) for person in _PEOPLE for photo in range(_PHOTOS)]
    write_png(argv[0], contact_sheet(tiles, columns=_PHOTOS))
    return 0


def _tile(detector, person, photo):
    """One photograph with box and landmarks, the crop below; uint8 RGB."""
    import cv2
    import numpy as np

    from align.crops import align_one
    from demo.faces import draw
    from tfrecords.template import get_template
    image = draw(0, person, photo).image
    [faces] = detector.search_for_choice([image], "largest_central")
    crop, _ = align_one(image, detector, get_template("112x96"), "largest_central")
    shown = image.copy()
    left, top, right, bottom = (round(side) for side in faces.boxes[0].tolist())
    cv2.rectangle(shown, (left, top), (right, bottom), (255, 255, 255), 2)
    for x, y in faces.landmarks[0].tolist():
        cv2.circle(shown, (round(x), round(y)), 3, (0, 255, 0), -1, cv2.LINE_AA)
    tile = np.full((250 + 8 + 112, 250, 3), 245, np.uint8)
    tile[:250] = shown
    tile[258:, 77:173] = crop
    return cv2.resize(tile, (125, 185), interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
