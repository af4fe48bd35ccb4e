"""AM-Softmax."""

import numpy as np
import tensorflow as tf

import losses
from tests.losses.cases import Given, example
from tests.losses.on_tensorflow import gradients


def _sampled(hyper):
    if hyper["m2"]:
        return None
    loss = losses.AMSoftmax(hyper["s"], hyper["m3"], filter_above=hyper["filter_threshold"])
    return Given(loss, sampled=hyper["sampled"])


DEFAULTS = {"amsoftmax": {"scale": 30.0, "margin": 0.35, "easy": False}}
GOLDENS = {
    "am_softmax": lambda hyper: losses.AMSoftmax(hyper["s"], hyper["m"], easy=hyper["variant"] == "easy"),
    "adaptive_scale": lambda hyper: losses.AMSoftmax("adaptive", hyper["m"]) if "m" in hyper else None,
    "partial_fc": _sampled,
}
VARIANTS = [losses.AMSoftmax(), losses.AMSoftmax(64.0, 0.4, easy=True), losses.AMSoftmax("adaptive", sub_centers=2),
            losses.AMSoftmax(filter_above=0.2), losses.AMSoftmax(class_margins="given")]


def by_hand(loss, row):
    scale = 2**0.5 * np.log(11) if loss.scale == "adaptive" else loss.scale
    margin = loss.margin if row.margin is None else row.margin
    target = row.cosine if loss.easy and row.cosine <= 0 else row.cosine - margin
    kept = [0.0 if cosine > (loss.filter_above or 2) else cosine for cosine in row.cosines]
    return row.cross_entropy(scale * target, [scale * cosine for cosine in kept])


def test_no_margin_is_normface_and_the_margin_ramps():
    bare = gradients(example(losses.NormFace(30.0)), "float64")
    for found in (gradients(example(losses.AMSoftmax(30.0, 0.0)), "float64"),
                  gradients(example(losses.AMSoftmax(30.0, 0.35)), "float64", margin_share=0.0)):
        np.testing.assert_array_equal(found[0], bare[0])
    half = gradients(example(losses.AMSoftmax(30.0, 0.35)), "float64", margin_share=0.5)[0]
    np.testing.assert_allclose(half, gradients(example(losses.AMSoftmax(30.0, 0.175)), "float64")[0], rtol=1e-14)


def test_filtered_classes_get_no_gradient():
    case = example(losses.AMSoftmax(filter_above=0.3), rows="hardneg")
    cosines = case.embeddings @ case.centers.T / np.linalg.norm(case.embeddings, axis=1)[:, None] / np.linalg.norm(
        case.centers, axis=1)
    away = [j for j in range(12) if j not in case.labels and (cosines[:, j] > 0.3).all()]
    slopes = gradients(case, "float64")[1]["grad_centers"]
    near = [j for j in range(12) if j not in case.labels and (cosines[:, j] <= 0.3).any()]
    assert not np.abs(slopes[away]).any()
    assert (np.abs(slopes[near]).max(axis=1) > 0).all()


def test_easy_keeps_the_margin_where_the_cosine_is_above_zero():
    values = losses.AMSoftmax(margin=0.35, easy=True).target(tf.constant([-0.5, 0.0, 0.5]), losses.Context(None, None))
    np.testing.assert_allclose(values, [-0.5, 0.0, 0.15], rtol=1e-6)
