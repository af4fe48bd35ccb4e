"""Small dataset folders made by the tests themselves."""

import cv2
import numpy as np

from tfrecords.folder import Folder, finish
from tfrecords.manifest import Row
from tfrecords.shard import Record, shard_name, write_shard
from tfrecords.template import get_template


def make_folder(path, *, people=6, photos=5, template="112x96", seed=0, shards=2, pairs=None, failed=()):
    """Writes a dataset folder of smooth random crops, the crops of one person being alike; returns it opened.

    Args:
        path: folder to make.
        people, photos: how many, and how many each.
        template: name.
        seed: of the pictures.
        shards: number of shards.
        pairs: None for training data, else a list of (key, key, is_same, fold).
        failed: keys whose photographs count as unreadable (black crops).
    """
    template = get_template(template)
    draw = np.random.default_rng(seed)
    path.mkdir(parents=True)
    records, rows = [], []
    for person in range(people):
        face = draw.integers(0, 256, (7, 6, 3))
        for photo in range(photos):
            small = np.clip(face + draw.normal(0, 20, face.shape), 0, 255).astype(np.uint8)
            crop = cv2.resize(small, (template.width, template.height), interpolation=cv2.INTER_CUBIC)
            key = f"p{person:02d}/{photo:04d}.jpg"
            crop = np.zeros_like(crop) if key in failed else crop
            jpeg = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
            records.append(Record(key, person, jpeg, tuple(np.ravel(template.points))))
    order = draw.permutation(len(records))
    for number in range(shards):
        part = [records[place] for place in order[number::shards]]
        write_shard(path / shard_name(number, shards), part)
        rows += [Row(record.key, record.label, "failed" if record.key in failed else "aligned", "", 0.99,
                     record.landmarks, number, place) for place, record in enumerate(part)]
    rows.sort(key=lambda row: row.key)
    finish(path, template=template, classes=[f"p{person:02d}" for person in range(people)], rows=rows,
           num_shards=shards, settings={"drawn": True}, quality=95, pairs=pairs)
    return Folder.open(path)
