"""The contract: what a paper has to say, and what it is told when it says it.

A loss of this line of work goes: embeddings [B, D], centers [C, D] -> similarities [B, C] -> a paper's rule ->
cross-entropy. A loss is one frozen dataclass of pure functions over the keras backend's tensors; every default
stands here, so that most papers write one function. B batch, D embedding, C classes, c any part of the classes.
"""

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Context:
    """What a rule may look at beside the similarities."""

    labels: Any
    """int32 [B], the target classes."""
    norms: Any
    """[B], norms of the embeddings, with gradient: a rule detaches them if its paper does."""
    margin_share: Any = 1.0
    """Live 0-d number in [0, 1], the ramp of the margin; a tensor, so that a changing one does not retrace."""
    step: Any = 0
    """Live 0-d number of the step."""
    training: bool = True


@dataclass(frozen=True)
class Loss:
    """Base of every loss: plain cross-entropy over the similarities."""

    unit_embeddings: ClassVar[bool] = True
    """Embeddings are divided by their norm before the product."""
    unit_centers: ClassVar[bool] = True
    """Centers are divided by their norm before the product."""
    has_bias: ClassVar[bool] = False
    """One trained number a class is added to the similarity."""
    paper: ClassVar[str] = ""

    @property
    def similarity(self):
        """"cosine" where both sides are unit vectors, else "inner"."""
        return "cosine" if self.unit_embeddings and self.unit_centers else "inner"

    def scaling(self, context):
        """Returns [] or [B, 1], what every similarity is multiplied by."""
        return 1.0

    def others(self, similarity, target, context):
        """[B, c], [B] -> [B, c]: what the other classes show; the target's own column is ignored."""
        return similarity

    def target(self, target, context):
        """[B] -> [B]: the target's similarity with its margin."""
        return target

    def finish(self, target_logit, rest, context):
        """[B], [B] -> [B]: the loss from the target's logit and the log-sum-exp of the others' logits.

        softplus(rest - target_logit) is -log of the target's probability, without the digits that
        lse(all) - target_logit loses at large scales.
        """
        from keras import ops

        return ops.softplus(rest - target_logit)

    def extra(self, context):
        """Returns [] or [B], added to the loss outside the logits."""
        return 0.0
