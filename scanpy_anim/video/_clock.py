"""Seconds to the ticks of a format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

GIF_SHORTEST = 2  # browsers show anything of 10 ms or less for 100 ms
GIF_LONGEST = 65_535


def starts(durations: Sequence[float] | NDArray, ticks: int) -> NDArray[np.int64]:
    """Count the ticks at which each frame starts, and the one at which the film ends.

    Rounded from the exact time each, so that errors do not add up; no two frames start at once.
    """
    exact = np.concatenate([[0.0], np.cumsum(np.asarray(durations, float))]) * ticks
    rounded = np.rint(exact).astype(np.int64)
    steps = np.arange(len(rounded))
    return np.maximum.accumulate(rounded - steps) + steps


def gif_delays(durations: Sequence[float] | NDArray) -> tuple[NDArray[np.int64], list[str]]:
    """Round durations to the delays that browsers play right.

    Returns
    -------
    Delays in hundredths of a second, and a sentence to tell the user if they differ.
    """
    seconds = np.asarray(durations, float)
    delays = np.clip(np.rint(seconds * 100), GIF_SHORTEST, GIF_LONGEST).astype(np.int64)
    off = np.abs(delays / 100 - seconds)
    worst = int(off.argmax())
    if off[worst] < 5e-4:
        return delays, []
    return delays, [
        "gif: delays are whole hundredths of a second, at least 2: a frame of "
        f"{seconds[worst]:.4g} s is shown for {delays[worst] / 100:.2f} s "
        f"({100 / delays[worst]:.4g} frames a second)"
    ]
