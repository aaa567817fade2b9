"""Frames side by side, as a figure for a paper."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scanpy_anim.pl._recipe import point_cloud
from scanpy_anim.pl._source import Continuous
from scanpy_anim.pl._stage import fit, name_scale
from scanpy_anim.raster import PointLayer
from scanpy_anim.raster._artist import PointsArtist

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from scanpy_anim.pl._marks import Rings
    from scanpy_anim.pl._stage import Stage, StagePanel

#: Of the size that scanpy gives a panel of its own; gaps are in inches.
SHARE = 0.5
GAP, TOP, BAR = 0.15, 0.35, 0.08


def filmstrip(
    stage: Stage,
    photos: Sequence[Sequence[Artist]],
    titles: Sequence[str],
    rings: Sequence[Rings],
    frames: Sequence[int],
) -> Figure:
    """Draw chosen frames side by side, a row for each panel of the film, with one legend a row.

    Parameters
    ----------
    stage, photos, titles, rings
        The film's.
    frames
        Which of its frames.
    """
    figure, grid = _grid(len(stage.panels), len(frames))
    for row, panel in enumerate(stage.panels):
        for column, i in enumerate(frames):
            points = [a for a in photos[i] if isinstance(a, PointsArtist)]
            drawn = _draw(stage, panel, grid[row][column], last=column == len(frames) - 1)
            _colour(drawn, points[row])
            for ring in rings:
                if ring.panel.ax is panel.ax:
                    moved = points[row].get_look().offsets
                    replace(ring, panel=drawn, share=SHARE).draw(moved)
            if row == 0 and titles:
                drawn.ax.set_title(titles[i])
            if len(stage.panels) > 1 and column == 0:
                drawn.ax.set_ylabel(panel.column)
    fit(figure)
    return figure


def _grid(rows: int, columns: int) -> tuple[Figure, list[list[Axes]]]:
    """Lay out axes of equal size on a figure that pyplot does not know."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    wide, high = np.array(mpl.rcParams["figure.figsize"]) * SHARE
    width, height = columns * (wide + GAP) + GAP, rows * (high + TOP)
    figure = Figure(figsize=(width, height))
    return figure, [
        [
            figure.add_axes(
                (
                    (GAP + c * (wide + GAP)) / width,
                    (rows - 1 - r) * (high + TOP) / height,
                    wide / width,
                    high / height,
                )
            )
            for c in range(columns)
        ]
        for r in range(rows)
    ]


def _draw(stage: Stage, panel: StagePanel, ax: Axes, *, last: bool) -> StagePanel:
    """Draw the stage of one panel; its legend or colour bar only where it is the `last`."""
    place = ax.get_position()
    asked = stage.recipe.arguments
    drawing = stage.recipe.of(panel.column)
    legend = asked.get("legend_loc", "right margin")
    on_data = str(legend).startswith("on data")
    drawing.draw(ax=ax, title="", colorbar_loc=None, legend_loc=legend if last or on_data else None)
    ax.set(position=place, xlabel="", ylabel="")
    cloud = point_cloud(ax, drawing.proxy.n_obs)
    cloud.set_sizes(cloud.get_sizes() * SHARE**2)
    drawn = replace(panel, ax=ax, cloud=cloud)
    stage.lay_out(drawn)
    if last and isinstance(panel.source, Continuous) and asked.get("colorbar_loc", "right"):
        figure = ax.get_figure(root=True)
        assert figure is not None
        inch = place.width / (figure.get_size_inches()[0] * place.width)
        beside = (place.x1 + BAR * inch, place.y0, BAR * inch, place.height)
        figure.colorbar(cloud, cax=figure.add_axes(beside))
        name_scale(cloud, panel.scale, panel.source)
    return drawn


def _colour(drawn: StagePanel, points: PointsArtist) -> None:
    """Replace scanpy's cells with those of the film's frame."""
    layer = PointLayer(drawn.cloud, order=drawn.order)
    drawn.cloud.remove()
    drawn.ax.add_artist(layer.artist(points.get_look()))
