"""Exporting a network so that Keras alone opens it, on every backend, without our code."""

import dataclasses

from models.registry import from_spec


def export(model):
    """Rebuilds a network of `models.build` in float32 from stock Keras layers and copies its weights.

    Returns a keras.Model uint8 [B, H, W, 3] -> float32 [B, D]: `Rescaling` first, plain `BatchNormalization` (not
    synchronized), no dropout and no g. ValueError where `model` did not come from `models.build`.
    """
    if not hasattr(model, "spec"):
        raise ValueError(f"model {model.name!r} has no spec; export takes what models.build returned")
    spec = dataclasses.replace(
        model.spec, dtype="float32", synchronized=False, normalization=None, activation=None, stock=True)
    plain = from_spec(spec)
    for layer in plain.layers:
        if layer.weights:
            layer.set_weights(model.get_layer(layer.name).get_weights())
    return plain
