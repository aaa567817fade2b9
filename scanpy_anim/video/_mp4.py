"""MP4: H.264 as QuickTime, PowerPoint and every browser play it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._setting import between
from ._stream import Codec, encode_stream

if TYPE_CHECKING:
    from pathlib import Path

    from ._film import Film
    from ._setting import Setting


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
    encode_stream(film, path, setting, codec)
    return []
