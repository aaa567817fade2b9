"""A film into a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ._atomic import replacing
from ._check import check, format_of
from ._setting import QUALITY, Setting
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
        How often gif, webp and html play; 0: for ever. mp4 and webm cannot say.
    quality
        0 to 100, 80 if not given. mp4: crf 18 at 80, 12 at 100, 42 at 0. webm and html: VP9's
        crf 30 at 80. gif: the number of colours, 255 from 80 upwards. webp: its own quality.
    progress
        tqdm bar on long work; None: when it lasts and someone watches.

    Returns
    -------
    What was written, with notes for the user.

    Raises
    ------
    ValueError, OSError, RuntimeError
        As :func:`check`, before work starts; ValueError if the film's frames do not fit together
        or are too large for the format; OSError if the disk is full.

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
    check(path, loop=loop, quality=quality)
    format = format_of(path)
    setting = Setting(
        format,
        quality=QUALITY if quality is None else round(quality),
        loop=int(loop),
        watch=watcher(Path(path).name, len(film), progress),
    )
    with replacing(Path(path)) as draft:
        notes = format.encode()(film, draft, setting)
        size = draft.stat().st_size
    return Written(Path(path), size, setting.scale, setting.quality, tuple(notes))
