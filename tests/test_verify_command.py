"""verify.py as a person calls it."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import verify
from align.config import AlignConfig, Detection
from evaluation.benchmark import pair_scores
from evaluation.card import model_hash, read_card, write_card
from evaluation.embed import embed, embed_crops, fuse, load_model
from tests.evaluation.runs import key, make_benchmark, make_model, make_run, save_model
from tfrecords.benchmark import read_pairs
from tfrecords.template import get_template


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_benchmark(tmp_path_factory.mktemp("drawn") / "small")


@pytest.fixture
def run(tmp_path):
    return with_threshold(make_run(tmp_path / "run"), 0.5)


def with_threshold(run, threshold, **changes):
    point = {"far": 0.01, "threshold": threshold, "tar": 0.9, "allowed": 30, "false_accepts": 29, "impostors": 3000,
             "among": "pairs"}
    write_card(run, {**read_card(run), "thresholds": {"abc": [point | changes]},
                     "results": {"abc": {"benchmark": "lfw", "model_sha256": model_hash(run)}}})
    return run


@pytest.fixture
def from_small(monkeypatch, small):
    """Photographs are named by the benchmark's keys and are aligned already."""
    monkeypatch.setattr(verify, "aligned", lambda paths, recipe: [small.crop(small.keys.index(path)) for path in paths])


def call(*words):
    return verify.main([str(word) for word in words])


def refused(capsys, *words):
    assert call(*words) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("verify.py: ")
    assert told.err.count("\n") == 1
    return told.err


# --- answers ---------------------------------------------------------------------------------------------------------
def test_same_and_not_the_same(run, from_small, capsys):
    assert call(run, key(1, 0), key(1, 1)) == 0
    same = capsys.readouterr().out.splitlines()
    assert same[-1] == "same"
    assert "threshold 0.5000 (FAR 0.01: on lfw it accepts 29 of 3,000 impostor pairs)" in same[0]
    assert call(run, key(1, 0), key(2, 0)) == 0   # no is an answer, not an error
    assert capsys.readouterr().out.splitlines()[-1] == "not the same"


def test_the_score_is_that_of_the_benchmark(run, small, from_small, capsys):
    pairs = read_pairs(small)
    scores = pair_scores(fuse(*embed(load_model(run), small), "flip_concatenate"), pairs)
    for place in (0, 15):
        call(run, small.keys[pairs.a[place]], small.keys[pairs.b[place]])
        told = capsys.readouterr().out
        assert abs(float(told.split()[1].rstrip(",")) - scores[place]) <= 6e-5


def test_the_threshold_decides(run, from_small, capsys):
    call(run, key(3, 0), key(3, 0))
    assert "score 1.0000" in capsys.readouterr().out
    for threshold, answer in ((0.999999, "same"), (1.000001, "not the same")):
        call(with_threshold(run, threshold), key(3, 0), key(3, 0))
        assert capsys.readouterr().out.splitlines()[-1] == answer


def test_a_far_that_rests_on_no_false_accept_is_not_promised(run, from_small, capsys):
    call(with_threshold(run, 0.5, allowed=0, false_accepts=0, impostors=20), key(1, 0), key(1, 1))
    told = capsys.readouterr().out
    assert "too few pairs to show a FAR of 0.01: on lfw it accepts 0 of 20 impostor pairs" in told


def test_a_score_equal_to_the_threshold_is_accepted(run, small, from_small, capsys):
    crops = [small.crop(small.keys.index(key(person, 0))) for person in (1, 2)]
    first, second = fuse(*embed_crops(load_model(run), crops, names="ab"), "flip_concatenate")
    for threshold, answer in ((float(first @ second), "same"), (np.nextafter(first @ second, 2), "not the same")):
        call(with_threshold(run, float(threshold)), key(1, 0), key(2, 0))
        assert capsys.readouterr().out.splitlines()[-1] == answer


# --- refusals --------------------------------------------------------------------------------------------------------
def test_runs_without_a_threshold_that_fits(tmp_path, run, from_small, capsys):
    bare = make_run(tmp_path / "bare")
    told = refused(capsys, bare, "a", "b")
    assert f"python evaluate.py {bare} --benchmarks DATA" in told
    assert "no threshold for a FAR of 0.001; it has those for 0.01" in refused(capsys, run, "a", "b", "--far", 0.001)
    assert "no threshold of benchmark 'cfp'" in refused(capsys, run, "a", "b", "--benchmark", "cfp")
    assert "no run folder" in refused(capsys, tmp_path / "none", "a", "b")
    save_model(make_model(seed=1), run)
    assert "measured with another model.keras" in refused(capsys, run, "a", "b")


@pytest.mark.parametrize("words", [(), ("run",), ("run", "a"), ("run", "a", "b", "c")])
def test_a_run_and_two_photographs(words, capsys):
    assert "expected a run folder and two photographs" in refused(capsys, *words)


