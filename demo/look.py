"""How a drawn person looks on one photograph: all that changes between two photographs of the same person."""

from dataclasses import dataclass

import numpy as np

_HAIR = np.array([(18, 15, 14), (38, 26, 20), (70, 46, 30), (104, 70, 42), (150, 112, 66), (196, 164, 110),
                  (120, 52, 28), (140, 138, 134)])
STYLES = ("bald", "short", "short", "parted", "fringe", "bob", "long", "long", "curly", "tied", "hat")


@dataclass(frozen=True)
class Look:
    """Angles in radians, lengths in heads, colours in RGB from 0 to 255."""

    yaw: float
    pitch: float
    roll: float
    smile: float
    open: float
    eyes_open: float
    brows: float
    gaze: np.ndarray
    style: str
    hair: np.ndarray
    hairline: float
    """y of the hair's edge over the forehead."""
    parting: float
    """x where the hair is parted."""
    glasses: str
    """"", "round" or "square"."""
    frame: np.ndarray
    clothes: np.ndarray
    collar: float
    light: np.ndarray
    """Unit vector towards the light."""
    strength: float
    """Of the directed light against the ambient one, 0 to 1."""
    warmth: np.ndarray
    """Colour of the light, three factors around 1."""
    exposure: float
    lens: float
    """Distance of the camera, in heads."""
    seed: int
    """Of the grain of skin, hair and clothes."""


def make_look(draw, person):
    """Draws a Look with a generator; of the Person the camera knows only how dark the skin is, and exposes for it."""
    yaw, pitch, roll = np.clip(draw.normal(0, (0.15, 0.06, 0.08)), (-0.42, -0.16, -0.25), (0.42, 0.16, 0.25))
    style = STYLES[draw.integers(len(STYLES))]
    smile = np.clip(draw.normal(0.25, 0.45), -0.5, 1)
    open_ = draw.uniform(0.25, 0.9) if draw.uniform() < 0.3 else 0.0
    azimuth, height = draw.uniform(-1.1, 1.1), draw.uniform(-0.15, 0.95)
    light = np.array([np.sin(azimuth) * np.cos(height), -np.sin(height), np.cos(azimuth) * np.cos(height)])
    warm = draw.normal(0, 0.07)
    dyed = draw.uniform(20, 220, 3) if draw.uniform() < 0.08 else _HAIR[draw.integers(len(_HAIR))]
    return Look(
        yaw=yaw, pitch=pitch, roll=roll, smile=smile, open=open_,
        eyes_open=draw.uniform(0.78, 1.15) - 0.12 * max(smile, 0), brows=draw.normal(0, 0.35),
        gaze=draw.normal(0, (0.014, 0.006)) - (0.03 * yaw, 0),
        style=style, hair=dyed * draw.uniform(0.8, 1.2), hairline=draw.uniform(-0.74, -0.52),
        parting=draw.uniform(-0.35, 0.35),
        glasses=("round", "square")[draw.integers(2)] if draw.uniform() < 0.2 else "",
        frame=draw.uniform(10, 90, 3), clothes=draw.uniform(15, 200) * draw.uniform(0.55, 1.15, 3),
        collar=draw.uniform(0.12, 0.5),
        light=light, strength=draw.uniform(0.30, 0.74), warmth=np.array([1 + warm, 1, 1 - warm]),
        exposure=draw.uniform(0.75, 1.12) * (170 / person.skin.mean()) ** 0.6, lens=draw.uniform(5, 14),
        seed=int(draw.integers(2**31)))
