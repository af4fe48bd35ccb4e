import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from base.checks import SettingsError
from tests.datasets import make_folder
from tests.training.commands import ROOT
from training import placement
from training.build import build_parts, decay_summary, open_data
from training.config import Data, Engine, Loss, Network, TrainingConfig
from training.placement import precision_warning, resolve_precision
from training.step import MEASURED, make_step


def parts_of(path, *, precision="float32", dropout=0.3, strategy=None, batch_size=8, clean=False, loss="amsoftmax",
             params=None):
    config = TrainingConfig(
        data=Data(train=str(path), batch_size=batch_size), loss=Loss(loss, params or {"scale": 8.0}),
        network=Network(width=0.125, embedding_size=16, dropout=dropout, batch_norm=not clean),
        engine=Engine(precision=precision))
    source = open_data(config)
    return source, build_parts(config, source, strategy or tf.distribute.get_strategy())


def batch_of(source, size=8):
    """Noise with the labels of a first batch: smooth crops give gradients that rounding changes in the third digit."""
    records = source.selection.records[source.order(np.arange(size))]
    noise = np.random.default_rng(0).integers(0, 256, (size, 112, 96, 3), np.uint8)
    return {"crops": tf.constant(noise), "labels": tf.constant(source.folder.labels[records], tf.int32),
            "g": tf.range(size, dtype=tf.int64)}


def state(parts):
    return [v.numpy() for v in (*parts.model.variables, *parts.head.variables)] + [
        v.numpy() for v in parts.optimizer.velocities]


def take(step, batch, *, rate=0.05, share=1.0):
    measured = step(batch, tf.constant(rate), tf.constant(share), tf.constant(0))
    return dict(zip(MEASURED, measured.numpy().tolist(), strict=True))


def test_a_changing_rate_and_margin_trace_nothing_anew(folder):
    source, parts = parts_of(folder.path)
    step = make_step(parts, batch_size=8, jit_compile=False)
    first = take(step, batch_of(source))
    later = [take(step, batch_of(source), rate=0.01 * k, share=0.1 * k) for k in range(1, 6)]
    assert step.experimental_get_tracing_count() == 1
    assert later[-1]["loss"] != first["loss"]
    assert 0 <= first["accuracy"] <= 1
    assert 0 < first["target_angle_degrees"] < 180


def test_it_learns(folder):
    source, parts = parts_of(folder.path, dropout=0.0)
    step = make_step(parts, batch_size=8, jit_compile=False)
    losses = [take(step, batch_of(source))["loss"] for _ in range(25)]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("loss", ["amsoftmax", "curricularface"])
def test_the_guard_changes_nothing(folder, loss):
    source, parts = parts_of(folder.path, loss=loss)
    centers = parts.head.decayed[0]
    centers.assign(np.where(np.arange(16) == 3, np.nan, centers.numpy()))
    before = state(parts)
    measured = take(make_step(parts, batch_size=8, jit_compile=False), batch_of(source))
    assert measured["is_finite"] == 0
    for old, new in zip(before, state(parts), strict=True):
        np.testing.assert_array_equal(old, new)


def test_batch_statistics_and_the_losss_state_move_when_finite(folder):
    source, parts = parts_of(folder.path, loss="curricularface")
    before = [v.numpy() for v in parts.model.non_trainable_variables]
    assert parts.head.state["t"].numpy() == 0
    assert take(make_step(parts, batch_size=8, jit_compile=False), batch_of(source))["is_finite"] == 1
    assert all((old != new.numpy()).any()
               for old, new in zip(before, parts.model.non_trainable_variables, strict=True))
    assert parts.head.state["t"].numpy() != 0


def test_trained_numbers_of_a_loss_move_without_decay_and_have_a_least_value(folder):
    source, parts = parts_of(folder.path, loss="normface", params={"scale": 0.02, "trained": True})
    scale = parts.head.classifier.scalars["scale"]
    assert "scale" in decay_summary(parts).partition("; not on ")[2]
    take(make_step(parts, batch_size=8, jit_compile=False), batch_of(source))
    assert scale.numpy() != np.float32(0.02)
    [keep] = [constraint for constraint in parts.optimizer.constraints if constraint is not None]
    assert keep(tf.constant(-3.0)).numpy() == np.float32(0.01)


