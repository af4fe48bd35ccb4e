"""Settings of `python -m losses`."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ListSettings:
    """Which losses are listed."""

    names: list[str] = field(default_factory=list)
    """Names of losses; without one, all of them."""
