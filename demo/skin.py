"""What is painted on the face before it is bent into a head: eyes, brows, mouth, nostrils, marks, beard."""

import contextlib

import cv2
import numpy as np

TEXELS = 200
"""Pixels a head length."""
LEFT, TOP, RIGHT, BOTTOM = -1.0, -1.1, 1.0, 1.2
"""The part of the plane that is painted, in heads."""
_SHIFT = 4   # polygons are drawn in 1/16 pixel
_CIRCLE = np.column_stack([f(np.linspace(0, 2 * np.pi, 40, endpoint=False)) for f in (np.cos, np.sin)])


def paint(person, look):
    """Paints the frontal view of a face: float32 RGB [H, W, 3], 0 to 255.

    Args:
        person: a Person.
        look: a Look; expression, gaze and the grain of the skin come from it.
    """
    canvas = Canvas(person.skin)
    _tone(canvas, person)
    for x, y, radius, dark in person.marks:
        canvas.ellipse((x, y), (radius, radius), person.skin * (1 - dark), soft=0.006)
    _beard(canvas, person)
    _nostrils(canvas, person)
    _mouth(canvas, person, look)
    for side in (-1, 1):
        _eye(canvas, person, look, side)
        _brow(canvas, person, look, side)
    return canvas.image


class Canvas:
    """A picture in head lengths, painted with soft shapes."""

    def __init__(self, colour):
        """Fills all with one colour."""
        size = (round((BOTTOM - TOP) * TEXELS), round((RIGHT - LEFT) * TEXELS), 3)
        self.image = np.full(size, colour, np.float32)

    def fill(self, points, colour, *, soft=0.008, share=1.0):
        """Fills a polygon [N, 2], its border `soft` head lengths wide, covering what was there by `share`."""
        part, mask = self._part(points, soft)
        part += mask * share * (np.asarray(colour, np.float32) - part)

    @contextlib.contextmanager
    def within(self, points, *, soft=0.003):
        """What is painted in the body of this context stays inside a polygon."""
        part, mask = self._part(points, soft)
        before = part.copy()
        yield
        part[:] = before + mask * (part - before)

    def ellipse(self, middle, axes, colour, *, soft=0.008, share=1.0):
        """Fills an upright ellipse."""
        self.fill(np.asarray(middle) + _CIRCLE * axes, colour, soft=soft, share=share)

    def line(self, points, widths, colour, *, soft=0.004, share=1.0):
        """Draws a curve [N, 2] of changing width [N] (or one number)."""
        points = np.asarray(points, float)
        along = np.gradient(points, axis=0)
        across = np.column_stack([-along[:, 1], along[:, 0]]) / np.linalg.norm(along, axis=1, keepdims=True)
        half = across * (np.broadcast_to(widths, len(points)) / 2)[:, None]
        self.fill(np.concatenate([points + half, (points - half)[::-1]]), colour, soft=soft, share=share)

    def _part(self, points, soft):
        """The part of the picture round a polygon, as a view, and the polygon's mask [h, w, 1] there."""
        points = (np.asarray(points) - (LEFT, TOP)) * TEXELS
        margin = 3 * soft * TEXELS + 2
        size = np.array(self.image.shape[1::-1])
        low = np.clip(np.floor(points.min(axis=0) - margin), 0, size - 1).astype(int)
        high = np.clip(np.ceil(points.max(axis=0) + margin), low + 1, size).astype(int)   # of what is outside, a pixel
        mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.float32)
        cv2.fillPoly(mask, [np.round((points - low - 0.5) * 2**_SHIFT).astype(np.int32)], 1.0, cv2.LINE_8, _SHIFT)
        mask = cv2.GaussianBlur(mask, (0, 0), max(soft * TEXELS, 0.6))[..., None]
        return self.image[low[1]:high[1], low[0]:high[0]], mask


