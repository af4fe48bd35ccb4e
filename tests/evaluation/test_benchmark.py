import json
from pathlib import Path

import numpy as np
import pytest

from evaluation import benchmark
from evaluation.embed import embed, fuse
from tests.datasets import make_folder
from tests.evaluation.runs import key, make_benchmark, make_model, make_pairs
from tfrecords.benchmark import Pairs, read_pairs
from tfrecords.template import get_template

GOLDEN = json.loads((Path(__file__).parent.parent / "goldens" / "evaluation.json").read_text())


@pytest.fixture(scope="module")
def model():
    return make_model()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return make_benchmark(tmp_path_factory.mktemp("drawn") / "small")


def test_all_of_a_benchmark(model, drawn):
    result = benchmark.evaluate(model, drawn, batch=7)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["benchmark"] == "small"
    assert result["digest"] == drawn.digest
    assert (result["num_pairs"], result["num_genuine"], result["num_impostor"], result["num_folds"]) == (40, 20, 20, 2)
    assert (result["num_crops"], result["num_unreadable"], result["num_fallback"]) == (40, 0, 0)
    assert result["accuracy"] == np.mean(result["accuracies"]) > 0.8
    assert result["std_ddof1"] == pytest.approx(result["std_ddof0"] * 2 ** 0.5)
    assert result["standard_error"] == pytest.approx(result["std_ddof0"])
    assert result["auc"] > 0.95
    assert [point["far"] for point in result["tar"]] == [0.01, 0.001]
    assert [point["allowed"] for point in result["tar"]] == [0, 0]


def test_scores_are_means_of_the_two_cosines(model, drawn):
    pairs = read_pairs(drawn)
    halves = embed(model, drawn)
    scores = benchmark.pair_scores(fuse(*halves, "flip_concatenate"), pairs)
    for place in (0, 13, 39):
        a, b = pairs.a[place], pairs.b[place]
        cosines = [half[a] @ half[b] / np.linalg.norm(half[a]) / np.linalg.norm(half[b]) for half in halves]
        assert scores[place] == pytest.approx(np.mean(cosines), abs=1e-6)


def test_blocks_of_pairs_give_the_same_bits(monkeypatch, model, drawn):
    embeddings, pairs = fuse(*embed(model, drawn), "flip_concatenate"), read_pairs(drawn)
    whole = benchmark.pair_scores(embeddings, pairs)
    monkeypatch.setattr(benchmark, "_BLOCK", 7)
    np.testing.assert_array_equal(benchmark.pair_scores(embeddings, pairs), whole)


def test_each_crop_is_embedded_once(monkeypatch, model, drawn):
    seen = []
    whole = benchmark.embed
    monkeypatch.setattr(benchmark, "embed", lambda *words, **options: seen.append(words) or whole(*words, **options))
    benchmark.evaluate(model, drawn)
    assert len(seen) == 1


def test_lines_inside_a_fold_in_another_order_change_no_number(tmp_path, model, drawn):
    pairs = make_pairs()
    order = np.random.default_rng(1).permutation(len(pairs))
    turned = [(b, a, same, fold) for a, b, same, fold in (pairs[place] for place in order)]
    other = benchmark.evaluate(model, make_benchmark(tmp_path / "small", pairs=turned))
    before = benchmark.evaluate(model, drawn)
    assert {**other, "digest": ""} == {**before, "digest": ""}


def test_pairs_of_a_black_crop_are_wrong_whatever_their_score(tmp_path, model):
    """Two black crops are equal, so their genuine pair would score 1 and be right: it must count as wrong."""
    pairs = [*make_pairs(folds=2, each=10), (key(1, 0), key(1, 1), True, 0), (key(1, 0), key(2, 3), False, 0)]
    failed = {key(1, 0), key(1, 1)}
    pairs = [pair for pair in pairs[:-2] if not failed & {*pair[:2]}] + pairs[-2:]
    clean = make_benchmark(tmp_path / "clean", pairs=pairs[:-2])
    spoiled = make_benchmark(tmp_path / "spoiled", pairs=pairs, failed=failed)
    before, after = benchmark.evaluate(model, clean), benchmark.evaluate(model, spoiled)
    assert after["num_unreadable"] == 2
    assert after["num_pairs"] == before["num_pairs"] + 2   # no pair is dropped
    assert after["thresholds"] == before["thresholds"]
    in_fold_0 = sum(fold == 0 for *_, fold in pairs[:-2])
    assert after["accuracies"][0] == pytest.approx(before["accuracies"][0] * in_fold_0 / (in_fold_0 + 2))
    assert after["best_threshold_no_folds"]["correct"] == before["best_threshold_no_folds"]["correct"]
    assert after["roc"]["false_accepts"][0] >= 1           # nothing rejects the impostor pair
    assert after["roc"]["true_accepts"][-1] == after["num_genuine"] - 1


