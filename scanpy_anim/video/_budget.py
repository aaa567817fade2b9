"""The best picture that fits: quality (for gif: colours) first, then scale."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ._setting import is_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ._film import Film
    from ._setting import Setting

UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
QUALITY_STEP = 8
LEAST_QUALITY = 40
SCALED_QUALITY = 48
SMALL = (".mp4", ".webm", ".avif")
SCALES = (0.84, 0.71, 0.59, 0.5, 0.42, 0.35, 0.3, 0.25)


class Overflow(Exception):
    """The file has grown beyond its budget: no need to encode the rest."""


def as_bytes(size: float | str) -> int:
    """Read a size: a number of bytes, or a text such as ``"15MB"`` or ``"10 MiB"``.

    Raises
    ------
    ValueError
        If it is not a positive size.
    """
    if isinstance(size, str):
        found = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([kmg]?i?b)?\s*", size, re.IGNORECASE)
        number = float(found[1]) * UNITS.get((found[2] or "").lower(), 1) if found else -1.0
    else:
        number = float(size) if is_number(size) else -1.0
    if not 1 <= number < float("inf"):
        msg = f"max_bytes must be a number of bytes or a text like '15MB', not {size!r}"
        raise ValueError(msg)
    return int(number)


def ladder(setting: Setting) -> list[Setting]:
    """List what to try, from the best down, each step expected to be smaller than the last."""
    qualities = range(setting.quality, min(LEAST_QUALITY, setting.quality) - 1, -QUALITY_STEP)
    lower = min(SCALED_QUALITY, setting.quality)
    steps = [replace(setting, quality=quality) for quality in qualities]
    return steps + [
        replace(setting, quality=lower, scale=setting.scale * factor) for factor in SCALES
    ]


def encode_within(
    film: Film,
    draft: Path,
    setting: Setting,
    most: int,
    encode: Callable[[Film, Path, Setting], list[str]],
) -> tuple[Setting, list[str]]:
    """Encode with the best setting on the ladder whose file is no larger than ``most``.

    A bisection: about four encodings after the first one, each broken off as soon as its file is
    too large.

    Returns
    -------
    The setting, and the encoder's notes; the file is in ``draft``.

    Raises
    ------
    ValueError
        If nothing on the ladder fits.
    """
    steps = ladder(setting)
    notes = _try(film, draft, steps[0], most, encode)
    if notes is not None:
        return steps[0], notes
    best: tuple[Setting, list[str]] | None = None
    on_disk: Setting | None = None
    low, high = 1, len(steps)
    while low < high:
        middle = (low + high) // 2
        notes = _try(film, draft, steps[middle], most, encode)
        if notes is None:
            low, on_disk = middle + 1, None
        else:
            best, on_disk, high = (steps[middle], notes), steps[middle], middle
    if best is None:
        smaller = "" if setting.format.suffix in SMALL else ", or save as .mp4, which is smaller"
        msg = (
            f"max_bytes: not even quality {steps[-1].quality} at {SCALES[-1]:.0%} of the size fits "
            f"into {most:,} bytes; show fewer frames{smaller}"
        )
        raise ValueError(msg)
    if on_disk is not best[0]:
        encode(film, draft, best[0])
    return best


def _try(
    film: Film,
    draft: Path,
    setting: Setting,
    most: int,
    encode: Callable[[Film, Path, Setting], list[str]],
) -> list[str] | None:
    draft.write_bytes(b"")

    def within(frames: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        for frame in setting.watch(frames):
            if draft.stat().st_size > most:
                raise Overflow
            yield frame

    try:
        notes = encode(film, draft, replace(setting, watch=within))
    except Overflow:
        return None
    return notes if draft.stat().st_size <= most else None
