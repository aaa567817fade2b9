"""Bytes on their way into a page: deflated, spelled in letters, counted."""

from __future__ import annotations

import zlib
from base64 import b64encode
from typing import TYPE_CHECKING

from scanpy_anim._threads import spread

if TYPE_CHECKING:
    from collections.abc import Iterable

_LEVEL = 6


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
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    return b64encode(deflate.compress(content) + deflate.flush()).decode("ascii")
