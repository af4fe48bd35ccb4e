"""Random numbers that are a pure function of a seed, a purpose and running numbers, the same on every backend."""

import math

import numpy as np

from base.mix import mix, scramble
from losses.backend import ops


def normal(g, seed, purpose):
    """Draws N(0, 1): running numbers int32 [N, 2] -> float32 [N]; a row's draw depends on its own number alone."""
    words = ops.cast(g, "uint32")
    row = scramble(scramble(words[:, 1], ops) + words[:, 0], ops)
    left, right = (_uniform(row, mix(seed, purpose, name)) for name in ("left", "right"))
    return ops.sqrt(-2 * ops.log(left)) * ops.cos(2 * math.pi * right)


def _uniform(row, key):
    """uint32 [N] -> float32 [N] in (0, 1)."""
    mixed = scramble(ops.bitwise_xor(row, ops.convert_to_tensor(np.uint32(key % 2**32))), ops)
    high = ops.cast(ops.right_shift(mixed, np.uint32(8)), "int32")   # 24 bits: exact in float32
    return (ops.cast(high, "float32") + 0.5) * 2.0**-24
