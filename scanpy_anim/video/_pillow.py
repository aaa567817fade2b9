"""Animated WebP and AVIF through Pillow, frame by frame."""

from __future__ import annotations

import struct
from io import SEEK_CUR, BytesIO
from typing import IO, TYPE_CHECKING

from PIL import Image, ImageFile

from scanpy_anim.video._film import xmp
from scanpy_anim.video._options import between
from scanpy_anim.video._timing import picture_delays

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanpy_anim.video._film import Film
    from scanpy_anim.video._options import Options

_THREADS = 4
_FOLDERS = (b"moov", b"trak", b"mdia")
_DATED = (b"mvhd", b"tkhd", b"mdhd")


def encode_webp(film: Film, path: Path, options: Options) -> list[str]:
    """Write an animated webp; transparent frames stay transparent.

    Returns
    -------
    Sentences worth telling the user.
    """
    delays, notes = picture_delays(film.durations, 1000, "webp")
    _FilmImage(film, options).save(
        path,
        "WEBP",
        save_all=True,
        duration=delays.tolist(),
        loop=options.loop,
        quality=options.quality,
        method=2,
        xmp=xmp(film),
    )
    if len(delays) == 1:
        path.write_bytes(_timed(path.read_bytes(), int(delays[0]), options.loop))
    return notes


def encode_avif(film: Film, path: Path, options: Options) -> list[str]:
    """Write an animated avif; transparent frames stay transparent.

    Returns
    -------
    Sentences worth telling the user.
    """
    delays, notes = picture_delays(film.durations, 1000, "avif")
    _FilmImage(film, options).save(
        path,
        "AVIF",
        save_all=True,
        duration=delays.tolist(),
        quality=round(between(options.quality, 10, 70)),
        speed=8,
        max_threads=_THREADS,  # not as many as there are: tiles depend on it, and the bytes
        range="limited",  # Chromium shows films in full range with too much contrast
        xmp=xmp(film),
    )
    with path.open("rb+") as file:
        _forget_dates(file, path.stat().st_size)
    if options.loop:
        notes.append("avif: plays for ever, loop cannot be stored")
    if len(delays) == 1:
        notes.append("avif: a single frame is a picture, which has no duration")
    return notes


def _timed(still: bytes, delay: int, loop: int) -> bytes:
    """Make a webp of one frame that is shown for `delay` ms; encoders write a picture instead.

    Chunks as in the specification of the container (RFC 9649, 2.7).
    """
    chunks = dict(_chunks(still))
    with Image.open(BytesIO(still)) as picture:
        width, height = picture.size
        clear = picture.mode == "RGBA"
    extended, xmp = chunks.pop(b"VP8X", None), chunks.pop(b"XMP ", None)
    flags = 0x02 | (extended[0] if extended else 0x10 * clear)
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    frame = bytes(6) + size + delay.to_bytes(3, "little") + b"\x02"  # over nothing
    frame += b"".join(_chunk(kind, content) for kind, content in chunks.items())
    animated = _chunk(b"VP8X", bytes([flags, 0, 0, 0]) + size)
    animated += _chunk(b"ANIM", struct.pack("<4BH", 255, 255, 255, 255, loop))
    animated += _chunk(b"ANMF", frame) + (_chunk(b"XMP ", xmp) if xmp else b"")
    return _chunk(b"RIFF", b"WEBP" + animated)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give the chunks of a RIFF file."""
    at = 12
    while at < len(content):
        kind, size = struct.unpack_from("<4sI", content, at)
        yield kind, content[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(content)) + content + bytes(len(content) % 2)


class _FilmImage(ImageFile.ImageFile):
    """A film as a Pillow image of many frames, of which one is in memory.

    Pillow's savers walk through the `n_frames` of an image with `seek`; a list given as
    `append_images` they would keep as a whole. This is an image plugin as Pillow describes them,
    whose file is the frame drawn last: forward only, which is how files are written.
    """

    format = "FILM"

    def __init__(self, film: Film, options: Options) -> None:
        self._frames = options.stored_frames(film)
        self.n_frames = len(film)
        self._at = -1
        super().__init__(BytesIO(), "film")

    @property
    def is_animated(self) -> bool:
        """Whether there is more than one frame."""
        return self.n_frames > 1

    def _open(self) -> None:
        self._draw_next()

    def _draw_next(self) -> None:
        frame = next(self._frames)
        self._at += 1
        self._size = frame.shape[1], frame.shape[0]
        self._mode = {3: "RGB", 4: "RGBA"}[frame.shape[2]]
        self.fp = BytesIO(frame.tobytes())
        self.tile = [ImageFile._Tile("raw", (0, 0, *self._size), 0, (self._mode, 0, 1))]
        if self._at == self.n_frames - 1:
            for _ in self._frames:  # to its end, where it complains of frames without duration
                pass

    def seek(self, frame: int) -> None:
        """Draw the next frame, if that is the one asked for."""
        if frame >= self.n_frames:
            raise EOFError
        if frame == self._at + 1:
            self._draw_next()

    def tell(self) -> int:
        """Return the number of the frame that was drawn last."""
        return self._at


def _forget_dates(file: IO[bytes], end: int) -> None:
    """Zero when the film was made, as is usual where it is not to be told (ISO 14496-12, 8.2.2).

    So equal films give equal bytes.
    """
    while file.tell() + 8 <= end:
        start = file.tell()
        size, kind = struct.unpack(">I4s", file.read(8))
        if kind in _FOLDERS:
            _forget_dates(file, start + size)
        elif kind in _DATED:
            long = file.read(1) == b"\x01"
            file.seek(3, SEEK_CUR)
            file.write(bytes(16 if long else 8))  # created, changed
        elif size < 8:
            return  # to the end of the file, or a length of 64 bits: no room for dates
        file.seek(start + size)
