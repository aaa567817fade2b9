"""Which cells lie on top, as a film has it, in an order that leaves no neighbourhood early."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from scanpy_anim.raster._sorting import stable_order

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_SIDE = 4096  # pixels that are told apart along an axis, at most
_FINE = 2  # ... and of a cell's radius


def drawing_order(
    order: ArrayLike,
    along: NDArray[np.uint32],
    pixels: NDArray[np.float64],
    radius: float,
    blocks: NDArray[np.integer] | None = None,
) -> NDArray[np.intp]:
    """Return cells in another order that draws the same picture, and takes fewer bytes.

    Cells that touch a common pixel keep their order. All others go, sweep after sweep, along a
    curve: each cell in the first sweep in which all that lie under it have gone. So places along
    the curve, and what places have to do with, change little from cell to cell.

    Parameters
    ----------
    order
        Cells back to front.
    along
        `(n_obs,)` where cells are along the curve.
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
    block = np.zeros(len(cells), np.int64) if blocks is None else blocks[cells].astype(np.int64)
    keys = _sweeps(places, radius / pitch, along[cells], block, int(span / pitch) + 2)
    return cells[stable_order(keys)]


@njit(nogil=True, cache=True, error_model="numpy")
def _sweeps(
    places: NDArray[np.float64],
    radius: float,
    along: NDArray[np.uint32],
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
        place = np.uint64(along[i])
        if key & low_bits > place:
            key += np.uint64(1 << 32)
        key = key & ~low_bits | place
        gone[top : bottom + 1, left : right + 1] = key
        keys[i] = key
        last = max(last, key)
    return keys
