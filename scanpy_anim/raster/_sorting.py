"""Stable sorting of float and integer keys by radix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIGIT = 11
_BUCKETS = 1 << _DIGIT


def stable_order(keys: NDArray) -> NDArray[np.uint32]:
    """Positions that sort the keys ascending: ties as they come, NaN first."""
    bits, missing = sortable(keys)
    bits[missing] = 0
    return radix_order(bits)


def sortable(keys: NDArray) -> tuple[NDArray, NDArray[np.bool_]]:
    """Unsigned integers in the order of the keys, and where the keys are NaN."""
    if keys.dtype.kind in "fc":
        wide = np.float64 if keys.dtype.itemsize > 4 else np.float32
        floats = np.asarray(keys, dtype=wide) + wide(0)  # a copy; -0.0 becomes 0.0
        return _float_bits(floats), np.isnan(floats)
    if keys.dtype.kind == "b" or (keys.dtype.kind == "u" and keys.dtype.itemsize < 8):
        return keys.astype(np.uint32), np.zeros(keys.shape, dtype=bool)
    if keys.dtype.kind in "iu":
        lowest = keys.min(initial=0).astype(keys.dtype)
        shifted = keys.astype(np.uint64) - lowest.astype(np.uint64)
        narrow = shifted.max(initial=0) < 2**32
        return shifted.astype(np.uint32 if narrow else np.uint64), np.zeros(keys.shape, dtype=bool)
    msg = f"keys of dtype {keys.dtype} have no order here: give numbers"
    raise TypeError(msg)


def _float_bits(floats: NDArray) -> NDArray:
    width = floats.dtype.itemsize * 8
    bits = floats.view(f"u{floats.dtype.itemsize}")
    sign = bits.dtype.type(1 << (width - 1))
    negative = (bits & sign) != 0
    return np.where(negative, ~bits, bits | sign)


@njit(nogil=True, cache=True)
def radix_order(keys):
    n = keys.size
    order = np.empty(n, np.uint32)
    for i in range(n):
        order[i] = i
    spare = np.empty(n, np.uint32)
    sorted_keys = keys.copy()
    spare_keys = np.empty_like(keys)
    passes = (keys.itemsize * 8 + _DIGIT - 1) // _DIGIT
    counts = np.zeros((passes, _BUCKETS), np.int64)
    for i in range(n):
        key = keys[i]
        for p in range(passes):
            counts[p, np.int64(key & np.uint32(_BUCKETS - 1))] += 1
            key >>= np.uint32(_DIGIT)
    for p in range(passes):
        shift = np.uint32(p * _DIGIT)
        if n == 0 or counts[p].max() == n:
            continue
        start = 0
        for b in range(_BUCKETS):
            count = counts[p, b]
            counts[p, b] = start
            start += count
        for i in range(n):
            key = sorted_keys[i]
            b = np.int64((key >> shift) & np.uint32(_BUCKETS - 1))
            spare[counts[p, b]] = order[i]
            spare_keys[counts[p, b]] = key
            counts[p, b] += 1
        order, spare = spare, order
        sorted_keys, spare_keys = spare_keys, sorted_keys
    return order
