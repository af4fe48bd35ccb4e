"""Names of the networks and the options that every one of them takes; costs nothing to import."""

import importlib
from dataclasses import dataclass

from base.checks import near_names, require

MODELS = {
    "lresnet18e_ir": "models.lresnet:lresnet18e_ir",
    "lresnet34e_ir": "models.lresnet:lresnet34e_ir",
    "lresnet50e_ir": "models.lresnet:lresnet50e_ir",
    "lresnet100e_ir": "models.lresnet:lresnet100e_ir",
    "resface10": "models.resface:resface10",
    "resface20": "models.resface:resface20",
    "resface34": "models.resface:resface34",
    "resface36": "models.resface:resface36",
    "resface64": "models.resface:resface64",
}


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a network is made from; the same spec gives the same network with the same first weights."""

    name: str
    """One of `names()`."""
    template_shape: tuple[int, int] = (112, 96)
    """Height and width of the crops, in pixels, each at least 16."""
    embedding_size: int = 512
    """Numbers in an embedding (D)."""
    width: float = 1.0
    """Factor on the channels of every convolution, rounded to multiples of 8 (`models.blocks.channels`)."""
    dropout: float = 0.0
    """Share of the flattened last map that is dropped in training, in [0, 1)."""
    batch_norm: bool = True
    """True: "tf-bn", batch normalization after every convolution and after the fc. False: "clean", as in Caffe."""
    padding: str = "symmetric"
    """Of stride-2 convolutions: "symmetric" (Caffe, PyTorch) or "same" (TensorFlow: more at bottom and right)."""
    seed: int = 0
    """Of the first weights and of the dropout masks."""
    synchronized: bool = False
    """Batch statistics over all replicas."""
    dtype: str | None = None
    """Keras dtype policy such as "mixed_bfloat16"; None takes Keras' global policy. Embeddings are float32 always."""
    training_inputs: bool = True
    """With dropout, the model takes {"crops", "g"}; False leaves both dropout and g away."""

    normalization: type | None = None
    """Layer class in place of keras.layers.BatchNormalization, same arguments and weights (an engine's faster one)."""
    activation: type | None = None
    """Layer class in place of keras.layers.PReLU, same arguments and weights."""
    stock: bool = False
    """Keras' own layers only, no dropout: what `export` builds."""

    def __post_init__(self):
        require(self.name in MODELS, "network", self.name, f"a known name{near_names(self.name, MODELS)}")
        shape = tuple(int(side) for side in self.template_shape)
        require(len(shape) == 2 and min(shape) >= 16, "template_shape", self.template_shape,
                "(height, width), at least 16 px each")
        object.__setattr__(self, "template_shape", shape)
        require(self.embedding_size >= 1, "embedding_size", self.embedding_size, "at least 1")
        require(0 < self.width <= 16, "width", self.width, "in (0, 16]")
        require(0 <= self.dropout < 1, "dropout", self.dropout, "in [0, 1)")
        require(self.padding in ("symmetric", "same"), "padding", self.padding, "'symmetric' or 'same'")

    @property
    def has_dropout(self):
        """True where the model takes g as a second input."""
        return self.dropout > 0 and self.training_inputs and not self.stock


def names():
    """Returns the sorted names that `build` knows."""
    return sorted(MODELS)


def build(name, **options):
    """Builds a network: uint8 RGB crops [B, H, W, 3] -> embeddings float32 [B, D], raw (not normalised).

    Args:
        name: one of `names()`.
        **options: fields of `Spec`: template_shape, embedding_size, width, dropout, batch_norm, padding, seed,
            synchronized, dtype, training_inputs, normalization, activation.

    Returns:
        keras.Model with the attribute `spec`. With dropout above 0 its input is the dict {"crops": uint8 [B, H, W, 3],
        "g": int32 [B, 2]}, g being `models.blocks.split(numbers)` of the crops' running numbers; else crops alone.
        A functional Keras model casts float crops to uint8 in silence: who calls it with arrays of others checks
        their type first (embedding and training do).

    Raises:
        ValueError: an unknown name (the nearest one is given) or an option out of its range.
    """
    return from_spec(Spec(name=name, **options))


def from_spec(spec):
    """Builds the network that `spec` describes; the model keeps it as its attribute `spec`."""
    module, function = MODELS[spec.name].split(":")
    model = getattr(importlib.import_module(module), function)(spec)
    model.spec = spec
    return model
