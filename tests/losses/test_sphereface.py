"""SphereFace: psi falls for every factor, lambda falls as in the prototxt."""

import math

import numpy as np
import pytest

import losses
from losses.sphereface import psi
from tests.losses.cases import example, golden
from tests.losses.on_tensorflow import gradients
from tests.losses.targets import ANGLES, check_falls, check_slopes


def _golden(hyper):
    if hyper["form"] not in ("a_softmax", "scaled"):
        return None
    return losses.SphereFace(float(hyper["m"]), hyper.get("s", 0.0), base=hyper["lam"], gamma=0.0, least=hyper["lam"])


ALONE = {"base": 0.0, "least": 0.0}
DEFAULTS = {"sphereface": {"margin": 4.0, "scale": 0.0, "base": 1000.0, "gamma": 0.12, "power": 1.0, "least": 5.0}}
GOLDENS = {"sphereface": _golden}
VARIANTS = [losses.SphereFace(), losses.SphereFace(4.0, **ALONE), losses.SphereFace(1.35, 30.0, **ALONE),
            losses.SphereFace(2.0, 16.0)]


def by_hand(loss, row):
    theta = math.acos(max(-1, min(1, row.cosine)))
    k = min(math.floor(loss.margin * theta / math.pi), math.ceil(loss.margin) - 1)
    value = (-1)**k * math.cos(loss.margin * theta) - 2 * k
    weight = max(loss.least, loss.base / (1 + loss.gamma) ** loss.power)   # the first step counts as 1
    scale = loss.scale or row.norm
    return row.cross_entropy(scale * (weight * row.cosine + value) / (1 + weight), [scale * c for c in row.cosines])


@pytest.mark.parametrize("margin", [1.0, 1.35, 1.7, 2.0, 2.5, 3.0, 4.0, 8.0])
def test_psi_falls_all_the_way(margin):
    check_falls(losses.SphereFace(margin, **ALONE))
    check_slopes(losses.SphereFace(margin, **ALONE))
    values = psi(np.cos(ANGLES), margin)
    assert np.abs(np.diff(values)).max() < 1.1 * margin * np.pi / 10_000   # no jump at a joint
    assert float(values[0]) == pytest.approx(1, abs=1e-6)


def test_psi_at_the_ends_and_joints():
    for m in (2, 3, 4):
        cosines = np.cos(np.arange(m + 1) * np.pi / m)
        np.testing.assert_allclose(psi(cosines, float(m)), 1 - 2 * np.arange(m + 1.0), atol=1e-12)


def test_lambda_is_the_golden_table():
    [table] = [case["table"] for case in golden("sphereface")["cases"] if "table" in case]
    for row in table:
        assert float(losses.SphereFace().annealing(row["t"] - 1)) == pytest.approx(row["lam"], rel=1e-6)
    other = losses.SphereFace(base=1000.0, gamma=1e-4, power=2.0)   # the loss-search repository's
    assert float(other.annealing(9999)) == pytest.approx(250, rel=1e-5)


def test_lambda_is_live_and_a_huge_one_is_no_margin():
    case = example(losses.SphereFace())
    early, late = (gradients(case, "float64", step=step)[0] for step in (0, 10_000))
    assert (late > early).all()
    bare = gradients(example(losses.SphereFace(base=1e12, least=1e12)), "float64")[0]
    np.testing.assert_allclose(gradients(case, "float64", margin_share=0.0)[0], bare, rtol=1e-9)


def test_it_is_not_free_of_the_embeddings_length():
    case = example(losses.SphereFace())
    slopes = gradients(case, "float64")[1]["grad_embeddings"]
    assert np.abs(np.sum(slopes * case.embeddings, axis=1)).min() > 1e-6


@pytest.mark.parametrize(("params", "message"), [
    ({"margin": 0.9}, r"margin is 0.9, expected a factor of the angle in \[1, 8\]"), ({"margin": 9.0}, "margin is 9.0"),
    ({"scale": -1.0}, "scale is -1.0"), ({"least": -1.0}, "least is -1.0"), ({"base": math.inf}, "base is inf"),
])
def test_ranges(params, message):
    with pytest.raises(ValueError, match=message):
        losses.SphereFace(**params)
