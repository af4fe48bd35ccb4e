"""Settings of this room."""

from dataclasses import dataclass, field

from base.checks import require


@dataclass(frozen=True)
class Augmentation:
    """What is done to training crops, each a function of (seed, running number of the crop)."""

    flip: float = 0.5
    """Share of crops mirrored left-right, 0 to 1."""
    shift_px: float = 0.0
    """Largest shift in x and in y, in pixels of the crop."""
    turn_degrees: float = 0.0
    """Largest turn about the centre, in degrees."""
    scale: float = 0.0
    """Largest change of size: 0.1 is from 1/1.1 to 1.1 times."""
    colour: float = 0.0
    """Strength of changes in brightness, contrast and saturation, 0 to 1."""
    gray: float = 0.0
    """Share of crops made gray, 0 to 1."""
    low_resolution: float = 0.0
    """Share of crops shrunk to 25-70 % and enlarged again, 0 to 1."""
    erase: float = 0.0
    """Share of crops with a rectangle of 15-45 % of each side erased, 0 to 1."""

    def __post_init__(self):
        for name in ("flip", "colour", "gray", "low_resolution", "erase"):
            value = getattr(self, name)
            require(0 <= value <= 1, f"augmentation.{name}", value, "a share from 0 to 1")
        for name in ("shift_px", "turn_degrees", "scale"):
            value = getattr(self, name)
            require(0 <= value < 180, f"augmentation.{name}", value, "0 or more, below 180")


@dataclass(frozen=True)
class Tool:
    """What python -m tfrecords does with dataset folders."""

    data: list[str] = field(default_factory=list)
    """Dataset folders, or with --benchmark one .bin file (the words before the first option)."""
    hold_out: int = 0
    """Draw so many people of the first folder, with pairs of their photographs, to choose settings with; 0: only
    describe the folders."""
    rich: int = 30
    """How many of the people held out have ten or more crops; the others have two to four."""
    pairs_a_fold: int = 300
    """At most so many genuine and so many impostor pairs in each of ten folds."""
    seed: int = 0
    """Decides who is drawn."""
    benchmark: str = ""
    """Make this benchmark folder of one insightface .bin file, the word before the first option."""
    output: str = ""
    """Folder for people.txt (for train.py --data.left_out) and pairs.csv (for python -m align --pairs)."""

    def __post_init__(self):
        require(not self.benchmark or (len(self.data) == 1 and not self.hold_out), "benchmark", self.benchmark,
                "one .bin file before it and no --hold_out: python -m tfrecords FILE.bin --benchmark FOLDER")
        require(self.hold_out >= 0, "hold_out", self.hold_out, "0 or more")
        require(self.hold_out == 0 or 0 <= self.rich <= self.hold_out, "rich", self.rich, "0 to the people held out")
        require(self.pairs_a_fold >= 1, "pairs_a_fold", self.pairs_a_fold, "at least 1")
