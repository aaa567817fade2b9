"""What the frames are made of: one panel's values, frame by frame, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from scanpy_anim._table import Table
from scanpy_anim._threads import spread
from scanpy_anim.raster import gathered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Seeds:
    """Positions of the seed cells, and the class of each."""

    positions: NDArray[np.intp]
    classes: NDArray[np.intp]

    def of_class(self, i: int) -> Seeds:
        """Return the seeds of one class."""
        chosen = self.classes == i
        return Seeds(self.positions[chosen], self.classes[chosen])


def _unread(i: int) -> NDArray:
    """Stand for values that are not there any more."""
    raise RuntimeError("the values behind a film do not travel with its pickle")


@dataclass(frozen=True, eq=False)
class _Frames:
    """What all sources have; see `Continuous`."""

    name: str
    n_frames: int
    read: Callable[[int], NDArray]
    labels: Sequence[str] | None = field(default=None, kw_only=True)
    iterations: NDArray[np.float64] | None = field(default=None, kw_only=True)
    seeds: Seeds | None = field(default=None, kw_only=True)
    stored: bool = field(default=False, kw_only=True)
    in_parts: bool = field(default=False, kw_only=True)

    @property
    def ends_in_limit(self) -> bool:
        """Whether the last frame is what the iterations before it go to."""
        return self.iterations is not None and self.n_frames > 1 and np.isinf(self.iterations[-1])

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the functions that read from the AnnData: a film's pickle has its colors."""
        return {n: _unread if callable(v) else v for n, v in self.__dict__.items()}

    def staying(
        self,
        n_frames: int,
        iterations: NDArray[np.float64] | None,
        *,
        labels: Sequence[str] | None = None,
    ) -> Self:
        """Return the source with its last frame repeated until there are `n_frames`."""
        last, read = self.n_frames - 1, self.read
        return replace(
            self,
            n_frames=n_frames,
            read=lambda i: read(min(i, last)),
            iterations=iterations,
            labels=labels,
        )


@dataclass(frozen=True, eq=False)
class Continuous(_Frames):
    """Numbers per cell, frame by frame.

    Attributes
    ----------
    name
        What is shown: the panel's title and the color bar's subject.
    n_frames
        Number of frames.
    read
        `read(i)` gives the `(n_obs,)` floats of frame `i`; missing is NaN.
    labels
        What to call each frame ("iteration 3", a gene, a column); `None`: its number.
    iterations
        Which iteration of an algorithm each frame is, `inf` for its limit; `None`: none.
    seeds
        The cells that an algorithm started from.
    stored
        Whether an algorithm stored it, rather than the user.
    in_parts
        Whether all frames show the same, each a part of the cells.
    """


@dataclass(frozen=True, eq=False)
class Categorical(_Frames):
    """A category per cell, frame by frame; other attributes as in `Continuous`.

    Attributes
    ----------
    read
        `read(i)` gives `(n_obs,)` codes into `categories`; missing is -1.
    categories
        Names of the categories of the whole film.
    colors
        Their colors, where the AnnData has them.
    confidence
        `confidence(i)` gives each cell's share of full strength, 0 to 1; `None`: all full.
    frame_names
        `frame_names(i)` calls the categories of frame `i`; `None`: as in the whole film.
    """

    categories: Sequence[str] = ()
    colors: Sequence[str] | None = None
    confidence: Callable[[int], NDArray[np.floating]] | None = None
    frame_names: Callable[[int], Sequence[str]] | None = None

    def names(self, i: int) -> Sequence[str]:
        """Return what to call each category in frame `i`."""
        return self.categories if self.frame_names is None else self.frame_names(i)

    def staying(
        self,
        n_frames: int,
        iterations: NDArray[np.float64] | None,
        *,
        labels: Sequence[str] | None = None,
    ) -> Self:
        """Return the source with its last frame repeated until there are `n_frames`."""
        last, confidence, names = self.n_frames - 1, self.confidence, self.frame_names
        longer = super().staying(n_frames, iterations, labels=labels)
        if confidence is not None:
            longer = replace(longer, confidence=lambda i: confidence(min(i, last)))
        if names is not None:
            longer = replace(longer, frame_names=lambda i: names(min(i, last)))
        return longer

    @cached_property
    def has_missing(self) -> bool:
        """Whether any cell is without category in any frame."""
        return any(bool((self.read(i) < 0).any()) for i in range(self.n_frames))


Source = Continuous | Categorical

