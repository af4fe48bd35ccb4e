"""Randomness as a pure function of named integers, mixed by hashing (never by adding)."""

import hashlib

import numpy as np


def mix(*parts):
    """Hashes integers and strings to an unsigned 64-bit integer; ("a", 1) and ("a1",) differ."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        text = f"{type(part).__name__}:{part}" if isinstance(part, str) else f"int:{int(part)}"
        data = text.encode("utf-8")
        digest.update(len(data).to_bytes(8, "little") + data)
    return int.from_bytes(digest.digest(), "little")


def generator(*parts):
    """Returns a NumPy generator whose stream depends on `parts` alone."""
    return np.random.Generator(np.random.Philox(mix(*parts)))


def scramble(word, namespace):
    """A bijection of uint32 whose every output bit depends on every input bit (the finaliser "lowbias32").

    Args:
        word: uint32 of any shape.
        namespace: `numpy` or `keras.ops`, whichever the word is of.
    """
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, None)):
        word = namespace.bitwise_xor(word, namespace.right_shift(word, np.uint32(shift)))
        if factor:
            word = word * np.uint32(factor)
    return word
