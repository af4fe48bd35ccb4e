"""Angles from cosines and cosines of angles, with finite derivatives at both ends."""

import math

from losses.backend import like, ops


def sine(cosine):
    """Sine of an angle in [0, pi] from its cosine; at 0 and pi, where it has no derivative, 0 with gradient 0."""
    square = (1 - cosine) * (1 + cosine)
    is_inside = square > 0
    return ops.where(is_inside, ops.sqrt(ops.where(is_inside, square, 1.0)), 0.0)


def angle(cosine):
    """Angle in [0, pi] from its cosine, which may pass 1 by rounding; gradient 0 at both ends.

    Not arccos: its derivative is infinite there and makes NaN of a gradient that is 0.
    """
    is_inside = (1 - cosine) * (1 + cosine) > 0
    inside = ops.where(is_inside, cosine, 0.0)
    height = sine(inside)
    found = ops.arctan2(height, inside)
    if _is_lowered(cosine):
        found = ops.stop_gradient(ops.cast(found, cosine.dtype))   # right to 1e-7; the rest is its own sine
        found = found + height * cos(found) - inside * sin(found)
    return ops.where(is_inside, found, ops.where(cosine > 0, 0.0, like(math.pi, cosine)))


def turned(cosine, turn):
    """cos(theta + turn) from cos(theta) by the addition formula; `turn` in radians, a number or a tensor."""
    return cosine * cos(turn) - sine(cosine) * sin(turn)


def cos(radians):
    """Cosine of a number or a tensor, of at most some 2 pi."""
    if isinstance(radians, int | float):
        return math.cos(radians)
    if not _is_lowered(radians):
        return ops.cos(radians)
    total = term = ops.ones_like(radians)
    for order in range(2, 50, 2):
        term = term * radians * radians * (-1 / (order * (order - 1)))
        total = total + term
    return total


def sin(radians):
    """Sine of a number or a tensor, of at most some 2 pi."""
    return math.sin(radians) if isinstance(radians, int | float) else cos(radians - math.pi / 2)


def _is_lowered(tensor):
    """Keras' own cos, sin and arctan2 turn float64 to float32 on JAX."""
    import keras

    return keras.backend.backend() == "jax" and keras.backend.standardize_dtype(tensor.dtype) == "float64"
