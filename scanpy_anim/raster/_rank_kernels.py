"""From sorted keys to colour levels."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def level_ranks(keys, order, ranked, n_levels, vmin, vmax):
    """Level of each key's rank; `order` sorts the keys, the first `ranked` of them count."""
    levels = np.full(keys.size, n_levels + 2, np.uint16)
    if ranked == 0:
        return levels
    if np.isnan(vmin):
        vmin = _tie_rank(0, _tie_end(keys, order, 0, ranked))
    if np.isnan(vmax):
        vmax = _tie_rank(_tie_start(keys, order, ranked), ranked)
    first = 0
    while first < ranked:
        end = _tie_end(keys, order, first, ranked)
        level = _level(_tie_rank(first, end), n_levels, vmin, vmax)
        for k in range(first, end):
            levels[order[k]] = level
        first = end
    return levels


@njit(inline="always")
def _tie_end(keys, order, first, ranked):
    key = keys[order[first]]
    end = first + 1
    while end < ranked and keys[order[end]] == key:
        end += 1
    return end


@njit(inline="always")
def _tie_start(keys, order, ranked):
    start = ranked - 1
    while start > 0 and keys[order[start - 1]] == keys[order[ranked - 1]]:
        start -= 1
    return start


@njit(inline="always")
def _tie_rank(first, end):
    """Average of the ranks first + 1 .. end."""
    return 0.5 * (first + 1 + end)


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
