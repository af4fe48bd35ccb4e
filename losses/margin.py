"""Margins: one for all classes, or one a class, given or from the number of its crops."""

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np

from base.checks import require
from losses.scale import Scaled

RULES = ("equal", "given", "range", "power")


def range_margins(counts, *, smallest, largest, power):
    """Margins [C] from crops a class [C]: n**-power, stretched to smallest..largest.

    Rare classes get the larger margin; a count of 0 is taken as 1; where all counts are equal, all get the largest.
    Ha et al. 2020, arXiv:2010.05350 (code), with 0.05, 0.5 and 0.25.
    """
    rarity = _at_least_one(counts) ** -power
    spread = rarity.max() - rarity.min()
    share = (rarity - rarity.min()) / spread if spread > 0 else np.ones_like(rarity)
    return smallest + (largest - smallest) * share


def power_margins(counts, *, factor, power, offset):
    """Margins [C] from crops a class [C]: factor n**-power + offset, a count of 0 taken as 1.

    Ha et al. 2020, arXiv:2010.05350 (paper), with 0.5, 0.25 and 0.05.
    """
    return factor * _at_least_one(counts) ** -power + offset


def _at_least_one(counts):
    counts = np.asarray(counts)
    require(counts.dtype.kind in "iuf", "counts' type", str(counts.dtype), "numbers")
    wrong = counts[~((counts >= 0) & (counts < np.inf))]
    require(not wrong.size, "count of a class", wrong[0].item() if wrong.size else None, "a finite number, 0 or more")
    return np.maximum(counts, 1.0)


@dataclass(frozen=True)
class Margined(Scaled):
    """Base of the losses with one number for a margin, which may differ between classes."""

    margin: float = 0.5
    """What the target is lowered by; it ramps with `margin_share`."""
    _: KW_ONLY
    class_margins: str = "equal"
    """equal: `margin` for all; given: the head's `margins`; range, power: from the crops a class."""
    smallest_margin: float = 0.05
    """Rule range: of the most frequent class (`margin` is the rarest's). Rule power: added to margin n^-power."""
    count_power: float = 0.25
    """How fast the margin falls with the crops a class, in (0, 10)."""

    margin_below: ClassVar[float] = 2.0
    margin_words: ClassVar[str] = "a difference of cosines in [0, 2)"

    def __post_init__(self):
        require(np.ndim(self.margin) == 0, "margin", self.margin,
                "one number; a margin for each class goes to the head, for class_margins 'given'")
        super().__post_init__()
        self.check_margins(np.array([self.margin]), "margin")
        require(self.class_margins in RULES, "class_margins", self.class_margins, f"one of {', '.join(RULES)}")
        require(0 < self.count_power < 10, "count_power", self.count_power, "a number in (0, 10)")
        if self.class_margins == "range":
            require(self.smallest_margin <= self.margin, "smallest_margin", self.smallest_margin,
                    f"at most the margin {self.margin:g}")
        require(self.class_margins == "equal" or not self.adaptive_with_margin, "class_margins", self.class_margins,
                "'equal' for adaptive_with_margin: one scale cannot count many margins")

    def check_margins(self, margins, name):
        """Raises SettingsError where one of the margins [N] is out of the loss's range."""
        wrong = margins[~((margins >= 0) & (margins < self.margin_below))]
        require(not wrong.size, name, float(wrong[0]) if wrong.size else None, self.margin_words)

    def margins_of(self, facts):
        """Returns float64 [C], a margin for each class, or None where all have the same.

        Raises:
            SettingsError: the rule needs what the head was not given, or a margin is out of range.
        """
        if self.class_margins == "equal":
            require(facts.margins is None, "class_margins", "equal", "'given' where a head has margins")
            return None
        if self.class_margins == "given":
            require(facts.margins is not None, "margins of the head", None, "one a class, for class_margins 'given'")
            margins = np.asarray(facts.margins, np.float64)
            require(margins.shape == (facts.num_classes,), "margins' shape", margins.shape, f"({facts.num_classes},)")
        else:
            margins = self._from_counts(facts)
        self.check_margins(margins, "margin of a class")
        return margins

    def _from_counts(self, facts):
        require(facts.counts is not None, "counts of the head", None,
                f"the crops of each class, for class_margins {self.class_margins!r}")
        counts = np.asarray(facts.counts)
        require(counts.shape == (facts.num_classes,), "counts' shape", counts.shape, f"({facts.num_classes},)")
        if self.class_margins == "range":
            return range_margins(counts, smallest=self.smallest_margin, largest=self.margin, power=self.count_power)
        return power_margins(counts, factor=self.margin, power=self.count_power, offset=self.smallest_margin)

    def margin_of(self, context):
        """Returns [] or [B], the margin in force."""
        margin = self.margin if context.margins is None else context.margins
        return margin * context.margin_share


def margins_of(loss, facts):
    """Returns float64 [C], or None where the classes of a loss have no margins of their own."""
    if isinstance(loss, Margined):
        return loss.margins_of(facts)
    require(facts.margins is None, "margins of the head", "given", f"none for {type(loss).__name__}")
    return None
