"""Every loss in every way it can be run; the tests do this once for each feature alone. Last line: one JSON object.

python benchmarks/losses_matrix.py [--losses arcface ...]

Ways: float32 and both half policies, eager, graph and XLA, int32 and int64 labels, one and three sub-centers, margin
shares 0, 1/2 and 1; a few epochs of plain `model.fit`; saved and loaded with what the loss remembers.
"""

import argparse
import itertools
import json
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))   # so that `python benchmarks/losses_matrix.py` works as well

from base.environment import load_tensorflow, processor  # noqa: E402 - after the path is set

_CLASSES, _DIM, _BATCH = 7, 16, 12
_POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")
_MODES = {"graph": {}, "xla": {"jit_compile": True}}


def main(argv):
    """Returns the exit code: 1 where a cell failed."""
    options = _options(argv)
    load_tensorflow()
    started, failed, cells = time.monotonic(), [], 0
    for name in options.losses:
        for cell, check in checks(name):
            cells += 1
            trouble = check()
            if trouble:
                failed.append(f"{name}: {cell}: {trouble}")
                print(failed[-1], file=sys.stderr, flush=True)
        print(f"{name}: done", file=sys.stderr, flush=True)
    print(json.dumps({"cells": cells, "failed": failed, "losses": len(options.losses),
                      "seconds": round(time.monotonic() - started, 1), "processor": processor()}))
    return 1 if failed else 0


def checks(name):
    """Pairs (cell, function that returns "" or what is wrong) of a loss."""
    from losses.loss import Loss
    from losses.registry import build

    loss = build(name)
    if isinstance(loss, Loss):
        for count, policy, mode in itertools.product((1, 3), _POLICIES, _MODES):
            some = build(name, {"sub_centers": count})
            yield f"K {count}, {policy}, {mode}", lambda some=some, p=policy, m=mode: agrees(some, p, m)
        yield "labels", lambda: takes_labels(loss)
        yield "ramp", lambda: ramps(loss)
    yield "fit", lambda: fits(loss)
    yield "save and load", lambda: loads(loss)


def agrees(loss, policy, mode):
    """Traced equals eager, values and gradients, in float32 whatever the policy is."""
    import keras
    import numpy as np
    import tensorflow as tf

    keras.config.set_dtype_policy(policy)
    try:
        head = _head(loss)
        embeddings = tf.cast(_embeddings(), policy.removeprefix("mixed_"))
        eager, eager_slopes = _step(head, embeddings)
        traced, slopes = tf.function(lambda x: _step(head, x), **_MODES[mode])(embeddings)
    finally:
        keras.config.set_dtype_policy("float32")
    if eager.dtype != tf.float32:
        return f"loss is {eager.dtype}"
    if not np.isfinite(eager).all():
        return f"loss {eager.numpy()}"
    if not np.allclose(traced, eager, rtol=1e-4, atol=1e-5):
        return f"{mode} {traced.numpy()} is not eager {eager.numpy()}"
    for wanted, found in zip(eager_slopes, slopes, strict=True):
        if not np.allclose(found, wanted, rtol=1e-2, atol=1e-3 * np.abs(wanted).max() + 1e-7):
            return f"gradients of {wanted.shape} differ by {np.abs(found - wanted).max()} of {np.abs(wanted).max()}"
    return ""


def takes_labels(loss):
    """The type of integers changes nothing."""
    import numpy as np

    head, labels = _head(loss), _labels()
    found = [head.rows(_embeddings(), labels.astype(kind)).loss.numpy() for kind in ("int32", "int64", "uint8")]
    return "" if all((each == found[0]).all() for each in found) and np.isfinite(found[0]).all() else f"{found}"


def ramps(loss):
    """Shares 0, 1/2 and 1 of the margin: finite, traced once."""
    import numpy as np
    import tensorflow as tf

    head, traces = _head(loss), []

    @tf.function
    def step(share):
        traces.append(1)
        return head.rows(_embeddings(), _labels(), margin_share=share).loss

    found = [step(tf.constant(share)).numpy() for share in (0.0, 0.5, 1.0)]
    return "" if np.isfinite(found).all() and len(traces) == 1 else f"{len(traces)} traces, {found}"


def fits(loss):
    """Plain `model.fit` brings the loss down."""
    model = _model(loss)
    found = _fit(model)
    return "" if found[-1] < found[0] else f"losses of the epochs {found}"


def loads(loss):
    """A saved model gives the same outputs and the same next losses."""
    import keras
    import numpy as np

    model = _model(loss)
    _fit(model)
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        loaded = keras.models.load_model(f"{folder}/model.keras")
    inputs = [_embeddings(), _labels()]
    if not np.array_equal(loaded(inputs), model(inputs)):
        return "other outputs"
    again = [each.evaluate(inputs, verbose=0) for each in (model, _compiled(loaded))]
    return "" if again[0] == again[1] else f"losses {again}"


def _step(head, embeddings):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        rows = head.rows(embeddings, _labels())
        loss = tf.reduce_sum(rows.loss)
    slopes = tape.gradient(loss, [embeddings, *(variable.value for variable in head.trainable_variables)],
                           unconnected_gradients="zero")
    return rows.loss, [tf.cast(tf.convert_to_tensor(slope), tf.float32) for slope in slopes]


def _model(loss):
    import keras

    keras.utils.set_random_seed(3)
    features, labels = keras.Input((_DIM,)), keras.Input((), dtype="int32")
    return _compiled(keras.Model([features, labels], _head(loss)(keras.layers.Dense(_DIM)(features), labels)))


def _compiled(model):
    import keras

    model.compile(optimizer=keras.optimizers.SGD(0.02))
    return model


def _fit(model):
    return model.fit([_embeddings(), _labels()], epochs=12, batch_size=_BATCH, shuffle=False,
                     verbose=0).history["loss"]


def _head(loss):
    import losses

    if isinstance(loss, losses.PairLoss):
        return losses.PairHead(loss)
    head = losses.Head(loss, _CLASSES, seed=1, epoch_steps=2)
    head.build((None, _DIM))
    return head


def _embeddings():
    import numpy as np

    return np.random.default_rng(0).normal(size=(_BATCH, _DIM)).astype(np.float32)


def _labels():
    import numpy as np

    return (np.arange(_BATCH) * 5 % _CLASSES % 4).astype(np.int32)


def _options(argv):
    from losses.registry import names

    parser = argparse.ArgumentParser("benchmarks/losses_matrix.py", description=__doc__.split("\n")[0])
    parser.add_argument("--losses", nargs="+", choices=names(), default=names(), metavar="LOSS", help="default: all")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
