"""Checks of what a head is given: labels and embeddings, where their values can be seen."""

import keras
import numpy as np
from keras import ops

from base.checks import require


def check_shapes(embeddings, labels, dim=None):
    """ValueError unless embeddings are [B, D] and labels [B], as far as B is known; D is `dim` where that is known."""
    shape, count = tuple(embeddings.shape), labels.shape[0]
    require(len(shape) == 2 and dim in (None, shape[1]), "embeddings' shape", shape, f"[B, {dim or 'D'}]")
    require(None in (shape[0], count) or shape[0] == count, "number of labels", count,
            f"{shape[0]}, one for each embedding")


def check_finite(embeddings):
    """ValueError where the embeddings [B, D] hold NaN or infinity and can be seen; in a graph such rows become NaN."""
    visible = visible_values(embeddings)
    if visible is not None:
        wrong = np.argwhere(~np.isfinite(visible))
        row, place = wrong[0] if wrong.size else (0, 0)
        require(not wrong.size, f"embedding {row}, number {place},", float(visible[row, place]) if wrong.size else None,
                "a finite number")


def checked_labels(labels, num_classes):
    """Integers [B] or [B, 1] of any integer type -> (int32 [B] clipped to 0..C-1, bool [B] in range).

    ValueError where they are no integers, or where values out of range can be seen.
    """
    labels = ops.convert_to_tensor(labels)
    kind = keras.backend.standardize_dtype(labels.dtype)
    require("int" in kind, "labels' type", kind, "an integer type")
    if len(labels.shape) == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    require(len(labels.shape) == 1, "labels' shape", tuple(labels.shape), "[B]")
    visible = visible_values(labels)
    if visible is not None and visible.size:
        wrong = visible[(visible < 0) | (visible >= num_classes)]
        require(wrong.size == 0, "label", int(wrong[0]) if wrong.size else None, f"in 0..{num_classes - 1}")
    is_valid = ops.logical_and(labels >= 0, labels < num_classes)
    return ops.cast(ops.where(is_valid, labels, ops.zeros_like(labels)), "int32"), is_valid


def visible_values(tensor):
    """The values of an eager tensor, or None within a graph or a trace."""
    if isinstance(tensor, keras.KerasTensor):
        return None
    try:
        return np.asarray(tensor)
    except (NotImplementedError, TypeError):          # TensorFlow's graphs and JAX's tracers say so in this way
        return None
