import base64
import html
import json
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest

from evaluation.benchmark import evaluate_scored
from evaluation.compare import compare
from evaluation.outputs import output_folder, write_comparison, write_report
from evaluation.page import document, hardest_pairs, pair_pictures, picture, table_of
from tests.evaluation.runs import key, make_benchmark, make_model, make_pairs


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    # One photograph of two pairs is unreadable.
    pairs = [*make_pairs(), (key(0, 0), key(0, 1), True, 0), (key(0, 0), key(2, 3), False, 0)]
    return make_benchmark(tmp_path_factory.mktemp("drawn") / "small", pairs=pairs, failed={key(0, 0)})


@pytest.fixture(scope="module")
def scored(folder):
    return evaluate_scored(make_model(), folder)


@pytest.fixture(scope="module")
def other(folder):
    return evaluate_scored(make_model(seed=3), folder)


def spoiled(scored, *wrong):
    """The same pairs, of which those at the places `wrong` are decided wrongly and all others rightly."""
    scores = np.where(scored.pairs.same, 0.9, 0.1)
    for rank, place in enumerate(wrong):
        scores[place] = 0.01 * rank if scored.pairs.same[place] else 1 + 0.01 * rank
    scores[scored.pairs.unreadable] = np.where(scored.pairs.same[scored.pairs.unreadable], -np.inf, np.inf)
    return replace(scored, scores=scores)


def pictures(text):
    """The embedded pictures, as arrays; everything that is loaded must be one of them."""
    assert not re.findall(r'(?:src|href)="(?!data:image/)|@import|url\(|<script|<link', text)
    return [cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
            for data in re.findall(r'src="data:image/(?:png|jpeg);base64,([^"]+)"', text)]


def test_files_and_page_of_a_run(tmp_path, scored):
    path = write_report(tmp_path / "first <run>", scored)
    assert path == output_folder(tmp_path / "first <run>", scored.folder) / "report.html"
    assert path.parent == tmp_path / "first <run>" / "evaluations" / f"small-{scored.folder.digest[:8]}"
    assert {file.name for file in path.parent.iterdir()} == {"results.json", "roc.png", "det.png", "scores.png",
                                                             "thresholds.png", "report.html"}
    assert json.loads((path.parent / "results.json").read_text()) == scored.result
    text = path.read_text(encoding="utf-8")
    assert len(pictures(text)) == 4 + 8 + 8
    for name in ("roc", "det", "scores", "thresholds"):
        assert base64.b64encode((path.parent / f"{name}.png").read_bytes()).decode() in text
    assert "<title>first &lt;run&gt; on small</title>" in text
    assert "<run>" not in text
    assert "small: 42 pairs (21 genuine, 21 impostor), 2 folds, flip-concatenate" in text
    assert "{:.4f} to {:.4f}".format(*scored.result["interval95"]) in text
    assert scored.folder.digest in text
    assert str(tmp_path) not in text   # no path of this machine


def test_hardest_pairs_are_those_most_like_the_other_kind(scored):
    genuine, impostor = (np.flatnonzero((scored.pairs.same == kind) & ~scored.pairs.unreadable)
                         for kind in (True, False))
    wrong = spoiled(scored, *genuine[[3, 5]], *impostor[[4, 2, 7]])
    text = hardest_pairs(wrong, same=True)
    assert f"False rejects: 2 of {len(genuine)} genuine pairs are rejected" in text
    assert re.findall("<b>(.{5})</b> (right|wrong)", text)[:3] == [
        ("0.000", "wrong"), ("0.010", "wrong"), ("0.900", "right")]
    text = hardest_pairs(wrong, same=False)
    assert f"False accepts: 3 of {len(impostor)} impostor pairs are accepted" in text
    assert re.findall("<b>(.{5})</b> (right|wrong)", text)[:4] == [
        ("1.040", "wrong"), ("1.030", "wrong"), ("1.020", "wrong"),
        ("0.100", "right")]
    assert len(pictures(text)) == 8
    a, b = wrong.pairs.a[impostor[7]], wrong.pairs.b[impostor[7]]
    assert f"{wrong.folder.keys[a]}<br>{wrong.folder.keys[b]}" in text


def test_a_pair_is_its_two_crops_side_by_side(scored):
    a, b = (scored.folder.crop(int(numbers[3])) for numbers in (scored.pairs.a, scored.pairs.b))
    [image] = pictures(pair_pictures(scored, [3]))
    assert image.shape == (112, 2 * 96 + 4, 3)
    assert np.abs(image[:, :96, ::-1].astype(int) - a).mean() < 6   # JPEG keeps it nearly
    assert np.abs(image[:, -96:, ::-1].astype(int) - b).mean() < 6


def test_keys_and_names_are_text(scored):
    nasty = '<script>alert("x")</script> & $title'
    named = type("Named", (), {"keys": [nasty] * scored.folder.num_records, "crop": scored.folder.crop})()
    text = pair_pictures(replace(scored, folder=named), [3])
    assert "<script" not in text
    assert text.count(html.escape(nasty)) == 2
    table = table_of({nasty: {nasty: nasty}, "b": {}})
    assert "<script" not in table
    assert table.count("&lt;script&gt;") == 3
    page = document(nasty, "<p>$title $body</p>")
    assert page.count(html.escape(nasty)) == 2
    assert "<p>$title $body</p>" in page   # nothing is put into what was put in
    assert 'alt="&quot;&gt;"' in picture(b"\x89PNG", '">')


def test_files_and_page_of_a_comparison(tmp_path, scored, other):
    both = {"runs/<a>": scored, "runs/b": other}
    found, path = write_comparison(tmp_path / "a", both)
    assert found == compare(both)
    assert path == output_folder(tmp_path / "a", scored.folder) / "comparison.html"
    assert {file.name for file in path.parent.iterdir()} == {
        "comparison.html", "comparison.json", "comparison-roc.png", "comparison-det.png"}
    assert json.loads((path.parent / "comparison.json").read_text()) == found
    text = path.read_text(encoding="utf-8")
    assert "<a>" not in text
    assert "2 models on small" in text
    assert html.escape(found["note"]) in text   # two folds decide nothing
    assert "2 folds cannot show a difference" in text
    assert len(pictures(text)) >= 2
    assert str(tmp_path) not in text


def test_where_two_models_disagree(tmp_path, scored):
    genuine, impostor = (np.flatnonzero((scored.pairs.same == kind) & ~scored.pairs.unreadable)
                         for kind in (True, False))
    best = spoiled(scored, genuine[1])
    worse = spoiled(scored, genuine[1], genuine[4], impostor[6], impostor[8])
    both = {"best": replace(best, result=best.result | {"accuracy": 0.95}),
            "worse": replace(worse, result=worse.result | {"accuracy": 0.8})}
    text = write_comparison(tmp_path / "a", both)[1].read_text(encoding="utf-8")
    disagree = text[text.index("best and worse disagree"):]
    assert "best alone is right about 3 pairs; the scores are those of worse" in disagree
    assert "worse alone is right about 0 pairs" in disagree
    scores = re.findall("<b>(.{5})</b> wrong", disagree)
    assert scores == [f"{worse.scores[place]:.3f}" for place in (genuine[4], impostor[8], impostor[6])]
