"""Animated PNG: lossless, or one palette for the whole film below quality 80.

The frames are compressed by Pillow, cropped to what changed; this module puts their data into the
chunks of the PNG specification (third edition, section 11.3.2).
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from scanpy_anim.video._options import QUALITY
from scanpy_anim.video._palette import CLEAR, as_indices, colors_of, film_palette
from scanpy_anim.video._timing import picture_delays

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from scanpy_anim.video._film import Film
    from scanpy_anim.video._options import Options

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOR_TYPES = {"RGB": 2, "P": 3, "RGBA": 6}
_SOURCE, _OVER = 0, 1  # replace what is there, or let it shine through


def encode_apng(film: Film, path: Path, options: Options) -> list[str]:
    """Write an animated png.

    Returns
    -------
    Sentences worth telling the user.
    """
    palette = None
    frames = options.stored_frames(film)
    if options.quality < QUALITY:
        palette = film_palette(film, options, colors_of(options.quality))
        frames = as_indices(frames, palette, film.background)
    delays, notes = picture_delays(film.durations, 1000, "apng")
    with path.open("wb") as file:
        _write(file, frames, delays.tolist(), film, options.loop, palette)
    return notes


def _write(
    file: IO[bytes],
    frames: Iterator[NDArray[np.uint8]],
    delays: list[int],
    film: Film,
    loop: int,
    palette: NDArray[np.uint8] | None,
) -> None:
    sequence = 0
    before: NDArray[np.uint8] | None = None
    for frame in frames:
        if before is None:
            rows, columns = slice(0, frame.shape[0]), slice(0, frame.shape[1])
            part, blend = frame, _SOURCE
            _write_head(file, frame, len(delays), film, loop, palette)
        else:
            rows, columns = _changed_part(before, frame)
            part, blend = _difference(before[rows, columns], frame[rows, columns])
        _write_chunk(file, b"fcTL", _control(sequence, rows, columns, delays.pop(0), blend))
        sequence += 1
        for piece in _compressed(part):
            if before is None:
                _write_chunk(file, b"IDAT", piece)
            else:
                _write_chunk(file, b"fdAT", struct.pack(">I", sequence) + piece)
                sequence += 1
        before = frame
    _write_chunk(file, b"IEND", b"")


def _changed_part(before: NDArray[np.uint8], frame: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Frame in the pixels that differ; one pixel if none does, so that no frame is lost."""
    changed = before != frame
    if changed.ndim == 3:
        changed = changed.any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if not len(rows):
        return slice(0, 1), slice(0, 1)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _difference(
    before: NDArray[np.uint8], frame: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], int]:
    """Leave out what is there already, if the frame has a palette and nothing becomes clear."""
    if frame.ndim == 3 or ((frame == CLEAR) & (before != CLEAR)).any():
        return frame, _SOURCE
    return np.where(frame == before, np.uint8(CLEAR), frame), _OVER


def _write_head(
    file: IO[bytes],
    frame: NDArray[np.uint8],
    n_frames: int,
    film: Film,
    loop: int,
    palette: NDArray[np.uint8] | None,
) -> None:
    height, width = frame.shape[:2]
    kind = _COLOR_TYPES[_mode(frame)]
    file.write(_SIGNATURE)
    _write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
    _write_chunk(file, b"sRGB", b"\0")
    _write_chunk(file, b"acTL", struct.pack(">II", n_frames, loop))
    for name, text in film.metadata.items():
        keyword = name.title()[:79].encode("latin-1", "replace")
        _write_chunk(file, b"iTXt", keyword + b"\0\0\0\0\0" + text.encode("utf-8"))
    if palette is not None:
        table = np.zeros((256, 3), np.uint8)
        table[: len(palette)] = palette
        _write_chunk(file, b"PLTE", table.tobytes())
        _write_chunk(file, b"tRNS", b"\xff" * CLEAR + b"\0")


def _control(sequence: int, rows: slice, columns: slice, delay: int, blend: int) -> bytes:
    """Say where a frame goes and how long it stays, in thousandths of a second if they fit."""
    unit = 1000 if delay < 1 << 16 else 10
    where = (columns.stop - columns.start, rows.stop - rows.start, columns.start, rows.start)
    shown = min(delay * unit // 1000, (1 << 16) - 1)
    return struct.pack(">IIIIIHHBB", sequence, *where, shown, unit, 0, blend)


def _mode(frame: NDArray[np.uint8]) -> str:
    return "P" if frame.ndim == 2 else {3: "RGB", 4: "RGBA"}[frame.shape[2]]


def _compressed(part: NDArray[np.uint8]) -> Iterator[bytes]:
    """Compress with Pillow's PNG encoder, and take the image data out of its chunks."""
    from PIL import Image

    options: dict[str, Any] = {"compress_level": 6}
    picture = Image.fromarray(np.ascontiguousarray(part))
    if part.ndim == 2:
        picture.putpalette(bytes(768))
        options["bits"] = 8
    buffer = BytesIO()
    picture.save(buffer, "PNG", **options)
    content = buffer.getvalue()
    at = len(_SIGNATURE)
    while at < len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        if kind == b"IDAT":
            yield content[at + 8 : at + 8 + length]
        at += length + 12


def _write_chunk(file: IO[bytes], kind: bytes, content: bytes) -> None:
    file.write(struct.pack(">I", len(content)) + kind + content)
    file.write(struct.pack(">I", zlib.crc32(kind + content)))
