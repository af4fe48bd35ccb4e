from types import SimpleNamespace

import keras
import numpy as np
import pytest

from evaluation import check, sanity
from evaluation.benchmark import evaluate, pair_scores
from evaluation.embed import embed, fuse
from tests.evaluation.runs import make_benchmark, make_model, make_pairs
from tfrecords.benchmark import Pairs, read_pairs


@pytest.fixture(scope="module")
def model():
    return make_model()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return make_benchmark(tmp_path_factory.mktemp("sane") / "small", people=20,
                          pairs=make_pairs(people=20, each=100, folds=2))


def looked_at(model, folder, scores=None, **changes):
    pairs = read_pairs(folder)
    scores = pair_scores(fuse(*embed(model, folder), "flip_concatenate"), pairs) if scores is None else scores
    return sanity.faults(model, scores, pairs, evaluate(model, folder) | changes)


def test_nothing_is_wrong(model, drawn):
    assert looked_at(model, drawn) == []
    assert check.check(model, drawn, read_pairs(drawn), fusion="flip_concatenate") == []


@pytest.mark.parametrize(("scores", "changes", "told"), [
    (np.full(400, 0.99), {}, ("collapsed: the mean cosine of impostor pairs is 0.990", "all scores are equal")),
    (None, {"auc": 0.2}, ("AUC is 0.200: impostor pairs score higher",)),
    (None, {"accuracy": 0.57}, ("accuracy 0.570 is no better than chance on 400 pairs",)),
])
def test_what_is_always_seen(model, drawn, scores, changes, told):
    found = looked_at(model, drawn, scores, **changes)
    assert len(found) == len(told)
    for sentence, words in zip(found, told, strict=True):
        assert words in sentence


def test_an_untrained_model(drawn):
    plain = make_model()
    model = keras.Model(plain.input, keras.layers.BatchNormalization(name="norm")(plain.output))
    assert looked_at(model, drawn)[0].startswith("the model was never trained")
    norm = model.get_layer("norm")
    norm.moving_mean.assign(norm.moving_mean + 0.1)
    assert not sanity.is_untrained(model)
    assert not sanity.is_untrained(plain)   # it has none


class OwnStatistics(keras.layers.Layer):
    """What batch normalization does in training, whatever it is asked for."""

    def call(self, x):
        mean = keras.ops.mean(x, axis=0, keepdims=True)
        return (x - mean) / (keras.ops.std(x, axis=0, keepdims=True) + 1e-3) + 1


def test_batch_normalization_in_training_mode(drawn):
    plain = make_model()
    model = keras.Model(plain.input, OwnStatistics()(plain.output))
    found = check.check(model, drawn, read_pairs(drawn), fusion="flip_concatenate")
    assert any("batch normalization is in training mode" in sentence for sentence in found)


def wants(change):
    """The tiny network behind a layer, as if it had been trained on crops changed the other way round."""
    plain = make_model()
    inputs = keras.Input((112, 96, 3), dtype="uint8")
    return keras.Model(inputs, plain(change(keras.ops.cast(inputs, "float32"))))


def test_exchanged_channels_are_named():
    """People differ in the blue channel alone, which the network reads where red should be."""
    folder, pairs = noisy(channel=2)
    model = wants(lambda crops: crops * np.array([1, 0, 0], np.float32))
    [sentence] = [told for told in check.check(model, folder, pairs, fusion="flip_concatenate") if "red" in told]
    assert sentence.startswith("with red and blue exchanged: ")
    assert "more of 400 pairs are right so (exact paired p" in sentence


def noisy(*, channel):
    """A benchmark whose people differ in one channel; the others are noise."""
    draw = np.random.default_rng(0)
    faces = draw.integers(0, 256, (20, 7, 6))

    def crop(person):
        small = draw.integers(0, 256, (7, 6, 3))
        small[..., channel] = np.clip(faces[person] + draw.normal(0, 20, (7, 6)), 0, 255)
        return np.kron(small, np.ones((16, 16, 1))).astype(np.uint8)

    crops = [crop(number // 4) for number in range(80)]
    folder = SimpleNamespace(keys=[f"p{number // 4}" for number in range(80)], crop=crops.__getitem__)
    a = draw.integers(0, 80, 400)
    same = np.arange(400) % 2 == 0
    b = np.where(same, a // 4 * 4 + (a + 1) % 4, (a + 4 * draw.integers(1, 20, 400)) % 80)
    return folder, Pairs(a, b, same, np.arange(400) % 2, np.zeros(400, bool))


def test_a_shift_moves_by_whole_pixels():
    crops = np.arange(2 * 5 * 6 * 3, dtype=np.uint8).reshape(2, 5, 6, 3)
    moved = check._shifted(crops, 2, -1)
    np.testing.assert_array_equal(moved[:, 2:, :-1], crops[:, :-2, 1:])
    assert not moved[:, :2].any()
    assert not moved[:, :, -1].any()


def test_faces_grow_about_the_middle():
    crop = np.zeros((1, 21, 31, 3), np.uint8)
    crop[0, 5:16, 10:21] = 255
    for scale in (0.9, 1.1):
        grown = check._scaled(crop, scale)
        assert grown.shape == crop.shape
        assert grown.sum() / crop.sum() == pytest.approx(scale**2, rel=0.03)
        np.testing.assert_array_equal(grown, grown[:, ::-1, ::-1])


def test_people_of_both():
    assert sanity.overlap(None, ["a"])[0] is None
    assert sanity.overlap(["Ann_Lee"], ["Bo"]) == (
        0, "overlap of training and benchmark people by name: none of 1")
    number, told = sanity.overlap(["José  Pérez", "Ann Lee"], ["jose_perez", "Bo", "Ann-Lee"])
    assert number == 2
    assert "2 of 3, such as 'Ann-Lee'" in told


def test_pairs_that_are_checked_are_spread_and_readable():
    pairs = Pairs(np.arange(5000), np.arange(5000), np.arange(5000) % 5 == 0, np.zeros(5000, int),
                  np.arange(5000) % 7 == 0)
    chosen = check._some(pairs)
    assert (len(chosen.a), chosen.same.sum(), chosen.unreadable.sum()) == (1000, 500, 0)
    assert np.ptp(chosen.a) > 4900
