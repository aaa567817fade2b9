"""Animated gif: one palette for the whole film, no dithering, only what changes is stored."""

from __future__ import annotations

from fractions import Fraction
from io import SEEK_END
from typing import TYPE_CHECKING, Any

import numpy as np

from ._clock import gif_delays
from ._metadata import described
from ._palette import as_indices, film_palette

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ._film import Film
    from ._setting import Setting


def encode(film: Film, path: Path, setting: Setting) -> list[str]:
    """Write a gif; quality is the number of colours.

    Returns
    -------
    Sentences worth telling the user.
    """
    import av

    delays, notes = gif_delays(film.durations)
    palette = film_palette(film, setting, colours_of(setting.quality))
    indices = as_indices(setting.frames(film), palette, film.background)
    begin = np.concatenate([[0], np.cumsum(delays)])
    options = {"loop": str(repeats(setting.loop)), "final_delay": str(delays[-1])}
    with av.open(str(path), "w", format="gif", options=options) as container:
        stream = None
        for number, index in enumerate(indices):
            if stream is None:
                stream = container.add_stream("gif", rate=100)
                stream.height, stream.width = index.shape
                stream.pix_fmt = "pal8"
                stream.codec_context.time_base = Fraction(1, 100)
            indexed: Any = (index, argb(palette))
            picture = av.VideoFrame.from_ndarray(indexed, format="pal8")
            picture.pts, picture.time_base = int(begin[number]), Fraction(1, 100)
            container.mux(stream.encode(picture))
        if stream is not None:
            container.mux(stream.encode(None))
    _append_comment(path, described(film))
    return notes


def _append_comment(path: Path, text: str) -> None:
    """Put a comment extension between the last frame and the end of the file."""
    content = text.encode("utf-8")
    blocks = (content[start : start + 255] for start in range(0, len(content), 255))
    with path.open("rb+") as file:
        file.seek(-1, SEEK_END)
        if content:
            file.write(b"\x21\xfe" + b"".join(bytes([len(b)]) + b for b in blocks) + b"\0")
        file.write(b"\x3b")


def colours_of(quality: int) -> int:
    """Turn a quality into a number of colours: all 255 from 80 upwards, 8 at the least."""
    return int(min(255, max(8, 255 * (quality / 80) ** 2)))


def repeats(loop: int) -> int:
    """Turn a number of showings into gif's count of repeats (-1: no loop extension at all)."""
    return {0: 0, 1: -1}.get(loop, loop - 1)


def argb(palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring a palette into PyAV's form: 256 colours with opacity, the last one clear."""
    table = np.zeros((256, 4), np.uint8)
    table[:-1, 0] = 255
    table[: len(palette), 1:] = palette
    return table
