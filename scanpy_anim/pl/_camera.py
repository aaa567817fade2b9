"""celluloid's camera, rolling once the stage is set."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from celluloid import Camera

from scanpy_anim.pl._animation import EmbeddingAnimation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.artist import Artist
    from matplotlib.figure import Figure


class StageCamera(Camera):
    """A `celluloid.Camera` that leaves alone what stood on the stage before it started.

    celluloid takes everything drawn before the first `snap` for frame 0's own, so that
    colour bars, legends and backgrounds vanish with it, and adds the legend to its axes anew
    at every `snap`. This camera notes what is there when it is made; a frame is what has been
    added since.

    Parameters
    ----------
    figure
        The figure with its stage complete: axes, colour bars, legends, backgrounds.
    """

    def __init__(self, figure: Figure) -> None:
        super().__init__(figure)
        for i, ax in enumerate(figure.axes):
            for name, count in self._offsets.items():
                count[i] = len(getattr(ax, name))

    def snap(self) -> list[Artist]:
        """Record what was added to the figure since the last snap as one frame."""
        with _legends_aside(self._figure):
            return super().snap()

    def animate(self, *args: Any, **kwargs: Any) -> EmbeddingAnimation:
        """Make the film of the recorded frames; arguments as `EmbeddingAnimation`'s."""
        return EmbeddingAnimation(self._figure, self._photos, *args, **kwargs)


@contextmanager
def _legends_aside(figure: Figure) -> Iterator[None]:
    """Hide `Axes.legend_` from celluloid, which would make it part of the frame."""
    legends = [(ax, ax.legend_) for ax in figure.axes if ax.legend_ is not None]
    for ax, _ in legends:
        ax.legend_ = None
    try:
        yield
    finally:
        for ax, legend in legends:
            ax.legend_ = legend
