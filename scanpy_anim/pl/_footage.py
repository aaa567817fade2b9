"""What a film consists of, as pixels: frames in turn, for encoders, for notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgba

from scanpy_anim import video
from scanpy_anim._checks import is_number, is_whole
from scanpy_anim._compiled import kept_functions
from scanpy_anim.pl._backdrop import canvas_size, draw_frames, tight_pixels
from scanpy_anim.video._film import opaque

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from scanpy_anim.pl._photos import Photo, Screen
    from scanpy_anim.pl._timeline import Timeline

_WHITE = (255, 255, 255)  # behind figures that have no background, or half of one


@dataclass(frozen=True, eq=False)
class Footage:
    """The frames of a film, drawn when they are asked for.

    Attributes
    ----------
    screen, photos
        The stage, on which one frame is shown at a time; the artists of each.
    timeline
        How long each frame is shown.
    titles
        What to call each frame.
    palette
        `(k, 3)` uint8 colors that a film with few colors has to keep.
    title, metadata
        What the film shows, and what goes into its files.
    see
        Called whenever the film is drawn.
    """

    screen: Screen
    photos: Sequence[Photo]
    timeline: Timeline
    titles: Sequence[str]
    palette: NDArray[np.uint8] | None
    title: str
    metadata: dict[str, str]
    see: Callable[[], None]

    def __len__(self) -> int:
        return len(self.photos)

    @property
    def figure(self) -> Figure:
        """The stage's figure."""
        return self.screen.figure

    def frames(self, dpi: float, order: Sequence[int] | None = None) -> Iterator[NDArray[np.uint8]]:
        """Draw frames as `(height, width, 3)`, on white where there is no background."""
        for frame in self.canvases(dpi, order=order):
            yield opaque(frame, _WHITE)

    def canvases(
        self, dpi: float, *, transparent: bool = False, order: Sequence[int] | None = None
    ) -> Iterator[NDArray[np.uint8]]:
        """Draw each frame anew, `(height, width, 3 or 4)`: encoders may keep what they are given.

        Unless it is to be `transparent`, a film lies on white where its figure has no background.
        """
        self.see()
        photos = self.photos if order is None else (self.photos[i] for i in order)
        clear = to_rgba(self.figure.get_facecolor())[3] < 1
        with kept_functions():
            for canvas in draw_frames(self.screen, photos, dpi, transparent=transparent):
                yield opaque(canvas, _WHITE) if clear and not transparent else canvas

    def tight(self, dpi: float) -> tuple[slice, slice]:
        """Return the rows and columns of pixels that hold all that is drawn, and a margin."""
        longest = max(range(len(self)), key=lambda i: len(self.titles[i]) if self.titles else 0)
        with self.screen.showing(self.photos[longest]):
            return tight_pixels(self.figure, dpi)

    def in_notebook(
        self, fps: float | None = None, order: Sequence[int] | None = None
    ) -> video.Film:
        """Return the film as a notebook shows it, margins as tight as those of its pictures."""
        if fps is not None and not (is_number(fps) and 0 < fps < np.inf):
            raise ValueError(f"fps={fps!r}: a number above 0, frames a second.")
        return self.as_video(self.figure.dpi, self.timeline.seconds(fps), tight=True, order=order)

    def as_video(
        self,
        dpi: float,
        seconds: NDArray[np.float64],
        *,
        transparent: bool = False,
        metadata: Mapping[str, object] | None = None,
        tight: bool = False,
        order: Sequence[int] | None = None,
    ) -> video.Film:
        """Return the film as encoders take it.

        Parameters
        ----------
        dpi, seconds
            Dots per inch; how long each frame is shown.
        transparent
            Leave out the backgrounds.
        metadata
            What the file says of itself besides.
        tight
            Without margins, as `savefig(bbox_inches="tight")`.
        order
            Numbers of the frames; `None`: all in turn.
        """
        canvas_size(self.figure, dpi)
        order = range(len(self)) if order is None else order

        def render(scale: float) -> Iterator[NDArray[np.uint8]]:
            canvases = self.canvases(dpi * scale, transparent=transparent, order=order)
            if not tight:
                return canvases
            rows, columns = self.tight(dpi * scale)
            return (canvas[rows, columns] for canvas in canvases)

        return video.Film(
            render=render,
            durations=seconds[list(order)],
            titles=[self.titles[i] for i in order] if self.titles else None,
            palette=self.palette,
            background=_opaque(self.figure.get_facecolor()),
            description=self.title,
            metadata=dict(self.metadata)
            | {name: str(text) for name, text in (metadata or {}).items()},
            alpha=transparent,
            size=None if tight else canvas_size(self.figure, dpi),
        )

    def chosen(self, frames: Sequence[int] | None, n: int) -> list[int]:
        """Choose frames: by their numbers, or `n` evenly from the first to the last."""
        if frames is None:
            if not is_whole(n) or n < 1:
                raise ValueError(f"n={n!r}: how many frames, 1 or more.")
            frames = np.unique(np.linspace(0, len(self) - 1, n).round().astype(int)).tolist()
        elif not isinstance(frames, Iterable) or getattr(frames, "ndim", 1) == 0:
            raise TypeError(f"frames={frames!r}: a list of frame numbers, such as [0, 2, -1].")
        chosen = [self.number(i, "frames") for i in frames]
        if not chosen:
            raise ValueError("frames is empty: at least one frame is needed.")
        return chosen

    def number(self, i: int, argument: str) -> int:
        """Count a frame's number from the first; negative ones count from the end."""
        if not is_whole(i):
            raise TypeError(
                f"{argument}: frame {i!r}: the number of a frame, 0 to {len(self) - 1}."
            )
        if not -len(self) <= i < len(self):
            raise IndexError(
                f"{argument}: frame {i}: the film has {len(self)} frames, 0 to {len(self) - 1}."
            )
        return i % len(self)


def _opaque(color: Any) -> tuple[int, int, int]:
    """Return a color as bytes on white, as a film without transparency has it."""
    r, g, b, alpha = color
    red, green, blue = (round(255 * (c * alpha + 1 - alpha)) for c in (r, g, b))
    return red, green, blue
