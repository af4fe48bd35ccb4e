"""SphereFace2: sums of questions, the bias' first value."""

import math

import numpy as np
import pytest

import losses
from tests.losses.cases import example, golden
from tests.losses.on_tensorflow import gradients
from tests.losses.targets import ANGLES, target


def _golden(hyper):
    return losses.SphereFace2(hyper["r"], hyper["m"], hyper["kind"], hyper["lam"], hyper["t"],
                              "straight_through" if hyper["detach"] else "exact")


DEFAULTS = {"sphereface2": {"scale": 40.0, "margin": 0.4, "kind": "C", "balance": 0.7, "exponent": 3,
                            "gradient": "exact"}}
GOLDENS = {"sphereface2": _golden}
VARIANTS = [losses.SphereFace2(), losses.SphereFace2(40.0, 0.5, "A"), losses.SphereFace2(64.0, 1.7, "M", 0.8),
            losses.SphereFace2(gradient="straight_through", exponent=2)]


def by_hand(loss, row):
    def spread(value):
        return 2 * ((value + 1) / 2)**loss.exponent - 1

    theta, bias = math.acos(max(-1, min(1, row.cosine))), row.scalars["bias"]
    own = {"C": spread(row.cosine) - loss.margin, "A": spread(math.cos(min(theta + loss.margin, math.pi))),
           "M": spread(math.cos(min(theta * loss.margin, math.pi)))}[loss.kind]
    lift = loss.margin if loss.kind == "C" else 0.0
    total = loss.balance * math.log1p(math.exp(-(loss.scale * own + bias)))
    for j, cosine in enumerate(row.cosines):
        if j != row.label:
            total += (1 - loss.balance) * math.log1p(math.exp(loss.scale * (spread(cosine) + lift) + bias))
    return total / loss.scale


def test_the_bias_first_value_is_the_golden_table():
    [table] = [case["table"] for case in golden("sphereface2")["cases"] if "table" in case]
    for row in table:
        loss = losses.SphereFace2(row["r"], row["m"], row["kind"], row["lam"], row["t"])
        assert loss.first_bias(row["classes"]) == pytest.approx(row["bias"], rel=1e-9)
    assert math.isfinite(losses.SphereFace2().first_bias(2))


def test_the_target_falls_and_the_margin_ramps():
    bias = {"scalars": {"bias": 0.0}}
    for loss in (losses.SphereFace2(), losses.SphereFace2(40.0, 0.5, "A"), losses.SphereFace2(40.0, 1.7, "M")):
        values, slopes = target(loss, np.cos(ANGLES), **bias)
        assert (np.diff(values) <= 0).all()
        assert (slopes >= 0).all()
        bare = target(loss, np.cos(ANGLES[::500]), margin_share=0.0, **bias)[0]
        np.testing.assert_allclose(bare, 2 * ((np.cos(ANGLES[::500]) + 1) / 2)**3 - 1, atol=1e-13)
    case = example(losses.SphereFace2())
    none = example(losses.SphereFace2(margin=0.0))
    none = type(none)(**{**vars(none), "scalars": case.scalars})
    bare = gradients(none, "float64")[0]
    np.testing.assert_allclose(gradients(case, "float64", margin_share=0.0)[0], bare, rtol=1e-13)


@pytest.mark.parametrize(("params", "message"), [
    ({"kind": "B"}, "kind is 'B', expected one of C, A, M"), ({"margin": 2.0}, "margin is 2.0, expected a difference"),
    ({"kind": "A", "margin": 28.0}, r"margin is 28.0, expected radians in \[0, pi/2\) for kind A"),
    ({"kind": "M"}, r"margin is 0.4, expected a factor in \[1, 8\) for kind M"), ({"balance": 1.0}, "balance is 1.0"),
    ({"exponent": 0}, "exponent is 0"), ({"gradient": "x"}, "gradient is 'x'"), ({"scale": -40.0}, "scale is -40.0"),
])
def test_ranges(params, message):
    with pytest.raises(ValueError, match=message):
        losses.SphereFace2(**params)


def sigmoid(logit):
    return 1 / (1 + math.exp(-logit))


@pytest.mark.parametrize("loss", [
    losses.SphereFace2(), losses.SphereFace2(8.0, 1.2, "C", 0.3, 1), losses.SphereFace2(8.0, 0.5, "A", 0.6, 2),
    losses.SphereFace2(8.0, 1.7, "M", 0.8), losses.SphereFace2(4.0, 2.5, "M", 0.8, 1),
    losses.SphereFace2(100.0, 1.0, balance=0.99), losses.SphereFace2(1000.0, balance=0.5)], ids=str)
@pytest.mark.parametrize("num_classes", [1, 2, 3, 1000])
def test_the_first_bias_balances_the_two_kinds_at_ninety_degrees(loss, num_classes):
    """The whole loss has derivative 0 by the bias there; one class alone is taken for two."""
    first, least = loss.scalars(losses.loss.Facts(num_classes))["bias"]
    assert least == -math.inf
    context = losses.Context(None, None, scalars={"bias": first})
    right = np.zeros(1)
    own, other = (loss.scale * float(part[0]) for part in (
        loss.target(right, context), loss.others(right, right, context)))
    pull, push = loss.balance * sigmoid(-own), (1 - loss.balance) * max(num_classes - 1, 1) * sigmoid(other)
    assert pull == pytest.approx(push, rel=1e-9)
