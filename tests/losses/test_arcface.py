"""What ArcFace's variants promise beyond their goldens."""

import math

import numpy as np
import pytest
import tensorflow as tf

import losses
from losses import ArcFace
from losses.arcface import VARIANTS as WAYS
from tests.losses.cases import Given
from tests.losses.targets import ANGLES, target

MARGIN = 0.5


def _golden(hyper):
    variant, _, through = hyper["variant"].partition("_")
    return ArcFace(hyper["s"], hyper["m"], variant, "straight_through" if through else "exact")


DEFAULTS = {"arcface": {"scale": 64.0, "margin": 0.5, "variant": "monotone", "gradient": "exact"}}
GOLDENS = {
    "arcface": _golden,
    "class_margins": lambda hyper: Given(ArcFace(hyper["s"], class_margins="given"), margins=hyper["class_margins"]),
    "partial_fc": lambda hyper: Given(ArcFace(hyper["s"], hyper["m2"], "plain"), sampled=hyper["sampled"])
    if hyper["m2"] else None,
}
VARIANTS = [*(ArcFace(variant=way) for way in WAYS), ArcFace(30.0, gradient="straight_through"),
            ArcFace(16.0, class_margins="given"), ArcFace("adaptive")]


def by_hand(loss, row):
    scale = 2**0.5 * np.log(11) if loss.scale == "adaptive" else loss.scale
    margin = loss.margin if row.margin is None else row.margin
    theta = math.acos(max(-1.0, min(1.0, row.cosine)))
    turned = math.cos(theta + margin)
    if loss.variant == "easy" and row.cosine <= 0:
        turned = row.cosine
    if loss.variant == "monotone" and theta + margin >= math.pi:
        turned = row.cosine - margin * math.sin(margin)
    if loss.variant == "clip" and theta + margin >= math.pi:
        turned = -1.0
    return row.cross_entropy(scale * turned, [scale * cosine for cosine in row.cosines])


def test_monotone_falls_with_the_angle_also_beyond_pi():
    values, slopes = target(ArcFace(margin=MARGIN), np.cos(ANGLES))
    assert (np.diff(values) < 0).all()
    assert (slopes > 0).all()
    plain, _ = target(ArcFace(margin=MARGIN, variant="plain"), np.cos(ANGLES))
    assert (np.diff(plain)[-1000:] > 0).all()   # what monotone is for


@pytest.mark.parametrize("variant", WAYS)
def test_straight_through_has_slope_one(variant):
    cosines = np.cos([0.05, 0.4, 1.1, 1.5, 1.7, 2.3, 2.9, 3.1])
    exact = target(ArcFace(margin=MARGIN, variant=variant), cosines)
    through = target(ArcFace(margin=MARGIN, variant=variant, gradient="straight_through"), cosines)
    np.testing.assert_allclose(through[0], exact[0], rtol=1e-14)
    np.testing.assert_array_equal(through[1], 1.0)


@pytest.mark.parametrize("variant", WAYS)
def test_ends_have_finite_values_and_derivatives(variant):
    """Cosines of float32 pass 1 by some 1e-7."""
    values, slopes = target(ArcFace(margin=MARGIN, variant=variant), [1.0, 1 + 1e-7, -1.0, -1 - 1e-7])
    assert np.isfinite(values).all()
    assert np.isfinite(slopes).all()
    np.testing.assert_allclose(values[:2], np.cos(MARGIN), atol=1e-6)


def test_the_margin_ramps():
    angles = np.linspace(0.1, 1.2, 7)
    for share in (0.0, 0.4):
        found, _ = target(ArcFace(margin=MARGIN), np.cos(angles), margin_share=tf.constant(share, tf.float64))
        np.testing.assert_allclose(found, np.cos(angles + share * MARGIN), rtol=1e-12)


def test_equality_falls_to_the_extension():
    edge = -math.cos(MARGIN)
    found, _ = target(ArcFace(margin=MARGIN), [edge])
    assert found[0] == pytest.approx(edge - MARGIN * math.sin(MARGIN), rel=1e-14)
    assert losses.ArcFace().lowered(0.5) == pytest.approx(math.cos(math.pi / 3 + 0.5))


@pytest.mark.parametrize("loss", [ArcFace(variant="easy"), losses.MagFace()], ids=str)
def test_easy_leaves_the_cosine_zero(loss):
    assert target(loss, [0.0], norms=tf.constant(20.0, tf.float64))[0].tolist() == [0.0]
