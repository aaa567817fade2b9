"""Animated WebP through Pillow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._clock import starts
from ._metadata import xmp
from ._reel import reel

if TYPE_CHECKING:
    from pathlib import Path

    from ._film import Film
    from ._setting import Setting


def encode(film: Film, path: Path, setting: Setting) -> list[str]:
    """Write an animated webp; transparent frames stay transparent.

    Returns
    -------
    Sentences worth telling the user.
    """
    begin = starts(film.durations, 1000)
    picture = reel(film, setting)
    picture.save(
        path,
        "WEBP",
        save_all=True,
        duration=(begin[1:] - begin[:-1]).tolist(),
        loop=setting.loop,
        quality=setting.quality,
        method=2,
        xmp=xmp(film),
    )
    return []
