"""Films as video streams: PyAV's encoders, exact times, right colours."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ._clock import starts
from ._film import opaque

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import BytesIO
    from pathlib import Path

    from ._film import Film
    from ._setting import Setting

BT709 = 1  # matrix and primaries (ITU-T H.273)
SRGB_CURVE = 13  # IEC 61966-2-1, what the frames are drawn in
LIMITED_RANGE = 1


@dataclass(frozen=True)
class Codec:
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


def encode_stream(film: Film, target: Path | BytesIO, setting: Setting, codec: Codec) -> None:
    """Encode a film as 4:2:0 video, frame by frame, each at its exact time.

    Odd sizes are padded with the background, not rescaled. The last frame's hold is its duration
    in the container, not a repeated frame.
    """
    import av

    begin = starts(film.durations, codec.ticks)
    lasts = {int(at): int(end - at) for at, end in itertools.pairwise(begin)}
    file = target if hasattr(target, "write") else str(target)
    options = {"fflags": "+bitexact"} | dict(codec.container_options)  # no random identifiers
    container = av.open(file, "w", format=codec.container, options=options)
    with container:
        container.metadata.update(film.metadata)
        stream = None
        for number, frame in enumerate(setting.frames(film)):
            if not _needs_no_ground(frame):
                frame = opaque(frame, film.background, multiple=2)
            if stream is None:
                stream = _open_stream(container, film, frame.shape, codec)
            picture = _as_video(frame)
            picture.pts, picture.time_base = int(begin[number]), Fraction(1, codec.ticks)
            if codec.reorders and number >= len(film) - 2:
                picture.pict_type = av.video.frame.PictureType.P
            for packet in stream.encode(picture):
                packet.duration = lasts[packet.pts]
                container.mux(packet)
        if stream is not None:
            for packet in stream.encode(None):
                packet.duration = lasts[packet.pts]
                container.mux(packet)


def _open_stream(container: Any, film: Film, shape: tuple[int, ...], codec: Codec) -> Any:
    height, width = shape[:2]
    rate = Fraction(len(film) / sum(film.durations)).limit_denominator(1001)
    rate = max(rate, Fraction(1))
    stream = container.add_stream(codec.encoder, rate=rate, options=dict(codec.options))
    stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, codec.ticks)
    context.thread_type = "AUTO"
    context.colorspace = context.color_primaries = BT709
    context.color_trc, context.color_range = SRGB_CURVE, LIMITED_RANGE
    return stream


def _needs_no_ground(frame: Any) -> bool:
    """Whether the codec can take the frame as it is, spared a copy without its alpha."""
    height, width, channels = frame.shape
    return channels == 4 and not (height % 2 or width % 2) and frame[..., 3].min() == 255


def _as_video(frame: Any) -> Any:
    import av

    layout = "rgba" if frame.shape[2] == 4 else "rgb24"
    return av.VideoFrame.from_ndarray(frame, format=layout).reformat(
        format="yuv420p",
        dst_colorspace="ITU709",
        dst_color_range="MPEG",
        interpolation="AREA",  # the mean of four pixels: closest to the frames once shown
    )
