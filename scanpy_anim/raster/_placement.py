"""Where cells fall on a canvas: the pixel and the footprint of each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ._threads import spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._footprint import Footprints
    from ._stamps import StampSheet
    from ._view import View

_CHUNK = 1 << 18  # cells placed at a time
_BANDS = 32


@dataclass(frozen=True, eq=False)
class Placement:
    """The spot (pixel and stamp, see :mod:`._placement_kernels`) of every cell."""

    spots: NDArray[np.int64]
    footprints: Footprints

    def total_cover(self) -> int:
        """Pixels of all cells' footprints together."""
        from ._placement_kernels import STAMP_BITS

        marks = self.footprints
        areas = marks.boxes[:, 2].astype(np.int64) * marks.boxes[:, 3]
        drawn = self.spots[self.spots >= 0] & ((1 << STAMP_BITS) - 1)
        counts = np.bincount(drawn, minlength=len(marks.reach))
        return int(areas.reshape(-1, marks.parts).sum(axis=1) @ counts)


@dataclass(frozen=True, eq=False)
class Band:
    """Some rows of the canvas, and the cells that touch them, front first."""

    window: NDArray[np.int64]
    cells: NDArray[np.uint32]
    spots: NDArray[np.int64]


def place_points(offsets: NDArray[np.float64], sheet: StampSheet, view: View) -> Placement:
    """Find each cell's pixel and phase, and the footprints that occur."""
    from ._placement_kernels import place

    n = len(offsets)
    spots = np.empty(n, np.int64)
    phases = sheet.phases

    def place_chunk(first: int) -> None:
        place(
            offsets, view.matrix, float(view.height), view.window, float(sheet.margin),
            sheet.shapes.of_cell, phases.count, phases.breaks, phases.n_breaks, spots,
            first, min(first + _CHUNK, n),
        )  # fmt: skip

    spread(place_chunk, range(0, n, _CHUNK))
    if sheet.complete is not None:
        return Placement(spots, sheet.complete)
    used = _number(spots, sheet.n_stamps)
    return Placement(spots, sheet.rasterise(used))


def _number(spots: NDArray[np.int64], n_stamps: int) -> NDArray[np.int64]:
    """Give new numbers to the stamps that occur, in place; return what they were."""
    from ._placement_kernels import STAMP_BITS

    stamp = (1 << STAMP_BITS) - 1
    number = np.zeros(n_stamps, np.int64)
    drawn = spots >= 0
    found = spots[drawn]
    number[found & stamp] = 1
    used = np.flatnonzero(number)
    number[used] = np.arange(len(used))
    spots[drawn] = (found & ~stamp) | number[found & stamp]
    return used


def cut_into_bands(placement: Placement, order: NDArray[np.uint32], view: View) -> list[Band]:
    """Cut the canvas into bands of rows that can be drawn independently of each other.

    Parameters
    ----------
    placement
        Where the cells fall.
    order
        Positions of the cells, back to front; empty: as they come.
    view
        The canvas.
    """
    from ._placement_kernels import bin_cells

    top, bottom, left, right = (int(end) for end in view.window)
    height = max(1, -(-(bottom - top) // _BANDS))
    reach = placement.footprints.reach
    starts, cells, spots = bin_cells(order, placement.spots, reach, top, bottom, height)
    tops = range(top, bottom, height)
    windows = [np.array([first, min(first + height, bottom), left, right]) for first in tops]
    return [
        Band(window, cells[start:end], spots[start:end])
        for window, (start, end) in zip(windows, pairwise(starts), strict=True)
    ]
