"""The head as a height map: an egg of horizontal slices, raised and lowered by what is added to it in the front.

`Head.surfaces` gives all that belongs to one person on one photograph.
"""

import cv2
import numpy as np

from base.mix import generator
from demo.hair import glasses, hair
from demo.render import Surface
from demo.skin import BOTTOM, LEFT, RIGHT, TEXELS, TOP, eye_middle, mouth_corners, paint

_DEPTH = 0.80        # from the ears' plane to the front
_ROUND = 2.25        # exponent of a slice: 2 is an ellipse, more is flatter in front


class Head:
    """The surfaces of a person on one photograph, in head lengths before any turn."""

    def __init__(self, person, look, *, step):
        """`step` is the distance between neighbours of a grid, in heads."""
        self.person, self.look, self.step = person, look, step
        self._grain = generator(look.seed, "grain")
        self._bumps = _bumps(person, look)

    def surfaces(self):
        """Face, ears, neck, body, hair, glasses."""
        found = [self._face(), self._ear(-1), self._ear(1), self._neck(), self._body()]
        return [each for each in (*found, hair(self), glasses(self)) if each is not None]

    def landmarks(self):
        """Eyes, nose tip, mouth corners: [5, 3], image-left first."""
        person = self.person
        eye = person.eye_y + eye_middle(person, self.look)
        plane = np.array([(-person.eye_x, eye), (person.eye_x, eye), (0, person.nose_length - 0.02),
                          *mouth_corners(person, self.look)])
        return np.column_stack([plane, self.front(plane[:, 0], plane[:, 1])])

    def front(self, x, y):
        """Depth z of the face's surface at x, y (any shape)."""
        wide, deep = self.slice(y)
        inside = np.clip(1 - np.clip(np.abs(x) / np.maximum(wide, 1e-6), 0, 1) ** _ROUND, 0, 1)
        return deep * inside ** (1 / _ROUND) + _sample(self._bumps, x, y)

    def slice(self, y):
        """Half width and depth of the slice at height y: from crown (-1) to chin."""
        person = self.person
        bottom = 1 + person.chin_length
        below, above = np.clip(y / bottom, 0, 1), np.clip(-y, 0, 1)
        power = np.where(y > 0, person.jaw_square, 2.25)
        share = np.where(y > 0, below, above)
        egg = np.clip(1 - share**power, 0, 1) ** (1 / power)
        taper = 1 - person.jaw_taper * below * below * (3 - 2 * below)
        wide = person.cheek_width * egg * taper * (1 + 0.04 * above)
        deep = _DEPTH * np.clip(1 - share ** (person.forehead + np.where(y > 0, 1.2, 0)), 0, 1) ** 0.45
        return wide, deep * (1 - 0.10 * below)

    def grid(self, bottom, radius, *, first=-np.pi, last=np.pi, is_curved=True):
        """Heights [R, 1] from crown (-1) to `bottom`, angles around the vertical [1, C] (0 is the front).

        Rows lie closer where an egg bends away: above, and below as well where `is_curved`.
        """
        rows = max(8, round(np.pi / 2 / self.step))
        above = np.sin(np.linspace(-np.pi / 2, 0, rows, endpoint=False))
        length = np.pi / 2 if is_curved else max(bottom, 0)
        share = np.linspace(0, 1, max(2, round(length * max(bottom, 1) / self.step)))
        below = bottom * (np.sin(share * np.pi / 2) if is_curved else share)
        columns = max(12, round((last - first) * radius / self.step))
        heights, angles = np.concatenate([above, below]), np.linspace(first, last, columns)
        return heights[:, None].astype(np.float32), angles[None, :].astype(np.float32)

    def around(self, angle, wide, deep):
        """Coordinates x and z of a slice at angles: a superellipse, flatter in front than an ellipse."""
        sine, cosine = np.sin(angle), np.cos(angle)
        size = (np.abs(sine) ** _ROUND + np.abs(cosine) ** _ROUND) ** (-1 / _ROUND)
        return wide * size * sine, deep * size * cosine

    def noise(self, rows, columns, shape):
        """Smooth noise [R, C] of deviation 1 or so: that many knots, stretched over a grid of `shape`."""
        knots = self._grain.normal(0, 1, (rows, columns)).astype(np.float32)
        return cv2.resize(knots, shape[::-1], interpolation=cv2.INTER_CUBIC)

    def _face(self):
        bottom = 1 + self.person.chin_length
        heights, angle = self.grid(bottom, 0.85, first=-2.3, last=2.3)
        y = heights + 0 * angle
        x, z = self.around(angle, *self.slice(y))
        z = z + np.clip(np.cos(angle) * 4, 0, 1) * _sample(self._bumps, x, y)
        colours = _sample(paint(self.person, self.look), x, y)
        colours *= 1 + 0.02 * self.noise(60, 60, x.shape)[..., None]
        return Surface(np.stack([x, y, z], axis=-1), colours, shine=0.16)

    def _ear(self, side):
        wide, _ = self.slice(np.array(0.14))
        height = np.sin(np.linspace(-np.pi / 2, np.pi / 2, max(12, round(0.7 / self.step))))[:, None]
        angle = np.linspace(-np.pi, np.pi, max(12, round(0.9 / self.step)))[None, :]
        round_ = np.sqrt(1 - height**2)
        out, z = np.sin(angle) * 0.055 * round_, np.cos(angle) * 0.12 * round_
        hollow = np.exp(-((height / 0.55) ** 2 + ((np.cos(angle) - 0.3) / 0.5) ** 2))
        points = np.stack([side * (wide + 0.012 + out - 0.08 * z), 0.13 + height * self.person.ear + 0 * out, z - 0.08],
                          axis=-1)[:, ::side]
        colours = (self.person.skin * (0.98, 0.86, 0.84))[None, None] * (1 - 0.35 * hollow[:, ::side, None])
        return Surface(points, colours, shine=0.05)

    def _neck(self):
        y = np.linspace(0.45, 1.75, max(12, round(1.3 / self.step)))[:, None]
        angle = np.linspace(-1.8, 1.8, max(12, round(1.7 / self.step)))[None, :]
        thick = 0.62 * self.person.cheek_width + 0.35 * np.clip(y - 1.05, 0, 1) ** 2
        x, z = np.sin(angle) * thick, np.cos(angle) * thick * 0.9 - 0.14
        colours = np.broadcast_to(self.person.skin * (0.93, 0.90, 0.89), (*x.shape, 3))
        return Surface(np.stack([x, y + 0 * x, z], axis=-1), colours)

    def _body(self):
        """Shoulders and chest, bare above the collar."""
        height = np.sin(np.linspace(-np.pi / 2, 0.3, max(12, round(1.7 / self.step))))[:, None]
        angle = np.linspace(-1.9, 1.9, max(12, round(5.2 / self.step)))[None, :]
        round_ = np.clip(1 - np.abs(height) ** 2.2, 0, 1) ** (1 / 2.2)
        x, z = np.sin(angle) * 1.45 * round_, np.cos(angle) * 0.52 * round_ - 0.16
        y = 2.12 + height * 0.92 + 0 * angle
        folds = self.noise(5, 9, x.shape)
        is_bare = ((x / 0.45) ** 2 + ((y - 1.22) / (0.12 + self.look.collar)) ** 2 < 1)[..., None]
        clothes = self.look.clothes * (1 + 0.07 * folds[..., None])
        colours = np.where(is_bare, self.person.skin * (0.95, 0.92, 0.91), clothes)
        return Surface(np.stack([x, y, z + 0.015 * folds], axis=-1), colours)


