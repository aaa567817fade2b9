"""Keys that order values, and stable sorting by radix."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIGIT = 11
_BUCKETS = 1 << _DIGIT
_PASSES = 6  # of 11 bits in a key of 64
_U = np.uint64


def stable_order(values: NDArray) -> NDArray[np.uint32]:
    """Positions that sort the values ascending: ties as they come, NaN first."""
    if values.dtype.kind in "biu":  # none is missing: all 64 bits are free
        return radix_order(_integer_keys(values, 0))
    return radix_order(sort_keys(values))


def sort_keys(values: NDArray) -> NDArray[np.uint64]:
    """Unsigned integers in the order of the values; 0 stands for NaN alone."""
    kind, width = values.dtype.kind, values.dtype.itemsize
    if kind == "f" and width <= 4:
        bits = values.astype(np.float32).view(np.uint32).astype(np.uint64)
        return float_keys(bits, 32, 8)
    if kind == "f":
        return float_keys(values.astype(np.float64).view(np.uint64), 64, 11)
    if kind in "biu":
        return _integer_keys(values, 1)
    msg = f"values of dtype {values.dtype} have no order here: give numbers"
    raise TypeError(msg)


def _integer_keys(values: NDArray, first: int) -> NDArray[np.uint64]:
    """Count integers up from the lowest one, or from 0 where none is negative."""
    return values.astype(np.uint64) - np.uint64((int(values.min(initial=0)) - first) % 2**64)


@njit(nogil=True, cache=True, error_model="numpy")
def float_keys(bits, width, exponent):
    """Turn the bits of floats into keys, in place; both zeros are the same."""
    sign = _U(1) << _U(width - 1)
    infinite = ((_U(1) << _U(exponent)) - _U(1)) << _U(width - 1 - exponent)
    for i in range(bits.size):
        magnitude = bits[i] & (sign - _U(1))
        key = sign - magnitude if bits[i] & sign else sign + magnitude
        bits[i] = key if magnitude <= infinite else _U(0)
    return bits


@njit(nogil=True, cache=True, error_model="numpy")
def radix_order(keys):
    """Positions that sort unsigned keys; stable."""
    n = keys.size
    order, spare = np.empty(n, np.uint32), np.empty(n, np.uint32)
    sorted_keys, spare_keys = np.empty(n, np.uint64), np.empty(n, np.uint64)
    counts = np.zeros((_PASSES, _BUCKETS), np.int64)
    for i in range(n):
        order[i] = i
        sorted_keys[i] = keys[i]
        for p in range(_PASSES):
            counts[p, (keys[i] >> _U(p * _DIGIT)) & _U(_BUCKETS - 1)] += 1
    for p in range(_PASSES):
        shift = _U(p * _DIGIT)
        if n == 0 or counts[p, (keys[0] >> shift) & _U(_BUCKETS - 1)] == n:
            continue
        start = 0
        for b in range(_BUCKETS):
            count = counts[p, b]
            counts[p, b] = start
            start += count
        for i in range(n):
            bucket = (sorted_keys[i] >> shift) & _U(_BUCKETS - 1)
            at = _U(counts[p, bucket])
            spare[at] = order[i]
            spare_keys[at] = sorted_keys[i]
            counts[p, bucket] += 1
        order, spare = spare, order
        sorted_keys, spare_keys = spare_keys, sorted_keys
    return order
