"""LResNet-E-IR, the residual networks of ArcFace's authors, such as LResNet50E-IR.

Deng et al. 2019, arXiv:1801.07698 (section 3.1); structure, epsilon and momentum of their MXNet code. Unit:
BN - 3x3 - BN - PReLU - 3x3, stride 2 where the unit has one - BN, added to the raw input, which a unit with a stride
brings to size by a 1x1 convolution; nothing follows the addition. "L": a 3x3 stem of stride 1 for small crops; "E": the
tail BN - dropout - fc - BN; "IR": this unit.
"""

import keras
from keras import layers

from base.checks import require
from models.blocks import channels, flatten, layer_seed, pixels, prelu, symmetric_padding

STEM = 64
CHANNELS = (64, 128, 256, 512)
BN_MOMENTUM = 0.9
BN_EPSILON = 2e-5


def lresnet18e_ir(spec):
    """Units 2, 2, 2, 2."""
    return assemble(spec, units=(2, 2, 2, 2))


def lresnet34e_ir(spec):
    """Units 3, 4, 6, 3."""
    return assemble(spec, units=(3, 4, 6, 3))


def lresnet50e_ir(spec):
    """Units 3, 4, 14, 3."""
    return assemble(spec, units=(3, 4, 14, 3))


def lresnet100e_ir(spec):
    """Units 3, 13, 30, 3."""
    return assemble(spec, units=(3, 13, 30, 3))


def assemble(spec, *, units):
    """Builds the network of `units` residual units a stage; the authors drop 0.4 of the last map in training."""
    require(spec.batch_norm, "batch_norm", spec.batch_norm, "true: an LResNet is not trained without")
    make = _Maker(spec)
    crops, x = pixels(spec)
    x = make.convolution(x, "stem_conv", size=channels(STEM, spec.width))
    x = prelu(make.normalization(x, "stem_bn"), "stem_prelu", spec)
    for stage, (full, count) in enumerate(zip(CHANNELS, units, strict=True), start=1):
        for unit in range(1, count + 1):
            x = make.unit(x, f"stage{stage}_unit{unit}", size=channels(full, spec.width), strides=2 if unit == 1 else 1)
    x = make.normalization(x, "tail_bn")
    inputs, x = flatten(x, crops, spec)
    x = layers.Dense(spec.embedding_size, kernel_initializer=make.initializer("fc"), dtype=spec.dtype, name="fc")(x)
    x = make.normalization(x, "fc_bn", dtype="float32", scale=False)   # the authors hold the last gamma at 1
    return keras.Model(inputs, x, name=spec.name)


class _Maker:
    """Makes the layers of a network after one spec."""

    def __init__(self, spec):
        self.spec = spec

    def unit(self, x, name, *, size, strides):
        """One residual unit; the first of a stage has stride 2 and a projection of its raw input."""
        inner = self.normalization(x, f"{name}_bn1")
        inner = self.convolution(inner, f"{name}_conv1", size=size)
        inner = prelu(self.normalization(inner, f"{name}_bn2"), f"{name}_prelu", self.spec)
        inner = self.convolution(inner, f"{name}_conv2", size=size, strides=strides)
        inner = self.normalization(inner, f"{name}_bn3")
        if strides == 2:
            x = self.convolution(x, f"{name}_shortcut_conv", size=size, strides=2, side=1)
            x = self.normalization(x, f"{name}_shortcut_bn")
        return layers.Add(dtype=self.spec.dtype, name=f"{name}_add")([x, inner])

    def convolution(self, x, name, *, size, strides=1, side=3):
        """Convolution without bias; normal weights of variance 2 / fan-out."""
        padding = "same"
        if strides == 2 and side == 3 and self.spec.padding == "symmetric":
            x = layers.ZeroPadding2D(symmetric_padding(x.shape[1:3]), dtype=self.spec.dtype, name=f"{name}_pad")(x)
            padding = "valid"
        return layers.Conv2D(size, side, strides=strides, padding=padding, use_bias=False,
                             kernel_initializer=self.initializer(name), dtype=self.spec.dtype, name=name)(x)

    def normalization(self, x, name, *, dtype=None, scale=True):
        """Batch normalization with the authors' momentum and epsilon."""
        layer = self.spec.normalization or layers.BatchNormalization
        return layer(momentum=BN_MOMENTUM, epsilon=BN_EPSILON, scale=scale, dtype=dtype or self.spec.dtype, name=name,
                     synchronized=self.spec.synchronized)(x)

    def initializer(self, name):
        """Normal, variance 2 / fan-out, by the layer's seed."""
        return keras.initializers.VarianceScaling(2.0, mode="fan_out", distribution="untruncated_normal",
                                                  seed=layer_seed(self.spec.seed, name))
