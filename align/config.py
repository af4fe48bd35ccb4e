"""Settings of this room."""

import dataclasses
from dataclasses import dataclass, field

from base.checks import require

CHOICES = ("largest_central", "largest", "most_confident", "central")


@dataclass(frozen=True)
class Detection:
    """How faces are found (MTCNN, Zhang et al. 2016, arXiv:1604.02878)."""

    min_face: int = 20
    """Smallest face looked for, in pixels of the photograph, at least 12."""
    factor: float = 0.709
    """Ratio of one level of the pyramid to the one before."""
    proposal_threshold: float = 0.6
    """Least score of the first network (P-Net), 0 to 1."""
    refine_threshold: float = 0.7
    """Least score of the second network (R-Net), 0 to 1."""
    output_threshold: float = 0.7
    """Least score of the third network (O-Net), 0 to 1."""

    def __post_init__(self):
        require(12 <= self.min_face <= 4000, "detection.min_face", self.min_face, "12 to 4000 pixels")
        require(0.3 <= self.factor <= 0.95, "detection.factor", self.factor, "0.3 to 0.95")
        for name in ("proposal_threshold", "refine_threshold", "output_threshold"):
            value = getattr(self, name)
            require(0 < value < 1, f"detection.{name}", value, "a number between 0 and 1")


@dataclass(frozen=True)
class AlignConfig:
    """Everything that python -m align needs."""

    input: str = ""
    """Folder of photographs: INPUT/<identity>/<photograph>."""
    output: str = ""
    """Dataset folder to make, or to go on with."""
    pairs: str = ""
    """A pair list (LFW's, or a CSV a,b,same[,fold]): makes a benchmark of the photographs it names."""
    template: str = "112x96"
    """Template of the crops: 112x96 or 112x112 (height x width)."""
    choice: str = "largest_central"
    """Which of several faces: largest_central (area - 2 x squared distance to the centre), largest, most_confident,
    central."""
    full_search: bool = False
    """Search every level of the pyramid, also where a face found already cannot lose the choice."""
    detection: Detection = field(default_factory=Detection)
    quality: int = 95
    """JPEG quality of the crops, 1 to 100."""
    max_pixels: int = 64_000_000
    """A photograph with more pixels is not decoded; it counts as unreadable."""
    batch_size: int = 32
    """Photographs searched at once."""
    shard_size: int = 1024
    """Photographs a shard, the unit that is finished or made again."""
    seed: int = 0
    """Decides the order of the records."""

    def __post_init__(self):
        require(self.choice in CHOICES, "choice", self.choice, f"one of {', '.join(CHOICES)}")
        require(1 <= self.quality <= 100, "quality", self.quality, "1 to 100")
        require(self.max_pixels >= 1, "max_pixels", self.max_pixels, "at least 1")
        require(self.batch_size >= 1, "batch_size", self.batch_size, "at least 1")
        require(self.shard_size >= 1, "shard_size", self.shard_size, "at least 1")


def from_recipe(settings):
    """Makes the AlignConfig of which a dataset's meta.json keeps the deciding `settings`; others keep their default."""
    names = {each.name for each in dataclasses.fields(AlignConfig)} & settings.keys()
    try:
        detection = Detection(**settings.get("detection", {}))
        return AlignConfig(**{name: settings[name] for name in names} | {"detection": detection})
    except TypeError as error:
        raise ValueError(f"the alignment settings of the benchmark are not this program's ({error}); align the "
                         f"benchmark again and evaluate the run on it") from error
