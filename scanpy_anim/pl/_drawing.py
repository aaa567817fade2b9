"""How the caller wants the cells drawn, and where they are: arguments of ours, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import scanpy as sc
from matplotlib.axes import Axes

from scanpy_anim._checks import is_number, switch
from scanpy_anim.pl._spatial import SPATIAL
from scanpy_anim.raster import PointsArtist

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanpy_anim.pl._draw_order import SortOrder

#: Sides of a figure, so that at 100 dots an inch no side is beyond 2^16 pixels.
_MOST_INCHES = 655


@dataclass(frozen=True, eq=False)
class Drawing:
    """How the cells are drawn, and what is drawn over them.

    Attributes
    ----------
    sort_order, confidence, mark_seeds, progress_line, progress, figsize
        As of `animate_embedding`.

    Raises
    ------
    ValueError, TypeError
        For what is out of range, naming the argument.
    """

    sort_order: SortOrder
    confidence: bool
    mark_seeds: bool
    progress_line: bool
    progress: bool | None
    figsize: tuple[float, float] | None

    def __post_init__(self) -> None:
        if self.figsize is not None:
            object.__setattr__(self, "figsize", checked_size(self.figsize))
        for name in ("confidence", "progress_line", "mark_seeds"):
            switch(name, getattr(self, name))
        order = self.sort_order
        if not (isinstance(order, bool) or (isinstance(order, str) and order == "frame")):
            raise ValueError(f"sort_order={order!r}: True, False or 'frame'.")


@dataclass(frozen=True, eq=False)
class Scene:
    """What the cells are drawn in: embeddings, flat or turning, a tissue's picture, axes.

    Attributes
    ----------
    basis, projection, rotate, align, img_key, library_id, ax
        As of `animate_embedding`.

    Raises
    ------
    ValueError, TypeError
        For what is out of range or would be left aside, naming the argument.
    """

    basis: str | Sequence[str]
    projection: Literal["2d", "3d"]
    rotate: float
    align: bool
    img_key: str | bool | None
    library_id: str | None
    ax: Axes | None

    def __post_init__(self) -> None:
        _check_axes(self.ax)
        self._check_used()

    def _check_used(self) -> None:
        """Refuse what would be left aside without a word."""
        basis, rotate, align = self.basis, self.rotate, self.align
        switch("align", align)
        if not is_number(rotate):
            raise ValueError(f"rotate={rotate!r}: degrees that the film turns, such as 360.")
        names = [basis] if isinstance(basis, str) else list(basis) if np.iterable(basis) else []
        if not all(isinstance(name, str) for name in names):
            raise TypeError(f"basis={basis!r}: the name of an embedding in adata.obsm, or several.")
        if self.projection == "2d" and rotate != 360:
            raise ValueError(f"rotate={rotate!r} goes with projection='3d'.")
        if not align and len(names) == 1:
            raise ValueError("align=False goes with several embeddings as basis.")
        if names and not set(names).intersection(SPATIAL):
            for name in ("img_key", "library_id"):
                value = getattr(self, name)
                if isinstance(value, str):
                    raise ValueError(f"{name}={value!r} goes with basis='spatial'.")
        if not isinstance(self.library_id, str | None):
            raise TypeError(f"library_id={self.library_id!r}: the name of one library.")


def _check_axes(ax: object) -> None:
    """Refuse axes on which cells cannot be drawn or seen."""
    if ax is None:
        return
    if not isinstance(ax, Axes):
        raise TypeError(f"ax={ax!r}: one matplotlib Axes, such as plt.subplots() makes.")
    if ax.name != "rectilinear":
        raise ValueError(
            f"ax is of projection {ax.name!r}: films are drawn on plain axes, such as "
            "plt.subplots() makes; projection='3d' turns the cells there, too."
        )
    figure = ax.get_figure(root=True)
    if figure is None or ax not in figure.axes:
        if figure is not None and any(ax in other.child_axes for other in figure.axes):
            raise ValueError("ax is an inset of other axes: give axes of the figure itself.")
        raise ValueError("ax has been taken off its figure: nothing of a film could be seen there.")
    if not (ax.get_visible() and figure.get_visible()):
        raise ValueError("ax is invisible, and so would the film be: ax.set_visible(True).")
    if any(isinstance(artist, PointsArtist) for other in figure.axes for artist in other.artists):
        sc.logging.warning(
            "the figure of ax has a film already: each plays on its own, the other standing still; "
            "sca.pl.side_by_side([film, film]) plays both on one clock"
        )


def checked_size(figsize: Any) -> tuple[float, float]:
    """Read the width and height of a figure."""
    pair = list(figsize) if np.iterable(figsize) else []
    if len(pair) != 2 or not all(is_number(side) and 0 < side <= _MOST_INCHES for side in pair):
        raise ValueError(
            f"figsize={figsize!r}: width and height in inches, such as (8, 4.5), "
            f"{_MOST_INCHES} at most."
        )
    return float(pair[0]), float(pair[1])
