"""The losses equal independent values, whole and in parts, on TensorFlow and on JAX."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import losses
from tests.losses.cases import arrays, check_golden, golden_cases, per_sample

CASES = golden_cases()


def gradients(case, dtype, **options):
    named = {name: tf.constant(array) for name, array in arrays(case, dtype).items()}
    with tf.GradientTape() as tape:
        tape.watch(list(named.values()))
        values = per_sample(case, named["grad_embeddings"], named["grad_centers"], named.get("grad_bias"), **options)
        mean = tf.reduce_mean(values)
    found = tape.gradient(mean, list(named.values()))
    return values.numpy(), {name: gradient.numpy() for name, gradient in zip(named, found, strict=True)}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden_values_and_gradients(case, dtype):
    check_golden(case, *gradients(case, dtype), dtype)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_three_uneven_parts_equal_the_whole(case):
    whole, whole_gradients = gradients(case, "float64")
    for bounds in ((0, 1, 8, None), (0, 7, 11, None)):
        parts, part_gradients = gradients(case, "float64", bounds=bounds)
        np.testing.assert_allclose(parts, whole, rtol=1e-12, atol=1e-12)
        for name, gradient in part_gradients.items():
            np.testing.assert_allclose(gradient, whole_gradients[name], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", CASES[::4], ids=lambda case: case.name)
def test_head_gives_the_golden_through_its_variables(case):
    head = losses.Head(case.loss, 12, dtype="float64")
    head.build((None, 16))
    head.classifier.centers.assign(case.centers)
    if case.bias is not None:
        head.classifier.bias.assign(case.bias)
    embeddings = tf.constant(case.embeddings)
    names = ["grad_embeddings", *(f"grad_{variable.name}" for variable in head.trainable_variables)]
    assert names == ["grad_embeddings", "grad_centers", *(["grad_bias"] if case.bias is not None else [])]
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        rows = head.rows(embeddings, case.labels)
        mean = tf.reduce_mean(rows.loss)
    found = tape.gradient(mean, [embeddings, *(variable.value for variable in head.trainable_variables)])
    check_golden(case, rows.loss, dict(zip(names, found, strict=True)), "float64")


def test_everything_on_jax():
    root = Path(__file__).parent.parent.parent
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu",
                   "PYTHONPATH": str(root)}
    run = subprocess.run([sys.executable, "-W", "error", "-m", "tests.losses.on_jax"], cwd=root, env=environment,
                         capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-3000:]
    assert f"{2 * len(CASES)} golden cases, fit, jit, dropout: equal" in run.stdout
