"""Photographs: which there are, and their upright RGB pixels."""

import io
import os
import re
import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "MPO")   # MPO: a JPEG with more pictures behind it


class UnreadablePhotograph(ValueError):
    """A file that gives no picture; the text is the reason."""


def walk(root):
    """Finds the photographs of a folder ROOT/<identity>/.../<photograph>.

    Links that lead out of ROOT are not followed, nor are hidden names.

    Args:
        root: the folder.

    Returns:
        (identities, keys): identities sorted by code point, each key `identity/.../photograph` with `/`, sorted.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: no photograph in it, or names that are not UTF-8.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"there is no folder of photographs {str(root)!r}")
    real, keys = root.resolve(), []
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if not name.startswith(".")]
        parts = Path(folder).relative_to(root).parts
        if parts:
            keys.extend("/".join((*parts, name)) for name in files if _is_photograph(Path(folder) / name, real))
    identities = sorted({key.partition("/")[0] for key in keys})
    if not keys:
        raise ValueError(f"{root} holds no photographs; expected {root}/IDENTITY/PHOTOGRAPH, a folder for each person, "
                         f"with names ending in {' '.join(ENDINGS)}")
    _check_names(root, keys)
    return identities, sorted(keys)


def decode(path, *, max_pixels):
    """Reads a photograph upright: uint8 RGB [H, W, 3].

    EXIF orientation is applied; gray, palette, CMYK and 16 bit (divided by 257) become RGB, transparency stands over
    white, and of an animation the first frame is taken. The number of pixels is read from the header and limited
    before anything is decoded.

    Raises:
        UnreadablePhotograph: the reason in a few words.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UnreadablePhotograph(f"cannot be opened ({error.strerror})") from error
    if not data:
        raise UnreadablePhotograph("is empty (0 bytes)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")   # about odd metadata, and sizes that are checked here
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > max_pixels:
                    raise UnreadablePhotograph(f"has {image.width}x{image.height} pixels, more than the limit of "
                                               f"{max_pixels} (--max_pixels)")
                return np.asarray(_rgb(ImageOps.exif_transpose(image)), np.uint8)
    except UnreadablePhotograph:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError, OverflowError, Image.DecompressionBombError,
            KeyError, TypeError, IndexError, struct.error) as error:   # what Pillow's readers raise for broken files
        raise UnreadablePhotograph(" ".join(f"cannot be decoded ({error})".split())) from error


def _rgb(image):
    if image.mode.startswith(("I", "F")):   # 16 bit, one channel
        gray = np.asarray(image).astype(np.float64) / 257
        return np.repeat(np.clip(np.round(gray), 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image).convert("RGB")
    return image.convert("RGB")


def _is_photograph(path, real_root):
    if path.name.startswith(".") or path.suffix.lower() not in ENDINGS:
        return False
    try:
        return path.resolve().is_relative_to(real_root)
    except (OSError, RuntimeError):   # links in a circle
        return False


def _check_names(root, keys):
    """Names become text files in UTF-8, so they must be text."""
    odd = [key for key in keys if re.search("[\ud800-\udfff]", key)]   # how Python hides bytes that are no text
    if odd:
        raise ValueError(f"{root} holds {len(odd)} photographs whose names are not UTF-8, such as "
                         f"{os.fsencode(odd[0])!r}; rename them")
