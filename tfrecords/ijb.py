"""Reads the protocols of IJB-A, and of IJB-B and IJB-C in the packing that people pass on ("IJB_release").

- IJB-B, IJB-C (Whitelam et al. 2017, CVPRW; Maze et al. 2018, ICB): `*_face_tid_mid.txt` with lines
  `image set medium`; `*_template_pair_label.txt` with lines `set set 1-or-0`; for searches `*_1N_gallery_*.csv` and
  `*_1N_probe_*.csv`, with a header that has TEMPLATE_ID and SUBJECT_ID (their media come from the first list).
- IJB-A (Klare et al. 2015, CVPR): folders `split1` to `split10`, each with `verify_metadata_1.csv` (a header with
  TEMPLATE_ID, SUBJECT_ID, FILE, MEDIA_ID), `verify_comparisons_1.csv` (lines `set,set`), or `search_gallery_1.csv` and
  `search_probe_1.csv`, or all four; both of its distributions have these folders, put into one another or apart.
"""

import array
import csv
from pathlib import Path

import numpy as np

from tfrecords.mediasets import (
    MediaSets,
    Protocol,
    Search,
    SetPairs,
    Split,
    check_media_name,
    check_pairs,
    named,
    numbered_lines,
)

NUM_SPLITS = 10
_MEDIA, _PAIRS, _GALLERY, _PROBE = ("*_face_tid_mid.txt", "*_template_pair_label.txt", "*_1N_gallery_*.csv",
                                    "*_1N_probe_*.csv")


def is_ijb(path):
    """True for a folder with a media list of IJB-B or IJB-C."""
    return any(Path(path).glob(_MEDIA))


def is_ijb_a(path):
    """True for a folder with splits of IJB-A."""
    return any(Path(path).glob("split*/*.csv"))


def read_ijb(path):
    """Reads IJB-B or IJB-C: a folder with the lists named above.

    Each gallery is searched by all probes: a probe whose subject is not in it has no mate there. Where there are
    several galleries, they are searched together as well.

    Raises:
        ValueError: a line of another shape, a set without media, or nothing to do; the line is named.
    """
    path = Path(path)
    media_list = _one(path, _MEDIA)
    pair_lists, galleries, probes = (sorted(path.glob(pattern)) for pattern in (_PAIRS, _GALLERY, _PROBE))
    if not pair_lists and not (galleries and probes):
        raise ValueError(f"{path} has neither {_PAIRS} nor {_GALLERY} with {_PROBE}, so there is nothing to evaluate")
    sets = _read_media_list(media_list)
    number = {name: place for place, name in enumerate(sets.names)}
    pairs = _read_pair_list(_one(path, _PAIRS), number) if pair_lists else None
    searches = []
    if galleries and probes:
        members = {file: _read_subjects(file, number, sets.subjects) for file in (*galleries, *probes)}
        together = np.concatenate([members[file] for file in probes])
        for file in galleries:
            both = np.intersect1d(members[file], together)
            if len(both):
                raise ValueError(f"{len(both):,} sets of {file} are probes as well "
                                 f"({named(sets.names[i] for i in both)}), so they would find themselves; use an "
                                 f"unharmed copy of the lists")
            searches.append(Search(file.stem.rpartition("_")[2], members[file], together))
        if len(galleries) > 1:
            searches.append(Search("+".join(search.name for search in searches),
                                   np.concatenate([members[file] for file in galleries]), together))
    files = (media_list, *pair_lists, *(galleries + probes if searches else ()))
    name = media_list.name.removesuffix(_MEDIA[1:])
    return Protocol(name, files, (Split(name, sets, pairs, tuple(searches)),))


