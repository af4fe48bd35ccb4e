import io

import numpy as np
from rich.console import Console

from evaluation.benchmark import measure
from evaluation.report import comparison_columns, comparison_table, protocol, table


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


def compared(**changes):
    tar = [{"far": 0.01, "difference": 0.02, "interval95": [-0.01, 0.05]}]
    return {"benchmark": "lfw", "num_folds": 10, "best": "b", "level": 0.05, "num_tests": 3, "note": "", "pairs": [
        {"first": "a", "second": "b", "accuracy_difference": -0.03, "interval95": [-0.04, -0.01], "p_sign_flip": 0.002,
         "p_holm": 0.006, "mcnemar": {"only_first": 5, "only_second": 35, "p": 0.00001}, "tar": tar},
        {"first": "a", "second": "c", "accuracy_difference": 0.01, "interval95": [0, 0.02], "p_sign_flip": 0.9,
         "p_holm": 1.0, "mcnemar": {"only_first": 77, "only_second": 66, "p": 0.5}, "tar": tar},
        {"first": "b", "second": "[c]", "accuracy_difference": 0.04, "interval95": [0.02, 0.06], "p_sign_flip": 0.03,
         "p_holm": 0.06, "mcnemar": {"only_first": 41, "only_second": 1, "p": 0.00001}, "tar": tar}]} | changes


def test_the_best_model_stands_first_in_every_difference():
    columns = comparison_columns(compared())
    assert list(columns) == ["a", "[c]"]   # a against c says nothing of the best one
    one, other = columns.values()
    assert (one["difference of accuracy"], other["difference of accuracy"]) == ("+0.0300", "+0.0400")
    assert one["  95 % interval (drawn folds)"] == "+0.0100 to +0.0400"
    assert (one["pairs right alone: best, other"], other["pairs right alone: best, other"]) == ("35, 5", "41, 1")
    assert (one["difference of TAR at FAR 0.01"], one["  95 % interval (drawn folds), FAR 0.01"]) == (
        "-0.0200", "-0.0500 to +0.0100")
    assert (one["  p, Holm for 3 pairs of models"], other["  p, Holm for 3 pairs of models"]) == ("0.006", "0.06")
    assert (one["  different at 0.05?"], other["  different at 0.05?"]) == ("yes", "not shown")


def test_comparison_on_the_screen():
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(comparison_table(compared(note="5 folds cannot [red] show")))
    shown = console.export_text()
    assert "lfw: b (highest accuracy) minus the others" in shown
    assert "[c]" in shown             # a name is no markup
    assert "5 folds cannot [red] show" in shown
    untested = compared()
    for pair in untested["pairs"]:
        pair |= {"p_sign_flip": None, "p_holm": None}
    assert not [label for label in comparison_columns(untested)["a"] if "sign-flip" in label or "different" in label]


def test_names_that_differ_at_their_end_are_not_cut_off():
    names = [f"/a/long/path/of/several/folders/with/runs/number-{number}" for number in range(3)]
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(table({name: make_result() for name in names}))
    head = console.export_text().split("┡")[0]
    assert "…" not in head
