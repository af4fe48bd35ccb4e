"""CurricularFace: t moves before it is used, and only in training."""

import math

import numpy as np
import pytest
import tensorflow as tf

import losses
from tests.losses.cases import Given, example
from tests.losses.on_tensorflow import gradients
from tests.losses.targets import check_falls, check_slopes

DEFAULTS = {"curricularface": {"scale": 64.0, "margin": 0.5, "rate": 0.01}}
GOLDENS = {"curricularface": lambda hyper: Given(
    losses.CurricularFace(hyper["s"], hyper["m"], rate=hyper["momentum"]), {"t": "t"})}
VARIANTS = [losses.CurricularFace(), losses.CurricularFace(16.0, rate=0.9), losses.CurricularFace("adaptive"),
            losses.CurricularFace(class_margins="given")]


def by_hand(loss, row):
    scale = 2**0.5 * np.log(11) if loss.scale == "adaptive" else loss.scale
    margin, t = loss.margin if row.margin is None else row.margin, row.state["t"]
    theta = math.acos(max(-1, min(1, row.cosine)))
    edge = math.cos(theta + margin)
    target = edge if theta + margin < math.pi else row.cosine - margin * math.sin(margin)
    return row.cross_entropy(scale * target, [scale * (c * (t + c) if c > edge else c) for c in row.cosines])


def test_the_target_falls():
    check_falls(losses.CurricularFace())
    check_slopes(losses.CurricularFace())


def test_t_follows_the_batch_in_training_alone():
    case = example(losses.CurricularFace(rate=0.25), rows="aligned")
    cosines = np.sum(case.embeddings * case.centers[case.labels], axis=1) / np.linalg.norm(
        case.embeddings, axis=1) / np.linalg.norm(case.centers[case.labels], axis=1)
    case.state["t"] = np.array(0.4)
    assert float(gradients(case, "float64")[2]["t"]) == pytest.approx(0.25 * cosines.mean() + 0.75 * 0.4, rel=1e-12)
    assert float(gradients(case, "float64", training=False)[2]["t"]) == 0.4


def test_ranges():
    for params, message in (({"rate": 0.0}, "rate is 0.0"), ({"margin": 28.6}, r"margin is 28.6, expected an angle")):
        with pytest.raises(ValueError, match=message):
            losses.CurricularFace(**params)
    assert losses.CurricularFace().lowered(0.5) == pytest.approx(math.cos(math.pi / 3 + 0.5))


def test_a_class_just_at_the_edge_is_not_hard():
    """Without margin the edge is the target's cosine."""
    context = losses.Context(None, None, state={"t": 0.25})
    found = losses.CurricularFace(margin=0.0).others(
        tf.constant([[0.5, 0.75, 0.25]], tf.float64), tf.constant([0.5], tf.float64), context)
    np.testing.assert_array_equal(found, [[0.5, 0.75 * (0.25 + 0.75), 0.25]])
