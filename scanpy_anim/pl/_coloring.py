"""What the cells of one axes look like at every moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self, cast

import numpy as np
from matplotlib.colors import to_rgba_array

from scanpy_anim._compat import figure_of
from scanpy_anim.pl._categorical_coloring import CategoricalColoring, palette_bytes
from scanpy_anim.pl._continuous_coloring import ContinuousColoring
from scanpy_anim.pl._source import Continuous

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from numpy.typing import NDArray

    from scanpy_anim.pl._draw_order import DrawOrder
    from scanpy_anim.pl._drawing import Drawing
    from scanpy_anim.pl._stage import Stage, StagePanel
    from scanpy_anim.pl._timeline import Moment
    from scanpy_anim.raster import FrameStyle


class Coloring(Protocol):
    """Colors of the cells of a panel, and which of them lie on top."""

    @property
    def order(self) -> DrawOrder | None:
        """Which cells lie on top in all frames; `None`: order of the data."""

    def ordered(self, moments: Sequence[Moment], above: NDArray[np.intp]) -> Self:
        """Return the coloring with its drawing order settled for a film, some cells `above`."""

    def style(self, moment: Moment) -> FrameStyle:
        """Return what the panel shows at a moment."""

    def colors(self, moment: Moment, stride: int) -> NDArray[np.uint8]:
        """Return RGB of every so many cells at a moment, as if there were no others."""

    def reserved_colors(self) -> NDArray[np.uint8]:
        """Return `(k, 3)` colors that a file with few colors must not change."""


def colorings_of(stage: Stage, drawing: Drawing) -> list[Coloring]:
    """Make the coloring of each panel with the colors that scanpy gave the stage."""
    return [_coloring_of(stage, panel, drawing) for panel in stage.panels]


def _coloring_of(stage: Stage, panel: StagePanel, drawing: Drawing) -> Coloring:
    source, mask, sort_order = panel.source, stage.mask, drawing.sort_order
    opaque = panel.cloud.get_alpha() is not None  # alpha= replaces that of the colors
    if isinstance(source, Continuous):
        cloud = panel.cloud
        norm = cast("Normalize", cloud.norm)
        return ContinuousColoring(
            source, panel.scale, cloud.get_cmap(), norm, sort_order, mask, opaque
        )
    palette = palette_bytes(stage.plot.palette(panel.column), stage.na_color)
    if opaque:
        palette[:, 3] = 255
    groups = stage.groups
    visible = np.array([groups is None or c in groups for c in source.categories])
    seeds = source.seeds.positions if source.seeds else np.empty(0, np.intp)
    return CategoricalColoring(
        source,
        palette,
        visible,
        sort_order,
        mask,
        seeds,
        confidence=drawing.confidence,
        ground=ground_of(panel.ax),
    )


def ground_of(ax: Axes) -> NDArray[np.uint8]:
    """Return the RGB of what lies under the cells of an axes; white where nothing does."""
    colors = [figure_of(ax).get_facecolor(), (1.0, 1.0, 1.0, 1.0)]
    if ax.axison and ax.patch.get_visible():
        colors = [ax.get_facecolor(), *colors]
    rgb = next(to_rgba_array([c])[0] for c in colors if to_rgba_array([c])[0, 3] > 0)[:3]
    return np.rint(rgb * 255).astype(np.uint8)
