"""Categories of a panel, in their colours; the paler, the less sure they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim.pl._order import SortOrder, keys, places
from scanpy_anim.raster import Look

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from scanpy_anim.pl._source import Categorical
    from scanpy_anim.pl._timeline import Moment

#: Steps from the colour of missing to a category's own.
STRENGTHS = 64
#: Share of the cells that are less sure at the end than what is drawn at full strength.
SURE = 0.95
_MOST_LEVELS = 1 << 16


@dataclass(frozen=True, eq=False)
class Tint:
    """Categories of a panel, in its palette.

    Attributes
    ----------
    palette
        `(n_categories + 1, 4)` RGBA bytes; the last one is that of missing.
    visible
        Which categories are shown (`groups`); the others are drawn as missing.
    full
        Cells that are at full strength however sure their category is: seeds.
    """

    source: Categorical
    palette: NDArray[np.uint8]
    visible: NDArray[np.bool_]
    sort_order: SortOrder = True
    mask: NDArray[np.bool_] | None = None
    full: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))

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
        """Return how much of its category's colour each cell has in frame `i`, 0 to 1.

        In proportion to the confidence, full where it is as high as in the surest twentieth of
        the cells at the end; `None`: full everywhere.
        """
        if self.source.confidence is None:
            return None
        confidence = np.asarray(self.source.confidence(i), np.float32)
        strength = np.minimum(confidence / np.float32(self._sure), 1)
        strength[self.full] = 1
        return strength[::stride]

    @cached_property
    def _sure(self) -> float:
        """Confidence of the surest twentieth of the cells in the last frame, seeds aside."""
        assert self.source.confidence is not None
        last = self.source.n_frames - 1
        counts = self.codes(last) < self.missing
        counts[self.full] = False
        known = np.asarray(self.source.confidence(last), np.float64)[counts]
        return float(np.quantile(known, SURE)) if known.size else 1.0

    def look(self, moment: Moment) -> Look:
        """Return what the panel shows at a moment; between two frames colours cross-fade."""
        levels, table = self._levels(moment, 1)
        order = None
        if self.sort_order == "frame":
            order = (self.codes(moment.first) < self.missing).astype(np.uint8)
        return Look(levels, table, order=order)

    def _levels(
        self, moment: Moment, stride: int
    ) -> tuple[NDArray[np.unsignedinteger], NDArray[np.uint8]]:
        """Return each cell's row of a table of colours, and the table."""
        first, strength = self._drawn(moment.first, stride)
        second, other = self._drawn(moment.second, stride) if moment.weight else (first, strength)
        n = len(self.palette)
        pairs, levels = _numbered(first * n + second, n * n)
        here, there = (self.palette[p].astype(np.float64) for p in divmod(pairs, n))
        table = here + (there - here) * moment.weight
        if strength is not None and other is not None:
            if moment.weight:  # a cell comes and goes with the strength of its category
                start = np.where(first == self.missing, other, strength)
                end = np.where(second == self.missing, strength, other)
                strength = start + (end - start) * np.float32(moment.weight)
            steps = min(STRENGTHS, _MOST_LEVELS // len(pairs))
            table = _paled(table, self.palette[self.missing], steps)
            levels = levels * steps + np.rint(strength * np.float32(steps - 1)).astype(np.intp)
        small = np.uint8 if len(table) <= 256 else np.uint16
        return levels.astype(small), np.rint(table).astype(np.uint8)

    @cached_property
    def _drawn(
        self,
    ) -> Callable[[int, int], tuple[NDArray[np.intp], NDArray[np.floating] | None]]:
        """Codes and strength of a frame, kept for all the moments between two."""
        return lru_cache(maxsize=2)(
            lambda i, stride: (self.codes(i, stride), self._strength(i, stride))
        )

    def order(self, moments: Sequence[Moment]) -> NDArray[np.intp] | None:
        """Return each cell's place from the bottom: the longer it has a category, the higher.

        So a cell that has one is never under those that do not have any yet.
        """
        if self.sort_order is not True:
            return None
        known = sum((self.codes(m.first) < self.missing).astype(np.int32) for m in keys(moments))
        return places(np.argsort(known, kind="stable"))

    def colors(self, moment: Moment, stride: int) -> NDArray[np.uint8]:
        """Return RGB of every so many cells at a moment."""
        levels, table = self._levels(moment, stride)
        return table[levels, :3]


def _numbered(values: NDArray[np.intp], n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which of 0 … n-1 occur in `values`, ascending, and each value's number among them."""
    occurs = np.zeros(n, bool)
    occurs[values] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[values]


def _paled(
    colors: NDArray[np.float64], missing: NDArray[np.uint8], steps: int
) -> NDArray[np.float64]:
    """Return for each colour `steps` of them, from the colour of missing to its own."""
    shares = np.linspace(0, 1, steps)[None, :, None]
    return (missing + (colors[:, None] - missing) * shares).reshape(-1, 4)


def palette_bytes(colors: Sequence[str], na_color: Any) -> NDArray[np.uint8]:
    """Return `(n + 1, 4)` RGBA bytes of the colours and, last, of missing."""
    from matplotlib.colors import to_rgba_array

    rgba = np.concatenate([to_rgba_array(list(colors)), to_rgba_array([na_color])])
    return np.rint(rgba * 255).astype(np.uint8)
