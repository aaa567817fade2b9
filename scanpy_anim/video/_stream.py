"""MP4 and WebM through PyAV's encoders: exact times, right colors."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim.video._film import opaque
from scanpy_anim.video._options import between
from scanpy_anim.video._pipeline import handed_over
from scanpy_anim.video._planes import to_video
from scanpy_anim.video._pyav import load_av
from scanpy_anim.video._timing import starts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from io import BytesIO
    from pathlib import Path

    from numpy.typing import NDArray

    from scanpy_anim.video._film import Film
    from scanpy_anim.video._options import Options

_BT709 = 1  # matrix and primaries (ITU-T H.273)
_SRGB_CURVE = 13  # IEC 61966-2-1, what the frames are drawn in
_LIMITED_RANGE = 1

# Fixed, as x264's bytes depend on it: equal films are equal files on every machine.
_THREADS = 4


# Points that stay where they are and change their color are cheap to predict, and bits that mimic
# grain are wasted on them (psy-rd). Color is stored at half the resolution, which costs more than
# coarser steps do (chroma-qp-offset); edges are true and not to be smoothed (deblock). Against the
# preset alone this saves about a fifth of the bytes at the same measured quality.
_X264 = "psy-rd=0,0:chroma-qp-offset=2:deblock=-1,-1:trellis=1:rc-lookahead=20:bframes=8"

_TAGS = ("title", "artist", "comment", "description", "date", "copyright")


@dataclass(frozen=True)
class _Codec:
    """How a film becomes a stream: container, encoder and their options.

    Attributes
    ----------
    container, encoder
        PyAV's names.
    ticks
        Ticks a second in which the container counts.
    options, container_options
        Handed to encoder and container.
    reorders
        The encoder's packets leave the order of the frames, and the container takes the film's
        end from the last packet. The last two frames are then coded without one between them
        that waits for both, so that the last one shown is the last one decoded too and its hold
        counts in full.
    """

    container: str
    encoder: str
    ticks: int
    options: Mapping[str, str]
    container_options: Mapping[str, str] = field(default_factory=dict)
    reorders: bool = False


def encode_mp4(film: Film, path: Path, options: Options) -> list[str]:
    """Write an mp4: yuv420p, index at the start of the file, crf 21.5 at quality 80.

    Returns
    -------
    Sentences worth telling the user.
    """
    _encode_h264(film, path, options, "mp4")
    return []


def encode_mov(film: Film, path: Path, options: Options) -> list[str]:
    """Write a QuickTime movie: the stream of an mp4 in the container that it comes from.

    Returns
    -------
    Sentences worth telling the user.
    """
    _encode_h264(film, path, options, "mov")
    return []


def _encode_h264(film: Film, path: Path, options: Options, container: str) -> None:
    codec = _Codec(
        container=container,
        encoder="libx264",
        ticks=90_000,
        options={
            "crf": f"{between(options.quality, 42, 21.5):.1f}",
            "preset": "veryfast",
            "refs": "3",
            "x264-params": _X264 + _without_avx512(),
        },
        container_options={"movflags": "+faststart"},
        reorders=True,
    )
    _encode_stream(replace(film, metadata=_tagged(film.metadata)), path, options, codec)


@cache
def _without_avx512() -> str:
    """Keep x264 from AVX-512, with which equal films now and then give other bytes.

    Its macroblock tree then depends on what memory held before; with the instructions up to AVX2
    it does not.
    """
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    if not any(name.startswith("AVX512") or name == "X86_V4" for name in found):
        return ""
    return ":asm=MMX2,SSE2,SSE2Fast,LZCNT,SSSE3,SSE4.1,SSE4.2,AVX,FMA3,BMI1,BMI2,AVX2"


def _tagged(metadata: Mapping[str, str]) -> dict[str, str]:
    """Move what mp4 has no tag for into the comment."""
    tags = {name: text for name, text in metadata.items() if name in _TAGS}
    rest = [f"{name}: {text}" for name, text in metadata.items() if name not in _TAGS]
    if rest:
        tags["comment"] = "\n".join([*filter(None, [tags.get("comment")]), *rest])
    return tags


def _vp9(quality: int, *, cpu_used: int, key_every: int) -> _Codec:
    """Describe VP9 at a quality: crf 30 at 80.

    Its "realtime" effort gives files a tenth larger than "good" in a fifth of the time.
    """
    return _Codec(
        container="webm",
        encoder="libvpx-vp9",
        ticks=1000,
        options={
            "crf": f"{between(quality, 60, 30):.0f}",
            "b": "0",
            "deadline": "realtime",
            "cpu-used": str(cpu_used),
            "row-mt": "1",
            "g": str(key_every),
        },
    )


def encode_webm(film: Film, path: Path, options: Options) -> list[str]:
    """Write a webm.

    Returns
    -------
    Sentences worth telling the user.
    """
    _encode_stream(film, path, options, _vp9(options.quality, cpu_used=5, key_every=120))
    return []


def encode_for_player(film: Film, target: BytesIO, options: Options) -> None:
    """Write a webm that is quick to make, and to seek in: 60 frames are decoded at most."""
    _encode_stream(film, target, options, _vp9(options.quality, cpu_used=6, key_every=60))


def _encode_stream(film: Film, target: Path | BytesIO, options: Options, codec: _Codec) -> None:
    """Encode a film as 4:2:0 video, frame by frame, each at its exact time.

    Odd sizes are padded with the background, not rescaled. The last frame's hold is its duration
    in the container, not a repeated frame.
    """
    av = load_av()
    begin = starts(film.durations, codec.ticks)
    file = target if hasattr(target, "write") else str(target)
    exact = {"fflags": "+bitexact"} | dict(codec.container_options)  # no random identifiers
    container = av.open(file, "w", format=codec.container, options=exact)
    with container:
        container.metadata.update(film.metadata)
        encoding = _Encoding(container, film, codec, begin)
        with handed_over(encoding.take) as take:
            for number, frame in enumerate(options.frames(film)):
                if not _needs_no_ground(frame):
                    frame = opaque(frame, film.background, multiple=2)
                picture = to_video(av, frame)
                picture.pts, picture.time_base = int(begin[number]), Fraction(1, codec.ticks)
                if codec.reorders and number >= len(film) - 2:
                    picture.pict_type = av.video.frame.PictureType.P
                take(picture)


class _Encoding:
    """A film on its way into a container, picture by picture.

    Parameters
    ----------
    container, codec
        What it goes into, and how.
    film
        Its pace, and how many pictures there will be.
    begin
        `(n + 1,)` when each is shown, in the container's ticks, and when the film ends.
    """

    def __init__(
        self, container: Any, film: Film, codec: _Codec, begin: NDArray[np.integer]
    ) -> None:
        self._container, self._film, self._codec = container, film, codec
        self._lasts = {int(at): int(end - at) for at, end in itertools.pairwise(begin)}
        self._left = len(film)
        self._stream: Any = None

    def take(self, picture: Any) -> None:
        """Encode the next picture; after the last one, what the encoder still holds."""
        if self._stream is None:
            size = picture.width, picture.height
            self._stream = _open_stream(self._container, self._film, size, self._codec)
        self._mux(self._stream.encode(picture))
        self._left -= 1
        if not self._left:
            self._mux(self._stream.encode(None))

    def _mux(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            packet.duration = self._lasts[packet.pts]
            self._container.mux(packet)


def _open_stream(container: Any, film: Film, size: tuple[int, int], codec: _Codec) -> Any:
    rate = Fraction(len(film) / sum(film.durations)).limit_denominator(1001)
    rate = max(rate, Fraction(1))
    stream = container.add_stream(codec.encoder, rate=rate, options=dict(codec.options))
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, codec.ticks)
    context.thread_type, context.thread_count = "AUTO", _THREADS
    context.colorspace = context.color_primaries = _BT709
    context.color_trc, context.color_range = _SRGB_CURVE, _LIMITED_RANGE
    return stream


def _needs_no_ground(frame: Any) -> bool:
    """Whether the codec can take the frame as it is, spared a copy without its alpha."""
    height, width, channels = frame.shape
    return channels == 4 and not (height % 2 or width % 2) and frame[..., 3].min() == 255
