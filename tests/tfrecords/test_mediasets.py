"""Protocols of media sets: what the real files mean, and one sentence for every fault in them."""

from collections import Counter

import numpy as np
import pytest

from tests.datasets import make_folder
from tests.evaluation.protocols import write, write_folder, write_ijb, write_ijb_a, write_youtube
from tfrecords.ijb import read_ijb, read_ijb_a
from tfrecords.mediasets import MediaSets, check_pairs, locate
from tfrecords.setprotocols import read_protocol
from tfrecords.youtube import read_youtube

BLACK = np.zeros((112, 96, 3), np.uint8)


def change(path, old, new, *, count=1):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, count))


def members(sets, name):
    place = sets.names.index(name)
    return [(key, medium) for key, of, medium in zip(sets.keys, sets.sets, sets.media, strict=True) if of == place]


# --- IJB-B, IJB-C ----------------------------------------------------------------------------------------------------
@pytest.fixture
def ijb(tmp_path):
    return write_ijb(tmp_path / "meta")


def test_ijb(ijb):
    protocol = read_protocol(ijb, None)
    split, = protocol.splits
    assert (protocol.name, split.name, len(protocol.files)) == ("ijbx", "ijbx", 5)
    sets = split.sets
    assert sets.names[:3] == ["1", "2", "11"]
    assert sets.subjects[:3] == ["0", "0", "1"]
    (first, one), (second, other) = members(sets, "11")
    assert (first, second) == ("5.jpg", "6.jpg")
    assert one != other
    assert len({medium for _, medium in members(sets, "12")}) == 1   # two frames of a video
    pairs = split.pairs
    assert (len(pairs.a), int(pairs.same.sum()), pairs.num_repeated, pairs.fold) == (120, 8, 0, None)
    named = [(sets.names[a], sets.names[b]) for a, b in zip(pairs.a, pairs.b, strict=True)]
    assert named[:3] == [("1", "2"), ("1", "11"), ("1", "12")]
    assert pairs.same[:3].tolist() == [True, False, False]
    assert [search.name for search in split.searches] == ["G1", "G2", "G1+G2"]
    assert [[sets.names[place] for place in search.gallery] for search in split.searches] == [
        ["1", "11", "21", "31"], ["41", "51", "61"], ["1", "11", "21", "31", "41", "51", "61"]]
    assert all([sets.names[place] for place in search.probes] == [f"{person}2" for person in ("", *range(1, 8))]
               for search in split.searches)


def test_ijb_without_a_part(ijb):
    for file in ijb.glob("*_1N_*"):
        file.unlink()
    assert read_ijb(ijb).splits[0].searches == ()
    write_ijb(ijb.parent / "other")
    (ijb.parent / "other" / "ijbx_template_pair_label.txt").unlink()
    split, = read_ijb(ijb.parent / "other").splits
    assert split.pairs is None
    assert len(split.searches) == 3


def test_windows_ends_and_blank_lines(ijb):
    pairs = ijb / "ijbx_template_pair_label.txt"
    expected = read_ijb(ijb).splits[0].pairs
    pairs.write_bytes(b"\xef\xbb\xbf" + pairs.read_bytes().replace(b"\n", b"\r\n\r\n"))
    assert read_ijb(ijb).splits[0].pairs.a.tolist() == expected.a.tolist()
    change(pairs, "1 11 0", "1 11 5")
    with pytest.raises(ValueError, match=r"label.txt, line 3: expected set, set, 1 or 0; got '1 11 5'"):
        read_ijb(ijb)


MEDIA, PAIRS = "ijbx_face_tid_mid.txt", "ijbx_template_pair_label.txt"
GALLERY, PROBE = "ijbx_1N_gallery_G1.csv", "ijbx_1N_probe_mixed.csv"


