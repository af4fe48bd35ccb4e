"""insightface's .bin benchmarks, honest and hostile."""

import json
import os
import pickle
import pickletools
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

import tfrecords.__main__ as command
from tfrecords.benchmark import read_pairs
from tfrecords.bins import read_bin
from tfrecords.folder import Folder
from tfrecords.unpack import unpack

GOLDEN = json.loads((Path(__file__).parent.parent / "goldens" / "formats.json").read_text())["bin"]
IMAGES = [bytes.fromhex(text) for text in GOLDEN["images_hex"]]


def write(tmp_path, value, protocol=4):
    path = tmp_path / "x.bin"
    path.write_bytes(value if isinstance(value, bytes) else pickle.dumps(value, protocol))
    return path


@pytest.mark.parametrize("name", ["python2_hex", "protocol2_hex", "protocol3_hex", "protocol4_hex", "protocol5_hex"])
def test_goldens(tmp_path, name):
    assert read_bin(write(tmp_path, bytes.fromhex(GOLDEN[name]))) == (IMAGES, GOLDEN["issame"])


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("shape", [(4,), (4, 1)])
@pytest.mark.parametrize("same", [[True, False], [np.bool_(True), np.bool_(False)], np.array([True, False]), (1, 0)])
def test_arrays_and_truth_values_of_numpy(tmp_path, protocol, shape, same):
    arrays = [np.frombuffer(image, np.uint8).reshape(shape).copy() for image in IMAGES]
    assert read_bin(write(tmp_path, (arrays, same), protocol)) == (IMAGES, [True, False])


class Calls:
    """Pickles into a call of anything."""

    def __init__(self, function, *words):
        self.call = function, words

    def __reduce__(self):
        return self.call


class Plain:
    pass


def hostile():
    return {
        "os.system": Calls(os.system, "touch HIT"), "subprocess": Calls(subprocess.call, ["touch", "HIT"]),
        "eval": Calls(eval, "open('HIT', 'w')"), "getattr": Calls(getattr, "a", "upper"),
        "nested": [[Calls(os.mkdir, "HIT")]], "object": Plain(), "dict": {"a": 1}, "set": {1}, "float": 1.5,
        "codec": Calls(__import__("codecs").encode, "a", "rot13"), "objects": np.array([b"a", None], object),
        "floats": np.array([1.0]), "frozenset": frozenset((1,)), "complex": 1j,
    }


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("kind", hostile())
def test_nothing_hostile_is_run_or_made(tmp_path, monkeypatch, protocol, kind):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path, ([hostile()[kind], b"x"], [True]), protocol)
    with pytest.raises(ValueError, match=r"x\.bin (holds|is damaged).*it was not run") as error:
        read_bin(path)
    assert str(error.value).count("\n") == 0
    assert not (tmp_path / "HIT").exists()


def test_the_hostile_golden_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"holds the name posix\.system at byte 5,"):
        read_bin(write(tmp_path, bytes.fromhex(GOLDEN["hostile_hex"])))


def stream(*parts):
    return b"\x80\x02" + b"".join(parts) + b"."


_ARRAY = b"cnumpy.core.numeric\n_frombuffer\n(U\x04abcdcnumpy\ndtype\nU\x02u1\x85R(%stU\x01CtR"


@pytest.mark.parametrize(("data", "words"), [
    (stream(b"ccopyreg\n_reconstructor\n"), r"the name copyreg\._reconstructor"),
    (stream(b"cnumpy\nload\n"), r"the name numpy\.load"),
    (stream(b"(ios\nsystem\n"), "the instruction INST"),
    (stream(b"(o"), "the instruction OBJ"),
    (stream(b"Pname\n"), "the instruction PERSID"),
    (stream(b"\x82\x01"), "the instruction EXT1"),
    (stream(b"cnumpy\nndarray\n)\x81"), "the instruction NEWOBJ"),
    (stream(b"cnumpy\nndarray\n)R"), "a call of ndarray"),
    (stream(b"cnumpy\ndtype\nU\x02O8\x85R"), "a call of dtype"),
    (stream(b"]N]b"), "a state for something that has none"),
    (stream(b"(]]t"), "holds 0 pictures"),
    (stream(_ARRAY % b"K\x05"), "an array of 5 bytes with 4"),
    (stream(_ARRAY % b"K\x01K\x04K\x01"), "an array of 3 dimensions"),
    (b"\x80\x02]", "is damaged"), (b"", "is damaged|cut off"), (b"hello", "is damaged|instruction"),
    (stream(b"U\xff"), "is damaged"), (stream(b"h\x07"), "is damaged"), (stream(b"t"), "is damaged"),
    (stream(b"N"), "holds no couple"),
])
def test_streams_by_hand(tmp_path, data, words):
    with pytest.raises(ValueError, match=words):
        read_bin(write(tmp_path, data))


@pytest.mark.parametrize(("value", "words"), [
    ((IMAGES[:3], [True, False]), "holds 3 pictures for 2 pairs"),
    (([], []), "holds 0 pictures for 0 pairs"),
    ((IMAGES, [2, 0]), "neither true nor false"), ((IMAGES, ["a", b"b"]), "neither true nor false"),
    ((["text"] * 4, [True, False]), "a picture that is no row of bytes"),
    ([1, 2, 3], "holds no couple"), ((1, 2), "holds something else than a list"),
])
def test_other_values(tmp_path, value, words):
    with pytest.raises(ValueError, match=words):
        read_bin(write(tmp_path, value))


