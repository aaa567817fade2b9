"""Numbers as levels of a byte that serve every color scale.

A level ends wherever a step of one of the scales does: ranks, values, values up to the 99th
percentile, logarithms. A table of each frame says which value and which rank a level stands for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from scanpy_anim.raster import rank_levels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

N_LEVELS = 256
_RANK_TOP = 65535  # what a frame's highest rank is in a table
_MOST, _FEW = 112, 26  # steps of the scale that the film has, of each other one


class Leveled(NamedTuple):
    """The levels of a frame, and what they stand for.

    Attributes
    ----------
    levels
        `(n,)` uint8; of missing cells 0.
    missing
        `(n,)` bool.
    values, ranks
        `(256,)` float32 mean value and uint16 rank, 0 to 65,535, of each level.
    """

    levels: NDArray[np.uint8]
    missing: NDArray[np.bool_]
    values: NDArray[np.float32]
    ranks: NDArray[np.uint16]


@dataclass(frozen=True)
class Steps:
    """Where levels end, in all frames of a film.

    Attributes
    ----------
    scale
        The film's own, which gets most of the steps: `"rank"`, `"linear"` or `"log"`.
    low, high
        Limits of the film.
    p99
        The 99th percentile of all values.
    positive
        The lowest value above 0.
    """

    scale: str
    low: float
    high: float
    p99: float
    positive: float

    def of(self, values: NDArray[np.floating]) -> Leveled:
        """Return the levels of a frame; NaN is missing."""
        n = {name: _MOST if name == self.scale else _FEW for name in ("rank", "linear", "log")}
        ranks = rank_levels(values, n["rank"])
        start = max(self.low, self.positive)
        ends = np.array([self.low, self.high, self.p99, start], np.float64)
        levels, sums, counts = _leveled(
            np.ascontiguousarray(values), ranks, ends, n["rank"], n["linear"], n["log"]
        )
        known = counts[:N_LEVELS]
        with np.errstate(invalid="ignore"):
            means = sums / known
        missing = ranks == n["rank"] + 2
        return Leveled(levels, missing, _filled(means), _ranks(values, known, missing))


def film_steps(
    scale: str,
    frames: Iterable[NDArray[np.floating]],
    limits: tuple[float, float] | None,
    stride: int = 1,
) -> Steps:
    """Return the steps that serve some frames.

    Parameters
    ----------
    scale
        The film's own.
    frames
        Values of each frame, NaN where there is none.
    limits
        Of the film; `None`: lowest and highest value.
    stride
        Of every so many cells the 99th percentile is read.
    """
    ends: list[tuple[float, float, float]] = []
    some: list[NDArray[np.floating]] = [np.empty(0)]
    for values in frames:
        ends.append(_ends(np.ascontiguousarray(values)))
        some.append(values[::stride].copy())  # or all of the frame would stay in memory
    low, positive, high = np.reshape(ends, (-1, 3)).T
    known = np.concatenate(some)
    known = known[np.isfinite(known)]
    least = float(positive.min(initial=np.inf))
    start, end = (low.min(initial=np.inf), high.max(initial=-np.inf)) if limits is None else limits
    if not start <= end:  # no values at all
        start, end = 0.0, 1.0
    return Steps(
        scale,
        float(start),
        float(end),
        float(np.quantile(known, 0.99)) if known.size else float(end),
        least if np.isfinite(least) else 1.0,
    )


@njit(nogil=True, cache=True, error_model="numpy")
def _ends(values: NDArray[np.floating]) -> tuple[float, float, float]:
    """Return the lowest value, the lowest above 0, the highest; infinite where there is none."""
    low, positive, high = np.inf, np.inf, -np.inf
    for i in range(values.size):
        v = np.float64(values[i])
        if v < low:
            low = v
        if v > high:
            high = v
        if v > 0 and v < positive:
            positive = v
    return low, positive, high


def _filled(table: NDArray[np.float64]) -> NDArray[np.float32]:
    """Give levels that no cell has the value of the one below, the first known one at the start."""
    known = np.isfinite(table)
    if not known.any():
        return np.zeros(len(table), np.float32)
    last = np.maximum.accumulate(np.where(known, np.arange(len(table)), -1))
    last[last < 0] = np.argmax(known)
    most = np.finfo(np.float32).max
    return np.clip(table[last], -most, most).astype(np.float32)


def _ranks(
    values: NDArray[np.floating], counts: NDArray[np.int64], missing: NDArray[np.bool_]
) -> NDArray[np.uint16]:
    """Return the mean rank of each level, between the lowest and the highest of the frame."""
    n = int(counts.sum())
    before = np.cumsum(counts) - counts
    mean = before + (counts + 1) / 2
    if n:
        ends = np.nanmin(values), np.nanmax(values)
        lowest = (np.count_nonzero(values == ends[0]) + 1) / 2
        highest = n - (np.count_nonzero(values == ends[1]) - 1) / 2
        span = highest - lowest
        mean = (mean - lowest) / span if span > 0 else np.zeros(len(mean))
    share = np.clip(_filled(np.where(counts > 0, mean, np.nan)), 0, 1)
    return np.rint(share * _RANK_TOP).astype(np.uint16)


@njit(nogil=True, cache=True, error_model="numpy")
def _leveled(
    values: NDArray[np.floating],
    ranks: NDArray[np.uint16],
    ends: NDArray[np.float64],
    n_rank: int,
    n_linear: int,
    n_log: int,
) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.int64]]:
    """Sum up the steps of the scales: the sum changes wherever one of them does.

    `ends`: low, high, 99th percentile, where logarithms start. Returns levels, and sums of the
    values and number of the cells of each level.
    """
    low, high, p99, positive = ends[0], ends[1], ends[2], ends[3]
    logs = np.log(high / positive) if high > positive else 0.0
    few = min(n_linear, _FEW)
    levels = np.zeros(values.size, np.uint8)
    sums, counts = np.zeros(256, np.float64), np.zeros(256, np.int64)
    for i in range(values.size):
        if ranks[i] > n_rank:
            continue
        v = np.float64(values[i])
        step = np.int64(ranks[i])
        step += _step(v - low, high - low, n_linear) + (v >= low) + (v > high)
        step += _step(v - low, p99 - low, few)
        if v > 0 and logs > 0:
            step += 1 + _step(np.log(v / positive), logs, n_log)
        levels[i] = step
        sums[step] += v
        counts[step] += 1
    return levels, sums, counts


@njit(inline="always")
def _step(distance: float, span: float, n: int) -> int:
    """Which of `n` equal steps over a span something lies in."""
    if not (span > 0 and distance > 0):
        return 0
    if distance >= span:
        return n - 1
    return int(distance / span * n)
