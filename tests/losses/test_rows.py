"""A head's rows: what a loss is told, what it remembers, and that nothing of the batch carries a gradient."""

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

import losses
from losses.loss import Batch, Context, Facts, Loss, PairLoss
from losses.reduce import Part
from losses.rows import row_losses

DRAW = np.random.default_rng(5)
EMBEDDINGS = DRAW.normal(size=(6, 8)).astype(np.float32)
LABELS = np.array([0, 4, 2, 2, 1, 3])


@dataclass(frozen=True)
class Asking(Loss):
    """Costs what the batch and the state say: plain sums of both."""

    unit_centers: ClassVar[bool] = False
    asks: ClassVar[tuple] = ("rest", "embeddings")

    def first_state(self, facts, dim):
        return {"sum": np.array(0.5)}

    def update(self, state, batch, context):
        return {"sum": state["sum"] + tf.reduce_sum(context.norms)}

    def finish(self, target_logit, rest, context):
        batch = context.batch
        total = sum(tf.reduce_sum(value) for value in (batch.target, batch.norms, batch.rest, batch.embeddings))
        return 0 * target_logit + total + context.state["sum"]


def head_of(loss, num_classes=5, **options):
    head = losses.Head(loss, num_classes, **options)
    head.build((None, 8))
    return head


def test_batch_and_state_have_no_gradient():
    head, embeddings = head_of(Asking()), tf.constant(EMBEDDINGS)
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        rows = head.rows(embeddings, LABELS)
    assert float(rows.state["sum"]) == pytest.approx(0.5 + np.linalg.norm(EMBEDDINGS, axis=1).sum(), rel=1e-6)
    np.testing.assert_array_equal(tape.gradient(rows.loss, embeddings), 0)


def test_the_batch_is_what_it_says():
    found = []
    head = head_of(Asking())
    head.rows(EMBEDDINGS, LABELS, step=3, gather=lambda tensor: found.append(tensor) or tensor)
    centers = head.classifier.centers.numpy()
    similarity = EMBEDDINGS / np.linalg.norm(EMBEDDINGS, axis=1, keepdims=True) @ centers.T
    others = np.where(np.arange(5) == LABELS[:, None], -np.inf, similarity)
    target, norms, g, rest, embeddings, labels = found
    np.testing.assert_allclose(target, similarity[np.arange(6), LABELS], rtol=1e-5)
    np.testing.assert_allclose(norms, np.linalg.norm(EMBEDDINGS, axis=1), rtol=1e-6)
    np.testing.assert_array_equal(g, np.stack([np.arange(6), np.full(6, 3)], axis=1))   # place and step
    np.testing.assert_allclose(rest, np.log(np.exp(others).sum(axis=1)), rtol=1e-6)
    np.testing.assert_array_equal(embeddings, EMBEDDINGS)
    np.testing.assert_array_equal(labels, LABELS)


def test_crops_without_numbers_are_numbered_by_place_and_step():
    head = head_of(losses.ElasticFace(spread=0.2))
    for step in (0, 3):
        numbers = np.stack([np.arange(6), np.full(6, step)], axis=1).astype(np.int32)
        own = head.rows(EMBEDDINGS, LABELS, step=step).loss
        np.testing.assert_array_equal(own, head.rows(EMBEDDINGS, LABELS, g=numbers).loss)
    assert (np.abs(own - head.rows(EMBEDDINGS, LABELS).loss) > 1e-3).all()        # no step is step 0


def test_training_moves_step_and_state_and_nothing_else_does():
    head = head_of(losses.CurricularFace(rate=0.25))
    assert [variable.name for variable in head.trainable_variables] == ["centers"]
    for options in ({}, {"training": False}):
        head(EMBEDDINGS, LABELS, **options)
    assert (int(head.step), float(head.state["t"])) == (0, 0.0)
    means = [float(np.mean(head.rows(EMBEDDINGS, LABELS).target_cosine))]
    for _ in range(2):
        head(EMBEDDINGS, LABELS, training=True)
    assert int(head.step) == 2
    assert float(head.state["t"]) == pytest.approx(0.25 * means[0] * (1 + 0.75), rel=1e-5)
    assert head.rows(EMBEDDINGS, LABELS, training=False).state == {}
    assert head.rows(EMBEDDINGS, LABELS).state.keys() == {"t"}


def test_a_tie_is_not_correct():
    head = head_of(losses.NormFace(), 3)
    centers = np.eye(3, 8, dtype=np.float32)
    centers[1] = centers[0]
    head.classifier.centers.assign(centers)
    rows = head.rows(np.eye(3, 8, dtype=np.float32)[[0, 2, 2]], [0, 2, 1])
    np.testing.assert_array_equal(rows.correct, [0, 1, 0])