def test_damaged_streams_end_in_a_sentence(tmp_path):
    draw = np.random.default_rng(0)
    arrays = [np.frombuffer(image, np.uint8) for image in IMAGES]
    for turn in range(400):
        data = bytearray(pickle.dumps((arrays, [np.bool_(True), False]), 2 + turn % 4))
        for place in draw.integers(0, len(data), 2):
            data[place] = draw.integers(256)
        try:
            read_bin(write(tmp_path, bytes(data)))
        except ValueError as error:
            if "x.bin" not in str(error):
                raise


def crop(number, *, side=112, ending=".jpg"):
    face = np.random.default_rng(number).integers(0, 256, (7, 7, 3)).astype(np.uint8)
    return cv2.imencode(ending, cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC))[1].tobytes()


def benchmark(*, folds=10, ending=".jpg"):
    """A genuine and an impostor pair a fold; both have the picture 3 fold in common."""
    images, same = [], []
    for fold in range(folds):
        a, b, c = (crop(3 * fold + place, ending=ending) for place in range(3))
        images += [a, b, a, c]
        same += [True, False]
    return images, same


def test_a_benchmark_folder(tmp_path, capsys):
    images, same = benchmark()
    path = write(tmp_path, (images, same))
    assert command.main([str(path), "--benchmark", str(tmp_path / "lfw")]) == 0
    assert "30 crops and 20 pairs in ten folds" in capsys.readouterr().out
    folder = Folder.open(tmp_path / "lfw")
    folder.verify()
    assert (folder.meta["kind"], folder.template.name) == ("benchmark", "112x112")
    assert folder.meta["settings"]["people"] == "unknown"
    pairs = read_pairs(folder)
    assert pairs.same.tolist() == same
    assert pairs.fold.tolist() == [place // 2 for place in range(20)]
    for place in range(20):   # the very bytes of the file
        assert folder.record(pairs.a[place]).jpeg == images[2 * place]
        assert folder.record(pairs.b[place]).jpeg == images[2 * place + 1]
    assert {file.name for file in tmp_path.iterdir()} == {"x.bin", "lfw"}


def test_pngs_become_jpegs(tmp_path):
    assert unpack(write(tmp_path, benchmark(ending=".png")), tmp_path / "png") == (30, 20)
    folder = Folder.open(tmp_path / "png")
    original = cv2.imdecode(np.frombuffer(crop(0), np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1].astype(int)
    assert abs(folder.crop(folder.keys.index("unknown/000000.jpg")) - original).mean() < 4   # of the same drawing


def changed(images, same):
    yield images[:4] * 1, same[:2], r"has 2 pairs, expected ten folds of equal size"
    yield images, sorted(same), r"tenth 1 of its pairs, which is fold 1, holds impostor pairs only"
    yield [crop(0, side=96), *images[1:]], same, r"picture of 'unknown/000000\.jpg' .*96x96 pixels where 112x112"
    yield [*images[:5], images[5][:-200], *images[6:]], same, r"'unknown/000005\.jpg' cannot be taken"
    yield [*images[:5], b"text", *images[6:]], same, r"'unknown/000005\.jpg' cannot be taken"
    yield [images[1], *images[1:]], same, r"pair 1: 'unknown/000000\.jpg' is paired with itself, as in 1 of 20 pairs"
    yield [*images[:2], *images[1::-1], *images[4:]], same, r"pair 2: the pair .* is there already in pair 1; 1 of 20"


@pytest.mark.parametrize("place", range(7))
def test_benchmarks_that_are_refused(tmp_path, place):
    images, same, words = list(changed(*benchmark()))[place]
    with pytest.raises(ValueError, match=words):
        unpack(write(tmp_path, (images, same)), tmp_path / "made")
    assert [file.name for file in tmp_path.iterdir()] == ["x.bin"]


def test_nothing_half_written_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("tfrecords.unpack.finish", lambda *words, **rest: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        unpack(write(tmp_path, benchmark()), tmp_path / "made")
    assert [file.name for file in tmp_path.iterdir()] == ["x.bin"]


def test_mistakes_at_the_command(tmp_path, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    path = write(tmp_path, benchmark())
    for words, told in (([tmp_path / "none.bin", "--benchmark", "out"], "there is no file"),
                        ([path, "--benchmark", tmp_path / "full"], "is there already and holds something"),
                        ([tmp_path / "full" / "x", "--benchmark", tmp_path / "out"], "is damaged")):
        assert command.main([str(word) for word in words]) == 2
        told_words = capsys.readouterr().err
        assert told in told_words
        assert told_words.count("\n") == 1
    with pytest.raises(SystemExit):
        command.main([str(path), str(path), "--benchmark", str(tmp_path / "out")])
    assert "one .bin file before it" in capsys.readouterr().err


def test_no_instruction_is_known_that_could_run_something():
    """Of all that pickle has, only what builds values or is refused by name in a table of ours."""
    import tfrecords.bins as bins
    known = bins._VALUES | bins._STRINGS | bins._CONSTANTS.keys() | bins._TUPLES.keys() | bins._PUTS | bins._GETS
    assert known <= {opcode.name for opcode in pickletools.opcodes}
    source = Path(bins.__file__).read_text()
    for word in ("import pickle\n", "pickle.load", "Unpickler", "__import__", "import_module", "getattr(", "eval("):
        assert word not in source
