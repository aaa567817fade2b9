"""What is played on one stage: colors, texts, rings, over a timeline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from scanpy_anim.pl._continuous_coloring import ContinuousColoring

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from scanpy_anim.pl._coloring import Coloring
    from scanpy_anim.pl._labels import DataLabels
    from scanpy_anim.pl._overlays import Rings
    from scanpy_anim.pl._stage import Stage
    from scanpy_anim.pl._timeline import Moment, Timeline
    from scanpy_anim.raster import FrameStyle, LateStyle


@dataclass(frozen=True, eq=False)
class Clip:
    """What is played on one stage.

    Attributes
    ----------
    stage
        Where: its panels.
    colorings
        What the cells of each panel look like at every moment.
    timeline
        The moments.
    titles
        The text over each moment, `None`: no texts.
    rings
        Which cells are ringed.
    labels
        Categories named where their cells are.
    progress_line
        Whether a line grows as the film goes on.
    """

    stage: Stage
    colorings: tuple[Coloring | _Drawn, ...]
    timeline: Timeline
    titles: tuple[str, ...] | None = None
    rings: tuple[Rings, ...] = ()
    labels: tuple[DataLabels, ...] = ()
    progress_line: bool = False

    def style(self, panel: int, k: int) -> FrameStyle:
        """Return what a panel shows at moment `k`, and where its cells are."""
        style = self.colorings[panel].style(self.timeline.moments[k])
        motion, time = self.stage.motion, self.time(k)
        if motion is None:
            return style
        depth = motion.depth(time)
        if depth is not None:
            style = replace(style, sort_key=_steps(depth), first_on_top=False)
        return replace(style, offsets=motion.at(time))

    def late_style(self, panel: int, k: int) -> FrameStyle | LateStyle:
        """Return the same for an artist, which may read the values of what is seen alone."""
        coloring = self.colorings[panel]
        if self.stage.motion is not None or not isinstance(coloring, ContinuousColoring):
            return self.style(panel, k)
        return coloring.late_style(self.timeline.moments[k])

    def time(self, k: int) -> float:
        """Return where moment `k` lies between the first frame that there is (0) and the last."""
        return self.timeline.moments[k].place / max(self.timeline.n_frames - 1, 1)

    def subject(self) -> str:
        """Say what is shown on which embedding."""
        what = ", ".join(dict.fromkeys(p.source.name for p in self.stage.panels))
        return f"{what} on {self.stage.basis}"

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Share the clip between copies of a figure: it is the same for all of them."""
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Keep what was shown rather than the functions that read it from the AnnData."""
        drawn = tuple(_Drawn.of(c, self.timeline.moments) for c in self.colorings)
        return {**self.__dict__, "colorings": drawn}


@dataclass(frozen=True, eq=False)
class _Drawn:
    """The styles of all moments of a panel, as they are in a film that was pickled."""

    styles: Mapping[Moment, FrameStyle]
    reserved: NDArray[np.uint8]

    @classmethod
    def of(cls, coloring: Coloring | _Drawn, moments: Sequence[Moment]) -> _Drawn:
        return cls(
            {m: coloring.style(m) for m in dict.fromkeys(moments)}, coloring.reserved_colors()
        )

    def style(self, moment: Moment) -> FrameStyle:
        return self.styles[moment]

    def reserved_colors(self) -> NDArray[np.uint8]:
        return self.reserved


def _steps(depth: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Cut depth into the 65,536 steps that the renderer sorts fastest."""
    known = depth[np.isfinite(depth)]
    low, high = known.min(initial=np.inf), known.max(initial=-np.inf)
    if not high > low:
        return np.zeros(len(depth), np.uint16)
    return np.nan_to_num((depth - low) * (65535 / (high - low))).astype(np.uint16)
