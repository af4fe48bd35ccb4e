"""What lies on the head: hair, hat, glasses."""

import cv2
import numpy as np

from demo.render import Surface


def hair(head, noise):
    """The hair (or a hat) of a look as a surface, None where there is none."""
    look = head.look
    if look.style == "bald":
        return None
    thick, length, is_curly = _STYLES[look.style]
    heights, angle = head.grid(length, 1.0, is_curved=False)
    wide, deep = head.slice(np.minimum(heights, 0.0))   # it hangs from the widest place
    cap = np.sqrt(np.clip(1 - np.clip(-heights, 0, 1) ** 2, 0, 1))
    swell = thick * (0.55 + 0.45 * cap)
    columns = angle.shape[1]
    strands = cv2.resize(noise.normal(0, 1, (8, columns // 3 + 2)).astype(np.float32), (columns, heights.shape[0]),
                         interpolation=cv2.INTER_CUBIC)
    lumps = cv2.resize(noise.normal(0, 1, (14, 22)).astype(np.float32), (columns, heights.shape[0]),
                       interpolation=cv2.INTER_CUBIC)
    rough = 0.045 * lumps if is_curly else 0.008 * strands
    x, z = head.around(angle, wide + swell + rough, deep + swell * 0.8 + rough)
    z = np.where(np.cos(angle) < 0, z * 1.15, z)
    lift = thick * 0.9 * np.clip(-heights, 0, 1) ** 4
    y = heights - lift + 0.5 * rough + 0 * angle
    edge = _edge(look, x, y, angle, head.person)
    ragged = edge + (0.0 if look.style == "hat" else 0.05) * strands
    is_there = ragged < 0
    if look.style == "hat":
        knit = np.where(y > -0.62, 0.85, 1) * (1 + 0.06 * np.sin(angle * 60))
        colours = look.hair[None, None] * knit[..., None]
    else:
        sheen = 1 + 0.16 * strands + 0.08 * lumps
        colours = look.hair[None, None] * np.clip(sheen, 0.4, 1.7)[..., None]
    shine = 0.0 if look.style == "hat" else 0.18
    return Surface(np.stack([x, y, z], axis=-1), colours, is_there, shine=shine, is_open=True)


_STYLES = {   # thickness, how far down in heads, curly
    "short": (0.07, 0.10, False), "parted": (0.13, 0.15, False), "fringe": (0.13, 0.30, False),
    "bob": (0.17, 0.85, False), "long": (0.15, 1.65, False), "curly": (0.26, 0.55, True),
    "tied": (0.05, 0.05, False), "hat": (0.07, 0.0, False),
}


def _edge(look, x, y, angle, person):
    """Below 0 where there is hair: above the hairline in front, down to the ears or further beside the face."""
    turn = np.abs(angle)
    if look.style == "hat":
        return y + 0.46 - 0.06 * np.cos(angle)
    line = look.hairline - 0.10 * np.exp(-((turn - 0.72) / 0.28) ** 2)     # it recedes over the temples
    if look.style == "fringe":
        line = person.eye_y + person.brow_y - 0.09 + 0.04 * np.cos(7 * x)
    elif look.style == "parted":
        line = line + 0.30 * np.clip(np.abs(x - look.parting) - 0.10, 0, 0.5)
    elif look.style in ("bob", "long", "curly"):
        line = line + 0.45 * np.clip(np.abs(x - look.parting), 0, 0.6) ** 1.5
    beside = np.clip((turn - 0.98) / 0.30, 0, 1)                           # 0 in front, 1 before the ears
    sides = {"short": 0.04, "tied": -0.12, "parted": 0.14}.get(look.style, 3.0)
    return y - line * (1 - beside) - sides * beside


def glasses(head):
    """The frame as a surface, None where none is worn."""
    look, person = head.look, head.person
    if not look.glasses:
        return None
    around = np.linspace(0, 2 * np.pi, max(40, round(1.4 / head.step)))
    power = 1.0 if look.glasses == "round" else 0.55
    across = np.linspace(-1, 1, max(3, round(0.030 / head.step)))[:, None]
    bend = [np.sign(f(around)) * np.abs(f(around)) ** power for f in (np.cos, np.sin)]
    plane = head.front(np.array([person.eye_x]), np.array([person.eye_y]))[0] + 0.16
    rims = []
    for side in (-1, 1):
        rim_x = side * person.eye_x + (0.185 + 0.012 * across) * bend[0]
        rim_y = person.eye_y + 0.03 + (0.140 + 0.012 * across) * bend[1]
        rims.append(np.stack([rim_x, rim_y, plane - 0.35 * rim_x**2], axis=-1))
        along = np.linspace(0, 1, max(20, round(0.9 / head.step)))
        wide, _ = head.slice(np.array(0.0))
        temple_x = side * (person.eye_x + 0.185 + along * max(wide + 0.03 - person.eye_x - 0.185, 0.0)) + 0 * across
        temple_y = person.eye_y - 0.01 + 0.016 * across + 0 * along
        start = plane - 0.35 * (person.eye_x + 0.185) ** 2
        rims.append(np.stack([temple_x, temple_y, start * (1 - along) - 0.05 * along + 0 * across], axis=-1))
    bridge = np.linspace(-1, 1, max(12, round(0.24 / head.step)))
    gap = max(person.eye_x - 0.185, 0.03)
    rims.append(np.stack([gap * bridge + 0 * across, person.eye_y - 0.03 * (1 - bridge**2) + 0.012 * across,
                          plane + 0 * across + 0 * bridge], axis=-1))
    points = np.concatenate([rim.reshape(1, -1, 3) for rim in rims], axis=1)
    return Surface(points, np.broadcast_to(look.frame, points.shape), np.ones(points.shape[:2], bool))
