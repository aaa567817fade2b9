"""Columns of a history put into its blocks of cells, compiled (see `_history.Columns`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from scanpy_anim._arrays import Floats, Ints

U = np.uint64


@njit(cache=True, nogil=True)
def put_scores(
    first: int,
    last: int,
    bounds: Ints,
    signal: Floats,
    scale: Floats,
    place: Ints,
    columns: Floats | Ints,
    slot: int,
) -> None:
    """`signal / scale` into column `slot` of a growing history, in the user's order of cells.

    Blocks of cells, see `_history.Columns`. The user's cell `i` is row `place[i]` of the signal,
    or row `i` when `place` is empty.
    """
    n_obs, n_rows = U(len(scale)), U(columns.shape[2])
    for block in range(U(bounds[first]), U(bounds[last])):
        start = block * n_rows
        for r in range(min(n_rows, n_obs - start)):
            i = start + r
            j = U(place[i]) if len(place) else i
            unscale = np.float32(1) / scale[j]
            for c in range(U(signal.shape[1])):
                columns[block, U(slot), r, c] = signal[j, c] * unscale


@njit(cache=True, nogil=True)
def turn_blocks(
    first: int, last: int, bounds: Ints, flat: Floats | Ints, shape: tuple[int, ...], n_columns: int
) -> None:
    """Turn blocks `(capacity, n_rows, width)` into `(n_rows, n_columns, width)`, each in place.

    The second stands at the start of the first.
    """
    n_columns_, n_rows, width = U(n_columns), U(shape[1]), U(shape[2])
    size = U(shape[0]) * n_rows * width
    held = np.empty(n_columns_ * n_rows * width, dtype=flat.dtype)
    for block in range(U(bounds[first]), U(bounds[last])):
        start = block * size
        for p in range(U(len(held))):
            held[p] = flat[start + p]
        for i in range(n_rows):
            for t in range(n_columns_):
                to, of = start + (i * n_columns_ + t) * width, (t * n_rows + i) * width
                for c in range(width):
                    flat[to + c] = held[of + c]


@njit(cache=True, nogil=True)
def fill_slot(
    first: int, last: int, bounds: Ints, columns: Floats | Ints, slot: int, value: float
) -> None:
    """One value into a column, `columns[:, slot]`."""
    for block in range(U(bounds[first]), U(bounds[last])):
        for r in range(U(columns.shape[2])):
            for c in range(U(columns.shape[3])):
                columns[block, U(slot), r, c] = value
