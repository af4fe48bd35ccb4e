"""SphereFace-R: its three variants, both gradients, the soft norm."""

import math

import numpy as np
import pytest

import losses
from tests.losses.cases import example
from tests.losses.on_tensorflow import gradients
from tests.losses.targets import ANGLES, check_falls, check_slopes, target


def _golden(hyper):
    if not hyper["form"].startswith("r_"):
        return None
    gradient = "straight_through" if hyper["detach"] else "exact"
    return losses.SphereFaceR(hyper["s"], hyper["m"], hyper["form"][2:], gradient)


DEFAULTS = {"spherefacer": {"scale": 30.0, "margin": 1.5, "variant": "v1", "gradient": "exact", "soft_norm": 0.0}}
GOLDENS = {"sphereface": _golden}
VARIANTS = [losses.SphereFaceR(), losses.SphereFaceR(30.0, 1.7, "v0"), losses.SphereFaceR(60.0, 1.4, "v2"),
            losses.SphereFaceR(30.0, 1.5, "v1", "straight_through"), losses.SphereFaceR(soft_norm=0.01),
            losses.SphereFaceR(60.0, 1.4, "v2", "straight_through")]


def by_hand(loss, row):
    angles = [math.acos(max(-1, min(1, cosine))) for cosine in row.cosines]
    theta, m = angles[row.label], loss.margin
    scale = row.norm if loss.soft_norm else loss.scale
    others = [math.cos(angle / m) for angle in angles] if loss.variant == "v2" else row.cosines
    k = min(math.floor(m * theta / math.pi), math.ceil(m) - 1)
    turned = {"v0": (-1)**k * math.cos(m * theta) - 2 * k, "v1": math.cos(min(m * theta, math.pi)),
              "v2": row.cosine}[loss.variant]
    return row.cross_entropy(scale * turned, [scale * other for other in others]) + loss.soft_norm * abs(
        row.norm - loss.scale)


def test_v0_falls_all_the_way_and_v1_to_pi():
    check_falls(losses.SphereFaceR(variant="v0", margin=1.7))
    check_slopes(losses.SphereFaceR(variant="v0", margin=1.7))
    check_slopes(losses.SphereFaceR(variant="v1"))
    values, slopes = target(losses.SphereFaceR(), np.cos(ANGLES))
    end = np.searchsorted(ANGLES, math.pi / 1.5)
    assert (np.diff(values[:end]) < 0).all()
    np.testing.assert_allclose(values[end:], -1)
    np.testing.assert_array_equal(slopes[end:], 0)


@pytest.mark.parametrize("variant", ["v0", "v1", "v2"])
def test_the_margin_ramps_from_none(variant):
    case = example(losses.SphereFaceR(variant=variant))
    bare = gradients(example(losses.NormFace(30.0)), "float64")[0]
    np.testing.assert_allclose(gradients(case, "float64", margin_share=0.0)[0], bare, rtol=1e-12)
    half = gradients(case, "float64", margin_share=0.5)[0]
    assert (half > bare).all()
    assert (half <= gradients(case, "float64")[0]).all()   # equal where both factors end at pi


def test_a_factor_of_one_is_normface():
    for variant in ("v0", "v1", "v2"):
        found = gradients(example(losses.SphereFaceR(30.0, 1.0, variant)), "float64")[0]
        np.testing.assert_allclose(found, gradients(example(losses.NormFace(30.0)), "float64")[0], rtol=1e-11)


@pytest.mark.parametrize(("params", "message"), [
    ({"margin": 0.5}, "margin is 0.5"), ({"variant": "v3"}, "variant is 'v3', expected one of v0, v1, v2"),
    ({"gradient": "st"}, "gradient is 'st'"), ({"soft_norm": -1.0}, "soft_norm is -1.0"),
    ({"scale": 0.0}, "scale is 0.0"),
])
def test_ranges(params, message):
    with pytest.raises(ValueError, match=message):
        losses.SphereFaceR(**params)
