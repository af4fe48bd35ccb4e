"""Triplet losses: by brute force, and as tensorflow-addons computed them."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import losses

PARITY = json.loads((Path(__file__).parent.parent / "parity" / "triplet_addons.json").read_text())


def _golden(hyper):
    mode, _, mean = hyper["kind"].partition("_")
    return losses.Triplet(hyper["margin"], mode, hyper["squared"], mean or "active")


DEFAULTS = {"triplet": {"margin": 0.2, "mode": "semihard", "squared": True, "mean": "active"}}
PAIR_GOLDENS = {"triplet": _golden}


def brute_force(loss, embeddings, labels):
    units = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    d = np.array([[np.sum((a - b)**2) for b in units] for a in units])
    d = d if loss.squared else np.sqrt(d)
    everybody, terms = range(len(labels)), []
    for a in everybody:
        own = [p for p in everybody if p != a and labels[p] == labels[a]]
        other = [n for n in everybody if labels[n] != labels[a]]
        if loss.mode == "all":
            terms += [d[a, p] - d[a, n] + loss.margin for p, n in itertools.product(own, other)]
        elif loss.mode == "hard" and own and other:
            terms.append(max(d[a, own]) - min(d[a, other]) + loss.margin)
        elif loss.mode == "tfa":
            terms.append(max(d[a, own], default=0) - min(d[a, other], default=max(d[a])) + loss.margin)
        elif loss.mode == "semihard" and other:
            for p in own:
                farther = [n for n in other if d[a, n] > d[a, p]]
                terms.append(d[a, p] - (min(d[a, farther]) if farther else max(d[a, other])) + loss.margin)
    kept = [term for term in terms if term > 0]
    divisor = len(kept) if loss.mode == "all" and loss.mean == "active" else len(terms)
    return sum(kept) / max(divisor, 1)


@pytest.mark.parametrize("loss", [
    *(losses.Triplet(margin, mode, squared) for mode in ("all", "hard", "semihard", "tfa")
      for margin, squared in ((0.3, True), (0.9, False))), losses.Triplet(0.5, "all", mean="valid")], ids=str)
def test_by_brute_force(loss):
    draw = np.random.default_rng(3)
    for labels in ([0, 0, 0, 1, 1, 2, 3, 2], [0, 1, 2, 3], [5, 5, 5], [0, 0, 1]):
        embeddings = draw.normal(size=(len(labels), 5))
        found = loss(tf.constant(embeddings), tf.constant(labels))
        assert float(found) == pytest.approx(brute_force(loss, embeddings, labels), rel=1e-12, abs=1e-15)


def test_edges_by_hand():
    """Squared distances 0, 2 and 4 are exact between axes."""
    x, y, z = np.eye(3)
    embeddings, labels = tf.constant(np.stack([x, y, z, -x])), tf.constant([0, 0, 1, 2])
    # anchor x: positive at 2, others at 2 and 4; the one at 2 is not farther, the next is at 4
    # anchor y: positive at 2, both others at 2: none is farther, so the farthest of all, at 2
    found = losses.Triplet(0.5, "semihard")(embeddings, labels)
    assert float(found) == pytest.approx((0 + 0.5) / 2)
    # two equal crops: each term is 0 - 2 + margin with y and 0 - 4 + margin with -x: just 0 and below it
    embeddings = tf.constant(np.stack([x, x, y, -x]))
    assert float(losses.Triplet(2.0, "all", mean="active")(embeddings, labels)) == 0
    # the last at 1.5 from x: of four triplets two are 0.5 and two are just 0, which do not count as active
    nearer = tf.constant(np.stack([x, x, y, [0.25, math.sqrt(15) / 4, 0]]))
    assert float(losses.Triplet(2.0, "all", mean="active")(nearer, labels)) == pytest.approx(0.5)
    assert float(losses.Triplet(2.0, "all", mean="valid")(nearer, labels)) == pytest.approx(0.25)


@pytest.mark.parametrize("mode", ["all", "hard", "semihard", "tfa"])
def test_a_triplet_just_at_the_margin_has_no_gradient(mode):
    x, y, _ = np.eye(3)
    embeddings = tf.constant(np.stack([x, x, y]))
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        loss = losses.Triplet(2.0, mode)(embeddings, tf.constant([0, 0, 1]))
    assert float(loss) == (0 if mode != "tfa" else pytest.approx(0, abs=1e-15))
    np.testing.assert_array_equal(tape.gradient(loss, embeddings), 0)


def test_one_triplet_above_zero_is_divided_by_one():
    x, y, _ = np.eye(3)
    near = np.array([0.8, 0.6, 0])                      # squared distances 0.4 to x and 0.8 to y
    embeddings, labels = tf.constant(np.stack([x, near, y])), tf.constant([0, 0, 1])
    assert float(losses.Triplet(0.6, "all")(embeddings, labels)) == pytest.approx(0.4 - 0.8 + 0.6)


@pytest.mark.parametrize("case", PARITY["cases"],
                         ids=lambda case: f"{case['loss']} {case['distance']} {case['margin']}")
def test_as_tensorflow_addons(case):
    """The values were printed by the package itself, on the last TensorFlow that imports it."""
    mode = {"TripletHardLoss": "tfa", "TripletSemiHardLoss": "semihard"}[case["loss"]]
    loss = losses.Triplet(case["margin"], mode, squared=case["distance"] == "squared-L2")
    embeddings = tf.constant(PARITY["embeddings"], tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        value = loss(embeddings, tf.constant(PARITY["labels"]))
    assert float(value) == pytest.approx(case["value"], rel=1e-6)
    np.testing.assert_allclose(tape.gradient(value, embeddings), case["grad_embeddings"], atol=2e-6)


def test_hard_leaves_out_anchors_that_lack_a_positive_and_addons_did_not():
    embeddings, labels = tf.constant(PARITY["embeddings"], tf.float64), tf.constant(PARITY["labels"])
    hard, addons = (float(losses.Triplet(1.0, mode, squared=False)(embeddings, labels)) for mode in ("hard", "tfa"))
    assert hard > addons


@pytest.mark.parametrize("mode", ["all", "hard", "semihard", "tfa"])
@pytest.mark.parametrize("labels", [[0, 0], [0, 1], [0]])
def test_equal_crops_and_missing_triplets_have_finite_gradients(mode, labels):
    embeddings = tf.ones((len(labels), 4), tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        loss = losses.Triplet(0.3, mode, squared=False)(embeddings, tf.constant(labels))
    assert np.isfinite(float(loss))
    assert np.isfinite(tape.gradient(loss, embeddings)).all()


@pytest.mark.parametrize(("params", "message"), [
    ({"margin": 0.0}, "margin is 0.0"), ({"mode": "easy"}, "mode is 'easy', expected one of all, hard, semihard, tfa"),
    ({"mean": "all"}, "mean is 'all', expected one of valid, active"),
])
def test_ranges(params, message):
    with pytest.raises(ValueError, match=message):
        losses.Triplet(**params)
