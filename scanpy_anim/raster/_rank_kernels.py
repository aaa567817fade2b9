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


@njit(nogil=True, cache=True, error_model="numpy")
def level_ranks(keys, n_levels, vmin, vmax):
    """Levels of the ranks of unsigned keys; key 0 has no rank. NaN limits: lowest, highest rank."""
    levels = np.empty(keys.size, np.uint16)
    low, high, ranked, lowest, highest = _ends(keys)
    if np.isnan(vmin):
        vmin = 0.5 * (1 + lowest)
    if np.isnan(vmax):
        vmax = 0.5 * (ranked - highest + 1 + ranked)
    scale = (n_levels, vmin, vmax)
    # at first there is one range, of all keys; then, of each range, the lowest key and the rank
    # before it; all span the same number of bits
    lows, ranks = np.empty(1, np.uint64), np.zeros(1, np.int64)
    lows[0] = low
    width = 0
    while width < 64 and (high - low) >> _U(width) > 0:
        width += 1
    cells, ranges = np.empty(keys.size, np.uint32), np.empty(keys.size, np.uint32)
    left = 0
    for i in range(keys.size):
        levels[i] = n_levels + 2
        if keys[i] != 0:
            cells[left] = i
            ranges[left] = 0
            left += 1
    bits = min(width, _FIRST_BITS)
    while left > 0:
        shift = _U(width - bits)
        counts = np.zeros(lows.size << bits, np.int64)
        for k in range(left):
            counts[_part(keys, cells, ranges, lows, k, bits, shift)] += 1
        parts, new_lows, ranks = _settle(counts, bits, shift, lows, ranks, scale)
        remaining = left
        left = 0
        for k in range(remaining):
            settled = parts[_part(keys, cells, ranges, lows, k, bits, shift)]
            if settled >= 0:
                levels[cells[k]] = settled
            else:
                cells[left], ranges[left] = cells[k], -1 - settled
                left += 1
        lows = new_lows
        width -= bits
        bits = min(width, _BITS)
    return levels


@njit(inline="always")
def _part(keys, cells, ranges, lows, k, bits, shift):
    """Which part of which range a cell's key is in."""
    r = _U(ranges[k])
    return (r << _U(bits)) + ((keys[_U(cells[k])] - lows[r]) >> shift)


@njit(inline="always")
def _settle(counts, bits, shift, lows, ranks, scale):
    """Level of each part of each range, or -1 - the number of the new range it becomes."""
    parts = np.empty(counts.size, np.int64)
    new_lows, new_ranks = np.empty(counts.size, np.uint64), np.empty(counts.size, np.int64)
    n = 0
    for p in range(counts.size):
        r, b = p >> bits, p & ((1 << bits) - 1)
        before, count = ranks[r], counts[p]
        if count == 0:
            continue
        ranks[r] += count
        if shift == 0:  # one key alone: its rank is the average of those tied
            first = last = before + 0.5 * (1 + count)
        else:
            first, last = before + 1.0, float(before + count)
        parts[p] = _level(first, scale)
        if parts[p] != _level(last, scale):
            parts[p] = -1 - n
            new_lows[n] = lows[r] + (_U(b) << shift)
            new_ranks[n] = before
            n += 1
    return parts, new_lows[:n], new_ranks[:n]


@njit(inline="always")
def _ends(keys):
    """Lowest and highest key, how many there are, and how many share the lowest and the highest."""
    low, high, ranked, lowest, highest = ~_U(0), _U(0), 0, 0, 0
    for i in range(keys.size):
        if keys[i] != 0:
            ranked += 1
            low, high = min(low, keys[i]), max(high, keys[i])
    for i in range(keys.size):
        lowest += keys[i] == low
        highest += keys[i] == high
    return low, high, ranked, lowest, highest


@njit
def _level(rank, scale):
    """As matplotlib's Normalize and Colormap compute it, in float64."""
    n_levels, vmin, vmax = scale
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
