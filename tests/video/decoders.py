"""Files back to frames, by something else than what wrote them wherever there is something."""

from __future__ import annotations

import shutil
import struct
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Decoded:
    frames: np.ndarray
    durations: list[float]


def by_pillow(path: Path, mode: str = "RGB") -> Decoded:
    frames, durations = [], []
    with Image.open(path) as picture:
        for number in range(getattr(picture, "n_frames", 1)):
            picture.seek(number)
            picture.load()
            frames.append(np.array(picture.convert(mode)))
            durations.append(picture.info.get("duration", 0) / 1000)
    return Decoded(np.array(frames), durations)


def as_rgb(picture: av.VideoFrame) -> np.ndarray:
    """Take the YUV matrix that the picture is tagged with."""
    matrix = "ITU709" if picture.colorspace == 1 else None
    return picture.to_ndarray(format="rgb24", src_colorspace=matrix)


def by_pyav(path: Path) -> Decoded:
    frames, times = [], []
    with av.open(str(path)) as container:
        stream = container.streams.video[-1]  # an avif's first one is its still picture
        for picture in container.decode(stream):
            frames.append(as_rgb(picture))
            times.append(float(picture.time))
        total = (container.duration or 0) / av.time_base
    return Decoded(np.array(frames), list(np.diff([*times, times[0] + total])))


def by_ffmpeg(path: Path) -> np.ndarray:
    """Decode with the system's ffmpeg where there is one, else with PyAV's decoders."""
    decoded = by_pyav(path)
    if shutil.which("ffmpeg") is None:
        return decoded.frames
    command = ["ffmpeg", "-v", "error", "-i", path, "-fps_mode", "passthrough"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, *decoded.frames.shape[1:])


def boxes(content: bytes) -> dict[str, bytes]:
    """Split an mp4 into its boxes, in the order of the file."""
    found, at = {}, 0
    while at + 8 <= len(content):
        size, kind = struct.unpack(">I4s", content[at : at + 8])
        found[kind.decode("latin1")] = content[at + 8 : at + size]
        at += size
    return found