@pytest.mark.parametrize(("file", "old", "new", "told"), [
    (MEDIA, "2.jpg 1 1", "2.jpg 1", r"tid_mid.txt, line 2: expected image, set, medium; got '2.jpg 1'"),
    (MEDIA, "2.jpg", "../2.jpg", r"line 2: '../2.jpg' is no file within the folder of media"),
    (MEDIA, "2.jpg", "/2.jpg", r"line 2: '/2.jpg' is no file within"),
    (PAIRS, "1 2 1", "1 2", r"label.txt, line 1: expected set, set, 1 or 0; got '1 2'"),
    (PAIRS, "1 12 0", "1 77 0", r"label.txt, line 3: set '77' has no media in .* as have 0 other sets \(none\)"),
    (PAIRS, "1 12 0", "77 78 0", r"line 3: set '77' has no media in .* as have 1 other sets \('78'\)"),
    (PAIRS, "1 12 0", "1 1 0", r"line 3: set '1' is paired with itself"),
    (PAIRS, "1 12 0", "2 1 0", r"lines 1 and 3: sets '1' and '2' are called the same person and different people"),
    (GALLERY, "SUBJECT_ID", "SUBJECT", r"G1.csv, line 1: the header lacks SUBJECT_ID; got"),
    (GALLERY, "1,0,img/0.png,0", "1", r"G1.csv, line 2: expected TEMPLATE_ID, SUBJECT_ID and the rest"),
    (GALLERY, "1,0,img/0.png,0", "1,,img/0.png,0", r"G1.csv, line 2: expected TEMPLATE_ID, SUBJECT_ID and the rest"),
    (GALLERY, "11,1,", "99,1,", r"G1.csv, line 4: set '99' has no media"),
    (GALLERY, "11,1,", "11,2,", r"G1.csv, line 5: set '11' shows subject '1', but elsewhere it shows '2'"),
    (PROBE, "2,0,", "1,0,", r"1 sets of .*G1.csv are probes as well \('1'\)"),
])
def test_faults_of_ijb(ijb, file, old, new, told):
    change(ijb / file, old, new)
    with pytest.raises(ValueError, match=told):
        read_ijb(ijb)


def test_faults_of_a_whole_list(ijb):
    write(ijb / PAIRS, [])
    with pytest.raises(ValueError, match=r"label\.txt lists no pairs"):
        read_ijb(ijb)
    write(ijb / GALLERY, ["TEMPLATE_ID,SUBJECT_ID"])
    (ijb / PAIRS).unlink()
    with pytest.raises(ValueError, match=r"G1\.csv lists no sets"):
        read_ijb(ijb)
    write(ijb / MEDIA, [])
    with pytest.raises(ValueError, match=r"mid\.txt lists no media"):
        read_ijb(ijb)
    (ijb / MEDIA).write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"mid\.txt is not UTF-8 text"):
        read_ijb(ijb)
    write(ijb / "ijby_face_tid_mid.txt", [])
    with pytest.raises(ValueError, match=r"2 files \*_face_tid_mid\.txt \('ijbx_face_tid_mid\.txt', 'ijby"):
        read_ijb(ijb)
    (ijb / "ijby_face_tid_mid.txt").unlink()
    for file in ijb.glob("*_1N_gallery*"):
        file.unlink()
    with pytest.raises(ValueError, match="so there is nothing to evaluate"):
        read_ijb(ijb)


def test_a_giant_field(ijb):
    write(ijb / GALLERY, ["TEMPLATE_ID,SUBJECT_ID", '1,"' + "x" * 200_000 + '"'])
    with pytest.raises(ValueError, match=r"G1\.csv, line 2 is no line of CSV"):
        read_ijb(ijb)


def test_repeated_pairs_are_counted_as_listed(ijb):
    """In either order; a third time counts twice."""
    with open(ijb / PAIRS, "a") as file:
        file.write("2 1 1\n1 2 1\n1 11 0\n")
    pairs = read_ijb(ijb).splits[0].pairs
    assert (len(pairs.a), pairs.num_repeated) == (123, 3)


def test_repeated_pairs_by_brute_force():
    draw = np.random.default_rng(0)
    a = draw.integers(0, 5, 60)
    b = (a + draw.integers(1, 5, 60)) % 5
    same = (a + b) % 2 == 0
    counts = Counter(frozenset(pair) for pair in zip(a.tolist(), b.tolist(), strict=True))
    assert check_pairs("x", a, b, same, range(60), list("abcde")) == sum(n - 1 for n in counts.values())


