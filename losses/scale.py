"""The adaptive scale: from the number of classes instead of by trial.

With the other n = C - 1 classes at 90 degrees the target's probability is P = e^(s cos)/(e^(s cos) + n). The scale is
chosen so that P changes fastest about a wanted angle: "half" puts P = 1/2 there, s = ln(C - 1)/cos(angle), which is
sqrt(2) ln(C - 1) at 45 degrees; "inflection" solves P'' = 0 exactly. The second derivative of the *loss* has no zero
below 90 degrees at all.
"""

import dataclasses
import math
from dataclasses import KW_ONLY, dataclass

from base.checks import require
from losses.loss import Loss

FORMS = ("half", "inflection")
LEAST = 0.01
"""Of trained scales."""


def adaptive_scale(num_classes, angle=45.0, form="half"):
    """Returns s for C classes and an angle in degrees.

    Args:
        num_classes: C, at least 3.
        angle: in (0, 90) degrees.
        form: "half", P = 1/2 at the angle; "inflection", P'' = 0 there, the larger of its two roots.

    Raises:
        SettingsError: out of range, or P'' has no zero for so few classes.
    """
    _check_angle(angle)
    require(form in FORMS, "adaptive_form", form, f"one of {', '.join(FORMS)}")
    require(num_classes >= 3, "number of classes", num_classes, "at least 3 for an adaptive scale")
    cosine, wanted = math.cos(math.radians(angle)), math.log(num_classes - 1)
    return wanted / cosine if form == "half" else _larger_root(num_classes, angle)


def _larger_root(num_classes, angle):
    """Solves s cos + 2 artanh(cos / (s sin^2)) = ln(C - 1); its left side falls, then rises."""
    from scipy.optimize import brentq

    cosine, ratio = math.cos(math.radians(angle)), math.cos(math.radians(angle)) / math.sin(math.radians(angle))**2

    def excess(scale):
        return scale * cosine + 2 * math.atanh(ratio / scale) - math.log(num_classes - 1)

    least = math.sqrt(ratio * ratio + 2 * ratio / cosine)
    require(excess(least) < 0, "number of classes", num_classes,
            f"more of them for adaptive_form 'inflection' at {angle:g} degrees, where P'' has no zero; or form 'half'")
    return brentq(excess, least, math.log(num_classes - 1) / cosine, xtol=1e-13, rtol=1e-15)


def _check_angle(angle):
    require(0 < angle < 90, "angle", angle, "an angle in (0, 90) degrees")


def check_scale(scale):
    """Raises SettingsError unless `scale` is a finite number above 0."""
    require(0 < scale < math.inf, "scale", scale, "a finite number above 0")


@dataclass(frozen=True)
class Scaled(Loss):
    """Base of the losses whose cosines are multiplied by one fixed number, given or adaptive."""

    scale: float | str = 64.0
    """Multiplies every cosine, above 0 (s in the papers); "adaptive" takes it from the number of classes."""
    _: KW_ONLY
    angle: float = 45.0
    """Of the adaptive scale: where the target's probability changes fastest, in (0, 90) degrees."""
    adaptive_form: str = "half"
    """half: probability 1/2 at the angle; inflection: its second derivative is zero there."""
    adaptive_with_margin: bool = False
    """The adaptive scale (form half) counts the margin: the probability with margin is 1/2 at the angle."""

    def __post_init__(self):
        super().__post_init__()
        if self.scale != "adaptive":
            require(not isinstance(self.scale, str), "scale", self.scale, "a finite number above 0, or 'adaptive'")
            check_scale(self.scale)
        _check_angle(self.angle)
        require(self.adaptive_form in FORMS, "adaptive_form", self.adaptive_form, f"one of {', '.join(FORMS)}")
        require(self.adaptive_form == "half" or not self.adaptive_with_margin, "adaptive_with_margin", True,
                "false where adaptive_form is inflection")
        require(self.scale == "adaptive" or not self.adaptive_with_margin, "adaptive_with_margin", True,
                "false where the scale is a number")

    def resolved(self, facts):
        """The loss with its adaptive scale as a number."""
        if self.scale != "adaptive":
            return self
        scale = adaptive_scale(facts.num_classes, self.angle, self.adaptive_form)
        if self.adaptive_with_margin:
            cosine = math.cos(math.radians(self.angle))
            lowered = self.lowered(cosine)
            require(lowered > 0, "angle", self.angle,
                    f"an angle whose cosine with margin is above 0 (it is {lowered:.3g})")
            scale *= cosine / lowered
        return dataclasses.replace(self, scale=scale, adaptive_with_margin=False)

    def lowered(self, cosine):
        """The target's cosine with the margin at its stated size, plain numbers."""
        return cosine

    def scaling(self, context):
        """The fixed scale."""
        return self.scale
