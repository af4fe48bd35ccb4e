"""NormFace: the trained scale and the least loss."""

import numpy as np
import pytest

import losses
from losses.normface import lower_bound
from tests.losses.cases import example, golden
from tests.losses.on_tensorflow import gradients

DEFAULTS = {"normface": {"scale": 30.0, "trained": False}}
GOLDENS = {"normface": lambda hyper: losses.NormFace(hyper["s"], trained=True),
           "adaptive_scale": lambda hyper: None if "m" in hyper else losses.NormFace("adaptive", trained=True)}
VARIANTS = [losses.NormFace(), losses.NormFace("adaptive"), losses.NormFace(10.0, trained=True),
            losses.NormFace(30.0, sub_centers=3), losses.NormFace(30.0, filter_above=0.3)]


def by_hand(loss, row):
    kept = [0.0 if cosine > (loss.filter_above or 2) else cosine for cosine in row.cosines]
    scale = 2**0.5 * np.log(11) if loss.scale == "adaptive" else loss.scale
    return row.cross_entropy(scale * row.cosine, [scale * cosine for cosine in kept])


def test_embeddings_and_centers_have_gradients_across_them():
    case = example(losses.NormFace())
    found = gradients(case, "float64")[1]
    for vectors, slopes in ((case.embeddings, found["grad_embeddings"]), (case.centers, found["grad_centers"])):
        assert np.abs(np.sum(slopes * vectors, axis=1)).max() < 1e-12


def test_a_fixed_scale_has_no_variable():
    assert losses.NormFace().scalars(None) == {}
    assert losses.NormFace(7.0, trained=True).scalars(None) == {"scale": (7.0, 0.01)}
    np.testing.assert_array_equal(gradients(example(losses.NormFace(9.0)), "float64")[0],
                                  gradients(example(losses.NormFace(9.0, trained=True)), "float64")[0])


def test_the_least_loss_is_the_golden_table():
    [table] = [case["table"] for case in golden("normface")["cases"] if "table" in case]
    for row in table:
        assert lower_bound(row["classes"], row["s"]) == pytest.approx(row["lower_bound"], rel=1e-12)
    assert lower_bound(10575, 1.0) == pytest.approx(8.27, abs=0.005)
    for classes, scale, message in ((1, 30.0, "number of classes is 1, expected at least"), (10, -1.0, "scale is -1")):
        with pytest.raises(ValueError, match=message):
            lower_bound(classes, scale)
