"""How well one colour is seen on another (WCAG 2.2, 1.4.3 and 1.4.11). Pure; colours are written ``#rrggbb``.

The grounds of the hub's pages stand in ``fabric_hub/hub/static/tokens.css``, too; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

# What text of the accent's colour may stand on, and what stands on the accent itself, in light and in dark.
LIGHT_GROUNDS: Final = ("#f6f7f9", "#ffffff")
DARK_GROUNDS: Final = ("#171d27", "#0f141c")
ON_LIGHT_ACCENT: Final = "#ffffff"
ON_DARK_ACCENT: Final = "#0f141c"
# The contrast that text must have (1.4.3).
OF_TEXT: Final = 4.5
_STEPS = 100


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 (the same) to 21 (black and white)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def worst(colour: str, grounds: Iterable[str]) -> tuple[str, float]:
    """The ground on which a colour is seen least, and its contrast there."""
    return min(((ground, contrast(colour, ground)) for ground in grounds), key=lambda found: found[1])


def mixed(colour: str, other: str, part: float) -> str:
    """A colour with a part (0 to 1) of another in it."""
    return "#" + "".join(
        f"{round(own + (more - own) * part):02x}" for own, more in zip(_parts(colour), _parts(other), strict=True)
    )


def readable(colour: str, grounds: Iterable[str], towards: str) -> str:
    """The colour with as little of another (black, white) as makes it readable as text on all the grounds."""
    grounds = tuple(grounds)
    steps = (mixed(colour, towards, step / _STEPS) for step in range(_STEPS + 1))
    return next((found for found in steps if worst(found, grounds)[1] >= OF_TEXT), towards)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (one / 255 for one in _parts(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
