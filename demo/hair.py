"""What lies on the head: hair, hat, glasses."""

import numpy as np

from demo.render import Surface

_RIM, _BEND = 0.185, 0.35   # half the width of a glass, how much a frame is bent around the face
_STYLES = {   # thickness, how far down, how rough; in heads
    "short": (0.07, 0.10, 0.008), "parted": (0.13, 0.15, 0.008), "fringe": (0.13, 0.30, 0.008),
    "bob": (0.17, 0.85, 0.008), "long": (0.15, 1.65, 0.008), "curly": (0.26, 0.55, 0.045),
    "tied": (0.05, 0.05, 0.008), "hat": (0.07, 0.0, 0.002),
}


def hair(head):
    """The hair (or a hat) of a Head as a surface, None where there is none."""
    look = head.look
    if look.style == "bald":
        return None
    thick, length, roughness = _STYLES[look.style]
    heights, angle = head.grid(length, 1.0, is_curved=False)
    shape = (heights.shape[0], angle.shape[1])
    strands, lumps = head.noise(8, shape[1] // 3 + 2, shape), head.noise(14, 22, shape)
    rough = roughness * (lumps if look.style == "curly" else strands)
    wide, deep = head.slice(np.minimum(heights, 0.0))   # it hangs from the widest place
    swell = thick * (0.55 + 0.45 * np.sqrt(np.clip(1 - np.clip(-heights, 0, 1) ** 2, 0, 1)))
    x, z = head.around(angle, wide + swell + rough, deep + swell * 0.8 + rough)
    z = np.where(np.cos(angle) < 0, z * 1.15, z)
    y = heights - 0.9 * thick * np.clip(-heights, 0, 1) ** 4 + 0.5 * rough
    ragged = 0.0 if look.style == "hat" else 0.05 * strands
    return Surface(np.stack([x, y, z], axis=-1), look.hair * _shade(look, y, angle, strands, lumps)[..., None],
                   _edge(look, x, y, angle, head.person) + ragged < 0, shine=0.0 if look.style == "hat" else 0.18,
                   is_open=True)


def _shade(look, y, angle, strands, lumps):
    """Brightness of strands, or of a knitted hat with its brim."""
    if look.style == "hat":
        return np.where(y > -0.62, 0.85, 1) * (1 + 0.06 * np.sin(angle * 60))
    return np.clip(1 + 0.16 * strands + 0.08 * lumps, 0.4, 1.7)


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
    across = np.linspace(-1, 1, max(3, round(0.030 / head.step)))[:, None] * 0.012     # the frame's width
    around = np.linspace(0, 2 * np.pi, max(40, round(1.4 / head.step)))
    along = np.linspace(0, 1, max(20, round(0.9 / head.step)))
    power = 1.0 if look.glasses == "round" else 0.55
    out, up = (np.sign(f(around)) * np.abs(f(around)) ** power for f in (np.cos, np.sin))
    plane = head.front(np.array([person.eye_x]), np.array([person.eye_y]))[0] + 0.16
    outer = person.eye_x + _RIM
    wide, _ = head.slice(np.array(0.0))
    parts = [_bridge(person, across, along, plane)]
    for side in (-1, 1):
        rim_x = side * person.eye_x + (_RIM + across) * out
        parts.append((rim_x, person.eye_y + 0.03 + (0.140 + across) * up, plane - _BEND * rim_x**2))
        parts.append((side * (outer + along * max(wide + 0.03 - outer, 0.0)) + 0 * across,      # to the ear
                      person.eye_y - 0.01 + 1.3 * across + 0 * along,
                      (plane - _BEND * outer**2) * (1 - along) - 0.05 * along + 0 * across))
    points = np.concatenate([np.stack(part, axis=-1).reshape(1, -1, 3) for part in parts], axis=1)
    return Surface(points, np.broadcast_to(look.frame, points.shape))


def _bridge(person, across, along, plane):
    share, gap = 2 * along - 1, max(person.eye_x - _RIM, 0.03)
    return gap * share + 0 * across, person.eye_y - 0.03 * (1 - share**2) + across, plane + 0 * (across + share)
