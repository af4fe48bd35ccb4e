"""Settings of `python -m models`."""

from dataclasses import dataclass, field

from base.checks import require


@dataclass(frozen=True)
class ListSettings:
    """Which networks are listed, and for which crops."""

    names: list[str] = field(default_factory=list)
    """Names of networks; without one, all of them."""
    template_shape: tuple[int, int] = (112, 96)
    """Height and width of a crop, in pixels, at least 16 each."""
    width: float = 1.0
    """Factor on the channels of every convolution, in (0, 16]."""
    embedding_size: int = 512
    """Numbers in an embedding."""
    batch_norm: bool = True
    """True: "tf-bn", batch normalization after every convolution and the fc. False: "clean", as in Caffe."""

    def __post_init__(self):
        require(0 < self.width <= 16, "width", self.width, "in (0, 16]")
        require(min(self.template_shape) >= 16, "template_shape", self.template_shape, "at least 16 px each")
        require(self.embedding_size >= 1, "embedding_size", self.embedding_size, "at least 1")
