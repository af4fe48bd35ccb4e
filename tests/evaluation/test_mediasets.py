"""Sets by golden and by hand, and python -m evaluation as a person calls it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation import mediasets
from evaluation.__main__ import main
from evaluation.card import model_hash, read_card
from evaluation.embed import embed, load_model
from evaluation.setreport import mean_of_splits
from tests.datasets import make_folder
from tests.evaluation import protocols
from tests.evaluation.runs import make_model, make_run, save_model
from tfrecords.mediasets import MediaSets, SetPairs
from tfrecords.setprotocols import read_protocol

GOLDEN = json.loads((Path(__file__).parent.parent / "goldens" / "evaluation.json").read_text())["template_aggregation"]


# --- set embeddings --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "weights"), [
    ("media_mean_sum_unit", lambda norms, detector: 1 / norms),
    ("media_mean_sum_raw", lambda norms, detector: np.ones_like(norms)),
    ("media_mean_sum_raw_times_detector", lambda norms, detector: detector),
])
def test_golden_of_the_sets(name, weights):
    rows = np.array(GOLDEN["features"])
    rows *= weights(np.linalg.norm(rows, axis=1), np.array(GOLDEN["detector_scores"]))[:, None]
    sets = np.array(GOLDEN["template_ids"])
    numbers, vectors = mediasets.aggregate(rows, sets, np.array(GOLDEN["media_ids"]), {7: "7", 9: "9"})
    assert numbers.tolist() == [7, 9]
    np.testing.assert_allclose(vectors, [GOLDEN[name]["t7"], GOLDEN[name]["t9"]], atol=1e-12)
    assert vectors[0] @ vectors[1] == pytest.approx(GOLDEN[name]["cosine"], abs=1e-12)


def drawn_sets(draw, *, num_sets=9, num_files=40, num_records=30):
    """Members in no order, a medium's number in several sets, files without a crop; the last set has none at all."""
    sets, records = draw.integers(0, num_sets - 1, num_files), draw.integers(-1, num_records, num_files)
    sets[0], records[0] = num_sets - 1, -1
    return MediaSets([f"s{number}" for number in range(num_sets)], [""] * num_sets,
                     [f"k/{number}" for number in range(num_files)], sets, draw.integers(0, 3, num_files), records)


@pytest.mark.parametrize("size", [1, 7, 8192])
@pytest.mark.parametrize("weighting", mediasets.WEIGHTINGS)
def test_sets_by_hand(monkeypatch, weighting, size):
    monkeypatch.setattr(mediasets, "_MEMBERS", size)
    draw = np.random.default_rng(0)
    sets, halves = drawn_sets(draw), draw.normal(size=(2, 30, 5)).astype(np.float32) * draw.uniform(0.1, 9, (1, 30, 1))
    got = mediasets.embed_sets(halves, sets, fusion="flip_concatenate", weighting=weighting)
    assert got.dtype == np.float32
    for number in range(9):
        media = {}
        for place in np.flatnonzero(sets.sets == number):
            if sets.records[place] >= 0:
                a, b = (half[sets.records[place]] for half in halves)
                vector = np.concatenate([a / np.linalg.norm(a), b / np.linalg.norm(b)]) / 2 ** 0.5
                weight = (np.linalg.norm(a) + np.linalg.norm(b)) / 2 if weighting == "norm_weighted" else 1
                media.setdefault(sets.media[place], []).append(weight * vector)
        total = sum((np.mean(vectors, axis=0) for vectors in media.values()), np.zeros(10))
        expected = total / np.linalg.norm(total) if media else total
        np.testing.assert_allclose(got[number], expected, atol=1e-6)
    assert not got[8].any()


def test_sets_that_have_no_vector():
    sets = MediaSets(["a", "b"], ["", ""], ["x/1", "x/2"], np.array([1, 1]), np.array([0, 1]), np.array([0, 1]))
    halves = (np.array([[1.0, 0], [-1, 0]]),) * 2
    with pytest.raises(ValueError, match="the vectors of set 'b' cancel"):
        mediasets.embed_sets(halves, sets, fusion="flip_concatenate", weighting="plain")
    with pytest.raises(ValueError, match="none of the 2 media files has a crop"):
        mediasets.embed_sets(halves, replace(sets, records=np.array([-1, -1])), fusion="flip_concatenate",
                             weighting="plain")


