"""One axes of the film: what its cells look like at every moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from scanpy_anim.pl._shade import Shade
from scanpy_anim.pl._source import Continuous
from scanpy_anim.pl._tint import Tint, palette_bytes

if TYPE_CHECKING:
    from matplotlib.colors import Normalize

    from scanpy_anim.pl._order import SortOrder
    from scanpy_anim.pl._stage import Stage

Paint = Shade | Tint


def paint(stage: Stage, i: int, sort_order: SortOrder) -> Paint:
    """Make the paint of panel `i` with the colours that scanpy gave the stage."""
    panel = stage.panels[i]
    source, mask = panel.source, stage.mask
    opaque = panel.cloud.get_alpha() is not None  # alpha= replaces that of the colours
    if isinstance(source, Continuous):
        cloud = panel.cloud
        norm = cast("Normalize", cloud.norm)
        return Shade(source, panel.scale, cloud.get_cmap(), norm, sort_order, mask, opaque)
    palette = palette_bytes(stage.recipe.palette(panel.column), stage.na_color)
    if opaque:
        palette[:, 3] = 255
    groups = stage.groups
    visible = np.array([groups is None or c in groups for c in source.categories])
    seeds = source.seeds.positions if source.seeds else np.empty(0, np.intp)
    return Tint(source, palette, visible, sort_order, mask, seeds)
