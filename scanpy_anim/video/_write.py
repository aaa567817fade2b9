"""A film into a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ._atomic import replacing
from ._budget import as_bytes, encode_within
from ._check import check, format_of
from ._gif import colours_of
from ._setting import QUALITY, Setting
from ._targets import TARGETS
from ._watch import watcher

if TYPE_CHECKING:
    import os

    from ._film import Film


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes
    ----------
    path
        The file.
    size
        Its bytes.
    scale, quality
        What it was encoded with.
    notes
        Sentences worth telling the user: what a format could not hold as asked.
    """

    path: Path
    size: int
    scale: float
    quality: int
    notes: tuple[str, ...] = ()


def write(
    film: Film,
    path: str | os.PathLike[str],
    *,
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
        A name that ends in one of :data:`FORMATS`.
    loop
        How often gif, webp, apng and html play; 0: for ever. mp4 and webm cannot say, avif plays
        for ever.
    quality
        0 to 100, 80 if not given. mp4: x264's crf 21.5 at 80, about 18 at 94, 42 at 0. webm and
        html: VP9's crf 30 at 80. gif: the number of colours, 255 from 80 upwards. apng: lossless
        from 80 upwards, a palette below. webp, avif: their own quality.
    max_bytes
        Find the best picture that fits: lower quality first, then fewer pixels. A number, or
        ``"15MB"`` (10**6 bytes), ``"10MiB"`` (2**20). The film is encoded several times.
    target
        One of :data:`TARGETS`: what is accepted there is checked (format, length) and kept to
        (width and height, bytes).
    progress
        tqdm bar on long work; None: when it lasts and someone watches.

    Returns
    -------
    What was written, with notes for the user.

    Raises
    ------
    ValueError, OSError, RuntimeError
        As :func:`check`, before work starts; ValueError if the film's frames do not fit together,
        are too large for the format, or nothing fits into ``max_bytes``; OSError if the disk is
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
    seconds = sum(film.durations)
    check(
        path,
        loop=loop,
        quality=quality,
        max_bytes=max_bytes,
        target=target,
        seconds=seconds,
        frames=len(film),
    )
    format = format_of(path)
    setting = Setting(
        format,
        quality=QUALITY if quality is None else round(quality),
        loop=int(loop),
        watch=watcher(Path(path).name, len(film), progress),
    )
    limits = [] if max_bytes is None else [as_bytes(max_bytes)]
    if target is not None:
        height, width = next(film.frames()).shape[:2]
        scale = TARGETS[target].scale(width, height, len(film), format.suffix)
        setting = replace(setting, scale=scale)
        limits += [most for most in [TARGETS[target].max_bytes[format.suffix]] if most]
    with replacing(Path(path)) as draft:
        asked = setting
        if limits:
            setting, notes = encode_within(film, draft, asked, min(limits), format.encode())
        else:
            notes = format.encode()(film, draft, setting)
        size = draft.stat().st_size
    notes += _choice(asked, setting, min(limits, default=0))
    return Written(Path(path), size, setting.scale, setting.quality, tuple(notes))


def _choice(asked: Setting, setting: Setting, most: int) -> list[str]:
    if (setting.quality, setting.scale) == (asked.quality, 1.0):
        return []
    reason = f"to stay within {most:,} bytes" if setting != asked else "to fit the target"
    colours = f" ({colours_of(setting.quality)} colours)" if setting.format.suffix == ".gif" else ""
    return [f"quality {setting.quality}{colours}, {setting.scale:.0%} of the size, {reason}"]
