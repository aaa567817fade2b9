"""One axes of the film: what its cells look like at every moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from scanpy_anim.pl._source import Categorical, Continuous
from scanpy_anim.pl._timeline import Moment
from scanpy_anim.raster import Look, color_table, rank_levels, value_levels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.colors import Colormap, Normalize
    from numpy.typing import NDArray

    from scanpy_anim.pl._scale import Scale
    from scanpy_anim.pl._stage import Stage

SortOrder = bool | Literal["frame"]


@dataclass(frozen=True, eq=False)
class Shade:
    """Continuous values of a panel, as levels of its colour map.

    Attributes
    ----------
    source, scale
        The values, and how they become colours.
    cmap, norm
        As scanpy resolved them for the stage.
    mask
        Cells that show their value; the others are missing.
    """

    source: Continuous
    scale: Scale
    cmap: Colormap
    norm: Normalize
    sort_order: SortOrder = True
    mask: NDArray[np.bool_] | None = None

    @cached_property
    def table(self) -> NDArray[np.uint8]:
        """RGBA bytes of the colour map, then of under, over and missing."""
        return color_table(self.cmap)

    def values(self, moment: Moment) -> NDArray[np.floating]:
        """Return the values at a moment, missing ones as NaN."""
        values = self.source.read(moment.first)
        if moment.weight:
            other = self.source.read(moment.second)
            values = values + (other - values) * values.dtype.type(moment.weight)
        return values if self.mask is None else np.where(self.mask, values, np.nan)

    def levels(self, moment: Moment) -> NDArray[np.integer]:
        """Return the row of the colour table of each cell at a moment."""
        values = self.values(moment)
        if self.scale.plain_rank:
            return rank_levels(values, self.cmap.N)
        shown, norm = self.scale.shown(values), self.norm
        if self.scale.per_frame:
            norm = _of_frame(norm, shown)
        return value_levels(shown, norm, self.cmap.N)

    def look(self, moment: Moment) -> Look:
        """Return what the panel shows at a moment."""
        levels = self.levels(moment)
        order = None
        if self.sort_order == "frame":
            order = np.where(levels > self.cmap.N + 1, 0, _bottom_up(levels, self.cmap.N))
        return Look(levels, self.table, order=order)

    def order(self, moments: Sequence[Moment]) -> NDArray[np.intp] | None:
        """Return each cell's place from the bottom: by its highest colour in any frame.

        Missing is at the bottom and, as in scanpy, the first cell of the data is on top among
        equals. `None` for the order of the data, or of each frame.
        """
        if self.sort_order is not True:
            return None
        return _places(
            np.argsort(-_peak(self._height(m) for m in _keys(moments)), kind="stable")[::-1]
        )

    def _height(self, moment: Moment) -> NDArray[np.floating]:
        if not self.scale.plain_rank:
            return self.scale.shown(self.values(moment))
        levels = self.levels(moment)
        return np.where(levels > self.cmap.N + 1, np.nan, levels.astype(np.float32))

    def change(self, a: int, b: int) -> float:
        """Measure how much the picture changes from frame `a` to frame `b`."""
        first, second = (self.levels(Moment(i, i)).astype(np.int64) for i in (a, b))
        return float(np.abs(first - second).mean())


@dataclass(frozen=True, eq=False)
class Tint:
    """Categories of a panel, in its palette.

    Attributes
    ----------
    palette
        `(n_categories + 1, 4)` RGBA bytes; the last one is that of missing.
    visible
        Which categories are shown (`groups`); the others are drawn as missing.
    """

    source: Categorical
    palette: NDArray[np.uint8]
    visible: NDArray[np.bool_]
    sort_order: SortOrder = True
    mask: NDArray[np.bool_] | None = None
    full: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))

    def codes(self, i: int) -> NDArray[np.intp]:
        """Return the row of the palette of each cell in frame `i`; missing is the last one."""
        missing = len(self.palette) - 1
        table = np.append(np.where(self.visible, np.arange(missing), missing), missing)
        codes = table[np.asarray(self.source.read(i))]
        return codes if self.mask is None else np.where(self.mask, codes, missing)

    def opacity(self, i: int) -> NDArray[np.float64] | None:
        """Return each cell's strength in frame `i`; missing cells and seeds are at full."""
        if self.source.opacity is None:
            return None
        strength = np.array(self.source.opacity(i), dtype=np.float64)
        strength[self.codes(i) == len(self.palette) - 1] = 1
        strength[self.full] = 1
        return strength

    def look(self, moment: Moment) -> Look:
        """Return what the panel shows at a moment; between two frames colours cross-fade."""
        codes, opacity = self.codes(moment.first), self.opacity(moment.first)
        table, levels = self.palette, codes
        if moment.weight:
            table, levels = self._cross_fade(codes, self.codes(moment.second), moment.weight)
            other = self.opacity(moment.second)
            if opacity is not None and other is not None:
                opacity = opacity + (other - opacity) * moment.weight
        small = np.uint8 if len(table) <= 256 else np.uint16
        strength = None if opacity is None else np.rint(opacity * 255).astype(np.uint8)
        order = None
        if self.sort_order == "frame":
            order = (codes < len(self.palette) - 1).astype(np.uint8)
        return Look(levels.astype(small), table, opacity=strength, order=order)

    def _cross_fade(
        self, first: NDArray[np.intp], second: NDArray[np.intp], weight: float
    ) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
        """Make a row for every pair of colours that meets on the way."""
        n = len(self.palette)
        pairs, levels = np.unique(first * n + second, return_inverse=True)
        start, end = (self.palette[p].astype(np.float64) for p in divmod(pairs, n))
        return np.rint(start + (end - start) * weight).astype(np.uint8), levels

    def order(self, moments: Sequence[Moment]) -> NDArray[np.intp] | None:
        """Return each cell's place from the bottom: the longer it has a category, the higher.

        So a cell that has one is never under those that do not have any yet.
        """
        if self.sort_order is not True:
            return None
        missing = len(self.palette) - 1
        known = sum((self.codes(m.first) < missing).astype(np.int32) for m in _keys(moments))
        return _places(np.argsort(known, kind="stable"))

    def change(self, a: int, b: int) -> float:
        """Measure how much the picture changes from frame `a` to frame `b`."""
        changed = self.codes(a) != self.codes(b)
        first, second = self.opacity(a), self.opacity(b)
        if first is None or second is None:
            return float(changed.mean())
        return float(np.where(changed, 1.0, np.abs(first - second)).mean())


