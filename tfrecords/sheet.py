"""Contact sheets: many crops on one picture, to look at."""

import cv2
import numpy as np

from base.files import atomic_write

_PAPER, _INK, _STRIP = 245, (60, 60, 60), 14


def contact_sheet(crops, captions=None, *, columns=10):
    """Lays crops in rows.

    Args:
        crops: uint8 RGB [H, W, 3] each, all of one size; at least one.
        captions: a short text for each, or None.
        columns: crops a row.

    Returns:
        uint8 RGB picture.
    """
    height, width = crops[0].shape[:2]
    strip = _STRIP if captions is not None else 0
    rows = -(-len(crops) // columns)
    columns = min(columns, len(crops))
    sheet = np.full((rows * (height + strip + 4) + 4, columns * (width + 4) + 4, 3), _PAPER, np.uint8)
    for place, crop in enumerate(crops):
        top, left = 4 + place // columns * (height + strip + 4), 4 + place % columns * (width + 4)
        sheet[top:top + height, left:left + width] = crop
        if captions is not None:
            _write(sheet, captions[place], left=left, top=top + height, width=width)
    return sheet


def write_png(path, image):
    """Writes a uint8 RGB picture as PNG, whole or not at all."""
    is_written, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not is_written:
        raise ValueError(f"{path}: OpenCV could not write a picture of shape {image.shape}")
    with atomic_write(path) as file:
        file.write(data.tobytes())


def _write(sheet, caption, *, left, top, width):
    text = caption.encode("ascii", "replace").decode()   # OpenCV's font has no other letters
    keep = max(1, width // 6)
    text = text if len(text) <= keep else "~" + text[1 - keep:]
    cv2.putText(sheet, text, (left, top + 10), cv2.FONT_HERSHEY_SIMPLEX, 0.3, _INK, 1, cv2.LINE_AA)
