"""The history while it grows, and its transposition into C order at the end.

An iteration writes one number a cell and class, but a row of the result holds all iterations of a
cell. With several classes a cell's numbers of one iteration lie together, and are written where
they belong. With one, each number would touch another line of memory: the rows are taken in
blocks, and each block keeps iteration after iteration in the very bytes that its rows will take
up in the end. Turning a block around fits into a core's cache.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim.tl._crew import Crew

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 256


class Columns:
    """Columns ``(n_obs, *width)``, taken without knowing how many will come.

    Growing, turning around and trimming all happen inside the one buffer, so that there are never
    two histories. ``array[i // block, slot, i % block]`` is row ``i`` of a column, with a block of
    256 rows for columns of single numbers and of one row for others.
    """

    def __init__(
        self, n_obs: int, width: tuple[int, ...], dtype: Any, *, expected: int, most: int
    ) -> None:
        self.block = 1 if width else BLOCK
        self._n_obs = n_obs
        self._n_blocks = -(-n_obs // self.block)
        self._most = most
        self._width = width
        self._n_filled = 0
        shape = (self._n_blocks, min(expected, most), self.block, *width)
        self.array: NDArray[Any] = np.empty(shape, dtype=dtype)

    def add(self) -> int:
        """Make room for a column, and say where it is."""
        if self._n_filled == self.array.shape[1]:
            self._grow(min(self._most, self._n_filled + max(4, self._n_filled // 2)))
        self._n_filled += 1
        return self._n_filled - 1

    def put(self, column: NDArray[Any]) -> None:
        """Add a column that is there already."""
        slot, whole = self.add(), self._n_obs // self.block
        inside = whole * self.block
        self.array[:whole, slot] = column[:inside].reshape(whole, self.block, *self._width)
        if whole < self._n_blocks:
            self.array[whole, slot, : self._n_obs - inside] = column[inside:]

    def put_rows(
        self,
        rows: NDArray[np.int64],
        values: NDArray[Any],
        *,
        elsewhere: Any,
        n_threads: int | None = None,
    ) -> None:
        """Add a column of `values` at some rows and one value `elsewhere`."""
        slot = self.add()
        if self.block > 1:
            self.array[:, slot] = elsewhere
        else:
            self._fill(slot, elsewhere, n_threads)
        self.array[rows // self.block, slot, rows % self.block] = values

    def _fill(self, slot: int, value: Any, n_threads: int | None) -> None:
        """One value into a wide column; the first to touch a new history waits for its memory."""
        from scanpy_anim.tl._columns_kernels import fill_slot

        n_rows, capacity = self.array.shape[:2]
        rows = self.array.reshape(n_rows, capacity, -1)
        work = np.arange(n_rows + 1) * (capacity * rows.shape[2])
        with Crew(work, n_threads) as crew:
            crew.run(fill_slot, rows, slot, self.array.dtype.type(value))

    def finish(self, n_threads: int | None = None) -> NDArray[Any]:
        """Turn into ``(n_obs, n_columns, *width)``, C order."""
        if self.block > 1:
            self._turn(n_threads)
        size = self.block * prod(self._width)
        wanted = self._n_obs * self._n_filled * prod(self._width)
        flat = self._spaced(self.array.shape[1], self._n_filled, size)
        if len(flat) - wanted >= self._n_filled * max(size, BLOCK):
            flat = _resized(flat, wanted)
        return flat[:wanted].reshape(self._n_obs, self._n_filled, *self._width)

    def _turn(self, n_threads: int | None) -> None:
        """Turn each block around, where it is."""
        from scanpy_anim.tl._columns_kernels import turn_blocks

        _, capacity, block, *_ = self.array.shape
        work = np.arange(self._n_blocks + 1) * (self._n_filled * block)
        with Crew(work, n_threads) as crew:
            crew.run(turn_blocks, self.array.reshape(-1), capacity, self._n_filled, block)

    def _grow(self, n_columns: int) -> None:
        before, size = self.array.shape[1], self.block * prod(self._width)
        flat = self._spaced(before, n_columns, size)
        self.array = flat.reshape(self._n_blocks, n_columns, self.block, *self._width)

    def _spaced(self, before: int, after: int, size: int) -> NDArray[Any]:
        """Buffer with blocks of `after` columns, of which those that there were are kept.

        Blocks are moved a few at a time: none is written over before it has moved.
        """
        flat, self.array = self.array.reshape(-1), np.empty(0)
        if after == before:
            return flat
        growing = after > before
        if growing:
            flat = _resized(flat, self._n_blocks * after * size)
        kept = min(before, after) * size
        at_once = max(1, BLOCK // self.block)
        starts = range(0, self._n_blocks, at_once)
        for first in reversed(starts) if growing else starts:
            last = min(first + at_once, self._n_blocks)
            old = flat[first * before * size : last * before * size]
            old = old.reshape(last - first, -1)[:, :kept].copy()
            flat[first * after * size : last * after * size].reshape(last - first, -1)[:, :kept] = (
                old
            )
        return flat


def _resized(flat: NDArray[Any], size: int) -> NDArray[Any]:
    """Make the buffer longer or shorter; the allocator moves pages rather than bytes."""
    owner = flat if flat.base is None else flat.base
    del flat
    owner.resize(size, refcheck=False)
    return owner
