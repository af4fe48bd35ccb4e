"""Templates: the five reference points to which faces are aligned, with the size of the crop.

(IJB uses the word for a set of pictures of one person; here that is a media set.)
"""

from dataclasses import dataclass

from base.checks import SettingsError, near_names

_POINTS_96 = (
    (30.2946, 51.6963),   # image-left eye
    (65.5318, 51.5014),   # image-right eye
    (48.0252, 71.7366),   # nose tip
    (33.5493, 92.3655),   # image-left mouth corner
    (62.7299, 92.2041),   # image-right mouth corner
)


@dataclass(frozen=True)
class Template:
    """Size of a crop and where its five landmarks belong, in pixels of the crop, x right, y down, 0-based centres."""

    name: str
    height: int
    width: int
    points: tuple[tuple[float, float], ...]

    @property
    def shape(self):
        """(height, width)."""
        return self.height, self.width


TEMPLATES = {
    "112x96": Template("112x96", 112, 96, _POINTS_96),
    "112x112": Template("112x112", 112, 112, tuple((x + 8, y) for x, y in _POINTS_96)),
}


def get_template(name):
    """Returns the template called `name`; SettingsError with the known names otherwise."""
    if name not in TEMPLATES:
        raise SettingsError(f"there is no template {name!r}{near_names(name, TEMPLATES)}")
    return TEMPLATES[name]