def test_scores_of_unreadable_pairs():
    pairs = Pairs(a=np.array([0, 0, 0]), b=np.array([0, 0, 0]), same=np.array([True, False, True]),
                  fold=np.zeros(3, int), unreadable=np.array([True, True, False]))
    assert benchmark.pair_scores(np.ones((1, 1)), pairs).tolist() == [-np.inf, np.inf, 1]


def test_a_fold_with_one_kind_of_pairs_is_refused(tmp_path, model):
    pairs = [(a, b, same, fold) for a, b, same, fold in make_pairs() if same or fold == 0]
    with pytest.raises(ValueError, match="fold 1 has 10 genuine and 0 impostor pairs"):
        benchmark.evaluate(model, make_benchmark(tmp_path / "one", pairs=pairs))


def test_pairs_without_folds_are_refused(tmp_path, model):
    pairs = [(a, b, same, 0) for a, b, same, _ in make_pairs()]
    with pytest.raises(ValueError, match="all 40 pairs are in one fold"):
        benchmark.evaluate(model, make_benchmark(tmp_path / "one", pairs=pairs))


def test_training_data_are_no_benchmark(tmp_path, folder):
    with pytest.raises(ValueError, match=r"has no pairs\.csv, so it is no benchmark"):
        benchmark.open_benchmark(folder.path, get_template("112x96"))
    with pytest.raises(FileNotFoundError, match="there is no dataset folder"):
        benchmark.open_benchmark(tmp_path / "none", get_template("112x96"))


def test_another_template_is_refused_when_it_is_opened(tmp_path):
    make_folder(tmp_path / "wide", template="112x112", pairs=make_pairs(people=6, photos=5))
    with pytest.raises(ValueError, match=r"'112x112', but the model takes '112x96'.*python -m align"):
        benchmark.open_benchmark(tmp_path / "wide", get_template("112x96"))


def golden(name):
    kept = GOLDEN["sets"].get(name) or GOLDEN["degenerate"][name]
    return (np.array(kept["data"]["scores"]) / kept["data"]["scale"], np.array(kept["data"]["same"]) == 1,
            np.array(kept["data"]["folds"]))


def test_a_far_that_was_asked_for_and_cannot_be_shown():
    assert benchmark.measure(*golden("B600"))["tar"][1]["allowed"] == 0   # not asked for: told, not refused
    with pytest.raises(ValueError, match=r"fars has 0\.001, but 300 impostor pairs show .* 1 / 300 = 0\.0033"):
        benchmark.measure(*golden("B600"), fars=[0.001])
    more = benchmark.measure(*golden("B600"), fars=[0.1, 0.01])["tar"]
    assert [point["far"] for point in more] == [0.1, 0.01, 0.001]


def test_collapsed_scores_can_be_written(tmp_path):
    result = benchmark.measure(*golden("D_collapsed"))
    assert [point["threshold"] for point in result["tar"]] == [None, None]   # reject all
    json.dumps(result, allow_nan=False)
    assert result["interval95"] == [0.5, 0.5]


def test_headline_of_c6000():
    result = benchmark.measure(*golden("C6000"))
    assert result["accuracy"] == pytest.approx(0.997167, abs=1e-6)
    assert [(point["allowed"], point["false_accepts"], point["tar"]) for point in result["tar"]] == [
        (30, 29, pytest.approx(0.998)), (3, 3, pytest.approx(0.993333, abs=1e-6))]
    assert result["best_threshold_no_folds"]["accuracy"] == pytest.approx(0.997667, abs=1e-6)


def test_what_qualifies_the_headline_of_c6000():
    scores, same, fold = golden("C6000")
    bare = benchmark.measure(scores, same, fold)
    assert (bare["interval95_persons"], bare["norm_thirds"]) == (None, None)
    assert [point["in_folds"] and point["in_folds"]["allowed"] for point in bare["tar"]] == [[3] * 10, None]
    assert bare["d_prime"] == pytest.approx(5.28479, abs=1e-5)
    for value, (low, high) in [(bare["auc"], bare["auc_interval95"]), (bare["eer"], bare["eer_interval95"]),
                               *((point["tar"], point["interval95"]) for point in bare["tar"])]:
        assert low < value < high
    alone = np.arange(12000).reshape(6000, 2)   # nobody is shared: the interval is the binomial one
    norms = np.stack([np.where(np.arange(6000) < 2000, 1.0, 5.0), np.arange(6000) / 1000 + 3], axis=1)
    full = benchmark.measure(scores, same, fold, people=alone, norms=norms)
    half = 1.959963984540054 * (bare["accuracy"] * (1 - bare["accuracy"]) / 6000) ** 0.5
    assert full["interval95_persons"] == [pytest.approx(bare["accuracy"] - half), pytest.approx(
        bare["accuracy"] + half)]
    assert full["norm_thirds"][0] == {"norms": [1, 1], "num_pairs": 2000, "accuracy": np.mean(
        (scores >= bare["best_threshold_no_folds"]["threshold"])[:2000] == same[:2000])}
    assert {**full, "interval95_persons": None, "norm_thirds": None} == bare