#: Rows of a table that are read at a time: a whole column is waiting for memory, row by row.
_AT_ONCE = 1 << 16
#: Rows from which several columns are taken at a time, so that they stay in the cache.
_ROWS = 1 << 10
#: Columns read ahead, and bytes; of tables no wider, and not of fewer columns.
_AHEAD, _AHEAD_BYTES, _WIDE, _WORTH_AHEAD = 32, 1 << 28, 128, 3
#: So much of what is computed frame by frame is kept.
_KEPT_BYTES = 1 << 28


def kept(read: Callable[[int], tuple[NDArray, ...]]) -> Callable[[int], tuple[NDArray, ...]]:
    """Return `read` with its results kept: the first, as memory allows, and the last two."""
    results: dict[int, tuple[NDArray, ...]] = {}
    last = lru_cache(maxsize=2)(read)

    def reading(i: int) -> tuple[NDArray, ...]:
        if i in results:
            return results[i]
        result = last(i)
        if (len(results) + 1) * sum(part.nbytes for part in result) <= _KEPT_BYTES:
            results[i] = result
        return result

    return reading


def read_columns(table: NDArray | Table) -> Callable[[int], NDArray]:
    """Read columns of a table as they are, keeping the last two for tweens."""
    return lru_cache(maxsize=2)(lambda i: table[:, i])


def columns_of(table: NDArray | Table) -> Callable[[int], NDArray[np.floating]]:
    """Read columns of a table as contiguous floats, keeping the last two for tweens."""
    return Columns(table)


class Columns:
    """Columns of a table, or what some cells have in them, as contiguous floats.

    The last two of either are kept, for tweens.

    Parameters
    ----------
    table
        `(n_obs, n_columns)`.
    """

    def __init__(self, table: NDArray | Table) -> None:
        floats = table.dtype in (np.float32, np.float64)
        self._table, self._dtype = table, table.dtype if floats else np.dtype(np.float64)
        self._whole = lru_cache(maxsize=2)(self._column)
        self._some: list[_Excerpt] = []

    @property
    def n_obs(self) -> int:
        """Number of cells."""
        return len(self._table)

    def __call__(self, i: int) -> NDArray[np.floating]:
        """Read a column."""
        return self._whole(i)

    def of_cells(self, i: int, cells: NDArray[np.int64]) -> NDArray[np.floating]:
        """Read what the cells at some positions have in a column."""
        for known in self._some:
            if known.cells is cells and 0 <= i - known.first < len(known.columns):
                return known.columns[i - known.first]
        del self._some[1:]  # before there is a third one
        excerpt = self._excerpt(i, cells)
        self._some.insert(0, excerpt)
        return excerpt.columns[i - excerpt.first]

    def _excerpt(self, i: int, cells: NDArray[np.int64]) -> _Excerpt:
        """Read a column, and those behind it that come along in the same lines of memory."""
        table = self._table
        if isinstance(table, Table) and not self._whole.cache_info().currsize:
            some = table.of_rows(i, cells).astype(self._dtype, copy=False)
            return _Excerpt(cells, i, some[None])
        if not isinstance(table, np.ndarray):
            return _Excerpt(cells, i, self(i)[cells][None])
        at_once = min(_AHEAD, _AHEAD_BYTES // max(len(cells) * self._dtype.itemsize, 1))
        last = min(i + at_once, table.shape[1])
        if last - i < _WORTH_AHEAD or not table.flags.c_contiguous or table.shape[1] > _WIDE:
            column = gathered(table[:, i], cells).astype(self._dtype, copy=False)
            return _Excerpt(cells, i, column[None])
        columns = np.empty((last - i, len(cells)), self._dtype)

        def take_rows(first: int) -> None:
            some = slice(first, first + _ROWS)
            columns[:, some] = np.take(table, cells[some], axis=0, mode="clip")[:, i:last].T

        spread(take_rows, range(0, len(cells), _ROWS))
        return _Excerpt(cells, i, columns)

    def _column(self, i: int) -> NDArray[np.floating]:
        table = self._table
        if isinstance(table, Table) or len(table) < 2 * _AT_ONCE:
            return np.ascontiguousarray(table[:, i], dtype=self._dtype)
        column = np.empty(len(table), self._dtype)

        def copy_part(first: int) -> None:
            part = slice(first, first + _AT_ONCE)
            column[part] = table[part, i]

        spread(copy_part, range(0, len(table), _AT_ONCE))
        return column


class _Excerpt(NamedTuple):
    """What some cells have in the columns of a table from `first` on, a row a column."""

    cells: NDArray[np.int64]
    first: int
    columns: NDArray[np.floating]
