"""Speed of whole training steps with this project's layers against Keras' own. Last line: one JSON object.

python benchmarks/step.py [--width 0.25] [--batch 96] [--precision auto] [--steps 12] [--rounds 3]

Both networks live in one process and take turns; drawn noise stands for the crops, since their content costs nothing.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))   # so that `python benchmarks/step.py` works as well

from base.environment import load_tensorflow, processor  # noqa: E402 - after the path is set


def main(argv):
    """Returns the exit code."""
    options = _options(argv)
    tf = load_tensorflow()
    from training import placement
    from training.kernels import fast_layers
    precision = placement.resolve_precision(options.precision)
    ways = {"keras": {}, "ours": fast_layers(on_processor=True, jit_compile=False)}
    steps = {name: _step(options, precision, layers) for name, layers in ways.items()}
    forward = _forward(options, precision)
    rates = {name: [] for name in (*steps, "forward")}
    for turn in range(options.rounds + 1):
        for name, take in (*steps.items(), ("forward", forward)):
            started = time.perf_counter()
            for _ in range(options.steps):
                take()
            if turn:   # the first traces and warms up
                rates[name].append(options.steps * options.batch / (time.perf_counter() - started))
    over = statistics.median(a / b for a, b in zip(rates["ours"], rates["keras"], strict=True))
    print(json.dumps({
        **{f"{name}_crops_per_s": round(statistics.median(values), 1) for name, values in rates.items()},
        "over_keras": round(over, 2), "width": options.width, "batch": options.batch, "precision": precision,
        "tensorflow": tf.__version__, "processor": processor()}))
    return 0


def _step(options, precision, layers):
    """A function that takes one whole step: forward, loss, gradients, update."""
    import numpy as np
    import tensorflow as tf

    import losses.registry
    import models.registry
    from losses.head import Head
    from training.config import Optimizer
    from training.optimizer import SGD
    from training.step import Parts, make_step
    model = models.registry.build("resface20", width=options.width, dtype=precision, **layers)
    head = Head(losses.registry.build("amsoftmax"), 3000)
    head.build((None, 512))
    variables = [variable.value for variable in (*model.trainable_variables, *head.trainable_variables)]
    parts = Parts(model, head, SGD(Optimizer(), variables, decayed=[True] * len(variables)),
                  tf.distribute.get_strategy())
    step = make_step(parts, batch_size=options.batch, jit_compile=False)
    draw = np.random.default_rng(0)
    batch = {"crops": tf.constant(_crops(draw, options.batch)), "g": tf.range(options.batch, dtype=tf.int64),
             "labels": tf.constant(draw.integers(0, 3000, options.batch), tf.int32)}
    return lambda: step(batch, tf.constant(0.01), tf.constant(1.0), tf.constant(0)).numpy()


def _forward(options, precision):
    """A function that embeds one batch: the bare forward pass."""
    import numpy as np
    import tensorflow as tf

    import models.registry
    model = models.registry.build("resface20", width=options.width, dtype=precision)
    crops = tf.constant(_crops(np.random.default_rng(0), options.batch))
    embed = tf.function(lambda: model(crops, training=False), autograph=False)
    return lambda: embed().numpy()


def _crops(draw, count):
    return draw.integers(0, 256, (count, 112, 96, 3), "uint8")


def _options(argv):
    parser = argparse.ArgumentParser("benchmarks/step.py", description=__doc__.split("\n")[0])
    parser.add_argument("--width", type=float, default=0.25, help="of the network (default %(default)s)")
    parser.add_argument("--batch", type=int, default=96, help="crops a step (default %(default)s)")
    parser.add_argument("--precision", default="auto", help="float32, mixed_bfloat16 or auto (default)")
    parser.add_argument("--steps", type=int, default=12, help="steps a round (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="timed rounds (default %(default)s)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
