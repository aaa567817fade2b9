"""MP4: H.264 as QuickTime, PowerPoint and every browser play it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ._setting import between
from ._stream import Codec, encode_stream

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ._film import Film
    from ._setting import Setting

TAGS = ("title", "artist", "comment", "description", "date", "copyright")


def encode(film: Film, path: Path, setting: Setting) -> list[str]:
    """Write an mp4: yuv420p, index at the start of the file, crf 18 at quality 80.

    Returns
    -------
    Sentences worth telling the user.
    """
    codec = Codec(
        container="mp4",
        encoder="libx264",
        ticks=90_000,
        options={
            "crf": f"{between(setting.quality, 42, 18):.1f}",
            "preset": "veryfast",
            "refs": "3",
        },
        container_options={"movflags": "+faststart"},
        reorders=True,
    )
    encode_stream(replace(film, metadata=tagged(film.metadata)), path, setting, codec)
    return []


def tagged(metadata: Mapping[str, str]) -> dict[str, str]:
    """Move what mp4 has no tag for into the comment."""
    tags = {name: text for name, text in metadata.items() if name in TAGS}
    rest = [f"{name}: {text}" for name, text in metadata.items() if name not in TAGS]
    if rest:
        tags["comment"] = "\n".join([*filter(None, [tags.get("comment")]), *rest])
    return tags
