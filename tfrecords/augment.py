"""Augmentation of training crops: what happens to crop g is a function of (seed, g) alone.

The draws are made in NumPy by hashing; TensorFlow applies them to a whole batch at once.
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfrecords.config import Augmentation
from tfrecords.order import uniform

_SIZES = (0.25, 0.35, 0.5, 0.7)   # of low resolution: each is one resize of the batch


@dataclass(frozen=True)
class Draws:
    """What is done to the crops of one batch."""

    matrix: np.ndarray
    """float32 [B, 8]: output pixel -> input pixel, as TensorFlow's projective transform wants it."""
    gain: np.ndarray
    """float32 [B]: contrast, 1 = unchanged."""
    shift: np.ndarray
    """float32 [B]: brightness in gray levels."""
    colour: np.ndarray
    """float32 [B]: saturation; 0 = gray, 1 = unchanged."""
    size: np.ndarray
    """int32 [B]: low resolution, an entry of _SIZES; -1 = unchanged."""
    hole: np.ndarray
    """int32 [B, 4]: top, left, bottom, right of the erased part; an empty one where nothing is erased."""


def draw(settings: Augmentation, *, seed, g, height, width):
    """Draws for the running numbers g, int64 [B]."""
    def number(purpose, low=-1.0, high=1.0):
        return low + (high - low) * uniform(seed, f"augment {purpose}", g)

    def chosen(purpose, share):
        return number(f"{purpose}?", 0, 1) < share

    size = np.floor(number("size", 0, len(_SIZES))).astype(np.int32)
    colour = 1 + settings.colour * number("saturation")
    return Draws(
        matrix=_matrix(settings, number, chosen("flip", settings.flip), height=height, width=width),
        gain=1 + settings.colour * number("contrast"),
        shift=128 * settings.colour * number("brightness"),
        colour=np.where(chosen("gray", settings.gray), 0, colour).astype(np.float32),
        size=np.where(chosen("size", settings.low_resolution), size, -1),
        hole=_hole(number, chosen("erase", settings.erase), height=height, width=width),
    )


def apply(crops, draws):
    """Applies Draws (as tensors) to uint8 crops [B, H, W, 3]; returns uint8 of the same shape."""
    image = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(crops, tf.float32), transforms=draws.matrix, output_shape=tf.shape(crops)[1:3],
        fill_value=0.0, interpolation="BILINEAR", fill_mode="CONSTANT")
    image = _lower_resolution(image, draws.size)
    gray = tf.reduce_sum(image * [0.299, 0.587, 0.114], axis=-1, keepdims=True)
    image = gray + (image - gray) * _wide(draws.colour)
    mean = tf.reduce_mean(image, axis=[1, 2, 3], keepdims=True)
    image = mean + (image - mean) * _wide(draws.gain) + _wide(draws.shift)
    image = tf.where(_inside(draws.hole, tf.shape(image)), mean, image)
    return tf.cast(tf.round(tf.clip_by_value(image, 0, 255)), tf.uint8)


def _matrix(settings, number, is_flipped, *, height, width):
    """Flip, turn, scale and shift about the crop's centre: float32 [B, 8]."""
    angle = np.radians(settings.turn_degrees * number("turn"))
    scale = np.exp(np.log1p(settings.scale) * number("scale"))
    flip = np.where(is_flipped, -1.0, 1.0)
    a, b = np.cos(angle) / scale, np.sin(angle) / scale
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    move_x = centre_x + settings.shift_px * number("shift x")
    move_y = centre_y + settings.shift_px * number("shift y")
    rows = (a * flip, b, move_x - a * flip * centre_x - b * centre_y,
            -b * flip, a, move_y + b * flip * centre_x - a * centre_y)
    zero = np.zeros(len(angle))
    return np.stack([*rows, zero, zero], axis=1).astype(np.float32)


def _hole(number, is_erased, *, height, width):
    """A rectangle of 15 to 45 % of each side: int32 [B, 4]."""
    tall, wide = number("hole h", 0.15, 0.45) * height, number("hole w", 0.15, 0.45) * width
    top, left = number("hole y", 0, 1) * (height - tall), number("hole x", 0, 1) * (width - wide)
    hole = np.stack([top, left, top + tall, left + wide], axis=1).astype(np.int32)
    return np.where(is_erased[:, None], hole, 0)


def _lower_resolution(image, size):
    height, width = image.shape[1:3]
    for place, share in enumerate(_SIZES):
        is_small = tf.equal(size, place)
        rows = tf.where(is_small)
        small = tf.gather_nd(image, rows)
        small = tf.image.resize(small, (round(height * share), round(width * share)), method="area")
        small = tf.image.resize(small, (height, width), method="bilinear")
        image = tf.tensor_scatter_nd_update(image, rows, small)
    return image


def _inside(hole, shape):
    y = tf.range(shape[1])[None, :, None, None]
    x = tf.range(shape[2])[None, None, :, None]
    top, left, bottom, right = (hole[:, side, None, None, None] for side in range(4))
    return (y >= top) & (y < bottom) & (x >= left) & (x < right)


def _wide(values):
    return values[:, None, None, None]
