"""From a film to a page that holds its scores: the film's palette, limits, order, titles, rings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from scanpy_anim import explorer
from scanpy_anim._version import __version__
from scanpy_anim.pl._continuous_coloring import ContinuousColoring
from scanpy_anim.pl._explore_check import explorable
from scanpy_anim.pl._explore_names import hover_of, names_of
from scanpy_anim.pl._explore_order import (
    order_of_moving,
    order_of_resting,
    order_of_turning,
    top_of,
)
from scanpy_anim.pl._explore_panel import bar_label, radius_of, rings_of, view_of
from scanpy_anim.pl._explore_planes import LabelPlanes, ScorePlanes
from scanpy_anim.pl._explore_route import keys_of, route_of
from scanpy_anim.pl._motion import Path, Turn
from scanpy_anim.video._page import still_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from scanpy_anim.pl._categorical_coloring import CategoricalColoring
    from scanpy_anim.pl._clip import Clip
    from scanpy_anim.pl._stage import StagePanel


@dataclass(frozen=True, eq=False)
class _Shown:
    """A panel of a film, and where its cells are.

    Attributes
    ----------
    clip, number
        The panel is the clip's, the one of this number.
    places
        `(n_obs, 2)` where the cells are, NaN where they are nowhere; `(n_stops, n_obs, 2)` if they
        move, `(n_obs, 3)` if they turn.
    order
        Cells that are somewhere, back to front; as in the data if they turn.
    """

    clip: Clip
    number: int
    places: NDArray[np.float64]
    order: NDArray[np.intp]

    @property
    def panel(self) -> StagePanel:
        return self.clip.stage.panels[self.number]

    @property
    def coloring(self) -> ContinuousColoring | CategoricalColoring:
        return cast("ContinuousColoring | CategoricalColoring", self.clip.colorings[self.number])

    @classmethod
    def of(cls, clip: Clip, number: int, positions: NDArray[np.float64]) -> _Shown:
        panel, coloring = clip.stage.panels[number], cast("Any", clip.colorings[number])
        motion = clip.stage.motion
        if isinstance(motion, Path):
            return cls(clip, number, motion.stops, order_of_moving(motion.stops, coloring))
        if isinstance(motion, Turn):
            return cls(clip, number, motion.centred, order_of_turning(motion.centred))
        pixels = panel.ax.transData.transform(positions)
        order = order_of_resting(positions, pixels, radius_of(panel), coloring)
        return cls(clip, number, positions, order)

    def like(self, earlier: Sequence[_Shown]) -> explorer.Likeness | None:
        """Return the first panel of the same cells, and which of them each of these is there."""
        for k, other in enumerate(earlier):
            if other.clip.stage.plot.obs is not self.clip.stage.plot.obs:
                continue
            place = np.full(self.places.shape[-2], -1, np.int64)
            place[other.order] = np.arange(len(other.order))
            cells = place[self.order]
            if len(self.order) == len(other.order) and (cells >= 0).all():
                here, there = self.places, other.places
                alike = here is there or np.array_equal(here, there, equal_nan=True)
                return explorer.Likeness(k, cells, alike)
        return None

    def moments(self, route: Any, seconds: NDArray, numbers: Sequence[int]) -> list[Any]:
        """Return each frame of the film as the format has it."""
        motion = self.clip.stage.motion
        told: list[Any] = []
        for (a, b, w), s, k in zip(route.moments, seconds, numbers, strict=True):
            told.append([a, b, round(w, 6), round(float(s), 4)])
            if isinstance(motion, Path):
                told[-1].append(round(sum(motion.way(self.clip.time(k))), 6))
            elif isinstance(motion, Turn):
                told[-1].append(round(motion.angle(self.clip.time(k)), 6))
        return told


def contents_of(
    clips: Sequence[Clip],
    schedule: Sequence[Sequence[int]],
    positions: Sequence[NDArray[np.float64]],
    poster: Callable[[], NDArray[np.uint8]],
    seconds: NDArray[np.float64],
    *,
    names: str | bool | None = "auto",
    hover: str | Sequence[str] | None = None,
    loop: int = 0,
) -> explorer.Contents:
    """Return what a page shows of a film.

    Parameters
    ----------
    clips, schedule
        Of the film.
    positions
        For each panel `(n_obs, 2)` where the cells are, NaN where they are nowhere.
    poster
        Draws its last frame, `(height, width, 3)`.
    seconds
        How long each frame is shown.
    names, hover, loop
        As of `EmbeddingAnimation.explore`.
    """
    explorable(clips)
    where = [(c, clip, i) for c, clip in enumerate(clips) for i in range(len(clip.stage.panels))]
    shown: list[_Shown] = []
    panels = []
    for (c, clip, i), places in zip(where, positions, strict=True):
        one = _Shown.of(clip, i, places)
        numbers = [moments[c] for moments in schedule]
        panels.append(_panel(one, one.like(shown), numbers, seconds, names, hover))
        shown.append(one)
    subject = "; ".join(dict.fromkeys(clip.subject() for clip in clips))
    texts = dict.fromkeys(panel.titles[-1] for panel in panels if panel.titles)
    last = ", ".join(["", *texts])
    return replace(
        panels[0],
        title=subject,
        description=f"{subject}{last}: the last of {len(schedule)} frames",
        others=panels[1:],
        poster=_poster(poster()),
        loop=loop,
        generator=f"scanpy-anim {__version__}",
    )


def _panel(
    shown: _Shown,
    like: explorer.Likeness | None,
    numbers: Sequence[int],
    seconds: NDArray[np.float64],
    names: str | bool | None,
    hover: str | Sequence[str] | None,
) -> explorer.Contents:
    """Return what a page shows of one panel."""
    clip, panel, coloring, order = shown.clip, shown.panel, shown.coloring, shown.order
    turn = clip.stage.motion if isinstance(clip.stage.motion, Turn) else None
    top = top_of(order, coloring) if turn is None else len(order)  # none has to lie below
    moments = [clip.timeline.moments[k] for k in numbers]
    planes: ScorePlanes | LabelPlanes
    if isinstance(coloring, ContinuousColoring):
        route = route_of(moments, coloring if coloring.scale.jumps else None)
        planes = ScorePlanes(coloring, route.stops, order, top)
        colors, full = planes.colors(bar_label(panel, coloring)), None
    else:
        route = route_of(moments)
        planes = LabelPlanes(coloring, route.stops, order, top)
        colors, full = planes.colors(legend=clip.stage.options.legend_loc != "none"), planes.full
    by_value = isinstance(planes, ScorePlanes) and coloring.sort_order == "frame"
    packed, note, kind, told = None, "", "", {}
    if like is None:
        told = hover_of(clip.stage.plot.obs, hover, order)
        packed, note, kind = names_of(clip.stage.plot.obs, names, order)
    rings = [ring for ring in clip.rings if ring.panel == shown.number]
    return explorer.Contents(
        title=clip.subject(),
        name=panel.source.name,
        description="",
        kind="labels" if isinstance(planes, LabelPlanes) else "scores",
        positions=shown.places[..., order, :],
        view=view_of(panel),
        keys=keys_of(route.stops, coloring.source),
        planes=planes,
        moments=shown.moments(route, seconds, numbers),
        titles=[clip.titles[k] for k in numbers] if clip.titles else [],
        colors=colors,
        full=full,
        tilt=None if turn is None else float(np.deg2rad(turn.elevation)),
        by_value=by_value and turn is None,
        top=top if turn is None else 0,
        rings=rings_of(panel, rings, clip.stage.plot.n_obs, order),
        names=packed,
        names_note=note,
        names_title=kind,
        hover=told,
        like=like,
    )


def _poster(frame: NDArray[np.uint8]) -> explorer.Poster:
    kind, content = still_picture(frame)
    height, width = frame.shape[:2]
    return explorer.Poster(content, kind, width, height)
