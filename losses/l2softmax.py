"""L2-softmax: embeddings of one length alpha, centers as they are."""

import math
from dataclasses import dataclass
from typing import ClassVar

from base.checks import require
from losses.loss import Loss
from losses.scale import LEAST

_WANTED = 0.9


def alpha_low(num_classes, probability=_WANTED):
    """Least alpha with which the target can have a mean probability: ln(p (C - 2) / (1 - p)), the paper's equation 5.

    Its own center at cosine 1, one opposite, the other C - 2 at right angles. C above 2, p in (0, 1); negative for p
    below 1 / (C - 1).
    """
    require(num_classes > 2, "number of classes", num_classes, "above 2 for a bound on alpha")
    require(0 < probability < 1, "probability", probability, "in (0, 1)")
    return math.log(probability * (num_classes - 2) / (1 - probability))


@dataclass(frozen=True)
class L2Softmax(Loss):
    """Logits alpha <x / |x|, w> + b; the gradient never changes an embedding's length."""

    alpha: float = 16.0
    """The embeddings' length, above 0; a trained one starts there, and is 0.01 or more there and later."""
    trained: bool = False
    """Alpha is trained; train.py leaves it out of weight decay."""
    unit_centers: ClassVar[bool] = False
    has_bias: ClassVar[bool] = True
    paper: ClassVar[str] = "Ranjan, Castillo, Chellappa 2017, arXiv:1703.09507"

    def __post_init__(self):
        super().__post_init__()
        require(0 < self.alpha < math.inf, "alpha", self.alpha, "a finite number above 0")
        require(not self.trained or self.alpha >= LEAST, "alpha", self.alpha, f"at least {LEAST} where it is trained")

    def advice(self, facts):
        """Says where a fixed alpha lies below the bound for a mean probability of 0.9."""
        if self.trained or facts.num_classes <= 2 or self.alpha >= alpha_low(facts.num_classes):
            return ""
        return (f"alpha is {self.alpha:g}, below {alpha_low(facts.num_classes):.2f}: with {facts.num_classes} classes "
                f"the target's mean probability cannot reach {_WANTED}")

    def scalars(self, facts):
        """Alpha, where it is trained."""
        return {"alpha": (self.alpha, LEAST)} if self.trained else {}

    def scaling(self, context):
        """Alpha."""
        return context.scalars["alpha"] if self.trained else self.alpha
