"""How large a network is: its numbers and its multiply-adds."""

import math
from dataclasses import dataclass

import keras


@dataclass(frozen=True)
class Counts:
    """Parameters in Keras' terms; `macs` = multiply-adds of convolutions and dense layers for one crop."""

    trainable: int
    non_trainable: int
    macs: int

    @property
    def total(self):
        """All parameters."""
        return self.trainable + self.non_trainable


def count(model):
    """Counts a built functional model; other layers than convolutions and dense ones cost no multiply-adds."""
    return Counts(_size(model.trainable_weights), _size(model.non_trainable_weights), sum(map(_macs, model.layers)))


def _size(variables):
    return sum(math.prod(variable.shape) for variable in variables)


def _macs(layer):
    if isinstance(layer, keras.layers.Conv2D):
        return math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:3])
    if isinstance(layer, keras.layers.Dense):
        return math.prod(layer.kernel.shape)
    return 0