def read_ijb_a(path):
    """Reads IJB-A: a folder with `split1` to `split10`, all of which must be there.

    Raises:
        ValueError: a split or a file that is missing, a line of another shape, or a set without media.
    """
    path = Path(path)
    missing = [f"split{number}" for number in range(1, NUM_SPLITS + 1) if not (path / f"split{number}").is_dir()]
    if missing:
        raise ValueError(f"{path} lacks {', '.join(missing)}; the numbers of IJB-A are means over its ten splits")
    files, splits = [], []
    for number in range(1, NUM_SPLITS + 1):
        split, read = _read_split(path / f"split{number}", number)
        splits.append(split)
        files += read
    kinds = {(split.pairs is None, len(split.searches)) for split in splits}
    if len(kinds) > 1:
        raise ValueError(f"{path}: some splits lack files that others have (verify_comparisons_*.csv or "
                         f"search_gallery_*.csv); use a whole copy of the protocol")
    return Protocol("ijba", tuple(files), tuple(splits))


def _read_split(path, number):
    """(Split, files read) of IJB-A; sets of verification and of search are apart, for they may share names."""
    verify = [path / f"verify_metadata_{number}.csv", path / f"verify_comparisons_{number}.csv"]
    search = [path / f"search_gallery_{number}.csv", path / f"search_probe_{number}.csv"]
    lists = [files for files in (verify, search) if any(file.exists() for file in files)]
    gone = [file.name for files in lists or [verify] for file in files if not file.is_file()]
    if gone:
        raise ValueError(f"{path} lacks {', '.join(gone)}; use a whole copy of the protocol")
    builder, pairs, searches = _Builder(), None, ()
    if verify in lists:
        number_of = builder.add_file(verify[0])
        pairs = _read_comparisons(verify[1], number_of, builder.subjects)
    if search in lists:
        gallery, probes = (np.array(list(builder.add_file(file).values())) for file in search)
        searches = (Search("gallery", gallery, probes),)
    return Split(path.name, builder.finish(), pairs, searches), [file for files in lists for file in files]


class _Builder:
    """Collects sets and their media from one or several lists."""

    def __init__(self):
        self.names, self.subjects, self.keys, self.sets, self.media = [], [], [], array.array("q"), array.array("q")
        self._media = {}

    def add_set(self, name, subject=""):
        self.names.append(name)
        self.subjects.append(subject)
        return len(self.names) - 1

    def add_medium(self, place, key, medium):
        self.keys.append(key)
        self.sets.append(place)
        self.media.append(self._media.setdefault(medium, len(self._media)))

    def add_file(self, path):
        """Adds a list of IJB-A; returns the numbers of its sets by name."""
        numbers = {}
        for line, (name, subject, key, medium) in _columns(path, "TEMPLATE_ID", "SUBJECT_ID", "FILE", "MEDIA_ID"):
            check_media_name(path, line, key)
            if name not in numbers:
                numbers[name] = self.add_set(name, subject)
            elif self.subjects[numbers[name]] != subject:
                raise ValueError(f"{path}, line {line}: set {name!r} shows subject {subject!r}, but above it shows "
                                 f"{self.subjects[numbers[name]]!r}")
            self.add_medium(numbers[name], key, medium)
        if not numbers:
            raise ValueError(f"{path} lists no media")
        return numbers

    def finish(self):
        return MediaSets(self.names, self.subjects, self.keys, np.array(self.sets, np.int64),
                         np.array(self.media, np.int64))


def _read_media_list(path):
    builder, numbers = _Builder(), {}
    for line, text in numbered_lines(path):
        fields = text.split()
        if len(fields) != 3:
            raise ValueError(f"{path}, line {line}: expected image, set, medium; got {text!r}")
        key, name, medium = fields
        check_media_name(path, line, key)
        if name not in numbers:
            numbers[name] = builder.add_set(name)
        builder.add_medium(numbers[name], key, medium)
    if not numbers:
        raise ValueError(f"{path} lists no media")
    return builder.finish()


