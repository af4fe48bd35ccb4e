"""From landmarks to a crop: closed-form similarity, warp, JPEG; and the crops of photographs without a face."""

import cv2
import numpy as np

LARGEST_RESIDUAL_PX = 12.0
"""Root mean square distance in the crop above which landmarks fit no face."""
_GRID = 64             # landmarks are rounded to 1/64 pixel
_FALLBACK_SCALE = 0.8619            # the median of LFW, for a shorter side of 250 pixels
_FALLBACK_OFFSET = (-0.1528, -9.9195)   # image centre less the mean landmark centroid of LFW, in pixels of LFW


def rounded(landmarks):
    """Landmarks [5, 2] rounded to 1/64 pixel, so that a manifest gives them exactly."""
    return np.round(np.asarray(landmarks, np.float64) * _GRID) / _GRID


def similarity(landmarks, points):
    """Least-squares similarity without reflection, in closed form (equal to Umeyama's, IEEE TPAMI 1991).

    Args:
        landmarks: float [5, 2], pixels of the photograph.
        points: float [5, 2], where they belong in the crop.

    Returns:
        float64 [2, 3]: photograph (x, y, 1) -> crop.

    Raises:
        ValueError: all landmarks in one place.
    """
    p, q = np.asarray(landmarks, np.float64), np.asarray(points, np.float64)
    p_mean, q_mean = p.mean(axis=0), q.mean(axis=0)
    p, q = p - p_mean, q - q_mean
    spread = (p**2).sum()
    if not spread > 0:
        raise ValueError(f"the landmarks {landmarks!r} stand in one place; a similarity needs two")
    a = (p * q).sum() / spread
    b = (p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum() / spread
    turn = np.array([[a, -b], [b, a]])
    return np.column_stack([turn, q_mean - turn @ p_mean])


def residual(matrix, landmarks, points):
    """Root mean square distance, in pixels of the crop, between mapped landmarks and where they belong."""
    mapped = np.asarray(landmarks, np.float64) @ matrix[:, :2].T + matrix[:, 2]
    return float(np.sqrt(((mapped - np.asarray(points))**2).sum(axis=1).mean()))


def fallback_matrix(height, width, template):
    """The similarity of a photograph without a face: upright, by the median face of LFW about the image centre.

    Args:
        height: of the photograph.
        width: of the photograph.
        template: the Template.
    """
    unit = min(height, width) / 250   # of LFW's photographs
    scale = _FALLBACK_SCALE / unit
    centroid = np.array([width, height]) / 2 - np.array(_FALLBACK_OFFSET) * unit
    offset = np.mean(template.points, axis=0) - scale * centroid
    return np.array([[scale, 0, offset[0]], [0, scale, offset[1]]])


def warp(image, matrix, template):
    """Warps a photograph, uint8 RGB [H, W, 3], to a crop of the template: bilinear, black outside.

    Where the scale is under 0.5 the photograph is shrunk by area first, so that no pixel of it is passed over.
    """
    scale = float(np.hypot(*matrix[:, 0]))
    if scale < 0.5:
        height, width = image.shape[:2]
        size = (max(1, round(width * 2 * scale)), max(1, round(height * 2 * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        factors = np.array([width / size[0], height / size[1]])   # small -> photograph, pixel centres kept
        matrix = np.column_stack([matrix[:, :2] * factors, matrix[:, 2] + matrix[:, :2] @ (factors / 2 - 0.5)])
    return cv2.warpAffine(image, matrix, (template.width, template.height), flags=cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0))


def black(template):
    """The crop of a photograph that cannot be read."""
    return np.zeros((*template.shape, 3), np.uint8)


def jpeg(crop, quality):
    """Encodes a crop, uint8 RGB, as JPEG bytes."""
    is_written, data = cv2.imencode(".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR),
                                    [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not is_written:
        raise ValueError(f"OpenCV could not encode a crop of shape {crop.shape}")
    return data.tobytes()
