"""An insightface `.bin` benchmark -> a benchmark folder of template 112x112."""

import io
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from base.files import publish, sha256
from tfrecords.benchmark import check_pairs
from tfrecords.bins import read_bin
from tfrecords.folder import finish
from tfrecords.lists import FOLDS
from tfrecords.manifest import Row
from tfrecords.shard import Record, shard_name, write_shard
from tfrecords.template import get_template

_TEMPLATE, _PERSON, _QUALITY, _SHARD = "112x112", "unknown", 95, 4096


def unpack(path, output):
    """Makes a benchmark folder, whole or not at all.

    JPEGs are kept as they are, PNGs become JPEGs of quality 95; equal pictures are one crop. The file names nobody:
    all crops stand under one identity and meta.json's settings say `people: unknown`, so that nothing is computed that
    must know who is who.

    Args:
        path: the `.bin` file.
        output: folder to make; it may be there if it is empty.

    Returns:
        (number of crops, number of pairs).

    Raises:
        FileNotFoundError, ValueError: no such file, one that is no benchmark of 112x112 crops in ten folds (what and
            where), or an output folder that holds something.
    """
    path, output = Path(path), Path(output)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}; name a benchmark such as lfw.bin")
    if output.is_file() or (output.is_dir() and any(output.iterdir())):
        raise ValueError(f"{output} is there already and holds something; name another folder with --benchmark")
    images, same = read_bin(path)
    _check_folds(path, same)
    keys = {}   # named by the first place of the picture in the file
    for place, image in enumerate(images):
        keys.setdefault(image, f"{_PERSON}/{place:06d}.jpg")
    pairs = [(keys[a], keys[b], is_same, place * FOLDS // len(same))
             for place, (a, b, is_same) in enumerate(zip(images[::2], images[1::2], same, strict=True))]
    check_pairs(path, [(f"pair {place + 1}", pair) for place, pair in enumerate(pairs)])
    crops = {key: _jpeg(image, f"{path}: the picture of {key!r}") for image, key in keys.items()}
    part = output.parent / f".{output.name}.part"
    shutil.rmtree(part, ignore_errors=True)   # of a run that was killed
    part.mkdir(parents=True)
    try:
        _write(part, crops, pairs, source=path)
        publish(part, output)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return len(crops), len(pairs)


def _write(folder, crops, pairs, *, source):
    template, rows = get_template(_TEMPLATE), []
    points, keys = tuple(np.ravel(template.points).tolist()), list(crops)
    count = -(-len(keys) // _SHARD)
    for number in range(count):
        here = keys[number * _SHARD:(number + 1) * _SHARD]
        write_shard(folder / shard_name(number, count), [Record(key, 0, crops[key], points) for key in here])
        rows += [Row(key, 0, "aligned", "", None, None, number, place) for place, key in enumerate(here)]
    settings = {"template": _TEMPLATE, "people": "unknown", "source": source.name, "source_sha256": sha256(source)}
    finish(folder, template=template, classes=[_PERSON], rows=rows, num_shards=count, quality=_QUALITY, pairs=pairs,
           settings=settings)


def _check_folds(path, same):
    """Nothing in the file names a fold: they are its tenths, and each must hold both kinds."""
    if len(same) % FOLDS:
        raise ValueError(f"{path} has {len(same)} pairs, expected ten folds of equal size; take the file whole")
    for fold, part in enumerate(np.split(np.array(same), FOLDS)):
        if part.all() or not part.any():
            raise ValueError(f"{path}: tenth {fold + 1} of its pairs, which is fold {fold + 1}, holds "
                             f"{'genuine' if part.all() else 'impostor'} pairs only; take a file whose pairs are "
                             f"ordered by folds, or a pair list and the photographs")


def _jpeg(data, what):
    """The JPEG bytes of a picture; its size is read and checked before its pixels."""
    size = get_template(_TEMPLATE).shape[::-1]
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            if image.size != size:
                raise ValueError(f"{image.width}x{image.height} pixels where {size[0]}x{size[1]} must be")
            image.load()
            if image.format == "JPEG" and image.mode in ("RGB", "L"):
                return data
            made = io.BytesIO()
            image.convert("RGB").save(made, "JPEG", quality=_QUALITY, subsampling=0)
            return made.getvalue()
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError, OverflowError, KeyError, TypeError, IndexError,
            AttributeError, Image.DecompressionBombError) as error:   # what Pillow's readers raise for broken pictures
        raise ValueError(" ".join(f"{what} cannot be taken ({error}); no pair may be dropped, so take a whole file"
                                  .split())) from error
