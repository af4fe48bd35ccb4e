"""From surfaces to pixels: turn, light with shadows, and the nearest point wins."""

from dataclasses import dataclass

import cv2
import numpy as np

FINE = 1.5     # pixels drawn a pixel and side
_SHADOW = 28   # cells of the shadow map a head length


@dataclass(frozen=True)
class Surface:
    """A grid of points with colours, in head lengths."""

    points: np.ndarray
    """[R, C, 3]; rows and columns run so that the outside is the viewer's where the head is not turned."""
    colours: np.ndarray
    """[R, C, 3], RGB, 0 to 255"""
    is_there: np.ndarray | None = None
    """[R, C], false for points that are left out; None leaves out none"""
    shine: float = 0.0
    is_open: bool = False
    """Its inner side can be seen."""


def rotation(look):
    """The head's turn as a matrix [3, 3] for column vectors (x right, y down, z to the viewer)."""
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(a), np.sin(a)) for a in (look.yaw, look.pitch, look.roll))
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return roll @ pitch @ yaw


def project(points, look, *, centre, radius):
    """Turned points [..., 3] -> picture coordinates [..., 2] in pixels, of the points' type."""
    near = radius * look.lens / (look.lens - points[..., 2:])
    return points[..., :2] * near + np.asarray(centre, points.dtype)


def render(image, surfaces, look, *, centre, radius):
    """Draws surfaces into a float32 RGB picture [H, W, 3] in linear light, in place.

    Args:
        image: 0 to 1.
        surfaces: of a head that is not turned yet; head, hair and glasses.
        look: the Look with turn and light.
        centre: where the head's origin falls, x and y in pixels.
        radius: pixels a head length.
    """
    turn = rotation(look)
    clouds = [_lit(surface, turn, look) for surface in surfaces]
    points, ambient, direct = (np.concatenate(part) for part in zip(*clouds, strict=True))
    colours = (ambient + direct * _shadow(points, look)[:, None]) * (look.warmth * look.exposure).astype(np.float32)
    _splat(image, points, colours, look, centre=centre, radius=radius)


def _lit(surface, turn, look):
    """Points after the turn, ambient light and directed light they send back: float32 [N, 3] each."""
    points = _turned(surface.points, turn)
    normals = _normals(points)
    if surface.is_open:
        normals = np.where(normals[..., 2:] < 0, -0.6 * normals, normals)   # inside it is darker
    facing = _turned(normals, look.light[None])[..., 0]
    direct = np.clip((facing + 0.12) / 1.12, 0, None)
    ambient = 0.80 - 0.20 * normals[..., 1] + 0.12 * normals[..., 2]
    halfway = look.light + (0, 0, 1)
    gloss = np.clip(_turned(normals, halfway[None] / np.linalg.norm(halfway))[..., 0], 0, 1) ** 18
    albedo = (np.clip(surface.colours, 2, 255) / 255).astype(np.float32) ** 2.2
    gloss = surface.shine * 0.4 * gloss
    keep = normals[..., 2] > -0.2
    if surface.is_there is not None:
        keep &= surface.is_there
    albedo, direct, gloss = albedo[keep], direct[keep][:, None], gloss[keep][:, None]
    return (points[keep], albedo * ((1 - look.strength) * 0.85 * ambient[keep])[:, None],
            look.strength * (1.35 * albedo * direct + gloss))


def _turned(points, matrix):
    """Matrix [K, 3] times vectors [..., 3], in float32; on one thread, unlike a matrix product."""
    return np.einsum("...i,ji->...j", points.astype(np.float32), matrix.astype(np.float32))


def _normals(points):
    if min(points.shape[:2]) < 2:
        return np.broadcast_to(np.float32([0, 0, 1]), points.shape)
    down, across = np.gradient(points, axis=(0, 1))
    normals = np.cross(across, down)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    return normals


def _shadow(points, look):
    """Share of the directed light that reaches each point [N]: what lies behind another, seen from the light."""
    across = np.cross(look.light, (0, 1, 0))
    across /= np.linalg.norm(across)
    down = np.cross(across, look.light)
    x, y, depth = np.moveaxis(_turned(points, np.stack([across, down, look.light])), -1, 0)
    across, down = (((part + 2) * _SHADOW).clip(0, 4 * _SHADOW - 1).astype(np.int32) for part in (x, y))
    place = down * (4 * _SHADOW) + across
    nearest = np.full((4 * _SHADOW) ** 2, -9, np.float32)
    np.maximum.at(nearest, place[::3], depth[::3])
    fine = cv2.resize(nearest.reshape(4 * _SHADOW, 4 * _SHADOW), None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR)
    fine = cv2.GaussianBlur(fine, (0, 0), 4.0)
    across, down = (((part + 2) * (4 * _SHADOW)).clip(0, 16 * _SHADOW - 1).astype(np.int32) for part in (x, y))
    return 1 - ((fine.ravel()[down * (16 * _SHADOW) + across] - depth - 0.06) / 0.12).clip(0, 1)


def _splat(image, points, colours, look, *, centre, radius):
    place = project(points, look, centre=np.asarray(centre) * FINE, radius=radius * FINE)
    height, width = (round(side * FINE) + 1 for side in image.shape[:2])     # one more for points that cover the border
    x, y = np.floor(place).astype(np.int32).T
    inside = np.flatnonzero((x >= 0) & (x < width - 1) & (y >= 0) & (y < height - 1))
    order = inside[np.argsort(points[inside, 2])].astype(np.int32)    # the nearest are written last
    covered = (y[order] * width + x[order])[:, None] + np.array([0, 1, width, width + 1], np.int32)   # four fine pixels
    winner = np.full(height * width, -1, np.int32)
    winner[covered.ravel()] = np.repeat(order, 4)
    winner = winner.reshape(height, width)[:-1, :-1]
    fine = cv2.resize(image, (width - 1, height - 1), interpolation=cv2.INTER_LINEAR)
    fine[winner >= 0] = colours[winner[winner >= 0]]
    image[:] = cv2.resize(fine, image.shape[1::-1], interpolation=cv2.INTER_AREA)
