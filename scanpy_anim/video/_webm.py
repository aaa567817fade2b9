"""WebM: VP9, which every current browser decodes without a licence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._setting import between
from ._stream import Codec, encode_stream

if TYPE_CHECKING:
    from io import BytesIO
    from pathlib import Path

    from ._film import Film
    from ._setting import Setting


def vp9(quality: int, *, options: dict[str, str]) -> Codec:
    """Describe VP9 at a quality: crf 30 at 80."""
    return Codec(
        container="webm",
        encoder="libvpx-vp9",
        ticks=1000,
        options={"crf": f"{between(quality, 60, 30):.0f}", "b": "0", "row-mt": "1"} | options,
    )


def encode(film: Film, path: Path, setting: Setting) -> list[str]:
    """Write a webm.

    Returns
    -------
    Sentences worth telling the user.
    """
    patient = {"deadline": "good", "cpu-used": "5"}
    encode_stream(film, path, setting, vp9(setting.quality, options=patient))
    return []


def encode_for_player(film: Film, target: BytesIO, setting: Setting) -> None:
    """Write a webm that is quick to make and to seek in: a key frame every 12 frames."""
    quick = {"deadline": "realtime", "cpu-used": "6", "g": "12"}
    encode_stream(film, target, setting, vp9(setting.quality, options=quick))
