import io
import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from rich.console import Console

from evaluation.benchmark import measure
from evaluation.plots import write_roc
from evaluation.report import protocol, table, write_report


def make_result(*, each=500, shift=2.0, seed=0, folds=10, **changes):
    """Results of drawn normal scores, `each` genuine and `each` impostor pairs."""
    draw = np.random.default_rng(seed)
    same = np.arange(2 * each) % 2 == 0
    scores = draw.normal(size=2 * each) + shift * same
    return {"benchmark": "lfw", "digest": "0123456789abcdef", "template": "112x96", "fusion": "flip_concatenate",
            "num_crops": 10, "num_fallback": 0, "num_unreadable": 0,
            **measure(scores, same, np.arange(2 * each) // 2 % folds), **changes}


def text(results):
    console = Console(width=110, record=True, file=io.StringIO())
    console.print(table(results))
    return console.export_text()


def test_every_number_stands_with_its_protocol():
    result = make_result()
    shown = text({"run": result})
    assert "lfw: 1,000 pairs (500 genuine, 500 impostor), 10 folds, flip-concatenate" in shown
    assert protocol(result) in shown
    for label, value in (
        ("accuracy, 10 folds, flip-concatenate", result["accuracy"]),
        ("standard deviation of folds (ddof 0)", result["std_ddof0"]),
        ("standard deviation of folds (ddof 1)", result["std_ddof1"]),
        ("standard error of the mean", result["standard_error"]),
        ("best threshold without folds", result["best_threshold_no_folds"]["accuracy"]),
        ("TAR at FAR 0.01, pooled", result["tar"][0]["tar"]),
        ("threshold for FAR 0.01", result["tar"][0]["threshold"]),
        ("EER, pooled", result["eer"]),
        ("AUC, pooled", result["auc"]),
    ):
        line = next(line for line in shown.splitlines() if label in line)
        assert f"{value:.4f}" in line
    assert "{:.4f} to {:.4f}".format(*result["interval95"]) in shown
    assert "k = 5 allowed" in shown


def test_no_far_is_named_that_the_pairs_cannot_show():
    shown = text({"run": make_result()})
    assert "TAR at 0 false accepts, pooled" in shown
    assert "TAR at FAR 0.001" not in shown
    assert "needed to show FAR 0.001" in shown
    assert "TAR at FAR 0.001, pooled" in text({"run": make_result(each=1000)})


def test_what_qualifies_a_number_stands_below_it():
    """3 impostors in each of 10 folds at FAR 0.01 and 30 in all; 3 in all at FAR 0.001."""
    draw = np.random.default_rng(0)
    same = np.arange(6000) % 2 == 0
    scores, fold = draw.normal(size=6000) + 2 * same, np.arange(6000) // 2 % 10
    result = make_result() | measure(scores, same, fold, people=draw.integers(0, 900, (6000, 2)),
                                     norms=draw.uniform(1, 2, (6000, 2)))
    shown = text({"run": result})
    inside = result["tar"][0]["in_folds"]
    for label, value in (
        ("interval, person-robust", "{:.4f} to {:.4f}".format(*result["interval95_persons"])),
        ("interval of TAR at FAR 0.001", "{:.4f} to {:.4f}".format(*result["tar"][1]["interval95"])),
        ("interval of EER", "{:.4f} to {:.4f}".format(*result["eer_interval95"])),
        ("interval of AUC", "{:.4f} to {:.4f}".format(*result["auc_interval95"])),
        ("inside each fold, k = 3", f"{inside['mean']:.4f} (deviation {inside['std_ddof1']:.4f})"),
        ("lowest third by embedding norm", f"{result['norm_thirds'][0]['accuracy']:.4f}"),
        ("highest third by embedding norm", f"{result['norm_thirds'][2]['accuracy']:.4f}"),
        ("d-prime, pooled", f"{result['d_prime']:.3f}"),
        ("warning: too few false accepts to trust, FAR 0.001", "k = 3"),
    ):
        assert value in next(line for line in shown.splitlines() if label in line)
    assert shown.count("warning") == 1
    few = text({"run": make_result()})
    assert "k = 0" in next(line for line in few.splitlines() if "trust, FAR 0.001, pooled" in line)


def test_all_pairs_are_called_so():
    point = {"far": 0.0001, "tar": 0.87654, "threshold": 0.4, "allowed": 2964, "false_accepts": 2963}
    few = {"far": 0.001, "tar": 0.12345, "threshold": None, "allowed": 0, "false_accepts": 0}
    shown = text({"run": make_result(all_pairs={"num_crops": 7700, "num_left_out": 1, "num_genuine": 8101,
                                                "num_impostor": 29640749, "tar": [point, few]})})
    for label, value in (("all-pairs: genuine, impostor pairs", "8,101, 29,640,749"),
                         ("left out of all-pairs", "1"), ("TAR at FAR 0.0001, all-pairs", "0.8765"),
                         ("threshold for FAR 0.0001, all-pairs", "0.4000"),
                         ("of k = 2,964 allowed, FAR 0.0001, all-pairs", "2,963"),
                         ("TAR at 0 false accepts, all-pairs", "0.1235"),
                         ("trust, FAR 0.001, all-pairs", "k = 0")):
        assert value in next(line for line in shown.splitlines() if label in line)
    assert "all-pairs" not in text({"run": make_result()})


def test_lost_photographs_are_told():
    assert "unreadable" not in text({"run": make_result()})
    shown = text({"run": make_result(num_unreadable=3, num_fallback=1234)})
    assert "3" in next(line for line in shown.splitlines() if "unreadable pairs, counted as wrong" in line)
    assert "1,234" in next(line for line in shown.splitlines() if "without a face" in line)


def test_runs_stand_side_by_side():
    shown = text({"first": make_result(), "second": make_result(shift=3.0)})
    line = next(line for line in shown.splitlines() if "accuracy, 10 folds" in line)
    assert f"{make_result()['accuracy']:.4f}" in line
    assert f"{make_result(shift=3.0)['accuracy']:.4f}" in line


def test_files_of_a_report(tmp_path):
    result = make_result()
    path = write_report(tmp_path, SimpleNamespace(name="lfw", digest=result["digest"]), result)
    assert path == tmp_path / "evaluations" / "lfw-01234567"
    assert json.loads((path / "results.json").read_text()) == result
    image = cv2.imread(str(path / "roc.png"))
    assert image.shape[0] > 400
    assert {file.name for file in path.iterdir()} == {"results.json", "roc.png"}


@pytest.mark.parametrize("shift", [0.0, 2.0, 30.0, -30.0])
def test_the_curve_is_drawn_where_it_belongs(tmp_path, shift, monkeypatch):
    drawn = {}
    monkeypatch.setattr("matplotlib.axes.Axes.step", lambda axes, x, y, **rest: drawn.update(x=x, y=y, **rest))
    monkeypatch.setattr("matplotlib.axes.Axes.legend", lambda *words, **rest: None)
    result = make_result(shift=shift, folds=2)
    write_roc(tmp_path / "roc.png", {"run": result}, title="lfw")
    assert drawn["where"] == "post"
    for point in result["tar"]:   # TAR at a FAR is the step's height there
        if point["allowed"] >= 1:
            height = drawn["y"][np.flatnonzero(drawn["x"] <= point["far"] + 1e-12)[-1]]
            assert height == pytest.approx(point["tar"])
    assert drawn["x"][0] == 0.4 / 500
    assert (drawn["x"][-1], drawn["y"][-1]) == (1, 1)


def test_many_curves(tmp_path):
    write_roc(tmp_path / "roc.png", {f"run {seed}": make_result(seed=seed) for seed in range(7)}, title="lfw")
    assert (tmp_path / "roc.png").stat().st_size > 10_000
