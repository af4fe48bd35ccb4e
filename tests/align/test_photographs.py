import io
import os
import struct

import numpy as np
import pytest
from PIL import Image

from align.photographs import UnreadablePhotograph, decode, walk
from tests.nobody import as_nobody

LIMIT = 10**6


def picture(mode="RGB", size=(40, 30)):
    array = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(array).convert(mode)


def save(path, image, **options):
    image.save(path, **options)
    return path


@pytest.mark.parametrize(("mode", "name"), [
    ("RGB", "a.jpg"), ("L", "a.jpg"), ("CMYK", "a.jpg"), ("P", "a.png"), ("RGBA", "a.png"), ("LA", "a.png"),
    ("1", "a.png"), ("RGB", "a.webp"), ("RGB", "a.bmp"), ("RGB", "a.tif")])
def test_every_kind_becomes_rgb(tmp_path, mode, name):
    found = decode(save(tmp_path / name, picture(mode)), max_pixels=LIMIT)
    assert found.shape == (30, 40, 3)
    assert found.dtype == np.uint8


def test_colours_are_rgb(tmp_path):
    red = Image.new("RGB", (8, 8), (250, 10, 20))
    assert decode(save(tmp_path / "r.png", red), max_pixels=LIMIT)[0, 0].tolist() == [250, 10, 20]


def test_transparent_stands_over_white(tmp_path):
    image = Image.new("RGBA", (2, 1), (10, 20, 30, 0))
    image.putpixel((1, 0), (10, 20, 30, 255))
    assert decode(save(tmp_path / "t.png", image), max_pixels=LIMIT)[0].tolist() == [[255, 255, 255], [10, 20, 30]]


def test_sixteen_bits_are_divided_by_257(tmp_path):
    image = Image.fromarray(np.array([[0, 257 * 100, 65535]], np.uint16))
    assert decode(save(tmp_path / "g.png", image), max_pixels=LIMIT)[0, :, 0].tolist() == [0, 100, 255]


def test_exif_orientation_is_applied(tmp_path):
    image = picture()
    exif = Image.Exif()
    exif[0x0112] = 6   # to be turned by a quarter
    path = save(tmp_path / "e.png", image, exif=exif)
    np.testing.assert_array_equal(decode(path, max_pixels=LIMIT), np.rot90(np.asarray(image), -1))


def test_first_frame(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ((200, 0, 0), (0, 0, 200))]
    path = tmp_path / "a.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
    assert decode(path, max_pixels=LIMIT)[0, 0].tolist() == [200, 0, 0]


def test_one_pixel(tmp_path):
    assert decode(save(tmp_path / "p.png", picture(size=(1, 1))), max_pixels=LIMIT).shape == (1, 1, 3)


def test_what_cannot_be_read_is_named(tmp_path):
    def reason(data):
        (tmp_path / "x.jpg").write_bytes(data)
        with pytest.raises(UnreadablePhotograph) as caught:
            decode(tmp_path / "x.jpg", max_pixels=LIMIT)
        return str(caught.value)

    buffer = io.BytesIO()
    picture(size=(200, 200)).save(buffer, "JPEG", quality=95)
    assert reason(b"") == "is empty (0 bytes)"
    assert "cannot be decoded" in reason(b"hello")
    assert "truncated" in reason(buffer.getvalue()[:-2000])
    with pytest.raises(UnreadablePhotograph, match="cannot be opened"):
        decode(tmp_path / "none.jpg", max_pixels=LIMIT)


def test_pixels_are_limited_before_decoding(tmp_path, monkeypatch):
    path = save(tmp_path / "big.png", picture(size=(300, 200)))
    monkeypatch.setattr(Image.Image, "convert", lambda *_: pytest.fail("decoded"))
    with pytest.raises(UnreadablePhotograph, match=r"has 300x200 pixels, more than the limit of 59999"):
        decode(path, max_pixels=59_999)


