"""When: which frames of the source a film shows, what lies between them, for how long."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: So close to a frame, ranks may jump: ties part as soon as the next frame has a say.
JUMP = 2.0**-10
#: Where between two frames the picture is looked at, to see how much it changes on the way.
LOOKS = (
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

Ease = Literal["linear", "in-out"] | Callable[[float], float]
Pace = Literal["even", "change"]


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
        seconds = np.array([max(frame, m.held) for m in self.moments])
        if hold is not None:
            seconds[-1] = max(frame, hold)
        return seconds


@dataclass(frozen=True)
class Pacing:
    """What the caller asked of time, checked.

    Raises
    ------
    ValueError
        When an argument is out of its range; the message names it.
    """

    tween: int = 0
    ease: Ease = "linear"
    hold: float | tuple[float, float] = 1.0
    fps: float = 10
    duration: float | None = None
    pace: Pace = "even"
    every: int = 1
    frames: Sequence[int] | slice | None = None
    reverse: bool = False
    bounce: bool = False

    def __post_init__(self) -> None:
        _whole(tween=self.tween, least=0)
        _whole(every=self.every, least=1)
        _positive(fps=self.fps)
        if self.duration is not None:
            _positive(duration=self.duration)
        for seconds in self.holds:
            if not (isinstance(seconds, int | float | np.number) and 0 <= seconds < math.inf):
                raise ValueError(f"hold={self.hold!r}: seconds, 0 or more; or (first, last).")
        if self.ease not in ("linear", "in-out") and not callable(self.ease):
            raise ValueError(f"ease={self.ease!r}: 'linear', 'in-out' or a function of 0 to 1.")
        chosen = self.frames
        if isinstance(chosen, str) or not (isinstance(chosen, slice | None) or np.iterable(chosen)):
            raise ValueError(f"frames={chosen!r}: a list of numbers, such as [0, 2, -1]; a slice.")
        if self.pace not in ("even", "change"):
            raise ValueError(f"pace={self.pace!r}: 'even' or 'change'.")

    @property
    def holds(self) -> tuple[float, float]:
        """Seconds that the first and the last frame stay."""
        if isinstance(self.hold, int | float | np.number):
            return 0.0, float(self.hold)
        if not isinstance(self.hold, Sequence | np.ndarray) or len(self.hold) != 2:
            raise ValueError(f"hold={self.hold!r}: seconds, or a pair (first, last).")
        return self.hold[0], self.hold[1]

    def chosen(self, n_frames: int) -> list[int]:
        """Choose the frames of the source that are shown; the last one always is."""
        if self.frames is None:
            picked = list(range(0, n_frames, self.every))
            if picked[-1] != n_frames - 1:
                picked.append(n_frames - 1)
        elif isinstance(self.frames, slice):
            picked = list(range(n_frames))[self.frames]
        else:
            picked = [_position(i, n_frames) for i in self.frames]
        if not picked:
            raise ValueError(f"frames={self.frames!r} leaves none of the {n_frames} frames.")
        return picked[::-1] if self.reverse else picked

    def timeline(
        self, n_frames: int, change: Callable[[Moment, Moment], float] | None = None
    ) -> Timeline:
        """Lay out the film of `n_frames`.

        With `pace="change"`, `change(a, b)` says how much the picture differs between two moments.
        """
        picked = self.chosen(n_frames)
        moments = [_moment(picked, p) for p in self._positions(picked, change)]
        first, last = self.holds
        if len(moments) > 1:
            moments[0] = _held(moments[0], first)
        moments[-1] = _held(moments[-1], last if len(moments) > 1 else max(first, last))
        if self.bounce:
            moments += moments[-2:0:-1]
        return Timeline(tuple(moments), self._frames_a_second(moments), n_frames)

    def _positions(
        self, picked: list[int], change: Callable[[Moment, Moment], float] | None
    ) -> list[float]:
        """Where on the way from the first chosen frame (0) to the last each moment lies."""
        steps, between = len(picked) - 1, self.tween + 1
        if self.pace == "change" and change is not None and steps:
            places, gone = _gone(picked, change)
            if gone[-1] > 0:
                shares = [self._eased(s) for s in np.linspace(0, 1, steps * between + 1)]
                return np.interp(np.multiply(shares, gone[-1]), gone, places).tolist()
        on_the_way = [self._eased(k / between) for k in range(between)]
        return [step + share for step in range(steps) for share in on_the_way] + [float(steps)]

    def _eased(self, weight: float) -> float:
        if self.ease == "linear":
            return weight
        if self.ease == "in-out":
            return weight * weight * (3 - 2 * weight)
        assert callable(self.ease)
        return float(np.clip(self.ease(weight), 0, 1))

    def _frames_a_second(self, moments: list[Moment]) -> float:
        """`fps`, or what makes the whole film last `duration`."""
        if self.duration is None:
            return self.fps
        held = sum(m.held for m in moments)
        moving = sum(m.held == 0 for m in moments)
        if held >= self.duration or moving == 0:
            raise ValueError(
                f"duration={self.duration!r}: the held frames alone last {held:g} s; "
                "a longer duration, or a shorter hold."
            )
        return moving / (self.duration - held)


def _moment(picked: Sequence[int], position: float) -> Moment:
    """Return the moment at a position between the chosen frames, counted in them."""
    step = min(int(position + 1e-9), len(picked) - 1)
    weight = position - step
    if weight < 1e-9:
        return Moment(picked[step], picked[step])
    return Moment(picked[step], picked[step + 1], weight)


def _gone(
    picked: Sequence[int], change: Callable[[Moment, Moment], float]
) -> tuple[list[float], NDArray[np.float64]]:
    """Return positions along the chosen frames, and how much has changed until each."""
    last = len(picked) - 1
    places = [*(step + look for step in range(last) for look in LOOKS), float(last)]
    looks = itertools.pairwise(_moment(picked, p) for p in places)
    return places, np.cumsum([0.0, *(change(a, b) for a, b in looks)])


def _held(moment: Moment, seconds: float) -> Moment:
    return Moment(moment.first, moment.second, moment.weight, seconds)


def _position(i: int, n_frames: int) -> int:
    whole = isinstance(i, int | np.integer) and not isinstance(i, bool)
    if not whole or not -n_frames <= i < n_frames:
        raise ValueError(f"frames: there is no frame {i!r}; there are 0 to {n_frames - 1}.")
    return int(i) % n_frames


def _whole(*, least: int, **argument: object) -> None:
    ((name, value),) = argument.items()
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name}={value!r}: a whole number, {least} or more.")


def _positive(**argument: object) -> None:
    ((name, value),) = argument.items()
    if not isinstance(value, int | float | np.number) or not 0 < float(value) < math.inf:
        raise ValueError(f"{name}={value!r}: a number above 0.")
