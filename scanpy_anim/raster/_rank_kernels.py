"""From sorted keys to colour levels.

Most levels need no sorting: keys are counted in 65,536 buckets of key ranges, and where the first
and the last rank of a bucket have the same level, all its cells have it. Only the cells of the
other buckets, a few at each change of level, are sorted.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np
from numba import njit

from ._sorting import radix_order

_BITS = 16
_BUCKETS = 1 << _BITS
_U = np.uint64


@njit(nogil=True, cache=True)
def level_ranks(keys, n_levels, vmin, vmax):
    """Levels of the ranks of unsigned keys; key 0 has no rank. NaN limits: lowest, highest rank."""
    levels = np.full(keys.size, n_levels + 2, np.uint16)
    low, high, ranked = _ends(keys)
    if ranked == 0:
        return levels
    shift = _shift(high - low)
    starts = np.zeros(_BUCKETS + 1, np.int64)
    lowest = highest = 0
    for i in range(keys.size):
        if keys[i] != 0:
            starts[_U((keys[i] - low) >> shift) + _U(1)] += 1
            lowest += keys[i] == low
            highest += keys[i] == high
    if np.isnan(vmin):
        vmin = 0.5 * (1 + lowest)
    if np.isnan(vmax):
        vmax = 0.5 * (ranked - highest + 1 + ranked)
    common = np.empty(_BUCKETS, np.int64)
    undecided = 0
    for b in range(_BUCKETS):
        first, count = starts[b], starts[b + 1]
        starts[b + 1] += first
        common[b] = _level(first + 1.0, n_levels, vmin, vmax)
        if count > 0 and common[b] != _level(float(first + count), n_levels, vmin, vmax):
            common[b] = -1
            undecided += count
    rest = np.empty(undecided, np.uint32)
    undecided = 0
    for i in range(keys.size):
        if keys[i] != 0:
            level = common[_U((keys[i] - low) >> shift)]
            if level >= 0:
                levels[i] = level
            else:
                rest[undecided] = i
                undecided += 1
    _level_sorted(keys, rest, levels, low, shift, starts, n_levels, vmin, vmax)
    return levels


@njit(inline="always")
def _ends(keys):
    low, high, ranked = keys.dtype.type(0), keys.dtype.type(0), 0
    for i in range(keys.size):
        key = keys[i]
        if key != 0:
            low = key if ranked == 0 else min(low, key)
            high = max(high, key)
            ranked += 1
    return low, high, ranked


@njit(inline="always")
def _shift(span):
    """Bits to drop so that 16 are left."""
    bits = 0
    while (_U(span) >> _U(bits)) >= _U(_BUCKETS):
        bits += 1
    return _U(bits)


@njit(inline="always")
def _level_sorted(keys, rest, levels, low, shift, starts, n_levels, vmin, vmax):
    some = np.empty(rest.size, keys.dtype)
    for k in range(rest.size):
        some[k] = keys[rest[k]]
    order = radix_order(some)
    first, position, bucket = 0, 0, -1
    while first < rest.size:
        key = some[order[first]]
        end = first + 1
        while end < rest.size and some[order[end]] == key:
            end += 1
        b = np.int64((key - low) >> shift)
        position = position if b == bucket else starts[b]
        bucket = b
        rank = position + 0.5 * (1 + end - first)  # the average of those tied
        position += end - first
        level = _level(rank, n_levels, vmin, vmax)
        for k in range(first, end):
            levels[rest[order[k]]] = level
        first = end


@njit(inline="always")
def _level(rank, n_levels, vmin, vmax):
    """As matplotlib's Normalize and Colormap compute it, in float64."""
    if vmin == vmax:
        return 0
    place = (rank - vmin) / (vmax - vmin) * n_levels
    if place == n_levels:
        return n_levels - 1
    if place < 0:
        return n_levels
    if place >= n_levels:
        return n_levels + 1
    return int(place)
