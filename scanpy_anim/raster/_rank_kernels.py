"""From keys to the colour levels of their ranks, without sorting.

Keys are counted by range. Where the first and the last rank of a range have the same level, all
its cells have it; that settles most of them at once. The ranges in which the level changes, at most
as many as there are levels, are split and counted again, until all is settled.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np
from numba import njit

_FIRST_BITS, _BITS = 16, 10  # ranges told apart at first, and within a range afterwards
_U = np.uint64


@njit(nogil=True, cache=True)
def level_ranks(keys, n_levels, vmin, vmax):
    """Levels of the ranks of unsigned keys; key 0 has no rank. NaN limits: lowest, highest rank."""
    levels = np.full(keys.size, n_levels + 2, np.uint16)
    low, high, ranked = _ends(keys)
    lowest, highest = _ties(keys, low, high)
    if np.isnan(vmin):
        vmin = 0.5 * (1 + lowest)
    if np.isnan(vmax):
        vmax = 0.5 * (ranked - highest + 1 + ranked)
    # the cells not settled yet, the range that each is in, the lowest key of each range and the
    # rank before it; all ranges span the same number of bits
    cells = _positions(keys, ranked)
    ranges = np.zeros(ranked, np.uint32)
    lows, ranks = np.full(1, low, np.uint64), np.zeros(1, np.int64)
    width = _bits(high - low)
    bits = min(width, _FIRST_BITS)
    while cells.size > 0:
        shift = _U(width - bits)
        counts = np.zeros(lows.size << bits, np.int64)
        for k in range(cells.size):
            counts[_part(keys, cells, ranges, lows, k, bits, shift)] += 1
        parts, new_lows, ranks = _settle(counts, bits, shift, lows, ranks, n_levels, vmin, vmax)
        left = 0
        for k in range(cells.size):
            settled = parts[_part(keys, cells, ranges, lows, k, bits, shift)]
            if settled >= 0:
                levels[cells[k]] = settled
            else:
                cells[left], ranges[left] = cells[k], -1 - settled
                left += 1
        cells, ranges, lows = cells[:left], ranges[:left], new_lows
        width -= bits
        bits = min(width, _BITS)
    return levels


@njit(inline="always")
def _part(keys, cells, ranges, lows, k, bits, shift):
    """Which part of which range a cell's key is in."""
    r = _U(ranges[k])
    return (r << _U(bits)) + ((_U(keys[_U(cells[k])]) - lows[r]) >> shift)


@njit(inline="always")
def _settle(counts, bits, shift, lows, ranks, n_levels, vmin, vmax):
    """Level of each part of each range, or -1 - the number of the new range it becomes."""
    parts = np.empty(counts.size, np.int64)
    new_lows, new_ranks = np.empty(counts.size, np.uint64), np.empty(counts.size, np.int64)
    n = 0
    for r in range(lows.size):
        before = ranks[r]
        for b in range(1 << bits):
            p = (r << bits) + b
            count = counts[p]
            if count == 0:
                continue
            if shift == 0:  # one key alone: its rank is the average of those tied
                parts[p] = _level(before + 0.5 * (1 + count), n_levels, vmin, vmax)
            else:
                parts[p] = _level(before + 1.0, n_levels, vmin, vmax)
                if parts[p] != _level(float(before + count), n_levels, vmin, vmax):
                    parts[p] = -1 - n
                    new_lows[n] = lows[r] + (_U(b) << shift)
                    new_ranks[n] = before
                    n += 1
            before += count
    return parts, new_lows[:n].copy(), new_ranks[:n].copy()


@njit(inline="always")
def _ends(keys):
    """Lowest and highest key, and how many there are."""
    low, high, ranked = _U(0), _U(0), 0
    for i in range(keys.size):
        key = _U(keys[i])
        if key != 0:
            low = key if ranked == 0 else min(low, key)
            high = max(high, key)
            ranked += 1
    return low, high, ranked


@njit(inline="always")
def _ties(keys, low, high):
    """How many share the lowest and the highest key."""
    lowest = highest = 0
    for i in range(keys.size):
        lowest += _U(keys[i]) == low
        highest += _U(keys[i]) == high
    return lowest, highest


@njit(inline="always")
def _positions(keys, ranked):
    cells = np.empty(ranked, np.uint32)
    k = 0
    for i in range(keys.size):
        if keys[i] != 0:
            cells[k] = i
            k += 1
    return cells


@njit(inline="always")
def _bits(span):
    bits = 0
    while bits < 64 and (span >> _U(bits)) > 0:
        bits += 1
    return bits


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
