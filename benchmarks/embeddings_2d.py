"""Embeddings of two numbers: softmax beside L2-softmax, on faces that a program draws. Last line: one JSON object.

python benchmarks/embeddings_2d.py OUT.png [--people 8] [--photos 60] [--epochs 60] [--seed 0]

The same network, first weights, crops and steps for both losses, by plain `model.fit`. A quarter of everybody's
photographs is for testing: the points of the picture, and the accuracy, are theirs.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))   # so that `python benchmarks/embeddings_2d.py` works as well

from matplotlib.figure import Figure  # noqa: E402 - after the path is set

from base.environment import load_tensorflow, processor  # noqa: E402
from base.files import atomic_write  # noqa: E402
from evaluation.plots import png  # noqa: E402

SIDE = 40
"""Height and width of a crop, in pixels."""
ALPHA = 8.0
COLOURS = ("#1f5fa8", "#c8501e", "#2f7d4f", "#7b4ea3", "#8a6d1b", "#d04a7a", "#3aa0a8", "#555555", "#a33", "#6a6")


def main(argv):
    """Returns the exit code."""
    options = _options(argv)
    started = time.monotonic()
    crops, people = drawn(options)
    is_test = np.arange(len(people)) % options.photos < options.photos // 4
    load_tensorflow()
    import losses
    ways = {"softmax": losses.Softmax(), f"L2-softmax, alpha {ALPHA:g}": losses.L2Softmax(ALPHA)}
    found = {name: train(loss, crops, people, is_test, options) for name, loss in ways.items()}
    with atomic_write(Path(options.output)) as file:
        file.write(picture(found, people[is_test]))
    print(json.dumps({
        **{name: {key: value for key, value in each.items() if key != "embeddings"} for name, each in found.items()},
        "train_crops": int((~is_test).sum()), "test_crops": int(is_test.sum()), "people": options.people,
        "seconds": round(time.monotonic() - started, 1), "processor": processor()}))
    return 0


def drawn(options):
    """(crops uint8 [N, SIDE, SIDE, 3], person of each int32 [N]), aligned by the landmarks they were drawn with."""
    from align.warp import similarity, warp
    from demo import faces
    from tfrecords.template import Template, get_template
    points = np.array(get_template("112x112").points) * SIDE / 112
    template = Template("small", SIDE, SIDE, tuple(map(tuple, points)))
    crops, people = [], []
    for person in range(options.people):
        for photo in range(options.photos):
            drawing = faces.draw(options.seed, person, photo, height=96, width=96)
            crops.append(warp(drawing.image, similarity(drawing.landmarks, points), template))
            people.append(person)
    return np.stack(crops), np.array(people, np.int32)


def train(loss, crops, people, is_test, options):
    """Trains a network and a head; returns accuracies and the embeddings [T, 2] of the test crops."""
    import keras

    import losses
    from models.registry import build
    keras.utils.set_random_seed(options.seed)   # the order of the crops
    network = build("resface10", template_shape=(SIDE, SIDE), embedding_size=2, width=0.125, seed=options.seed)
    pixels = keras.Input((SIDE, SIDE, 3), dtype="uint8", name="crops")
    labels = keras.Input((), dtype="int32", name="labels")
    head = losses.Head(loss, options.people, seed=options.seed)
    model = keras.Model({"crops": pixels, "labels": labels}, head(network(pixels), labels))
    batch = 16
    steps = options.epochs * -(-int((~is_test).sum()) // batch)
    rate = keras.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=0.05, warmup_steps=steps // 10)
    model.compile(optimizer=keras.optimizers.SGD(rate, momentum=0.9))
    history = model.fit({"crops": crops[~is_test], "labels": people[~is_test]}, epochs=options.epochs,
                        batch_size=batch, verbose=0)
    share = {}
    for name, part in (("train", ~is_test), ("test", is_test)):
        logits = model.predict({"crops": crops[part], "labels": people[part]}, verbose=0)
        share[name] = round(float((logits.argmax(axis=1) == people[part]).mean()), 4)
    embeddings = network.predict(crops[is_test], verbose=0)
    return {"train_accuracy": share["train"], "test_accuracy": share["test"],
            "training_loss": round(history.history["loss"][-1], 4), "embeddings": embeddings}


def picture(found, people):
    """PNG bytes: the test crops' embeddings of both losses."""
    figure = Figure(figsize=(7.6, 3.7), dpi=100, layout="constrained")
    for axes, (name, each) in zip(figure.subplots(1, 2), found.items(), strict=True):
        points = each["embeddings"]
        if name != "softmax":
            points = points / np.linalg.norm(points, axis=1, keepdims=True)
            turn = np.linspace(0, 2 * np.pi, 200)
            axes.plot(np.cos(turn), np.sin(turn), color="#bbbbbb", linewidth=0.8, zorder=0)
        for person in range(people.max() + 1):
            axes.scatter(*points[people == person].T, s=14, color=COLOURS[person % len(COLOURS)], alpha=0.7,
                         linewidths=0)
        axes.set_title(f"{name}: {each['test_accuracy']:.0%} of test photographs right", fontsize=8.5)
        axes.set_aspect("equal", adjustable="datalim")
        axes.tick_params(labelsize=7.5)
        axes.grid(color="#e5e5e5", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    return png(figure)


def _options(argv):
    parser = argparse.ArgumentParser("benchmarks/embeddings_2d.py", description=__doc__.split("\n")[0])
    parser.add_argument("output", help="PNG file to write")
    parser.add_argument("--people", type=int, default=8, help="people drawn (default %(default)s)")
    parser.add_argument("--photos", type=int, default=60, help="photographs of each (default %(default)s)")
    parser.add_argument("--epochs", type=int, default=60, help="of the training (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of people, weights and order (default %(default)s)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    sys.exit(main(sys.argv[1:]))
