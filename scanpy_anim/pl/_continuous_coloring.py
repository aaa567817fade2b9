"""Numbers of a panel, as colors of a color map."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Self

import numpy as np

from scanpy_anim.pl._draw_order import DrawOrder, SortOrder, frames_shown, peak
from scanpy_anim.pl._source import Columns
from scanpy_anim.pl._timeline import JUMP, Moment
from scanpy_anim.raster import FrameStyle, LateStyle, color_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.colors import Colormap, Normalize
    from numpy.typing import NDArray

    from scanpy_anim.pl._scale import Scale
    from scanpy_anim.pl._source import Continuous

_KEPT_BYTES = 1 << 25


@dataclass(frozen=True, eq=False)
class ContinuousColoring:
    """Continuous values of a panel, as levels of its color map.

    Attributes
    ----------
    source, scale
        The values, and how they become colors.
    cmap, norm
        As scanpy resolved them for the stage.
    mask
        Cells that show their value; the others are missing.
    opaque
        Whether the opacity of the cells replaces that of their colors.
    order
        Which cells lie on top in all frames; `None`: order of the data.
    """

    source: Continuous
    scale: Scale
    cmap: Colormap
    norm: Normalize
    sort_order: SortOrder = True
    mask: NDArray[np.bool_] | None = None
    opaque: bool = False
    order: DrawOrder | None = None
    _kept: dict[int, NDArray[np.integer]] = field(default_factory=dict, repr=False)
    _complete: set[int] = field(default_factory=set, repr=False)

    @cached_property
    def table(self) -> NDArray[np.uint8]:
        """RGBA bytes of the color map, then of under, over and missing."""
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
        between = _between(first, second, moment.weight)
        if not np.isnan(between).any():
            return between
        return np.where(np.isnan(first), second, np.where(np.isnan(second), first, between))

    def _known(self, i: int, stride: int) -> NDArray[np.floating]:
        """Return the values of frame `i`, NaN where nothing is shown: as in scanpy, for inf too."""
        values = self.source.read(i)[::stride]
        valid = self.scale.valid(values)
        if self.mask is not None:
            valid &= self.mask[::stride]
        if valid.all():
            if stride == 1:
                self._complete.add(i)
            return values
        return np.where(valid, values, np.nan)

    def levels(self, moment: Moment, stride: int = 1) -> NDArray[np.integer]:
        """Return the row of the color table of every so many cells at a moment.

        Ranks jump where ties part or form, which no number of moments in between could spread:
        there, and only there, they cross-fade.
        """
        jump = _jump(moment) if self.scale.jumps else None
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

    def _leveled(self, moment: Moment, stride: int) -> NDArray[np.integer]:
        return self.scale.levels(self.values(moment, stride), self.norm, self.cmap.N)

    @cached_property
    def _edge(self) -> Callable[[Moment, int], NDArray[np.integer]]:
        """Levels on either side of a jump, kept for all the frames that are in it."""
        return lru_cache(maxsize=2)(self._levels)

    def _with_fades(
        self, levels: NDArray[np.integer], moment: Moment, stride: int = 1
    ) -> tuple[NDArray[np.integer], NDArray[np.uint8]]:
        """Let cells fade in and out that have a value in one of two frames only.

        Returns the levels and the table of colors that they are rows of.
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

    def late_style(self, moment: Moment) -> FrameStyle | LateStyle:
        """Return what the panel shows at a moment, of the cells that will be seen if that serves.

        It does where all cells have a value, so that none lies lower than in other frames.
        """
        read, frames = self.source.read, (moment.first, moment.second)
        if not isinstance(read, Columns) or not self._complete.issuperset(frames):
            return self.style(moment)
        one_alpha = self.table[:, 3].min() == self.table[:, 3].max()
        if self.sort_order == "frame" or not one_alpha or not self.scale.is_plain(self.norm):
            return self.style(moment)

        def of_cells(cells: NDArray[np.int64]) -> NDArray[np.integer]:
            values = read.of_cells(moment.first, cells)
            if moment.weight:
                values = _between(values, read.of_cells(moment.second, cells), moment.weight)
            return self.scale.levels(values, self.norm, self.cmap.N)

        return LateStyle(read.n_obs, self.table, of_cells, lambda: self.style(moment))

    def style(self, moment: Moment) -> FrameStyle:
        """Return what the panel shows at a moment."""
        levels = self.levels(moment)
        shown, table = self._with_fades(levels, moment)
        if self.sort_order == "frame":
            key = self.scale.shown(self.values(moment))
            return FrameStyle(shown, table, sort_key=key, first_on_top=True)
        if self.order is None:
            return FrameStyle(shown, table)
        if moment.weight:
            missing = np.isnan(self._known(moment.nearest, 1))
        else:
            missing = levels == self.cmap.N + 2
        return FrameStyle(shown, table, missing=missing)

    def ordered(self, moments: Sequence[Moment], above: NDArray[np.intp]) -> Self:
        """Order the cells by their highest color in any frame, some of them above all.

        Missing is at the bottom and, as in scanpy, the first cell of the data is on top among
        equals.
        """
        if self.sort_order is not True:
            return self
        heights = (self._height(i) for i in frames_shown(moments))
        return replace(self, order=DrawOrder(peak(heights), True, above))

    def _height(self, i: int) -> NDArray[np.floating]:
        if not self.scale.jumps or self.source.n_frames == 1:
            return self.scale.shown(self._known(i, 1))
        levels = self.levels(Moment(i, i))  # of the ranks, kept for the film
        return np.where(levels > self.cmap.N + 1, np.nan, levels.astype(np.float32))

    def colors(self, moment: Moment, stride: int) -> NDArray[np.uint8]:
        """Return RGB of every so many cells at a moment, as if there were no others."""
        levels, table = self._with_fades(self.levels(moment, stride), moment, stride)
        return table[levels, :3]

    def reserved_colors(self) -> NDArray[np.uint8]:
        """Return the colors of the map."""
        return self.table[:, :3]


def _between(first: NDArray, second: NDArray, weight: float) -> NDArray[np.floating]:
    return first + (second - first) * first.dtype.type(weight)


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
    """Return levels of a color map of `n` colors on their way from one to another.

    Below and above its limits counts as at them; missing at one end takes what is at the other.
    """
    ends = np.arange(n + 3)
    ends[n : n + 2] = 0, n - 1
    start, end = (ends[levels].astype(np.float32) for levels in (before, after))
    between = np.rint(start + (end - start) * np.float32(share)).astype(before.dtype)
    return np.where(before == n + 2, after, np.where(after == n + 2, before, between))
