"""Which cells lie on top, in all frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from scanpy_anim.pl._timeline import Moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

SortOrder = bool | Literal["frame"]


def places(bottom_to_top: NDArray[np.intp]) -> NDArray[np.intp]:
    """Invert a drawing order: the place of each cell in it."""
    place = np.empty_like(bottom_to_top)
    place[bottom_to_top] = np.arange(len(place))
    return place


def keys(moments: Sequence[Moment]) -> list[Moment]:
    """Frames of the source that the film touches; what lies between is never higher."""
    touched = dict.fromkeys(i for m in moments for i in (m.first, m.second))
    return [Moment(i, i) for i in touched]


def peak(heights: Iterator[NDArray]) -> NDArray:
    """Return the highest that each cell gets; missing counts for nothing."""
    highest = np.array(next(heights))
    for height in heights:
        np.fmax(highest, height, out=highest)
    return highest
