"""Ranks of a frame's values as color levels, without sorting.

Values are counted by range. Where the first and the last rank of a range have the same level, all
its values have it; that settles most of them at once. The ranges in which the level changes, at
most as many as there are levels, are split and counted again, until all is settled. So the work
grows with the number of values alone, and a level is exactly that of the rank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from scanpy_anim.raster._sorting import sort_keys

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_FIRST_BITS, _BITS = 16, 10  # ranges told apart at first, and within a range afterwards
_U = np.uint64


def rank_levels(values: ArrayLike, n_levels: int = 256) -> NDArray[np.uint16]:
    """Color levels of the ranks of `values`, ties averaged.

    The level of a value is the row of the color map that
    `cmap(Normalize()(scipy.stats.rankdata(values)))` takes its color from, found without sorting
    all values. If all values are equal every level is 0.

    Parameters
    ----------
    values
        One value a cell. NaN has no rank.
    n_levels
        Colors in the color map.

    Returns
    -------
    Levels `0 .. n_levels - 1`, NaN `n_levels + 2` (bad): the rows of :func:`color_table`.

    Examples
    --------
    >>> from scanpy_anim.raster import rank_levels
    >>> rank_levels([0.1, 5.0, 5.0, 80.0, float("nan")])
    array([  0, 128, 128, 255, 258], dtype=uint16)
    """
    flat = np.ravel(np.ma.filled(np.ma.asarray(values, dtype=_kept_dtype(values)), np.nan))
    return _level_ranks(sort_keys(flat), n_levels)


def _kept_dtype(values: ArrayLike) -> np.dtype:
    """Masked integers become float64, so that NaN can stand for what is masked."""
    dtype = np.asanyarray(values).dtype
    masked = np.ma.is_masked(values)
    return np.dtype(np.float64) if masked and dtype.kind != "f" else dtype


class _Scale(NamedTuple):
    """Levels, and the ranks at the ends of them."""

    n_levels: int
    lowest: float
    highest: float


@njit(nogil=True, cache=True, error_model="numpy")
def _level_ranks(keys: NDArray[np.uint64], n_levels: int) -> NDArray[np.uint16]:
    """Levels of the ranks of unsigned keys; key 0 has no rank.

    At first there is one range, of all keys; then each has its lowest key (`lows`) and how many
    keys are before it (`ranks`). All ranges of a round span the same number of bits (`width`).
    """
    levels = np.empty(keys.size, np.uint16)
    low, high, ranked, lowest, highest = _ends(keys)
    scale = _Scale(n_levels, 0.5 * (1 + lowest), 0.5 * (ranked - highest + 1 + ranked))
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
            counts[_part(keys[_U(cells[k])], ranges[k], lows, bits, shift)] += 1
        parts, new_lows, ranks = _settle(counts, bits, shift, lows, ranks, scale)
        remaining = left
        left = 0
        for k in range(remaining):
            settled = parts[_part(keys[_U(cells[k])], ranges[k], lows, bits, shift)]
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
def _part(
    key: np.uint64, number: int, lows: NDArray[np.uint64], bits: int, shift: np.uint64
) -> np.uint64:
    """Which part of its range (of which number) a key is in."""
    r = _U(number)
    return (r << _U(bits)) + ((key - lows[r]) >> shift)


@njit(inline="always")
def _settle(
    counts: NDArray[np.int64],
    bits: int,
    shift: np.uint64,
    lows: NDArray[np.uint64],
    ranks: NDArray[np.int64],
    scale: _Scale,
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64]]:
    """Level of each part of each range, or -1 - the number of the new range it becomes.

    Returns
    -------
    These, and of the new ranges the lowest key and how many keys are before it.
    """
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
def _ends(keys: NDArray[np.uint64]) -> tuple[np.uint64, np.uint64, int, int, int]:
    """Lowest and highest key, how many there are, how many share the lowest and the highest."""
    low, high, ranked, lowest, highest = ~_U(0), _U(0), 0, 0, 0
    for i in range(keys.size):
        if keys[i] != 0:
            ranked += 1
            low, high = min(low, keys[i]), max(high, keys[i])
    for i in range(keys.size):
        lowest += keys[i] == low
        highest += keys[i] == high
    return low, high, ranked, lowest, highest


@njit(inline="never")
def _level(rank: float, scale: _Scale) -> int:
    """Level of a rank as matplotlib's Normalize and Colormap compute it, in float64."""
    if scale.lowest == scale.highest:
        return 0
    row = (rank - scale.lowest) / (scale.highest - scale.lowest) * scale.n_levels
    return min(int(row), scale.n_levels - 1)
