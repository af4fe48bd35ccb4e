"""Time and memory of every loss, forward and backward, against plain softmax cross-entropy. Last line: one JSON object.

python benchmarks/losses.py [--classes 10572 100000] [--losses arcface ...] [--processes 3]

A process runs one loss alone; each loss has three of them, in turns with the others, and the medians are given: where
threads meet, the peak differs from run to run. Memory is the peak of the resident set above what it was before the
variables existed (Linux tells it); time is taken after that, in turns with plain softmax (x w + b and TensorFlow's own
sparse cross-entropy) in the same process, and is a ratio to it. Beside them pytorch-metric-learning's CosFace and
ArcFace (PyTorch, processor) on the same arrays, where `pip install torch pytorch-metric-learning` was done.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))   # so that `python benchmarks/losses.py` works as well

from base.environment import load_tensorflow, processor  # noqa: E402 - after the path is set

TARGET_ONLY = ("amsoftmax", "arcface", "combined", "spherefacer", "elasticface", "magface", "unified", "randomsoftmax")
"""Losses that change the target's logit alone; AdaFace cuts the others' cosines as well."""
PEERS = {"pml cosface": "CosFaceLoss", "pml arcface": "ArcFaceLoss"}
PARAMS = {"randomsoftmax": {"every": 100}}


def main(argv):
    """Returns the exit code."""
    options = _options(argv)
    if options.one:
        print(json.dumps(measure(options.one, options)))
        return 0
    if not Path("/proc/self/clear_refs").exists():
        print("benchmarks/losses.py: peak memory is read from /proc, which this system does not have; run it on Linux.",
              file=sys.stderr)
        return 2
    from losses.registry import load, names

    chosen = options.losses or ["plain", *(name for name in names() if hasattr(load(name), "others")), *PEERS]
    runs = {f"{name} {classes}": [] for classes in options.classes for name in chosen}
    for classes in options.classes:
        for name in chosen * options.processes:
            one = child(name, classes, options)
            runs[f"{name} {classes}"].append(one)
            print(f"{name}, {classes} classes: {json.dumps(one)}", file=sys.stderr, flush=True)
    found = {name: middle(several) for name, several in runs.items()}
    print(json.dumps({**summary(found, options.classes), "processor": processor(), "batch": options.batch,
                      "dim": options.dim, "losses": found}))
    return 0


def child(name, classes, options):
    """Measures a loss in a process of its own."""
    words = ["--one", name, "--classes", classes, "--batch", options.batch, "--dim", options.dim, "--rounds",
             options.rounds, *(["--jit"] if options.jit else [])]
    done = subprocess.run([sys.executable, __file__, *map(str, words)], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def middle(runs):
    """The medians of a loss's processes and the range of its memory; or the first error."""
    errors = [one for one in runs if "error" in one]
    if errors:
        return errors[0]
    medians = {field: round(statistics.median(one[field] for one in runs), 4) for field in runs[0]}
    return {**medians, "mb_range": [min(one["mb"] for one in runs), max(one["mb"] for one in runs)]}


def measure(name, options):
    """{"mb": peak memory, "seconds": of a step, "over_plain": time as a ratio to plain softmax}."""
    import numpy as np

    draw = np.random.default_rng(0)
    [classes] = options.classes
    embeddings = draw.normal(size=(options.batch, options.dim)).astype(np.float32)
    labels = draw.integers(0, classes, options.batch).astype(np.int32)
    if name in PEERS:
        make = _peer
    else:
        load_tensorflow()
        make = _plain if name == "plain" else _ours
    _warm_up(make, name, options)
    before = _reset_peak()
    step = make(name, embeddings, labels, classes=classes, options=options)
    for _ in range(3):
        step()
    mb = (_peak() - before) / 1e6
    if make is _peer:
        load_tensorflow()                             # after memory was measured
    plain = _plain("plain", embeddings, labels, classes=classes, options=options)
    plain()
    seconds = {"loss": [], "plain": []}
    for _ in range(options.rounds):
        for key, take in (("loss", step), ("plain", plain)):
            started = time.perf_counter()
            take()
            seconds[key].append(time.perf_counter() - started)
    ratio = statistics.median(a / b for a, b in zip(seconds["loss"], seconds["plain"], strict=True))
    return {"mb": round(mb, 1), "seconds": round(statistics.median(seconds["loss"]), 4), "over_plain": round(ratio, 3)}


