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
    from ._markers import Markers
    from ._view import View

_CHUNK = 1 << 18  # cells placed at a time
_BANDS = 32


@dataclass(frozen=True, eq=False)
class Placement:
    """The pixel and the stamp of every cell; stamp -1: not on the canvas."""

    rows: NDArray[np.int32]
    cols: NDArray[np.int32]
    stamps: NDArray[np.int32]
    footprints: Footprints

    def total_cover(self) -> int:
        """Pixels of all cells' footprints together."""
        marks = self.footprints
        areas = marks.boxes[:, 2].astype(np.int64) * marks.boxes[:, 3]
        drawn = self.stamps[self.stamps >= 0]
        counts = np.bincount(drawn, minlength=len(marks.reach))
        return int(areas.reshape(-1, marks.parts).sum(axis=1) @ counts)


@dataclass(frozen=True, eq=False)
class Band:
    """Some rows of the canvas, and the cells that touch them, front first."""

    window: NDArray[np.int64]
    members: NDArray[np.uint32]


def place_points(offsets: NDArray[np.float64], markers: Markers, view: View) -> Placement:
    """Find each cell's pixel and phase, and rasterise the footprints that occur."""
    from ._footprint import choose_phases, rasterise
    from ._placement_kernels import place

    n = len(offsets)
    shapes = markers.shapes(n, view.dpi)
    margin = markers.margin(shapes, view.dpi)
    phases = choose_phases(markers, shapes, margin, n, view.dpi)
    rows, cols, keys = (np.empty(n, np.int32) for _ in range(3))

    def place_chunk(first: int) -> None:
        place(
            offsets, view.matrix, float(view.height), view.window, float(margin), shapes.of_cell,
            phases.count, phases.breaks, phases.n_breaks, rows, cols, keys,
            first, min(first + _CHUNK, n),
        )  # fmt: skip

    spread(place_chunk, range(0, n, _CHUNK))
    stamps, used = _number(keys, len(shapes) * phases.count**2)
    footprints = rasterise(markers, shapes, phases, used, margin, view.dpi)
    return Placement(rows, cols, stamps, footprints)


def _number(keys: NDArray[np.int32], n_keys: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Give numbers to the keys that occur: each cell's stamp, and the key of each stamp."""
    if n_keys <= 1024:
        return keys, np.arange(n_keys)
    stamp = np.zeros(n_keys + 1, np.int32)
    stamp[keys] = 1
    stamp[-1] = 0  # where key -1 points
    used = np.flatnonzero(stamp)
    stamp[used] = np.arange(len(used))
    stamp[-1] = -1
    return stamp[keys], used


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
    from ._visibility_kernels import bin_members

    top, bottom, left, right = (int(end) for end in view.window)
    height = max(1, -(-(bottom - top) // _BANDS))
    starts, members = bin_members(
        order, placement.rows, placement.stamps, placement.footprints.reach, top, bottom, height
    )
    tops = range(top, bottom, height)
    windows = [np.array([first, min(first + height, bottom), left, right]) for first in tops]
    return [
        Band(window, members[start:end])
        for window, (start, end) in zip(windows, pairwise(starts), strict=True)
    ]
