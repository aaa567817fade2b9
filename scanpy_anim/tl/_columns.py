"""The history while it grows, and its transposition into C order at the end.

An iteration writes one number a cell and class, but a row of the result holds all iterations of a
cell: written directly, each number would touch another line of memory. The rows are therefore
taken in blocks, and each block keeps iteration after iteration in the very bytes that its rows
will take up in the end. Turning a block around fits into a core's cache.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.tl._terrain import Terrain

BLOCK = 256


class Columns:
    """Columns ``(n_obs, *width)``, taken without knowing how many will come.

    Growing, turning around, trimming and renumbering all happen inside the one buffer, so that
    there are never two histories. ``array[i // BLOCK, slot, i % BLOCK]`` is row ``i`` of a column.
    """

    def __init__(
        self, n_obs: int, width: tuple[int, ...], dtype: Any, *, expected: int, most: int
    ) -> None:
        self._n_obs = n_obs
        self._n_blocks = -(-n_obs // BLOCK)
        self._most = most
        self._width = width
        self._n_filled = 0
        shape = (self._n_blocks, min(expected, most), BLOCK, *width)
        self.array: NDArray[Any] = np.empty(shape, dtype=dtype)

    def add(self) -> int:
        """Make room for a column, and say where it is."""
        if self._n_filled == self.array.shape[1]:
            self._grow(min(self._most, self._n_filled + max(4, self._n_filled // 2)))
        self._n_filled += 1
        return self._n_filled - 1

    def put(self, column: NDArray[Any]) -> None:
        """Add a column that is there already."""
        slot, whole = self.add(), self._n_obs // BLOCK
        self.array[:whole, slot] = column[: whole * BLOCK].reshape(whole, BLOCK, *self._width)
        if whole < self._n_blocks:
            self.array[whole, slot, : self._n_obs % BLOCK] = column[whole * BLOCK :]

    def finish(self, terrain: Terrain) -> NDArray[Any]:
        """Turn into ``(n_obs, n_columns, *width)``, C order, in the user's order of cells."""
        from scanpy_anim.tl._columns_kernels import reorder, turn_blocks

        size, n_columns = prod(self._width), self._n_filled
        flat = self.array.reshape(-1)
        turn_blocks(flat, self._n_blocks, self.array.shape[1], n_columns, BLOCK, size)
        self.array = np.empty(0)
        if len(flat) - self._n_obs * n_columns * size >= BLOCK * n_columns * size:
            flat = _resized(flat, self._n_obs * n_columns * size)
        flat = flat[: self._n_obs * n_columns * size]
        if terrain.renumbered:
            reorder(flat.reshape(self._n_obs, -1), terrain.order)
        return flat.reshape(self._n_obs, n_columns, *self._width)

    def _grow(self, n_columns: int) -> None:
        before, size = self.array.shape[1], BLOCK * prod(self._width)
        flat, self.array = self.array.reshape(-1), np.empty(0)
        flat = _resized(flat, self._n_blocks * n_columns * size)
        for block in reversed(range(self._n_blocks)):
            # from the last block on: none is written over before it has moved
            old = flat[block * before * size : (block + 1) * before * size].copy()
            start = block * n_columns * size
            flat[start : start + before * size] = old
        self.array = flat.reshape(self._n_blocks, n_columns, BLOCK, *self._width)


def _resized(flat: NDArray[Any], size: int) -> NDArray[Any]:
    """Make the buffer longer or shorter; the allocator moves pages rather than bytes."""
    owner = flat if flat.base is None else flat.base
    del flat
    owner.resize(size, refcheck=False)
    return owner