def summary(found, classes):
    """The ratios that count: over plain softmax, over NormFace and over the peer; the worst over the class counts."""
    def worst(names, field, other):
        pairs = [(found.get(f"{name} {count}", {}), found.get(f"{other} {count}", {})) for name in names
                 for count in classes]
        ratios = [ours[field] / theirs[field] for ours, theirs in pairs if field in ours and field in theirs]
        return round(max(ratios), 3) if ratios else None

    peers = {"amsoftmax": "pml cosface", "arcface": "pml arcface"}
    pairs = [(f"{ours} {count}", f"{peer} {count}") for ours, peer in peers.items() for count in classes]
    return {
        "normface_time": worst(["normface"], "over_plain", "plain"),
        "normface_memory": worst(["normface"], "mb", "plain"),
        "worst_time_ratio": worst(TARGET_ONLY, "over_plain", "normface"),
        "worst_memory_ratio": worst(TARGET_ONLY, "mb", "normface"),
        "over_pml": {ours: {key: round(found[ours][key] / found[peer][key], 3) for key in ("seconds", "mb")}
                     for ours, peer in pairs if "mb" in found.get(ours, {}) and "mb" in found.get(peer, {})},
    }


def _ours(name, embeddings, labels, *, classes, options):
    import tensorflow as tf

    from losses.head import Head
    from losses.registry import build

    head = Head(build(name, PARAMS.get(name)), classes)
    head.build((None, options.dim))
    variables = [variable.value for variable in head.trainable_variables]

    def loss(x):
        return tf.reduce_mean(head.rows(x, labels, step=tf.constant(0)).loss)

    return _step(loss, embeddings, variables, options)


def _plain(name, embeddings, labels, *, classes, options):
    import tensorflow as tf

    centers = tf.Variable(tf.random.stateless_normal((classes, options.dim), (0, 0)) * 0.01)
    bias = tf.Variable(tf.zeros(classes))

    def loss(x):
        logits = tf.matmul(x, centers, transpose_b=True) + bias
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))

    return _step(loss, embeddings, [centers, bias], options)


def _step(loss, embeddings, variables, options):
    import tensorflow as tf

    x = tf.constant(embeddings)

    @tf.function(jit_compile=options.jit)
    def step():
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = loss(x)
        return value, tape.gradient(value, [x, *variables])

    def take():
        value, gradients = step()
        return float(value), gradients

    return take


def _peer(name, embeddings, labels, *, classes, options):
    import pytorch_metric_learning.losses
    import torch

    loss = getattr(pytorch_metric_learning.losses, PEERS[name])(classes, options.dim)
    x, targets = torch.tensor(embeddings, requires_grad=True), torch.tensor(labels.astype("int64"))

    def take():
        x.grad = loss.W.grad = None
        value = loss(x, targets)
        value.backward()
        return float(value)

    return take


def _warm_up(make, name, options):
    """A step with few classes: loads libraries and starts threads, so that they are not counted."""
    import numpy as np

    make(name, np.ones((2, options.dim), np.float32), np.array([0, 1], np.int32), classes=100, options=options)()


def _reset_peak():
    """Bytes resident now; the peak starts from here. 5 is the kernel's word for it (man 5 proc, clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak():
    return _status("VmHWM")


def _status(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def _options(argv):
    parser = argparse.ArgumentParser("benchmarks/losses.py", description=__doc__.split("\n")[0])
    parser.add_argument("--classes", nargs="+", type=int, default=[10_572, 100_000], help="default: 10572 100000")
    parser.add_argument("--losses", nargs="+", help="default: plain, every loss with a classifier, the peer's two")
    parser.add_argument("--batch", type=int, default=128, help="crops a step (default 128)")
    parser.add_argument("--dim", type=int, default=512, help="numbers an embedding (default 512)")
    parser.add_argument("--rounds", type=int, default=7, help="timed steps (default 7)")
    parser.add_argument("--processes", type=int, default=3, help="processes a loss, of which medians are given (3)")
    parser.add_argument("--jit", action="store_true", help="compile with XLA")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
