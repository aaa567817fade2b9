"""Numbers of a panel, as colours of a colour map."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from scanpy_anim.pl._order import SortOrder, keys, peak, places
from scanpy_anim.pl._timeline import JUMP, Moment
from scanpy_anim.raster import Look, color_table, rank_levels, value_levels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.colors import Colormap, Normalize
    from numpy.typing import NDArray

    from scanpy_anim.pl._scale import Scale
    from scanpy_anim.pl._source import Continuous

_KEPT_BYTES = 1 << 25


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
    opaque
        Whether the opacity of the cells replaces that of their colours.
    """

    source: Continuous
    scale: Scale
    cmap: Colormap
    norm: Normalize
    sort_order: SortOrder = True
    mask: NDArray[np.bool_] | None = None
    opaque: bool = False

    @cached_property
    def table(self) -> NDArray[np.uint8]:
        """RGBA bytes of the colour map, then of under, over and missing."""
        table = color_table(self.cmap)
        if self.opaque:
            table[table.any(axis=1), 3] = 255  # as in matplotlib; what is invisible stays so
        return table

    def values(self, moment: Moment, stride: int = 1) -> NDArray[np.floating]:
        """Return the values of every so many cells at a moment, missing ones as NaN.

        A cell without value in one of two frames has that of the other in between.
        """
        first = self._known(moment.first, stride)
        if not moment.weight:
            return first
        second = self._known(moment.second, stride)
        between = first + (second - first) * first.dtype.type(moment.weight)
        if not np.isnan(between).any():
            return between
        return np.where(np.isnan(first), second, np.where(np.isnan(second), first, between))

    def _known(self, i: int, stride: int) -> NDArray[np.floating]:
        """Return the values of frame `i`, NaN where nothing is shown: as in scanpy, for inf too."""
        values = self.source.read(i)[::stride]
        if np.isinf(values).any():
            values = np.where(np.isinf(values), np.nan, values)
        if self.mask is not None:
            values = np.where(self.mask[::stride], values, np.nan)
        if self.scale.kind == "log":
            values = np.where(values > 0, values, np.nan)
        return values

    def levels(self, moment: Moment, stride: int = 1) -> NDArray[np.integer]:
        """Return the row of the colour table of every so many cells at a moment.

        Ranks jump where ties part or form, which no number of moments in between could spread:
        there, and only there, they cross-fade.
        """
        jump = _jump(moment) if self.scale.kind == "rank" else None
        if jump is None:
            return self._levels(moment, stride)
        before, after, share = jump
        edges = self._edge(before, stride), self._edge(after, stride)
        return faded(*edges, share, self.cmap.N)

    def _levels(self, moment: Moment, stride: int = 1) -> NDArray[np.integer]:
        """Levels without jumps; those of the first frames are kept, as order and film need them."""
        if moment.weight or stride > 1:
            return self._leveled(moment, stride)
        levels = self._kept.get(moment.first)
        if levels is None:
            levels = self._leveled(moment, stride)
            if (len(self._kept) + 1) * levels.nbytes <= _KEPT_BYTES:
                self._kept[moment.first] = levels
        return levels

    @cached_property
    def _kept(self) -> dict[int, NDArray[np.integer]]:
        return {}

    def _leveled(self, moment: Moment, stride: int) -> NDArray[np.integer]:
        values = self.values(moment, stride)
        if self.scale.plain_rank:
            return rank_levels(values, self.cmap.N)
        shown, norm = self.scale.shown(values), self.norm
        if self.scale.per_frame:
            norm = _of_frame(norm, shown)
        return value_levels(shown, norm, self.cmap.N)

    @cached_property
    def _edge(self) -> Callable[[Moment, int], NDArray[np.integer]]:
        """Levels on either side of a jump, kept for all the frames that are in it."""
        return lru_cache(maxsize=2)(self._levels)

    def _with_fades(
        self, levels: NDArray[np.integer], moment: Moment, stride: int = 1
    ) -> tuple[NDArray[np.integer], NDArray[np.uint8]]:
        """Let cells fade in and out that have a value in one of two frames only.

        Returns the levels and the table of colours that they are rows of.
        """
        if not moment.weight:
            return levels, self.table
        first, second = (np.isnan(self._known(i, stride)) for i in (moment.first, moment.second))
        alone = first != second
        if not alone.any():
            return levels, self.table
        missing = self.table[-1].astype(np.float64)
        coming = missing + (self.table - missing) * moment.weight
        going = missing + (self.table - missing) * (1 - moment.weight)
        table = np.rint(np.concatenate([self.table, coming, going])).astype(np.uint8)
        block = np.where(alone, np.where(first, 1, 2), 0) * len(self.table)
        return (levels + block).astype(np.uint16), table

    def look(self, moment: Moment) -> Look:
        """Return what the panel shows at a moment."""
        levels = self.levels(moment)
        order = None
        if self.sort_order == "frame":
            order = np.where(levels > self.cmap.N + 1, 0, _bottom_up(levels, self.cmap.N))
        shown, table = self._with_fades(levels, moment)
        return Look(shown, table, order=order)

    def order(self, moments: Sequence[Moment]) -> NDArray[np.intp] | None:
        """Return each cell's place from the bottom: by its highest colour in any frame.

        Missing is at the bottom and, as in scanpy, the first cell of the data is on top among
        equals. `None` for the order of the data, or of each frame.
        """
        if self.sort_order is not True:
            return None
        return places(
            np.argsort(-peak(self._height(m) for m in keys(moments)), kind="stable")[::-1]
        )

    def _height(self, moment: Moment) -> NDArray[np.floating]:
        if not self.scale.plain_rank:
            return self.scale.shown(self.values(moment))
        levels = self.levels(moment)
        return np.where(levels > self.cmap.N + 1, np.nan, levels.astype(np.float32))

    def colors(self, moment: Moment, stride: int) -> NDArray[np.uint8]:
        """Return RGB of every so many cells at a moment, as if there were no others."""
        levels, table = self._with_fades(self.levels(moment, stride), moment, stride)
        return table[levels, :3]


def _jump(moment: Moment) -> tuple[Moment, Moment, float] | None:
    """Return both sides of the jump that a moment is in, and how far; `None`: in no jump."""
    first, second, weight = moment.first, moment.second, moment.weight
    if 0 < weight < JUMP:
        return Moment(first, first), Moment(first, second, JUMP), weight / JUMP
    if weight > 1 - JUMP:
        return Moment(first, second, 1 - JUMP), Moment(second, second), 1 - (1 - weight) / JUMP
    return None


def faded(
    before: NDArray[np.integer], after: NDArray[np.integer], share: float, n: int
) -> NDArray[np.integer]:
    """Return levels of a colour map of `n` colours on their way from one to another.

    Below and above its limits counts as at them; missing at one end takes what is at the other.
    """
    ends = np.arange(n + 3)
    ends[n : n + 2] = 0, n - 1
    start, end = (ends[levels].astype(np.float32) for levels in (before, after))
    between = np.rint(start + (end - start) * np.float32(share)).astype(before.dtype)
    return np.where(before == n + 2, after, np.where(after == n + 2, before, between))


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
