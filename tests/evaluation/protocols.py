"""Small protocols of media sets in the real file formats, with dataset folders of drawn faces."""

import cv2
import numpy as np

from align.warp import similarity
from demo.faces import key as drawn_key
from demo.faces import write_people
from tfrecords.folder import Folder, finish
from tfrecords.manifest import Row
from tfrecords.shard import Record, shard_name, write_shard
from tfrecords.template import get_template

PEOPLE, PHOTOS = 8, 4
HEADER = "TEMPLATE_ID,SUBJECT_ID,{file},MEDIA_ID,SIGHTING_ID,FACE_X"


def draw_crops(root):
    """Crops uint8 RGB [PEOPLE, PHOTOS, 112, 96, 3] of drawn photographs, aligned by known landmarks."""
    template = get_template("112x96")
    landmarks = write_people(root, seed=3, people=PEOPLE, photos=PHOTOS, height=160, width=160)
    return np.array([[cv2.warpAffine(
        cv2.cvtColor(cv2.imread(str(root / drawn_key(person, photo))), cv2.COLOR_BGR2RGB),
        similarity(landmarks[drawn_key(person, photo)], template.points), (template.width, template.height))
        for photo in range(PHOTOS)] for person in range(PEOPLE)])


def write_folder(path, crops, *, left_out=(), failed=()):
    """Writes a dataset folder and opens it.

    Args:
        path: folder to make.
        crops: dict of key -> crop.
        left_out: keys of photographs without a face, as in training data: no crop.
        failed: keys of unreadable photographs, as in a benchmark: their crop is black.
    """
    template = get_template("112x96")
    path.mkdir(parents=True)
    classes = sorted({key.partition("/")[0] for key in crops})
    records, rows = [], []
    for key in sorted(crops):
        label = classes.index(key.partition("/")[0])
        if key in left_out:
            rows.append(Row(key, label, "fallback", "no face found"))
            continue
        crop = np.zeros_like(crops[key]) if key in failed else crops[key]
        jpeg = cv2.imencode(".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
        status = "failed" if key in failed else "aligned"
        rows.append(Row(key, label, status, "", 0.9, tuple(np.ravel(template.points)), 0, len(records)))
        records.append(Record(key, label, jpeg, tuple(np.ravel(template.points))))
    write_shard(path / shard_name(0, 1), records)
    finish(path, template=template, classes=classes, rows=rows, num_shards=1, settings={"drawn": True}, quality=95)
    return Folder.open(path)


# --- IJB-B, IJB-C: person p has sets 10 p + 1 (photographs 0, 1: two media) and 10 p + 2 (2, 3: a video) ----------
def ijb_name(person, photo):
    return f"{person * PHOTOS + photo + 1}.jpg"


def ijb_crops(crops):
    return {f"loose_crop/{ijb_name(person, photo)}": crops[person, photo]
            for person in range(PEOPLE) for photo in range(PHOTOS)}


def write_ijb(path):
    path.mkdir()
    media, names = [], []
    for person in range(PEOPLE):
        for photo in range(PHOTOS):
            media.append(f"{ijb_name(person, photo)} {10 * person + 1 + photo // 2} {100 * person + min(photo, 2)}")
        names += [10 * person + 1, 10 * person + 2]
    write(path / "ijbx_face_tid_mid.txt", media)
    write(path / "ijbx_template_pair_label.txt",
          [f"{a} {b} {int(a // 10 == b // 10)}" for a in names for b in names if a < b])
    for name, people in (("G1", range(4)), ("G2", range(4, 7))):
        write(path / f"ijbx_1N_gallery_{name}.csv", ["TEMPLATE_ID,SUBJECT_ID,FILENAME,SIGHTING_ID", *(
            f"{10 * person + 1},{person},img/{photo}.png,{photo}" for person in people for photo in range(2))])
    write(path / "ijbx_1N_probe_mixed.csv", ["TEMPLATE_ID,SUBJECT_ID,FILENAME,SIGHTING_ID", *(
        f"{10 * person + 2},{person},frames/{photo}.png,{photo}" for person in range(PEOPLE) for photo in range(2, 4))])
    return path


# --- IJB-A: split s has people s, s+1, ... (5 of them); gallery without the last ------------------------------------
def ijb_a_crops(crops):
    return {f"img/{person}_{photo}.JPG": crops[person, photo] for person in range(PEOPLE) for photo in range(PHOTOS)}


def write_ijb_a(path):
    for number in range(1, 11):
        split = path / f"split{number}"
        split.mkdir(parents=True)
        people = [(number + step) % PEOPLE for step in range(5)]
        rows = {half: [f"{10 * person + half},{person},img/{person}_{photo}.JPG,{9 * person + photo},7,"
                       for person in people for photo in (2 * half, 2 * half + 1)] for half in (0, 1)}
        header = HEADER.format(file="FILE")
        write(split / f"verify_metadata_{number}.csv", [header, *rows[0], *rows[1]])
        write(split / f"verify_comparisons_{number}.csv",
              [f"{10 * a},{10 * b + 1}" for a in people for b in people])
        write(split / f"search_gallery_{number}.csv", [header, *rows[0][:-2]])
        write(split / f"search_probe_{number}.csv", [header, *rows[1]])
    return path


# --- YouTube Faces: two videos of two frames each --------------------------------------------------------------------
def youtube_crops(crops):
    return {f"Person_{person}/{photo // 2}/{photo // 2}.{photo}.jpg": crops[person, photo]
            for person in range(PEOPLE) for photo in range(PHOTOS)}


def write_youtube(path):
    lines = ["split number, pair number, first name, second name, is same"]
    for fold in range(1, 11):
        for pair in range(4):
            a, is_same = (fold + pair) % PEOPLE, pair < 2
            b = a if is_same else (a + 1 + fold % 3) % PEOPLE
            lines.append(f"{fold}, {pair + 1}, Person_{a}/0, Person_{b}/1, {int(is_same)}")
    write(path, lines)
    return path


def write(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
