"""Rings around cells that matter, such as the seeds of a propagation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim.pl._source import Categorical, Seeds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData
    from numpy.typing import NDArray

    from scanpy_anim.pl._stage import Stage, StagePanel

#: So many rings have room for a white halo; past a share of all cells, rings hide the film.
FEW = 50
SHARE = 1 / 50


@dataclass(frozen=True, eq=False)
class Rings:
    """Cells of a panel to ring, and the colour of their rings: one, or one each."""

    panel: StagePanel
    cells: NDArray[np.intp]
    colors: Any = "black"
    share: float = 1.0  # of the usual width, where cells are drawn smaller

    def draw(self, coordinates: NDArray[np.float64] | None = None) -> None:
        """Ring the cells above all others, under labels, wide enough to leave them in sight.

        Parameters
        ----------
        coordinates
            `(n_obs, 2)`; `None`: where the cells are on the stage.
        """
        from matplotlib.patheffects import withStroke

        few = len(self.cells) <= FEW
        width = self.share * (1.2 if few else 0.6)
        gap = self.share * (4.5 if few else 2.0)
        cloud = self.panel.cloud
        marker = cloud.get_paths()[0].get_extents()
        diameter = max(marker.size) * np.sqrt(np.max(cloud.get_sizes(), initial=0))
        if coordinates is None:
            coordinates = np.asarray(cloud.get_offsets())
        x, y = coordinates[self.cells].T
        rings = self.panel.ax.scatter(
            x,
            y,
            (diameter + gap) ** 2,  # points squared; the marker `o` is 1 wide
            facecolors="none",
            edgecolors=self.colors,
            linewidths=width,
            zorder=2.9,  # texts are at 3
        )
        if few:
            rings.set_path_effects(
                [withStroke(linewidth=width + 1.4 * self.share, foreground="white")]
            )


def seed_rings(stage: Stage) -> list[Rings]:
    """Ring the seeds of every panel that shows a propagation, in their class's colour.

    Those of classes that `groups` leaves out are left out too.
    """
    import scanpy as sc

    rings = []
    for panel in stage.panels:
        seeds = panel.source.seeds
        if seeds is None:
            continue
        if isinstance(panel.source, Categorical) and stage.groups is not None:
            names = np.array(panel.source.categories)[seeds.classes]
            shown = np.isin(names, list(stage.groups))
            seeds = Seeds(seeds.positions[shown], seeds.classes[shown])
        n_seeds, n_obs = len(seeds.positions), stage.recipe.proxy.n_obs
        if n_seeds == 0:
            continue
        if n_seeds > max(FEW, SHARE * n_obs):
            sc.logging.info(
                f"{n_seeds} seeds of {panel.source.name!r} are not ringed: "
                "the rings would hide the cells"
            )
            continue
        colors: Any = "black"
        if isinstance(panel.source, Categorical):
            palette = stage.recipe.palette(panel.column)
            colors = [palette[c] for c in seeds.classes]
        rings.append(Rings(panel, seeds.positions, colors))
    return rings


def marked_cells(adata: AnnData, cells: Sequence[Any] | None) -> NDArray[np.intp]:
    """Read which cells to ring, given as names, positions or a mask."""
    if cells is None:
        return np.empty(0, np.intp)
    from scanpy_anim.tl._cells import read_cells

    return read_cells(adata.obs_names, cells, name="mark_cells").positions


def cell_rings(stage: Stage, cells: NDArray[np.intp]) -> list[Rings]:
    """Ring any cells in every panel."""
    return [Rings(panel, cells, "black") for panel in stage.panels if len(cells)]
