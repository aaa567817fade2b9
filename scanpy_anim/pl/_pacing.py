"""What the caller asked of time: which frames are shown, what lies between, for how long."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from scanpy_anim._checks import is_finite, is_number, is_whole, switch, whole
from scanpy_anim.pl._motion import TWEENS, Motion, Turn, in_out
from scanpy_anim.pl._pace import change_of, dissolve, gone_until, places_of
from scanpy_anim.pl._timeline import Moment, Timeline, held, moment_at

if TYPE_CHECKING:
    from scanpy_anim.pl._coloring import Coloring
    from scanpy_anim.pl._stage import Stage

Ease = Literal["linear", "in-out"] | Callable[[float], float]

Pace = Literal["auto", "even", "change"]

#: Frames a second, and of so many seconds a film is at least, with frames in between or without.
_FPS = 10.0
_MOST_FPS = 1000  # what any format has

_LEAST, _LEAST_TWEENED = 4.0, 2.5


@dataclass(frozen=True)
class Pacing:
    """What the caller asked of time, checked.

    `flowing`: cells move, which never slows down. `closed`: the end meets the start, so that the
    last frame is not held.

    Raises
    ------
    ValueError
        When an argument is out of its range; the message names it.
    """

    tween: int = 0
    ease: Ease = "linear"
    hold: float | tuple[float, float] | None = None
    fps: float | None = None
    duration: float | None = None
    pace: Pace = "auto"
    every: int = 1
    frames: Sequence[int] | slice | None = None
    reverse: bool = False
    bounce: bool = False
    flowing: bool = False
    closed: bool = False

    def __post_init__(self) -> None:
        whole("tween", self.tween, least=0)
        whole("every", self.every)
        for name in ("reverse", "bounce"):
            switch(name, getattr(self, name))
        for name in ("fps", "duration"):
            if getattr(self, name) is not None:
                _positive(name, getattr(self, name))
        if self.fps is not None and self.fps > _MOST_FPS:
            raise ValueError(f"fps={self.fps!r}: {_MOST_FPS:,} frames a second at most.")
        if self.fps is not None and self.duration is not None:
            raise ValueError(f"fps={self.fps!r}, duration={self.duration!r}: one of the two.")
        for seconds in self.holds:
            if not (is_finite(seconds) and seconds >= 0):
                raise ValueError(f"hold={self.hold!r}: seconds, 0 or more; or (first, last).")
        if not (callable(self.ease) or _is_word(self.ease, "linear", "in-out")):
            raise ValueError(f"ease={self.ease!r}: 'linear', 'in-out' or a function of 0 to 1.")
        chosen = self.frames
        if isinstance(chosen, str) or not (isinstance(chosen, slice | None) or np.iterable(chosen)):
            raise ValueError(f"frames={chosen!r}: a list of numbers, such as [0, 2, -1]; a slice.")
        if isinstance(chosen, slice):
            for end in (chosen.start, chosen.stop, chosen.step):
                if not (end is None or is_whole(end)) or (end is chosen.step and end == 0):
                    raise ValueError(f"frames={chosen!r}: a slice of whole numbers.")
        if chosen is not None and self.every != 1:
            raise ValueError(f"every={self.every!r} beside frames={chosen!r}: one of the two.")
        if not _is_word(self.pace, "auto", "even", "change"):
            raise ValueError(f"pace={self.pace!r}: 'auto', 'even' or 'change'.")
        if chosen is not None and not isinstance(chosen, slice):
            object.__setattr__(self, "frames", tuple(chosen))  # iterators can be read once

    @property
    def holds(self) -> tuple[float, float]:
        """Seconds that the first and the last frame stay."""
        if self.hold is None:
            last = 0.0 if self.closed else 1.0
            return 0.0, last if self.duration is None else min(last, self.duration / 4)
        if is_number(self.hold):
            return 0.0, float(self.hold) if is_finite(self.hold) else math.nan  # type: ignore[arg-type]
        shape = self.hold.shape if isinstance(self.hold, np.ndarray) else None
        if shape != (2,) and not (isinstance(self.hold, Sequence) and len(self.hold) == 2):
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
        self,
        n_frames: int,
        change: Callable[[Moment, Moment], float] | None = None,
        *,
        limit: bool = False,
    ) -> Timeline:
        """Lay out the film of `n_frames`.

        Parameters
        ----------
        n_frames
            Of the source.
        change
            `change(a, b)` says how much the picture differs between two moments: needed for
            `pace="change"`, and with a `limit` for `"auto"`.
        limit
            Whether the last frame is the limit of an iteration, to which the film dissolves.
        """
        picked = self.chosen(n_frames)
        moments = [moment_at(picked, p) for p in self._positions(picked, n_frames, change, limit)]
        first, last = self.holds
        if len(moments) > 1:
            moments[0] = held(moments[0], first)
        elif self.duration is not None:
            first, last = 0.0, self.duration
        moments[-1] = held(moments[-1], last if len(moments) > 1 else max(first, last))
        if self.bounce:
            moments += moments[-2:0:-1]
        return Timeline(tuple(moments), self._frames_a_second(moments), n_frames)

    def _positions(
        self,
        picked: list[int],
        n_frames: int,
        change: Callable[[Moment, Moment], float] | None,
        limit: bool,
    ) -> list[float]:
        """Where on the way from the first chosen frame (0) to the last each moment lies."""
        steps, between = len(picked) - 1, self.tween + 1
        if self.pace == "change" and change is not None and steps:
            places, gone = gone_until(picked, change)
            if gone[-1] > 0:
                shares = [self._eased(s) for s in np.linspace(0, 1, steps * between + 1)]
                return places_of(np.multiply(shares, gone[-1]), gone, places)
        on_the_way = [[self._eased(k / between) for k in range(between)] for _ in range(steps)]
        if self.pace == "auto" and limit and change is not None and self.frames is None and steps:
            step = 0 if self.reverse else steps - 1
            on_the_way[step] = dissolve(picked, step, between, change) or on_the_way[step]
        positions = [step + share for step, shares in enumerate(on_the_way) for share in shares]
        return [*positions, float(steps)]

    def _eased(self, weight: float) -> float:
        if self.ease == "linear":
            return weight
        if self.ease == "in-out":
            return in_out(weight)
        assert callable(self.ease)
        try:
            eased = self.ease(weight)
        except Exception as error:
            error.add_note("raised by the function that is ease=")
            raise
        if not is_number(eased) or math.isnan(eased):
            raise ValueError(f"ease: the function gave {eased!r} for {weight:g}; numbers, 0 to 1.")
        return float(np.clip(eased, 0, 1))

    def _frames_a_second(self, moments: list[Moment]) -> float:
        """`fps`, or what makes the whole film last `duration`, or long enough to be watched."""
        if self.duration is None:
            if self.fps is not None:
                return float(self.fps)
            least = _LEAST if self.tween == 0 else _LEAST_TWEENED
            return _FPS if self.flowing else float(np.clip(len(moments) / least, 1, _FPS))
        if len(moments) == 1:
            return _FPS
        held = sorted((m.held for m in moments if m.held > 0), reverse=True)
        moving = len(moments) - len(held)
        while held and moving and held[-1] < (self.duration - sum(held)) / moving:
            moving, held = moving + 1, held[:-1]  # no longer than a frame as it is
        if sum(held) >= self.duration or moving == 0:
            raise ValueError(
                f"duration={self.duration!r}: the held frames alone last {sum(held):g} s; "
                "a longer duration, or a shorter hold."
            )
        return moving / (self.duration - sum(held))


def _position(i: int, n_frames: int) -> int:
    if not is_whole(i) or not -n_frames <= i < n_frames:
        raise ValueError(f"frames: there is no frame {i!r}; there are 0 to {n_frames - 1}.")
    return int(i) % n_frames


def _positive(name: str, value: object) -> None:
    if not is_finite(value) or not float(value) > 0:  # type: ignore[arg-type]
        raise ValueError(f"{name}={value!r}: a number above 0.")


def _is_word(value: object, *words: str) -> bool:
    return isinstance(value, str) and value in words


def pacing_in_motion(
    moving: Motion | None,
    stays: bool,
    n_frames: int,
    tween: int,
    ease: Ease | None,
    pace: Pace,
) -> dict[str, Any]:
    """Return what the pacing of a film owes to how its cells move, if they do.

    Where colors change, too, there are as many frames between them as the motion takes.
    """
    asked = Pacing(tween=tween, ease="linear" if ease is None else ease, pace=pace)
    morph = moving is not None and moving.between
    turn = moving if isinstance(moving, Turn) else None
    between = TWEENS if morph and stays else 0
    if moving is not None and not stays:
        steps = (moving.n_keys - 1) * (TWEENS + 1 if morph else 1)
        between = max(-(-steps // (n_frames - 1)) - 1, 0)
    if asked.ease != "linear" and not (tween or between) and pace != "change":
        raise ValueError(
            f"ease={ease!r}: there is nothing between two frames. It goes with tween=, "
            "pace='change' or several embeddings."
        )
    return {
        "tween": tween or between,
        "ease": "in-out" if ease is None and morph and stays and pace != "change" else asked.ease,
        "pace": pace,
        "flowing": stays and (morph or turn is not None),
        "closed": turn is not None and turn.closed,
    }


def paced(
    pacing: Pacing, even: Timeline, colorings: Sequence[Coloring], stage: Stage
) -> tuple[Timeline, int | None]:
    """Let change set the pace, where it is asked for or a limit follows at the end.

    Returns the timeline, and the frame that is called by its own name alone, where there is one.
    """
    source, n_obs = stage.panels[0].source, stage.plot.n_obs
    # cells that move take their time to the limit, too, and their speed is not to change for it
    limit = source.ends_in_limit and stage.motion is None
    if not (pacing.pace == "change" or (pacing.pace == "auto" and limit)):
        return even, None
    change = change_of(colorings, stage.motion, n_obs, source.n_frames)
    alone = limit and pacing.pace == "auto" and not pacing.tween
    last = source.n_frames - 1 if alone else None
    return pacing.timeline(source.n_frames, change, limit=limit), last
