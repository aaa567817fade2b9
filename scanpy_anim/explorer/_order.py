"""Which cells lie on top, as a film has it, in an order that leaves no neighbourhood early."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from scanpy_anim.raster._sorting import stable_order

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_BITS = 16  # of a place along the curve, each axis
_SIDE = 4096  # pixels that are told apart along an axis, at most
_FINE = 2  # ... and of a cell's radius
_TILE = 2  # bits of a pixel's place within a tile


def drawing_order(
    order: ArrayLike,
    pixels: NDArray[np.float64],
    radius: float,
    blocks: NDArray[np.integer] | None = None,
) -> NDArray[np.intp]:
    """Return cells in another order that draws the same picture, and takes fewer bytes.

    Cells that touch a common pixel keep their order. All others go, sweep after sweep, along a
    Hilbert curve over tiles of a few pixels: each cell in the first sweep in which all that lie
    under it have gone. So coordinates, and what coordinates have to do with, change little from
    cell to cell.

    Parameters
    ----------
    order
        Cells back to front.
    pixels
        `(n_obs, 2)` where cells are in the picture, finite for those in `order`.
    radius
        Of their disks, in pixels.
    blocks
        `(n_obs,)` numbers; all cells of one number go before those of the next one in `order`.
    """
    cells = np.asarray(order, np.intp)
    known = pixels[cells]
    if not len(cells):
        return cells
    low = np.floor(known.min(axis=0) - radius)
    with np.errstate(over="ignore", invalid="ignore"):
        span = float((known.max(axis=0) + radius - low).max())
    if not np.isfinite(span):
        return cells
    pitch = 2.0 ** max(0, np.ceil(np.log2(max(span / _SIDE, radius / _FINE, 1.0))))
    places = (known - low) / pitch
    tiles = places.astype(np.uint32) >> np.uint32(_TILE)
    block = np.zeros(len(cells), np.int64) if blocks is None else blocks[cells].astype(np.int64)
    keys = _sweeps(places, radius / pitch, _along(tiles), block, int(span / pitch) + 2)
    return cells[stable_order(keys)]


@njit(nogil=True, cache=True, error_model="numpy")
def _sweeps(
    places: NDArray[np.float64],
    radius: float,
    along: NDArray[np.uint64],
    blocks: NDArray[np.int64],
    side: int,
) -> NDArray[np.uint64]:
    """Return in which sweep each cell goes, above 32 bits of its place along the curve.

    `places` are those of cells back to front; of each pixel it is known what was the last to go.
    """
    gone = np.zeros((side, side), np.uint64)
    keys = np.empty(len(places), np.uint64)
    low_bits = np.uint64((1 << 32) - 1)
    first = last = np.uint64(0)
    for i in range(len(places)):
        if i and blocks[i] != blocks[i - 1]:
            first = (last >> np.uint64(32)) + np.uint64(1) << np.uint64(32)
        x, y = places[i, 0], places[i, 1]
        left, right = max(0, int(x - radius)), min(side - 1, int(x + radius))
        top, bottom = max(0, int(y - radius)), min(side - 1, int(y + radius))
        key = first
        for row in range(top, bottom + 1):
            for col in range(left, right + 1):
                key = max(key, gone[row, col])
        if key & low_bits > along[i]:
            key += np.uint64(1 << 32)
        key = key & ~low_bits | along[i]
        gone[top : bottom + 1, left : right + 1] = key
        keys[i] = key
        last = max(last, key)
    return keys


@njit(nogil=True, cache=True, error_model="numpy")
def _along(places: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Follow a Hilbert curve: a square's quarter at a time, turned as the curve turns."""
    along = np.empty(len(places), np.uint64)
    for i in range(len(places)):
        x, y = np.int64(places[i, 0]), np.int64(places[i, 1])
        distance = np.int64(0)
        side = np.int64(1) << (_BITS - 1)
        while side > 0:
            right, up = np.int64((x & side) > 0), np.int64((y & side) > 0)
            distance += side * side * ((3 * right) ^ up)
            if up == 0:
                if right == 1:
                    x, y = (1 << _BITS) - 1 - x, (1 << _BITS) - 1 - y
                x, y = y, x
            side >>= 1
        along[i] = np.uint64(distance)
    return along