def _tone(canvas, person):
    """Redder cheeks, nose and ears, darker sockets: skin is not one colour."""
    red = person.skin * (1.0, 0.86 - 0.08 * person.blush, 0.86 - 0.06 * person.blush)
    for side in (-1, 1):
        canvas.ellipse((side * 0.36, 0.34), (0.17, 0.14), red, soft=0.07, share=0.35 + 0.4 * person.blush)
        canvas.ellipse((side * person.eye_x, person.eye_y + 0.02), (person.eye_width * 1.25, 0.10),
                       person.skin * (0.80, 0.74, 0.76), soft=0.035, share=0.55)
        fold = np.array([(0.14, 0.40), (0.19, 0.47), (0.24, 0.56), (0.26, 0.64)]) * (side, 1)
        canvas.line(fold, 0.02, person.skin * 0.72, soft=0.014, share=0.55 * person.fold)
    canvas.ellipse((0, person.nose_length - 0.02), (0.10, 0.08), red, soft=0.04, share=0.3 + 0.4 * person.blush)


def _beard(canvas, person):
    if not person.beard:
        return
    colour = person.skin * 0.25 + (20, 16, 14)
    y = person.mouth_y
    jaw = [(-0.56, 0.30), (-0.50, 0.62), (-0.30, 0.98), (0, 1.15), (0.30, 0.98), (0.50, 0.62), (0.56, 0.30),
           (0.46, 0.56), (0.34, y + 0.04), (0.20, y + 0.15), (0, y + 0.17), (-0.20, y + 0.15), (-0.34, y + 0.04),
           (-0.46, 0.56)]
    canvas.fill(jaw, colour, soft=0.03, share=0.6 * person.beard)


def _nostrils(canvas, person):
    y, dark = person.nose_length + 0.045, person.skin * (0.34, 0.24, 0.22)
    for side in (-1, 1):
        canvas.ellipse((side * person.nose_wings * 0.50, y), (person.nose_wings * 0.26, 0.017), dark, soft=0.008,
                       share=0.85)
        wing = person.nose_wings * side
        canvas.line([(wing * 0.98, y - 0.075), (wing * 1.10, y - 0.03), (wing * 0.98, y + 0.010)], 0.012,
                    person.skin * 0.62, soft=0.010, share=0.6)
    canvas.ellipse((0, y + 0.025), (person.nose_wings * 0.85, 0.016), person.skin * 0.66, soft=0.018, share=0.55)


def eye_middle(person, look):
    """How far below `eye_y` the middle of the open eye lies; above, since the upper lid rises further."""
    return -0.175 * person.eye_open * look.eyes_open


def mouth_corners(person, look):
    """Where the mouth ends: [2, 2], x and y, image-left first."""
    half = person.mouth_width * (1 + 0.10 * look.smile - 0.08 * look.open)
    y = person.mouth_y - 0.022 * look.smile
    return np.array([(-half, y), (half, y)])


def _mouth(canvas, person, look):
    half, y = mouth_corners(person, look)[1]
    t = np.linspace(-1, 1, 25)
    arc, x = 1 - t**2, t * half
    seam = y + (person.mouth_y - y) * arc                                 # corners rise with a smile, the middle stays
    gap = 0.105 * look.open * arc**0.8
    over, under = seam - gap * 0.35, seam + gap * 0.65
    bow = 0.22 * np.exp(-(t / 0.16) ** 2)
    upper = over - person.upper_lip * arc**0.7 * (1 - bow) * (1 - 0.25 * look.smile)
    lower = under + person.lower_lip * arc**0.75 * (1 - 0.2 * look.smile)
    red = person.skin * (1 - person.lip_red * np.array([0.10, 0.58, 0.50])) + (14, 0, 4)
    canvas.ellipse((0, person.mouth_y + person.lower_lip + 0.055), (half * 0.7, 0.02), person.skin * 0.74, soft=0.02,
                   share=0.6)
    canvas.fill(_band(x, upper, lower), red, soft=0.007)
    shine = person.lower_lip * arc
    canvas.fill(_band(x, under + 0.30 * shine, under + 0.65 * shine), red * 1.12 + 8, soft=0.014, share=0.5)
    canvas.fill(_band(x, upper, over), red * 0.84, share=0.7)
    if look.open:
        canvas.fill(_band(x * 0.93, over, under), (52, 20, 22), soft=0.005)
        canvas.fill(_band(x * 0.80, over, over + np.minimum(gap * 0.62, 0.05)), (226, 220, 208), soft=0.006)   # teeth
    else:
        canvas.line(np.column_stack([x, seam]), 0.014 * (0.4 + 0.6 * arc), red * 0.32, share=0.9)
    for side in (-1, 1):
        canvas.ellipse((side * half * 1.02, y), (0.020, 0.017), person.skin * 0.42, soft=0.009, share=0.8)


