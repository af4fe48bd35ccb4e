import json
from pathlib import Path

import keras
import numpy as np
import pytest

from base.checks import SettingsError
from evaluation import embed as embedding
from evaluation.config import FUSIONS
from tests.datasets import make_folder
from tests.evaluation.runs import make_card, make_model, make_run

GOLDEN = json.loads((Path(__file__).parent.parent / "goldens" / "evaluation.json").read_text())["flip_fusion"]


@pytest.fixture(scope="module")
def model():
    return make_model()


def test_golden_of_the_fusion():
    original, mirrored = np.array(GOLDEN["embeddings"]), np.array(GOLDEN["mirror_embeddings"])
    fused = embedding.fuse(original, mirrored, "flip_concatenate")
    np.testing.assert_allclose(np.linalg.norm(fused, axis=1), 1, atol=1e-12)
    cosines = [fused[a] @ fused[b] for a, b in GOLDEN["pairs"]]
    np.testing.assert_allclose(cosines, GOLDEN["cosines"]["concat_unit_halves"], atol=1e-12)
    halves = (np.array(GOLDEN["cosines"]["original_only"]) + np.array(GOLDEN["cosines"]["mirror_only"])) / 2
    np.testing.assert_allclose(cosines, halves, atol=1e-12)


@pytest.mark.parametrize(("fusion", "golden"), [
    ("sum", "sum_raw"), ("single", "original_only"), ("flip_concatenate", "concat_unit_halves")])
def test_goldens_of_all_fusions(fusion, golden):
    fused = embedding.fuse(np.array(GOLDEN["embeddings"]), np.array(GOLDEN["mirror_embeddings"]), fusion)
    np.testing.assert_allclose([fused[a] @ fused[b] for a, b in GOLDEN["pairs"]], GOLDEN["cosines"][golden], atol=1e-12)


def test_the_centre_is_the_mean_of_the_crops_that_fit():
    """By hand: four crops of one number each side; the third counts twice."""
    original, mirrored = np.array([[1.0], [2], [3], [9]]), np.array([[0.0], [1], [4], [7]])
    fused = embedding.centred(original, mirrored, np.array([0, 1, 2, 2]))
    rows = np.array([[1, 0], [2, 1], [3, 4], [9, 7]]) - [9 / 4, 9 / 4]
    np.testing.assert_allclose(fused, rows / np.linalg.norm(rows, axis=1, keepdims=True), atol=1e-12)


def test_fusion_takes_the_direction_only():
    draw = np.random.default_rng(0)
    original, mirrored = draw.normal(size=(2, 5, 8)).astype(np.float32)
    fused = embedding.fuse(original, mirrored, "flip_concatenate")
    assert fused.dtype == np.float64
    np.testing.assert_allclose(embedding.fuse(original * 1e3, mirrored * 2, "flip_concatenate"), fused, atol=1e-6)


def test_the_settings_offer_every_fusion():
    assert set(FUSIONS) == {"", *embedding.FUSIONS, embedding.CENTRED}


def test_an_unknown_fusion():
    with pytest.raises(SettingsError, match=r"no fusion 'flip_concat'\. Did you mean 'flip_concatenate'"):
        embedding.fuse(np.ones((1, 2)), np.ones((1, 2)), "flip_concat")


@pytest.mark.parametrize("batch", [1, 7, 30, 64])
def test_every_crop_once_whatever_the_batch(folder, model, batch):
    crops = np.stack([folder.crop(number) for number in range(folder.num_records)])
    original, mirrored = embedding.embed(model, folder, batch=batch)
    assert original.dtype == mirrored.dtype == np.float32
    np.testing.assert_allclose(original, model.predict(crops, verbose=0), atol=1e-5)
    np.testing.assert_allclose(mirrored, model.predict(crops[:, :, ::-1], verbose=0), atol=1e-5)
    assert np.abs(original - mirrored).max() > 0.1


def test_one_trace_for_whole_and_last_batch(folder):
    traces = []

    class Counting(keras.layers.Layer):
        def call(self, x):
            traces.append(x.shape)
            return x

    base = make_model()
    model = keras.Model(base.input, Counting()(base.output))
    traces.clear()   # building it called the layer
    embedding.embed(model, folder, batch=8)
    assert traces == [(8, 16), (8, 16)]   # original and mirrored


