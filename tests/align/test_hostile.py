"""Files made to fill the memory, files cut off, files that are something else: a reason each, never half a picture."""

import io
import os
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from align.__main__ import main
from align.photographs import UnreadablePhotograph, decode
from demo.faces import write_people
from tfrecords.manifest import read_manifest

ROOT = Path(__file__).parents[2]
LIMIT = 10**6
ROWS = (b"\0" + bytes(120)) * 30   # of a PNG with 40x30 pixels


def picture(size=(160, 120)):
    small = np.random.default_rng(0).integers(0, 256, (12, 16, 3)).astype(np.uint8)
    return Image.fromarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC))


def encoded(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, extra=b""):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return (b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", zlib.compress(ROWS)) + chunk(b"IEND", b""))


def tiff(**changes):
    """An uncompressed gray TIFF of 40x30 pixels, with tags changed: t256=(kind, count, value)."""
    tags = {256: (4, 1, 40), 257: (4, 1, 30), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 273: (4, 1, 300),
            277: (3, 1, 1), 278: (4, 1, 30), 279: (4, 1, 1200)} | {int(name[1:]): tag for name, tag in changes.items()}
    listed = b"".join(struct.pack("<HHII", number, *tag) for number, tag in sorted(tags.items()))
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + listed + bytes(4)
    return head.ljust(300, b"\0") + bytes(1200)


def with_size(data, mark, at, kind, *values):
    """Changes the size that a header states, `at` bytes behind `mark`."""
    place = data.index(mark) + at
    size = struct.calcsize(kind)
    return data[:place] + struct.pack(kind, *values) + data[place + size:]


def bombs():
    """Name -> (bytes, words of the reason)."""
    image, squeezer = picture((40, 30)), zlib.compressobj(9)
    unfolding = b"".join(squeezer.compress(bytes(1 << 20)) for _ in range(300)) + squeezer.flush()
    huge = "has 50000x50000 pixels, more than the limit of 64000000 (--max_pixels)"
    large = "Decompressed data too large"
    webp = encoded(image, format="WEBP", lossless=True)
    jpeg = encoded(image, format="JPEG")
    return {
        "huge.png": (png(50000, 50000), huge),
        "huge.bmp": (with_size(encoded(image, format="BMP"), b"BM", 18, "<ii", 50000, 50000), huge),
        "huge.jpg": (with_size(jpeg, b"\xff\xc0", 5, ">HH", 50000, 50000), huge),
        "huge.tif": (tiff(t256=(4, 1, 50000), t257=(4, 1, 50000)), huge),
        "huge.webp": (with_size(webp, b"VP8L", 9, "<I", 16382 | 16382 << 14), "has 16383x16383 pixels"),
        "lying.jpg": (with_size(jpeg, b"\xff\xc0", 5, ">HH", 7900, 7900), "bytes cannot hold them"),
        "text.png": (png(40, 30, chunk(b"zTXt", b"a\0\0" + unfolding)), large),
        "words.png": (png(40, 30, chunk(b"iTXt", b"a\0\1\0\0\0" + unfolding)), large),
        "profile.png": (png(40, 30, chunk(b"iCCP", b"a\0\0" + unfolding)), large),
        "many.png": (png(40, 30, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 20))) * 100), "text chunks"),
        "counts.tif": (tiff(t273=(4, 2**32 - 1, 300)), "is no JPEG, PNG, WebP, BMP or TIFF, or its first bytes"),
        "channels.tif": (tiff(t277=(3, 1, 65535)), "is no JPEG, PNG, WebP, BMP or TIFF, or its first bytes"),
        "negative.tif": (tiff(t256=(9, 1, 2**32 - 1)), "is no JPEG, PNG, WebP, BMP or TIFF, or its first bytes"),
        "tile.tif": (tiff(t259=(3, 1, 5), t322=(4, 1, 60000), t323=(4, 1, 60000), t324=(4, 1, 300),
                          t325=(4, 1, 1200)), "cannot be decoded"),
    }


def reason(path, data, limit=64_000_000):
    path.write_bytes(data)
    with pytest.raises(UnreadablePhotograph) as caught:
        decode(path, max_pixels=limit)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def picture_or_reason(path):
    try:
        return decode(path, max_pixels=LIMIT)
    except UnreadablePhotograph as error:
        return str(error)


# --- bombs -----------------------------------------------------------------------------------------------------------
def test_bombs_are_named_and_fill_no_memory(tmp_path):
    made = bombs()
    for name, (data, _) in made.items():
        (tmp_path / name).write_bytes(data)
    code = ("import resource, sys\nfrom align.photographs import UnreadablePhotograph, decode\n"
            "most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\nbefore = most()\n"
            "for path in sys.argv[1:]:\n"
            "    try: print('read', decode(path, max_pixels=64_000_000).shape)\n"
            "    except UnreadablePhotograph as error: print(error)\nprint(most() - before)")
    done = subprocess.run([sys.executable, "-c", code, *(tmp_path / name for name in made)], cwd=ROOT,
                          capture_output=True, text=True)
    *told, grown = done.stdout.splitlines()
    assert len(told) == len(made), done.stderr
    for (name, (_, words)), line in zip(made.items(), told, strict=True):
        assert words in line, name
    assert int(grown) * (1 if sys.platform == "darwin" else 1024) < 100e6   # bytes; 64 million pixels are 192e6


