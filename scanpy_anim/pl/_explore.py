"""From a film to a page that holds its scores: the film's palette, limits, order, titles, rings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from matplotlib.colors import to_hex, to_rgba_array

from scanpy_anim import explorer
from scanpy_anim._version import __version__
from scanpy_anim.pl._categorical_coloring import CategoricalColoring
from scanpy_anim.pl._coloring import ground_of
from scanpy_anim.pl._continuous_coloring import ContinuousColoring
from scanpy_anim.pl._explore_check import explorable
from scanpy_anim.pl._explore_names import hover_of, names_of
from scanpy_anim.pl._explore_planes import LabelPlanes, ScorePlanes
from scanpy_anim.pl._explore_route import keys_of, route_of
from scanpy_anim.pl._motion import Path
from scanpy_anim.pl._source import Continuous
from scanpy_anim.raster._sorting import stable_order
from scanpy_anim.video._page import still_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from scanpy_anim.pl._clip import Clip
    from scanpy_anim.pl._stage import StagePanel

_STEPS = 128  # of the peaks that go one after the other
_MARGIN = 0.1  # pixels: a disk is drawn where it is but for so much


def contents_of(
    clips: Sequence[Clip],
    schedule: Sequence[Sequence[int]],
    positions: NDArray[np.float64],
    poster: Callable[[], NDArray[np.uint8]],
    seconds: NDArray[np.float64],
    *,
    names: str | bool | None = "auto",
    hover: str | Sequence[str] | None = None,
    loop: int = 0,
) -> explorer.Contents:
    """Return what a page shows of a film.

    Parameters
    ----------
    clips, schedule
        Of the film: one panel.
    positions
        `(n_obs, 2)` where the cells are, NaN where they are nowhere; of no matter if they move.
    poster
        Draws its last frame, `(height, width, 3)`.
    seconds
        How long each frame is shown.
    names, hover, loop
        As of `EmbeddingAnimation.explore`.
    """
    clip = explorable(clips)
    (panel,), (coloring,) = clip.stage.panels, clip.colorings
    coloring = cast("ContinuousColoring | CategoricalColoring", coloring)
    view = _view(panel)
    motion = clip.stage.motion
    path = motion if isinstance(motion, Path) else None
    if path is None:
        order = _order(panel, positions, coloring)
        places = positions[order]
    else:
        order = _order_of_moving(path, coloring)
        places = path.stops[:, order]
    top = _on_top(order, coloring)
    moments = [clip.timeline.moments[k] for (k,) in schedule]
    planes: ScorePlanes | LabelPlanes
    if isinstance(coloring, ContinuousColoring):
        route = route_of(moments, coloring if coloring.scale.jumps else None)
        planes = ScorePlanes(coloring, route.stops, order, top)
        colors, full = planes.colors(_bar_label(panel, coloring)), None
    else:
        route = route_of(moments)
        planes = LabelPlanes(coloring, route.stops, order, top)
        colors, full = planes.colors(legend=clip.stage.options.legend_loc != "none"), planes.full
    told = hover_of(clip.stage.plot.obs, hover, order)
    packed, note, kind = names_of(clip.stage.plot.obs, names, order)
    where = [() if path is None else _place(path, clip.time(k)) for (k,) in schedule]
    timed = zip(route.moments, seconds, where, strict=True)
    return explorer.Contents(
        title=clip.subject(),
        description=_description(clip, schedule),
        kind="labels" if isinstance(planes, LabelPlanes) else "scores",
        positions=places,
        view=view,
        poster=_poster(poster()),
        keys=keys_of(route.stops, coloring.source),
        planes=planes,
        moments=[(a, b, round(w, 6), round(float(s), 4), *at) for (a, b, w), s, at in timed],
        titles=[clip.titles[k] for (k,) in schedule] if clip.titles else [],
        colors=colors,
        full=full,
        top=top,
        rings=_rings(clip, order),
        names=packed,
        names_note=note,
        names_title=kind,
        hover=told,
        loop=loop,
        generator=f"scanpy-anim {__version__}",
    )


def _description(clip: Clip, schedule: Sequence[Sequence[int]]) -> str:
    """Say in words what the poster shows."""
    last = f", {clip.titles[schedule[-1][0]]}" if clip.titles else ""
    return f"{clip.subject()}{last}: the last of {len(schedule)} frames"


def _order(
    panel: StagePanel,
    positions: NDArray[np.float64],
    coloring: ContinuousColoring | CategoricalColoring,
) -> NDArray[np.intp]:
    """Return the cells that are somewhere, back to front: any two that overlap as in the film."""
    below, above = _layers(np.isfinite(positions).all(axis=1), coloring)
    blocks = None
    if coloring.order is not None:
        key = np.asarray(coloring.order.sort_key)
        labels = isinstance(coloring, CategoricalColoring)
        blocks = key if labels else _blocks(key, np.concatenate([below, above]))
    pixels = panel.ax.transData.transform(positions)
    radius = _radius(panel) + _MARGIN
    parts = (explorer.drawing_order(part, pixels, radius, blocks) for part in (below, above))
    return np.concatenate(list(parts))


def _order_of_moving(
    path: Path, coloring: ContinuousColoring | CategoricalColoring
) -> NDArray[np.intp]:
    """Return the cells that are somewhere, back to front: any two may come to overlap."""
    return np.concatenate(_layers(np.isfinite(path.stops).all(axis=2).any(axis=0), coloring))


def _layers(
    somewhere: NDArray[np.bool_], coloring: ContinuousColoring | CategoricalColoring
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return cells back to front, and apart those that lie above all others in every frame."""
    order, above = np.arange(len(somewhere)), np.zeros(len(somewhere), bool)
    if coloring.order is not None:
        key, first_on_top, on_top = coloring.order
        order = stable_order(key, last_first=first_on_top).astype(np.intp)
        above[on_top] = True
    order = order[somewhere[order]]
    return order[~above[order]], order[above[order]]


