"""Which cells lie on top, in all frames of a film."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from scanpy_anim.raster import PointLayer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.collections import PathCollection
    from numpy.typing import NDArray

    from scanpy_anim.pl._timeline import Moment

SortOrder = bool | Literal["frame"]


class DrawOrder(NamedTuple):
    """What orders the cells in all frames.

    Attributes
    ----------
    sort_key
        A number for each cell: higher on top, NaN at the bottom.
    first_on_top
        Which of equal cells lies on top: the first of the data, or the last.
    on_top
        Cells that lie above all others: a ring must not show another.
    """

    sort_key: NDArray
    first_on_top: bool
    on_top: NDArray[np.intp]


def layer_of(cloud: PathCollection, order: DrawOrder | None) -> PointLayer:
    """Hand the cells of a scatter over to the renderer; `None`: in the order of the data."""
    return PointLayer(cloud, **({} if order is None else order._asdict()))


def frames_shown(moments: Sequence[Moment]) -> list[int]:
    """List the frames of the source that a film touches; what lies between is never higher."""
    return list(dict.fromkeys(i for m in moments for i in (m.first, m.second)))


def peak(heights: Iterable[NDArray]) -> NDArray:
    """Return the highest that each cell gets; missing counts for nothing."""
    heights = iter(heights)
    highest = np.array(next(heights))
    for height in heights:
        np.fmax(highest, height, out=highest)
    return highest
