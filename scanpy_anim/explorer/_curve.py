"""Where cells are, as one whole number: how far along a curve that meets every place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from scanpy_anim.explorer._coordinates import grid_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BITS = 16  # of a coordinate


def along_curve(positions: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Return how far along a Hilbert curve cells are, at places of their grid.

    Parameters
    ----------
    positions
        `(n, 2)` coordinates, all finite.
    """
    return _along(grid_of(positions).whole(positions))


@njit(nogil=True, cache=True, error_model="numpy")
def _along(places: NDArray[np.uint16]) -> NDArray[np.uint32]:
    """Follow a Hilbert curve: a square's quarter at a time, turned as the curve turns."""
    along = np.empty(len(places), np.uint32)
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
        along[i] = np.uint32(distance)
    return along