def _read_pair_list(path, number):
    """IJB-C has 15.7 million lines: compact arrays, no list of strings."""
    a, b, same, lines, unknown = array.array("i"), array.array("i"), bytearray(), array.array("i"), {}
    for line, text in numbered_lines(path):
        fields = text.split()
        if len(fields) != 3 or fields[2] not in ("0", "1"):
            raise ValueError(f"{path}, line {line}: expected set, set, 1 or 0; got {text!r}")
        places = [number.get(name, -1) for name in fields[:2]]
        if -1 in places:
            unknown.update({name: line for name in fields[:2] if name not in number and name not in unknown})
        a.append(places[0])
        b.append(places[1])
        same.append(fields[2] == "1")
        lines.append(line)
    _refuse_unknown(path, unknown)
    return _pairs(path, a, b, same, lines, list(number))


def _read_comparisons(path, number, subjects):
    """IJB-A's pairs: the subjects say which are genuine."""
    a, b, lines, unknown = array.array("i"), array.array("i"), array.array("i"), {}
    for line, text in numbered_lines(path):
        fields = [field.strip() for field in text.split(",")]
        if len(fields) != 2:
            raise ValueError(f"{path}, line {line}: expected set,set; got {text!r}")
        unknown.update({name: line for name in fields if name not in number and name not in unknown})
        a.append(number.get(fields[0], -1))
        b.append(number.get(fields[1], -1))
        lines.append(line)
    _refuse_unknown(path, unknown)
    same = bytearray(subjects[first] == subjects[second] for first, second in zip(a, b, strict=True))
    return _pairs(path, a, b, same, lines, list(number))


def _pairs(path, a, b, same, lines, names):
    a, b, lines = np.array(a, np.int32), np.array(b, np.int32), np.array(lines, np.int32)
    same = np.frombuffer(bytes(same), np.uint8).astype(bool)
    return SetPairs(a, b, same, check_pairs(path, a, b, same, lines, names))


def _read_subjects(path, number, subjects):
    """Numbers of the sets of a gallery's or probes' list, each once; writes down whom they show."""
    places, unknown = {}, {}
    for line, (name, subject) in _columns(path, "TEMPLATE_ID", "SUBJECT_ID"):
        if name not in number:
            unknown.setdefault(name, line)
            continue
        place = number[name]
        if subjects[place] not in ("", subject):
            raise ValueError(f"{path}, line {line}: set {name!r} shows subject {subject!r}, but elsewhere it shows "
                             f"{subjects[place]!r}")
        subjects[place] = subject
        places[place] = None
    _refuse_unknown(path, unknown)
    if not places:
        raise ValueError(f"{path} lists no sets")
    return np.array(list(places), np.int64)


def _refuse_unknown(path, unknown):
    if unknown:
        name, line = next(iter(unknown.items()))
        raise ValueError(f"{path}, line {line}: set {name!r} has no media in the protocol's media list, as have "
                         f"{len(unknown) - 1:,} other sets ({named(list(unknown)[1:]) or 'none'}); is it the list of "
                         f"another version?")


def _columns(path, *wanted):
    """Yields (line, the wanted fields) of a CSV with a header."""
    header = None
    for line, text in numbered_lines(path):
        fields = _fields(path, line, text)
        if header is None:
            header = fields
            lacking = [name for name in wanted if name not in header]
            if lacking:
                raise ValueError(f"{path}, line {line}: the header lacks {', '.join(lacking)}; got {text!r}")
            places = [header.index(name) for name in wanted]
        elif len(fields) <= max(places) or not all(fields[place] for place in places):
            raise ValueError(f"{path}, line {line}: expected {', '.join(wanted)} and the rest of the header's columns; "
                             f"got {text!r}")
        else:
            yield line, [fields[place] for place in places]


def _fields(path, line, text):
    try:
        return [field.strip() for field in next(csv.reader([text]))]
    except csv.Error as error:
        raise ValueError(f"{path}, line {line} is no line of CSV ({error})") from error


def _one(path, pattern):
    files = sorted(path.glob(pattern))
    if len(files) != 1:
        raise ValueError(f"{path} has {len(files)} files {pattern} ({named(file.name for file in files)}), expected "
                         f"one; give each protocol its folder")
    return files[0]
