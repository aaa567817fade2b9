"""Where cells fall on a canvas: the pixel and the glyph of each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from scanpy_anim._threads import spread, thread_count
from scanpy_anim.raster._footprints import GLYPH_BITS, Footprints, SubpixelOffsets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.raster._canvas import Canvas
    from scanpy_anim.raster._footprints import GlyphAtlas

_CHUNK = 1 << 18  # cells placed at a time
_BANDS = 32
_GLYPH = (1 << GLYPH_BITS) - 1
_SIDE_BITS = 20
_SIDE = (1 << _SIDE_BITS) - 1
_BEFORE = 1 << 16  # pixels that a sprite may be before the first row or column
_U = np.uint64


@dataclass(frozen=True, eq=False)
class Placement:
    """Where each cell falls, and what is drawn there.

    Attributes
    ----------
    sprites
        A cell's sprite is one word: row and column of its pixel, 20 bits each, and its glyph.
        Negative: the cell is not on the canvas.
    footprints
        Coverage of the glyphs.
    """

    sprites: NDArray[np.int64]
    footprints: Footprints

    def total_cover(self) -> int:
        """Pixels of all cells' footprints together."""
        shapes = self.footprints
        areas = shapes.boxes[:, 2].astype(np.int64) * shapes.boxes[:, 3]
        drawn = self.sprites[self.sprites >= 0] & _GLYPH
        counts = np.bincount(drawn, minlength=len(shapes.reach))
        return int(areas.reshape(-1, shapes.parts).sum(axis=1) @ counts)


class Band(NamedTuple):
    """Some rows of the canvas, and the cells that touch them, front first.

    Attributes
    ----------
    window
        `(4,)` first and last row, first and last column.
    cells, sprites
        Positions of the cells, and the sprite of each.
    """

    window: NDArray[np.int64]
    cells: NDArray[np.uint32]
    sprites: NDArray[np.int64]


class _Rows(NamedTuple):
    """The rows that a canvas is cut into, and those that each glyph reaches."""

    reach: NDArray[np.int32]
    top: int
    bottom: int
    band_height: int


def place_points(offsets: NDArray[np.float64], atlas: GlyphAtlas, canvas: Canvas) -> Placement:
    """Find each cell's pixel and position within it, and the footprints that occur."""
    n = len(offsets)
    sprites = np.empty(n, np.int64)

    def place_chunk(first: int) -> None:
        _place(
            offsets, canvas.matrix, float(canvas.height), canvas.window, float(atlas.margin),
            atlas.shapes.of_cell, atlas.subpixel, sprites, first, min(first + _CHUNK, n),
        )  # fmt: skip

    spread(place_chunk, range(0, n, _CHUNK))
    if atlas.complete is not None:
        return Placement(sprites, atlas.complete)
    used = _renumber(sprites, atlas.n_glyphs)
    return Placement(sprites, atlas.rasterise(used))


def _renumber(sprites: NDArray[np.int64], n_glyphs: int) -> NDArray[np.int64]:
    """Give new numbers to the glyphs that occur, in place; return what they were."""
    number = np.zeros(n_glyphs, np.int64)
    drawn = sprites >= 0
    found = sprites[drawn]
    number[found & _GLYPH] = 1
    used = np.flatnonzero(number)
    number[used] = np.arange(len(used))
    sprites[drawn] = (found & ~_GLYPH) | number[found & _GLYPH]
    return used


def cut_into_bands(
    placement: Placement, draw_order: NDArray[np.uint32], canvas: Canvas
) -> list[Band]:
    """Cut the canvas into bands of rows that can be drawn independently of each other.

    Parameters
    ----------
    placement
        Where the cells fall.
    draw_order
        Positions of the cells, back to front; empty: as they come.
    canvas
        What is drawn on.
    """
    top, bottom, left, right = (int(end) for end in canvas.window)
    height = max(1, -(-(bottom - top) // _BANDS))
    reach = placement.footprints.reach
    rows = _Rows(reach, top, bottom, height)
    starts, cells, sprites = _bin_cells(draw_order, placement.sprites, rows)
    tops = range(top, bottom, height)
    windows = [np.array([first, min(first + height, bottom), left, right]) for first in tops]
    return [
        Band(window, cells[start:end], sprites[start:end])
        for window, (start, end) in zip(windows, pairwise(starts), strict=True)
    ]


@njit(inline="always")
def glyph_of(sprite: int) -> int:
    """Glyph that is drawn."""
    return sprite & _GLYPH


@njit(inline="always")
def row_of(sprite: int) -> int:
    """Row of the cell's pixel."""
    return (sprite >> (GLYPH_BITS + _SIDE_BITS)) - _BEFORE


@njit(inline="always")
def col_of(sprite: int) -> int:
    """Column of the cell's pixel."""
    return ((sprite >> GLYPH_BITS) & _SIDE) - _BEFORE


@njit(nogil=True, cache=True, error_model="numpy")
def _place(
    offsets: NDArray[np.float64],
    matrix: NDArray[np.float64],
    height: float,
    window: NDArray[np.int64],
    margin: float,
    shapes: NDArray[np.int32],
    subpixel: SubpixelOffsets,
    sprites: NDArray[np.int64],
    first: int,
    last: int,
) -> None:
    """Fill in the sprites of the cells `first` .. `last`.

    The position within the pixel is told apart in equal steps, or for a shape that snaps to the
    pixel grid by the interval between its breaks, within which snapping gives the same footprint.
    """
    top, bottom = window[0] - margin, window[1] + margin
    left, right = window[2] - margin, window[3] + margin
    for i in range(first, last):
        sprites[i] = -1
        u, v = offsets[i, 0], offsets[i, 1]
        x = matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2]
        y = height - (matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2])
        # false for NaN too
        if left <= x and x < right and top <= y and y < bottom:
            shape = np.int64(shapes[i] if shapes.size > 1 else shapes[0])
            if shape >= 0:
                row, col = np.int64(np.floor(y)), np.int64(np.floor(x))
                across = _step(x - col, subpixel, shape, 0)
                down = _step(y - row, subpixel, shape, 1)
                glyph = (shape * subpixel.steps + down) * subpixel.steps + across
                pixel = ((row + _BEFORE) << _SIDE_BITS) | (col + _BEFORE)
                sprites[i] = (pixel << GLYPH_BITS) | glyph


