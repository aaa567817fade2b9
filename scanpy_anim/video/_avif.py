"""Animated AVIF through Pillow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._clock import starts
from ._metadata import xmp
from ._reel import reel
from ._setting import between

if TYPE_CHECKING:
    from pathlib import Path

    from ._film import Film
    from ._setting import Setting


def encode(film: Film, path: Path, setting: Setting) -> list[str]:
    """Write an animated avif; transparent frames stay transparent.

    Returns
    -------
    Sentences worth telling the user.
    """
    begin = starts(film.durations, 1000)
    picture = reel(film, setting)
    picture.save(
        path,
        "AVIF",
        save_all=True,
        duration=(begin[1:] - begin[:-1]).tolist(),
        quality=round(between(setting.quality, 10, 70)),
        speed=8,
        range="limited",  # Chromium shows films in full range with too much contrast
        xmp=xmp(film),
    )
    return [] if setting.loop == 0 else ["avif: plays for ever, loop cannot be stored"]
