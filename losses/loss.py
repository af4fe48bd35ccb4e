"""The contract: what a paper has to say, and what it is told when it says it.

A loss of this line of work goes: embeddings [B, D], centers [C, D] -> similarities [B, C] -> a paper's rule ->
cross-entropy. A loss is one frozen dataclass of pure functions over the keras backend's tensors; every default
stands here, so that most papers write one function. B batch, D embedding, C classes, K sub-centers, c any part of
the classes, G the global batch: all replicas' rows.
"""

from dataclasses import KW_ONLY, dataclass, field, fields
from typing import Any, ClassVar, NamedTuple

import numpy as np

from base.checks import kinds_of, require
from losses.backend import ops


@dataclass(frozen=True)
class Facts:
    """What is known when a head is built and not before."""

    num_classes: int
    counts: Any = None
    """Crops of each class, integers [C]."""
    margins: Any = None
    """A margin for each class, [C]."""
    epoch_steps: int = 0
    """Steps of an epoch; 0 where nobody knows."""
    seed: int = 0


class Batch(NamedTuple):
    """The gathered global batch, detached, equal on every replica."""

    target: Any
    """[G], similarities with the target, without margin; NaN where the label is none of the classes."""
    norms: Any
    """[G], norms of the embeddings."""
    g: Any
    """int32 [G, 2], running numbers of the crops as two words."""
    rest: Any = None
    """[G], log-sum-exp of the others at the scale before this step, where the loss asks for it."""
    embeddings: Any = None
    """[G, D], where the loss asks for them."""
    labels: Any = None
    """int32 [G]."""


@dataclass(frozen=True)
class Context:
    """What a rule may look at beside the similarities."""

    labels: Any
    """int32 [B], the target classes."""
    norms: Any
    """[B], norms of the embeddings, with gradient: a rule detaches them if its paper does."""
    embeddings: Any = None
    """[B, D] as they came, with gradient."""
    margin_share: Any = 1.0
    """Live 0-d number in [0, 1], the ramp of the margin; a tensor, so that a changing one does not retrace."""
    step: Any = 0
    """Live 0-d integer, steps done before this one."""
    g: Any = None
    """int32 [B, 2], running numbers of the crops in the run as two words: what random draws depend on."""
    facts: Facts | None = None
    margins: Any = None
    """[B], the margin of each row's class, where classes have their own."""
    scalars: dict = field(default_factory=dict)
    """Trained numbers by name, 0-d."""
    state: dict = field(default_factory=dict)
    """State by name, this step's update included."""
    previous: dict = field(default_factory=dict)
    """State by name, before this step's update."""
    batch: Batch | None = None
    """In training, where the loss asks for it."""
    training: bool = True


@dataclass(frozen=True)
class Loss:
    """Base of every loss with a classifier: plain cross-entropy over the similarities."""

    _: KW_ONLY
    sub_centers: int = 1
    """Centers a class (K); the nearest one counts (Deng et al. 2020, ECCV, Sub-center ArcFace)."""
    filter_above: float = 0.0
    """Other classes with a larger cosine are taken for the same person: they show logit 0, without gradient (Partial
    FC); 0 is off."""
    unit_embeddings: ClassVar[bool] = True
    """Embeddings are divided by their norm before the product."""
    unit_centers: ClassVar[bool] = True
    """Centers are divided by their norm before the product."""
    has_bias: ClassVar[bool] = False
    """One trained number a class is added to its logit."""
    sums: ClassVar[str] = "log_sum_exp"
    """What `finish` gets of the others: their log-sum-exp, or their "softplus_sum"."""
    asks: ClassVar[tuple] = ()
    """What `Batch` is to hold beside norms and targets: "batch" for those alone, "rest", "embeddings"."""
    paper: ClassVar[str] = ""

    def __post_init__(self):
        set_kinds(self)
        require(self.sub_centers >= 1, "sub_centers", self.sub_centers, "an integer of at least 1")
        require(0 <= self.filter_above < 1, "filter_above", self.filter_above, "a cosine in [0, 1), 0 for none")
        require(self.similarity == "cosine" or not self.filter_above, "filter_above", self.filter_above,
                "0: this loss has no cosines")

    @property
    def similarity(self):
        """"cosine" where both sides are unit vectors, else "inner"."""
        return "cosine" if self.unit_embeddings and self.unit_centers else "inner"

    @property
    def shows_others_plain(self):
        """Whether the other classes' logits are those without margin."""
        return type(self).others is Loss.others and not self.filter_above

    def resolved(self, facts):
        """Returns the loss with every number that depends on `facts`; ValueError where they do not suffice."""
        return self

    def advice(self, facts):
        """Returns a sentence about settings that are allowed and likely harmful, else ""."""
        return ""

    def scalars(self, facts):
        """Returns {name: (first value, least value)} of trained numbers."""
        return {}

    def first_state(self, facts, dim):
        """Returns {name: NumPy array} of the state before the first step; `dim` is D."""
        return {}

    def update(self, state, batch, context):
        """State, Batch -> the state of this step; only in training, before the logits, without gradient."""
        return state

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
        return ops.softplus(rest - target_logit)

    def extra(self, context):
        """Returns [] or [B], added to the loss outside the logits."""
        return 0.0


@dataclass(frozen=True)
class PairLoss:
    """Base of the losses that are one number for a batch."""

    paper: ClassVar[str] = ""

    def __post_init__(self):
        set_kinds(self)

    def __call__(self, embeddings, labels):
        """[G, D] in float32 at least, int32 [G] -> []."""
        raise NotImplementedError


def set_kinds(loss):
    """Turns every parameter into its stated kind: NumPy's numbers to Python's, integers to floats where it says so.

    SettingsError where a value is of another kind, so that what can be made can be saved and made again.
    """
    for each in fields(loss):
        value, kinds = getattr(loss, each.name), kinds_of(each)
        value = value.item() if isinstance(value, np.generic) else value
        if type(value) is int and "int" not in kinds and "float" in kinds:
            value = float(value)
        require(type(value).__name__ in kinds, each.name, value, f"a value of type {' or '.join(kinds)}")
        object.__setattr__(loss, each.name, value)
