"""What one frame shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Look:
    """What one frame shows: a colour for each cell, and what else differs from frame to frame.

    Attributes
    ----------
    levels
        ``(n,)`` unsigned integers: the row of `table` for each cell, cells in the order of the
        scatter's points.
    table
        ``(n_levels, 4)`` uint8 RGBA with straight alpha: a colour map's colours followed by under,
        over and bad (:func:`color_table`), or a palette (:func:`color_bytes`). A cell whose alpha
        is 0 is not drawn, nor is its edge.
    opacity
        ``(n,)`` uint8 that multiplies the alpha of each cell in this frame.
    order
        ``(n,)`` key of this frame's drawing order, higher on top, ties in the order of the points,
        NaN at the bottom. By default the order of the layer.
    offsets
        ``(n, 2)`` float64 coordinates of this frame. By default those of the layer.
    """

    levels: NDArray
    table: NDArray[np.uint8]
    opacity: NDArray[np.uint8] | None = None
    order: NDArray | None = None
    offsets: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.levels.ndim != 1 or self.levels.dtype not in (np.uint8, np.uint16):
            msg = (
                "levels must be a uint8 or uint16 array with one level a cell, "
                f"got {self.levels.dtype} of shape {self.levels.shape}"
            )
            raise ValueError(msg)
        n = self.levels.size
        _check("table", self.table, (len(self.table), 4), np.uint8)
        _check("opacity", self.opacity, (n,), np.uint8)
        _check("order", self.order, (n,))
        _check("offsets", self.offsets, (n, 2))
        if self.top_level >= len(self.table):
            msg = f"levels go up to {self.top_level}, but table has {len(self.table)} rows"
            raise ValueError(msg)

    @cached_property
    def top_level(self) -> int:
        """Highest level that occurs; -1: no cells."""
        return int(self.levels.max()) if self.levels.size else -1


def _check(
    name: str, array: NDArray | None, shape: tuple[int, ...], dtype: type | None = None
) -> None:
    if array is None:
        return
    if array.shape != shape or (dtype is not None and array.dtype != dtype):
        wanted = f"{np.dtype(dtype).name} of " if dtype is not None else ""
        msg = (
            f"{name} must be an array {wanted}shape {shape} to go with levels, "
            f"got {array.dtype} of shape {array.shape}"
        )
        raise ValueError(msg)