def _place(path: Path, time: float) -> tuple[float]:
    """Return the stop that a path has come to, or a number between two."""
    stop, weight = path.way(time)
    return (round(stop + weight, 6),)


def _blocks(key: NDArray, order: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return steps of a key, cells without one apart: alike cells are alike in all frames."""
    sorted_key = key[order]
    new = np.append(True, sorted_key[1:] != sorted_key[:-1]) & ~np.isnan(sorted_key)
    first = np.maximum.accumulate(np.where(new, np.arange(len(key)), 0))
    blocks = np.empty(len(key), np.int64)
    blocks[order] = np.where(np.isnan(sorted_key), -1, first * _STEPS // max(len(key), 1))
    return blocks


def _on_top(order: NDArray[np.intp], coloring: ContinuousColoring | CategoricalColoring) -> int:
    """Return how many of the last cells lie above all others in every frame."""
    if coloring.order is None or not len(coloring.order.on_top):
        return 0
    return int(np.isin(order, coloring.order.on_top).sum())


def _bar_label(panel: StagePanel, coloring: ContinuousColoring) -> str:
    return panel.scale.bar(coloring.source, coloring.norm, titled=False).label or ""


def _view(panel: StagePanel) -> explorer.View:
    """Return what of the plane the axes show, in the figure's own pixels."""
    ax, cloud = panel.ax, panel.cloud
    figure = ax.get_figure(root=True)
    assert figure is not None
    ax.apply_aspect()
    box = ax.get_window_extent()
    alpha = cloud.get_alpha()
    framed = ax.axison and any(spine.get_visible() for spine in ax.spines.values())
    return explorer.View(
        x=_pair(ax.get_xlim()),
        y=_pair(ax.get_ylim()),
        width=float(box.width),
        height=float(box.height),
        radius=_radius(panel),
        alpha=1.0 if alpha is None else float(alpha),
        background=to_hex(tuple((ground_of(ax) / 255).tolist())),
        frame=bool(framed),
        xlabel=ax.get_xlabel() if ax.axison else "",
        ylabel=ax.get_ylabel() if ax.axison else "",
    )


def _pair(ends: tuple[float, float]) -> tuple[float, float]:
    return float(ends[0]), float(ends[1])


def _radius(panel: StagePanel) -> float:
    """Return the radius of a cell's marker, in pixels of the figure."""
    marker = panel.cloud.get_paths()[0].get_extents()
    points = max(marker.size) * np.sqrt(np.max(panel.cloud.get_sizes(), initial=0)) / 2
    figure = panel.ax.get_figure(root=True)
    assert figure is not None
    return float(points * figure.dpi / 72)


def _rings(clip: Clip, order: NDArray[np.intp]) -> list[dict[str, Any]]:
    """Return the rings of the film, their cells by their place in the drawing order."""
    (panel,) = clip.stage.panels
    figure = panel.ax.get_figure(root=True)
    assert figure is not None
    place = np.full(clip.stage.plot.n_obs, -1)
    place[order] = np.arange(len(order))
    told = []
    for ring in clip.rings:
        colors = to_rgba_array(ring.colors)
        cells, shown = place[ring.cells], place[ring.cells] >= 0
        if len(colors) > 1:
            colors = colors[shown]
        width, gap, halo = (points * figure.dpi / 72 for points in ring.line)
        told.append(
            {
                "cells": cells[shown].tolist(),
                "colors": [to_hex(color) for color in colors],
                "radius": _radius(panel) + gap / 2,
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


def _poster(frame: NDArray[np.uint8]) -> explorer.Poster:
    kind, content = still_picture(frame)
    height, width = frame.shape[:2]
    return explorer.Poster(content, kind, width, height)
