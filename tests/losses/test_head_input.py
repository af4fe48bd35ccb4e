"""Wrong input of a head: named where it can be seen, a NaN row in a graph, and nothing of it remembered."""

import keras
import numpy as np
import pytest

import losses
from losses.classifier import unit
from tests.losses.test_head import EMBEDDINGS, LABELS, built, each_feature


def test_zero_vectors_have_no_direction_and_no_gradient():
    import tensorflow as tf

    head = built(losses.AMSoftmax())
    centers = head.classifier.centers.numpy()
    centers[1] = 0
    head.classifier.centers.assign(centers)
    embeddings = tf.constant(np.vstack([np.zeros((1, 8)), np.full((1, 8), 1e-14), EMBEDDINGS[2:]]).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        rows = head.rows(embeddings, LABELS)
    found = tape.gradient(rows.loss, [embeddings, head.classifier.centers.value])
    assert np.isfinite(rows.loss).all()
    np.testing.assert_array_equal(found[0][:2], 0)
    np.testing.assert_array_equal(found[1][1], 0)
    assert np.abs(found[0][2:]).min() > 0
    np.testing.assert_array_equal(unit(embeddings)[:2], 0)


@each_feature
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_an_embedding_that_is_no_number_is_named_or_a_nan_row(loss, wrong):
    import tensorflow as tf

    embeddings = EMBEDDINGS.copy()
    embeddings[3, 1] = wrong
    head = built(loss)
    with pytest.raises(ValueError, match=f"embedding 3, number 1, is {wrong}, expected a finite number"):
        head.rows(embeddings, LABELS)
    rows = tf.function(head.rows)(embeddings, LABELS)
    assert np.isfinite(rows.loss).tolist() == [True] * 3 + [False] + [True] * 2
    check_state_stays(head, rows)


def check_state_stays(head, rows):
    """What a batch with a row of no use may not do: a NaN in the state would never leave it."""
    assert set(rows.state) == set(head.state)
    for name, variable in head.state.items():
        np.testing.assert_array_equal(rows.state[name], variable.numpy())


def test_an_embedding_too_long_for_its_square_is_a_nan_row():
    head = built(losses.AMSoftmax())
    embeddings = EMBEDDINGS.copy()
    embeddings[2] *= 1e19
    assert np.isfinite(head.rows(embeddings, LABELS).loss).tolist() == [True] * 2 + [False] + [True] * 3


@pytest.mark.parametrize("loss", [losses.AdaCos(), losses.CenterLoss()], ids=lambda loss: type(loss).__name__)
def test_plain_fit_outlives_an_overflow(loss):
    """Where the network's half precision overflows, an optimizer skips the step; the state has to do so too."""
    import tensorflow as tf

    head = built(loss)
    call = tf.function(lambda embeddings: head(embeddings, LABELS, training=True))
    broken = EMBEDDINGS.copy()
    broken[0, 0] = np.inf
    before = {name: variable.numpy() for name, variable in head.state.items()}
    call(broken)
    for name, value in before.items():
        np.testing.assert_array_equal(head.state[name].numpy(), value)
    call(EMBEDDINGS)
    for name, value in before.items():
        assert np.isfinite(head.state[name].numpy()).all()
        assert (head.state[name].numpy() != value).any()


@pytest.mark.parametrize(("labels", "message"), [
    ([0, 1, 2, 3, 4, 5], "label is 5, expected in 0..4"), ([-1, 1, 2, 3, 4, 0], "label is -1, expected in 0..4"),
    ([0, 2**33, 0, 0, 0, 0], f"label is {2**33}, expected in 0..4"),
    ([0.0, 1, 2, 3, 4, 0], "labels' type is 'float32', expected an integer type"),
    ([[0, 1]] * 6, r"labels' shape is \(6, 2\), expected"),
])
def test_wrong_labels_are_named(labels, message):
    with pytest.raises(ValueError, match=message):
        built(losses.AMSoftmax()).rows(EMBEDDINGS, labels)


@each_feature
def test_wrong_labels_in_a_graph_are_nan_rows(loss):
    import tensorflow as tf

    head = built(loss)
    rows = tf.function(head.rows)(EMBEDDINGS, tf.constant([0, 5, 2, -1, 2**33, 4], tf.int64))
    assert np.isnan(rows.loss).tolist() == [False, True, False, True, True, False]
    check_state_stays(head, rows)


@pytest.mark.parametrize(("embeddings", "labels", "message"), [
    (EMBEDDINGS, [1], "number of labels is 1, expected 6, one for each embedding"),
    (EMBEDDINGS[:, :7], LABELS, r"embeddings' shape is \(6, 7\), expected \[B, 8\]"),
    (EMBEDDINGS[:, None], LABELS, r"embeddings' shape is \(6, 1, 8\), expected \[B, 8\]"),
])
def test_shapes_that_do_not_fit_are_named(embeddings, labels, message):
    import tensorflow as tf

    head = built(losses.AMSoftmax())
    with pytest.raises(ValueError, match=message):
        head.rows(embeddings, np.array(labels))
    with pytest.raises(ValueError, match=message):
        tf.function(head.rows, autograph=False)(tf.constant(embeddings), tf.constant(labels))
    unknown = tf.TensorSpec((None, 8)), tf.TensorSpec((None,), tf.int64)
    for call, given in ((lambda embeddings: head.rows(embeddings, LABELS).loss, EMBEDDINGS),
                        (lambda labels: head.rows(EMBEDDINGS, labels).loss, LABELS)):
        traced = tf.function(call, input_signature=[unknown[given is LABELS]])
        np.testing.assert_allclose(traced(tf.constant(given)), head.rows(EMBEDDINGS, LABELS).loss, rtol=1e-6)
    for shape in ((), (4, 4, 6)):
        with pytest.raises(ValueError, match=r"embeddings' shape is \(None,.*\), expected \[B, D\]"):
            losses.Head(losses.AMSoftmax(), 5)(keras.Input(shape), keras.Input((), dtype="int32"))
    with pytest.raises(ValueError, match="number of labels is 1, expected 6"):
        losses.PairHead(losses.Triplet())(EMBEDDINGS, np.array([1]))


@pytest.mark.parametrize(("num_classes", "share", "message"), [
    (2.5, 1.0, "num_classes is 2.5, expected an integer of at least 1"), (np.inf, 1.0, "num_classes is inf"),
    (None, 1.0, "num_classes is None"), ("5", 1.0, "num_classes is '5'"), (0, 1.0, "num_classes is 0"),
    (5, 5.0, r"margin_share is 5.0, expected in \[0, 1\]"), (5, -0.1, "margin_share is -0.1"),
])
def test_wrong_numbers_are_named(num_classes, share, message):
    with pytest.raises(ValueError, match=message):
        losses.Head(losses.AMSoftmax(), num_classes).rows(EMBEDDINGS, LABELS, margin_share=share)
    assert losses.Head(losses.AMSoftmax(), np.int64(5)).num_classes == 5


def test_a_loss_goes_into_its_own_head():
    with pytest.raises(ValueError, match=r"loss of a head is Triplet.*losses\.PairHead"):
        losses.Head(losses.Triplet(), 5)
    with pytest.raises(ValueError, match=r"loss of a pair head is Softmax.*losses\.Head"):
        losses.PairHead(losses.Softmax())
