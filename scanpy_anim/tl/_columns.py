"""The history while it grows: C order, one row a cell, one column a kept iteration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BYTES_AT_ONCE = 1 << 22


class Columns:
    """Array ``(n_obs, n_columns, *width)`` that takes columns without knowing how many will come.

    Growing and trimming move rows inside the one buffer, so that there are never two histories.
    """

    def __init__(
        self, n_obs: int, width: tuple[int, ...], dtype: Any, *, expected: int, most: int
    ) -> None:
        self._most = most
        self._width = width
        self.array: NDArray[Any] = np.empty((n_obs, min(expected, most), *width), dtype=dtype)
        self.n_filled = 0

    def add(self) -> int:
        """Position of a fresh column."""
        if self.n_filled == self.array.shape[1]:
            self._reshape(min(self._most, self.n_filled + max(4, self.n_filled // 2)))
        self.n_filled += 1
        return self.n_filled - 1

    def finish(self) -> NDArray[Any]:
        """Cut off what was not filled."""
        if self.n_filled < self.array.shape[1]:
            self._reshape(self.n_filled)
        return self.array

    def _reshape(self, n_columns: int) -> None:
        n_obs, before = self.array.shape[:2]
        kept = min(before, n_columns)
        buffer, self.array = self.array.reshape(-1), np.empty(0)
        buffer = _resized(buffer, n_obs * max(before, n_columns) * _count(self._width))
        old = buffer[: n_obs * before * _count(self._width)].reshape(n_obs, before, *self._width)
        new = buffer[: n_obs * n_columns * _count(self._width)].reshape(
            n_obs, n_columns, *self._width
        )
        starts = range(0, n_obs, max(1, _BYTES_AT_ONCE // max(1, new[:1].nbytes, old[:1].nbytes)))
        size = starts.step
        for start in starts if n_columns < before else reversed(starts):
            new[start : start + size, :kept] = old[start : start + size, :kept].copy()
        del old, new
        self.array = _resized(buffer, n_obs * n_columns * _count(self._width)).reshape(
            n_obs, n_columns, *self._width
        )


def _count(width: tuple[int, ...]) -> int:
    return int(np.prod(width, dtype=np.int64))


def _resized(buffer: NDArray[Any], size: int) -> NDArray[Any]:
    """Make the buffer longer or shorter; the allocator moves pages rather than bytes."""
    owner = buffer if buffer.base is None else buffer.base
    del buffer
    owner.resize(size, refcheck=False)
    return owner
