"""Where cells are, as whole numbers of one step along both axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Bits of a coordinate: fewer for many cells, which are smaller than the steps are wide.
_BITS, _BITS_OF_MANY, _MANY = 16, 14, 1 << 16


class _Grid(NamedTuple):
    """Coordinates are `origin + step * (whole number)`."""

    origin: tuple[float, float]
    step: float


def grid_of(positions: NDArray[np.float64]) -> _Grid:
    """Return the grid that holds all of some positions."""
    if not len(positions):
        return _Grid((0.0, 0.0), 1.0)
    low, high = positions.min(axis=0), positions.max(axis=0)
    bits = _BITS if len(positions) < _MANY else _BITS_OF_MANY
    step = float((high - low).max() / ((1 << bits) - 1))
    return _Grid((float(low[0]), float(low[1])), step if step > 0 else 1.0)


def pack_coordinates(positions: NDArray[np.float64], grid: _Grid) -> bytes:
    """Return the differences from cell to cell, low bytes and high bytes of each axis apart."""
    planes = []
    for axis in (0, 1):
        places = np.rint((positions[:, axis] - grid.origin[axis]) / grid.step).astype(np.uint16)
        planes.append(byte_planes(_zigzag(np.diff(places, prepend=np.uint16(0)))))
    return b"".join(planes)


def _zigzag(differences: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Turn differences modulo 2**16 into numbers that are small where these are near 0."""
    signed = differences.view(np.int16)
    return ((signed << 1) ^ (signed >> 15)).view(np.uint16)


def byte_planes(numbers: NDArray) -> bytes:
    """Return the lowest bytes of all numbers, then the next ones."""
    each = numbers.astype(numbers.dtype.newbyteorder("<")).view(np.uint8)
    return each.reshape(len(numbers), numbers.itemsize).T.tobytes()