# --- IJB-A -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def ijb_a(tmp_path):
    return write_ijb_a(tmp_path / "sets")


def test_ijb_a(ijb_a):
    protocol = read_protocol(ijb_a, None)
    assert [split.name for split in protocol.splits] == [f"split{number}" for number in range(1, 11)]
    assert len(protocol.files) == 40
    split = protocol.splits[0]
    pairs, sets, (search,) = split.pairs, split.sets, split.searches
    named = [(sets.names[a], sets.names[b]) for a, b in zip(pairs.a, pairs.b, strict=True)]
    assert named[:3] == [("10", "11"), ("10", "21"), ("10", "31")]
    assert pairs.same.tolist() == [a[:-1] == b[:-1] for a, b in named]
    assert [sets.names[place] for place in search.gallery] == ["10", "20", "30", "40"]
    assert [sets.names[place] for place in search.probes] == ["11", "21", "31", "41", "51"]
    assert not set(search.gallery) & {*pairs.a, *pairs.b}   # names stand for sets of one list only
    keys = [key for key, of in zip(sets.keys, sets.sets, strict=True) if of == search.gallery[0]]
    assert keys == ["img/1_0.JPG", "img/1_1.JPG"]


def test_ijb_a_verification_or_search_alone(ijb_a):
    for file in ijb_a.glob("split*/verify_*.csv"):
        file.unlink()
    assert all(split.pairs is None and len(split.searches) == 1 for split in read_ijb_a(ijb_a).splits)


@pytest.mark.parametrize(("file", "old", "new", "told"), [
    ("split3/verify_comparisons_3.csv", "30,31", "30,31,1", r"comparisons_3.csv, line 1: expected set,set; got"),
    ("split3/verify_comparisons_3.csv", "30,41", "30,5", r"comparisons_3.csv, line 2: set '5' has no media"),
    ("split3/verify_metadata_3.csv", "30,3,img/3_1.JPG", "30,4,img/3_1.JPG",
     r"metadata_3.csv, line 3: set '30' shows subject '4', but above it shows '3'"),
    ("split3/verify_metadata_3.csv", "MEDIA_ID", "MEDIA", r"metadata_3.csv, line 1: the header lacks MEDIA_ID"),
    ("split3/search_probe_3.csv", "img/3_2.JPG", "img/../../3_2.JPG", r"search_probe_3.csv, line 2: .* is no file"),
])
def test_faults_of_ijb_a(ijb_a, file, old, new, told):
    change(ijb_a / file, old, new)
    with pytest.raises(ValueError, match=told):
        read_ijb_a(ijb_a)


def test_ijb_a_is_whole(ijb_a):
    (ijb_a / "split2" / "search_probe_2.csv").unlink()
    with pytest.raises(ValueError, match=r"split2 lacks search_probe_2\.csv"):
        read_ijb_a(ijb_a)
    (ijb_a / "split2" / "search_gallery_2.csv").unlink()
    with pytest.raises(ValueError, match="some splits lack files that others have"):
        read_ijb_a(ijb_a)
    write(ijb_a / "split1" / "verify_metadata_1.csv", ["TEMPLATE_ID,SUBJECT_ID,FILE,MEDIA_ID"])
    with pytest.raises(ValueError, match=r"metadata_1\.csv lists no media"):
        read_ijb_a(ijb_a)
    (ijb_a / "split7").rename(ijb_a / "seven")
    with pytest.raises(ValueError, match=r"lacks split7; the numbers of IJB-A are means over its ten splits"):
        read_ijb_a(ijb_a)


# --- YouTube Faces ---------------------------------------------------------------------------------------------------
@pytest.fixture
def youtube(tmp_path):
    folder = write_folder(tmp_path / "data", {f"Person_{person}/{video}/{video}.{frame}.jpg": BLACK
                                              for person in range(8) for video in range(2) for frame in range(2)},
                          left_out=["Person_3/0/0.1.jpg"])
    return write_youtube(tmp_path / "splits.txt"), folder


