"""LResNet-E-IR networks have exactly the numbers of the authors' code, and its units."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

import models
from models.__main__ import main
from models.blocks import split
from models.registry import MODELS

COUNTS = json.loads((Path(__file__).parent.parent / "goldens" / "counts.json").read_text())["ir"]
TINY = {"width": 0.125, "template_shape": (32, 32), "embedding_size": 16}
CROPS = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
FIXED = 512   # the last gammas, held at 1: the golden file counts them as not trained, we leave them away


def golden_networks():
    for key, counts in COUNTS.items():
        name, shape, variant, *width = key.split("|")
        ours = f"lresnet{name.removeprefix('ir')}e_ir"
        is_one_of_its_kind = name == "ir50" or shape == "112x96"
        if variant == "mxnet" and ours in MODELS and is_one_of_its_kind:
            height, columns = map(int, shape.split("x"))
            yield pytest.param(ours, (height, columns), float(width[0][1:]) if width else 1.0, counts, id=key)


@pytest.mark.parametrize(("name", "shape", "width", "counts"), list(golden_networks()))
def test_counts(name, shape, width, counts, monkeypatch):
    monkeypatch.setattr(keras.initializers, "VarianceScaling", lambda *args, **kwargs: "zeros")   # large draws are slow
    model = models.build(name, template_shape=shape, width=width)
    found = models.count(model)
    assert (found.trainable, found.non_trainable, found.macs) == (
        counts["trainable"], counts["non_trainable"] - FIXED, counts["macs"])
    kinds = [type(layer).__name__ for layer in model.layers]
    assert [kinds.count(kind) for kind in ("Conv2D", "BatchNormalization", "PReLU")] == [
        counts["convs"], counts["bns"], counts["prelus"]]
    assert list(model.get_layer("flatten").input.shape[1:]) == counts["last_map"]


def sources(layer):
    return [tensor._keras_history.operation.name for tensor in layer.input]


def test_units():
    model = models.build("lresnet50e_ir", **TINY)
    first = [layer.name.removeprefix("stage1_unit1_") for layer in model.layers if "stage1_unit1_" in layer.name]
    assert [name for name in first if "shortcut" not in name] == [
        "bn1", "conv1", "bn2", "prelu", "conv2_pad", "conv2", "bn3", "add"]
    assert sources(model.get_layer("stage1_unit1_add")) == ["stage1_unit1_shortcut_bn", "stage1_unit1_bn3"]
    assert sources(model.get_layer("stage1_unit2_add")) == ["stage1_unit1_add", "stage1_unit2_bn3"]
    assert model.get_layer("stage1_unit1_shortcut_conv").input is model.get_layer("stem_prelu").output
    assert model.get_layer("stage1_unit1_conv1").strides == (1, 1)
    assert model.get_layer("stage1_unit1_conv2").strides == (2, 2)
    bn = model.get_layer("tail_bn")
    assert (bn.momentum, bn.epsilon, bn.scale) == (0.9, 2e-5, True)
    assert not model.get_layer("fc_bn").scale
    assert model.get_layer("fc").use_bias
    assert [layer.name for layer in model.layers[-4:]] == ["tail_bn", "flatten", "fc", "fc_bn"]


def test_both_branches_of_a_stride_see_the_same_pixels():
    """The 1x1 shortcut reads rows 0, 2, 4, ...; symmetric padding centres the 3x3 convolution on them."""
    model = models.build("lresnet18e_ir", **TINY)
    pad, conv, shortcut = (model.get_layer(f"stage1_unit1_{name}") for name in (
        "conv2_pad", "conv2", "shortcut_conv"))
    kernel = np.zeros(conv.kernel.shape, np.float32)
    kernel[1, 1] = np.eye(8)
    conv.kernel.assign(kernel)
    shortcut.kernel.assign(np.eye(8)[None, None])
    maps = np.random.default_rng(1).normal(size=(2, 32, 32, 8)).astype(np.float32)
    np.testing.assert_allclose(conv(pad(maps)), shortcut(maps), atol=1e-6)


def test_first_weights():
    model = models.build("lresnet18e_ir", width=0.5, seed=3)
    for name in ("stem_conv", "stage3_unit1_conv2", "stage4_unit1_shortcut_conv", "fc"):
        kernel = model.get_layer(name).kernel.numpy()
        fan_out = kernel.shape[-1] * np.prod(kernel.shape[:-2])
        assert abs(kernel.std() / np.sqrt(2 / fan_out) - 1) < 0.05
    again, other = (models.build("lresnet18e_ir", width=0.5, seed=seed).get_layer("fc").kernel.numpy()
                    for seed in (3, 4))
    np.testing.assert_array_equal(again, model.get_layer("fc").kernel)
    assert not np.array_equal(again, other)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_export_equals_the_network(dtype):
    model = models.build("lresnet18e_ir", dropout=0.4, dtype=dtype, synchronized=True, **TINY)
    rng = np.random.default_rng(5)
    model.set_weights([abs(weight + rng.normal(size=weight.shape) * 0.05) for weight in model.get_weights()])
    plain = models.export(model)
    assert {type(layer).__module__.split(".")[0] for layer in plain.layers} == {"keras"}
    assert not any(getattr(layer, "synchronized", False) for layer in plain.layers)
    found = np.array(model({"crops": CROPS, "g": split(range(6))}))
    assert found.dtype == np.float32
    wanted = np.array(plain(CROPS))
    assert np.abs(found - wanted).max() <= (1e-5 if dtype == "float32" else 0.1) * np.abs(wanted).max()


def test_the_plain_form_is_refused():
    with pytest.raises(ValueError, match="batch_norm is False, expected true: an LResNet is not trained without"):
        models.build("lresnet50e_ir", batch_norm=False, **TINY)


def test_the_list_of_plain_networks_leaves_them_out(capsys):
    assert main(["--batch_norm", "false", "--width", "0.0625"]) == 0
    text = capsys.readouterr().out
    assert "resface20" in text
    assert "lresnet" not in text
