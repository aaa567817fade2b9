"""What the frames are made of: one panel's values, frame by frame, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np

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


@dataclass(frozen=True, eq=False)
class _Frames:
    """What all sources have; see `Continuous`."""

    name: str
    n_frames: int
    read: Callable[[int], NDArray]
    labels: Sequence[str] | None = field(default=None, kw_only=True)
    iterations: NDArray[np.float64] | None = field(default=None, kw_only=True)
    seeds: Seeds | None = field(default=None, kw_only=True)

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
        What is shown: the panel's title and the colour bar's subject.
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
        Their colours, where the AnnData has them.
    confidence
        `confidence(i)` gives each cell's share of full strength, 0 to 1; `None`: all full.
    """

    categories: Sequence[str] = ()
    colors: Sequence[str] | None = None
    confidence: Callable[[int], NDArray[np.floating]] | None = None

    def staying(
        self,
        n_frames: int,
        iterations: NDArray[np.float64] | None,
        *,
        labels: Sequence[str] | None = None,
    ) -> Self:
        """Return the source with its last frame repeated until there are `n_frames`."""
        last, confidence = self.n_frames - 1, self.confidence
        longer = super().staying(n_frames, iterations, labels=labels)
        if confidence is None:
            return longer
        return replace(longer, confidence=lambda i: confidence(min(i, last)))

    @cached_property
    def has_missing(self) -> bool:
        """Whether any cell is without category in any frame."""
        return any(bool((self.read(i) < 0).any()) for i in range(self.n_frames))


Source = Continuous | Categorical


@dataclass(eq=False)
class Once:
    """Ask a function for each frame once, when it is needed, and say which frame failed."""

    function: Callable[[int], object]
    n_obs: int
    asked: dict[int, Any] = field(default_factory=dict)

    def __call__(self, i: int) -> Any:
        """Return frame `i` as a checked `(n_obs,)` array."""
        if i not in self.asked:
            try:
                values = self.function(i)
            except Exception as error:
                error.add_note(f"raised by color({i}), the function that gives frame {i}")
                raise
            self.asked[i] = checked(values, self.n_obs, f"color({i})")
        return self.asked[i]


def checked(values: Any, n_obs: int, what: str) -> Any:
    """Return one frame's values as an array of numpy or pandas, having checked its shape."""
    import pandas as pd

    of_pandas = isinstance(getattr(values, "dtype", None), pd.api.extensions.ExtensionDtype)
    array: Any = pd.Series(values).array if of_pandas else np.asarray(values)
    shape = np.shape(array)
    if shape == (n_obs, 1) or shape == (1, n_obs):
        array = np.asarray(array).reshape(n_obs)
    elif shape != (n_obs,):
        raise ValueError(f"{what} has shape {shape}; a frame is ({n_obs},), a value per cell.")
    return array


def columns_of(table: NDArray) -> Callable[[int], NDArray[np.floating]]:
    """Read columns of a table as contiguous floats, keeping the last two for tweens."""
    dtype = table.dtype if table.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    return lru_cache(maxsize=2)(lambda i: np.ascontiguousarray(table[:, i], dtype=dtype))


def from_arrays(name: str, frames: Sequence[object], n_obs: int) -> Source:
    """Make a source of arrays, a frame each: all numbers, or all categories."""
    import pandas as pd

    if len(frames) == 0:
        raise ValueError("color is empty: at least one frame is needed.")
    columns = [pd.Series(checked(f, n_obs, f"color[{i}]")) for i, f in enumerate(frames)]
    return from_columns(name, columns)


def from_columns(
    name: str,
    columns: Sequence,
    *,
    labels: Sequence[str] | None = None,
    palettes: dict | None = None,
) -> Source:
    """Make a source of pandas Series, a frame each: all numbers, or all categories."""
    if len(columns) == 0:
        raise ValueError(f"color: {name!r} is empty: at least one frame is needed.")
    kinds = [is_categorical(c) for c in columns]
    if any(kinds):  # nothing at all is nothing of either kind
        kinds = [kind or bool(c.isna().all()) for kind, c in zip(kinds, columns, strict=True)]
    if any(kinds) and not all(kinds):
        a, b = (
            f"frame {i}" if labels is None else f"{labels[i]!r}, frame {i}"
            for i in (kinds.index(True), kinds.index(False))
        )
        raise TypeError(
            f"color mixes categories ({a}) and numbers ({b}): one colour scale cannot show both. "
            "Make two films of them."
        )
    if not all(kinds):
        values = [floats(c, i) for i, c in enumerate(columns)]
        return Continuous(name, len(values), values.__getitem__, labels=labels)
    categories, codes = _common_codes(columns)
    colors = (
        [palettes[c] for c in categories] if palettes and set(categories) <= set(palettes) else None
    )
    return Categorical(name, len(codes), codes.__getitem__, categories, colors, labels=labels)


def is_categorical(column: object) -> bool:
    """Whether scanpy draws a column in a palette: categories, strings, booleans."""
    import pandas as pd

    dtype = column.dtype  # type: ignore[attr-defined]
    return (
        isinstance(dtype, pd.CategoricalDtype)
        or pd.api.types.is_bool_dtype(dtype)
        or not pd.api.types.is_numeric_dtype(dtype)
    )


def floats(column: Any, i: int) -> NDArray[np.floating]:
    """Return the numbers of frame `i`, missing ones as NaN."""
    values = np.asarray(column)
    if values.dtype == object:  # pandas' integers, some of them missing
        values = column.to_numpy(np.float64, na_value=np.nan)
    if values.dtype.kind == "c":
        raise TypeError(f"color: frame {i} holds complex numbers; take their abs() or .real.")
    return values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)


def _common_codes(columns: Sequence) -> tuple[list[str], list[NDArray[np.integer]]]:
    """Give columns one set of categories: no and yes, or in the order in which they appear."""
    import pandas as pd

    parts = [pd.Categorical(c) for c in columns]
    categories: list[str] = []
    for part in parts:
        known = set(categories)
        categories += [str(c) for c in part.categories if str(c) not in known]
    if all(pd.api.types.is_bool_dtype(c.dtype) for c in columns):
        categories.sort()
    place = {c: i for i, c in enumerate(categories)}
    codes = []
    for part in parts:
        table = np.array([place[str(c)] for c in part.categories] + [-1], dtype=np.int32)
        codes.append(table[part.codes])
    return categories, codes