def test_batch_normalization_and_dropout_are_off(folder):
    base = make_model()
    x = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(base.output))
    model = keras.Model(base.input, x)
    np.testing.assert_allclose(embedding.embed(model, folder, batch=3)[0], embedding.embed(model, folder, batch=30)[0],
                               atol=1e-5)


def test_crops_in_memory(folder, model):
    crops = np.stack([folder.crop(0), folder.crop(1)])
    whole = embedding.embed(model, folder)
    for place, half in enumerate(embedding.embed_crops(model, crops, names="ab")):
        np.testing.assert_allclose(half, whole[place][:2], atol=1e-5)


def test_float_crops_are_refused(model):
    crops = np.zeros((2, 112, 96, 3), np.float32)
    with pytest.raises(ValueError, match=r"crops are float32, expected uint8 .* first layer"):
        embedding.embed_crops(model, crops, names="ab")


def test_crops_of_another_shape_are_refused(model):
    with pytest.raises(ValueError, match=r"crops have shape \(2, 112, 112, 3\), the model takes \[B, 112, 96, 3\]"):
        embedding.embed_crops(model, np.zeros((2, 112, 112, 3), np.uint8), names="ab")


def test_another_template_names_both_and_the_cure(tmp_path, model):
    wide = make_folder(tmp_path / "wide", template="112x112", people=2, photos=2)
    with pytest.raises(ValueError, match=r"'112x112', but the model takes '112x96'.*python -m align --template 112x96"):
        embedding.embed(model, wide)


def test_a_network_in_training_is_refused(folder):
    crops, g = keras.Input((112, 96, 3), name="crops"), keras.Input((2,), name="g")
    model = keras.Model({"crops": crops, "g": g}, keras.layers.Flatten()(crops))
    with pytest.raises(ValueError, match=r"models\.export\(model\)"):
        embedding.embed(model, folder)


@pytest.mark.parametrize(("value", "kind"), [(np.nan, "not finite"), (np.inf, "not finite"), (0.0, "zero")])
def test_an_embedding_without_direction_is_named_by_key(folder, value, kind):
    broken = folder.crop(11)[0, 0].astype(float)

    class Break(keras.layers.Layer):
        """Spoils the embedding of the crop whose first pixel is that of record 11."""

        def call(self, crops, x):
            first = keras.ops.cast(crops[:, 0, 0], "float32")
            hit = keras.ops.all(first == broken, axis=-1, keepdims=True)
            return keras.ops.where(hit, value, x)

    base = make_model()
    model = keras.Model(base.input, Break()(base.input, base.output))
    hits = [number for number in range(folder.num_records) if (folder.crop(number)[0, 0] == broken).all()]
    with pytest.raises(ValueError, match=f"embedding of the crop {folder.keys[hits[0]]!r} is {kind}, as are "
                                         f"{len(hits) - 1} others of 30"):
        embedding.embed(model, folder, batch=8)


# --- opening a run ---------------------------------------------------------------------------------------------------
def test_a_saved_model_embeds_as_before(tmp_path, folder, model):
    opened = embedding.load_model(make_run(tmp_path / "run", model=model))
    np.testing.assert_array_equal(embedding.embed(opened, folder)[0], embedding.embed(model, folder)[0])


def test_models_that_do_not_fit_the_card(tmp_path):
    with pytest.raises(ValueError, match="but the card says 16 and template '112x112'"):
        embedding.load_model(make_run(tmp_path / "a", template="112x112"))
    with pytest.raises(ValueError, match=r"makes 16 numbers .* the card says 32"):
        embedding.load_model(make_run(tmp_path / "b", embedding_size=32))


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_a_broken_or_missing_model(tmp_path, content, model):
    run = make_run(tmp_path / "run", model=model)
    path = run / "model.keras"
    whole = path.read_bytes()
    path.write_bytes(whole[:len(whole) // 2] if content is None else content)
    with pytest.raises(ValueError, match=r"model\.keras cannot be opened .*call the train\.py command again"):
        embedding.load_model(run)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"has no model\.keras; call the train\.py command again"):
        embedding.load_model(run)


def test_the_card_comes_first(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no run folder"):
        embedding.load_model(tmp_path / "none")
    assert make_card()["embedding_size"] == 16
