"""Animated gif: one palette for the whole film, no dithering, only what changes is stored."""

from __future__ import annotations

from fractions import Fraction
from io import SEEK_END
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim.video._film import described
from scanpy_anim.video._palette import as_indices, colors_of, film_palette
from scanpy_anim.video._pyav import load_av
from scanpy_anim.video._timing import picture_delays

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from scanpy_anim.video._film import Film
    from scanpy_anim.video._options import Options


def encode_gif(film: Film, path: Path, options: Options) -> list[str]:
    """Write a gif; quality is the number of colors.

    Returns
    -------
    Sentences worth telling the user.
    """
    av = load_av()
    delays, notes = picture_delays(film.durations, 100, "gif")
    palette = film_palette(film, options, colors_of(options.quality))
    indices = as_indices(options.stored_frames(film), palette, film.background)
    begin = np.concatenate([[0], np.cumsum(delays)])
    times = {"loop": str(_repeats(options.loop)), "final_delay": str(delays[-1])}
    with av.open(str(path), "w", format="gif", options=times) as container:
        stream = None
        for number, index in enumerate(indices):
            if stream is None:
                stream = container.add_stream("gif", rate=100)
                stream.height, stream.width = index.shape
                stream.pix_fmt = "pal8"
                stream.codec_context.time_base = Fraction(1, 100)
            indexed: Any = (index, _argb(palette))
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


def _repeats(loop: int) -> int:
    """Turn a number of showings into gif's count of repeats (-1: no loop extension at all)."""
    return {0: 0, 1: -1}.get(loop, loop - 1)


def _argb(palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring a palette into PyAV's form: 256 colors with opacity, the last one clear."""
    table = np.zeros((256, 4), np.uint8)
    table[:-1, 0] = 255
    table[: len(palette), 1:] = palette
    return table
