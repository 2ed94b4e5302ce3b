"""A formula in TeX as a drawing. MathJax, which draws them in JupyterLab, runs in browsers only."""

from __future__ import annotations

import base64
import warnings
from typing import NamedTuple

SIZE_PX = 14.0  # of the page's text


class Drawing(NamedTuple):
    """``source`` is for an ``<img>``; ``below_px`` is how far the drawing reaches below the line of text."""

    source: str
    below_px: float


def draw(tex: str, *, display: bool) -> Drawing | None:
    """The drawing of a formula; None where it cannot be drawn, and its TeX is to be shown instead.

    :param tex: without the dollars around it.
    :param display: on a line of its own, not within one of text.
    """
    from ziamath.config import config
    from ziamath.zmath import Latex

    config.svg2 = False  # plain paths, which every program draws
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            drawn = Latex(tex, size=SIZE_PX, inline=not display)
            svg, below = drawn.svg(), -float(drawn.getyofst())
    except MemoryError:
        raise
    except Exception:  # its parser fails in many ways on what is not TeX, or not TeX that it knows
        return None
    return Drawing(f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}", below)
