"""Animated AVIF through Pillow."""

from __future__ import annotations

import struct
from io import SEEK_CUR
from typing import IO, TYPE_CHECKING

from ._clock import starts
from ._metadata import xmp
from ._reel import reel
from ._setting import between

if TYPE_CHECKING:
    from pathlib import Path

    from ._film import Film
    from ._setting import Setting

FOLDERS = (b"moov", b"trak", b"mdia")
DATED = (b"mvhd", b"tkhd", b"mdhd")


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
    with path.open("rb+") as file:
        _forget_dates(file, path.stat().st_size)
    return [] if setting.loop == 0 else ["avif: plays for ever, loop cannot be stored"]


def _forget_dates(file: IO[bytes], end: int) -> None:
    """Zero when the film was made, as is usual where it is not to be told (ISO 14496-12, 8.2.2).

    So equal films give equal bytes.
    """
    while file.tell() + 8 <= end:
        start = file.tell()
        size, kind = struct.unpack(">I4s", file.read(8))
        if kind in FOLDERS:
            _forget_dates(file, start + size)
        elif kind in DATED:
            long = file.read(1) == b"\x01"
            file.seek(3, SEEK_CUR)
            file.write(bytes(16 if long else 8))  # created, changed
        elif size < 8:
            return  # to the end of the file, or a length of 64 bits: no room for dates
        file.seek(start + size)
