"""SV-Softmax and MV-Softmax: other classes that are nearer than the target are made to look nearer still."""

import math
from dataclasses import dataclass
from typing import ClassVar

from base.checks import require
from losses.angle import turned
from losses.backend import ops
from losses.margin import Margined

BASES = ("am", "arc", "none")
MODES = ("adaptive", "fixed", "sv")


@dataclass(frozen=True)
class MVSoftmax(Margined):
    """Where another class's cosine is above the target's with margin, it becomes (t + 1) cos + t.

    Mode fixed: cos + t. Mode sv: t cos + t - 1 with t of 1 or more, which is adaptive with t - 1; SV-Softmax itself
    has base none and margin 0. Base am takes the margin from the cosine, arc adds it to the angle (plain beyond pi).
    """

    scale: float | str = 32.0
    """Multiplies every cosine, above 0 (s in the paper); "adaptive" takes it from the number of classes."""
    margin: float = 0.35
    """A cosine in [0, 2) for base am; give an angle in [0, pi/2) radians with arc (0.5), 0 with none."""
    t: float = 0.2
    """How much nearer they look, 0 or more; in mode sv 1 or more."""
    base: str = "am"
    """am, arc or none."""
    mode: str = "adaptive"
    """adaptive, fixed or sv."""
    easy: bool = False
    """The target keeps its cosine where that is not above 0 (the authors' code); what is near is told with margin."""
    paper: ClassVar[str] = "Wang et al. 2018, arXiv:1812.11317 (SV); Wang et al. 2020, arXiv:1912.00833 (MV)"

    def __post_init__(self):
        require(self.base in BASES, "base", self.base, f"one of {', '.join(BASES)}")
        require(self.mode in MODES, "mode", self.mode, f"one of {', '.join(MODES)}")
        super().__post_init__()
        require(self.base != "none" or not self.margin, "margin", self.margin, "0 for base none")
        require(self.base != "none" or self.class_margins == "equal", "class_margins", self.class_margins,
                "'equal' for base none, which has no margin")
        least = 1 if self.mode == "sv" else 0
        require(least <= self.t < math.inf, "t", self.t, f"a finite number of at least {least} for mode {self.mode}")

    @property
    def margin_below(self):
        """Of the base."""
        return math.pi / 2 if self.base == "arc" else 2.0

    @property
    def margin_words(self):
        """Of the base."""
        return "an angle in [0, pi/2) radians" if self.base == "arc" else "a difference of cosines in [0, 2)"

    def lowered(self, cosine):
        """The target's cosine with margin, of a number."""
        return math.cos(math.acos(cosine) + self.margin) if self.base == "arc" else cosine - self.margin

    def target(self, target, context):
        """The base's target."""
        lowered = self._lowered(target, context)
        if not self.easy:
            return lowered
        return ops.where(target > 0, lowered, target)

    def others(self, similarity, target, context):
        """Changed where they are above the target with margin."""
        if self.mode == "fixed":
            nearer = similarity + self.t
        else:
            t = self.t - 1 if self.mode == "sv" else self.t
            nearer = (t + 1) * similarity + t
        return ops.where(similarity > ops.expand_dims(self._lowered(target, context), 1), nearer, similarity)

    def _lowered(self, target, context):
        if self.base != "arc":
            return target - self.margin_of(context)
        return turned(target, self.margin_of(context))
