"""Finds out which protocol of media sets a path holds, and reads it."""

from pathlib import Path

from tfrecords.ijb import is_ijb, is_ijb_a, read_ijb, read_ijb_a
from tfrecords.youtube import read_youtube


def read_protocol(path, folder):
    """Reads a `tfrecords.mediasets.Protocol`.

    Args:
        path: a folder with the lists of IJB-B or IJB-C, or the splits of IJB-A; or the split file of YouTube Faces.
        folder: the dataset Folder of its media.

    Raises:
        FileNotFoundError, ValueError: nothing there, another thing, or a list that cannot be used.
    """
    path = Path(path)
    if path.is_file():
        return read_youtube(path, folder)
    if not path.is_dir():
        raise FileNotFoundError(f"there is no protocol {str(path)!r}; give a folder with the lists of IJB, or the "
                                f"split file of YouTube Faces")
    if is_ijb(path):
        return read_ijb(path)
    if is_ijb_a(path):
        return read_ijb_a(path)
    raise ValueError(f"{path} holds no protocol of media sets; expected *_face_tid_mid.txt (IJB-B, IJB-C) or split1 to "
                     f"split10 (IJB-A) in it, or the split file of YouTube Faces itself")
