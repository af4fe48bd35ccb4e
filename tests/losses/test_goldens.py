"""The losses equal independent values on TensorFlow and on JAX."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

import losses
from tests.losses.cases import GOLDENS, check_golden, golden_cases
from tests.losses.on_tensorflow import gradients

CASES = golden_cases()
PAIRS = golden_cases("PAIR_GOLDENS")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden_values_and_gradients(case, dtype):
    check_golden(case, *gradients(case, dtype), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", PAIRS, ids=lambda case: case.name)
def test_golden_pairs(case, dtype):
    embeddings = tf.constant(case.embeddings.astype(dtype))
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        value = case.loss(embeddings, tf.constant(case.labels, tf.int32))
    check_golden(case, value, {"grad_embeddings": tape.gradient(value, embeddings).numpy()}, {}, dtype)


@pytest.mark.parametrize("case", [case for case in CASES if case.new_state or "random" in case.name][::5],
                         ids=lambda case: case.name)
def test_head_gives_the_golden_through_its_variables(case):
    head = losses.Head(case.loss, case.facts.num_classes, margins=case.margins, dtype="float64")
    head.build((None, 16))
    classifier = head.classifier
    classifier.centers.assign(case.centers)
    scalars = [(classifier.scalars[name], value) for name, value in case.scalars.items()]
    state = [(head.state[name], value) for name, value in case.state.items()]
    for variable, value in ((classifier.bias, case.bias), *scalars, *state):
        if value is not None:
            variable.assign(value)
    embeddings = tf.constant(case.embeddings)
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        rows = head.rows(embeddings, case.labels)
        mean = tf.reduce_mean(rows.loss)
    names = ["grad_embeddings", *(f"grad_{variable.name}" for variable in head.trainable_variables)]
    found = tape.gradient(mean, [embeddings, *(variable.value for variable in head.trainable_variables)])
    check_golden(case, rows.loss, dict(zip(names, found, strict=True)), rows.state, "float64")


def test_everything_on_jax():
    root = Path(__file__).parent.parent.parent
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu",
                   "PYTHONPATH": str(root)}
    run = subprocess.run([sys.executable, "-W", "error", "-m", "tests.losses.on_jax"], cwd=root, env=environment,
                         capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-3000:]
    count = len(CASES) + len(CASES[::4]) + 2 * len(PAIRS)
    assert f"{count} golden cases, fit, jit, dropout, draws: equal" in run.stdout


NOT_OURS = {"random_softmax_double_softmax_random", "elasticface_aligned_arc_plus_code_indexing",
            "elasticface_aligned_cos_plus_code_indexing"}
"""What the papers' codes do and we do not (named in the modules)."""
ELSEWHERE = "center_loss"
"""Its rows have no loss of their own; tests/losses/test_centerloss.py takes them."""


def test_no_golden_case_is_left_out():
    used = [case.name.partition("_")[2] for case in CASES + PAIRS]
    files = {path.stem: json.loads(path.read_text()) for path in GOLDENS.glob("*.json")}
    there = {f"{stem}_{case['name']}" for stem, found in files.items() if isinstance(found, dict)
             for case in found.get("cases", ()) if isinstance(case, dict)
             and "grad_embeddings" in case.get("outputs", {}) and stem != ELSEWHERE}
    assert len(set(used)) == len(used)
    assert set(used) == there - NOT_OURS
