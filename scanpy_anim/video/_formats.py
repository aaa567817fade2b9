"""The formats, by suffix: what writes them and what they can hold."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Library = Literal["PyAV", "Pillow", ""]

H264_PIXELS = 139_264 * 16 * 16  # level 6.2, ITU-T H.264 table A-1


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes
    ----------
    suffix
        With its dot.
    title
        Its name for people.
    room
        The private module that writes it: its ``encode(film, path, setting)``.
    library, encoder
        What has to be installed: a PyAV encoder or a Pillow feature.
    instead
        Suffix to recommend where the encoder is missing.
    max_side, max_pixels
        Largest width or height, and largest frame, that the format can hold.
    """

    suffix: str
    title: str
    room: str
    library: Library
    encoder: str
    instead: str
    max_side: int
    max_pixels: int = 1 << 28

    def encode(self) -> Callable[..., list[str]]:
        """Load what writes this format."""
        return import_module(f".{self.room}", __package__).encode

    def missing(self) -> bool:
        """Say whether the installed libraries lack the encoder."""
        if self.library == "PyAV":
            from av.codec import codecs_available

            return self.encoder not in codecs_available
        if self.library == "Pillow":
            from PIL import features

            return not features.check(self.encoder)
        return False


FORMATS: dict[str, Format] = {
    format.suffix: format
    for format in (
        Format(".gif", "GIF", "_gif", "PyAV", "gif", ".webp", 65_535),
        Format(".mp4", "MP4 (H.264)", "_mp4", "PyAV", "libx264", ".webm", 16_384, H264_PIXELS),
        Format(".webm", "WebM (VP9)", "_webm", "PyAV", "libvpx-vp9", ".mp4", 16_384),
        Format(".webp", "animated WebP", "_webp", "Pillow", "webp", ".gif", 16_383),
        Format(".apng", "animated PNG", "_apng", "Pillow", "zlib", ".webp", (1 << 31) - 1),
        Format(".avif", "animated AVIF", "_avif", "Pillow", "avif", ".webp", 65_536),
        Format(".html", "web page", "_html", "PyAV", "libvpx-vp9", ".gif", 16_384),
    )
}
"""Every format that :func:`write` knows, by suffix."""