def test_a_far_out_of_range(run, capsys):
    with pytest.raises(SystemExit) as stop:
        call(run, "a", "b", "--far", "1")
    assert stop.value.code == 2
    assert "far is 1.0, expected a rate between 0 and 1" in capsys.readouterr().err


# --- photographs -----------------------------------------------------------------------------------------------------
def draw_photograph(path, *, shift=(40, 30)):
    """Writes a picture that holds a crop of the template, moved by `shift` (x, y); returns the crop."""
    template = get_template("112x96")
    coarse = np.random.default_rng(0).integers(0, 256, (7, 6, 3)).astype(np.uint8)
    crop = cv2.resize(coarse, (template.width, template.height), interpolation=cv2.INTER_CUBIC)
    picture = np.full((200, 220, 3), 90, np.uint8)
    picture[shift[1]:shift[1] + template.height, shift[0]:shift[0] + template.width] = crop
    cv2.imwrite(str(path), picture[:, :, ::-1])
    return crop


def faces_at(*shifts, bend=0.0):
    """A Detector's class that finds the template's landmarks moved by each shift."""
    points = np.array(get_template("112x96").points)
    landmarks = np.array([points + shift + bend * np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [1, 1]])
                          for shift in shifts]).reshape(-1, 5, 2)
    boxes = np.array([[*shift, shift[0] + 96, shift[1] + 112] for shift in shifts], float).reshape(-1, 4)
    faces = SimpleNamespace(boxes=boxes, scores=np.full(len(shifts), 0.9), landmarks=landmarks)
    return lambda settings: SimpleNamespace(search_for_choice=lambda images, choice: [faces for _ in images])


def test_a_photograph_becomes_the_crop_around_the_chosen_face(tmp_path, monkeypatch):
    crop = draw_photograph(tmp_path / "a b ä.png")
    monkeypatch.setattr("align.detector.Detector", faces_at((150, 120), (40, 30)))   # the second is more central
    [found] = verify.aligned([tmp_path / "a b ä.png"], {"drawn": True})
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - crop).mean() < 3   # JPEG
    assert np.abs(found.astype(int) - crop[:, :, ::-1]).mean() > 20


def test_the_crop_is_made_by_the_recipe_of_the_benchmark(tmp_path, monkeypatch):
    crop = draw_photograph(tmp_path / "a.png")
    settings = []
    maker = faces_at((150, 120), (40, 30))
    monkeypatch.setattr("align.detector.Detector", lambda detection: settings.append(detection) or maker(detection))
    recipe = AlignConfig(choice="most_confident", detection=Detection(min_face=40), quality=30)
    [found] = verify.aligned([tmp_path / "a.png"], dataclasses.asdict(recipe))
    assert settings == [Detection(min_face=40)]
    assert np.abs(found.astype(int) - crop).mean() > 20   # the first of two equal scores, not the central face


@pytest.mark.parametrize("recipe", [
    {"detection": {"least_face": 20}}, {"detection": {"min_face": "x"}}, {"quality": None}])
def test_a_recipe_of_another_program_is_named(tmp_path, recipe):
    with pytest.raises(ValueError, match="alignment settings of the benchmark are not this program's"):
        verify.aligned([tmp_path / "a.png"], recipe)


@pytest.mark.parametrize(("shifts", "bend"), [((), 0), (((40, 30),), 60)])
def test_photographs_without_a_face_or_with_landmarks_that_fit_none(tmp_path, run, monkeypatch, capsys, shifts, bend):
    draw_photograph(tmp_path / "a.png")
    monkeypatch.setattr("align.detector.Detector", faces_at(*shifts, bend=bend))
    text = refused(capsys, run, tmp_path / "a.png", tmp_path / "a.png")
    assert f"photograph is '{tmp_path / 'a.png'}'" in text
    assert "expected one with a face: none was found that fits the template" in text


@pytest.mark.parametrize(("content", "told"), [(b"", "is empty (0 bytes)"), (b"GIF89a", "cannot be decoded"),
                                               (None, "cannot be opened")])
def test_unreadable_photographs(tmp_path, run, capsys, content, told):
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    assert f"{path} {told}" in refused(capsys, run, path, path)


def test_no_face_by_the_real_detector_in_a_process_of_its_own(tmp_path, run):
    cv2.imwrite(str(tmp_path / "sky.png"), np.full((80, 90, 3), 200, np.uint8))
    done = subprocess.run([sys.executable, "verify.py", run, tmp_path / "sky.png", tmp_path / "sky.png"],
                          cwd=Path(verify.__file__).parent, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (f"verify.py: photograph is '{tmp_path / 'sky.png'}', expected one with a face: none was "
                           f"found that fits the template\n")
