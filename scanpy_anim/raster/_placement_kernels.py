"""Which pixel and which footprint each cell falls on.

A cell's spot is one word: row and column of its pixel, 20 bits each, and its stamp. Negative: the
cell is not on the canvas.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np
from numba import njit

STAMP_BITS = 24
_STAMP = (1 << STAMP_BITS) - 1
_SIDE_BITS = 20
_SIDE = (1 << _SIDE_BITS) - 1
_BEFORE = 1 << 16  # pixels that a spot may be before the first row or column
_U = np.uint64


@njit(inline="always")
def stamp_of(spot):
    return spot & _STAMP


@njit(inline="always")
def row_of(spot):
    return (spot >> (STAMP_BITS + _SIDE_BITS)) - _BEFORE


@njit(inline="always")
def col_of(spot):
    return ((spot >> STAMP_BITS) & _SIDE) - _BEFORE


@njit(nogil=True, cache=True, error_model="numpy")
def place(
    offsets, matrix, height, window, margin, shapes, phases, breaks, n_breaks, spots, first, last
):
    """Fill in the spots of the cells `first` .. `last`.

    The stamp is ``(shape * phases + vertical phase) * phases + horizontal phase``. The phase is the
    position within the pixel: equal steps, or for a shape that snaps to the pixel grid the
    interval between its `breaks`, within which snapping gives the same footprint.
    """
    top, bottom = window[0] - margin, window[1] + margin
    left, right = window[2] - margin, window[3] + margin
    for i in range(first, last):
        spots[i] = -1
        u, v = offsets[i, 0], offsets[i, 1]
        x = matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2]
        y = height - (matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2])
        # false for NaN too
        if left <= x and x < right and top <= y and y < bottom:
            shape = np.int64(shapes[i] if shapes.size > 1 else shapes[0])
            if shape >= 0:
                row, col = np.int64(np.floor(y)), np.int64(np.floor(x))
                across = _phase(x - col, phases, breaks, n_breaks, shape, 0)
                down = _phase(y - row, phases, breaks, n_breaks, shape, 1)
                stamp = (shape * phases + down) * phases + across
                place = ((row + _BEFORE) << _SIDE_BITS) | (col + _BEFORE)
                spots[i] = (place << STAMP_BITS) | stamp


@njit(inline="always")
def _phase(fraction, phases, breaks, n_breaks, shape, axis):
    if n_breaks[shape, axis] < 0:
        return min(np.int64(fraction * phases), phases - 1)
    phase = np.int64(0)
    while phase < n_breaks[shape, axis] and fraction >= breaks[shape, axis, phase]:
        phase += 1
    return phase


@njit(nogil=True, cache=True, error_model="numpy")
def bin_cells(order, spots, reach, top, bottom, band_height):
    """Cells that touch each band of rows, front first: starts of the bands, cells, their spots."""
    n_bands = (bottom - top + band_height - 1) // band_height
    band_of = np.empty(bottom - top, np.int64)
    for row in range(bottom - top):
        band_of[row] = row // band_height
    starts = np.zeros(n_bands + 1, np.int64)
    for i in range(spots.size):
        low, high = _rows_of(spots[i], reach, top, bottom)
        if low < high:
            for b in range(band_of[_U(low)], band_of[_U(high - 1)] + 1):
                starts[b + 1] += 1
    free = np.empty(n_bands + 1, np.int64)
    for b in range(n_bands + 1):
        starts[b] += starts[b - 1] if b > 0 else 0
        free[b] = starts[b]
    cells = np.empty(starts[n_bands], np.uint32)
    places = np.empty(starts[n_bands], np.int64)
    for k in range(spots.size - 1, -1, -1):
        cell = _U(order[k]) if order.size > 0 else _U(k)
        spot = spots[cell]
        low, high = _rows_of(spot, reach, top, bottom)
        if low < high:
            for b in range(band_of[_U(low)], band_of[_U(high - 1)] + 1):
                cells[_U(free[b])] = cell
                places[_U(free[b])] = spot
                free[b] += 1
    return starts, cells, places


@njit(inline="always")
def _rows_of(spot, reach, top, bottom):
    """Rows that a cell touches, counted from the top."""
    if spot < 0:
        return np.int64(0), np.int64(0)
    stamp, row = _U(stamp_of(spot)), row_of(spot) - top
    low = max(row + reach[stamp, 0], np.int64(0))
    return low, min(row + reach[stamp, 1], np.int64(bottom - top))
