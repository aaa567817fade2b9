"""How much the picture changes from one moment to another, and where so much has changed."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from scanpy_anim.pl._timeline import JUMP, Moment, moment_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from scanpy_anim.pl._coloring import Coloring
    from scanpy_anim.pl._motion import Motion

#: So many cells tell how much changes.
_ENOUGH = 4000
#: Moving by this share of the picture's diagonal counts as much as turning from black to white.
_FAR = 1 / 100


def change_of(
    colorings: Sequence[Coloring], motion: Motion | None, n_obs: int, n_frames: int
) -> Callable[[Moment, Moment], float]:
    """Return a function that measures the change between two moments, as it is seen.

    That is the mean difference of the cells' colors, 0 to 1, summed over the panels, and how
    far the cells move.
    """
    stride = max(n_obs // _ENOUGH, 1)
    span = max(n_frames - 1, 1)
    unit = 1.0 if motion is None else _FAR * float(np.hypot(*np.ptp(motion.limits(), axis=0)))

    @lru_cache(maxsize=2)
    def seen(moment: Moment) -> tuple[NDArray[np.int16], NDArray[np.float64] | None]:
        colors = np.stack([c.colors(moment, stride).astype(np.int16) for c in colorings])
        return colors, None if motion is None else motion.at(moment.place / span)[::stride]

    def change(a: Moment, b: Moment) -> float:
        (before, here), (after, there) = seen(a), seen(b)
        amount = float(np.abs(after - before).mean()) * len(before) / 255
        if here is not None and there is not None:
            steps = np.hypot(*(there - here).T)
            amount += float(np.nansum(steps)) / len(steps) / unit
        return amount

    return change


#: Where between two frames the picture is looked at, to see how much it changes on the way.
_LOOKS = (
    0,
    JUMP / 2,
    JUMP,
    1 / 64,
    1 / 16,
    1 / 4,
    1 / 2,
    3 / 4,
    15 / 16,
    63 / 64,
    1 - JUMP,
    1 - JUMP / 2,
)

#: A way to the limit has so many moments at most; so many where no other step is to compare with.
_MOST_DISSOLVED, _DISSOLVED = 24, 12


def gone_until(
    picked: Sequence[int], change: Callable[[Moment, Moment], float]
) -> tuple[list[float], NDArray[np.float64]]:
    """Return positions along the chosen frames, and how much has changed until each."""
    last = len(picked) - 1
    places = [*(step + look for step in range(last) for look in _LOOKS), float(last)]
    looks = itertools.pairwise(moment_at(picked, p) for p in places)
    return places, np.cumsum([0.0, *(change(a, b) for a, b in looks)])


def dissolve(
    picked: Sequence[int], step: int, between: int, change: Callable[[Moment, Moment], float]
) -> list[float] | None:
    """Cut the step to the limit into parts of equal change, about as large as the other steps.

    Returns shares of the step, `None` where it is no larger than the others are on average.
    """
    ends = [Moment(i, i) for i in picked]
    steps = [change(a, b) for a, b in itertools.pairwise(ends)]
    others = (sum(steps) - steps[step]) / max(len(steps) - 1, 1)
    parts = _DISSOLVED if others == 0 else math.ceil(steps[step] / others - 0.5)
    if parts <= 1 or steps[step] == 0:
        return None
    places, gone = gone_until(picked[step : step + 2], change)
    n = between * min(parts, _MOST_DISSOLVED)
    return places_of(np.arange(n) * (gone[-1] / n), gone, places)


def places_of(
    amounts: NDArray[np.float64], gone: NDArray[np.float64], places: Sequence[float]
) -> list[float]:
    """Return where so much has changed; at the very start, where nothing has yet."""
    found = np.interp(amounts, gone, places)
    return np.where(amounts <= 0, places[0], found).tolist()
