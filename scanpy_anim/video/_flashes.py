"""Flashes that can provoke seizures, by the definitions of WCAG 2.2 (success criterion 2.3.1).

A general flash is a pair of opposing changes in relative luminance of a tenth or more of its
maximum, the darker image below 0.80. A red flash is a pair of opposing changes to or from a
saturated red. More than three of either within any one second fail, where they fill a quarter of
any 10 degrees of the visual field: a block of 341 × 256 pixels of a screen of 1024 × 768.

The film is judged as filling that screen. Its luminance is averaged over cells of 32 pixels, each
from a grid of 16: patterns as fine as noise are no flashes by the same definitions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from scanpy_anim.video._film import Film
    from scanpy_anim.video._options import Frames

    _Seen = tuple[NDArray[np.float32], NDArray[np.float32]]

_SCREEN = (1024, 768)
_FIELD = (341, 256)  # 10 degrees, in pixels of that screen
_SHARE = 0.25  # of the field
_CELL = 32
_SAMPLES = 4  # pixels looked at in each cell, along either side
_CHANGES = 7  # more than three pairs of opposing changes
_SECOND = 1.0 - 1e-6

_CODES = np.arange(256) / 255
# IEC 61966-2-1; WCAG spells the end of the straight piece 0.03928, which is the same for 8 bits
_LINEAR = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4).astype(
    np.float32
)
_GENERAL = 0.1
_DARK = 0.8
_RED = 20.0  # of (R - G - B) × 320 where R / (R + G + B) >= 0.8


class FlashCheck:
    """Watches the frames of a film as they pass, and says whether they flash.

    Parameters
    ----------
    film
        Its durations say when frames are shown; its background lies behind clear ones.
    loops
        Whether the first frame follows the last.

    Attributes
    ----------
    found
        The second at which a film flashes, and `"red "` or nothing; None: it does not.
    """

    def __init__(self, film: Film, *, loops: bool) -> None:
        self._film = film
        self._loops = loops
        self._begin = np.concatenate([[0.0], np.cumsum(film.durations)])
        self._needed = _can_flash(film.durations, loops=loops)
        self.found: tuple[float, str] | None = None

    def watching(
        self, progress: Callable[[Frames], Iterator[NDArray[np.uint8]]]
    ) -> Callable[[Frames], Iterator[NDArray[np.uint8]]]:
        """Look at the frames that a progress bar counts, if the film can flash at all."""
        return (lambda frames: self.watch(progress(frames))) if self._needed else progress

    def watch(self, frames: Frames) -> Iterator[NDArray[np.uint8]]:
        """Pass the frames on, and look at each; a new pass starts anew."""
        self.found = None
        opening: list[_Seen] = []
        for number, frame in enumerate(frames):
            if number == 0:
                grid = _Grid(frame.shape[1], frame.shape[0])
                judges = _Judge(grid, _GENERAL, _DARK), _Judge(grid, _RED, np.inf)
            if self.found is None and number < len(self._film):
                seen = grid.seen(frame, self._film)
                self._judge(judges, seen, float(self._begin[number]))
                if self._loops and self._begin[number] <= 1:
                    opening.append(seen)
            yield frame
        if self.found is None and opening:
            self._show_again(judges, opening)

    def _judge(self, judges: tuple[_Judge, _Judge], seen: _Seen, at: float) -> None:
        for judge, values, kind in zip(judges, seen, ("", "red "), strict=True):
            if judge.flashes(values, at) and self.found is None:
                self.found = at, kind

    def _show_again(self, judges: tuple[_Judge, _Judge], opening: list[_Seen]) -> None:
        """Show the first second once more after the end; a shorter film again and again."""
        length = start = float(self._begin[-1])
        while self.found is None and start <= length + 1:
            for seen, at in zip(opening, self._begin, strict=False):
                self._judge(judges, seen, start + float(at))
            start += length
        if self.found is not None:
            self.found = self.found[0] % length, self.found[1]

    def notes(self) -> list[str]:
        """Say what was found, and what to do about it, in a sentence for the user."""
        if self.found is None:
            return []
        second, kind = self.found
        return [
            f"more than three {kind}flashes a second at second {second:.1f}, over an area that can "
            "provoke seizures in viewers with photosensitive epilepsy (WCAG 2.3.1): show no more "
            "than 6 frames a second (fps=), or let frames change gradually (tween=)"
        ]


def _can_flash(durations: Sequence[float] | NDArray[np.floating], *, loops: bool) -> bool:
    """Whether frames change often enough for more than three flashes a second at all."""
    seconds = np.asarray(durations, float)
    if loops and len(seconds) > 1:
        seconds = np.tile(seconds, 1 + -(-_CHANGES // len(seconds)))
    if len(seconds) <= _CHANGES:
        return False
    changes = np.cumsum(seconds)[:-1]  # one where each frame but the first begins
    apart = changes[_CHANGES - 1 :] - changes[: len(changes) - _CHANGES + 1]
    return bool((apart < _SECOND).any())


class _Grid:
    """Where a film is looked at: cells of the screen that it fills, and pixels within them."""

    def __init__(self, width: int, height: int) -> None:
        larger = min(_SCREEN[0] / width, _SCREEN[1] / height)
        self._columns, across = _sampled(width, larger)
        self._rows, down = _sampled(height, larger)
        self.shape = down, across
        cell = height * larger / down, width * larger / across
        self._field = [
            min(n, max(1, round(side / size)))
            for n, side, size in zip(self.shape, _FIELD[::-1], cell, strict=True)
        ]
        self._least = _SHARE * _FIELD[0] * _FIELD[1] / (cell[0] * cell[1])

    def seen(self, frame: NDArray[np.uint8], film: Film) -> _Seen:
        """Average over each cell: relative luminance, and (R - G - B) × 320 of saturated reds."""
        luminance, red = np.empty((2, *self.shape), np.float32)
        clear = film.alpha and frame.shape[2] == 4
        behind = np.array(film.background if clear else (), np.int64)
        _average(frame[self._rows, self._columns], behind, _LINEAR, luminance, red)
        return luminance, red

    def is_filled(self, cells: NDArray[np.bool_]) -> bool:
        """Whether the marked cells fill a quarter of any field."""
        sums = np.pad(cells.astype(np.int64), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
        down, across = self._field
        within = sums[down:, across:] - sums[:-down, across:]
        within = within - sums[down:, :-across] + sums[:-down, :-across]
        return bool(within.max() >= self._least)


def _sampled(side: int, larger: float) -> tuple[slice, int]:
    """Choose the pixels along a side that are looked at, evenly, and count the cells."""
    cells = min(side, max(1, round(side * larger / _CELL)))
    each = _SAMPLES if side >= cells * _SAMPLES else 1
    step = side // (cells * each)
    first = (side - (cells * each - 1) * step) // 2
    return slice(first, first + (cells * each - 1) * step + 1, step), cells


class _Judge:
    """Counts the opposing changes of each cell within the last second."""

    def __init__(self, grid: _Grid, least: float, dark: float) -> None:
        self._grid = grid
        self._least, self._dark = least, dark
        self._lowest = np.full(grid.shape, np.inf, np.float32)  # since the cell's last change
        self._highest = np.full(grid.shape, -np.inf, np.float32)
        self._rising = np.zeros(grid.shape, np.int8)  # 1: its last change was up, -1: down
        self._times = np.full((*grid.shape, _CHANGES), -np.inf)  # of its changes, oldest first

    def flashes(self, values: NDArray[np.float32], at: float) -> bool:
        """Take in a frame, and say whether more than three flashes within a second end in it."""
        state = self._lowest, self._highest, self._rising, self._times
        fast = _count_changes(values, at, self._least, self._dark, *state)
        return fast > 0 and self._grid.is_filled(self._times[..., 0] > at - _SECOND)


@numba.njit(cache=True, nogil=True)
def _average(pixels, background, linear, luminance, red):  # type: ignore[no-untyped-def]
    """Average relative luminance and saturated red over the cells of a grid of pixels.

    `background` holds the three channels that lie behind a fourth one; none: that means nothing.
    """
    tall, wide = pixels.shape[0] // luminance.shape[0], pixels.shape[1] // luminance.shape[1]
    share = np.float32(1 / (tall * wide))
    for down in range(luminance.shape[0]):
        for across in range(luminance.shape[1]):
            light, vivid = np.float32(0), np.float32(0)
            for row in range(down * tall, (down + 1) * tall):
                for column in range(across * wide, (across + 1) * wide):
                    r = np.int64(pixels[row, column, 0])
                    g = np.int64(pixels[row, column, 1])
                    b = np.int64(pixels[row, column, 2])
                    if len(background) == 3 and pixels[row, column, 3] < 255:
                        opacity = np.int64(pixels[row, column, 3])
                        r = (r * opacity + background[0] * (255 - opacity)) // 255
                        g = (g * opacity + background[1] * (255 - opacity)) // 255
                        b = (b * opacity + background[2] * (255 - opacity)) // 255
                    lr, lg, lb = linear[r], linear[g], linear[b]
                    light += np.float32(0.2126) * lr + np.float32(0.7152) * lg
                    light += np.float32(0.0722) * lb
                    if lr > 0 and lr >= np.float32(4) * (lg + lb):  # R / (R + G + B) >= 0.8
                        vivid += lr - lg - lb
            luminance[down, across] = light * share
            red[down, across] = vivid * share * np.float32(320)


@numba.njit(cache=True, nogil=True)
def _count_changes(  # type: ignore[no-untyped-def]
    values, at, least, dark, lowest, highest, rising, times
):
    """Note which cells change against their last direction, and count those that do so too often.

    `lowest` and `highest` are the extremes since a cell's last change, `times` its last changes.
    """
    fast = 0
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            cell = row, column
            value = values[cell]
            lowest[cell] = min(lowest[cell], value)
            highest[cell] = max(highest[cell], value)
            up = rising[cell] <= 0 and value - lowest[cell] >= least and lowest[cell] < dark
            down = rising[cell] >= 0 and highest[cell] - value >= least and value < dark
            if not (up or down):
                continue
            rising[cell] = 1 if up else -1
            lowest[cell] = highest[cell] = value
            times[row, column, :-1] = times[row, column, 1:]
            times[row, column, -1] = at
            fast += times[row, column, 0] > at - 1
    return fast
