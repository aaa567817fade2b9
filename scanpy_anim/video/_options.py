"""What one encoding run is asked for: format, resolution, quality, loops, progress."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from scanpy_anim.video._film import opaque
from scanpy_anim.video._pyav import load_av

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from scanpy_anim.video._film import Film

    Frames = Iterable[NDArray[np.uint8]]
    Encode = Callable[[Film, Path, "Options"], list[str]]

QUALITY = 80
"""The quality that is meant when none is given: crisp points, no larger than matplotlib's mp4."""

_SHORT = 1.0  # seconds without a bar


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes
    ----------
    suffix
        With its dot.
    title
        Its name for people.
    encode
        Writes a film into a file and returns sentences worth telling the user.
    library, encoder
        What has to be installed: a PyAV encoder or a Pillow feature.
    instead
        Suffix to recommend where the encoder is missing.
    max_side, max_pixels
        Largest width or height, and largest frame, that the format can hold or its encoder
        can handle.
    max_seconds
        How long a frame can be shown.
    max_fps
        Frames a second that play at their speed.
    """

    suffix: str
    title: str
    encode: Encode
    library: Literal["PyAV", "Pillow"]
    encoder: str
    instead: str
    max_side: int
    max_pixels: int
    max_seconds: float
    max_fps: float

    def missing(self) -> bool:
        """Say whether the installed libraries lack the encoder."""
        if self.library == "PyAV":
            return self.encoder not in load_av().codec.codecs_available
        from PIL import features

        return not features.check(self.encoder)

    def check_size(self, width: int, height: int) -> None:
        """Refuse frames that are too large for the format."""
        most, pixels = self.max_side, self.max_pixels
        if max(width, height) > most or width * height > pixels:
            raise ValueError(
                f"a frame of {width:,} × {height:,} pixels is too large for {self.title}: "
                f"{most:,} pixels a side and {pixels:,} in all are the limit; "
                "use a smaller figure or dpi"
            )


def _pass_on(frames: Frames) -> Iterator[NDArray[np.uint8]]:
    """Pass the frames on: no progress bar."""
    yield from frames


@dataclass(frozen=True)
class Options:
    """Resolution, quality and loops of one encoding run.

    Attributes
    ----------
    format
        What is written.
    scale
        Resolution relative to the film's own.
    quality
        0 to 100; the formats map it on their own scales.
    loop
        How often the film plays; 0: for ever.
    progress
        Passes frames on and counts them: the progress bar.
    """

    format: Format
    scale: float = 1.0
    quality: int = QUALITY
    loop: int = 0
    progress: Callable[[Frames], Iterator[NDArray[np.uint8]]] = _pass_on

    def frames(self, film: Film) -> Iterator[NDArray[np.uint8]]:
        """Draw the film at this resolution, counted by the progress bar."""
        for number, frame in enumerate(self.progress(film.frames(self.scale))):
            if number == 0:
                self.format.check_size(frame.shape[1], frame.shape[0])
            yield frame

    def stored_frames(self, film: Film) -> Iterator[NDArray[np.uint8]]:
        """Draw the frames for a format that can store opacity, as far as the film is to have it."""
        for frame in self.frames(film):
            yield frame if film.alpha else opaque(frame, film.background)


def between(quality: int, worst: float, usual: float) -> float:
    """Map a quality on a codec's own scale: 0 to `worst`, 80 to `usual`, 100 beyond it."""
    return worst + (usual - worst) * quality / QUALITY


def progress_bar(
    title: str, total: int, progress: bool | None
) -> Callable[[Frames], Iterator[NDArray[np.uint8]]]:
    """Return what counts frames in a tqdm bar.

    Parameters
    ----------
    title
        Text in front of the bar.
    total
        Frames in a pass.
    progress
        True: a bar; False: none; None: one after a second, in a terminal or a notebook.
    """
    if progress is None:
        delay, progress = _SHORT, sys.stderr.isatty() or "ipykernel" in sys.modules
    else:
        delay = 0.0
    if not progress:
        return _pass_on

    def counted(frames: Frames) -> Iterator[NDArray[np.uint8]]:
        from tqdm import tqdm

        yield from tqdm(frames, title, total, unit="frame", delay=delay, leave=False)

    return counted
