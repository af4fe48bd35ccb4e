"""Sub-center ArcFace: several centers a class, the nearest counts."""

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from losses.arcface import ArcFace


@dataclass(frozen=True)
class SubcenterArcFace(ArcFace):
    """ArcFace over each class's nearest of K centers; wrong labels gather at the weaker ones.

    Any loss takes `sub_centers`; this one has the paper's number for a default.
    """

    _: KW_ONLY
    sub_centers: int = 3
    """Centers a class (K); the nearest one counts, and it alone gets the gradient."""
    paper: ClassVar[str] = "Deng, Guo, Liu, Gong, Zafeiriou 2020, ECCV, Sub-center ArcFace"
