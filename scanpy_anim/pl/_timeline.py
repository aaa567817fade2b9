"""When: the moments of a film, and how long each is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: So close to a frame, ranks may jump: ties part as soon as the next frame has a say.
JUMP = 2.0**-10


@dataclass(frozen=True)
class Moment:
    """One frame of the film: `first`, on its way to `second` by `weight` (0 to 1)."""

    first: int
    second: int
    weight: float = 0.0
    held: float = 0.0  # seconds it stays, when longer than a frame of the film

    @property
    def nearest(self) -> int:
        """The frame of the source that it shows most of."""
        return self.first if self.weight < 0.5 else self.second

    @property
    def place(self) -> float:
        """Where it lies, counted in frames of the source."""
        return self.first + (self.second - self.first) * self.weight


@dataclass(frozen=True)
class Timeline:
    """The moments of a film in their order, and its frames a second."""

    moments: tuple[Moment, ...]
    fps: float
    n_frames: int = 1

    def __len__(self) -> int:
        return len(self.moments)

    @property
    def times(self) -> list[float]:
        """Where each moment lies between the first frame of the source (0) and the last (1)."""
        span = max(self.n_frames - 1, 1)
        return [m.place / span for m in self.moments]

    def seconds(self, fps: float | None = None, hold: float | None = None) -> NDArray[np.float64]:
        """Return how long each moment is shown: one frame, or as long as it is held.

        Parameters
        ----------
        fps, hold
            Frames a second and seconds of the last moment; `None`: as the film was made.
        """
        frame = 1 / (self.fps if fps is None else fps)
        seconds = np.array([max(frame, m.held) for m in self.moments], dtype=np.float64)
        if hold is not None:
            seconds[-1] = max(frame, hold)
        return seconds


def moment_at(picked: Sequence[int], position: float) -> Moment:
    """Return the moment at a position between the chosen frames, counted in them."""
    step = min(int(position + 1e-9), len(picked) - 1)
    weight = position - step
    if weight < 1e-9:
        return Moment(picked[step], picked[step])
    return Moment(picked[step], picked[step + 1], weight)


def held(moment: Moment, seconds: float) -> Moment:
    return Moment(moment.first, moment.second, moment.weight, seconds)
