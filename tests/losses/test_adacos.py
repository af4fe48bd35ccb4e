"""AdaCos: the scale follows the batch, and never goes through zero."""

import math

import numpy as np
import pytest
import tensorflow as tf

import losses
from tests.losses.cases import Given, example
from tests.losses.on_tensorflow import gradients

DEFAULTS = {"adacos": {"dynamic": True, "median": "lower"}}
GOLDENS = {"adacos": lambda hyper: Given(losses.AdaCos(median=hyper["median"]), {"s": "scale"})
           if "median" in hyper else losses.AdaCos(dynamic=False)}
VARIANTS = [losses.AdaCos(), losses.AdaCos(dynamic=False), losses.AdaCos(median="mean")]


def by_hand(loss, row):
    scale = row.state["scale"]
    return row.cross_entropy(scale * row.cosine, [scale * cosine for cosine in row.cosines])


def test_the_new_scale_by_hand():
    case = example(losses.AdaCos(median="mean"), rows="aligned")
    cosines = case.embeddings @ case.centers.T / np.linalg.norm(case.embeddings, axis=1)[:, None] / np.linalg.norm(
        case.centers, axis=1)
    first = math.sqrt(2) * math.log(11)
    others = [sum(math.exp(first * cosines[i, j]) for j in range(12) if j != label)
              for i, label in enumerate(case.labels)]
    angles = np.arccos(cosines[np.arange(8), case.labels])
    for median, middle in (("mean", np.median(angles)), ("lower", np.sort(angles)[3])):
        wanted = math.log(np.mean(others)) / math.cos(min(math.pi / 4, middle))
        state = gradients(example(losses.AdaCos(median=median), rows="aligned"), "float64")[2]
        assert float(state["scale"]) == pytest.approx(wanted, rel=1e-12)


def test_it_is_normface_at_the_new_scale_without_gradient_through_it():
    values, slopes, state = gradients(example(losses.AdaCos()), "float64")
    same = gradients(example(losses.NormFace(float(state["scale"]))), "float64")
    np.testing.assert_allclose(values, same[0], rtol=1e-13)
    np.testing.assert_allclose(slopes["grad_embeddings"], same[1]["grad_embeddings"], rtol=1e-11, atol=1e-15)


def test_the_first_scale_stays_where_it_is_fixed_or_nothing_is_trained():
    for options in ({"dynamic": False}, {}):
        _, _, state = gradients(example(losses.AdaCos(**options)), "float64", training=bool(options))
        assert float(state["scale"]) == pytest.approx(math.sqrt(2) * math.log(11), rel=1e-14)


def test_the_scale_is_one_at_least():
    """Three classes and others at cosine -1: B is below 1, its logarithm below 0."""
    batch = losses.loss.Batch(tf.constant([1.0, 1.0]), None, None, rest=tf.constant([-3.0, -2.0]))
    found = losses.AdaCos().update({}, batch, None)["scale"]
    assert float(found) == 1


def test_ranges():
    with pytest.raises(ValueError, match="median is 'middle', expected one of lower, mean"):
        losses.AdaCos(median="middle")
    with pytest.raises(ValueError, match="number of classes is 2, expected at least 3"):
        losses.Head(losses.AdaCos(), 2)


def test_sums_far_apart_do_not_overflow():
    batch = losses.loss.Batch(tf.constant([1.0, 1.0], tf.float64), None, None,
                              rest=tf.constant([-800.0, 900.0], tf.float64))
    for median in ("lower", "mean"):
        found = losses.AdaCos(median=median).update({}, batch, None)["scale"]
        assert float(found) == pytest.approx(900 - math.log(2), rel=1e-15)