def test_walk(tmp_path):
    for key in ("b/2.jpg", "b/deep er/1.PNG", "a/ä\n1.jpeg", "Z/3.tiff", "a/notes.txt", "a/.hidden.jpg", ".git/x.jpg"):
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(b"")
    (tmp_path / "alone.jpg").write_bytes(b"")
    identities, keys, passed_over = walk(tmp_path)
    assert identities == ["Z", "a", "b"]   # by code point
    assert keys == ["Z/3.tiff", "a/ä\n1.jpeg", "b/2.jpg", "b/deep er/1.PNG"]
    assert passed_over == ("1 files with other endings (.txt 1); 1 photographs in no person's folder, such as "
                           "'alone.jpg'")


def test_links_do_not_lead_out_and_are_named(tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "s.jpg").write_bytes(b"")
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "a" / "1.jpg").write_bytes(b"")
    os.symlink(tmp_path / "secret" / "s.jpg", root / "a" / "2.jpg")
    os.symlink(tmp_path / "secret", root / "b")
    os.symlink(root, root / "a" / "circle")
    os.symlink(root / "a" / "1.jpg", root / "a" / "3.jpg")
    os.symlink(root / "a" / "4.jpg", root / "a" / "4.jpg")   # to itself
    os.symlink(tmp_path / "gone", root / "c")
    identities, keys, passed_over = walk(root)
    assert (identities, keys) == (["a"], ["a/1.jpg", "a/3.jpg"])
    assert passed_over == "5 links to folders, to nothing or out of it, such as 'b': copy there what they lead to"


def test_what_is_passed_over_is_counted(tmp_path):
    for key in ("a/1.jpg", "a/2.heic", "a/3.HEIC", "a/b/4.gif", "a/notes", "a/.DS_Store", "a/Thumbs.db", ".git/x.gif",
                "5.png", "6.jpg", "notes.txt"):
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(b"")
    assert walk(tmp_path)[2] == ("5 files with other endings (.heic 2, .txt 1, none 1, .gif 1); 2 photographs in no "
                                 "person's folder, such as '5.png'")
    (tmp_path / "a" / "1.jpg").unlink()
    with pytest.raises(ValueError, match=r"holds no photographs; expected .*; there are 5 files with other endings "
                                         r"\(\.heic 2, .*; 2 photographs in no person's folder, such as '5\.png'"):
        walk(tmp_path)


def test_what_may_not_be_opened_is_named(open_to_all):
    root = open_to_all / "root"
    for key in ("a/1.jpg", "b/2.jpg", "c/3.jpg"):
        (root / key).parent.mkdir(parents=True)
        (root / key).write_bytes(b"x")
    (root / "a" / "1.jpg").chmod(0)
    (root / "b").chmod(0)
    (root / "c").chmod(0o444)   # its names can be read, no more
    with as_nobody():
        identities, keys, passed_over = walk(root)
        assert (identities, keys) == (["a", "c"], ["a/1.jpg", "c/3.jpg"])
        assert passed_over == f"1 folders that cannot be opened, such as '{root}/b' (Permission denied)"
        for key in keys:
            with pytest.raises(UnreadablePhotograph, match=r"cannot be opened \(Permission denied\)"):
                decode(root / key, max_pixels=LIMIT)


def test_nothing_there(tmp_path):
    with pytest.raises(ValueError, match=r"holds no photographs; expected .*IDENTITY/PHOTOGRAPH"):
        walk(tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder of photographs"):
        walk(tmp_path / "none")


def test_names_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"")
    with pytest.raises(ValueError, match=r"1 photographs whose names are not UTF-8, such as b'a/caf.xe9\.jpg'"):
        walk(tmp_path)


def test_broken_metadata_end_in_a_reason(tmp_path, monkeypatch):
    """Pillow writes the turned picture's metadata anew, and broken ones raise struct.error there."""
    path = save(tmp_path / "e.jpg", picture())

    def broken(image, *, in_place):
        raise struct.error("required argument is not an integer")

    monkeypatch.setattr("PIL.ImageOps.exif_transpose", broken)
    with pytest.raises(UnreadablePhotograph, match="required argument is not an integer"):
        decode(path, max_pixels=LIMIT)
