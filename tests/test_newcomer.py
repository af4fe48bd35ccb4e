"""What somebody may do wrong on the first day, with every command: one sentence that helps, exit code 2."""

import importlib
import os

import pytest

import train
from base.environment import load_tensorflow
from demo.faces import write_people
from tests.datasets import make_folder
from tests.evaluation.runs import make_benchmark, make_run
from tests.nobody import as_nobody

TINY = ["--network.name", "resface10", "--network.width", "0.125", "--network.embedding_size", "16",
        "--data.batch_size", "2", "--schedule.steps", "1", "--engine.precision", "float32"]
PROGRAMS = {"align": "align.__main__", "train": "train", "evaluate": "evaluate", "verify": "verify",
            "tfrecords": "tfrecords.__main__", "models": "models.__main__", "losses": "losses.__main__"}


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """Everything that one may confuse: name -> path."""
    root = tmp_path_factory.mktemp("there")
    write_people(root / "photos", seed=2, people=1, photos=2)
    (root / "one.csv").write_text("a,b,same,fold\n")
    (root / "empty.csv").write_text("")
    make_folder(root / "data", people=24, photos=2)
    make_folder(root / "single", people=1)
    make_benchmark(root / "bench")
    make_run(root / "run")
    return {path.name: path for path in root.iterdir()} | {
        "photo": root / "photos" / "person-000" / "photo-000.jpg", "person": root / "photos" / "person-000",
        "inside": root / "one.csv" / "x" / "y", "new": root / "new", "tiny": " ".join(TINY), "root": root}


def call(words):
    program, *words = words
    load_tensorflow()
    try:
        return importlib.import_module(PROGRAMS[program]).main(list(map(str, words)))
    except SystemExit as stop:   # options
        return stop.code


@pytest.mark.parametrize(("line", "told"), [
    ("align", "input is '', expected a folder of photographs: --input PHOTOGRAPHS"),
    ("align {photos} {new}", "photos' is a folder, expected a preset file before the options; folders are named by op"),
    ("align {photo} --output {new}", "photo-000.jpg is no text, expected a preset, a YAML file"),
    ("align --input {photos}", "output is '', expected a dataset folder to make: --output DATA"),
    ("align --input {photo} --output {new}", "photo-000.jpg' is a file, expected a folder of photographs; give one by"),
    ("align --input {person} --output {new}", "IDENTITY/PHOTOGRAPH, a folder for each person, with names ending in .jpg"
                                              " .jpeg .png .webp .bmp .tif .tiff; there are 2 photographs in no"),
    ("align --input {photos} --output {one.csv}", "one.csv is a file; name a folder with --output"),
    ("align --input {photos} --output {inside}", "Not a directory; a part of the path is a file; name another place"),
    ("align --input {photos} --output {run}", "run is not empty and was not made by this command; name another folder"),
    ("align --input {photos} --output {photos}", "so its pictures would be taken for photographs; name a folder outs"),
    ("align --input {photos} --output {new} --pairs {empty.csv}", "empty.csv, line 1: expected LFW's `folds pairs`"),
    ("align --input {photos} --output {new} --pairs {one.csv}", "one.csv lists no pairs"),
    ("align --input {photos} --output {new} --pairs {photos}", "photos is a folder, but not CFP"),
    ("align --input {photos} --output {new} --pairs {photo}", "photo-000.jpg is not UTF-8 text"),
    ("align --input {photos} --output {new} --pairs {new}", "new: No such file or directory; look for a slip in the"),
    ("train", "run is '', expected a folder for the run: --run RUN"),
    ("train {data} --run {new}", "data' is a folder, expected a preset file before the options"),
    ("train --run {new} --data.train {photos}", "so it is no dataset folder; if it holds photographs, make one"),
    ("train --run {new} --data.train {run}", "run is a run, expected a dataset folder, as python -m align makes it"),
    ("train --run {new} --data.train {bench}", "expected training data: this is a benchmark, align photographs with"),
    ("train --run {new} --data.train {photo}", "photo-000.jpg' is a file, expected a dataset folder; make one by"),
    ("train --run {new} --data.train {single}", "training needs two: add people, or lower --data.fewest_crops"),
    ("train --run {new} --data.train {data} --data.left_out {photo}", "is not UTF-8 text (invalid start byte at byte 0)"
                                                                      ", expected identities, one a line"),
    ("train --run {new} --data.train {data} --data.benchmarks {run}", "run is a run, expected a dataset folder"),
    ("train --run {data} --data.train {data} {tiny}", "data exists and is no run folder (it has no config.yaml); name"),
    ("train --run {inside} --data.train {data} {tiny}", "Not a directory; a part of the path is a file; name another"),
    ("train --run {new} --data.train {data} {tiny} --loss.name triplet",
     "expected one with a classifier, such as losses.ArcFace() (a loss over pairs goes into losses.PairHead)"),
    ("train --run {new} --data.train {data} {tiny} --loss.name arcface --loss.params.margin 28.6",
     "margin is 28.6, expected an angle in [0, pi/2) radians"),
    ("train --run {new} --data.train {data} {tiny} --loss.params.scale adaptiv", "expected a finite number abov"),
    ("evaluate", "runs is [], expected at least one run folder before the options"),
    ("evaluate {data} --benchmarks {run}", "data is a dataset folder, expected a run folder, as train.py makes it"),
    ("evaluate {run} --benchmarks {run}", "run is a run, expected a dataset folder, as python -m align makes it"),
    ("evaluate {run}/model.keras --benchmarks {bench}", "model.keras' is a file, expected a run folder; make one by"),
    ("evaluate {run} --benchmarks {bench}/pairs.csv", "pairs.csv' is a file, expected a dataset folder; make one by"),
    ("verify", "paths is [], expected a run folder and two photographs before the options"),
    ("verify {photo} {photo} {run}", "photo-000.jpg' is a file, expected a run folder; make one by: python train.py"),
    ("verify {data} {photo} {photo}", "data is a dataset folder, expected a run folder, as train.py makes it"),
    ("tfrecords", "data is [], expected a dataset folder: python -m tfrecords DATA"),
    ("tfrecords {photos}", "photos has no meta.json, so it is no dataset folder; if it holds photographs, make one by"),
    ("tfrecords {data} --hold_out 20 --rich 0", "output is '', expected a folder for people.txt and pairs.csv"),
    ("tfrecords {data} --hold_out 20 --rich 0 --output {one.csv}", "one.csv: File exists; a file stands there; name"),
    ("tfrecords {data} --hold_out 20 --rich 0 --output {inside}", "Not a directory; a part of the path is a file; na"),
    ("tfrecords {data} --hold_out 20 --rich 0 --output {bench}", "bench/pairs.csv is there already and holds some"),
    ("models resface21", "network is 'resface21', expected a known name. Did you mean 'resface20'?"),
    ("losses arcfac", "loss is 'arcfac', expected a known name. Did you mean 'arcface'?"),
])
def test_one_sentence(there, capsys, line, told):
    before = sorted(there["root"].rglob("*"))
    words = [word.replace("{", "").replace("}", "") for word in line.split()]
    words = [there[word] if word in there else word.replace("run/", f"{there['run']}/").replace(
        "bench/", f"{there['bench']}/") for word in words]
    assert call([piece for word in words for piece in (word.split() if word == there["tiny"] else [word])]) == 2
    text = capsys.readouterr().err
    assert told in text
    assert text.count("\n") == 1
    assert sorted(there["root"].rglob("*")) == before   # nothing was made, nothing lost


