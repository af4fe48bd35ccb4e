"""What every loss promises: its paper's formula, any parts of the classes, finite ends, no order among classes."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

import losses
from losses.draws import normal
from losses.registry import build, names
from tests.losses.cases import example, hand_rows, variants
from tests.losses.on_tensorflow import gradients

DRAWS = [-0.593621, -0.148234, -0.345147, -0.722435, 2.400517]
VARIANTS_AND_HANDS = variants()
EACH = [loss for loss, _ in VARIANTS_AND_HANDS]
WITH_HANDS = [pair for pair in VARIANTS_AND_HANDS if pair[1]]


@pytest.mark.parametrize(("loss", "by_hand"), WITH_HANDS, ids=str)
@pytest.mark.parametrize("rows", ["wrap", "hardneg", "norms"])
def test_the_papers_formula_row_by_row(loss, by_hand, rows):
    case = example(loss, rows=rows)
    values, _, state = gradients(case, "float64")
    loss = loss if getattr(loss, "scale", None) == "adaptive" else case.loss
    found = [by_hand(loss, row) for row in hand_rows(case, state)]
    np.testing.assert_allclose(values, found, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("loss", EACH, ids=str)
def test_three_uneven_parts_equal_the_whole(loss):
    case = example(loss, rows="hardneg")
    whole, slopes, state = gradients(case, "float64")
    parts, part_slopes, part_state = gradients(case, "float64", bounds=(0, 1, 8, None))
    np.testing.assert_allclose(parts, whole, rtol=1e-12, atol=1e-12)
    for name, slope in part_slopes.items():
        np.testing.assert_allclose(slope, slopes[name], rtol=1e-12, atol=1e-12)
    for name, value in part_state.items():
        np.testing.assert_allclose(value, state[name], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("loss", EACH, ids=str)
def test_permuting_classes_permutes_nothing_else(loss):
    case = example(loss)
    order = np.random.default_rng(1).permutation(12)                   # class i becomes class order[i]
    rows = np.argsort(order)
    centers = case.centers.reshape(12, loss.sub_centers, -1)[rows].reshape(case.centers.shape)
    other = replace(case, centers=centers, labels=order[case.labels], bias=None if case.bias is None else
                    case.bias[rows], margins=None if case.margins is None else case.margins[rows])
    values, slopes, _ = gradients(case, "float64")
    found, found_slopes, _ = gradients(other, "float64")
    np.testing.assert_allclose(found, values, rtol=1e-11)
    moved = slopes["grad_centers"].reshape(12, loss.sub_centers, -1)[rows].reshape(case.centers.shape)
    np.testing.assert_allclose(found_slopes["grad_centers"], moved, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(found_slopes["grad_embeddings"], slopes["grad_embeddings"], rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("loss", EACH, ids=str)
def test_gradients_are_finite_at_both_ends_and_beyond(loss):
    """Target and other class at cosine 1 and -1, in float32, where rounding passes 1 by an ulp or two."""
    case = example(loss)
    embeddings = np.repeat(np.random.default_rng(2).normal(size=(1, 16)), 8, axis=0)
    centers = np.array(case.centers).reshape(12, loss.sub_centers, 16)
    labels = np.array([0, 1, 2, 0, 1, 2, 0, 1])
    centers[0], centers[1], centers[3], centers[4] = (factor * embeddings[:1] for factor in (3, -0.7, 1.3, -5))
    case = replace(case, embeddings=embeddings * np.linspace(0.1, 30, 8)[:, None], labels=labels,
                   centers=centers.reshape(case.centers.shape))
    values, slopes, _ = gradients(case, "float32")
    assert np.isfinite(values).all()
    for slope in slopes.values():
        assert np.isfinite(slope).all()
    beyond = tf.constant([1.0, -1.0, np.nextafter(np.float32(1), np.float32(2)), np.nextafter(np.float32(-1), -2)])
    with tf.GradientTape() as tape:
        tape.watch(beyond)
        context = losses.Context(None, tf.ones(4), g=tf.zeros((4, 2), tf.int32), facts=case.facts, training=False,
                                 scalars={name: tf.constant(1.0) for name in case.scalars},
                                 state={name: tf.constant(np.float32(value)) for name, value in case.state.items()})
        single = replace(case.loss, class_margins="equal") if case.margins is not None else case.loss
        logits = tf.reduce_sum(single.target(beyond, context)) + tf.reduce_sum(
            single.others(beyond[:, None], beyond, context))
    assert np.isfinite(tape.gradient(logits, beyond)).all()


@pytest.mark.parametrize("loss", EACH, ids=str)
def test_a_zero_embedding_and_a_zero_center_have_no_gradient(loss):
    case = example(loss)
    embeddings, centers = case.embeddings.copy(), case.centers.copy()
    embeddings[2], centers[5 * loss.sub_centers:6 * loss.sub_centers] = 0, 0
    values, slopes, _ = gradients(replace(case, embeddings=embeddings, centers=centers), "float32")
    assert np.isfinite(values).all()
    if loss.unit_embeddings:
        np.testing.assert_array_equal(slopes["grad_embeddings"][2], 0)
    if loss.unit_centers:
        np.testing.assert_array_equal(slopes["grad_centers"][5 * loss.sub_centers:6 * loss.sub_centers], 0)
    for slope in slopes.values():
        assert np.isfinite(slope).all()


def test_every_loss_has_variants_here():
    with_classifier = {type(build(name)) for name in names() if isinstance(build(name), losses.Loss)}
    assert with_classifier == {type(loss) for loss in EACH}


def test_draws_are_the_same_everywhere():
    numbers = np.stack([np.arange(5), [0, 0, 1, -1, 7]], axis=1).astype(np.int32)
    np.testing.assert_allclose(normal(tf.constant(numbers), 3, "a test"), DRAWS, rtol=1e-5)
    numbers = np.stack([np.arange(100_000), np.zeros(100_000)], axis=1).astype(np.int32)
    many = normal(tf.constant(numbers), 0, "x").numpy()
    assert abs(many.mean()) < 0.01
    assert abs(many.std() - 1) < 0.01
    assert abs(np.mean(many**4) - 3) < 0.1
    assert np.abs(np.corrcoef(many[:-1], many[1:])[0, 1]) < 0.01