def test_people_and_norms_are_those_of_the_crops(model, drawn, monkeypatch):
    given = {}
    result = {"auc": 1, "accuracy": 1}
    monkeypatch.setattr(benchmark, "measure", lambda *words, **options: given.update(options) or result)
    benchmark.evaluate(model, drawn)
    pairs, halves = read_pairs(drawn), embed(model, drawn)
    same = given["people"][:, 0] == given["people"][:, 1]
    np.testing.assert_array_equal(same, pairs.same)
    np.testing.assert_allclose(given["norms"][7], [np.linalg.norm(halves[0][i]) for i in (pairs.a[7], pairs.b[7])])


def test_all_pairs_of_the_crops(tmp_path, model):
    """Unreadable photographs are left out of all-pairs, fallbacks stay in; the protocol's numbers are another thing."""
    failed = {key(1, 0), key(1, 1)}
    folder = make_benchmark(tmp_path / "spoiled", pairs=make_pairs(), failed=failed)
    found = benchmark.evaluate(model, folder)["all_pairs"]
    is_in = np.array([name not in failed for name in folder.keys])
    embeddings, people = fuse(*embed(model, folder), "flip_concatenate")[is_in], folder.labels[is_in]
    a, b = np.triu_indices(38, 1)
    scores, same = (embeddings[a] * embeddings[b]).sum(axis=1), people[a] == people[b]
    assert (found["num_crops"], found["num_left_out"]) == (38, 2)
    assert (found["num_genuine"], found["num_impostor"]) == (same.sum(), (~same).sum()) == (55, 648)
    assert [(point["far"], point["allowed"]) for point in found["tar"]] == [(0.01, 6), (0.001, 0), (0.0001, 0)]
    assert found["tar"][1]["tar"] == np.mean(scores[same] > scores[~same].max() + 1e-6)


def test_people_who_are_not_known(tmp_path, model):
    folder = make_benchmark(tmp_path / "bin", pairs=make_pairs())
    folder.meta["settings"] = {"people": "unknown"}
    result = benchmark.evaluate(model, folder)
    assert (result["all_pairs"], result["interval95_persons"]) == (None, None)
    assert result["norm_thirds"] is not None


def test_folds_that_decide_nothing_are_refused_when_it_is_opened(tmp_path):
    """Before an hour of training, not after it."""
    pairs = [(a, b, same, 0) for a, b, same, _ in make_pairs()]
    make_benchmark(tmp_path / "one", pairs=pairs)
    with pytest.raises(ValueError, match="all 40 pairs are in one fold"):
        benchmark.open_benchmark(tmp_path / "one", get_template("112x96"))


def test_a_fusion_that_is_fitted_on_the_other_folds(model, drawn):
    """By another way: for each fold the mean of the others, scores and threshold anew; nothing of the fold is used."""
    scored = benchmark.evaluate_scored(model, drawn, fusion="centred_concatenate")
    pairs, halves = read_pairs(drawn), embed(model, drawn)
    rows = np.concatenate(halves, axis=1).astype(np.float64)
    for place, number in enumerate(np.unique(pairs.fold)):
        others = pairs.fold != number
        moved = rows - np.concatenate([rows[pairs.a[others]], rows[pairs.b[others]]]).mean(axis=0)
        moved /= np.linalg.norm(moved, axis=1, keepdims=True)
        scores = (moved[pairs.a] * moved[pairs.b]).sum(axis=1)
        np.testing.assert_allclose(scored.scores[~others], scores[~others], atol=1e-12)
        fitted = max(((scores[others] >= cut) == pairs.same[others]).sum() for cut in [*scores[others], np.inf])
        cut = min(cut for cut in [*scores[others], np.inf]
                  if ((scores[others] >= cut) == pairs.same[others]).sum() == fitted)
        assert scored.result["accuracies"][place] == ((scores[~others] >= cut) == pairs.same[~others]).mean()
    assert scored.result["fusion"] == "centred_concatenate"
    assert scored.is_right.mean() == pytest.approx(scored.result["accuracy"])


def test_faults_are_in_the_result(drawn):
    equal = make_model()
    for weight in equal.weights[:1]:
        weight.assign(weight * 0)
    assert any("collapsed" in fault for fault in benchmark.evaluate(equal, drawn)["faults"])
