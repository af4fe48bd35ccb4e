"""Golden cases of the losses, and their pure computation on whichever Keras backend runs.

A test module of a loss may hold
    DEFAULTS  {registry name: the paper's defaults, but for those that a base brings}
    GOLDENS   {golden file: function of its hyperparameters -> a loss, a Given, or None for a case that is not ours}
    VARIANTS  losses that every property of tests/losses/test_contract.py is asked of
    by_hand   function (loss, Row) -> the paper's formula in plain Python
and a test module of a loss over pairs
    PAIR_GOLDENS   as GOLDENS.
"""

import importlib
import itertools
import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from keras import ops

from losses.classifier import similarities
from losses.loss import Context, Facts
from losses.margin import margins_of
from losses.reduce import Part
from losses.rows import row_losses, updated
from losses.vectors import at_least_float32, norms

GOLDENS = Path(__file__).parent.parent / "goldens"
SCALARS = {"alpha": "alpha", "s": "scale", "bias": "bias"}
"""Trained numbers: name in the golden files -> name in the losses."""


class Given(NamedTuple):
    """What a golden case is computed with, where the loss alone does not say it."""

    loss: object
    state: dict | None = None
    """Name of a state in the golden file -> ours."""
    margins: list | None = None
    sampled: list | None = None
    """The classes that are computed."""


