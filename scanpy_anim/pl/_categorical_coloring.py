"""Categories of a panel, in their colors; the paler, the less sure they are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from scanpy_anim.pl._draw_order import DrawOrder, SortOrder, frames_shown
from scanpy_anim.raster import FrameStyle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from scanpy_anim.pl._source import Categorical
    from scanpy_anim.pl._timeline import Moment

#: Steps from a category's palest color to its own.
_STRENGTHS = 64
#: Share of the labeled cells that are less sure at the end than what counts as clear.
_UNCLEAR = 0.2
#: How much of its own color a category keeps where it is no likelier than any other.
_FAINT = 0.35
#: So far apart (in RGB, of 255 each) two colors are told apart at a glance.
_APART = 40.0
_MOST_LEVELS = 1 << 16


@dataclass(frozen=True, eq=False)
class CategoricalColoring:
    """Categories of a panel, in its palette.

    Attributes
    ----------
    palette
        `(n_categories + 1, 4)` RGBA bytes; the last one is that of missing.
    visible
        Which categories are shown (`groups`); the others are drawn as missing.
    full
        Cells that are at full strength however sure their category is: seeds.
    confidence
        Whether cells whose category is unsure are paler.
    ground
        `(3,)` RGB of what lies under the cells, towards which unsure ones pale.
    order
        Which cells lie on top in all frames; `None`: order of the data.
    """

    source: Categorical
    palette: NDArray[np.uint8]
    visible: NDArray[np.bool_]
    sort_order: SortOrder = True
    mask: NDArray[np.bool_] | None = None
    full: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    confidence: bool = True
    ground: NDArray[np.uint8] = field(default_factory=lambda: np.full(3, 255, np.uint8))
    order: DrawOrder | None = None

    @property
    def missing(self) -> int:
        """Row of the palette of cells without category."""
        return len(self.palette) - 1

    def codes(self, i: int, stride: int = 1) -> NDArray[np.intp]:
        """Return the row of the palette of each cell in frame `i`; missing is the last one.

        With a `stride`, of every so many cells.
        """
        missing, some = self.missing, slice(None, None, stride)
        table = np.append(np.where(self.visible, np.arange(missing), missing), missing)
        codes = table[np.asarray(self.source.read(i))[some]]
        return codes if self.mask is None else np.where(self.mask[some], codes, missing)

    def _strength(self, i: int, stride: int = 1) -> NDArray[np.floating] | None:
        """Return how much of its category's color each cell has in frame `i`: 0 palest, 1 all.

        It grows with the confidence from where all categories are as likely, and is full where
        the label is clear; `None`: full everywhere.
        """
        if not self.pales:
            return None
        assert self.source.confidence is not None
        strength = self.strength_of(np.asarray(self.source.confidence(i), np.float32))
        strength[self.full] = 1
        return strength[::stride]

    @property
    def pales(self) -> bool:
        """Whether cells are the paler, the less sure their category is."""
        return self.source.confidence is not None and self.confidence and self.missing > 1

    def strength_of(self, confidence: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return how much of its category's color a cell has that is so sure, seeds aside."""
        even = 1 / self.missing
        return np.clip((confidence - even) / (self.clear - even), 0, 1, dtype=np.float32)

    @cached_property
    def clear(self) -> float:
        """Confidence from which on a label counts as clear.

        That of all but the least sure fifth of the labels at the end, seeds aside; or less, where
        a category has more than all others together (with two: twice as much as the other).
        """
        assert self.source.confidence is not None
        last = self.source.n_frames - 1
        counts = self.codes(last) < self.missing
        counts[self.full] = False
        known = np.asarray(self.source.confidence(last), np.float64)[counts]
        majority, even = (0.5 if self.missing > 2 else 2 / 3), 1 / self.missing
        usual = float(np.quantile(known, _UNCLEAR)) if known.size else majority
        return min(max(usual, 1.25 * even), majority)

    def style(self, moment: Moment) -> FrameStyle:
        """Return what the panel shows at a moment; between two frames colors cross-fade."""
        levels, table = self._levels(moment, 1)
        if self.sort_order is False:
            return FrameStyle(levels, table)
        missing = self._drawn(moment.nearest, 1)[0] == self.missing
        return FrameStyle(levels, table, missing=missing)

    def _levels(
        self, moment: Moment, stride: int
    ) -> tuple[NDArray[np.unsignedinteger], NDArray[np.uint8]]:
        """Return each cell's row of a table of colors, and the table."""
        first, strength = self._drawn(moment.first, stride)
        second, other = self._drawn(moment.second, stride) if moment.weight else (first, strength)
        n = len(self.palette)
        pairs, levels = _numbered(first * n + second, n * n)
        before, after = divmod(pairs, n)
        if strength is None or other is None:
            here, there = self.palette[before].astype(float), self.palette[after].astype(float)
        else:
            if moment.weight:  # a cell comes and goes with the strength of its category
                start = np.where(first == self.missing, other, strength)
                end = np.where(second == self.missing, strength, other)
                strength = start + (end - start) * np.float32(moment.weight)
            steps = min(_STRENGTHS, _MOST_LEVELS // len(pairs))
            chosen = np.rint(np.linspace(0, _STRENGTHS - 1, steps)).astype(int)
            here, there = self.paled[before][:, chosen], self.paled[after][:, chosen]
            levels = levels * steps + np.rint(strength * np.float32(steps - 1)).astype(np.intp)
        table = (here + (there - here) * moment.weight).reshape(-1, 4)
        small = np.uint8 if len(table) <= 256 else np.uint16
        return levels.astype(small), np.rint(table).astype(np.uint8)

    @cached_property
    def paled(self) -> NDArray[np.float64]:
        """Colors of each category from its palest to its own, `(n + 1, _STRENGTHS, 4)`.

        They pale towards the background, as far as none could be taken for the color of missing.
        """
        own = self.palette[:, None].astype(float)
        shares = np.linspace(_FAINT, 1, _STRENGTHS)
        pale = np.repeat(own, _STRENGTHS, axis=1)
        pale[:, :, :3] = self.ground + (own[:, :, :3] - self.ground) * shares[:, None]
        distance = np.linalg.norm(pale[:, :, :3] - self.palette[self.missing, :3], axis=2)
        apart = distance >= np.minimum(_APART, distance[:, -1:])
        palest = _STRENGTHS - np.logical_and.accumulate(apart[:, ::-1], axis=1).sum(axis=1)
        palest[self.missing] = _STRENGTHS - 1  # missing is never paler
        steps = np.rint(np.linspace(palest, _STRENGTHS - 1, _STRENGTHS, axis=1)).astype(int)
        return np.take_along_axis(pale, steps[:, :, None], axis=1)

    @cached_property
    def _drawn(
        self,
    ) -> Callable[[int, int], tuple[NDArray[np.intp], NDArray[np.floating] | None]]:
        """Codes and strength of a frame, kept for all the moments between two."""
        return lru_cache(maxsize=2)(
            lambda i, stride: (self.codes(i, stride), self._strength(i, stride))
        )

    def ordered(self, moments: Sequence[Moment], above: NDArray[np.intp]) -> Self:
        """Order the cells by how long they have a category, some of them above all.

        So a cell that has one is never under those that do not have any yet.
        """
        if self.sort_order is not True:
            return self
        frames = frames_shown(moments)
        count = np.zeros(len(self.source.read(frames[0])), np.min_scalar_type(len(frames)))
        for i in frames:
            count += self.codes(i) < self.missing
        return replace(self, order=DrawOrder(count, False, above))

    def colors(self, moment: Moment, stride: int) -> NDArray[np.uint8]:
        """Return RGB of every so many cells at a moment."""
        levels, table = self._levels(moment, stride)
        return table[levels, :3]

    def reserved_colors(self) -> NDArray[np.uint8]:
        """Return the palette."""
        return self.palette[:, :3]


def _numbered(values: NDArray[np.intp], n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which of 0 … n-1 occur in `values`, ascending, and each value's number among them."""
    occurs = np.zeros(n, bool)
    occurs[values] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[values]


def palette_bytes(colors: Sequence[str], na_color: Any) -> NDArray[np.uint8]:
    """Return `(n + 1, 4)` RGBA bytes of the colors and, last, of missing."""
    from matplotlib.colors import to_rgba_array

    rgba = np.concatenate([to_rgba_array(list(colors)), to_rgba_array([na_color])])
    return np.rint(rgba * 255).astype(np.uint8)
