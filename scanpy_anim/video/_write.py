"""A film into a file, or into the HTML that plays it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from scanpy_anim.video._atomic import copied_to, replacing
from scanpy_anim.video._check import (
    check,
    check_durations,
    check_encoder,
    check_numbers,
    format_of,
    is_file,
)
from scanpy_anim.video._fit_size import as_bytes, encode_within
from scanpy_anim.video._flashes import FlashCheck
from scanpy_anim.video._formats import FORMATS
from scanpy_anim.video._options import QUALITY, Options, progress_bar
from scanpy_anim.video._page import player_fragment
from scanpy_anim.video._palette import colors_of
from scanpy_anim.video._targets import TARGETS

if TYPE_CHECKING:
    import os

    from scanpy_anim.video._film import Film


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes
    ----------
    path
        The file; None where it was given open.
    size
        Its bytes.
    scale, quality
        What it was encoded with.
    notes
        Sentences worth telling the user: what a format could not hold as asked.
    """

    path: Path | None
    size: int
    scale: float
    quality: int
    notes: tuple[str, ...] = ()


def write(
    film: Film,
    path: str | os.PathLike[str] | IO[bytes],
    *,
    format: str | None = None,
    loop: int = 0,
    quality: float | None = None,
    max_bytes: float | str | None = None,
    target: str | None = None,
    progress: bool | None = None,
) -> Written:
    """Write a film into a file, by its suffix: complete, or not at all.

    Frames stream: memory does not grow with their number. An existing file is replaced once the
    new one is complete; on an error or Ctrl-C it is as it was.

    Parameters
    ----------
    film
        What to write.
    path
        A name that ends in one of `FORMATS`; or, beside `format`, a file opened for writing in
        binary, which gets the film once it is complete.
    format
        One of `FORMATS`, such as `"mp4"`, whatever the name's suffix.
    loop
        How often gif, webp, apng and html play; 0: for ever. mp4 and webm cannot say, avif plays
        for ever.
    quality
        0 to 100, 80 if not given. mp4: x264's crf 21.5 at 80, about 18 at 94, 42 at 0. webm and
        html: VP9's crf 30 at 80. gif: the number of colors, 255 from 80 upwards. apng: lossless
        from 80 upwards, a palette below. webp, avif: their own quality.
    max_bytes
        Find the best picture that fits: lower quality first, then fewer pixels. A number, or
        `"15MB"` (10**6 bytes), `"10MiB"` (2**20). The film is encoded several times.
    target
        One of `TARGETS`: what is accepted there is checked (format, length) and kept to
        (width and height, bytes).
    progress
        tqdm bar on long work; None: when it lasts and someone watches.

    Returns
    -------
    What was written, with notes for the user.

    Raises
    ------
    ValueError, TypeError, OSError, RuntimeError
        As `check`, before work starts; ValueError if the film's frames do not fit together,
        are too large for the format, or nothing fits into `max_bytes`; OSError if the disk is
        full.

    Examples
    --------
    >>> import numpy as np
    >>> from scanpy_anim.video import Film, write
    >>> def render(scale):
    ...     for level in (0, 128, 255):
    ...         yield np.full((8, 8, 3), level, np.uint8)
    >>> written = write(Film(render, durations=[0.1, 0.1, 1.0]), "film.gif")
    >>> written.path.name
    'film.gif'
    """
    check(
        path,
        format=format,
        loop=loop,
        quality=quality,
        max_bytes=max_bytes,
        target=target,
        seconds=sum(film.durations),
        frames=len(film),
        size=film.size if target is None else None,
    )
    chosen = format_of(path, format)
    check_durations(chosen, tuple(film.durations))
    flashes = FlashCheck(film, loops=loop == 0)
    name = f"film{chosen.suffix}" if is_file(path) else Path(path).name  # type: ignore[arg-type]
    asked = Options(
        chosen,
        quality=QUALITY if quality is None else round(quality),
        loop=int(loop),
        progress=flashes.watching(progress_bar(name, len(film), progress)),
    )
    limits = [] if max_bytes is None else [as_bytes(max_bytes)]
    if target is not None:
        asked = replace(asked, scale=_fitting_scale(film, target, chosen.suffix))
        limits += [most for most in [TARGETS[target].max_bytes[chosen.suffix]] if most]
    with copied_to(path) if is_file(path) else replacing(Path(path)) as draft:  # type: ignore[arg-type]
        options = asked
        if limits:
            options, notes = encode_within(film, draft, asked, min(limits))
        else:
            notes = chosen.encode(film, draft, asked)
        size = draft.stat().st_size
    notes = notes + _choice(asked, options, min(limits, default=0)) + flashes.notes()
    place = None if is_file(path) else Path(path)  # type: ignore[arg-type]
    return Written(place, size, options.scale, options.quality, tuple(notes))


def player(film: Film, *, loop: int = 0, quality: float | None = None) -> str:
    """Give the HTML that plays a film in a notebook's output or anywhere on a page.

    The film is a VP9 stream (every current browser decodes it, also those without licensed
    codecs) in the fragment itself, with a key frame every 60 frames, so that scrubbing is exact
    and quick. Where scripts do not run (an untrusted notebook) the browser's own controls play
    it; where videos are not let through either (GitHub's view of a notebook) the last frame is
    shown as a picture. Players on one page do not know of each other; texts are escaped; equal
    films give equal bytes.

    Parameters
    ----------
    film
        What to show.
    loop
        How often it plays before it stops; 0: for ever.
    quality
        0 to 100, as for `write`.

    Returns
    -------
    An HTML fragment.

    Raises
    ------
    ValueError
        If a number is out of range, or frames do not fit together.
    RuntimeError
        If the installed PyAV has no VP9 encoder.
    """
    check_encoder(page := FORMATS[".html"])
    check_numbers(loop=loop, quality=quality)
    chosen = QUALITY if quality is None else round(quality)
    return player_fragment(film, Options(page, quality=chosen, loop=int(loop)))


def _fitting_scale(film: Film, target: str, suffix: str) -> float:
    height, width = next(film.frames()).shape[:2]
    return TARGETS[target].scale(width, height, len(film), suffix)


def _choice(asked: Options, options: Options, most: int) -> list[str]:
    if (options.quality, options.scale) == (asked.quality, 1.0):
        return []
    reason = f"to stay within {most:,} bytes" if options != asked else "to fit the target"
    colors = f" ({colors_of(options.quality)} colors)" if options.format.suffix == ".gif" else ""
    return [f"quality {options.quality}{colors}, {options.scale:.0%} of the size, {reason}"]
