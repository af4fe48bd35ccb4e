"""The two gradients of a changed cosine: that of its formula, or 1, as some authors' code has it."""

from base.checks import require
from losses.backend import ops

GRADIENTS = ("exact", "straight_through")


def check_gradient(gradient):
    """Raises SettingsError unless `gradient` is one of GRADIENTS."""
    require(gradient in GRADIENTS, "gradient", gradient, f"one of {', '.join(GRADIENTS)}")


def through(cosine, changed, gradient):
    """Values of `changed`; its derivative to `cosine` is that of the formula (exact) or 1 (straight_through)."""
    return changed if gradient == "exact" else cosine + ops.stop_gradient(changed - cosine)
