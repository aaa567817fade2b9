"""Frames as bytes: what differs from the frame before, where that is less."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scanpy_anim.explorer._coordinates import pack_bits

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LOOKS = 1 << 16  # bytes that are looked at to see which way is shorter


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
    from_before = before is not None and _is_shorter(plane, before)
    columns = list(plane.columns)
    bits = None if plane.missing is None else pack_bits(plane.missing)
    if from_before:
        assert before is not None
        columns = [np.subtract(a, b) for a, b in zip(columns, before.columns, strict=True)]
        if bits is not None and before.missing is not None:
            bits = bits ^ pack_bits(before.missing)
    packed = [column.tobytes() for column in columns]
    return b"".join(packed if bits is None else [*packed, bits.tobytes()]), from_before


def _is_shorter(plane: Plane, before: Plane) -> bool:
    """Whether the differences are likely to take fewer bytes than what they are taken of."""
    alone = together = 0.0
    for column, other in zip(plane.columns, before.columns, strict=True):
        some = slice(None, None, max(1, len(column) // _LOOKS))
        together += _entropy(column[some] - other[some])
        # neighbours on the curve are alike, which deflate makes use of
        alone += min(_entropy(column[some]), _entropy(np.diff(column[:_LOOKS])))
    return together <= alone


def _entropy(column: NDArray[np.uint8]) -> float:
    """Return bits a cell, each on its own."""
    counts = np.bincount(column, minlength=1).astype(np.float64)
    shares = counts[counts > 0] / max(len(column), 1)
    return float(-(shares * np.log2(shares)).sum())
