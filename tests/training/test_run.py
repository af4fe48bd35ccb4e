import hashlib
import json
import random
import shutil
import signal
import subprocess
import time
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from base.checks import SettingsError
from evaluation.card import model_hash, read_card, write_card
from tests.datasets import make_folder
from tests.evaluation.runs import make_card
from tests.training.commands import ROOT, log, train, words
from training.config import Intervals, TrainingConfig
from training.results import Results, check_best

KILLS = 3


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data") / "train").path


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    """Pairs in two folds, of other people."""
    pairs = [(f"p{2 * fold:02d}/0000.jpg", f"p{2 * fold + (not same):02d}/000{photo}.jpg", same, fold)
             for fold in range(2) for same in (True, False) for photo in (1, 2, 3)]
    return make_folder(tmp_path_factory.mktemp("data") / "pairs", seed=5, pairs=pairs).path


@pytest.fixture(scope="module")
def undisturbed(data, benchmark, tmp_path_factory):
    """A run that nobody stopped."""
    run = tmp_path_factory.mktemp("runs") / "undisturbed"
    done = train(data, run, "--data.benchmarks", f"[{benchmark}]", "--intervals.evaluate", 5,
                 "--intervals.best", benchmark.name)
    assert done.returncode == 0, done.stderr
    return run


def weights(run):
    return hashlib.sha256(b"".join(w.tobytes() for w in keras.models.load_model(run / "model.keras").get_weights()))


def test_the_run_folder_is_whole(undisturbed, benchmark):
    assert {path.name for path in undisturbed.iterdir()} == {
        "config.yaml", "card.json", "model.keras", "log.jsonl", "events", "checkpoints", "evaluations", "classes.txt",
        "first_batch.png", "best"}
    assert sorted(path.name for path in (undisturbed / "checkpoints").iterdir()) == [
        "step-00000006", "step-00000008", "step-00000010"]
    card = json.loads((undisturbed / "card.json").read_text())
    assert (card["step"], card["people"], card["crops"], card["template"]) == (10, 6, 30, "112x96")
    assert len(card["results"]) == 1
    assert [line["step"] for line in log(undisturbed)] == list(range(1, 11))
    assert {"loss", "accuracy", "target_angle_degrees", "embedding_norm", "gradient_norm", "rate",
            "margin_share"} <= log(undisturbed)[0].keys()


def test_the_best_model_is_a_run_of_its_own(undisturbed, benchmark):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    events = EventAccumulator(str(undisturbed / "events"))
    events.Reload()
    accuracies = {event.step: float(tf.make_ndarray(event.tensor_proto))
                  for event in events.Tensors("benchmark/pairs accuracy")}
    card = read_card(undisturbed / "best")
    [result] = card["results"].values()
    assert accuracies[card["step"]] == max(accuracies.values()) == pytest.approx(result["accuracy"])
    assert card["step"] == min(step for step, value in accuracies.items() if value == max(accuracies.values()))
    assert result["model_sha256"] == model_hash(undisturbed / "best")
    assert (undisturbed / "best" / "classes.txt").read_bytes() == (undisturbed / "classes.txt").read_bytes()
    if card["step"] == 10:
        assert weights(undisturbed / "best") == weights(undisturbed)
    else:
        assert weights(undisturbed / "best") != weights(undisturbed)


@pytest.mark.parametrize(("configuration", "step", "accuracy", "is_kept"), [
    ("now", 5, 0.9, True), ("now", 5, 0.7, False), ("given up", 5, 0.9, False), ("now", 10, 0.9, False)])
def test_which_best_model_is_kept(tmp_path, monkeypatch, configuration, step, accuracy, is_kept):
    """One as good stays, unless it is of settings that were given up, or of this very step (perhaps half written)."""
    (tmp_path / "best").mkdir()
    write_card(tmp_path / "best", make_card(step=step, configuration_digest=configuration,
                                            results={"lfw": {"accuracy": accuracy}}))
    results, written = object.__new__(Results), []
    results.run, results.digests = tmp_path, {"configuration": "now"}
    monkeypatch.setattr(results, "write_model", lambda step, folder: written.append((step, folder)))
    monkeypatch.setattr("training.results.update_card", lambda *words: None)
    results._keep_if_best(10, SimpleNamespace(digest="lfw"), {"accuracy": 0.8})
    assert written == ([] if is_kept else [(10, tmp_path / "best")])


def test_the_best_of_what_is_not_evaluated():
    config = TrainingConfig(intervals=Intervals(evaluate=5, best="lfw"))
    with pytest.raises(SettingsError, match=r"intervals\.best is 'lfw', expected the name of a benchmark .*\(none is"):
        check_best(config, [])
    with pytest.raises(SettingsError, match=r"intervals\.best is 'lfw', expected with --intervals\.evaluate"):
        Intervals(best="lfw")


def test_curves_are_in_tensorboard(undisturbed):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    events = EventAccumulator(str(undisturbed / "events"))
    events.Reload()
    tags = set(events.Tags()["tensors"])
    assert {"train/loss", "train/accuracy without margin", "train/target angle, degrees", "train/embedding norm",
            "train/gradient norm", "schedule/learning rate", "schedule/margin share", "speed/crops a second",
            "speed/share of time waiting for input", "input/first batch", "benchmark/pairs accuracy",
            "benchmark/pairs ROC"} <= tags
    assert [event.step for event in events.Tensors("train/loss")] == list(range(1, 11))
    assert [event.step for event in events.Tensors("benchmark/pairs accuracy")] == [5, 10]


