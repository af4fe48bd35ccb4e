"""The head in plain Keras and in a step of one's own: types, labels, margin, zeros, saving."""

import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import losses
from losses.classifier import center_rows

RANDOM = np.random.default_rng(0)
EMBEDDINGS = RANDOM.normal(size=(6, 8)).astype("float32")
LABELS = np.array([0, 4, 2, 2, 1, 3])
KERAS_SAVES_BY_ARRAY = pytest.mark.filterwarnings(   # Keras 3.15 turns a TensorFlow variable into an array so
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")


FEATURES = {
    "target only": losses.AMSoftmax(), "bias": losses.Softmax(), "others": losses.MVSoftmax(),
    "state": losses.CurricularFace(), "state of classes": losses.CenterLoss(), "state and sums": losses.AdaCos(),
    "trained scalar": losses.NormFace(trained=True), "softplus sum": losses.SphereFace2(),
    "sub-centers": losses.SubcenterArcFace(), "draws": losses.ElasticFace(plus=True),
}
"""A loss for each thing that the contract can carry."""
each_feature = pytest.mark.parametrize("loss", FEATURES.values(), ids=FEATURES)


def built(loss, **options):
    head = losses.Head(loss, 5, **options)
    head.build((None, 8))
    return head


def fit_two_classes(head=None):
    """Trains a dense layer and a head with plain `model.fit`; returns the losses of the epochs."""
    keras.utils.set_random_seed(1)
    labels = np.arange(32) % 2
    crops = RANDOM.normal(size=(32, 4)).astype("float32") + 3 * labels[:, None].astype("float32")
    features, label = keras.Input((4,), name="features"), keras.Input((), dtype="int32", name="labels")
    embeddings = keras.layers.Dense(8)(features)
    outputs = (head or losses.Head(losses.AMSoftmax(scale=8.0, margin=0.1), num_classes=2))(embeddings, label)
    model = keras.Model({"features": features, "labels": label}, outputs)
    model.compile(optimizer=keras.optimizers.SGD(0.1 if head else 0.5))
    history = model.fit({"features": crops, "labels": labels.astype("int32")}, epochs=12, batch_size=16, verbose=0)
    return history.history["loss"]


def test_plain_fit_learns():
    assert fit_two_classes()[-1] < 0.1


@pytest.mark.parametrize("head", [
    losses.Head(losses.CurricularFace(8.0), 2), losses.Head(losses.CenterLoss(), 2), losses.Head(
        losses.NormFace(8.0, trained=True), 2), losses.Head(losses.SphereFace2(), 2), losses.Head(
        losses.RandomSoftmax(8.0), 2, epoch_steps=2), losses.PairHead(losses.Triplet(mode="hard"))],
    ids=lambda head: type(head.loss).__name__)
def test_plain_fit_learns_with_every_feature(head):
    found = fit_two_classes(head)
    assert found[-1] < 0.8 * found[0]
    if isinstance(head, losses.Head):
        assert int(head.step.numpy()) == 24
        for variable in head.state.values():
            assert np.any(variable.numpy())           # it moved, and is there to be saved


def test_call_returns_logits_without_margin_and_adds_the_mean_loss():
    head = built(losses.AMSoftmax(scale=10.0, margin=0.4))
    logits = np.array(head(EMBEDDINGS, LABELS))
    centers = head.classifier.centers.numpy()
    cosines = (EMBEDDINGS @ centers.T / np.linalg.norm(EMBEDDINGS, axis=1)[:, None] / np.linalg.norm(centers, axis=1))
    np.testing.assert_allclose(logits, 10 * cosines, atol=1e-5)
    np.testing.assert_allclose(head.losses[0], np.mean(head.rows(EMBEDDINGS, LABELS).loss), rtol=1e-6)
    head.margin_share.assign(0.0)
    head(EMBEDDINGS, LABELS)
    no_margin = built(losses.AMSoftmax(scale=10.0, margin=0.0))
    np.testing.assert_allclose(head.losses[-1], np.mean(no_margin.rows(EMBEDDINGS, LABELS).loss), rtol=1e-6)


@pytest.mark.parametrize("loss", [losses.AMSoftmax(), losses.Softmax()], ids=lambda loss: type(loss).__name__)
def test_rows_measure(loss):
    head = built(loss)
    if loss.has_bias:
        head.classifier.bias.assign([3.0, 0, 0, 0, -1.0])
    centers = head.classifier.centers.numpy().astype("float64")
    lengths = np.linalg.norm(EMBEDDINGS, axis=1)
    products = EMBEDDINGS @ centers.T
    cosines = products / lengths[:, None] / np.linalg.norm(centers, axis=1)
    similarity = products + head.classifier.bias.numpy() if loss.has_bias else cosines
    labels = (similarity.argmax(1) + np.arange(6) % 2) % 5
    rows = head.rows(EMBEDDINGS, labels)
    np.testing.assert_allclose(rows.target_cosine, cosines[np.arange(6), labels], atol=1e-6)
    np.testing.assert_allclose(rows.norm, lengths, rtol=1e-6)
    np.testing.assert_array_equal(rows.correct, [1, 0, 1, 0, 1, 0])
    assert {str(keras.backend.standardize_dtype(value.dtype)) for value in rows[:4]} == {"float32"}


@each_feature
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_is_raised_before_the_product(loss, policy):
    keras.config.set_dtype_policy(policy)
    try:
        head = built(loss)
        half = keras.ops.cast(EMBEDDINGS, policy.removeprefix("mixed_"))
        exact = head.rows(keras.ops.cast(half, "float32"), LABELS)
        found = head.rows(half, LABELS)
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(found.loss, exact.loss)
    assert keras.backend.standardize_dtype(found.loss.dtype) == "float32"
    assert {variable.dtype for variable in head.variables} == {"float32", "int32"}


def test_a_changed_margin_does_not_retrace():
    import tensorflow as tf

    head, traces = built(losses.AMSoftmax(scale=20.0, margin=0.5)), []

    @tf.function
    def step(share):
        traces.append(1)
        return head.rows(EMBEDDINGS, LABELS, margin_share=share).loss

    with_margin, half, none = (step(tf.constant(share)).numpy() for share in (1.0, 0.5, 0.0))
    assert len(traces) == 1
    assert (with_margin > half).all()
    assert (half > none).all()
    np.testing.assert_allclose(none, built(losses.AMSoftmax(20.0, 0.0)).rows(EMBEDDINGS, LABELS).loss, rtol=1e-6)


@each_feature
@pytest.mark.parametrize("compiled", [False, True])
def test_eager_graph_and_xla_agree(loss, compiled):
    import tensorflow as tf

    head = built(loss, seed=1)
    graph = tf.function(head.rows, jit_compile=compiled)(EMBEDDINGS, LABELS)
    eager = head.rows(EMBEDDINGS, LABELS)
    for found, wanted in zip(graph[:4], eager[:4], strict=True):
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-5)
    assert set(graph.state) == set(eager.state) == set(head.state)
    for name, wanted in eager.state.items():
        np.testing.assert_allclose(graph.state[name], wanted, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int64"])
def test_integer_labels_of_every_type_are_equal(kind):
    for loss in FEATURES.values():
        head = built(loss)
        np.testing.assert_array_equal(
            head.rows(EMBEDDINGS, LABELS.astype(kind)).loss, head.rows(EMBEDDINGS, LABELS.astype("int32")).loss)


def test_numbers_of_a_float64_head_have_all_their_digits():
    """Keras' casts and initializers go through float32."""
    head = built(losses.NormFace(8.3, trained=True), dtype="float64")
    assert float(head.classifier.scalars["scale"].numpy()) == 8.3
    head = built(losses.AMSoftmax(8.0, 0.3), dtype="float64")
    wide = EMBEDDINGS.astype("float64")
    whole = losses.Head(losses.AMSoftmax(8.0, 0.3 * 0.7), 5, dtype="float64")
    np.testing.assert_allclose(head.rows(wide, LABELS, margin_share=0.7).loss, whole.rows(wide, LABELS).loss,
                               rtol=1e-13)


def test_one_class_costs_nothing():
    import tensorflow as tf

    head = losses.Head(losses.AMSoftmax(), 1)
    embeddings = tf.constant(EMBEDDINGS)
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        loss = head.rows(embeddings, np.zeros(6, int)).loss
    np.testing.assert_array_equal(loss, 0)
    np.testing.assert_array_equal(tape.gradient(loss, embeddings), 0)


def test_centers_are_drawn_by_row():
    whole = center_rows(3, 0, count=7, dim=5, scheme="normal")
    np.testing.assert_array_equal(center_rows(3, 4, count=3, dim=5, scheme="normal"), whole[4:])
    many = center_rows(3, 0, count=2000, dim=30, scheme="normal")
    assert abs(many.std() - 0.01) < 1e-4
    assert abs(many.mean()) < 2e-4
    flat = center_rows(3, 0, count=2000, dim=30, scheme=0.5)
    assert np.abs(flat).max() <= 0.5
    assert abs(flat.std() - 1 / np.sqrt(12)) < 2e-3
    assert not np.array_equal(center_rows(4, 0, count=7, dim=5, scheme="normal"), whole)


def test_decay_is_for_centers_alone_and_the_policy_does_not_reach_the_head():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        head = built(losses.Softmax())
    finally:
        keras.config.set_dtype_policy("float32")
    assert [variable.name for variable in head.decayed] == ["centers"]
    assert [variable.name for variable in head.not_decayed] == ["bias"]
    assert {variable.name: variable.dtype for variable in head.variables} == {
        "centers": "float32", "bias": "float32", "margin_share": "float32", "step": "int32"}
    assert [variable.name for variable in head.trainable_variables] == ["centers", "bias"]


@KERAS_SAVES_BY_ARRAY
@each_feature
def test_saved_and_loaded_with_what_it_remembers(loss, tmp_path):
    features, label = keras.Input((8,)), keras.Input((), dtype="int32")
    head = losses.Head(loss, 5, seed=3, epoch_steps=7)
    model = keras.Model([features, label], head(features, label))
    head(EMBEDDINGS, LABELS, training=True)           # moves the state
    for scalar in head.classifier.scalars.values():
        scalar.assign(3.25)
    model.save(tmp_path / "head.keras")
    loaded = keras.models.load_model(tmp_path / "head.keras")
    again = loaded.get_layer("head")
    assert again.loss == loss
    assert (again.facts.seed, again.facts.epoch_steps, int(again.step.numpy())) == (3, 7, 1)
    np.testing.assert_array_equal(loaded([EMBEDDINGS, LABELS]), model([EMBEDDINGS, LABELS]))
    for name, variable in head.state.items():
        np.testing.assert_array_equal(again.state[name].numpy(), variable.numpy())
    np.testing.assert_array_equal(again.rows(EMBEDDINGS, LABELS).loss, head.rows(EMBEDDINGS, LABELS).loss)


@KERAS_SAVES_BY_ARRAY
def test_pairs_are_saved_and_loaded(tmp_path):
    features, label = keras.Input((8,)), keras.Input((), dtype="int32")
    model = keras.Model([features, label], losses.PairHead(losses.Triplet(0.4, "hard"))(features, label))
    model.save(tmp_path / "pairs.keras")
    assert keras.models.load_model(tmp_path / "pairs.keras").get_layer("pair_head").loss == losses.Triplet(0.4, "hard")


@pytest.mark.parametrize("loss", [losses.Triplet(), losses.PairCircle()], ids=lambda loss: type(loss).__name__)
def test_pairs_in_graphs_half_precision_and_with_wrong_labels(loss):
    import tensorflow as tf

    head = losses.PairHead(loss)

    def value(embeddings, labels):
        head(embeddings, labels)
        return head.losses[-1]

    exact = value(EMBEDDINGS, LABELS)
    np.testing.assert_allclose(tf.function(lambda: loss(tf.constant(EMBEDDINGS), LABELS), jit_compile=True)(), exact,
                               rtol=1e-5)
    half = tf.cast(EMBEDDINGS, tf.bfloat16)
    np.testing.assert_array_equal(value(half, LABELS.astype("int64")), value(tf.cast(half, tf.float32), LABELS))
    with pytest.raises(ValueError, match="label is -4"):
        head(EMBEDDINGS, -LABELS)
    with pytest.raises(ValueError, match="embedding 0, number 0, is nan"):
        head(np.full((2, 8), np.nan), LABELS[:2])


def test_a_trained_scale_stays_above_its_least_value_in_plain_keras():
    head = losses.Head(losses.NormFace(0.02, trained=True), 5)
    features, label = keras.Input((8,)), keras.Input((), dtype="int32")
    model = keras.Model([features, label], head(features, label))
    head.classifier.centers.assign(-EMBEDDINGS[:5])   # every target is opposite: the scale wants to fall
    model.compile(optimizer=keras.optimizers.SGD(10.0))
    model.fit([EMBEDDINGS[:5], np.arange(5, dtype="int32")], verbose=0)
    assert float(head.classifier.scalars["scale"].numpy()) == np.float32(0.01)


def test_weight_decay_can_be_kept_from_trained_numbers():
    head = losses.Head(losses.NormFace(8.0, trained=True), 5)
    features, label = keras.Input((8,)), keras.Input((), dtype="int32")
    model = keras.Model([features, label], head(features, label))
    optimizer = keras.optimizers.SGD(1e-6, weight_decay=1e5)
    optimizer.exclude_from_weight_decay(var_list=head.not_decayed)
    centers = np.abs(head.classifier.centers.numpy()).sum()
    model.compile(optimizer=optimizer)
    model.fit([EMBEDDINGS[:5], np.arange(5, dtype="int32")], verbose=0)
    assert np.abs(head.classifier.centers.numpy()).sum() < 0.95 * centers
    assert float(head.classifier.scalars["scale"].numpy()) == pytest.approx(8, abs=1e-4)


ELSEWHERE = """
import sys
from base.environment import prepare
prepare()
import tensorflow as tf
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0],
                                           [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
import numpy as np
import losses
from losses import Head, PairHead
from tests.losses import test_head as t

loaded = keras.models.load_model(sys.argv[1])
print(loaded.get_layer("head").loss, loaded.get_layer("pair_head").loss)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    head = losses.Head(losses.CurricularFace(8.0), 2)
    found = t.fit_two_classes(head)
print(found[-1] < 0.8 * found[0], int(head.step.numpy()), np.isfinite(head.state["t"].numpy()))
"""


@KERAS_SAVES_BY_ARRAY
def test_in_another_process_a_model_is_loaded_and_two_devices_train(tmp_path):
    """Nothing registers the layers there but `from losses import Head`; a process takes one strategy."""
    features, label = keras.Input((8,)), keras.Input((), dtype="int32")
    pairs = losses.PairHead(losses.Triplet(0.4, "hard"))(features, label)
    model = keras.Model([features, label], losses.Head(losses.ArcFace(12.0), 5)(pairs, label))
    model.save(tmp_path / "model.keras")
    root = Path(losses.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", ELSEWHERE, str(tmp_path / "model.keras")], cwd=root, text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stderr[-3000:]
    shown, trained = done.stdout.strip().splitlines()[-2:]
    assert re.match(r"ArcFace\(.*\bscale=12\.0", shown)
    assert "Triplet(margin=0.4, mode='hard'" in shown
    assert trained == "True 24 True"


def test_state_moves_in_training_alone():
    head = built(losses.AdaFace())
    head(EMBEDDINGS, LABELS)
    assert head.rows(EMBEDDINGS, LABELS, training=False).state == {}
    assert float(head.state["mean"].numpy()) == 20
    head(EMBEDDINGS, LABELS, training=True)
    assert float(head.state["mean"].numpy()) == pytest.approx(
        0.99 * 20 + 0.01 * np.linalg.norm(EMBEDDINGS, axis=1).mean(), rel=1e-6)


def test_draws_change_with_the_step_and_are_the_same_on_every_replica():
    head = built(losses.ElasticFace(30.0, plus=True))
    first, again, later = (head.rows(EMBEDDINGS, LABELS, step=step).loss.numpy() for step in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != later).all()
    g = np.stack([np.arange(6), np.zeros(6)], axis=1).astype(np.int32)
    halves = [head.rows(EMBEDDINGS[rows], LABELS[rows], g=g[rows], gather=_joins(head, g)).loss.numpy()
              for rows in (slice(0, 3), slice(3, 6))]
    np.testing.assert_allclose(np.concatenate(halves), first, rtol=1e-6)


def _joins(head, g):
    """What a collective would give: the whole batch's targets, norms and numbers, by their shapes' order of asking."""
    whole = head.rows(EMBEDDINGS, LABELS, g=g)
    answers = iter([whole.target_cosine, whole.norm, keras.ops.convert_to_tensor(g)])
    return lambda part: next(answers)


def test_permuted_running_numbers_permute_the_draws():
    head = built(losses.ElasticFace(30.0))
    g = np.stack([np.arange(6), np.zeros(6)], axis=1).astype(np.int32)
    order = [3, 1, 5, 0, 4, 2]
    whole = head.rows(EMBEDDINGS, LABELS, g=g).loss.numpy()
    np.testing.assert_allclose(head.rows(EMBEDDINGS[order], LABELS[order], g=g[order]).loss, whole[order], rtol=1e-6)
