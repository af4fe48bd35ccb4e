import json

import pytest

from evaluation import card as cards
from evaluation.benchmark import evaluate
from tests.evaluation.runs import make_benchmark, make_card, make_model, make_run, save_model


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return evaluate(make_model(), make_benchmark(tmp_path_factory.mktemp("drawn") / "small"))


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run")


def points(**changes):
    return {"far": 0.01, "threshold": 0.4, "tar": 0.9, "allowed": 30, "false_accepts": 29, "impostors": 3000} | changes


def card_with(model="x", **benchmarks):
    results = {name: {"benchmark": name, "model_sha256": model} for name in benchmarks}
    return make_card(thresholds=benchmarks, results=results)


def test_an_update_changes_thresholds_and_results_alone(run, result):
    before = cards.read_card(run)
    cards.update_card(run, result)
    after = cards.read_card(run)
    assert {**after, "thresholds": {}, "results": {}} == before
    kept = after["thresholds"][result["digest"]]
    assert [point["far"] for point in kept] == [0.01, 0.001, 0.0001]
    first = result["all_pairs"]["tar"][0]
    assert kept[0] == {"far": 0.01, "threshold": first["threshold"], "tar": first["tar"], "allowed": 7,
                       "false_accepts": 7, "impostors": 720, "among": "all-pairs"}
    told = after["results"][result["digest"]]
    assert told["benchmark"] == "small"
    assert told["accuracy"] == result["accuracy"]
    assert told["model_sha256"] == cards.model_hash(run)
    assert "roc" not in told


def test_without_people_the_pairs_give_the_thresholds(run, result):
    cards.update_card(run, {**result, "all_pairs": None})
    kept = cards.read_card(run)["thresholds"][result["digest"]]
    assert [(point["far"], point["impostors"], point["among"]) for point in kept] == [
        (0.01, 20, "pairs"), (0.001, 20, "pairs")]


def test_an_update_keeps_other_benchmarks_and_replaces_its_own(run, result):
    cards.update_card(run, {**result, "digest": "other"})
    cards.update_card(run, {**result, "accuracy": 0.25})
    cards.update_card(run, result)
    card = cards.read_card(run)
    assert set(card["thresholds"]) == set(card["results"]) == {"other", result["digest"]}
    assert card["results"][result["digest"]]["accuracy"] == result["accuracy"]


def test_an_interrupted_update_leaves_the_card_whole(run, result, monkeypatch):
    before = (run / "card.json").read_bytes()
    monkeypatch.setattr("base.files.publish", lambda *words: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        cards.update_card(run, result)
    assert (run / "card.json").read_bytes() == before
    assert sorted(path.name for path in run.iterdir()) == ["card.json", "model.keras"]


def test_thresholds_of_another_model_are_refused(run, result):
    measured = {**result, "model_sha256": cards.model_hash(run)}
    cards.update_card(run, measured)
    save_model(make_model(seed=1), run)
    with pytest.raises(ValueError, match="written anew during the evaluation"):
        cards.update_card(run, measured)


def test_runs_that_cannot_be_read(tmp_path, run):
    with pytest.raises(FileNotFoundError, match="there is no run folder"):
        cards.read_card(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"has no card\.json, so it is no run"):
        cards.read_card(tmp_path / "empty")
    (run / "card.json").write_text("{")
    with pytest.raises(ValueError, match="is not readable JSON"):
        cards.read_card(run)
    for text, found in (('{"format": 2}', "2"), ("[]", "None"), ("{}", "None")):
        (run / "card.json").write_text(text)
        with pytest.raises(ValueError, match=f"has format {found}, this program reads 1"):
            cards.read_card(run)
    (run / "card.json").write_text(json.dumps({"format": 1, "template": "112x96"}))
    with pytest.raises(ValueError, match="lacks embedding_size, fusion, thresholds, results"):
        cards.read_card(run)
    with pytest.raises(ValueError, match="card has format 2, expected 1"):
        cards.write_card(run, make_card(format=2))


def test_the_threshold_with_most_impostor_pairs_is_chosen(run):
    card = card_with(cards.model_hash(run), small=[points(impostors=300, threshold=0.3)],
                     lfw=[points(), points(far=0.001, threshold=0.6)])
    assert cards.choose_threshold(card, run, far=0.01)["benchmark"] == "lfw"
    assert cards.choose_threshold(card, run, far=0.001)["threshold"] == 0.6
    assert cards.choose_threshold(card, run, far=0.01, benchmark="small")["threshold"] == 0.3


def test_cards_from_before_all_pairs_have_thresholds_of_pairs(run):
    card = card_with(model=cards.model_hash(run), lfw=[points()])
    assert cards.choose_threshold(card, run, far=0.01)["among"] == "pairs"


def test_a_threshold_serves_its_own_model_only(run, result):
    cards.update_card(run, {**result, "all_pairs": None, "tar": [{**result["tar"][0], "threshold": 0.3}]})
    assert cards.choose_threshold(cards.read_card(run), run, far=0.01)["threshold"] == 0.3
    save_model(make_model(seed=1), run)
    with pytest.raises(ValueError, match=r"measured with another model\.keras; measure them anew"):
        cards.choose_threshold(cards.read_card(run), run, far=0.01)


@pytest.mark.parametrize(("card", "options", "words"), [
    (card_with(), {"far": 0.01}, r"RUN has no threshold in its card yet.*python evaluate\.py RUN --benchmarks DATA"),
    (card_with(lfw=[points()]), {"far": 1e-4}, r"for a FAR of 0\.0001; it has those for 0\.01\. .* --fars 0\.0001"),
    (card_with(lfw=[points()]), {"far": 0.01, "benchmark": "cfp"}, "of benchmark 'cfp'; it has those of lfw"),
    (card_with(lfw=[points(threshold=None)]), {"far": 0.01}, "it has those for none"),
])
def test_no_threshold(card, options, words):
    with pytest.raises(ValueError, match=words):
        cards.choose_threshold(card, "RUN", **options)
