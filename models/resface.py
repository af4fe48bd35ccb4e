"""ResFace, the residual networks of SphereFace: a stride-2 convolution and plain residual units a stage, then one fc.

Liu et al. 2017, arXiv:1704.08063; batch normalization as in the first TensorFlow code of AM-Softmax. Unit:
x + PReLU(conv(PReLU(conv(x)))); nothing follows the addition, and the last map is flattened, not pooled.
"""

import keras
from keras import layers

from models.blocks import channels, flatten, layer_seed, pixels, prelu, symmetric_padding

CHANNELS = (64, 128, 256, 512)
BN_MOMENTUM = 0.995
BN_EPSILON = 1e-3


def resface10(spec):
    """10 convolutions: units 0, 1, 2, 0."""
    return assemble(spec, units=(0, 1, 2, 0))


def resface20(spec):
    """20 convolutions: units 1, 2, 4, 1, as in the published prototxt."""
    return assemble(spec, units=(1, 2, 4, 1))


def resface34(spec):
    """34 convolutions: units 2, 4, 8, 1, the network that the TensorFlow code called 36."""
    return assemble(spec, units=(2, 4, 8, 1))


def resface36(spec):
    """36 convolutions: units 2, 4, 8, 2, as in the paper's table."""
    return assemble(spec, units=(2, 4, 8, 2))


def resface64(spec):
    """64 convolutions: units 3, 8, 16, 3, as in the paper's table (the released file holds 62)."""
    return assemble(spec, units=(3, 8, 16, 3))


def assemble(spec, *, units):
    """Builds the network of `units` residual units a stage."""
    make = Maker(spec)
    crops, x = pixels(spec)
    for stage, (full, count) in enumerate(zip(CHANNELS, units, strict=True), start=1):
        size = channels(full, spec.width)
        x = make.convolution(x, f"stage{stage}", size=size, strides=2)
        for unit in range(1, count + 1):
            name = f"stage{stage}_unit{unit}"
            inner = make.convolution(x, f"{name}_a", size=size)
            inner = make.convolution(inner, f"{name}_b", size=size)
            x = layers.Add(dtype=spec.dtype, name=f"{name}_add")([x, inner])
    inputs, x = flatten(x, crops, spec)
    return keras.Model(inputs, make.embedding(x), name=spec.name)


class Maker:
    """Makes the layers of a network after one spec: which of them have a bias, how they start, what follows them."""

    def __init__(self, spec):
        self.spec = spec

    def convolution(self, x, name, *, size, strides=1):
        """3x3 convolution, batch normalization where the spec has it, PReLU."""
        padding = "same"
        if strides == 2 and self.spec.padding == "symmetric":
            pad = symmetric_padding(x.shape[1:3])
            x = layers.ZeroPadding2D(pad, dtype=self.spec.dtype, name=f"{name}_pad")(x)
            padding = "valid"
        is_stage = strides == 2
        x = layers.Conv2D(
            size, 3, strides=strides, padding=padding, use_bias=is_stage and not self.spec.batch_norm,
            kernel_initializer=self.initializer(f"{name}_conv", is_residual=not is_stage),
            dtype=self.spec.dtype, name=f"{name}_conv")(x)
        if self.spec.batch_norm:
            x = self.normalization(f"{name}_bn", self.spec.dtype)(x)
        return prelu(x, f"{name}_prelu", self.spec)

    def embedding(self, x):
        """The fc and, in "tf-bn", its batch normalization; the last layer computes in float32."""
        size, has_bn = self.spec.embedding_size, self.spec.batch_norm
        x = layers.Dense(
            size, use_bias=not has_bn, kernel_initializer=self.initializer("fc", is_residual=False),
            dtype=self.spec.dtype if has_bn else "float32", name="fc")(x)
        return self.normalization("fc_bn", "float32")(x) if has_bn else x

    def normalization(self, name, dtype):
        """Batch normalization with the published momentum and epsilon."""
        return (self.spec.normalization or layers.BatchNormalization)(
            momentum=BN_MOMENTUM, epsilon=BN_EPSILON, dtype=dtype, name=name,
            synchronized=self.spec.synchronized)

    def initializer(self, name, *, is_residual):
        """Of the TensorFlow code (Glorot, truncated normal) with batch normalization, of the Caffe files without."""
        seed = layer_seed(self.spec.seed, name)
        if self.spec.batch_norm:
            return (keras.initializers.TruncatedNormal(stddev=0.01, seed=seed) if is_residual
                    else keras.initializers.GlorotUniform(seed=seed))
        return (keras.initializers.RandomNormal(stddev=0.01, seed=seed) if is_residual
                else keras.initializers.VarianceScaling(1.0, mode="fan_in", distribution="uniform", seed=seed))