@njit(inline="always")
def _step(fraction: float, subpixel: SubpixelOffsets, shape: np.int64, axis: int) -> np.int64:
    """Which of the positions within a pixel stands for a fraction of it."""
    n_breaks, steps = subpixel.n_breaks[shape, axis], subpixel.steps
    if n_breaks < 0:
        return min(np.int64(fraction * steps), np.int64(steps - 1))
    step = np.int64(0)
    while step < n_breaks and fraction >= subpixel.breaks[shape, axis, step]:
        step += 1
    return step


def _bin_cells(
    draw_order: NDArray[np.uint32],
    sprites: NDArray[np.int64],
    rows: _Rows,
) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.int64]]:
    """Sort the cells into the bands of rows that they touch, by counting, on all threads.

    A cell that reaches over the edge of a band is in both. Within a band the last cell of the
    drawing order, the one in front, comes first.

    Returns
    -------
    Starts of the bands, the cells of each, their sprites.
    """
    n = len(sprites)
    n_parts = max(1, min(thread_count(), n // _CHUNK))
    ends = [n - n * k // n_parts for k in range(n_parts + 1)]  # from the front
    parts = list(enumerate(zip(ends[1:], ends, strict=False)))
    counts = np.zeros((n_parts, -(-(rows.bottom - rows.top) // rows.band_height)), np.int64)

    def count(part: tuple[int, tuple[int, int]]) -> NDArray[np.int64]:
        number, (first, last) = part
        drawn = sprites[first:last]
        if draw_order.size:
            drawn = np.take(sprites, draw_order[first:last])
        _count_cells(drawn, rows, counts[number])
        return drawn

    drawn = spread(count, parts)
    starts = np.concatenate([[0], np.cumsum(counts.sum(axis=0))])
    free = starts[:-1] + np.cumsum(counts, axis=0) - counts  # behind those further in front
    cells, binned = np.empty(starts[-1], np.uint32), np.empty(starts[-1], np.int64)

    def fill(part: tuple[int, tuple[int, int]]) -> None:
        number, (first, _) = part
        _fill_bands(draw_order, drawn[number], first, rows, free[number], cells, binned)

    spread(fill, parts)
    return starts, cells, binned


@njit(nogil=True, cache=True, error_model="numpy")
def _count_cells(sprites: NDArray[np.int64], rows: _Rows, counts: NDArray[np.int64]) -> None:
    """Count the cells that touch each band."""
    for i in range(_U(sprites.size)):
        first, last = _bands_of(sprites[i], rows)
        for b in range(first, last):
            counts[_U(b)] += 1


@njit(nogil=True, cache=True, error_model="numpy")
def _fill_bands(
    draw_order: NDArray[np.uint32],
    drawn: NDArray[np.int64],
    start: int,
    rows: _Rows,
    free: NDArray[np.int64],
    cells: NDArray[np.uint32],
    binned: NDArray[np.int64],
) -> None:
    """Put the cells from `start` on where their bands have the next free place, from the front."""
    for k in range(drawn.size - 1, -1, -1):
        sprite, at_order = drawn[_U(k)], _U(start + k)
        cell = _U(draw_order[at_order]) if draw_order.size > 0 else at_order
        first, last = _bands_of(sprite, rows)
        for b in range(first, last):
            at = _U(free[_U(b)])
            cells[at] = cell
            binned[at] = sprite
            free[_U(b)] += 1


@njit(inline="always")
def _bands_of(sprite: int, rows: _Rows) -> tuple[int, int]:
    """First band that a cell touches, and the one after the last."""
    if sprite < 0:
        return 0, 0
    glyph, row = _U(glyph_of(sprite)), row_of(sprite) - rows.top
    low = max(row + rows.reach[glyph, 0], 0)
    high = min(row + rows.reach[glyph, 1], rows.bottom - rows.top)
    if low >= high:
        return 0, 0
    return low // rows.band_height, (high - 1) // rows.band_height + 1
