"""Settings of this room."""

from dataclasses import dataclass

from base.checks import require


@dataclass(frozen=True)
class DemoConfig:
    """The demonstration: who is drawn, and where everything goes."""

    output: str = "runs/demo"
    """Folder for all that it makes; about 120 MB."""
    people: int = 160
    """People drawn for training."""
    photos: int = 9
    """Photographs of each of them."""
    others: int = 40
    """Other people, drawn for the evaluation."""
    others_photos: int = 8
    """Photographs of each of those."""
    size: int = 200
    """Height and width of a photograph, in pixels."""
    pairs_a_fold: int = 105
    """Genuine pairs in each of the ten folds, and as many impostor pairs."""
    epochs: float = 30.0
    """Length of the training."""
    seed: int = 0
    """Of the people; another seed draws others."""

    def __post_init__(self):
        require(self.output, "output", self.output, "a folder: --output runs/demo")
        require(2 <= self.people <= 500, "people", self.people, "2 to 500")
        require(20 <= self.others <= 400, "others", self.others, "20 to 400, two a fold")
        for name in ("photos", "others_photos"):
            require(2 <= getattr(self, name) <= 1000, name, getattr(self, name), "2 to 1000")
        require(80 <= self.size <= 2000, "size", self.size, "80 to 2000 pixels")
        require(self.pairs_a_fold >= 1, "pairs_a_fold", self.pairs_a_fold, "at least 1")
        require(0 < self.epochs <= 1000, "epochs", self.epochs, "above 0, at most 1000")