def test_margins_come_from_the_crops_a_person(folder):
    _, parts = parts_of(folder.path, params={"class_margins": "range", "margin": 0.4})
    counts = np.bincount(open_data(TrainingConfig(data=Data(train=str(folder.path)))).selection.labels)
    np.testing.assert_array_equal(parts.head.facts.counts, counts)
    assert parts.head.facts.epoch_steps == -(-counts.sum() // 8)


def test_xla_gives_the_same_step(folder):
    losses = []
    for jit in (False, True):
        source, parts = parts_of(folder.path)
        step = make_step(parts, batch_size=8, jit_compile=jit)
        losses.append([take(step, batch_of(source), rate=0.005)["loss"] for _ in range(2)])
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_bfloat16_keeps_weights_loss_and_statistics_in_float32(folder):
    source, parts = parts_of(folder.path, precision="mixed_bfloat16")
    assert {v.dtype for v in (*parts.model.variables, *parts.head.trainable_variables)} == {"float32"}
    measured = take(make_step(parts, batch_size=8, jit_compile=False), batch_of(source))
    source, exact = parts_of(folder.path)
    assert measured["loss"] == pytest.approx(take(make_step(exact, batch_size=8, jit_compile=False),
                                                  batch_of(source))["loss"], rel=0.02)


def test_what_decays(folder):
    _, parts = parts_of(folder.path)
    assert decay_summary(parts) == "weight decay on 21 kernel, 1 centers; not on 21 gamma, 21 beta, 20 alpha"
    _, clean = parts_of(folder.path, clean=True)
    assert "not on 5 bias, 20 alpha" in decay_summary(clean) or "not on 20 alpha, 5 bias" in decay_summary(clean)


def test_precision(monkeypatch):
    monkeypatch.setattr("training.placement.has_bf16", lambda: False)
    assert resolve_precision("auto") == "float32"
    assert "ten times slower" in precision_warning("mixed_bfloat16")
    assert not precision_warning("float32")
    monkeypatch.setattr("training.placement.has_bf16", lambda: True)
    assert resolve_precision("auto") == "mixed_bfloat16"
    assert not precision_warning("mixed_bfloat16")


MIRRORED = """
import sys
from base.environment import prepare
prepare()
import tensorflow as tf
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0],
                                           [tf.config.LogicalDeviceConfiguration()] * 2)
import numpy as np
from tests.training import test_step as t
from training.placement import split

def run(strategy):
    source, parts = t.parts_of(sys.argv[1], strategy=strategy, loss="curricularface")
    step = t.make_step(parts, batch_size=8, jit_compile=False)
    losses = [t.take(step, split(parts.strategy, t.batch_of(source)), rate=0.005)["loss"] for _ in range(2)]
    return losses, t.state(parts)

one, kept = run(tf.distribute.get_strategy())
two, mirrored = run(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
np.testing.assert_allclose(one, two, rtol=1e-4)
for a, b in zip(kept, mirrored):
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)
print("equal")
"""


def test_a_batch_that_devices_cannot_share_is_refused(monkeypatch):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind] * 3 if kind == "GPU" else [])
    with pytest.raises(SettingsError, match=r"data\.batch_size is 128, expected a multiple of the 3 devices"):
        placement.choose(Engine(), batch_size=128)


def test_two_devices_equal_one(folder):
    """In a process of its own: logical devices are made before anything runs, and a process takes one strategy."""
    done = subprocess.run([sys.executable, "-c", MIRRORED, str(folder.path)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip().endswith("equal")


def test_labels_of_left_out_people_are_dense(tmp_path):
    path = make_folder(tmp_path / "data").path
    (tmp_path / "out.txt").write_text("p00\n")
    config = TrainingConfig(data=Data(train=str(path), left_out=str(tmp_path / "out.txt")))
    source = open_data(config)
    assert source.selection.classes[0] == "p01"
    assert source.selection.labels.max() == 4
