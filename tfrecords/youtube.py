"""Reads the split file of YouTube Faces (Wolf, Hassner and Maoz 2011, CVPR): ten folds of pairs of videos.

A header, then lines `split, pair, first, second, same`, `first` and `second` being NAME/VIDEO; the last field is the
label (some copies have one more before it). A video is the set of its frames `NAME/VIDEO/*` in the dataset folder. The
authors' `splits_corrected.txt` has the same shape: results carry the name of the file that was given.
"""

import array
from pathlib import Path

import numpy as np

from tfrecords.mediasets import (
    MediaSets,
    Protocol,
    SetPairs,
    Split,
    check_media_name,
    check_pairs,
    named,
    numbered_lines,
)


def read_youtube(path, folder):
    """Reads a split file; the frames are those photographs of `folder` (a dataset Folder) that are in the video's.

    Raises:
        ValueError: a line of another shape (it is named), or videos without a frame (counted, the first named).
    """
    path = Path(path)
    videos, a, b, same, fold, lines = {}, array.array("i"), array.array("i"), [], [], []
    for line, text in _body(path):
        fields = [field.strip() for field in text.split(",")]
        is_good = len(fields) in (5, 6) and fields[0].isdecimal() and fields[-1] in ("0", "1")
        if not is_good or any(video.count("/") != 1 for video in fields[2:4]):
            raise ValueError(f"{path}, line {line}: expected split, pair, NAME/VIDEO, NAME/VIDEO, 1 or 0; got {text!r}")
        for video, column in zip(fields[2:4], (a, b), strict=True):
            check_media_name(path, line, video)
            column.append(videos.setdefault(video, len(videos)))
        same.append(fields[-1] == "1")
        fold.append(int(fields[0]) - 1)
        lines.append(line)
    a, b, same = np.array(a, np.int32), np.array(b, np.int32), np.array(same, bool)
    repeated = check_pairs(path, a, b, same, lines, list(videos))
    pairs = SetPairs(a, b, same, repeated, np.array(fold, np.int64))
    name = f"youtube-{path.stem}"
    return Protocol(name, (path,), (Split(name, _frames(path, videos, folder), pairs),))


def _body(path):
    """The lines after the header, which is the first unless that is a pair already."""
    for place, (line, text) in enumerate(numbered_lines(path)):
        if place or text.split(",")[0].strip().isdecimal():
            yield line, text


def _frames(path, videos, folder):
    """All frames of a video are one medium; a frame without a crop is in the manifest all the same."""
    keys, sets = [], array.array("q")
    for row in folder.rows:
        video = videos.get(row.key.rpartition("/")[0])
        if video is not None:
            keys.append(row.key)
            sets.append(video)
    empty = sorted(set(range(len(videos))) - set(sets))
    if empty:
        names = list(videos)
        raise ValueError(f"{len(empty):,} of {len(videos):,} videos of {path} have no frame in {folder.path}: "
                         f"{named(names[place] for place in empty)}; align the folder that holds NAME/VIDEO/FRAME")
    sets = np.array(sets, np.int64)
    return MediaSets(list(videos), [name.partition("/")[0] for name in videos], keys, sets, sets)
