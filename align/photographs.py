"""Photographs: which there are, and their upright RGB pixels."""

import collections
import io
import os
import re
import stat
import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from base.checks import require_folder

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
_LONGEST = 32_766      # pixels a side; OpenCV warps no longer ones
_BYTES_A_PIXEL = 8     # four channels of 16 bits: what a file may have for each pixel that it may have
_SPARSEST = 512        # pixels a byte: a JPEG has a bit at least for each channel of 8x8 pixels
_OTHERS = ((0, b"GIF8", "a GIF"), (4, b"ftyp", "a HEIC or AVIF picture, or a film"), (0, b"<", "a web page"))
_NOBODYS = ("thumbs.db", "desktop.ini")   # what a file manager leaves beside photographs, as it leaves hidden names
Image.MAX_IMAGE_PIXELS = None   # Pillow's own limit knows nothing of --max_pixels, which is checked in its place


class UnreadablePhotograph(ValueError):
    """A file that gives no picture; the text is the reason."""


def walk(root):
    """Finds the photographs of a folder ROOT/<identity>/.../<photograph>.

    Linked folders are not followed, nor links that lead out of ROOT, nor hidden names.

    Args:
        root: the folder.

    Returns:
        (identities, keys, passed): identities sorted by code point, each key `identity/.../photograph` with `/`,
        sorted, and in a few words what was passed over, "" where nothing was.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: no photograph in it, or names that are not UTF-8.
    """
    root = Path(root)
    require_folder(root, "folder of photographs", "give one by --input")
    real, keys, passed = root.resolve(), [], _PassedOver()
    for folder, names, files in os.walk(root, onerror=passed.closed.append):
        where = Path(folder).relative_to(root)
        names[:] = sorted(name for name in names if not name.startswith("."))
        passed.links += [(where / name).as_posix() for name in names if os.path.islink(root / where / name)]
        for name in sorted(files):
            if name.startswith(".") or name.lower() in _NOBODYS:
                continue
            if _leads_out(root / where / name, real):
                passed.links.append((where / name).as_posix())
            elif Path(name).suffix.lower() not in ENDINGS:
                passed.endings[Path(name).suffix.lower() or "none"] += 1
            elif not where.parts:
                passed.alone.append(name)
            else:
                keys.append((where / name).as_posix())
    if not keys:
        raise ValueError(f"{root} holds no photographs; expected {root}/IDENTITY/PHOTOGRAPH, a folder for each person, "
                         f"with names ending in {' '.join(ENDINGS)}{passed.sentence('; there are ')}")
    _check_names(root, keys)
    return sorted({key.partition("/")[0] for key in keys}), sorted(keys), passed.sentence()


class _PassedOver:
    """What is not taken for a photograph."""

    def __init__(self):
        self.endings, self.alone, self.links, self.closed = collections.Counter(), [], [], []

    def sentence(self, start=""):
        """`start`, then each kind with its number and an example; "" where there is none."""
        kinds = []
        if self.endings:
            each = ", ".join(f"{ending} {count}" for ending, count in self.endings.most_common())
            kinds.append(f"{self.endings.total()} files with other endings ({each})")
        if self.alone:
            kinds.append(f"{len(self.alone)} photographs in no person's folder, such as {self.alone[0]!r}")
        if self.links:
            kinds.append(f"{len(self.links)} links to folders, to nothing or out of it, such as {self.links[0]!r}: "
                         f"copy there what they lead to")
        if self.closed:
            first = self.closed[0]
            kinds.append(f"{len(self.closed)} folders that cannot be opened, such as {first.filename!r} "
                         f"({first.strerror})")
        return start + "; ".join(kinds) if kinds else ""


def decode(path, *, max_pixels):
    """Reads a photograph upright: uint8 RGB [H, W, 3].

    EXIF orientation is applied; gray, palette, CMYK and 16 bit (divided by 257) become RGB, transparency stands over
    white, and of an animation the first frame is taken. The number of pixels is read from the header and limited
    before anything is decoded.

    Raises:
        UnreadablePhotograph: the reason in a few words.
    """
    data = _bytes(path, most=_BYTES_A_PIXEL * max_pixels + 2**20)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")   # about odd metadata
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _check_size(image, len(data), max_pixels)
                ImageOps.exif_transpose(image, in_place=True)   # a copy would double the memory
                return np.asarray(_rgb(image), np.uint8)
    except UnreadablePhotograph:
        raise
    except UnidentifiedImageError as error:
        raise UnreadablePhotograph(f"cannot be decoded ({_foreign(data)})") from error
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError, OverflowError, KeyError, TypeError, IndexError,
            struct.error) as error:   # what Pillow's readers raise for broken files
        raise UnreadablePhotograph(" ".join(f"cannot be decoded ({error})".split())) from error


def _bytes(path, *, most):
    """The bytes of a file that is one (reading a pipe would never end) and no longer than any photograph."""
    try:
        about = os.stat(path)
        if not stat.S_ISREG(about.st_mode):
            raise UnreadablePhotograph("is no ordinary file")
        if about.st_size > most:
            raise UnreadablePhotograph(f"has {about.st_size} bytes, more than the limit of {most} that --max_pixels "
                                       f"sets")
        data = Path(path).read_bytes()
    except OSError as error:
        raise UnreadablePhotograph(f"cannot be opened ({error.strerror})") from error
    if not data:
        raise UnreadablePhotograph("is empty (0 bytes)")
    return data


def _check_size(image, num_bytes, max_pixels):
    """Refuses by the header alone what would fill the memory, or what no such file can hold."""
    size, pixels = f"{image.width}x{image.height} pixels", image.width * image.height
    if pixels > max_pixels:
        raise UnreadablePhotograph(f"has {size}, more than the limit of {max_pixels} (--max_pixels)")
    if max(image.size) > _LONGEST:
        raise UnreadablePhotograph(f"has {size}, a side longer than {_LONGEST}; make it smaller")
    if image.format in ("JPEG", "MPO") and pixels > _SPARSEST * num_bytes:   # else a gray picture of any size
        raise UnreadablePhotograph(f"says that it has {size}, but its {num_bytes} bytes cannot hold them")


def _foreign(data):
    """What a file of none of FORMATS is."""
    for place, mark, name in _OTHERS:
        if data[place:place + len(mark)] == mark:
            return f"it is {name}; save it as JPEG or PNG"
    return "it is no JPEG, PNG, WebP, BMP or TIFF, or its first bytes are broken"


def _rgb(image):
    if image.mode.startswith(("I", "F")):   # 16 bit, one channel
        gray = np.asarray(image).astype(np.float64) / 257
        return np.repeat(np.clip(np.round(gray), 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _leads_out(path, real_root):
    """True for a link to nothing, in a circle, or to a file outside the folder."""
    return os.path.islink(path) and not (
        os.path.exists(path) and Path(os.path.realpath(path)).is_relative_to(real_root))


def _check_names(root, keys):
    """Names become text files in UTF-8, so they must be text."""
    odd = [key for key in keys if re.search("[\ud800-\udfff]", key)]   # how Python hides bytes that are no text
    if odd:
        raise ValueError(f"{root} holds {len(odd)} photographs whose names are not UTF-8, such as "
                         f"{os.fsencode(odd[0])!r}; rename them")
