"""Categories named where their cells are, in every frame anew: `legend_loc="on data"`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.patheffects import withStroke

from scanpy_anim._checks import printable
from scanpy_anim.pl._categorical_coloring import CategoricalColoring

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from scanpy_anim.pl._coloring import Coloring
    from scanpy_anim.pl._photos import Photo
    from scanpy_anim.pl._stage import Stage
    from scanpy_anim.pl._timeline import Moment, Timeline

#: A label that moves less than this share of the picture's diagonal moves; else it fades over.
_NEAR = 0.05
_MARK = "scanpy_anim.on_data"
_MISSING = "NA"


class Label(NamedTuple):
    """A name, where it stands and how opaque it is."""

    x: float
    y: float
    text: str
    alpha: float = 1.0


@dataclass(frozen=True, eq=False)
class DataLabels:
    """Labels on the data of one panel.

    Attributes
    ----------
    panel
        Number of the panel.
    moments
        The labels of each moment of the film.
    style
        Properties of the texts.
    """

    panel: int
    moments: Sequence[Sequence[Label]]
    style: Mapping[str, Any]

    def draw(self, ax: Axes, k: int) -> None:
        """Write the labels of moment `k`, as scanpy writes them."""
        for x, y, text, alpha in self.moments[k]:
            label = ax.text(x, y, printable(text), alpha=alpha, **self.style)
            label.set_gid(_MARK)


def labels_on_data(
    stage: Stage, colorings: Sequence[Coloring], timeline: Timeline
) -> tuple[DataLabels, ...]:
    """Name the categories of each panel at the median of their cells, at each moment."""
    if not stage.options.on_data:
        return ()
    passed = stage.options.passed
    style: dict[str, Any] = {
        "weight": passed.get("legend_fontweight", "bold"),
        "fontsize": passed.get("legend_fontsize"),
        "ha": "center",
        "va": "center",
    }
    if (width := passed.get("legend_fontoutline")) is not None:
        style["path_effects"] = [withStroke(linewidth=width, foreground="w")]
    with_missing = passed.get("na_in_legend")
    return tuple(
        DataLabels(i, _Places(stage, i, coloring, with_missing).of_film(timeline), style)
        for i, coloring in enumerate(colorings)
        if isinstance(coloring, CategoricalColoring)
    )


class _Places:
    """Where the labels of one panel stand in each frame.

    Parameters
    ----------
    stage, panel, coloring
        Of the film.
    with_missing
        Whether missing cells are named, too; `None`: as in scanpy, unless they are only not yet
        reached, or another part's.
    """

    def __init__(
        self, stage: Stage, panel: int, coloring: CategoricalColoring, with_missing: bool | None
    ) -> None:
        self.motion, self.coloring = stage.motion, coloring
        unnamed = coloring.source.stored or coloring.source.in_parts
        self.with_missing = not unnamed if with_missing is None else with_missing
        self.at_rest = np.asarray(stage.panels[panel].cloud.get_offsets(), dtype=float)
        self.diagonal = float(np.hypot(*np.nan_to_num(np.ptp(self._limits(), axis=0), nan=1.0)))
        self.known: dict[int, dict[str, tuple[float, float]]] = {}

    def of_film(self, timeline: Timeline) -> list[list[Label]]:
        """Return the labels of each moment."""
        span = max(timeline.n_frames - 1, 1)
        return [self._of_moment(m, m.place / span) for m in timeline.moments]

    def _of_moment(self, moment: Moment, time: float) -> list[Label]:
        """Return the labels of a moment: those of two frames cross-fade, as their cells do."""
        first = self._of_frame(moment.first, time)
        if not moment.weight:
            return [Label(x, y, text) for text, (x, y) in first.items()]
        second = self._of_frame(moment.second, time)
        labels, weight = [], moment.weight
        for text in dict.fromkeys([*first, *second]):
            here, there = first.get(text), second.get(text)
            if here and there and np.hypot(*np.subtract(here, there)) <= _NEAR * self.diagonal:
                x, y = np.add(np.multiply(here, 1 - weight), np.multiply(there, weight))
                labels.append(Label(float(x), float(y), text))
                continue
            labels += [Label(*here, text, 1 - weight)] if here else []
            labels += [Label(*there, text, weight)] if there else []
        return labels

    def _of_frame(self, i: int, time: float) -> dict[str, tuple[float, float]]:
        if self.motion is not None:
            return self._medians(i, self.motion.at(time))
        if i not in self.known:
            self.known[i] = self._medians(i, self.at_rest)
        return self.known[i]

    def _medians(self, i: int, coordinates: NDArray[np.float64]) -> dict[str, tuple[float, float]]:
        """Return the median coordinates of the cells of each category in frame `i`."""
        codes, missing = self.coloring.codes(i), self.coloring.missing
        medians = pd.DataFrame(coordinates).groupby(codes).median().dropna()
        names = [*self.coloring.source.names(i), _MISSING]
        return {
            names[code]: (float(x), float(y))
            for code, x, y in medians.itertuples()
            if code != missing or self.with_missing
        }

    def _limits(self) -> NDArray[np.float64]:
        if self.motion is not None:
            return self.motion.limits()
        if not np.isfinite(self.at_rest).any():
            return np.zeros((2, 2))
        return np.array([np.nanmin(self.at_rest, axis=0), np.nanmax(self.at_rest, axis=0)])


def copy_labels(photo: Photo, source: Axes, target: Axes) -> None:
    """Write the labels that a frame has on the data of an axes on another one."""
    for artist, ax in zip(photo, photo.axes, strict=True):
        if ax is source and artist.get_gid() == _MARK:
            (x, y), text = artist.get_position(), artist  # type: ignore[attr-defined]
            copied = target.text(x, y, text.get_text())  # type: ignore[attr-defined]
            transform = copied.get_transform()
            copied.update_from(text)
            copied.set(transform=transform, gid=_MARK)
            copied.set_clip_path(None)