def _sample(picture, x, y):
    """Values of a painted picture at plane coordinates, bilinear; those outside take the border's."""
    columns = ((np.asarray(x) - LEFT) * TEXELS - 0.5).astype(np.float32)
    rows = ((np.asarray(y) - TOP) * TEXELS - 0.5).astype(np.float32)
    flat = columns.ndim < 2
    columns, rows = np.atleast_2d(columns), np.atleast_2d(rows)
    found = cv2.remap(picture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return found[0] if flat else found


def _bumps(person, look):
    """What is added to the egg, over the painted plane: float32 [H, W], in heads."""
    scale = 0.5   # half the painting's resolution is enough for shapes
    size = (round((RIGHT - LEFT) * TEXELS * scale), round((BOTTOM - TOP) * TEXELS * scale))
    x = (np.arange(size[0]) + 0.5)[None, :] / (TEXELS * scale) + LEFT
    y = (np.arange(size[1]) + 0.5)[:, None] / (TEXELS * scale) + TOP

    def hill(cx, cy, wide, high):
        return np.exp(-((x - cx) / wide) ** 2) * np.exp(-((y - cy) / high) ** 2)

    def pair(cx, cy, wide, high):
        return hill(-cx, cy, wide, high) + hill(cx, cy, wide, high)

    end = person.nose_length
    along = np.clip((y - (person.eye_y - 0.10)) / (end - person.eye_y + 0.10), 0, 1)
    under = 1 / (1 + np.exp((y - end - 0.035) / 0.022))
    width = person.nose_bridge + (person.nose_tip - person.nose_bridge) * along**1.5
    ridge = person.nose_high * along**1.35 * under * np.exp(-(np.abs(x) / (1.35 * width)) ** 2.2)
    smile = max(look.smile, 0)
    mouth = person.mouth_y
    nose = (ridge
            + 0.30 * person.nose_high * hill(0, end - 0.01, person.nose_tip * 1.05, 0.060)                # tip
            + 0.085 * under * pair(person.nose_wings * 0.80, end + 0.005, person.nose_wings * 0.42, 0.055)
            - 0.03 * hill(0, person.eye_y - 0.02, 0.07, 0.06))                                            # root
    eyes = (0.050 * pair(0.24, person.eye_y + person.brow_y + 0.02, 0.16, 0.060)                          # brow ridge
            - (0.055 + person.eye_depth) * pair(person.eye_x, person.eye_y, 0.135, 0.095)                 # sockets
            + 0.050 * pair(person.eye_x, person.eye_y, 0.085, 0.050))                                     # eyeballs
    cheeks = ((0.02 + person.cheekbone) * pair(0.37, 0.20 - 0.03 * smile, 0.15, 0.12)
              - 0.05 * person.fold * pair(0.42, 0.52, 0.09, 0.16)
              + 0.035 * smile * pair(0.33, 0.34, 0.11, 0.10))
    lips = (0.075 * hill(0, mouth, 0.24, 0.13)                                                            # teeth
            + 0.030 * hill(0, mouth - 0.030, 0.15, 0.030) + 0.036 * hill(0, mouth + 0.045, 0.12, 0.032)
            - 0.022 * hill(0, mouth, 0.20, 0.012)
            - 0.014 * hill(0, mouth - 0.11, 0.025, 0.05))                                                 # philtrum
    chin = ((0.03 + person.chin_bump) * hill(0, 0.90 + person.chin_length, 0.15, 0.11)
            - 0.035 * hill(0, mouth + 0.145, 0.16, 0.045))
    total = nose + eyes + cheeks + lips + chin
    return cv2.resize(total.astype(np.float32), None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_LINEAR)
