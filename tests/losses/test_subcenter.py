"""Sub-centers: the nearest counts and alone learns; of equal ones the first."""

import numpy as np
import pytest
import tensorflow as tf

import losses
from losses.classifier import nearest, similarities
from tests.losses.cases import example, golden
from tests.losses.on_tensorflow import gradients
from tests.losses.test_arcface import by_hand  # noqa: F401 - the same formula over the nearest centers


def _golden(hyper):
    if not hyper["m"]:
        return losses.NormFace(hyper["s"], sub_centers=hyper["K"])
    variant, _, through = hyper["variant"].partition("_")
    return losses.SubcenterArcFace(hyper["s"], hyper["m"], variant, "straight_through" if through else "exact")


DEFAULTS = {"subcenter": {"scale": 64.0, "margin": 0.5, "variant": "monotone", "gradient": "exact", "sub_centers": 3}}
GOLDENS = {"subcenter_arcface": _golden}
VARIANTS = [losses.SubcenterArcFace(), losses.SubcenterArcFace("adaptive", sub_centers=10)]


def test_winners_are_the_golden_ones_and_losers_learn_nothing():
    found = golden("subcenter_arcface")
    [table] = [case for case in found["cases"] if "winner" in case]
    inputs = found["inputs"]["subcenters"]
    embeddings, centers = (tf.constant(inputs[name], tf.float64) for name in ("embeddings", "centers"))
    each = similarities(embeddings, centers, loss=losses.NormFace()).numpy().reshape(8, 12, 3)
    np.testing.assert_array_equal(each.argmax(2), table["winner"])
    with tf.GradientTape() as tape:
        tape.watch(centers)
        pooled = similarities(embeddings, centers, loss=losses.SubcenterArcFace())
    slopes = tape.gradient(pooled, centers).numpy().reshape(12, 3, 16)
    won = np.array([[k in np.array(table["winner"])[:, j] for k in range(3)] for j in range(12)])
    np.testing.assert_array_equal(np.abs(slopes).max(2) > 0, won)


def test_of_equal_ones_the_first_learns():
    products = tf.constant([[0.5, 0.5, 0.1, 0.2, 0.3, 0.3]])
    with tf.GradientTape() as tape:
        tape.watch(products)
        pooled = nearest(products, 3)
    np.testing.assert_allclose(pooled, [[0.5, 0.3]])
    np.testing.assert_array_equal(tape.gradient(pooled, products), [[1, 0, 0, 0, 1, 0]])


def test_one_sub_center_is_arcface():
    found, wanted = (gradients(example(loss), "float64")
                     for loss in (losses.SubcenterArcFace(sub_centers=1), losses.ArcFace()))
    np.testing.assert_array_equal(found[0], wanted[0])


def test_the_head_has_k_rows_a_class_and_logits_a_class():
    head = losses.Head(losses.SubcenterArcFace(), 5)
    logits = head(np.ones((2, 4), np.float32), np.array([0, 4]))
    assert tuple(head.classifier.centers.shape) == (15, 4)
    assert tuple(logits.shape) == (2, 5)
    assert np.unique(head.classifier.centers.numpy(), axis=0).shape == (15, 4)   # no two alike


@pytest.mark.parametrize("count", [0, -1])
def test_ranges(count):
    with pytest.raises(ValueError, match=f"sub_centers is {count}, expected an integer of at least 1"):
        losses.AMSoftmax(sub_centers=count)