def test_logits_with_bias_and_a_length_for_scale():
    head = head_of(losses.Softmax())
    head.classifier.bias.assign([5.0, 0, 0, 0, -5.0])
    centers = head.classifier.centers.numpy()
    np.testing.assert_allclose(head(EMBEDDINGS, LABELS), EMBEDDINGS @ centers.T + [5, 0, 0, 0, -5], atol=1e-5)
    long = head_of(losses.SphereFace())
    products = EMBEDDINGS @ long.classifier.centers.numpy().T
    lengths = np.linalg.norm(long.classifier.centers.numpy(), axis=1)
    np.testing.assert_allclose(long(EMBEDDINGS, LABELS), products / lengths, atol=1e-5)


@pytest.mark.parametrize("loss", [losses.MVSoftmax(2.0, margin=0.0), losses.MVSoftmax(2.0, 0.0, mode="fixed"),
                                  losses.Circle(2.0)], ids=str)
def test_a_loss_that_changes_the_others_leaves_filtered_ones_at_zero(loss):
    """A hard class, at 0.8 above a target of -0.1, is not made to look nearer still."""
    similarity, context = Part(tf.constant([[-0.1, 0.8]]), tf.constant([0])), Context(None, None)
    found, _ = row_losses(dataclasses.replace(loss, filter_above=0.6), [similarity], context)
    own = 2 * float(loss.target(tf.constant([-0.1]), context)[0])
    assert float(found[0]) == pytest.approx(math.log(1 + math.exp(-own)), rel=1e-6)


def test_other_classes_above_the_filter_have_logit_zero_and_those_at_it_stay():
    similarity = Part(tf.constant([[1.0, 0.6, 0.8]], tf.float64), tf.constant([0]))
    found, _ = row_losses(losses.NormFace(2.0, filter_above=0.6), [similarity], Context(None, None))
    np.testing.assert_allclose(found, math.log1p((math.exp(1.2) + 1) / math.exp(2)), rtol=1e-14)


def test_a_head_takes_a_whole_number_of_classes_from_one_on():
    assert head_of(losses.AMSoftmax(), 1).num_classes == 1
    for wrong in (0, -3, 2.5):
        with pytest.raises(ValueError, match=f"num_classes is {wrong}, expected an integer of at least 1"):
            losses.Head(losses.AMSoftmax(), wrong)
    with pytest.raises(ValueError, match="head dtype is 'bfloat16'"):
        losses.Head(losses.AMSoftmax(), 5, dtype="bfloat16")
    with pytest.raises(ValueError, match=r"loss of a head is .* expected one with a classifier"):
        losses.Head(losses.Triplet(), 5)


def test_what_a_head_is_told_is_kept_and_what_not_is_unknown():
    assert losses.Head(losses.AMSoftmax(), 5).facts == Facts(5, None, None, 0, 0)
    head = losses.Head(losses.AMSoftmax(class_margins="power"), 3, counts=[1, 2, 3], epoch_steps=7, seed=4)
    again = losses.Head.from_config(head.get_config())
    assert again.facts == Facts(3, [1, 2, 3], None, 7, 4)
    assert again.loss == head.loss
    assert losses.Head.from_config(losses.Head(losses.AMSoftmax(), 5).get_config()).facts == Facts(5)


def test_double_precision_stays_and_shapes_are_known_before_there_are_crops():
    head = head_of(losses.AMSoftmax())
    assert head.rows(EMBEDDINGS.astype(np.float64), LABELS).loss.dtype == "float64"
    assert head(EMBEDDINGS.astype(np.float64), LABELS).dtype == "float64"
    symbolic = losses.Head(losses.AMSoftmax(), 5)(keras.Input((8,)), keras.Input((), dtype="int32"))
    assert (symbolic.shape, symbolic.dtype) == ((None, 5), "float32")
    narrow = losses.Head(losses.AMSoftmax(), 5).compute_output_spec(keras.KerasTensor((7, 8), "bfloat16"), None)
    assert (narrow.shape, narrow.dtype) == ((7, 5), "float32")


def test_what_a_rule_is_told_by_default_is_full_margin_in_training_at_the_start():
    context = Context(None, None)
    assert (context.margin_share, context.step, context.training) == (1.0, 0, True)
    assert (context.scalars, context.state, context.previous, context.batch) == ({}, {}, {}, None)
    for told in (context, Facts(3), Loss(), PairLoss()):
        with pytest.raises(dataclasses.FrozenInstanceError):
            told.step = 1
    assert Batch(None, None, None)[3:] == (None, None, None)


def test_the_base_is_plain_cross_entropy():
    logits = np.array([[0.2, 0.9, -0.5], [0.1, -0.3, 0.4]])
    rest = tf.constant(np.log(np.exp(logits[:, 1:]).sum(axis=1)))
    found = Loss().finish(tf.constant(logits[:, 0]), rest, None)
    np.testing.assert_allclose(found, -np.log(np.exp(logits[:, 0]) / np.exp(logits).sum(axis=1)), rtol=1e-14)
    assert (Loss().scaling(None), Loss().extra(None), Loss().scalars(None), Loss().advice(None)) == (1.0, 0.0, {}, "")
    assert (Loss().target(7, None), Loss().others(8, 7, None), Loss().update(9, None, None)) == (7, 8, 9)