Paint = Shade | Tint


def paint(stage: Stage, i: int, scale: Scale, sort_order: SortOrder) -> Paint:
    """Make the paint of panel `i` with the colours that scanpy gave the stage."""
    panel = stage.panels[i]
    source, mask = panel.source, stage.mask
    if isinstance(source, Continuous):
        cloud = panel.cloud
        norm = cast("Normalize", cloud.norm)
        return Shade(source, scale, cloud.get_cmap(), norm, sort_order, mask)
    palette = palette_bytes(stage.recipe.palette(panel.column), stage.na_color)
    groups = stage.groups
    visible = np.array([groups is None or c in groups for c in source.categories])
    seeds = source.seeds.positions if source.seeds else np.empty(0, np.intp)
    return Tint(source, palette, visible, sort_order, mask, seeds)


def palette_bytes(colors: Sequence[str], na_color: Any) -> NDArray[np.uint8]:
    """Return `(n + 1, 4)` RGBA bytes of the colours and, last, of missing."""
    from matplotlib.colors import to_rgba_array

    rgba = np.concatenate([to_rgba_array(list(colors)), to_rgba_array([na_color])])
    return np.rint(rgba * 255).astype(np.uint8)


def _places(bottom_to_top: NDArray[np.intp]) -> NDArray[np.intp]:
    """Invert a drawing order: the place of each cell in it."""
    places = np.empty_like(bottom_to_top)
    places[bottom_to_top] = np.arange(len(places))
    return places


def _keys(moments: Sequence[Moment]) -> list[Moment]:
    """Frames of the source that the film touches; what lies between is never higher."""
    touched = dict.fromkeys(i for m in moments for i in (m.first, m.second))
    return [Moment(i, i) for i in touched]


def _peak(heights: Iterator[NDArray]) -> NDArray:
    peak = np.array(next(heights))
    for height in heights:
        np.fmax(peak, height, out=peak)
    return peak


def _bottom_up(levels: NDArray, n: int) -> NDArray[np.uint16]:
    """Order rows of a colour table by value: under, 0 … n-1, over; missing is the caller's."""
    under, over = n, n + 1
    key = levels.astype(np.uint16) + 2
    key[levels == under] = 1
    key[levels == over] = n + 2
    return key


def _of_frame(norm: Normalize, values: NDArray) -> Normalize:
    import copy

    norm = copy.copy(norm)
    norm.vmin = norm.vmax = None
    norm.autoscale(values[np.isfinite(values)])
    return norm