def test_a_file_of_more_bytes_than_any_photograph_and_a_pipe_are_not_read(tmp_path):
    with open(tmp_path / "long.png", "wb") as file:
        file.truncate(8 * LIMIT + 2**20 + 1)   # takes no space
    with pytest.raises(UnreadablePhotograph, match=r"has 9048577 bytes, more than the limit of 9048576 that --max_p"):
        decode(tmp_path / "long.png", max_pixels=LIMIT)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(UnreadablePhotograph, match="is no ordinary file"):
        decode(tmp_path / "pipe.png", max_pixels=LIMIT)


def test_through_the_whole_alignment(tmp_path, capsys):
    """Bombs, photographs of which one side is a thousand times the other, and what is passed over."""
    root = tmp_path / "photographs"
    write_people(root, seed=2, people=1, photos=2)
    for name in ("huge.png", "text.png"):
        (root / "person-000" / name).write_bytes(bombs()[name][0])
    for width, height in ((20_000, 20), (20, 20_000), (40_000, 2)):
        picture((width, height)).save(root / "person-000" / f"{width}.png")
    (root / "person-000" / "phone.heic").write_bytes(b"")
    os.symlink(tmp_path, root / "linked")
    assert main(["--input", str(root), "--output", str(tmp_path / "data")]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first == (f"passed over in {root}: 1 files with other endings (.heic 1); 1 links to folders, to nothing or "
                     f"out of it, such as 'linked': copy there what they lead to")
    assert "aligned 2, fallback 2, failed 3 (listed in manifest.csv) of 7" in last
    told = {row.key.partition("/")[2]: (row.status, row.reason)
            for row in read_manifest(tmp_path / "data" / "manifest.csv")}
    assert told["20000.png"] == told["20.png"] == ("fallback", "no face was found")
    assert told["40000.png"] == ("failed", "has 40000x2 pixels, a side longer than 32766; make it smaller")
    assert told["huge.png"] == ("failed", "has 50000x50000 pixels, more than the limit of 64000000 (--max_pixels)")
    assert told["text.png"][0] == "failed"
    assert "Decompressed data too large" in told["text.png"][1]


# --- cut off ---------------------------------------------------------------------------------------------------------
KINDS = {
    "jpeg": {"format": "JPEG"}, "progressive": {"format": "JPEG", "progressive": True}, "png": {"format": "PNG"},
    "webp": {"format": "WEBP"}, "lossless": {"format": "WEBP", "lossless": True}, "bmp": {"format": "BMP"},
    "tiff": {"format": "TIFF"}, "lzw": {"format": "TIFF", "compression": "tiff_lzw"},
    "deflate": {"format": "TIFF", "compression": "tiff_adobe_deflate"}}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_anywhere_is_whole_or_unreadable(tmp_path, kind):
    """Whole, where only what ends the file is gone; never a picture that is gray from the cut on."""
    data, path = encoded(picture(), **KINDS[kind]), tmp_path / "cut.jpg"
    path.write_bytes(data)
    whole = decode(path, max_pixels=LIMIT)
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed of the cuts: {seed}")
    inner = random.Random(seed).sample(range(1, len(data)), 30)
    for cut in (0, 1, 10, *inner, *range(len(data) - 30, len(data))):
        path.write_bytes(data[:cut])
        found = picture_or_reason(path)
        if isinstance(found, str):
            assert "0x" not in found   # no address of an object
            assert found.startswith(("cannot be decoded (", "is empty"))
        else:
            np.testing.assert_array_equal(found, whole)
            assert len(data) - cut < 30


# --- something else --------------------------------------------------------------------------------------------------
def test_of_several_frames_the_first_is_taken(tmp_path):
    frames = [Image.new("RGB", (8, 6), colour) for colour in ((200, 0, 0), (0, 0, 200))]
    for name in ("a.png", "a.tif", "a.webp"):
        lossless = {"lossless": True} if name == "a.webp" else {}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **lossless)
        with Image.open(tmp_path / name) as image:
            assert image.n_frames == 2
        assert decode(tmp_path / name, max_pixels=LIMIT)[0, 0].tolist() == [200, 0, 0]


def test_what_a_file_is_instead_is_said(tmp_path):
    path = tmp_path / "a.png"
    assert reason(path, encoded(picture(), format="GIF")) == "cannot be decoded (it is a GIF; save it as JPEG or PNG)"
    assert "it is a HEIC or AVIF picture, or a film; save" in reason(path, b"\0\0\0\x18ftypheic" + bytes(50))
    assert "it is a web page; save it" in reason(path, b"<!DOCTYPE html><html>not found</html>")
    assert reason(path, b"hello") == ("cannot be decoded (it is no JPEG, PNG, WebP, BMP or TIFF, or its first bytes "
                                      "are broken)")


def test_the_ending_does_not_matter(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(picture(), format="PNG"))
    np.testing.assert_array_equal(decode(path, max_pixels=LIMIT), np.asarray(picture()))
