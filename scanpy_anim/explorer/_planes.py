"""Frames as bytes: what differs from the frame before, where that is less."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scanpy_anim.explorer._coordinates import pack_bits
from scanpy_anim.explorer._parts import likely

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


class Plane(NamedTuple):
    """What a frame holds of each cell, in drawing order.

    Attributes
    ----------
    columns
        `(n,)` uint8 each.
    missing
        `(n,)` bool; `None`: said by the columns, or nothing is missing.
    tables
        What levels stand for: values, ranks and, for scales of the caller's, rows of the colors.
    resort
        Whether cells that are missing lie under others all the same.
    """

    columns: tuple[NDArray[np.uint8], ...]
    missing: NDArray[np.bool_] | None = None
    tables: tuple[NDArray, ...] = ()
    resort: bool = False


def pack_plane(plane: Plane, before: Plane | None) -> tuple[bytes, bool]:
    """Return a plane's bytes, and whether they are differences from the one `before`."""
    bits = None if plane.missing is None else pack_bits(plane.missing)
    alone = _joined(plane.columns, bits)
    if before is None:
        return alone, False
    columns = [np.subtract(a, b) for a, b in zip(plane.columns, before.columns, strict=True)]
    if bits is not None and before.missing is not None:
        bits ^= pack_bits(before.missing)
    differences = _joined(columns, bits)
    from_before = likely(differences)[0] <= likely(alone)[0]
    return differences if from_before else alone, from_before


def _joined(columns: Iterable[NDArray[np.uint8]], bits: NDArray[np.uint8] | None) -> bytes:
    return b"".join(part.tobytes() for part in (*columns, *(() if bits is None else (bits,))))
