"""What one encoding run is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from ._film import Film
    from ._formats import Format

QUALITY = 80
"""The quality that is meant when none is given: crisp points, no larger than matplotlib's mp4."""


def unwatched(frames: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """Pass the frames on: no progress bar."""
    yield from frames


@dataclass(frozen=True)
class Setting:
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
    watch
        Passes frames on and counts them: the progress bar.
    """

    format: Format
    scale: float = 1.0
    quality: int = QUALITY
    loop: int = 0
    watch: Callable[[Iterable[NDArray[np.uint8]]], Iterator[NDArray[np.uint8]]] = unwatched

    def frames(self, film: Film) -> Iterator[NDArray[np.uint8]]:
        """Draw the film at this setting's resolution, under the eyes of the progress bar."""
        for number, frame in enumerate(self.watch(film.frames(self.scale))):
            if number == 0:
                _check_size(frame.shape[1], frame.shape[0], self.format)
            yield frame


def _check_size(width: int, height: int, format: Format) -> None:
    most, pixels = format.max_side, format.max_pixels
    if max(width, height) > most or width * height > pixels:
        msg = (
            f"a frame of {width:,} × {height:,} pixels is too large for {format.title}: "
            f"{most:,} pixels a side and {pixels:,} in all are the limit; "
            "use a smaller figure or dpi"
        )
        raise ValueError(msg)


def between(quality: int, worst: float, usual: float) -> float:
    """Map a quality on a codec's own scale: 0 to ``worst``, 80 to ``usual``, 100 beyond it."""
    return worst + (usual - worst) * quality / QUALITY


def is_number(value: object) -> bool:
    """Say whether something counts: True and False do not."""
    return isinstance(value, Real) and not isinstance(value, bool)
