"""Points to pixels: arrays in, pixels out, and the matplotlib artist on top."""

from __future__ import annotations

from ._colors import color_bytes, color_table, value_levels
from ._compilation import needs_compiling
from ._layer import PointLayer
from ._look import Look
from ._ranks import rank_levels

__all__ = [
    "Look",
    "PointLayer",
    "color_bytes",
    "color_table",
    "needs_compiling",
    "rank_levels",
    "value_levels",
]
