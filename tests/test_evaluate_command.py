"""evaluate.py as a person calls it."""

import json
import re

import pytest

import evaluate
from evaluation.benchmark import evaluate as measured
from evaluation.card import model_hash, read_card
from evaluation.embed import load_model
from tests.datasets import make_folder
from tests.evaluation.runs import make_benchmark, make_model, make_pairs, make_run, save_model


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_benchmark(tmp_path_factory.mktemp("drawn") / "small")


def call(*words):
    return evaluate.main([str(word) for word in words])


def refused(capsys, *words):
    assert call(*words) == 2
    told = capsys.readouterr().err
    assert told.startswith("evaluate.py: ")
    assert told.count("\n") == 1
    return told


def test_table_files_and_card(run, small, capsys):
    before = read_card(run)
    assert call(run, "--benchmarks", small.path, "--batch", 16) == 0
    told = capsys.readouterr().out
    expected = measured(load_model(run), small)
    assert "small: 40 pairs (20 genuine, 20 impostor), 2 folds, flip-concatenate" in told
    assert f"{expected['accuracy']:.4f}" in told
    folder = run / "evaluations" / f"small-{small.digest[:8]}"
    assert str(folder) in told
    kept = json.loads((folder / "results.json").read_text())
    assert kept.pop("model_sha256") == model_hash(run)
    assert [kept.pop(name) for name in ("overlap", "num_people", "is_checked")] == [None, 10, False]
    assert kept["faults"] == []
    assert "on small: overlap of training and benchmark people: unknown (the run has no classes.txt)" in told
    assert kept.keys() == expected.keys()
    assert kept["accuracies"] == expected["accuracies"]
    assert (folder / "roc.png").read_bytes().startswith(b"\x89PNG")
    assert f"written: {folder / 'report.html'}" in told
    assert not list(folder.glob("comparison*"))   # there is one run
    card = read_card(run)
    assert {**card, "thresholds": {}, "results": {}} == before
    assert set(card["thresholds"]) == set(card["results"]) == {small.digest}


def test_several_runs_and_benchmarks(tmp_path, run, small, capsys):
    other, second = make_run(tmp_path / "other", model=make_model(seed=1)), make_benchmark(tmp_path / "second", seed=5)
    assert call(run, other, "--benchmarks", small.path, second.path, "--fars", 0.05) == 0
    told = capsys.readouterr().out
    for name, count in (("small: 40 pairs", 1), ("second: 40 pairs", 1), ("TAR at FAR 0.05, pooled", 2)):
        assert told.count(name) == count   # the rate once a benchmark
    for folder in (run, other):
        card = read_card(folder)
        assert set(card["results"]) == {small.digest, second.digest}
        assert [point["far"] for point in card["thresholds"][small.digest]] == [0.05, 0.01, 0.001, 0.0001]
    assert read_card(run)["results"][small.digest] != read_card(other)["results"][small.digest]
    for folder in (small, second):
        path = run / "evaluations" / f"{folder.name}-{folder.digest[:8]}"
        assert f"written: {path / 'comparison.html'}" in told
        kept = json.loads((path / "comparison.json").read_text())
        assert set(kept["models"]) == {str(run), str(other)}
        assert kept["models"][str(other)]["model_sha256"] == model_hash(other)
        for name in (run, other):   # what was compared is what the cards say
            assert kept["models"][str(name)]["accuracy"] == read_card(name)["results"][folder.digest]["accuracy"]
        assert [(pair["first"], pair["second"]) for pair in kept["pairs"]] == [(str(run), str(other))]
    assert "2 folds cannot show a difference" in " ".join(told.split())


def test_a_second_call_replaces_the_first(run, small):
    call(run, "--benchmarks", small.path)
    first = read_card(run)
    save_model(make_model(seed=1), run)
    call(run, "--benchmarks", small.path)
    second = read_card(run)
    assert second["results"].keys() == first["results"].keys()
    assert second["results"][small.digest]["model_sha256"] != first["results"][small.digest]["model_sha256"]


def test_nothing_is_computed_where_something_is_refused(tmp_path, run, small, capsys):
    assert "no dataset folder" in refused(capsys, run, "--benchmarks", small.path, tmp_path / "none")
    assert "no run folder" in refused(capsys, run, tmp_path / "none", "--benchmarks", small.path)
    assert "fars has 0.001, but 20 impostor pairs" in refused(
        capsys, run, "--benchmarks", small.path, "--fars", 0.001)
    assert not (run / "evaluations").exists()
    assert read_card(run)["results"] == {}


def test_bad_input(tmp_path, run, small, folder, capsys):
    assert "at least one run folder" in refused(capsys, "--benchmarks", small.path)
    assert "at least one benchmark folder" in refused(capsys, run)
    assert "no card.json" in refused(capsys, tmp_path, "--benchmarks", small.path)
    assert "no pairs.csv" in refused(capsys, run, "--benchmarks", folder.path)
    wide = make_folder(tmp_path / "wide", template="112x112", pairs=make_pairs(people=6), photos=4).path
    told = refused(capsys, run, "--benchmarks", wide)
    assert "'112x112', but the model takes '112x96'" in told
    assert "python -m align --template 112x96" in told
    (run / "model.keras").write_bytes(b"PK")
    assert "cannot be opened" in refused(capsys, run, "--benchmarks", small.path)


@pytest.mark.parametrize(("words", "told"), [
    (["--batch", "0"], "batch is 0, expected at least 1"),
    (["--fars", "1.5"], "fars is 1.5, expected rates between 0 and 1"),
    (["--benchmark", "x"], "Did you mean 'benchmarks'"),
])
def test_wrong_options(run, words, told, capsys):
    with pytest.raises(SystemExit) as stop:
        call(run, *words)
    assert stop.value.code == 2
    assert told in capsys.readouterr().err


def test_another_fusion_keeps_the_card(run, small, capsys):
    before = (run / "card.json").read_bytes()
    assert call(run, "--benchmarks", small.path, "--fusion", "sum") == 0
    assert (run / "card.json").read_bytes() == before
    folder = run / "evaluations" / f"small-{small.digest[:8]}-sum"
    assert json.loads((folder / "results.json").read_text())["fusion"] == "sum"
    assert "2 folds, sum" in capsys.readouterr().out


def test_people_that_were_trained_on_are_told(run, small, capsys):
    (run / "classes.txt").write_text("p03\nP 04\nnobody\n")
    assert call(run, "--benchmarks", small.path, "--check", "true") == 0
    told = capsys.readouterr().out
    assert "overlap of training and benchmark people by name: 2 of 10, such as 'p03'" in told
    page = (run / "evaluations" / f"small-{small.digest[:8]}" / "report.html").read_text()
    assert re.search(r"people of the benchmark that were trained on, by name.{0,40}2 of 10", page, re.S)
    kept = json.loads((run / "evaluations" / f"small-{small.digest[:8]}" / "results.json").read_text())
    assert (kept["overlap"], kept["is_checked"]) == (2, True)


def test_what_is_wrong_is_told(tmp_path, small, capsys):
    model = make_model()
    model.weights[0].assign(model.weights[0] * 0)
    assert call(make_run(tmp_path / "flat", model=model), "--benchmarks", small.path) == 0
    told = capsys.readouterr().out
    assert "flat on small: warning: the embeddings are collapsed: the mean cosine of impostor pairs is 1.000" in told
