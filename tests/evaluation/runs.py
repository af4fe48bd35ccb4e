"""Tiny runs and benchmarks made by the tests themselves."""

import warnings

import keras
import numpy as np

from evaluation.card import write_card
from tests.datasets import make_folder


def make_model(*, size=16, shape=(112, 96), seed=0):
    """A small network that keeps coarse colours and tells left from right, so that people differ and mirrors count."""
    inputs = keras.Input((*shape, 3), dtype="uint8")
    x = keras.layers.Rescaling(1 / 128, offset=-127.5 / 128)(inputs)
    x = keras.layers.AveragePooling2D((16, 16))(x)
    x = keras.layers.Flatten()(x)
    drawn = keras.initializers.RandomNormal(stddev=0.3, seed=seed)
    return keras.Model(inputs, keras.layers.Dense(size, kernel_initializer=drawn, bias_initializer=drawn)(x))


def make_card(**changes):
    return {"format": 1, "network": {"name": "tiny", "width": 1.0}, "embedding_size": 16, "template": "112x96",
            "template_shape": [112, 96], "data_digest": "none", "loss": {"name": "softmax", "params": {}},
            "fusion": "flip_concatenate", "precision": "float32", "step": 7, "thresholds": {}, "results": {},
            "versions": {}} | changes


def make_run(path, *, model=None, **changes):
    """Writes a run folder: model.keras and card.json."""
    path.mkdir(parents=True)
    save_model(model or make_model(), path)
    write_card(path, make_card(**changes))
    return path


def save_model(model, run):
    """Writes model.keras; Keras' own way of making arrays of variables is not NumPy 2's yet, and warns."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        model.save(run / "model.keras")


def make_pairs(*, people=10, photos=4, folds=2, each=10, seed=0):
    """Draws pairs, `each` genuine and `each` impostor a fold, with people of one fold only."""
    draw, pairs = np.random.default_rng(seed), []
    for fold in range(folds):
        known = np.arange(fold, people, folds)
        for is_same in [True] * each + [False] * each:
            a, b = draw.choice(known, 2, replace=False)
            first, second = draw.choice(photos, 2, replace=False)
            pairs.append((key(a, first), key(a if is_same else b, second), is_same, fold))
    return pairs


def key(person, photo):
    return f"p{person:02d}/{photo:04d}.jpg"


def make_benchmark(path, *, pairs=None, failed=(), **options):
    """Writes a benchmark folder of drawn crops and opens it."""
    people = options.setdefault("people", 10)
    return make_folder(path, photos=4, pairs=make_pairs(people=people) if pairs is None else pairs, failed=failed,
                       **options)
