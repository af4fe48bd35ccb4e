"""L2-softmax: the bound on alpha, the gradient that leaves lengths alone."""

import warnings

import numpy as np
import pytest

import losses
from losses.l2softmax import alpha_low
from tests.losses.cases import example, golden
from tests.losses.on_tensorflow import gradients

DEFAULTS = {"l2softmax": {"alpha": 16.0, "trained": False}}
GOLDENS = {"l2_softmax": lambda hyper: losses.L2Softmax(hyper["alpha"], trained=True)}
VARIANTS = [losses.L2Softmax(), losses.L2Softmax(8.0, trained=True)]


def by_hand(loss, row):
    logits = [loss.alpha * product / row.norm + bias for product, bias in zip(row.products, row.bias, strict=True)]
    return row.cross_entropy(logits[row.label], logits)


def test_a_fixed_alpha_is_the_trained_ones_start():
    fixed, trained = (gradients(example(losses.L2Softmax(16.0, trained)), "float64")[0] for trained in (False, True))
    np.testing.assert_array_equal(fixed, trained)


def test_the_gradient_is_orthogonal_to_the_embedding():
    case = example(losses.L2Softmax())
    slopes = gradients(case, "float64")[1]["grad_embeddings"]
    assert np.abs(np.sum(slopes * case.embeddings, axis=1)).max() < 1e-12 * np.abs(slopes).max()


def test_alpha_low_is_the_golden_table():
    [table] = [case["table"] for case in golden("l2_softmax")["cases"] if "table" in case]
    for row in table:
        assert alpha_low(row["classes"], row["p"]) == pytest.approx(row["alpha_low"], rel=1e-13)
    assert alpha_low(13403) == pytest.approx(11.70, abs=0.005)
    assert alpha_low(10, 0.05) < 0   # below 1 / (C - 1)
    assert alpha_low(3) == pytest.approx(np.log(9))   # the fewest classes


@pytest.mark.parametrize(("classes", "probability", "message"), [
    (2, 0.9, "number of classes is 2, expected above 2"), (10, 1.0, "probability is 1.0"), (10, 0.0, "probability"),
])
def test_the_bounds_limits_are_named(classes, probability, message):
    with pytest.raises(ValueError, match=message):
        alpha_low(classes, probability)


def test_a_fixed_alpha_below_the_bound_is_warned_of():
    with pytest.warns(UserWarning, match=r"alpha is 4, below 4\.28: with 10 classes"):
        losses.Head(losses.L2Softmax(4.0), 10).build((None, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        losses.Head(losses.L2Softmax(4.0, trained=True), 10).build((None, 4))
        losses.Head(losses.L2Softmax(4.3), 10).build((None, 4))
        losses.Head(losses.L2Softmax(4.3), 2).build((None, 4))


@pytest.mark.parametrize("alpha", [0.0, -1.0, float("inf"), float("nan")])
def test_alpha_is_above_zero(alpha):
    with pytest.raises(ValueError, match="alpha is"):
        losses.L2Softmax(alpha)


def test_a_trained_alpha_is_a_variable_with_a_least_value():
    assert losses.L2Softmax().scalars(None) == {}
    assert losses.L2Softmax(8.0, trained=True).scalars(None) == {"alpha": (8.0, 0.01)}
