"""Who a drawn person is: the shape and the colours that every photograph of this person shares.

Lengths are in heads: 1 is half the height from chin to crown, (0, 0) the middle between the eyes' line and the middle
of the face; x grows to the right of the picture, y downwards, z towards the viewer.
"""

from dataclasses import dataclass

import numpy as np

from base.mix import generator

_SKIN = np.array([(240, 206, 184), (228, 186, 156), (208, 160, 126), (176, 128, 94), (138, 96, 70), (104, 71, 55)])
_IRIS = np.array([(58, 36, 24), (92, 58, 32), (120, 92, 52), (92, 112, 76), (84, 116, 150), (118, 130, 138)])
_RANGES = {   # of lengths: least and most
    "cheek_width": (0.57, 0.73), "jaw_taper": (0.02, 0.36), "jaw_square": (2.0, 3.8), "chin_length": (-0.05, 0.08),
    "chin_bump": (0.0, 0.10), "cheekbone": (0.0, 0.10), "forehead": (2.0, 2.8),
    "eye_x": (0.258, 0.305), "eye_y": (-0.03, 0.03), "eye_width": (0.098, 0.152), "eye_open": (0.034, 0.068),
    "eye_tilt": (-0.24, 0.28), "eye_depth": (0.02, 0.10), "iris_radius": (0.050, 0.062), "crease": (0.012, 0.060),
    "brow_y": (-0.245, -0.140), "brow_width": (0.12, 0.20), "brow_thick": (0.018, 0.066), "brow_arch": (0.0, 0.050),
    "brow_tilt": (-0.22, 0.24), "brow_dark": (0.25, 1.00),
    "nose_length": (0.320, 0.392), "nose_high": (0.12, 0.25), "nose_bridge": (0.028, 0.062), "nose_tip": (0.056, 0.104),
    "nose_wings": (0.082, 0.150),
    "mouth_y": (0.605, 0.655), "mouth_width": (0.195, 0.255), "upper_lip": (0.026, 0.070), "lower_lip": (0.042, 0.090),
    "lip_red": (0.20, 0.90), "fold": (0.0, 1.0), "ear": (0.12, 0.27),
}


@dataclass(frozen=True)
class Person:
    """The lengths of `_RANGES` as a dict, and what is not a length."""

    shape: dict[str, float]
    skin: np.ndarray
    """float64 RGB, 0 to 255"""
    blush: float
    """How red cheeks and nose are, 0 to 1."""
    iris: np.ndarray
    """float64 RGB, 0 to 255"""
    marks: np.ndarray
    """float64 [N, 4]: x, y, radius, darkness of moles; freckles are small and many."""
    beard: float
    """0 for none, 1 for a dense one."""

    def __getattr__(self, name):
        if name.startswith("__") or name not in self.shape:
            raise AttributeError(name)
        return self.shape[name]


def make_person(seed, person):
    """Makes the Person with a number; a function of both numbers alone."""
    draw = generator(seed, "person", person)
    shape = {name: draw.uniform(least, most) for name, (least, most) in _RANGES.items()}
    tone = draw.uniform(0, 1) ** 1.3
    skin = _between(_SKIN, tone) * (1 + draw.uniform(-0.06, 0.06, 3))
    iris = _between(_IRIS, draw.uniform(0, 0.35) if tone > 0.55 else draw.uniform(0, 1)) * draw.uniform(0.85, 1.15)
    return Person(shape, skin, draw.uniform(0, 1), iris, _marks(draw, is_light=tone < 0.35),
                  draw.uniform(0.35, 1) if draw.uniform() < 0.10 else 0.0)


def _marks(draw, *, is_light):
    moles = int(draw.integers(0, 5))
    freckles = int(draw.integers(20, 60)) if is_light and draw.uniform() < 0.25 else 0
    place = np.concatenate([draw.uniform((-0.5, -0.5), (0.5, 0.9), (moles, 2)),
                            draw.normal((0, 0.15), (0.28, 0.14), (freckles, 2))])
    size = np.concatenate([draw.uniform(0.010, 0.020, moles), draw.uniform(0.005, 0.010, freckles)])
    dark = np.concatenate([draw.uniform(0.5, 0.8, moles), draw.uniform(0.15, 0.35, freckles)])
    return np.column_stack([place, size, dark])


def _between(colours, share):
    """A colour of a scale, `share` from 0 to 1."""
    place = share * (len(colours) - 1)
    return np.array([np.interp(place, range(len(colours)), channel) for channel in colours.T])
