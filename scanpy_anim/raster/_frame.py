"""What one frame shows: a color for each cell, and what else differs from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from scanpy_anim._threads import spread
from scanpy_anim.raster._blending import faded, opacity, pack_colors, step_of_cover

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_NONE = np.empty(0, np.uint8)
_NO_STEPS = np.empty(0, np.uint64)
_CHUNK = 1 << 17  # cells gathered at a time
_ALPHA = np.uint64(48)  # bit of a packed color


@dataclass(frozen=True, eq=False)
class FrameStyle:
    """What one frame shows: a color for each cell, and what else differs from frame to frame.

    Attributes
    ----------
    levels
        `(n,)` unsigned integers: the row of `table` for each cell, cells in the order of the
        scatter's points.
    table
        `(n_levels, 4)` uint8 RGBA with straight alpha: a color map's colors followed by under,
        over and bad (:func:`color_table`), or a palette (:func:`color_bytes`). A cell whose alpha
        is 0 is not drawn, nor is its edge.
    sort_key
        `(n,)` numbers that order the cells in this frame, higher on top, NaN at the bottom. By
        default the order of the layer.
    first_on_top
        Which of several cells with the same `sort_key` lies on top: the last one of the data, as
        in a scatter, or the first one, as scanpy has it for numbers.
    missing
        `(n,)` bool: cells that lie below all others in the order of the layer, but for those that
        it has on top.
    offsets
        `(n, 2)` float64 coordinates of this frame. By default those of the layer.
    """

    levels: NDArray[np.integer]
    table: NDArray[np.uint8]
    sort_key: NDArray | None = None
    first_on_top: bool = False
    missing: NDArray[np.bool_] | None = None
    offsets: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.levels.ndim != 1 or self.levels.dtype not in (np.uint8, np.uint16):
            raise ValueError(
                "levels must be a uint8 or uint16 array with one level a cell, "
                f"got {self.levels.dtype} of shape {self.levels.shape}"
            )
        n = self.levels.size
        _check("table", self.table, (len(self.table), 4), np.uint8)
        _check("sort_key", self.sort_key, (n,))
        _check("missing", self.missing, (n,), np.bool_)
        _check("offsets", self.offsets, (n, 2))
        if self.top_level >= len(self.table):
            raise ValueError(
                f"levels go up to {self.top_level}, but table has {len(self.table)} rows"
            )

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.levels.size

    @cached_property
    def top_level(self) -> int:
        """Highest level that occurs; -1: no cells."""
        return int(self.levels.max()) if self.levels.size else -1


@dataclass(frozen=True, eq=False)
class LateStyle:
    """What one frame of cells at rest in the layer's order shows, of those that are seen.

    Of millions of cells most are hidden behind others. Who is seen is known when it is drawn.

    Attributes
    ----------
    size
        Number of cells.
    table
        As of :class:`FrameStyle`, with one alpha for all levels.
    read
        Levels of the cells at some positions.
    whole
        The same frame with the levels of all cells.
    """

    size: int
    table: NDArray[np.uint8]
    read: Callable[[NDArray[np.int64]], NDArray[np.integer]]
    whole: Callable[[], FrameStyle]


def _check(
    name: str, array: NDArray | None, shape: tuple[int, ...], dtype: type | None = None
) -> None:
    if array is None:
        return
    if array.shape != shape or (dtype is not None and array.dtype != dtype):
        wanted = f"{np.dtype(dtype).name} of " if dtype is not None else ""
        raise ValueError(
            f"{name} must be an array {wanted}shape {shape} to go with levels, "
            f"got {array.dtype} of shape {array.shape}"
        )


class PackedColors(NamedTuple):
    """Colors of the faces and edges of some cells, as the kernels take them.

    Attributes
    ----------
    levels
        `(n,)` row of the table of each cell.
    table
        Packed colors (:func:`.pack_colors`).
    edges
        Packed colors of the edges, taken in turns by all cells; empty: as the faces.
    opacity
        `(n,)` factor of each cell's alpha, 0 to 255; empty: none.
    steps
        Blending step of each coverage, where all that is drawn has one alpha; else empty.
    """

    levels: NDArray[np.uint16]
    table: NDArray[np.uint64]
    edges: NDArray[np.uint64]
    opacity: NDArray[np.uint8]
    steps: NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class FrameColors:
    """Colors of the faces and edges of all cells.

    Attributes
    ----------
    levels, table, edges, opacity
        As of :class:`PackedColors`; levels may be a function that gives those of some cells.
    alpha
        Alpha (0 to 255) of all that is drawn, if it is the same.
    """

    levels: NDArray[np.integer] | Callable[[NDArray[np.int64]], NDArray[np.integer]]
    table: NDArray[np.uint64]
    edges: NDArray[np.uint64]
    opacity: NDArray[np.uint8]
    alpha: int | None

    def packed(self, cells: NDArray[np.int64] | None = None) -> PackedColors:
        """Gather the colors of some cells, or of all; edges stay those of all cells."""
        levels, opacity = self.levels, self.opacity
        if cells is not None:
            levels = levels(cells) if callable(levels) else gathered(levels, cells)
            opacity = gathered(opacity, cells) if opacity.size else opacity
        assert not callable(levels)
        wide: NDArray[np.uint16] = writable(levels.astype(np.uint16, copy=False))
        steps = _NO_STEPS if self.alpha is None else step_of_cover(self.alpha)
        return PackedColors(wide, self.table, self.edges, opacity, steps)

    @property
    def least_alphas(self) -> tuple[float, float]:
        """Alpha (0 to 255) that every face, and every edge, has at least."""
        if self.alpha is not None:
            return float(self.alpha), float(self.alpha)
        if self.opacity.size:
            return 0.0, 0.0
        face = float((self.table >> _ALPHA).min(initial=255))
        edge = float((self.edges >> _ALPHA).min()) if self.edges.size else face
        return face, edge if face else 0.0


def frame_colors(
    style: FrameStyle | LateStyle,
    alpha: float | NDArray[np.uint8],
    edges: NDArray[np.uint64],
    *,
    has_edges: bool,
) -> FrameColors:
    """Colors of a frame on points with an alpha of their own, which is a factor.

    Parameters
    ----------
    style
        What the frame shows.
    alpha
        Of all points (0 to 1), or `(n,)` of each (0 to 255).
    edges
        Packed colors of the edges, taken in turns; empty: as the faces.
    has_edges
        Whether edges are drawn.
    """
    table, opacity = style.table, _NONE
    if isinstance(alpha, float):
        table = table.copy()
        table[:, 3] = np.floor(table[:, 3] * alpha + 0.5)
    else:
        opacity = writable(alpha)
    levels: Any = style.read if isinstance(style, LateStyle) else style.levels
    if isinstance(style, LateStyle):
        alphas = {int(alpha) for alpha in table[:1, 3]}
    else:
        alphas = set(_alphas(table[: style.top_level + 1], style.levels))
    if has_edges:
        alphas |= {int(edge) for edge in np.unique(edges >> _ALPHA)}
    common = alphas.pop() if len(alphas) == 1 and not opacity.size else None
    return FrameColors(levels, pack_colors(table), edges, opacity, common)


def _alphas(table: NDArray[np.uint8], levels: NDArray[np.integer]) -> list[int]:
    """Distinct alphas of the levels that occur."""
    alphas = table[:, 3]
    if len(alphas) and alphas.min() != alphas.max():
        alphas = alphas[np.bincount(levels, minlength=len(alphas)) > 0]
    return [int(alpha) for alpha in np.unique(alphas)]


def gathered(array: NDArray, cells: NDArray[np.int64]) -> NDArray:
    """Take what belongs to some cells, on all threads."""
    taken = np.empty(len(cells), array.dtype)
    contiguous = array.flags.c_contiguous

    def take_chunk(first: int) -> None:
        some = slice(first, first + _CHUNK)
        if contiguous:
            np.take(array, cells[some], out=taken[some], mode="clip")  # "raise" would copy
        else:  # of which `take` would make a contiguous copy
            taken[some] = array[cells[some]]

    spread(take_chunk, range(0, len(cells), _CHUNK))
    return taken


def writable(array: NDArray) -> NDArray:
    """Contiguous and writable, as the kernels are compiled for; a copy only if it must be."""
    return np.require(array, requirements=["C", "W"])


@njit(inline="always")
def primitive_color(
    edge: np.uint64, i: np.uint64, cell: np.uint64, colors: PackedColors
) -> np.uint64:
    """Color of a cell's face or edge, of packed colors in which it is the `i`-th.

    Without colors of their own edges take the face's. A face that is not drawn has no edge.
    """
    color = colors.table[np.uint64(colors.levels[i])]
    if edge and colors.edges.size > 0:
        hidden = opacity(color) == 0
        color = colors.edges[cell % np.uint64(colors.edges.size)]
        if hidden:
            color = faded(color, 0)
    if colors.opacity.size > 0:
        color = faded(color, colors.opacity[i])
    return color
