"""Seconds to the ticks of a format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_PICTURE_SHORTEST = 0.011  # browsers show a picture's frame of 10 ms or less for 100 ms


def starts(
    durations: Sequence[float] | NDArray[np.floating], ticks: int, shortest: int = 1
) -> NDArray[np.int64]:
    """Count the ticks at which each frame starts, and the one at which the film ends.

    Rounded from the exact time each, so that errors do not add up; a frame that would be shown
    for less than the shortest time pushes the next ones until they have caught up.

    Parameters
    ----------
    durations
        Seconds that each frame is shown.
    ticks
        In a second.
    shortest
        Ticks that each frame is shown at least.
    """
    rounded = np.rint(_exact(durations) * ticks).astype(np.int64)
    steps = shortest * np.arange(len(rounded))
    return np.maximum.accumulate(rounded - steps) + steps


def picture_delays(
    durations: Sequence[float] | NDArray[np.floating], ticks: int, name: str
) -> tuple[NDArray[np.int64], list[str]]:
    """Spread durations over delays that browsers play right, for as long as the film is to last.

    Parameters
    ----------
    durations
        Seconds that each frame is shown.
    ticks
        In which the format counts, in a second.
    name
        What the format is called in the note.

    Returns
    -------
    Delays in ticks, and a sentence to tell the user if frames come late.
    """
    shortest = int(np.ceil(_PICTURE_SHORTEST * ticks))
    begin = starts(durations, ticks, shortest)
    late = begin / ticks - _exact(durations)
    if late.max() <= 0.5 / ticks + 1e-9:
        return np.diff(begin), []
    seconds = np.asarray(durations, float)
    short = seconds[seconds * ticks < shortest].min()
    lasts = f"; the film lasts {begin[-1] / ticks:.4g} s instead of {seconds.sum():.4g} s"
    return np.diff(begin), [
        f"{name}: browsers slow down frames of less than {shortest / ticks:.3g} s: one of "
        f"{short:.4g} s is shown for {shortest / ticks:.3g} s ({ticks / shortest:.4g} frames a "
        f"second){lasts if late[-1] > 0.5 / ticks + 1e-9 else ''}"
    ]


def _exact(durations: Sequence[float] | NDArray[np.floating]) -> NDArray[np.float64]:
    """Seconds at which each frame starts, and at which the film ends."""
    return np.concatenate([[0.0], np.cumsum(np.asarray(durations, float))])
