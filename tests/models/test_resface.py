"""ResFace networks have exactly the numbers of the sources, start reproducibly and export to stock Keras."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import models
from models.__main__ import main
from models.blocks import channels, split, symmetric_padding
from models.registry import MODELS, Spec, names

ROOT = Path(__file__).parents[2]
COUNTS = json.loads((ROOT / "tests" / "goldens" / "counts.json").read_text())["resface"]
TINY = {"width": 0.125, "template_shape": (32, 32), "embedding_size": 16}
CROPS = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
OURS = {"resface10": "resface10", "resface20": "resface20", "resface36": "resface36", "resface64": "resface64",
        "resface36-tf": "resface34"}


def golden_networks():
    for key, counts in COUNTS.items():
        name, shape, width, rounding, variant = key.split("|")
        is_small = name not in ("resface10", "resface64") or shape == "112x96"
        if name in OURS and rounding == "div8" and variant in ("clean", "tf-bn") and is_small:
            height, columns = map(int, shape.split("x"))
            yield pytest.param(OURS[name], (height, columns), float(width[1:]), variant == "tf-bn", counts, id=key)


@pytest.mark.parametrize(("name", "shape", "width", "batch_norm", "counts"), list(golden_networks()))
def test_counts(name, shape, width, batch_norm, counts, monkeypatch):
    for initializer in ("GlorotUniform", "TruncatedNormal", "RandomNormal", "VarianceScaling"):
        monkeypatch.setattr(keras.initializers, initializer, lambda *args, **kwargs: "zeros")   # large draws are slow
    model = models.build(name, template_shape=shape, width=width, batch_norm=batch_norm)
    found = models.count(model)
    assert (found.trainable, found.non_trainable, found.total, found.macs) == (
        counts["trainable"], counts["non_trainable"], counts["total"], counts["macs"])
    kinds = [type(layer).__name__ for layer in model.layers]
    assert [kinds.count(kind) for kind in ("Conv2D", "BatchNormalization", "PReLU")] == [
        counts["convs"], counts["bns"], counts["prelus"]]
    assert list(model.get_layer("flatten").input.shape[1:]) == counts["last_map"]


def test_channels():
    assert [channels(full, 0.35) for full in (64, 128, 256, 512)] == [24, 48, 88, 176]
    assert [channels(full, 0.25) for full in (64, 128, 256, 512)] == [16, 32, 64, 128]
    assert [channels(64, width) for width in (0.01, 0.06, 0.19, 0.2)] == [8, 8, 16, 16]


def test_unit_is_input_plus_prelu_of_two_convolutions():
    model = models.build("resface20", **TINY)
    names_ = [layer.name for layer in model.layers if layer.name.startswith("stage1_unit1")]
    assert names_ == [f"stage1_unit1_{step}" for step in (
        "a_conv", "a_bn", "a_prelu", "b_conv", "b_bn", "b_prelu", "add")]
    add = model.get_layer("stage1_unit1_add")
    sources = {tensor._keras_history.operation.name for tensor in add.input}
    assert sources == {"stage1_prelu", "stage1_unit1_b_prelu"}
    bn = model.get_layer("stage1_bn")
    assert (bn.momentum, bn.epsilon) == (0.995, 1e-3)
    assert float(model.get_layer("stage1_prelu").alpha[0, 0, 0]) == 0.25


def test_pixels_are_scaled_inside_even_in_bfloat16():
    for dtype in ("float32", "mixed_bfloat16", "mixed_float16"):
        layer = models.build("resface10", dtype=dtype, **TINY).get_layer("pixels")
        every = np.arange(256, dtype=np.uint8)
        np.testing.assert_array_equal(np.array(keras.ops.cast(layer(every), "float32")), (np.arange(256) - 127.5) / 128)


@pytest.mark.parametrize("side", [8, 9])
def test_symmetric_padding_centres_stride_two_on_even_pixels(side):
    image = np.random.default_rng(1).normal(size=(side, side)).astype("float32")
    kernel = np.random.default_rng(2).normal(size=(3, 3)).astype("float32")
    padded = np.pad(image, 1)
    rows = (side + 1) // 2
    wanted = [[np.sum(padded[2 * i:2 * i + 3, 2 * j:2 * j + 3] * kernel) for j in range(rows)] for i in range(rows)]
    pad = keras.layers.ZeroPadding2D(symmetric_padding((side, side)))
    found = keras.ops.conv(pad(image[None, :, :, None]), kernel[:, :, None, None], strides=2, padding="valid")
    np.testing.assert_allclose(found[0, :, :, 0], wanted, rtol=1e-4, atol=1e-5)


def test_padding_option_moves_the_samples():
    embeddings = [np.array(models.build("resface10", padding=padding, **TINY)(CROPS)) for padding in
                  ("symmetric", "same")]
    assert np.abs(embeddings[0] - embeddings[1]).max() > 1e-3


def test_first_weights_follow_the_seed_and_the_sources():
    first, again, other = (models.build("resface20", width=0.25, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(left, right) for left, right in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    model = models.build("resface20", width=0.25)
    for name in ("stage1_conv", "fc"):
        kernel = model.get_layer(name).kernel.numpy()
        fans = np.prod(kernel.shape[:-1]) + kernel.shape[-1] * np.prod(kernel.shape[:-2])
        assert np.abs(kernel).max() <= np.sqrt(6 / fans)
        assert abs(kernel.std() / np.sqrt(2 / fans) - 1) < 0.1
    residual = model.get_layer("stage4_unit1_a_conv").kernel.numpy()
    assert np.abs(residual).max() <= 0.0200001
    assert abs(residual.std() - 0.0088) < 1e-4
    clean = models.build("resface20", width=0.25, batch_norm=False)
    kernel = clean.get_layer("stage2_conv").kernel.numpy()
    assert abs(kernel.std() * np.sqrt(np.prod(kernel.shape[:-1])) - 1) < 0.05
    assert abs(clean.get_layer("stage4_unit1_a_conv").kernel.numpy().std() - 0.01) < 1e-4


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_embeddings_are_float32(dtype, batch_norm):
    model = models.build("resface10", dtype=dtype, batch_norm=batch_norm, **TINY)
    for training in (False, True):
        embeddings = model(CROPS, training=training)
        assert keras.backend.standardize_dtype(embeddings.dtype) == "float32"
        assert np.isfinite(embeddings).all()
    assert {variable.dtype for variable in model.variables} == {"float32"}
    assert keras.backend.standardize_dtype(model.get_layer("stage1_conv").compute_dtype) == (
        "float32" if dtype == "float32" else dtype.removeprefix("mixed_"))


def test_dropout_follows_g_through_the_model():
    model = models.build("resface10", dropout=0.5, batch_norm=False, **TINY)
    same = np.repeat(CROPS[:1], 3, axis=0)
    embeddings = np.array(model({"crops": same, "g": split([8, 9, 8])}, training=True))
    np.testing.assert_allclose(embeddings[0], embeddings[2], rtol=1e-5, atol=1e-6)
    assert np.abs(embeddings[0] - embeddings[1]).max() > 1e-3
    assert len(models.build("resface10", dropout=0.5, training_inputs=False, **TINY).inputs) == 1
    assert len(models.build("resface10", **TINY).inputs) == 1


def test_synchronized():
    model = models.build("resface10", synchronized=True, **TINY)
    assert all(layer.synchronized for layer in model.layers if "_bn" in layer.name)
    assert not any(layer.synchronized for layer in models.export(model).layers if "_bn" in layer.name)


@pytest.mark.filterwarnings(   # Keras 3.15 turns a TensorFlow variable into an array so
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
@pytest.mark.parametrize("batch_norm", [True, False])
def test_export_equals_the_network_on_every_backend(tmp_path, batch_norm):
    model = models.build("resface10", dropout=0.3, dtype="mixed_bfloat16", synchronized=True, batch_norm=batch_norm,
                         **TINY)
    rng = np.random.default_rng(5)
    model.set_weights([abs(weight + rng.normal(size=weight.shape) * 0.1) for weight in model.get_weights()])
    plain = models.export(model)
    assert {type(layer).__module__.split(".")[0] for layer in plain.layers} == {"keras"}
    assert [type(layer).__name__ for layer in plain.layers[:2]] == ["InputLayer", "Rescaling"]
    assert "Dropout" not in [type(layer).__name__ for layer in plain.layers]
    assert plain.input.dtype == "uint8"
    exact = models.build("resface10", batch_norm=batch_norm, **TINY)
    exact.set_weights(model.get_weights())
    np.testing.assert_array_equal(plain(CROPS), exact(CROPS))
    half = np.array(model({"crops": CROPS, "g": split(range(6))}))
    assert np.abs(half - plain(CROPS)).max() < 0.05 * np.abs(plain(CROPS)).max()
    if not batch_norm:
        return
    plain.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", crops=CROPS, embeddings=plain(CROPS))
    for backend in ("tensorflow", "jax"):
        assert _difference_elsewhere(tmp_path, backend) < 1e-5


def _difference_elsewhere(folder, backend):
    """Largest relative difference after loading in a process that does not see our code."""
    program = ("import keras, numpy as np; data = np.load('data.npz'); model = keras.models.load_model('model.keras');"
               "found = model.predict(data['crops'], verbose=0); wanted = data['embeddings'];"
               "print('difference', np.abs(found - wanted).max() / np.abs(wanted).max(), keras.backend.backend())")
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu", "PYTHONPATH": ""}
    run = subprocess.run([sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True,
                         timeout=100)
    assert run.returncode == 0, run.stderr[-2000:]
    number, name = re.search(r"difference (\S+) (\w+)", run.stdout).groups()
    assert name == backend
    return float(number)


def test_export_refuses_a_stranger():
    with pytest.raises(ValueError, match=r"has no spec; export takes what models\.build returned"):
        models.export(keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))


def test_registry_names_functions_of_the_room():
    room = Path(models.__file__).parent
    for home in MODELS.values():
        assert (room / f"{home.split(':')[0].rpartition('.')[2]}.py").is_file()
    assert names() == sorted(MODELS)
    assert set(OURS.values()) == {name for name in MODELS if name.startswith("resface")}


@pytest.mark.parametrize(("options", "message"), [
    ({"name": "resnet20"}, "network is 'resnet20'.*Did you mean 'resface20'"),
    ({"width": 0}, r"width is 0, expected in \(0, 16\]"), ({"dropout": 1.0}, r"dropout is 1.0, expected in \[0, 1\)"),
    ({"dropout": float("nan")}, "dropout is nan"), ({"padding": "valid"}, "padding is 'valid'"),
    ({"template_shape": (112,)}, "template_shape is"), ({"template_shape": (8, 96)}, "at least 16 px"),
    ({"embedding_size": 0}, "embedding_size is 0"),
])
def test_mistakes_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Spec(**{"name": "resface20", **options})


def test_command_lists(capsys):
    assert main(["resface10", "--width", "0.125"]) == 0
    text = capsys.readouterr().out
    assert "resface10" in text
    assert "resface20" not in text
    assert main(["resfac20"]) == 2
    assert "Did you mean 'resface20'?" in capsys.readouterr().err


def test_the_list_is_all_that_is_printed():
    done = subprocess.run([sys.executable, "-m", "models", "resface10"], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.splitlines()[1].split()[:2] == ["resface10", "15,222,016"]