def test_a_hold_out_overwrites_no_other(there, tmp_path, capsys):
    line = ["tfrecords", there["data"], "--hold_out", 20, "--rich", 0, "--output", tmp_path / "held"]
    assert call(line) == 0
    assert call(line) == 0   # the same again
    assert call([*line, "--seed", 1]) == 2
    assert "people.txt is there already and holds something else; name another folder" in capsys.readouterr().err


def test_home_and_names_with_spaces_and_newlines(there, tmp_path, capsys, monkeypatch):
    home = tmp_path / "my\nhome"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    os.symlink(there["photos"], home / "my photos")
    assert call(["align", "--input=~/my photos", "--output", "~/the data"]) == 0
    assert call(["tfrecords", "~/the data"]) == 0
    assert "the data: training, 112x96, 1 identities, 2 photographs" in capsys.readouterr().out
    assert (home / "the data" / "meta.json").is_file()


def test_people_with_one_crop_are_counted(tmp_path):
    from training.build import lone_crops, open_data
    from training.config import Data, TrainingConfig

    def told(photos, **options):
        path = make_folder(tmp_path / f"{photos}{len(options)}", photos=photos).path
        return lone_crops(open_data(TrainingConfig(data=Data(train=str(path), **options))))

    assert told(1) == ("6 of 6 people have one crop only, which do not show how photographs of one person differ: add "
                       "photographs of them, or leave them out by --data.fewest_crops 2")
    assert told(2) == ""


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")   # Keras writes the model
def test_train_says_it(tmp_path, capsys):
    data = make_folder(tmp_path / "data", photos=1).path
    assert train.main(["--data.train", str(data), "--run", str(tmp_path / "run"), *TINY, "--loss.name", "l2softmax",
                       "--loss.params.alpha", "1"]) == 0
    text = capsys.readouterr().err
    assert "6 of 6 people have one crop only" in text
    assert "alpha is 1, below 3.58: with 6 classes the target's mean probability cannot reach 0.9" in text


def test_where_nobody_may_write(there, open_to_all, capsys):
    for name in ("data", "run", "out"):
        (open_to_all / name).mkdir()
    write_people(open_to_all / "photos", seed=2, people=1, photos=1)
    data, run = make_folder(open_to_all / "data" / "it").path, make_run(open_to_all / "run" / "it")
    bench, out = make_benchmark(open_to_all / "bench").path, open_to_all / "out"
    told = []
    with as_nobody():
        for line in (["align", "--input", open_to_all / "photos", "--output", out / "x"],
                     ["train", "--run", out / "x", "--data.train", data, *TINY],
                     ["evaluate", run, "--benchmarks", bench]):
            told.append((call(line), capsys.readouterr().err))
    assert [code for code, _ in told] == [2, 2, 2]
    for _, text in told[:2]:
        assert f"{out}/x" in text
        assert "Permission denied; give yourself the right to it, or name another place" in text
    assert told[2][1] == f"evaluate.py: run is '{run}', expected a folder that you may write to\n"
