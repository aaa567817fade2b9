"""How much the picture changes from one moment to another."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from scanpy_anim.pl._motion import Motion
    from scanpy_anim.pl._panel import Paint
    from scanpy_anim.pl._timeline import Moment

#: So many cells tell how much changes.
ENOUGH = 4000
#: Moving by this share of the picture's diagonal counts as much as turning from black to white.
FAR = 1 / 100


def change_of(
    paints: Sequence[Paint], motion: Motion | None, n_obs: int, n_frames: int
) -> Callable[[Moment, Moment], float]:
    """Return a function that measures the change between two moments, as it is seen.

    That is the mean difference of the cells' colours, 0 to 1, summed over the panels, and how
    far the cells move.
    """
    stride = max(n_obs // ENOUGH, 1)
    span = max(n_frames - 1, 1)
    unit = 1.0 if motion is None else FAR * float(np.hypot(*np.ptp(motion.limits(), axis=0)))

    @lru_cache(maxsize=2)
    def seen(moment: Moment) -> tuple[NDArray[np.int16], NDArray[np.float64] | None]:
        colors = np.stack([p.colors(moment, stride).astype(np.int16) for p in paints])
        return colors, None if motion is None else motion.at(moment.place / span)[::stride]

    def change(a: Moment, b: Moment) -> float:
        (before, here), (after, there) = seen(a), seen(b)
        amount = float(np.abs(after - before).mean()) * len(before) / 255
        if here is not None and there is not None:
            steps = np.hypot(*(there - here).T)
            amount += float(np.nansum(steps)) / len(steps) / unit
        return amount

    return change
