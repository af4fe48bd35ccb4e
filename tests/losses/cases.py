"""Golden cases of the losses, and their pure computation on whichever Keras backend runs."""

import itertools
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from keras import ops

import losses
from losses.classifier import at_least_float32, norms, similarities
from losses.head import row_losses
from losses.reduce import part

GOLDENS = Path(__file__).parent.parent / "goldens"


class Case(NamedTuple):
    name: str
    loss: object
    embeddings: np.ndarray
    centers: np.ndarray
    bias: np.ndarray | None
    labels: np.ndarray
    outputs: dict


def golden_cases():
    """Every numeric case of the losses' golden files; normface.json is AM-Softmax without margin."""
    makers = {
        "softmax": lambda hyper: losses.Softmax(),
        "am_softmax": lambda hyper: losses.AMSoftmax(hyper["s"], hyper["m"], hyper["variant"] == "easy"),
        "arcface": _arcface,
        "normface": lambda hyper: losses.AMSoftmax(hyper["s"], 0.0),
    }
    return [case for name, maker in makers.items() for case in _read(name, maker)]


def _arcface(hyper):
    variant, _, through = hyper["variant"].partition("_")
    return losses.ArcFace(hyper["s"], hyper["m"], variant, "straight_through" if through else "exact")


def _read(name, maker):
    golden = json.loads((GOLDENS / f"{name}.json").read_text())
    for case in golden["cases"]:
        if "per_sample" not in case.get("outputs", {}):
            continue
        inputs = golden["inputs"][case["input"]]
        bias = case.get("parameters", {}).get("bias")
        loss = maker(case["hyper"] | case.get("parameters", {}))
        yield Case(f"{name}_{case['name']}", loss, np.array(inputs["embeddings"]), np.array(inputs["centers"]),
                   None if bias is None else np.array(bias), np.array(inputs["labels"]), case["outputs"])


def per_sample(case, embeddings, centers, bias, *, bounds=(0, None), margin_share=1.0):
    """Losses [B] computed in the class parts that `bounds` cut."""
    embeddings, centers = at_least_float32(embeddings), at_least_float32(centers)
    labels = ops.cast(ops.convert_to_tensor(case.labels), "int32")
    parts = []
    for first, last in itertools.pairwise(bounds):
        rows = slice(first, last)
        similarity = similarities(embeddings, centers[rows], loss=case.loss, bias=None if bias is None else bias[rows])
        parts.append(part(similarity, labels, first))
    context = losses.Context(labels=labels, norms=norms(embeddings)[:, 0], margin_share=margin_share)
    return row_losses(case.loss, parts, context)


def arrays(case, dtype):
    """The arrays that have gradients, with the names of those gradients in the golden file."""
    named = [("grad_embeddings", case.embeddings), ("grad_centers", case.centers), ("grad_bias", case.bias)]
    return {name: array.astype(dtype) for name, array in named if array is not None}


def check_golden(case, values, gradients, dtype):
    """Compares losses and gradients {name: array} with the golden file by the tolerances of its README."""
    expected = np.array(case.outputs["per_sample"])
    values = np.asarray(values)
    assert values.dtype == dtype
    scale = getattr(case.loss, "scale", 1.0)
    relative, absolute, share = ((1e-9, 1e-12, 1e-9) if dtype == "float64" else
                                 (1e-4, 1e-6 * scale * np.minimum(1, np.abs(expected)) + 1e-12, 2e-4))
    assert (np.abs(values - expected) <= relative * np.abs(expected) + absolute).all(), case.name
    for name, gradient in gradients.items():
        wanted = np.array(case.outputs[name])
        assert np.abs(np.asarray(gradient) - wanted).max() <= share * np.abs(wanted).max() + 1e-12, (case.name, name)
