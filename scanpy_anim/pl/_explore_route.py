"""Which frames a page holds, and the way of the film through them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim import explorer
from scanpy_anim.pl._timeline import JUMP, Moment
from scanpy_anim.pl._titles import frame_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from scanpy_anim.pl._continuous_coloring import ContinuousColoring
_CLOSE, _STRAYS = 5, 0.001  # levels that an interpolated rank may be off; but for so many cells


@dataclass(frozen=True)
class _Route:
    """Which pictures a film goes through, and where each of its frames lies between them.

    Attributes
    ----------
    stops
        The moments that become planes: frames, and edges of jumps between two.
    moments
        `(plane, plane, weight)` of each frame of the film.
    """

    stops: tuple[Moment, ...]
    moments: tuple[tuple[int, int, float], ...]


def route_of(moments: Sequence[Moment], ranks: ContinuousColoring | None = None) -> _Route:
    """Find the planes that a film needs: its frames and, where ranks jump, what lies between.

    The edges of a jump, and as many moments between them as keep what is interpolated close.

    Parameters
    ----------
    moments
        Of the film.
    ranks
        A coloring by ranks; `None`: nothing jumps.
    """
    forward = [_forward(moment) for moment in moments]
    stops = {Moment(i, i) for m in forward for i in (m.first, m.second)}
    if ranks is not None:
        for way in {(m.first, m.second) for m in forward if m.weight}:
            between = sorted({m.weight for m in forward if (m.first, m.second) == way and m.weight})
            inner = [w for w in between if JUMP < w < 1 - JUMP]
            stops |= {Moment(*way, w) for w in _stops(way, inner, ranks.levels)}
    ordered = sorted(stops, key=lambda stop: (stop.first, stop.second, stop.weight))
    number = {stop: k for k, stop in enumerate(ordered)}
    return _Route(tuple(ordered), tuple(_placed(m, number) for m in forward))


def _forward(moment: Moment) -> Moment:
    """Return a moment as one on the way from the lower frame to the higher one."""
    first, second, weight = moment.first, moment.second, moment.weight
    if second < first:
        first, second, weight = second, first, 1 - weight
    if weight in (0, 1) or first == second:
        first = second = second if weight == 1 else first
        weight = 0.0
    return Moment(first, second, weight)


def _stops(
    way: tuple[int, int], weights: Sequence[float], levels: Callable[[Moment], NDArray]
) -> list[float]:
    """Choose those weights between two frames that are planes of their own."""
    ends = [JUMP, 1 - JUMP]
    shown = {w: levels(Moment(*way, w)).astype(np.float32) for w in (*ends, *weights)}

    def chosen(low: float, high: float, between: Sequence[float]) -> list[float]:
        if not between:
            return []
        for w in between:
            share = np.float32((w - low) / (high - low))
            off = np.abs(shown[low] + (shown[high] - shown[low]) * share - shown[w])
            if np.count_nonzero(off > _CLOSE) > _STRAYS * off.size:
                k = len(between) // 2
                middle = between[k]
                return [
                    *chosen(low, middle, between[:k]),
                    middle,
                    *chosen(middle, high, between[k + 1 :]),
                ]
        return []

    return [*ends, *chosen(JUMP, 1 - JUMP, weights)]


def _placed(moment: Moment, number: dict[Moment, int]) -> tuple[int, int, float]:
    """Return the two planes that a moment lies between, and how far."""
    if moment in number:
        return number[moment], number[moment], 0.0
    first, second = moment.first, moment.second
    way = [(s.weight, k) for s, k in number.items() if (s.first, s.second) == (first, second)]
    ends = [(0.0, number[Moment(first, first)]), *sorted(way)]
    ends.append((1.0, number[Moment(second, second)]))
    (low, a), (high, b) = next(
        pair for pair in pairwise(ends) if pair[0][0] < moment.weight < pair[1][0]
    )
    return a, b, (moment.weight - low) / (high - low)


def keys_of(stops: Sequence[Moment], source: Any) -> list[explorer.Key]:
    """Name the planes after the frames."""
    names = frame_names(source)
    own = getattr(source, "frame_names", None)
    number = {stop.first: k for k, stop in enumerate(stops) if not stop.weight}
    return [
        explorer.Key(
            names[stop.nearest],
            (number[stop.first], number[stop.second], stop.weight) if stop.weight else None,
            names=None if own is None else list(map(str, own(stop.nearest))),
        )
        for stop in stops
    ]
