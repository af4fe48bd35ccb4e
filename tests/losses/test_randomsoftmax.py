"""Random-Softmax: the draw is a function of seed and epoch."""

import math
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

import losses
from losses.loss import Context, Facts
from tests.losses.cases import example
from tests.losses.on_tensorflow import gradients


def _golden(hyper):
    if "a_multiplier" not in hyper:
        return None                                   # the public code's double softmax: not to be had
    return losses.Unified(hyper["s"], hyper["a"], growth=0.0 if hyper["a_multiplier"] == 1 else 1 / 3)


DEFAULTS = {"randomsoftmax": {"scale": 32.0, "spread": 0.2, "every": 0, "growth": 0.0}}
GOLDENS = {"random_softmax": _golden}
VARIANTS = [losses.RandomSoftmax(every=5), losses.RandomSoftmax("adaptive", growth=1 / 3)]


def by_hand(loss, row):
    scale = math.sqrt(2) * math.log(len(row.cosines) - 1) if loss.scale == "adaptive" else loss.scale
    a = float(draws(loss, [0])[0]) * math.exp(loss.growth * scale)
    p = math.exp(-row.cross_entropy(scale * row.cosine, [scale * other for other in row.cosines]))
    return -math.log(p / (a * p + 1 - a))


def draws(loss, steps, seed=0):
    loss = loss.resolved(Facts(12, epoch_steps=10, seed=seed))
    return np.array([loss.draw(Context(None, None, step=step, facts=Facts(12, seed=seed))) for step in steps])


def test_drawn_anew_each_epoch_or_every_n_steps():
    found = draws(losses.RandomSoftmax(), range(30))
    assert [len(set(found[first:first + 10])) for first in (0, 10, 20)] == [1, 1, 1]
    assert len(set(found)) == 3
    assert len(set(draws(losses.RandomSoftmax(every=5), range(30)))) == 6
    np.testing.assert_array_equal(draws(losses.RandomSoftmax(), tf.range(30)), found)
    assert not np.isin(draws(losses.RandomSoftmax(), range(30), seed=1), found).any()


def test_where_nothing_is_trained_a_is_its_mean():
    loss = losses.RandomSoftmax(spread=0.5, every=1).resolved(Facts(12))
    context = Context(None, None, step=3, facts=Facts(12), training=False)
    assert float(loss.draw(context)) == pytest.approx(-0.5 * math.sqrt(2 / math.pi), rel=1e-6)


def test_the_distribution():
    found = draws(losses.RandomSoftmax(every=1, spread=0.5), range(400))
    assert (found <= 0).all()
    assert np.mean(found) == pytest.approx(-0.5 * math.sqrt(2 / math.pi), abs=0.04)
    assert np.mean(found**2) == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize("growth", [0.0, 1 / 3])
def test_it_is_the_unified_loss_of_its_draw(growth):
    loss = losses.RandomSoftmax(growth=growth)
    case = example(loss)
    a = float(draws(loss, [7])[0])
    found = gradients(case, "float64", step=7)
    wanted = gradients(example(losses.Unified(a=a, growth=growth)), "float64")
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-7)
    np.testing.assert_allclose(found[1]["grad_centers"], wanted[1]["grad_centers"], rtol=1e-5, atol=1e-9)
    bare = gradients(replace(case, loss=losses.NormFace(32.0)), "float64")[0]
    np.testing.assert_allclose(gradients(case, "float64", margin_share=0.0)[0], bare, rtol=1e-13)


def test_an_epoch_must_be_known():
    with pytest.raises(ValueError, match="every is 0, expected a number of steps above 0 where the head is not given"):
        losses.Head(losses.RandomSoftmax(), 5)
    assert losses.Head(losses.RandomSoftmax(), 5, epoch_steps=7).resolved.every == 7
    assert losses.Head(losses.RandomSoftmax(every=3), 5, epoch_steps=7).resolved.every == 3


@pytest.mark.parametrize(("params", "message"), [
    ({"spread": 0.0}, "spread is 0.0"), ({"every": -1}, "every is -1"), ({"growth": -1.0}, "growth is -1.0"),
    ({"adaptive_with_margin": True}, "adaptive_with_margin is True"),
])
def test_ranges(params, message):
    with pytest.raises(ValueError, match=message):
        losses.RandomSoftmax(**params)


def test_the_draws_stay_what_they_are():
    """What runs drew: other numbers here would be other runs."""
    np.testing.assert_allclose(draws(losses.RandomSoftmax(spread=1.0), [0, 9, 10, 25]),
                               [-0.03307329, -0.03307329, -0.53894293, -0.40414062], rtol=1e-5)
