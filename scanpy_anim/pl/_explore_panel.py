"""One panel of a film as a page shows it: what of the plane is seen, and the rings on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_hex, to_rgba_array

from scanpy_anim import explorer
from scanpy_anim.pl._coloring import ground_of
from scanpy_anim.pl._source import Continuous

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from scanpy_anim.pl._continuous_coloring import ContinuousColoring
    from scanpy_anim.pl._overlays import Rings
    from scanpy_anim.pl._stage import StagePanel


def bar_label(panel: StagePanel, coloring: ContinuousColoring) -> str:
    """Return what the color bar is called."""
    return panel.scale.bar(coloring.source, coloring.norm, titled=False).label or ""


def view_of(panel: StagePanel) -> explorer.View:
    """Return what of the plane the axes show, in the figure's own pixels."""
    ax, cloud = panel.ax, panel.cloud
    ax.apply_aspect()
    box = ax.get_window_extent()
    alpha = cloud.get_alpha()
    framed = ax.axison and any(spine.get_visible() for spine in ax.spines.values())
    return explorer.View(
        x=_pair(ax.get_xlim()),
        y=_pair(ax.get_ylim()),
        width=float(box.width),
        height=float(box.height),
        radius=radius_of(panel),
        alpha=1.0 if alpha is None else float(alpha),
        background=to_hex(tuple((ground_of(ax) / 255).tolist())),
        frame=bool(framed),
        xlabel=ax.get_xlabel() if ax.axison else "",
        ylabel=ax.get_ylabel() if ax.axison else "",
    )


def _pair(ends: tuple[float, float]) -> tuple[float, float]:
    return float(ends[0]), float(ends[1])


def radius_of(panel: StagePanel) -> float:
    """Return the radius of a cell's marker, in pixels of the figure."""
    marker = panel.cloud.get_paths()[0].get_extents()
    points = max(marker.size) * np.sqrt(np.max(panel.cloud.get_sizes(), initial=0)) / 2
    return float(points * _figure(panel).dpi / 72)


def _figure(panel: StagePanel) -> Figure:
    figure = panel.ax.get_figure(root=True)
    assert figure is not None
    return figure


def rings_of(
    panel: StagePanel, rings: Sequence[Rings], n_obs: int, order: NDArray[np.intp]
) -> list[dict[str, Any]]:
    """Return the rings of a panel, their cells by their place in the drawing order."""
    place = np.full(n_obs, -1)
    place[order] = np.arange(len(order))
    told = []
    for ring in rings:
        colors = to_rgba_array(ring.colors)
        cells, shown = place[ring.cells], place[ring.cells] >= 0
        if len(colors) > 1:
            colors = colors[shown]
        width, gap, halo = (points * _figure(panel).dpi / 72 for points in ring.line)
        told.append(
            {
                "cells": cells[shown].tolist(),
                "colors": [to_hex(color) for color in colors],
                "radius": radius_of(panel) + gap / 2,
                "width": width,
                "halo": halo,
                **_codes(panel, ring.cells, shown),
            }
        )
    return told


def _codes(
    panel: StagePanel, cells: NDArray[np.intp], shown: NDArray[np.bool_]
) -> dict[str, list[int]]:
    """Return the categories of ringed seeds, that rings come and go with them."""
    seeds = panel.source.seeds
    if seeds is None or isinstance(panel.source, Continuous):
        return {}
    of_seed = dict(zip(seeds.positions.tolist(), (seeds.classes + 1).tolist(), strict=True))
    return {"codes": [of_seed.get(cell, 0) for cell in cells[shown].tolist()]}
