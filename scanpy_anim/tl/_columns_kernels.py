"""Histories of single numbers turned around in place, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

U = np.uint64


@njit(cache=True, nogil=True)
def turn_blocks(
    first: int, last: int, bounds: Any, flat: Any, capacity: int, n_columns: int, block: int
) -> None:
    """Turn blocks ``(capacity, block)`` into ``(block, n_columns)``, at the start of each."""
    columns, rows = U(n_columns), U(block)
    held = np.empty(n_columns * block, dtype=flat.dtype)
    for b in range(U(bounds[first]), U(bounds[last])):
        start = b * U(capacity) * rows
        for p in range(U(len(held))):
            held[p] = flat[start + p]
        for i in range(rows):
            for t in range(columns):
                flat[start + i * columns + t] = held[t * rows + i]


@njit(cache=True, nogil=True)
def fill_slot(first: int, last: int, bounds: Any, wide: Any, slot: int, value: Any) -> None:
    """One value into a column, ``wide[:, slot]``."""
    for i in range(U(bounds[first]), U(bounds[last])):
        for k in range(U(wide.shape[2])):
            wide[i, U(slot), k] = value