def test_pairs_with_an_empty_set_count_as_wrong():
    """Sets 0 and 1 alike, 2 apart, 3 empty: of two genuine and 2 impostor pairs one each is wrong at any threshold."""
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0, 0]], np.float32)
    pairs = SetPairs(np.array([0, 0, 0, 1]), np.array([1, 3, 2, 3]), np.array([True, True, False, False]))
    found = mediasets.verify(vectors, pairs, np.array([True, True, True, False]))
    assert found["num_without_crop"] == 2
    assert [(p["far"], p["false_accepts"], p["true_accepts"], p["threshold"]) for p in found["tar"]] == [
        (0, 1, 0, None)]


def test_no_far_is_promised_that_the_pairs_cannot_show():
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(150, 8)).astype(np.float32)
    a, b = (column.ravel() for column in np.triu_indices(150, 1))
    same = np.arange(len(a)) < 1000
    found = mediasets.verify(vectors, SetPairs(a, b, same), np.ones(150, bool))
    assert found["num_impostor"] == 10_175
    assert [(point["far"], point["allowed"]) for point in found["tar"]] == [
        (0.1, 1017), (0.01, 101), (0.001, 10), (1e-4, 1), (0, 0)]
    scores = (vectors[a] * vectors[b]).sum(axis=1)
    for point in found["tar"]:
        limit = np.sort(scores[~same])[::-1][point["allowed"]]
        assert point["tar"] == np.mean(scores[same] > limit)
        assert point["false_accepts"] == point["allowed"]


def test_means_of_what_all_splits_show():
    def split(*tars):
        return {weighting: {"verification": {"tar": [{"far": far, "tar": tar} for far, tar in tars]}, "searches": []}
                for weighting in mediasets.WEIGHTINGS}

    means = mean_of_splits({"splits": [split((0.1, 0.5), (0.01, 0.4), (0, 0.2)), split((0.1, 0.7), (0, 0.4))]})
    assert means["plain"] == means["norm_weighted"]
    assert {what: found["mean"] for what, found in means["plain"].items()} == {
        "TAR at FAR 0.1": pytest.approx(0.6), "TAR at 0 false accepts": pytest.approx(0.3)}
    assert means["plain"]["TAR at FAR 0.1"]["std_ddof1"] == pytest.approx(0.2 / 2 ** 0.5)


# --- the command -----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    return protocols.draw_crops(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "run")


def call(*words):
    return main([str(word) for word in words])


def results(run):
    path, = (run / "evaluations").iterdir()
    return json.loads((path / "results.json").read_text()), path


def test_ijb_from_files_to_table(tmp_path, crops, capsys):
    """Photograph 3 of person 2 has no face, both of person 7's second set are unreadable."""
    run = make_run(tmp_path / "run")
    names = [f"loose_crop/{protocols.ijb_name(*place)}" for place in ((2, 3), (7, 2), (7, 3))]
    folder = protocols.write_folder(tmp_path / "data", protocols.ijb_crops(crops), left_out=names[:1], failed=names[1:])
    lists, before = protocols.write_ijb(tmp_path / "meta"), read_card(run)
    assert call(run, "--sets", lists, "--data", folder.path, "--batch", 16) == 0
    told, (found, path) = " ".join(capsys.readouterr().out.split()), results(run)
    assert path.name == f"sets-ijbx-{folder.digest[:8]}"
    assert str(path) in told
    assert read_card(run) == before   # a threshold of sets serves no two photographs
    assert found["model_sha256"] == model_hash(run)
    assert (found["num_sets"], found["num_media_files"]) == (16, 32)
    assert (found["num_media_without_crop"], found["num_sets_without_crop"]) == (3, 1)
    assert len(found["protocol_files"]) == 5
    assert "3 media files without a crop" in told
    assert "which count as wrong: 1" in told
    assert "pairs of sets: 120 (8 genuine, 112 impostor)" in told
    assert "TAR at FAR 0.01, k = 1 " in told
    assert "FAR 0.001" not in told
    assert "TAR at 0 false accepts" in told
    assert "search G1+G2: 7 sets, 7 mated and 1 other probes" in told
    vectors = _by_hand(load_model(run), folder)
    split, = found["splits"]
    for weighting in mediasets.WEIGHTINGS:
        check, (first, second, both) = split[weighting]["verification"], split[weighting]["searches"]
        assert check["num_without_crop"] == 15
        _check_pairs(check, vectors[weighting])
        assert (first["num_mated"], second["num_mated"], both["num_mated"]) == (4, 3, 7)
        ranks = [_rank(vectors[weighting], person) for person in range(7)]
        assert both["rank"]["1"] == pytest.approx(np.mean([rank == 1 for rank in ranks]))
        assert both["rank"]["5"] == pytest.approx(np.mean([rank <= 5 for rank in ranks]))


