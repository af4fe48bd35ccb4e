"""Margins of one's own for each class: both rules, the array, and what does not fit."""

import numpy as np
import pytest

import losses
from losses.margin import Margined
from losses.scale import Scaled
from tests.losses.cases import golden

[TABLE] = [case["table"] for case in golden("class_margins")["cases"] if "table" in case]


def test_both_rules_are_the_golden_ones():
    for row in TABLE:
        if row["rule"] == "power_range":
            found = losses.range_margins(row["counts"], smallest=row["margin_min"], largest=row["margin_max"],
                                         power=-row["power"])
        else:
            found = losses.power_margins(row["counts"], factor=row["a"], power=row["lam"], offset=row["b"])
        np.testing.assert_allclose(found, row["margins"], rtol=1e-12)


def test_both_rules_by_hand():
    """Fourth roots of 1, 16 and 81; a class without crops counts as one of a single crop."""
    counts = [0, 1, 16, 81]
    np.testing.assert_allclose(losses.range_margins(counts, smallest=0.1, largest=0.5, power=0.25),
                               [0.5, 0.5, 0.2, 0.1], rtol=1e-14)
    np.testing.assert_allclose(losses.power_margins(counts, factor=0.6, power=0.25, offset=0.05),
                               [0.65, 0.65, 0.35, 0.25], rtol=1e-14)


@pytest.mark.parametrize(("counts", "message"), [
    ([3, -5, 1], "count of a class is -5, expected a finite number, 0 or more"),
    ([1.0, np.nan], "count of a class is nan"), ([1.0, np.inf], "count of a class is inf"),
    (["a", "b"], "counts' type is '<U1', expected numbers"),
])
def test_counts_that_are_none_are_named(counts, message):
    with pytest.raises(ValueError, match=message):
        losses.range_margins(counts, smallest=0.1, largest=0.4, power=0.25)
    with pytest.raises(ValueError, match=message):
        losses.power_margins(counts, factor=0.5, power=0.25, offset=0.05)


@pytest.mark.parametrize(("params", "message"), [
    ({"margin": [0.1, 0.2]}, r"margin is \[0.1, 0.2\], expected one number; a margin for each class goes to the head"),
    ({"class_margins": "given", "scale": "adaptive", "adaptive_with_margin": True},
     "class_margins is 'given', expected 'equal' for adaptive_with_margin"),
])
def test_one_margin_is_not_many(params, message):
    with pytest.raises(ValueError, match=message):
        losses.AMSoftmax(**params)
    with pytest.raises(ValueError, match="class_margins is 'given', expected 'equal' for base none"):
        losses.MVSoftmax(margin=0.0, base="none", class_margins="given")


def test_equal_counts_have_the_largest_margin():
    np.testing.assert_array_equal(losses.range_margins([7, 7, 7], smallest=0.1, largest=0.4, power=0.25), 0.4)


@pytest.mark.parametrize(("rule", "wanted"), [
    ("range", lambda n: losses.range_margins(n, smallest=0.1, largest=0.5, power=0.5)),
    ("power", lambda n: losses.power_margins(n, factor=0.5, power=0.5, offset=0.1)),
])
def test_the_head_takes_them_from_counts(rule, wanted):
    counts = [3, 100, 0, 12]
    loss = losses.AMSoftmax(30.0, 0.5, class_margins=rule, smallest_margin=0.1, count_power=0.5)
    head = losses.Head(loss, 4, counts=counts, dtype="float64")
    embeddings = np.random.default_rng(0).normal(size=(4, 6))
    head.build((None, 6))
    for label in range(4):
        same = losses.Head(losses.AMSoftmax(30.0, float(wanted(counts)[label])), 4, dtype="float64")
        same.build((None, 6))
        labels = np.full(4, label)
        np.testing.assert_allclose(head.rows(embeddings, labels).loss, same.rows(embeddings, labels).loss, rtol=1e-13)


def test_an_array_ramps_and_is_saved():
    loss = losses.ArcFace(class_margins="given")
    head = losses.Head(loss, 3, margins=np.array([0.1, 0.2, 0.3]))
    again = losses.Head.from_config(head.get_config())
    np.testing.assert_array_equal(again.facts.margins, [0.1, 0.2, 0.3])
    embeddings, labels = np.ones((2, 4), np.float32), np.array([0, 2])
    plain = losses.Head(losses.NormFace(64.0), 3).rows(embeddings, labels).loss
    np.testing.assert_allclose(head.rows(embeddings, labels, margin_share=0.0).loss, plain, rtol=1e-5)


@pytest.mark.parametrize(("loss", "given", "message"), [
    (losses.ArcFace(class_margins="given"), {}, "margins of the head is None, expected one a class"),
    (losses.ArcFace(class_margins="given"), {"margins": [0.1]}, r"margins' shape is \(1,\), expected \(3,\)"),
    (losses.ArcFace(class_margins="given"), {"margins": [0.1, 28.6, 0.2]}, "margin of a class is 28.6, expected an"),
    (losses.ArcFace(class_margins="given"), {"margins": [0.1, np.nan, 0.2]}, "margin of a class is nan"),
    (losses.ArcFace(class_margins="range"), {}, "counts of the head is None, expected the crops of each class"),
    (losses.ArcFace(class_margins="range"), {"counts": [1, 2]}, r"counts' shape is \(2,\)"),
    (losses.ArcFace(class_margins="power"), {"counts": [1, 2, -1]}, "count of a class is"),
    (losses.ArcFace(), {"margins": [0.1, 0.2, 0.3]}, "class_margins is 'equal', expected 'given'"),
    (losses.Softmax(), {"margins": [0.1, 0.2, 0.3]}, "margins of the head is 'given', expected none for Softmax"),
])
def test_what_does_not_fit_is_named(loss, given, message):
    with pytest.raises(ValueError, match=message):
        losses.Head(loss, 3, **given)


@pytest.mark.parametrize(("params", "message"), [
    ({"class_margins": "x"}, "class_margins is 'x', expected one of equal, given, range, power"),
    ({"count_power": 0.0}, "count_power is 0.0"),
    ({"class_margins": "range", "smallest_margin": 0.6}, "smallest_margin is 0.6, expected at most the margin 0.5"),
])
def test_ranges(params, message):
    with pytest.raises(ValueError, match=message):
        losses.ArcFace(**params)


def test_a_loss_that_states_no_numbers_takes_half_a_unit_at_scale_64():
    class Own(Margined):
        """As one writes it first."""

    assert (Own().scale, Own().margin, Own().margin_below) == (64.0, 0.5, 2.0)
    assert Scaled().scale == 64.0
    assert Scaled().lowered(0.3) == 0.3
