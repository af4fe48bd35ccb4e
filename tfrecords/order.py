"""The order of crops in a run, as a function of (seed, g); g is the running number of a crop, never reset.

Nothing is buffered and nothing is state, so resuming is one integer, and the data of a step depend neither on the
number of replicas nor on where a run was stopped.
"""

import functools
from dataclasses import dataclass

import numpy as np

from base.mix import mix


@dataclass(frozen=True)
class Shuffled:
    """Every crop once an epoch: a permutation a epoch, keyed by (seed, epoch)."""

    labels: np.ndarray
    """int64 [N], dense."""
    seed: int

    @property
    def epoch(self):
        """Crops an epoch: N."""
        return len(self.labels)

    def __call__(self, g):
        """Running numbers, int64 [B] -> places among the kept crops, int64 [B]."""
        return _by_epoch(g, self.epoch, lambda epoch: _permutation(self.epoch, self.seed, "order", epoch))


@dataclass(frozen=True)
class ClassBalanced:
    """Every identity once a round, in an order keyed by (seed, round), each time with its next crop.

    The crops of an identity are gone through in an order drawn anew for each pass over them.
    """

    labels: np.ndarray
    """int64 [N], dense."""
    seed: int

    @property
    def epoch(self):
        """Crops an epoch: N, as for the other orders, so that schedules mean the same."""
        return len(self.labels)

    def __call__(self, g):
        """Running numbers, int64 [B] -> places among the kept crops, int64 [B]."""
        members, starts, counts = self._members
        label = _by_epoch(g, len(counts), lambda turn: _permutation(len(counts), self.seed, "classes", turn))
        turn = np.asarray(g) // len(counts)
        cycle, place = turn // counts[label], turn % counts[label]
        return np.array([members[starts[c] + _permutation(counts[c], self.seed, "crops", c, q)[p]]
                         for c, q, p in zip(label, cycle, place, strict=True)], np.int64)

    @functools.cached_property
    def _members(self):
        counts = np.bincount(self.labels)
        return np.argsort(self.labels, kind="stable"), np.cumsum(counts) - counts, counts


ORDERS = {"shuffled": Shuffled, "class_balanced": ClassBalanced}


def _by_epoch(g, size, permutation):
    g = np.asarray(g, np.int64)
    epoch, place = g // size, g % size
    out = np.empty(len(g), np.int64)
    for number in np.unique(epoch):
        chosen = epoch == number
        out[chosen] = permutation(int(number))[place[chosen]]
    return out


@functools.lru_cache(maxsize=4096)
def _permutation(size, *key):
    """A permutation of range(size), by sorting hashes: [size] int64."""
    return np.argsort(hashes(mix(*key), np.arange(size)), kind="stable")


def hashes(key, numbers):
    """Mixes a 64-bit key into integers: uint64 [N] (the finaliser of splitmix64)."""
    with np.errstate(over="ignore"):
        x = np.asarray(numbers).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))


def uniform(seed, purpose, g):
    """Uniform numbers in [0, 1), a function of (seed, purpose, g): float32 [B]."""
    return ((hashes(mix(seed, purpose), g) >> np.uint64(40)).astype(np.float32)) / np.float32(1 << 24)
