"""Bytes on their way into a page: deflated, spelled in letters, counted."""

from __future__ import annotations

import zlib
from base64 import b64encode
from typing import TYPE_CHECKING

from scanpy_anim._threads import spread

if TYPE_CHECKING:
    from collections.abc import Iterable

_LEVEL, _MEMORY = 6, 7  # of zlib; less memory makes shorter blocks, each with a code that fits it
_STRETCHES, _STRETCH = 8, 1 << 12  # of long content, which tell how the rest is deflated best


class Parts:
    """The parts of a page by name, in the order in which they came."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.sizes: dict[str, tuple[int, int]] = {}
        self.prefix = ""  # of the names of what is added

    def add(self, named: Iterable[tuple[str, bytes]], known: str | None = None) -> None:
        """Deflate some parts, each on a thread of its own; a single one may be `known` by now."""
        named = list(named)
        texts = [known] if known else spread(packed, [content for _, content in named])
        for (name, content), text in zip(named, texts, strict=True):
            self.texts[self.prefix + name] = text
            self.sizes[self.prefix + name] = len(text), len(content)


def packed(content: bytes) -> str:
    """Deflate bytes, without any header, and spell them in base64."""
    return b64encode(_deflated(content, likely(content)[1])).decode("ascii")


def likely(content: bytes) -> tuple[float, int]:
    """Return how long some bytes are likely to be once deflated, and zlib's strategy for that.

    What does not repeat gets shorter where no repetition is looked for, and much sooner.
    """
    some = content
    if len(content) > _STRETCHES * _STRETCH:
        starts = (k * (len(content) - _STRETCH) // (_STRETCHES - 1) for k in range(_STRETCHES))
        some = b"".join(content[start : start + _STRETCH] for start in starts)
    ways = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_RLE)
    length, way = min((len(_deflated(some, way)), way) for way in ways)
    return length * len(content) / max(len(some), 1), way


def _deflated(content: bytes, way: int) -> bytes:
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, _MEMORY, way)
    return deflate.compress(content) + deflate.flush()
