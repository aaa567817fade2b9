"""Rings around cells that matter, such as the seeds of a propagation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim.pl._source import Categorical

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanpy_anim.pl._stage import Stage, StagePanel

#: Past so many, rings would hide the film.
MANY = 50


def mark_seeds(stage: Stage) -> None:
    """Ring the seeds of every panel that shows a propagation, in their class's colour."""
    for panel in stage.panels:
        seeds = panel.source.seeds
        if seeds is None:
            continue
        colors: Any = "black"
        if isinstance(panel.source, Categorical):
            palette = stage.recipe.palette(panel.column)
            colors = [palette[c] for c in seeds.classes]
        ring(panel, seeds.positions, colors)


def ring(panel: StagePanel, cells: Sequence[int] | np.ndarray, colors: Any) -> None:
    """Ring cells above everything else, wide enough to leave them in sight."""
    from matplotlib.patheffects import withStroke

    few = len(cells) <= MANY
    width = 1.2 if few else 0.8
    marker = panel.cloud.get_paths()[0].get_extents()
    diameter = max(marker.size) * np.sqrt(np.max(panel.cloud.get_sizes(), initial=0))
    x, y = np.asarray(panel.cloud.get_offsets())[cells].T
    rings = panel.ax.scatter(
        x,
        y,
        s=(diameter + (4.5 if few else 2.5)) ** 2,  # points; the marker `o` is 1 wide
        facecolors="none",
        edgecolors=colors,
        linewidths=width,
        zorder=3,
    )
    rings.set_path_effects([withStroke(linewidth=width + 1.4, foreground="white")])
