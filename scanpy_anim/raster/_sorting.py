"""Stable sorting of float and integer keys by radix."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIGIT = 11
_BUCKETS = 1 << _DIGIT
_U = np.uint64


def stable_order(values: NDArray) -> NDArray[np.uint32]:
    """Positions (uint32) that sort the values ascending: ties as they come, NaN first."""
    return radix_order(sortable(values))


def sortable(values: NDArray) -> NDArray:
    """Unsigned integers in the order of the values; 0 stands for NaN alone."""
    values = np.require(values, requirements=["C"])
    kind, width = values.dtype.kind, values.dtype.itemsize
    if kind == "f":
        floats = values.astype(np.float32 if width <= 4 else np.float64)  # a copy
        return float_keys(floats, floats.view(np.uint32 if width <= 4 else np.uint64))
    if kind == "b" or (kind == "u" and width <= 2):
        return values.astype(np.uint32) + np.uint32(1)
    if kind in "iu":
        shifted = values.astype(np.uint64) - np.uint64(int(values.min(initial=0)) % 2**64)
        top = int(shifted.max(initial=0))
        if top < 2**32 - 1:
            return shifted.astype(np.uint32) + np.uint32(1)
        return shifted + np.uint64(1)
    msg = f"values of dtype {values.dtype} have no order here: give numbers"
    raise TypeError(msg)


@njit(nogil=True, cache=True)
def float_keys(floats, bits):
    """Keys in the order of the floats, in place of their bits; both zeros are the same."""
    sign = bits.dtype.type(1) << bits.dtype.type(8 * bits.itemsize - 1)
    for i in range(bits.size):
        if np.isnan(floats[i]):
            bits[i] = 0
        elif bits[i] > sign:
            bits[i] = ~bits[i]
        else:
            bits[i] |= sign
    return bits


@njit(nogil=True, cache=True)
def radix_order(keys):
    """Positions that sort unsigned keys; stable."""
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
        key = _U(keys[i])
        for p in range(passes):
            counts[p, key & _U(_BUCKETS - 1)] += 1
            key >>= _U(_DIGIT)
    for p in range(passes):
        shift = _U(p * _DIGIT)
        if n == 0 or counts[p].max() == n:
            continue
        start = 0
        for b in range(_BUCKETS):
            count = counts[p, b]
            counts[p, b] = start
            start += count
        for i in range(n):
            key = sorted_keys[i]
            bucket = (_U(key) >> shift) & _U(_BUCKETS - 1)
            at = _U(counts[p, bucket])
            spare[at] = order[i]
            spare_keys[at] = key
            counts[p, bucket] += 1
        order, spare = spare, order
        sorted_keys, spare_keys = spare_keys, sorted_keys
    return order
