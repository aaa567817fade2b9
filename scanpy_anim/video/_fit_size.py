"""The best picture that fits into so many bytes: quality (for gif: colors) first, then scale."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from scanpy_anim._checks import is_number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from scanpy_anim.video._film import Film
    from scanpy_anim.video._options import Frames, Options

_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_QUALITY_STEP = 8
_LEAST_QUALITY = 40
_SCALED_QUALITY = 48
_SMALLEST = 35  # of a gif of one pixel
_SMALL = (".mp4", ".mov", ".webm", ".avif")
_SCALES = (0.84, 0.71, 0.59, 0.5, 0.42, 0.35, 0.3, 0.25)


class _Overflow(Exception):
    """The file has grown beyond its budget: no need to encode the rest."""


def as_bytes(size: float | str) -> int:
    """Read a size: a number of bytes, or a text such as `"15MB"` or `"10 MiB"`.

    Raises
    ------
    ValueError
        If it is not a positive size.
    """
    if isinstance(size, str):
        found = re.fullmatch(r"\s*([0-9]*\.?[0-9]+)\s*([kmg]?i?b)?\s*", size, re.IGNORECASE)
        number = float(found[1]) * _UNITS.get((found[2] or "").lower(), 1) if found else -1.0
    else:
        number = float(size) if is_number(size) else -1.0
    if not 1 <= number < float("inf"):
        raise ValueError(f"max_bytes must be a number of bytes or a text like '15MB', not {size!r}")
    if number < _SMALLEST:
        raise ValueError(f"max_bytes={size!r}: no film has fewer than {_SMALLEST} bytes")
    return int(number)


def encode_within(
    film: Film, draft: Path, options: Options, most: int
) -> tuple[Options, list[str]]:
    """Encode with the best options on the ladder whose file is no larger than `most`.

    A bisection: about four encodings after the first one, each broken off as soon as its file is
    too large.

    Returns
    -------
    The options, and the encoder's notes; the file is in `draft`.

    Raises
    ------
    ValueError
        If nothing on the ladder fits.
    """
    steps = _ladder(options)
    notes = _try(film, draft, steps[0], most)
    if notes is not None:
        return steps[0], notes
    best: tuple[Options, list[str]] | None = None
    on_disk: Options | None = None
    low, high = 1, len(steps)
    while low < high:
        middle = (low + high) // 2
        notes = _try(film, draft, steps[middle], most)
        if notes is None:
            low, on_disk = middle + 1, None
        else:
            best, on_disk, high = (steps[middle], notes), steps[middle], middle
    if best is None:
        smaller = "" if options.format.suffix in _SMALL else ", or save as .mp4, which is smaller"
        raise ValueError(
            f"max_bytes: not even quality {steps[-1].quality} at {_SCALES[-1]:.0%} of the size "
            f"fits into {most:,} bytes; show fewer frames{smaller}"
        )
    if on_disk is not best[0]:
        options.format.encode(film, draft, best[0])
    return best


def _ladder(options: Options) -> list[Options]:
    """List what to try, from the best down, each step expected to be smaller than the last."""
    qualities = range(options.quality, min(_LEAST_QUALITY, options.quality) - 1, -_QUALITY_STEP)
    lower = min(_SCALED_QUALITY, options.quality)
    steps = [replace(options, quality=quality) for quality in qualities]
    return steps + [
        replace(options, quality=lower, scale=options.scale * factor) for factor in _SCALES
    ]


def _try(film: Film, draft: Path, options: Options, most: int) -> list[str] | None:
    """Encode, unless the file grows too large; return the encoder's notes if it fits."""
    draft.write_bytes(b"")

    def within(frames: Frames) -> Iterator[NDArray[np.uint8]]:
        for frame in options.progress(frames):
            if draft.stat().st_size > most:
                raise _Overflow
            yield frame

    try:
        notes = options.format.encode(film, draft, replace(options, progress=within))
    except _Overflow:
        return None
    return notes if draft.stat().st_size <= most else None
