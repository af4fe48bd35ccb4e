"""Settings of evaluate.py and verify.py."""

from dataclasses import dataclass, field

from base.checks import require

FUSIONS = ("", "flip_concatenate", "sum", "single", "centred_concatenate")


@dataclass(frozen=True)
class EvaluationConfig:
    """What is evaluated on what."""

    runs: list[str] = field(default_factory=list)
    """Run folders; the words before the first option."""
    benchmarks: list[str] = field(default_factory=list)
    """Benchmark folders, made by python -m align with --pairs."""
    fars: list[float] = field(default_factory=list)
    """False accept rates beside 0.01 and 0.001 to state TAR and threshold for, at least 1 / impostors."""
    fusion: str = ""
    """How original and mirror image become one: flip_concatenate, sum, single, or centred_concatenate (less the mean of
    the fitting folds); empty takes the run's own, and only that one's thresholds go into the card."""
    check: bool = False
    """Embed up to 1,000 pairs again, with channels exchanged and crops shifted, to see whether that scores higher."""
    batch: int = 256
    """Crops embedded at once; changes speed and memory only."""

    def __post_init__(self):
        require(self.batch >= 1, "batch", self.batch, "at least 1")
        require(self.fusion in FUSIONS, "fusion", self.fusion, f"one of {', '.join(FUSIONS[1:])}")
        for far in self.fars:
            require(0 < far < 1, "fars", far, "rates between 0 and 1")


@dataclass(frozen=True)
class VerificationConfig:
    """Two photographs and the run that compares them."""

    paths: list[str] = field(default_factory=list)
    """The run folder, then the two photographs; the words before the first option."""
    far: float = 0.01
    """False accept rate of the threshold: one that the run's card states."""
    benchmark: str = ""
    """Name of the benchmark whose threshold is taken; empty takes the one with the most impostor pairs."""

    def __post_init__(self):
        require(0 < self.far < 1, "far", self.far, "a rate between 0 and 1")


@dataclass(frozen=True)
class MediaSetsConfig:
    """A protocol of media sets: several pictures or frames of a person, compared as one."""

    runs: list[str] = field(default_factory=list)
    """Run folders; the words before the first option."""
    sets: str = ""
    """The protocol: a folder with the lists of IJB-B or IJB-C (*_face_tid_mid.txt and others), a folder with split1 to
    split10 of IJB-A, or the split file of YouTube Faces."""
    data: str = ""
    """Dataset folder of the protocol's media, made by python -m align."""
    batch: int = 256
    """Crops embedded at once; changes speed and memory only."""

    def __post_init__(self):
        require(self.batch >= 1, "batch", self.batch, "at least 1")