def _eye(canvas, person, look, side):
    t = np.linspace(-1, 1, 25)                                            # t = 1 is the outer corner
    arc, open_ = 1 - t**2, person.eye_open * look.eyes_open
    x = side * (person.eye_x + person.eye_width * t)
    tilt = person.eye_y - person.eye_tilt * person.eye_width * t * 0.5
    upper, lower = tilt - open_ * 1.15 * arc**0.75, tilt + open_ * 0.80 * arc**0.9
    canvas.fill(_band(x, upper - 0.030, lower + 0.022), person.skin * (0.80, 0.72, 0.72), soft=0.014, share=0.6)
    almond = _band(x, upper, lower)
    with canvas.within(almond):
        canvas.fill(almond, (226, 219, 212), soft=0.004)
        _iris(canvas, person, (side * person.eye_x + look.gaze[0], person.eye_y - 0.008 + look.gaze[1]))
        canvas.fill(_band(x, upper - 0.01, upper + 0.024), (40, 28, 26), soft=0.010, share=0.6)   # the lid's shadow
        canvas.ellipse((x[0] + side * 0.010, tilt[0] + 0.004), (0.012, 0.010), person.skin * (0.95, 0.62, 0.60),
                       soft=0.006, share=0.7)
    canvas.line(np.column_stack([x, upper]), 0.012 + 0.010 * np.clip(t + 0.6, 0, 1), (26, 18, 16), share=0.9)
    canvas.line(np.column_stack([x, lower]), 0.006, person.skin * 0.42, soft=0.005, share=0.6)
    crease = upper - person.crease * (0.35 + 0.65 * arc)
    canvas.line(np.column_stack([x, crease])[2:-1], 0.010, person.skin * 0.55, soft=0.006, share=0.6)


def _iris(canvas, person, middle):
    x, y = middle
    radius = person.iris_radius
    canvas.ellipse(middle, (radius * 1.06, radius * 1.06), person.iris * 0.35, soft=0.004)
    canvas.ellipse(middle, (radius * 0.90, radius * 0.90), person.iris)
    canvas.ellipse((x, y + radius * 0.35), (radius * 0.55, radius * 0.4), person.iris * 1.5 + 12, soft=0.012, share=0.5)
    canvas.ellipse(middle, (radius * 0.42, radius * 0.42), (8, 7, 8), soft=0.004)
    canvas.ellipse((x - 0.018, y - 0.020), (0.010, 0.010), (255, 255, 255), soft=0.003, share=0.9)


def _brow(canvas, person, look, side):
    t = np.linspace(0, 1, 20)
    width = 2 * person.brow_width
    x = side * (person.eye_x - person.brow_width * 1.02 + width * t)
    y = (person.eye_y + person.brow_y - 0.06 * look.brows + person.brow_tilt * width * (0.5 - t) * 0.6
         - person.brow_arch * np.sin(np.pi * np.clip(t * 1.15 - 0.1, 0, 1)) + 0.04 * t**3)
    thick = person.brow_thick * np.minimum(1, 0.55 + 2.5 * t) * (1 - 0.75 * t**2.5)
    colour = person.skin * 0.3 * (1 - person.brow_dark) + np.array((24, 18, 14)) * (0.6 + person.brow_dark)
    canvas.line(np.column_stack([x, y]), thick, colour, soft=0.010, share=0.35 + 0.6 * person.brow_dark)
    for place in range(1, 19):   # single hairs
        root = np.array((x[place], y[place] + thick[place] * 0.45))
        tip = root + (side * 0.022, -thick[place] * 0.9)
        canvas.line([root, (root + tip) / 2, tip], 0.006, colour * 0.8, soft=0.003, share=0.35 * person.brow_dark)


def _band(x, upper, lower):
    """The polygon between two curves over x."""
    return np.concatenate([np.column_stack([x, upper]), np.column_stack([x, lower])[::-1]])