def test_youtube(youtube):
    split, = read_protocol(*youtube).splits
    assert split.name == "youtube-splits"
    sets, pairs = split.sets, split.pairs
    assert sorted(members(sets, "Person_3/0"))[1][0] == "Person_3/0/0.1.jpg"   # without a crop, but of the video
    assert len({medium for _, medium in members(sets, "Person_3/0")}) == 1
    assert sets.subjects[sets.names.index("Person_3/0")] == "Person_3"
    assert (pairs.fold == np.repeat(np.arange(10), 4)).all()
    assert pairs.same[:4].tolist() == [True, True, False, False]
    assert [sets.names[pairs.a[1]], sets.names[pairs.b[1]]] == ["Person_2/0", "Person_2/1"]
    located = locate(sets, youtube[1])
    assert {key for key, record in zip(located.keys, located.records, strict=True) if record < 0} == {
        "Person_3/0/0.1.jpg"}


def test_youtube_with_a_sixth_field_and_without_a_header(youtube):
    path, folder = youtube
    expected = read_youtube(path, folder).splits[0].pairs
    lines = path.read_text().splitlines()[1:]
    write(path, [line[:-1] + ("1, " if place % 3 else "0, ") + line[-1] for place, line in enumerate(lines)])
    assert read_youtube(path, folder).splits[0].pairs.same.tolist() == expected.same.tolist()


@pytest.mark.parametrize(("old", "new", "told"), [
    ("1, 1, Person_1/0, Person_1/1, 1", "1, 1, Person_1/0, Person_1/1", r"line 2: expected split, pair, NAME/VIDEO"),
    ("1, 1, Person_1/0, Person_1/1, 1", "1, 1, Person_1/0, Person_1/1, 2", r"line 2: expected split, pair"),
    ("Person_1/0", "Person_1", r"line 2: expected split, pair, NAME/VIDEO"),
    ("Person_1/0", "../x", r"line 2: '../x' is no file within"),
    ("Person_1/0", "Nobody/4", r"1 of 17 videos of .*splits.txt have no frame in .*: 'Nobody/4'; align"),
    ("Person_1/0, Person_1/1, 1", "Person_1/0, Person_1/0, 1", r"line 2: set 'Person_1/0' is paired with itself"),
])
def test_faults_of_youtube(youtube, old, new, told):
    path, folder = youtube
    change(path, old, new)
    with pytest.raises(ValueError, match=told):
        read_youtube(path, folder)


# --- media in a folder -----------------------------------------------------------------------------------------------
def test_media_that_are_not_there(tmp_path):
    folder = make_folder(tmp_path / "data", people=2, photos=4)
    sets = MediaSets(["a"], [""], ["p00/0000.jpg", *(f"p00/{n:04d}.jpg" for n in range(4, 11)), "p00/0004.jpg"],
                     np.zeros(9, int), np.zeros(9, int))
    with pytest.raises(ValueError, match=r"lacks 7 media files of the protocol: ('p00/000\d.jpg', ){4}'p00/0008.jpg' "
                                         r"\.\.\.; align the folder that holds them all: python -m align"):
        locate(sets, folder)


def test_records_of_media(tmp_path):
    """Whole keys, and names below the one folder that all crops are in."""
    pictures = {f"loose_crop/{number}.jpg": BLACK for number in range(5)}
    folder = write_folder(tmp_path / "data", pictures, left_out=["loose_crop/1.jpg"], failed=["loose_crop/3.jpg"])
    for prefix in ("", "loose_crop/"):
        sets = MediaSets(["a"], [""], [f"{prefix}{n}.jpg" for n in (4, 3, 1, 0, 4)], np.zeros(5, int), np.zeros(5, int))
        records = locate(sets, folder).records
        assert [folder.keys[record] if record >= 0 else None for record in records] == [
            "loose_crop/4.jpg", None, None, "loose_crop/0.jpg", "loose_crop/4.jpg"]


def test_names_are_not_guessed_where_crops_lie_in_several_folders(tmp_path):
    folder = write_folder(tmp_path / "data", {"a/1.jpg": BLACK, "b/2.jpg": BLACK})
    with pytest.raises(ValueError, match=r"lacks 1 media files of the protocol: '1\.jpg'; align"):
        locate(MediaSets(["a"], [""], ["1.jpg"], np.zeros(1, int), np.zeros(1, int)), folder)
