"""UniFace: sums of questions with one threshold."""

import math

import numpy as np
import pytest

import losses
from tests.losses.cases import example
from tests.losses.on_tensorflow import gradients

DEFAULTS = {"uniface": {"scale": 64.0, "margin": 0.4, "weight": 1.0, "sampled": 1.0}}
GOLDENS = {"uniface": lambda hyper: losses.UniFace(hyper["s"], hyper["m"], hyper["l"])}
VARIANTS = [losses.UniFace(), losses.UniFace(30.0, 0.2, 0.7, 0.1)]


def by_hand(loss, row):
    bias = row.scalars["bias"]
    total = math.log1p(math.exp(-(loss.scale * (row.cosine - loss.margin) - bias)))
    return total + loss.weight * sum(math.log1p(math.exp(loss.scale * cosine - bias))
                                     for j, cosine in enumerate(row.cosines) if j != row.label)


def test_the_bias_starts_by_the_number_of_classes_computed():
    first = losses.Head(losses.UniFace(), 10572)
    first.build((None, 4))
    assert float(first.classifier.scalars["bias"]) == pytest.approx(math.log(105_720))
    tenth = losses.UniFace(sampled=0.1).scalars(first.facts)["bias"]
    assert tenth == (pytest.approx(math.log(10_572)), -math.inf)
    first.classifier.scalars["bias"].assign(-3.0)     # no least value
    assert float(first.classifier.scalars["bias"].constraint(first.classifier.scalars["bias"])) == -3.0


def test_large_arguments_are_not_cut():
    """The public code's gradient ends at arguments of +-scale."""
    case = example(losses.UniFace(), rows="hardneg")
    assert (np.abs(gradients(case, "float64")[1]["grad_embeddings"]).max(axis=1) > 0).all()


def test_the_margin_ramps():
    case = example(losses.UniFace())
    none = gradients(example(losses.UniFace(margin=0.0)), "float64")[0]
    np.testing.assert_allclose(gradients(case, "float64", margin_share=0.0)[0], none, rtol=1e-13)


@pytest.mark.parametrize(("params", "message"), [
    ({"scale": -64.0}, "scale is -64.0"), ({"margin": 2.0}, "margin is 2.0"), ({"weight": 0.0}, "weight is 0.0"),
    ({"sampled": 0.0}, "sampled is 0.0"), ({"sampled": 1.5}, "sampled is 1.5"), ({"margin": -0.1}, "margin is -0.1"),
])
def test_ranges(params, message):
    with pytest.raises(ValueError, match=message):
        losses.UniFace(**params)
