"""Softmax with bias, the plain classifier."""

from dataclasses import dataclass
from typing import ClassVar

from losses.loss import Loss


@dataclass(frozen=True)
class Softmax(Loss):
    """Cross-entropy over inner products with a bias; neither side is normalised."""

    unit_embeddings: ClassVar[bool] = False
    unit_centers: ClassVar[bool] = False
    has_bias: ClassVar[bool] = True
    paper: ClassVar[str] = "Sun, Wang, Tang 2014, arXiv:1406.4773 (DeepID)"