@dataclass(frozen=True)
class Case:
    name: str
    loss: object
    embeddings: np.ndarray
    centers: np.ndarray
    labels: np.ndarray
    bias: np.ndarray | None = None
    scalars: dict = field(default_factory=dict)
    state: dict = field(default_factory=dict)
    margins: np.ndarray | None = None
    outputs: dict = field(default_factory=dict)
    new_state: dict = field(default_factory=dict)
    names: dict = field(default_factory=dict)
    """Name of a gradient in the golden file -> ours."""
    rows: tuple = (...,)
    """Places of `centers` in the golden file's array."""

    @property
    def facts(self):
        return Facts(len(self.centers) // self.loss.sub_centers, margins=self.margins, epoch_steps=10)


class Row(NamedTuple):
    """One row in plain numbers, for a paper's formula in plain Python."""

    cosines: list
    """Of the nearest centers, by class."""
    products: list
    """<x, w> by class."""
    centers: list
    """|w| by class."""
    label: int
    norm: float
    bias: list
    scalars: dict
    state: dict
    """After this step's update."""
    margin: float | None
    place: int
    """In the batch."""
    targets: list
    """Target cosines of the batch."""

    @property
    def cosine(self):
        return self.cosines[self.label]

    def cross_entropy(self, target_logit, others):
        """-log of the target's share; `others` a list by class, the target's own ignored."""
        logits = [target_logit if j == self.label else value for j, value in enumerate(others)]
        peak = max(logits)
        return peak + math.log(sum(math.exp(value - peak) for value in logits)) - target_logit


def modules():
    """The test modules of this folder, but those of every loss at once."""
    paths = sorted(Path(__file__).parent.glob("test_*.py"))
    return [importlib.import_module(f"tests.losses.{path.stem}") for path in paths
            if path.stem not in ("test_goldens", "test_contract")]


def variants():
    """Pairs (loss, its by_hand or None) of all test modules."""
    return [(loss, getattr(module, "by_hand", None))
            for module in modules() for loss in getattr(module, "VARIANTS", ())]


def golden_cases(kind="GOLDENS"):
    """Every numeric case of the golden files that a test module names."""
    return [case for module in modules() for file, make in getattr(module, kind, {}).items()
            for case in _read(file, make, module.__name__.rpartition("_")[2], by_row=kind == "GOLDENS")]


def golden(file):
    """A golden file."""
    return json.loads((GOLDENS / f"{file}.json").read_text())


def _read(file, make, prefix, *, by_row):
    found = golden(file)
    for case in found["cases"]:
        outputs = case.get("outputs", {})
        if "grad_embeddings" not in outputs or ("per_sample" in outputs) != by_row:
            continue
        given = make(case["hyper"] | case.get("parameters", {}))
        if given is not None:
            given = given if isinstance(given, Given) else Given(given)
            yield _case(f"{prefix}_{file}_{case['name']}", case, found["inputs"][case["input"]], given)


def _case(name, case, inputs, given):
    scalars, names, bias = {}, {}, None
    for parameter, value in case.get("parameters", {}).items():
        if np.size(value) == 1:
            ours = SCALARS[parameter]
            if ours not in given.loss.scalars(Facts(len(inputs["centers"]))):
                continue                               # trained in the golden file, state with us
            scalars[ours], names[f"grad_{parameter}"] = np.array(np.ravel(value)[0]), f"grad_{ours}"
        else:
            bias, names["grad_bias"] = np.array(value), "grad_bias"
    ours = given.state or {}
    state = {ours[key]: np.array(value) for key, value in case.get("state", {}).items()}
    after = case["outputs"].get("new_state", {})
    labels, rows = np.array(inputs["labels"]), (...,)
    if given.sampled is not None:
        labels, rows = np.array([given.sampled.index(label) for label in labels]), (given.sampled,)
    return Case(name, given.loss, np.array(inputs["embeddings"]), np.array(inputs["centers"])[rows], labels, bias,
                scalars, state, None if given.margins is None else np.array(given.margins), case["outputs"],
                {ours[key]: value for key, value in after.items() if key in ours}, names, rows)


def example(loss, *, rows="wrap", seed=0):
    """A case of `loss` over the inputs `rows` of the golden files, with scalars and state as they start."""
    inputs = golden("arcface" if rows != "norms" else "magface")["inputs"][rows]
    draw = np.random.default_rng(seed)
    centers = np.array(inputs["centers"])
    if loss.sub_centers > 1:
        centers = np.repeat(centers, loss.sub_centers, axis=0) + 0.3 * draw.normal(
            size=(len(centers) * loss.sub_centers, centers.shape[1]))
    margins = draw.uniform(0.1, 0.5, 12) if getattr(loss, "class_margins", "equal") == "given" else None
    case = Case("example", loss, np.array(inputs["embeddings"]), centers, np.array(inputs["labels"]),
                draw.normal(size=12) if loss.has_bias else None, margins=margins)
    loss = loss.resolved(case.facts)
    return replace(case, loss=loss, scalars={name: np.array(first) for name, (first, _) in
                                             loss.scalars(case.facts).items()},
                   state=loss.first_state(case.facts, centers.shape[1]))


def arrays(case, dtype):
    """{name: array} of what has gradients: embeddings, centers, bias, scalars."""
    named = {"embeddings": case.embeddings, "centers": case.centers, "bias": case.bias, **case.scalars}
    return {name: array.astype(dtype) for name, array in named.items() if array is not None}


def per_sample(case, named, *, bounds=(0, None), margin_share=1.0, step=0, training=True):
    """(losses [B], new state) from the arrays of `arrays`, computed in the class parts that `bounds` cut."""
    embeddings, centers = at_least_float32(named["embeddings"]), at_least_float32(named["centers"])
    loss = case.loss.resolved(case.facts)
    labels = ops.cast(ops.convert_to_tensor(case.labels), "int32")
    parts = []
    for first, last in itertools.pairwise(bounds):
        count = loss.sub_centers
        held = centers[first * count:None if last is None else last * count]
        bias = named["bias"][first:last] if loss.has_bias and case.bias is not None else None
        parts.append(Part(similarities(embeddings, held, loss=loss), labels, first, bias))
    context = context_of(case, loss, named, embeddings, labels, margin_share=margin_share, step=step, training=training)
    if training and loss.asks:
        context = updated(loss, parts, context, lambda tensor: tensor)
    return row_losses(loss, parts, context)[0], context.state


def context_of(case, loss, named, embeddings, labels, **live):
    """The context of a case, on this backend."""
    margins = margins_of(loss, case.facts)
    first = {**loss.first_state(case.facts, embeddings.shape[1]), **case.state}
    state = {name: ops.convert_to_tensor(value, dtype=embeddings.dtype) for name, value in first.items()}
    places = np.stack([np.arange(len(case.labels)), np.zeros(len(case.labels))], axis=1).astype(np.int32)
    return Context(
        labels=labels, norms=norms(embeddings)[:, 0], embeddings=embeddings, g=ops.convert_to_tensor(places),
        facts=case.facts, state=state, previous=state, scalars={name: named[name] for name in case.scalars},
        margins=None if margins is None else ops.take(ops.convert_to_tensor(margins, dtype=embeddings.dtype), labels),
        **live)


def hand_rows(case, state):
    """The rows of a case in plain numbers."""
    lengths = np.linalg.norm(case.embeddings, axis=1)
    sizes = np.linalg.norm(case.centers, axis=1)
    products = case.embeddings @ case.centers.T
    cosines = products / lengths[:, None] / sizes
    shape = (len(lengths), -1, case.loss.sub_centers)
    pooled = cosines.reshape(shape).max(2)
    for place, label in enumerate(case.labels):
        yield Row(pooled[place].tolist(), products[place].reshape(shape[1:]).max(1).tolist(), sizes.tolist(),
                  int(label), float(lengths[place]), [] if case.bias is None else case.bias.tolist(),
                  {name: float(value) for name, value in case.scalars.items()},
                  {name: np.asarray(value).tolist() for name, value in state.items()},
                  None if case.margins is None else float(case.margins[label]), place,
                  pooled[np.arange(len(pooled)), case.labels].tolist())


def check_golden(case, values, gradients, state, dtype):
    """Compares losses, gradients {name: array} and state with the golden file by the tolerances of its README."""
    values = np.asarray(values)
    assert values.dtype == dtype
    expected = np.array(case.outputs.get("per_sample", case.outputs["mean"]))
    scale = getattr(case.loss, "scale", 1.0)
    scale = scale if isinstance(scale, float) and scale else 10.0   # adaptive, or the embeddings' lengths
    relative, absolute, share = ((1e-9, 1e-12, 1e-9) if dtype == "float64" else
                                 (1e-4, 1e-6 * scale * np.minimum(1, np.abs(expected)) + 1e-12, 2e-4))
    assert (np.abs(values - expected) <= relative * np.abs(expected) + absolute).all(), (case.name, values, expected)
    if dtype == "float32" and ("edge" in case.name or "aligned" in case.name or "wrap" in case.name):
        share = 1e-3                                   # angles near 0 and pi: the golden files' own advice
    for name, ours in {"grad_embeddings": "grad_embeddings", "grad_centers": "grad_centers", **case.names}.items():
        if name in case.outputs and ours in gradients:
            wanted = np.array(case.outputs[name])
            wanted = wanted[case.rows] if ours == "grad_centers" else wanted.reshape(np.shape(gradients[ours]))
            error = np.abs(np.asarray(gradients[ours]) - wanted).max()
            assert error <= share * np.abs(wanted).max() + 1e-12, (case.name, name, error / np.abs(wanted).max())
    for name, wanted in case.new_state.items():
        np.testing.assert_allclose(np.asarray(state[name]), wanted, rtol=1e-9 if dtype == "float64" else 1e-5)
