"""Histories turned around and renumbered in place, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def turn_blocks(
    flat: Any, n_blocks: int, capacity: int, n_columns: int, block: int, size: int
) -> None:
    """Turn ``(n_blocks, capacity, block, size)`` into ``(n_blocks, block, n_columns, size)``.

    The blocks close ranks where fewer columns came than there is room for.
    """
    held = np.empty(n_columns * block * size, dtype=flat.dtype)
    for b in range(n_blocks):
        start = b * capacity * block * size
        for p in range(len(held)):
            held[p] = flat[start + p]
        start = b * n_columns * block * size
        for i in range(block):
            for t in range(n_columns):
                source = (t * block + i) * size
                target = start + (i * n_columns + t) * size
                for c in range(size):
                    flat[target + c] = held[source + c]


@njit(cache=True, nogil=True)
def reorder(rows: Any, order: Any) -> None:
    """Row ``i`` moves to row ``order[i]``, along the cycles of the permutation."""
    moved = np.zeros(len(order), dtype=np.bool_)
    width = rows.shape[1]
    carried = np.empty(width, dtype=rows.dtype)
    for start in range(len(order)):
        if moved[start]:
            continue
        for c in range(width):
            carried[c] = rows[start, c]
        i = start
        while not moved[i]:
            moved[i] = True
            i = order[i]
            for c in range(width):
                carried[c], rows[i, c] = rows[i, c], carried[c]
