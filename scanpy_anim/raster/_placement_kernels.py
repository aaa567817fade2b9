"""Which pixel and which footprint each cell falls on."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def place(
    offsets, matrix, height, window, margin, shapes, phases, breaks, n_breaks, rows, cols, keys,
    first, last,
):  # fmt: skip
    """Fill rows, cols and keys for the cells `first` .. `last`; key -1: not on the canvas.

    A key is ``(shape * phases + vertical phase) * phases + horizontal phase``. The phase is the
    position within the pixel: equal steps, or for a shape that snaps to the pixel grid the
    interval between its `breaks`, within which snapping gives the same footprint.
    """
    top, bottom, left, right = window[0], window[1], window[2], window[3]
    for i in range(first, last):
        keys[i] = -1
        u, v = offsets[i, 0], offsets[i, 1]
        x = matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2]
        y = height - (matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2])
        # false for NaN too
        inside = (left - margin <= x) and (x < right + margin)
        inside = inside and (top - margin <= y) and (y < bottom + margin)
        if not inside:
            continue
        shape = shapes[i] if shapes.size > 1 else shapes[0]
        if shape < 0:
            continue
        col, row = np.floor(x), np.floor(y)
        across = _phase(x - col, phases, breaks, n_breaks, shape, 0)
        down = _phase(y - row, phases, breaks, n_breaks, shape, 1)
        rows[i] = np.int32(row)
        cols[i] = np.int32(col)
        keys[i] = np.int32((shape * phases + down) * phases + across)


@njit(inline="always")
def _phase(fraction, phases, breaks, n_breaks, shape, axis):
    if n_breaks[shape, axis] < 0:
        return min(int(fraction * phases), phases - 1)
    phase = 0
    while phase < n_breaks[shape, axis] and fraction >= breaks[shape, axis, phase]:
        phase += 1
    return phase