def test_two_runs_of_a_seed_are_equal_and_another_seed_is_not(data, undisturbed, tmp_path):
    assert train(data, tmp_path / "again").returncode == 0
    assert log(tmp_path / "again") == log(undisturbed)
    assert train(data, tmp_path / "other", "--seed", 1, "--schedule.steps", 2).returncode == 0
    assert log(tmp_path / "other")[0]["loss"] != log(undisturbed)[0]["loss"]


def test_killed_runs_end_with_the_same_bits(data, undisturbed, tmp_path):
    run = tmp_path / "killed"
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed of the kills: {seed}")
    steps = sorted(random.Random(seed).sample(range(1, 10), KILLS))
    for step in steps:
        process = subprocess.Popen(words(data, run), cwd=ROOT, stderr=subprocess.DEVNULL)
        while process.poll() is None and not (run / "log.jsonl").is_file():
            time.sleep(0.02)
        while process.poll() is None and len(log_lines(run)) < step:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = train(data, run)
    assert done.returncode == 0, done.stderr
    assert weights(run).hexdigest() == weights(undisturbed).hexdigest()
    assert log(run) == log(undisturbed)


def log_lines(run):
    return (run / "log.jsonl").read_text().splitlines()


def test_a_signal_saves_and_the_same_command_goes_on(data, undisturbed, tmp_path):
    run = tmp_path / "stopped"
    process = subprocess.Popen(words(data, run), cwd=ROOT, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not ((run / "log.jsonl").is_file() and log_lines(run)):
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, text = process.communicate()
    assert process.returncode == 130
    assert "the same command goes on from there" in text
    done = train(data, run)
    assert done.returncode == 0
    assert "going on after step" in done.stderr
    assert weights(run).hexdigest() == weights(undisturbed).hexdigest()


def test_a_finished_run_says_so(data, undisturbed):
    done = train(data, undisturbed, "--data.benchmarks", "[]", "--intervals.evaluate", 5)
    assert done.returncode == 0
    assert "is finished: 10 steps" in done.stdout


def test_a_lost_model_is_written_again(data, benchmark, undisturbed, tmp_path):
    """Also one that is older than the last checkpoint: killed in between, a threshold would serve another model."""
    run = tmp_path / "lost"
    shutil.copytree(undisturbed, run)
    (run / "model.keras").write_bytes(b"no model")
    (run / "card.json").write_text(json.dumps(json.loads((run / "card.json").read_text()) | {"step": 8}))
    done = train(data, run, "--data.benchmarks", f"[{benchmark}]", "--intervals.evaluate", 5)
    assert done.returncode == 0, done.stderr
    assert weights(run).hexdigest() == weights(undisturbed).hexdigest()
    card = json.loads((run / "card.json").read_text())
    assert card["step"] == 10
    assert {result["model_sha256"] for result in card["results"].values()} == {model_hash(run)}


def test_a_mistyped_setting_costs_no_folder(data, tmp_path):
    run = tmp_path / "typed"
    done = train(data, run, "--loss.params.margn", 0.3)
    assert done.returncode == 2
    assert "Did you mean 'margin'?" in done.stderr
    assert not run.exists()
    broken = train(data, run, "--schedule.rate", 1e30)
    assert broken.returncode == 2
    assert "Lower --schedule.rate" in broken.stderr
    assert train(data, run, "--schedule.steps", 1).returncode == 0


def test_what_does_not_fit_is_named(data, benchmark, undisturbed, tmp_path):
    def refused(*more, data=data, run=undisturbed):
        done = train(data, run, *more)
        assert done.returncode == 2
        assert done.stderr.startswith("train.py: ")
        assert done.stderr.count("\n") == 1
        return done.stderr

    text = refused("--loss.params.margin", 0.1, "--schedule.steps", 20)
    assert "run of another configuration: loss.params was {'scale': 8}, is {'scale': 8, 'margin': 0.1}" in text
    assert "schedule.steps was 10, is 20" in text
    assert "--network.init_from" in text
    assert "network.init_from was '', is " in refused("--network.init_from", undisturbed)
    broken = tmp_path / "broken"
    shutil.copytree(undisturbed, broken)
    (broken / "config.yaml").write_text("a: [")
    assert "is no longer the YAML" in refused(run=broken)
    other = make_folder(tmp_path / "other", seed=9).path
    assert "was written for another data" in refused(data=other)
    wide = make_folder(tmp_path / "wide", template="112x112", pairs=[("p00/0000.jpg", "p00/0001.jpg", True, 0)]).path
    one = make_folder(tmp_path / "one", pairs=[("p00/0000.jpg", "p00/0001.jpg", True, 0)]).path
    assert "all 1 pairs are in one fold" in refused("--data.benchmarks", f"[{one}]", run=tmp_path / "new")
    assert "112x112" in refused("--data.benchmarks", f"[{wide}]", run=tmp_path / "new")
    assert "there is no dataset folder" in refused(data=tmp_path / "none", run=tmp_path / "new")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    assert "exists and is no run folder" in refused(run=tmp_path / "full")


def test_first_weights_from_another_run(data, undisturbed, tmp_path):
    done = train(data, tmp_path / "next", "--network.init_from", undisturbed, "--schedule.steps", 1,
                 "--schedule.rate", 1e-12)
    assert done.returncode == 0, done.stderr
    before, after = (keras.models.load_model(run / "model.keras") for run in (undisturbed, tmp_path / "next"))
    name = "stage1_conv"
    np.testing.assert_allclose(before.get_layer(name).kernel, after.get_layer(name).kernel, atol=1e-9)
