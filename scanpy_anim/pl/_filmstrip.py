"""Frames side by side, as a figure for a paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from scanpy_anim._compat import figure_of
from scanpy_anim.pl._draw_order import layer_of
from scanpy_anim.pl._labels import copy_labels
from scanpy_anim.pl._layout import fit
from scanpy_anim.pl._legends import name_scale
from scanpy_anim.pl._source import Continuous
from scanpy_anim.raster import PointsArtist

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from scanpy_anim.pl._clip import Clip
    from scanpy_anim.pl._photos import Photo
    from scanpy_anim.pl._stage import Stage, StagePanel

#: Of the size that scanpy gives a panel of its own; gaps are in inches.
_SHARE = 0.5
_GAP, _TOP, _BAR = 0.15, 0.35, 0.08


def filmstrip(
    clips: Sequence[Clip], photos: Sequence[Photo], titles: Sequence[str], frames: Sequence[int]
) -> Figure:
    """Draw chosen frames side by side, a row for each panel of the film, with one legend a row.

    Parameters
    ----------
    clips, photos, titles
        The film's.
    frames
        Which of its frames.
    """
    rows = [(clip, i) for clip in clips for i in range(len(clip.stage.panels))]
    figure, grid = _grid(len(rows), len(frames))
    for row, (clip, i) in enumerate(rows):
        panel = clip.stage.panels[i]
        for column, k in enumerate(frames):
            points = [a for a in photos[k] if isinstance(a, PointsArtist)][row]
            drawn = _draw(clip.stage, panel, grid[row][column], last=column == len(frames) - 1)
            _color(drawn, points)
            for ring in clip.rings:
                if ring.panel == i:
                    ring.draw(drawn, points.get_style().offsets, share=_SHARE)
            copy_labels(photos[k], panel.ax, drawn.ax)
            if row == 0 and titles:
                drawn.ax.set_title(titles[k])
            if column == 0 and (len(rows) > 1 or clip.stage.options.title is not None):
                drawn.ax.set_ylabel(panel.ax.get_title() or panel.column)
            elif column == 0 and not titles:
                drawn.ax.set_title(panel.ax.get_title())
    fit(figure)
    return figure


def _grid(rows: int, columns: int) -> tuple[Figure, list[list[Axes]]]:
    """Lay out axes of equal size on a figure that pyplot does not know."""
    wide, high = np.array(mpl.rcParams["figure.figsize"]) * _SHARE
    width, height = columns * (wide + _GAP) + _GAP, rows * (high + _TOP)
    figure = Figure(figsize=(width, height))
    return figure, [
        [
            figure.add_axes(
                (
                    (_GAP + c * (wide + _GAP)) / width,
                    (rows - 1 - r) * (high + _TOP) / height,
                    wide / width,
                    high / height,
                )
            )
            for c in range(columns)
        ]
        for r in range(rows)
    ]


def _draw(stage: Stage, panel: StagePanel, ax: Axes, *, last: bool) -> StagePanel:
    """Draw the stage of one panel; its legend or color bar only where it is the `last`."""
    box = ax.get_position()
    legend = stage.options.legend_loc if last and not stage.options.on_data else None
    drawn = stage.drawn_on(panel, ax, size=_SHARE, title="", colorbar_loc=None, legend_loc=legend)
    ax.set(position=box, xlabel="", ylabel="")
    if last and isinstance(panel.source, Continuous) and stage.options.colorbar_loc:
        figure = figure_of(ax)
        inch = 1 / figure.get_size_inches()[0]
        beside = (box.x1 + _BAR * inch, box.y0, _BAR * inch, box.height)
        figure.colorbar(drawn.cloud, cax=figure.add_axes(beside))
        name_scale(drawn.cloud, panel.scale, panel.source)
    return drawn


def _color(drawn: StagePanel, points: PointsArtist) -> None:
    """Replace scanpy's cells with those of the film's frame."""
    layer = layer_of(drawn.take_off(), drawn.order)
    drawn.ax.add_artist(layer.artist(points.get_style()))
