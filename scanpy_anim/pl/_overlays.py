"""What lies over the cells: rings around those that matter, the frame's text, a progress line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import scanpy as sc
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import ScaledTranslation, TransformedPatchPath

from scanpy_anim._accessors import plain_names
from scanpy_anim._cells import read_cells
from scanpy_anim._checks import is_number, is_whole
from scanpy_anim._compat import figure_of
from scanpy_anim.pl._source import Categorical, Seeds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from scanpy_anim.pl._stage import Stage, StagePanel

#: So many rings have room for a white halo; past a share of all cells, rings hide the film.
_FEW = 50
_SHARE = 1 / 50
#: Height of a line of text, in letters' size.
_LINE = 1.25


@dataclass(frozen=True, eq=False)
class Rings:
    """Cells to ring.

    Attributes
    ----------
    panel
        Number of the panel on its stage.
    cells, colors
        Positions of the cells, and the color of their rings: one, or one each.
    """

    panel: int
    cells: NDArray[np.intp]
    colors: Any = "black"

    @property
    def line(self) -> tuple[float, float, float]:
        """Return in points the width of a ring, its gap around the cell, the halo's width."""
        few = len(self.cells) <= _FEW
        width = 1.2 if few else 0.6
        return width, 4.5 if few else 2.0, width + 1.4 if few else 0.0

    def draw(
        self,
        panel: StagePanel,
        coordinates: NDArray[np.float64] | None = None,
        *,
        share: float = 1.0,
    ) -> None:
        """Ring the cells above all others, under labels, wide enough to leave them in sight.

        Parameters
        ----------
        panel
            Where to.
        coordinates
            `(n_obs, 2)`; `None`: where the cells are on the stage.
        share
            Of the usual width, where cells are drawn smaller.
        """
        width, gap, halo = (share * points for points in self.line)
        cloud = panel.cloud
        marker = cloud.get_paths()[0].get_extents()
        diameter = max(marker.size) * np.sqrt(np.max(cloud.get_sizes(), initial=0))
        if coordinates is None:
            coordinates = np.asarray(cloud.get_offsets())
        x, y = coordinates[self.cells].T
        rings = panel.ax.scatter(
            x,
            y,
            (diameter + gap) ** 2,  # points squared; the marker `o` is 1 wide
            facecolors="none",
            edgecolors=self.colors,
            linewidths=width,
            zorder=2.9,  # texts are at 3
        )
        if halo:
            rings.set_path_effects([withStroke(linewidth=halo, foreground="white")])


def seed_rings(stage: Stage) -> list[Rings]:
    """Ring the seeds of every panel that shows a propagation, in their class's color.

    Those of classes that `groups` leaves out are left out too.
    """
    rings = []
    for i, panel in enumerate(stage.panels):
        seeds = panel.source.seeds
        if seeds is None:
            continue
        if isinstance(panel.source, Categorical) and stage.groups is not None:
            names = np.array(panel.source.categories)[seeds.classes]
            shown = np.isin(names, list(stage.groups))
            seeds = Seeds(seeds.positions[shown], seeds.classes[shown])
        n_seeds, n_obs = len(seeds.positions), stage.plot.n_obs
        if n_seeds == 0:
            continue
        if n_seeds > max(_FEW, _SHARE * n_obs):
            sc.logging.info(
                f"{n_seeds} seeds of {panel.source.name!r} are not ringed: "
                "the rings would hide the cells"
            )
            continue
        colors: Any = "black"
        if isinstance(panel.source, Categorical):
            palette = stage.plot.palette(panel.column)
            colors = [palette[c] for c in seeds.classes]
        rings.append(Rings(i, seeds.positions, colors))
    return rings


def marked_cells(adata: AnnData, cells: Sequence[Any] | None) -> NDArray[np.intp]:
    """Read which cells to ring, given as names, positions or a mask."""
    if cells is None:
        return np.empty(0, np.intp)
    named = plain_names("mark_cells", cells)
    if named is not cells and not isinstance(named, list):
        cells = adata.obs[named] if isinstance(named, str) else named.read(adata)
    kind = getattr(getattr(cells, "dtype", None), "kind", None)
    if isinstance(cells, list | tuple):
        if any(np.ndim(c) if hasattr(c, "dtype") else isinstance(c, list | tuple) for c in cells):
            raise TypeError(f"mark_cells={cells!r} is nested: one list of names or positions.")
        kind = "f" if any(is_number(c) and not is_whole(c) for c in cells) else None
    if kind in ("f", "c") or isinstance(cells, Mapping):
        what = "a mapping" if isinstance(cells, Mapping) else "floats"
        raise TypeError(
            f"mark_cells holds {what}: cells are marked by name, position or mask, such as "
            "mark_cells=adata.obs['score'] > 0.5."
        )
    return read_cells(adata.obs_names, cells, name="mark_cells").positions


def cell_rings(stage: Stage, cells: NDArray[np.intp]) -> list[Rings]:
    """Ring any cells in every panel."""
    return [Rings(i, cells) for i in range(len(stage.panels)) if len(cells)]


def lift_titles(stage: Stage) -> None:
    """Make room for frame texts, which stand right over the axes: titles go one line up.

    A title that says no more than the texts gives way to them.
    """
    for panel in stage.panels:
        title = panel.ax.title
        line = _LINE * float(title.get_fontsize())
        text = title.get_text() if stage.keeps_title(panel) else ""
        panel.ax.set_title(text, pad=mpl.rcParams["axes.titlepad"] + line)


class FrameText:
    """Where the texts of the frames stand over an axes, and in which letters: those of titles.

    Matplotlib's own titles do not belong to a frame, so these are texts of their own.

    Parameters
    ----------
    ax
        The axes.
    aside
        Stand small below the lower right corner, where a color bar takes the place above.
    """

    def __init__(self, ax: Axes, *, aside: bool) -> None:
        self.ax, self.aside = ax, aside
        shift = -5 if aside else mpl.rcParams["axes.titlepad"]
        points = figure_of(ax).dpi_scale_trans
        self._transform = ax.transAxes + ScaledTranslation(0, shift / 72, points)
        self._unused_clip = TransformedPatchPath(ax.patch)  # else each text is given one of its own
        self._font = ax.title.get_fontproperties().copy()
        self._font.set_size(float(ax.title.get_fontsize()) * (0.8 if aside else 1))

    def write(self, text: str) -> Text:
        """Write a frame's text."""
        title, aside = self.ax.title, self.aside
        written = Text(
            1.0 if aside else 0.5,
            0.0 if aside else 1.0,
            text,
            transform=self._transform,
            ha="right" if aside else "center",
            va="top" if aside else "baseline",
            fontproperties=self._font,
            color=title.get_color(),
        )
        written.set_clip_on(False)
        written.set_clip_path(self._unused_clip)
        self.ax.add_artist(written)
        return written


def draw_progress(ax: Axes, share: float) -> None:
    """Draw a thin line along the lower edge, as long as the film has come."""
    line = Line2D([0, share], [0, 0], transform=ax.transAxes, clip_on=False, zorder=4)
    line.set(color=ax.title.get_color(), linewidth=2.5, solid_capstyle="butt")
    ax.add_line(line)