def _by_hand(model, folder):
    """{weighting: {set's name: vector}}, person 7's second set being left out."""
    original, mirrored = embed(model, folder)
    number = {key: place for place, key in enumerate(folder.keys)}
    found = {weighting: {} for weighting in mediasets.WEIGHTINGS}
    for person in range(protocols.PEOPLE):
        for half in (0, 1):
            if (person, half) == (7, 1):
                continue
            photos = [2 * half + place for place in (0, 1) if (person, 2 * half + place) != (2, 3)]
            records = [number[f"loose_crop/{protocols.ijb_name(person, photo)}"] for photo in photos]
            norms = [np.linalg.norm(each[records], axis=1, keepdims=True) for each in (original, mirrored)]
            rows = np.concatenate([original[records] / norms[0], mirrored[records] / norms[1]], axis=1)
            for weighting, weights in (("plain", 1), ("norm_weighted", norms[0] + norms[1])):
                total = (rows * weights).sum(axis=0)
                found[weighting][10 * person + 1 + half] = total / np.linalg.norm(total)
    return found


def _check_pairs(check, vectors):
    genuine = [vectors[10 * p + 1] @ vectors[10 * p + 2] for p in range(7)]
    impostors = sorted((vectors[a] @ vectors[b] for a in vectors for b in vectors if a < b and a // 10 != b // 10),
                       reverse=True)
    assert len(impostors) == 112 - 14
    for point in check["tar"]:
        # The 14 impostor pairs of the set without a crop are accepted first, and its genuine one never.
        at = impostors[point["allowed"] - 14] if point["allowed"] >= 14 else np.inf
        assert point["true_accepts"] == sum(score > at for score in genuine)
        assert point["tar"] == point["true_accepts"] / 8
    assert [point["allowed"] for point in check["tar"]] == [11, 1, 0]


def _rank(vectors, person):
    scores = [vectors[10 * p + 1] @ vectors[10 * person + 2] for p in range(7)]
    return 1 + sum(score > scores[person] for score in scores)


def test_ijb_a_is_a_mean_over_ten_splits(tmp_path, crops, capsys):
    run = make_run(tmp_path / "run")
    folder = protocols.write_folder(tmp_path / "data", protocols.ijb_a_crops(crops))
    assert call(run, "--sets", protocols.write_ijb_a(tmp_path / "IJB-A"), "--data", folder.path) == 0
    told, (found, _) = capsys.readouterr().out, results(run)
    assert [split["name"] for split in found["splits"]] == [f"split{number}" for number in range(1, 11)]
    assert "over splits" in told
    for weighting in mediasets.WEIGHTINGS:
        tars = [split[weighting]["verification"]["tar"][0]["tar"] for split in found["splits"]]
        mean = found["mean_of_splits"][weighting]["TAR at FAR 0.1"]
        assert mean == {"mean": pytest.approx(np.mean(tars)), "std_ddof1": pytest.approx(np.std(tars, ddof=1)),
                        "num_splits": 10}
        assert f"{np.mean(tars):.4f} ± {np.std(tars, ddof=1):.4f}" in told
        first = found["splits"][0][weighting]
        assert (first["verification"]["num_genuine"], first["verification"]["num_impostor"]) == (5, 20)
        search, = first["searches"]
        assert (search["num_gallery"], search["num_mated"], search["num_nonmated"]) == (4, 4, 1)
        assert "gallery: rank 1" in found["mean_of_splits"][weighting]
        assert "gallery: TPIR at 0 false alarms" in found["mean_of_splits"][weighting]


def test_youtube_faces_in_folds(tmp_path, crops, capsys):
    run, other = make_run(tmp_path / "run"), make_run(tmp_path / "other", model=make_model(seed=1))
    folder = protocols.write_folder(tmp_path / "data", protocols.youtube_crops(crops))
    splits = protocols.write_youtube(tmp_path / "splits_corrected.txt")
    assert call(run, other, "--sets", splits, "--data", folder.path) == 0
    told, (found, path) = " ".join(capsys.readouterr().out.split()), results(run)
    assert path.name.startswith("sets-youtube-splits_corrected-")
    assert "accuracy, 10 folds" in told
    check = found["splits"][0]["plain"]["verification"]
    assert (check["num_pairs"], check["num_genuine"], len(check["accuracies"])) == (40, 20, 10)
    assert check["accuracy"] == pytest.approx(np.mean(check["accuracies"]))
    assert found["splits"] != results(other)[0]["splits"]
    pairs = read_protocol(splits, folder).splits[0].pairs
    assert check["num_repeated"] == pairs.num_repeated > 0
    assert f"listed once more, and count as often: {pairs.num_repeated}" in told


def test_folds_are_checked_before_anything_is_computed(tmp_path, crops):
    folder = protocols.write_folder(tmp_path / "data", protocols.youtube_crops(crops))
    splits = protocols.write_youtube(tmp_path / "splits.txt")
    protocols.write(splits, [line.replace(", 0", ", 1") if line.startswith("3,") else line
                             for line in splits.read_text().splitlines()])
    with pytest.raises(ValueError, match="fold 2 has 4 genuine and 0 impostor pairs"):
        mediasets.prepare(read_protocol(splits, folder), folder)


def refused(capsys, *words):
    assert call(*words) == 2
    told = capsys.readouterr().err
    assert told.startswith("python -m evaluation: ")
    assert told.count("\n") == 1
    return told


def test_bad_input(tmp_path, crops, run, capsys):
    folder = protocols.write_folder(tmp_path / "data", protocols.ijb_crops(crops))
    lists = protocols.write_ijb(tmp_path / "meta")
    assert "at least one run folder" in refused(capsys, "--sets", lists, "--data", folder.path)
    assert "--sets FOLDER" in refused(capsys, run, "--data", folder.path)
    assert "--data DATA" in refused(capsys, run, "--sets", lists)
    assert "no protocol" in refused(capsys, run, "--sets", tmp_path / "none", "--data", folder.path)
    assert "holds no protocol of media sets" in refused(capsys, run, "--sets", tmp_path, "--data", folder.path)
    wide = make_folder(tmp_path / "wide", template="112x112").path
    assert "but the model takes '112x96'" in refused(capsys, run, "--sets", lists, "--data", wide)
    small = make_folder(tmp_path / "small").path
    told = refused(capsys, run, "--sets", lists, "--data", small)
    assert "lacks 32 media files of the protocol: '1.jpg', '2.jpg', '3.jpg', '4.jpg', '5.jpg' ...; align" in told
    pairs = lists / "ijbx_template_pair_label.txt"
    kept = pairs.read_text()
    protocols.write(pairs, ["1 11 0"])
    assert "ijbx has 0 genuine of 1 pairs" in refused(capsys, run, "--sets", lists, "--data", folder.path)
    pairs.write_text(kept)
    protocols.write(lists / "ijbx_1N_gallery_G1.csv", ["TEMPLATE_ID,SUBJECT_ID", "1,stranger"])
    assert "none of 8 probes has its subject in gallery 'G1'" in refused(
        capsys, run, "--sets", lists, "--data", folder.path)
    assert not (run / "evaluations").exists()


def test_a_model_that_changes_meanwhile(tmp_path, crops, capsys, monkeypatch):
    run = make_run(tmp_path / "run")
    folder = protocols.write_folder(tmp_path / "data", protocols.youtube_crops(crops))
    splits = protocols.write_youtube(tmp_path / "splits.txt")

    def evaluate(*args, **options):
        save_model(make_model(seed=2), run)
        return {}

    monkeypatch.setattr(mediasets, "evaluate_protocol", evaluate)
    assert "written anew during the evaluation" in refused(capsys, run, "--sets", splits, "--data", folder.path)
    assert not (run / "evaluations").exists()
