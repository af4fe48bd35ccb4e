import cv2
import numpy as np
import pytest
from scipy.special import ndtri

from evaluation import plots
from evaluation.benchmark import measure


def draw(*, each=500, shift=2.0, seed=0, num_unreadable=0):
    """(scores, same) of drawn normal scores, `each` genuine and `each` impostor pairs."""
    same = np.arange(2 * each) % 2 == 0
    scores = np.random.default_rng(seed).normal(size=2 * each) + shift * same
    scores[:num_unreadable] = np.where(same[:num_unreadable], -np.inf, np.inf)
    return scores, same


def result(scores, same):
    return {"fusion": "flip_concatenate", **measure(scores, same, np.arange(len(same)) // 2 % 2)}


@pytest.fixture
def drawn(monkeypatch):
    """What is drawn, instead of the picture: (method, x, y, options) each."""
    calls = []
    for method in ("step", "hist", "axvline"):
        monkeypatch.setattr(f"matplotlib.axes.Axes.{method}", lambda axes, x, y=None, method=method, **rest:
                            calls.append((method, x, y, rest)))
    for owner in ("axes.Axes", "figure.Figure"):
        monkeypatch.setattr(f"matplotlib.{owner}.legend", lambda *words, **rest: None)
    monkeypatch.setattr(plots, "png", lambda figure: calls.append(("figure", *figure.axes, None, {})))
    return calls


SHIFTS = pytest.mark.parametrize("shift", [0.0, 2.0, 30.0, -30.0])


@SHIFTS
def test_roc(drawn, shift):
    found = result(*draw(shift=shift))
    plots.roc_chart({"run": found}, title="lfw")
    _, x, y, rest = drawn[0]
    assert rest["where"] == "post"
    for point in found["tar"]:   # TAR at a FAR is the step's height there
        if point["allowed"] >= 1:
            assert y[np.flatnonzero(x <= point["far"] + 1e-12)[-1]] == pytest.approx(point["tar"])
    assert x[0] == 0.4 / 500
    assert (x[-1], y[-1]) == (1, 1)


@SHIFTS
def test_det_is_the_roc_in_normal_deviates(drawn, shift):
    found = result(*draw(shift=shift))
    plots.det_chart({"run": found}, title="lfw")
    _, x, y, rest = drawn[0]
    assert rest["where"] == "post"
    assert np.isfinite(x).all()
    assert np.isfinite(y).all()
    false_accepts, true_accepts = (np.array(found["roc"][name]) for name in ("false_accepts", "true_accepts"))
    inside = (false_accepts > 0) & (false_accepts < 400) & (true_accepts > 100) & (true_accepts < 500)
    np.testing.assert_allclose(x[inside], ndtri(false_accepts[inside] / 500))
    np.testing.assert_allclose(y[inside], ndtri(1 - true_accepts[inside] / 500))
    axes = drawn[-1][1]
    places = dict(zip([text.get_text() for text in axes.get_xticklabels()], axes.get_xticks(), strict=True))
    assert places["2 %"] == pytest.approx(-2.0537, abs=1e-4)
    assert axes.get_xlim()[0] == pytest.approx(ndtri(0.4 / 500), abs=0.1)
    assert not {"0.01 %", "0.05 %"} & places.keys()   # 500 pairs show nothing there


def test_scores_are_shares_of_their_kind_and_lost_pairs_are_left_out(drawn):
    scores, same = draw(num_unreadable=10)
    plots.score_chart(scores, same, 1.0, title="lfw")
    for (method, values, bins, rest), kind in zip(drawn[:2], (False, True), strict=True):
        assert method == "hist"
        assert sorted(values) == sorted(scores[(same == kind) & np.isfinite(scores)])
        assert len(values) == 495
        assert sum(rest["weights"]) == pytest.approx(100)
        assert bins[0] <= min(values) <= max(values) <= bins[-1]
    assert drawn[2][:2] == ("axvline", 1.0)


def test_error_rates_against_the_threshold(drawn):
    scores, same = draw(num_unreadable=10)
    found = result(scores, same)
    plots.threshold_chart(scores, same, found["tar"], title="lfw")
    (_, thresholds, far, _), (_, _, frr, _) = drawn[:2]
    for place in (0, 300, 700, 1000):
        assert far[place] == pytest.approx(max((scores[~same] >= thresholds[place]).mean(), 0.4 / 500))
        assert frr[place] == pytest.approx(max((scores[same] < thresholds[place]).mean(), 0.4 / 500))
    assert far[-1] == pytest.approx(5 / 500)   # nothing rejects an unreadable impostor pair
    assert drawn[2][1] == found["tar"][0]["threshold"]
    assert [call[0] for call in drawn[3:]] == ["figure"]   # 500 pairs show no FAR of 0.001


def test_pictures_of_extremes():
    """Many curves, a long title, equal scores, no readable pair, nothing accepted: each is a picture."""
    long = "benchmark with a long name " * 8
    several = {f"run {seed} {'x' * 200}": result(*draw(seed=seed, each=60)) for seed in range(7)}
    same = np.arange(20) % 2 == 0
    lost = np.where(same, -np.inf, np.inf)
    for data in (plots.roc_chart(several, title=long), plots.det_chart(several, title=long),
                 plots.score_chart(np.zeros(20), same, None, title=long), plots.score_chart(lost, same, 0.5, title="x"),
                 plots.threshold_chart(np.zeros(20), same, [], title="x"),
                 plots.threshold_chart(lost, same, [], title="x")):
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert image.shape == (672, 896, 3)
