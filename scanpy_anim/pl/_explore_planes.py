"""The frames of a film as planes of bytes, and what they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LogNorm, Normalize, to_hex

from scanpy_anim import explorer
from scanpy_anim.pl._timeline import Moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from scanpy_anim.pl._categorical_coloring import CategoricalColoring
    from scanpy_anim.pl._continuous_coloring import ContinuousColoring

_SAMPLE = 1 << 18  # values from which the 99th percentile is read
_STEPS, _UNSURE = 32, 22  # of confidence; so many of them up to where a label is clear
_ROWS = 252  # of a table of colors that levels tell apart, below two for beyond its ends


@dataclass(frozen=True, eq=False)
class ScorePlanes:
    """Planes of numbers.

    Attributes
    ----------
    coloring
        The film's.
    stops
        Which moments become planes.
    order
        Cells in drawing order.
    top
        How many of the last ones lie above all others in any frame.
    """

    coloring: ContinuousColoring
    stops: Sequence[Moment]
    order: NDArray[np.intp]
    top: int

    @cached_property
    def scale(self) -> str:
        """The film's scale, `"film"` where it is none that a page knows."""
        scale, norm = self.coloring.scale, self.coloring.norm
        if scale.jumps:
            return "rank"
        plain = not norm.clip and not scale.limits.per_frame and not hasattr(scale, "function")
        known = {Normalize: "linear", LogNorm: "log"}
        return known.get(type(norm), "film") if plain else "film"

    @cached_property
    def steps(self) -> explorer.Steps:
        """Where levels end."""
        norm = self.coloring.norm
        limits = None
        if self.scale in ("linear", "log") and norm.vmin is not None and norm.vmax is not None:
            limits = norm.vmin, norm.vmax
        frames = [stop.first for stop in self.stops if not stop.weight]
        stride = max(1, len(self.order) * len(frames) // _SAMPLE)
        values = (self.coloring.values(Moment(i, i)) for i in frames)
        return explorer.film_steps(self.scale, values, limits, stride)

    def __iter__(self) -> Iterator[explorer.Plane]:
        for stop in self.stops:
            yield self._plane(stop)

    def _plane(self, stop: Moment) -> explorer.Plane:
        coloring = self.coloring
        values = coloring.values(stop)
        nearest = values if not stop.weight else coloring.values(Moment(stop.nearest, stop.nearest))
        tables: tuple[NDArray, ...]
        if self.scale == "film":
            leveled, rows = _by_rows(values, coloring.levels(stop), coloring.cmap.N)
            tables = leveled.values, leveled.ranks, rows
        else:
            leveled = self.steps.of(values)
            tables = leveled.values, leveled.ranks
        missing = np.isnan(nearest)[self.order]
        return explorer.Plane(
            (leveled.levels[self.order],),
            missing if missing.any() and not stop.weight else None,
            tables,
            resort=coloring.order is not None and _lies_above(missing, self.top),
        )

    def colors(self, label: str) -> dict[str, Any]:
        """Return what the header says of colors."""
        steps = self.steps
        return {
            "colors": self.coloring.table.tobytes().hex(),
            "scale": self.scale,
            "limits": [steps.low, steps.high],
            "p99": steps.p99,
            "positive": steps.positive,
            "bar": label,
        }


def _by_rows(
    values: NDArray[np.floating], rows: NDArray[np.integer], n: int
) -> tuple[Any, NDArray[np.uint16]]:
    """Return levels that stand for rows of the color table, and which row each is."""
    wide = n > _ROWS
    levels = np.where(rows < n, rows * _ROWS // n if wide else rows, rows - n + min(n, _ROWS))
    levels[rows == n + 2] = 0
    known = ~np.isnan(values)
    counts = np.bincount(levels[known], minlength=explorer.N_LEVELS)
    sums = np.bincount(levels[known], np.nan_to_num(values[known]), explorer.N_LEVELS)
    table = np.zeros(explorer.N_LEVELS, np.uint16)
    table[levels[known]] = rows[known]
    most = np.finfo(np.float32).max
    means = np.clip(sums / np.maximum(counts, 1), -most, most).astype(np.float32)
    ranks = np.zeros(explorer.N_LEVELS, np.uint16)
    return explorer.Leveled(levels.astype(np.uint8), ~known, means, ranks), table


@dataclass(frozen=True, eq=False)
class LabelPlanes:
    """Planes of categories; attributes as of `ScorePlanes`."""

    coloring: CategoricalColoring
    stops: Sequence[Moment]
    order: NDArray[np.intp]
    top: int

    @property
    def wide(self) -> bool:
        """Whether codes take two bytes."""
        return self.coloring.missing > 255

    @cached_property
    def shares(self) -> NDArray[np.float32] | None:
        """What the steps of confidence stand for; `None`: there is none."""
        if self.coloring.source.confidence is None or self.coloring.missing == 0:
            return None
        even, clear = 1 / self.coloring.missing, min(self.coloring.clear, 1.0)
        unsure = np.linspace(even, clear, _UNSURE)
        sure = np.linspace(clear, 1, _STEPS - _UNSURE + 1)[1:]
        return np.maximum.accumulate([*unsure, *sure]).astype(np.float32)

    @property
    def full(self) -> NDArray[np.bool_] | None:
        """Cells at full strength however sure their category is; `None`: none."""
        if not self.coloring.pales or not len(self.coloring.full):
            return None
        full = np.zeros(len(self.coloring.source.read(0)), bool)
        full[self.coloring.full] = True
        return full[self.order]

    def __iter__(self) -> Iterator[explorer.Plane]:
        for stop in self.stops:
            yield self._plane(stop.first)

    def _plane(self, i: int) -> explorer.Plane:
        coloring, shares = self.coloring, self.shares
        codes = coloring.codes(i)[self.order]
        missing = codes == coloring.missing
        numbers = np.where(missing, 0, codes + 1).astype(np.uint16)
        columns = [numbers.astype(np.uint8)]
        if self.wide:
            columns.append((numbers >> 8).astype(np.uint8))
        if shares is not None:
            assert coloring.source.confidence is not None
            share = np.asarray(coloring.source.confidence(i), np.float32)[self.order]
            middles = (shares[1:] + shares[:-1]) / 2
            columns.append(np.searchsorted(middles, np.nan_to_num(share)).astype(np.uint8))
        resort = coloring.sort_order is not False and _lies_above(missing, self.top)
        return explorer.Plane(tuple(columns), resort=resort)

    def colors(self, *, legend: bool) -> dict[str, Any]:
        """Return what the header says of colors."""
        coloring, shares = self.coloring, self.shares
        strengths = None
        if shares is not None:
            strengths = coloring.strength_of(shares) if coloring.pales else np.ones(_STEPS)
        ends = zip(coloring.paled[:-1, 0], coloring.paled[:-1, -1], strict=True)
        return {
            "categories": [str(name) for name in coloring.source.categories],
            "palette": [[_hex(pale), _hex(own)] for pale, own in ends],
            "missing": to_hex(coloring.palette[-1] / 255, keep_alpha=True),
            "legend": np.flatnonzero(coloring.visible).tolist() if legend else [],
            "wide": int(self.wide),
            "shares": None if shares is None else [round(float(s), 5) for s in shares],
            "strengths": None if strengths is None else [round(float(s), 5) for s in strengths],
            "missingName": "NA",
        }


def _lies_above(missing: NDArray[np.bool_], top: int) -> bool:
    """Whether a cell that is missing lies above one that is not, those on top aside."""
    below = missing[: len(missing) - top]
    return not bool(below[: np.count_nonzero(below)].all())


def _hex(color: NDArray) -> str:
    return to_hex(tuple((color / 255).tolist()), keep_alpha=bool(round(color[3]) < 255))
