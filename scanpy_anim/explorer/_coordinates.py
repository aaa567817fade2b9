"""Where cells are, as whole numbers of one step along both axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

#: Bits of a coordinate: fewer for many cells, which are smaller than the steps are wide.
_BITS, _BITS_OF_MANY, _MANY = 16, 14, 1 << 16


class _Grid(NamedTuple):
    """Coordinates are `origin + step * (whole number)`."""

    origin: tuple[float, ...]
    step: float

    def whole(self, positions: NDArray[np.float64]) -> NDArray[np.uint16]:
        """Return the whole numbers of some positions, all finite."""
        return np.rint((positions - self.origin) / self.step).astype(np.uint16)


def grid_of(positions: NDArray[np.float64]) -> _Grid:
    """Return the grid that holds all of some positions, those that are finite, in any space."""
    n, n_axes = positions.shape[-2:]
    low, high = np.full(n_axes, np.inf), np.full(n_axes, -np.inf)
    for stop in positions.reshape(-1, n, n_axes) if n else ():
        known = stop[np.isfinite(stop).all(axis=1)]
        low = np.minimum(low, known.min(axis=0, initial=np.inf))
        high = np.maximum(high, known.max(axis=0, initial=-np.inf))
    if not np.isfinite(low).all():
        return _Grid((0.0,) * n_axes, 1.0)
    bits = _BITS if n < _MANY else _BITS_OF_MANY
    step = float((high - low).max() / ((1 << bits) - 1))
    return _Grid(tuple(low.tolist()), step if step > 0 else 1.0)


class _Stop(NamedTuple):
    """Coordinates as bytes.

    Attributes
    ----------
    content
        Differences, low bytes and high bytes of each axis apart; then eight cells a byte that are
        nowhere, if any are.
    from_before
        Whether the differences are those to the stop before, not from cell to cell.
    nowhere
        Whether some cells are nowhere.
    """

    content: bytes
    from_before: bool
    nowhere: bool


def pack_stops(stops: NDArray[np.float64], grid: _Grid) -> Iterator[_Stop]:
    """Pack coordinates, `(n_stops, n, 2)`, each stop as what takes fewer bits."""
    before: NDArray[np.uint16] | None = None
    for stop in stops:
        nowhere = ~np.isfinite(stop).all(axis=1)
        known = np.where(nowhere[:, None], grid.origin, stop)
        places = grid.whole(known).T
        steps = _zigzag(np.diff(places, prepend=np.uint16(0)))
        from_before = False
        if before is not None:
            moved = _zigzag(places - before)
            from_before = _bits(moved) < _bits(steps)
            steps = moved if from_before else steps
        planes = [byte_planes(axis) for axis in steps]
        if nowhere.any():
            planes.append(pack_bits(nowhere).tobytes())
        yield _Stop(b"".join(planes), from_before, bool(nowhere.any()))
        before = places


def _bits(numbers: NDArray[np.unsignedinteger]) -> float:
    return float(np.log2(1.0 + numbers).sum())


def pack_bits(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return eight cells a byte, the first one in the lowest bit."""
    return np.packbits(mask, bitorder="little")


def pack_along(along: NDArray[np.uint32]) -> bytes:
    """Return how far along a curve each cell is from the one before, in four planes of bytes."""
    return byte_planes(np.diff(along, prepend=np.uint32(0)))


def pack_cells(cells: NDArray[np.int64]) -> bytes:
    """Return numbers of cells as differences from one to the next, in four planes of bytes."""
    before = np.append(0, cells[:-1])
    return byte_planes(_zigzag((cells - before).astype(np.uint32)))


def _zigzag(differences: NDArray[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
    """Turn differences modulo 2**bits into numbers that are small where these are near 0."""
    bits = 8 * differences.itemsize
    signed = differences.view(f"i{differences.itemsize}")
    return ((signed << 1) ^ (signed >> (bits - 1))).view(differences.dtype)


def byte_planes(numbers: NDArray) -> bytes:
    """Return the lowest bytes of all numbers, then the next ones."""
    each = numbers.astype(numbers.dtype.newbyteorder("<")).view(np.uint8)
    return each.reshape(len(numbers), numbers.itemsize).T.tobytes()
