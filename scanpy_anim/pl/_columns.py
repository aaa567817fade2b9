"""Arrays and columns as frames: all numbers, or all categories."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import scanpy as sc

from scanpy_anim._cells import native
from scanpy_anim._compat import boolean_categories
from scanpy_anim.pl._matching import are_numbered, match_clusters
from scanpy_anim.pl._palette import film_colors
from scanpy_anim.pl._source import Categorical, Continuous

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from scanpy_anim.pl._source import Source


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
    """Return one frame's values as an array of numpy or pandas, having checked what it is."""
    array = _as_array(values, what)
    shape = np.shape(array)
    if shape == (n_obs, 1) or shape == (1, n_obs):
        array = np.asarray(array).reshape(n_obs)
    elif shape != (n_obs,):
        raise ValueError(f"{what} has shape {shape}; a frame is ({n_obs},), a value per cell.")
    kind = getattr(array.dtype, "kind", "O")
    if kind in "Mm" or isinstance(array.dtype, pd.DatetimeTZDtype):
        raise TypeError(
            f"{what} holds times ({array.dtype}): give categories, such as .astype(str), or "
            "numbers, such as days since the first."
        )
    if kind == "c":
        raise TypeError(f"{what} holds complex numbers; take their abs() or .real.")
    if kind == "V":
        raise TypeError(f"{what} is a structured array ({array.dtype}): choose one of its fields.")
    return array


def _as_array(values: Any, what: str) -> Any:
    """Return an array of numpy or pandas; what is masked is missing."""
    if isinstance(getattr(values, "dtype", None), pd.api.extensions.ExtensionDtype):
        return native(pd.Series(values)).array
    if hasattr(values, "toarray"):  # sparse
        values = values.toarray()
    if isinstance(values, np.ma.MaskedArray):
        numeric = values.dtype.kind in "iuf"
        unmasked: Any = values.astype(float if numeric else object)
        return unmasked.filled(np.nan if numeric else None)
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{what} is no array of one value per cell: {error}") from None
    return _unboxed(array, what) if array.dtype == object and array.ndim == 1 else array


def _unboxed(array: NDArray[Any], what: str) -> NDArray[Any]:
    """Return objects that are all numbers, such as huge integers, as floats."""
    numbers = [isinstance(v, int | float) and not isinstance(v, bool) for v in array]
    if not all(number or v is None for number, v in zip(numbers, array, strict=True)):
        return array
    if not any(numbers):
        return array
    try:
        return np.array([np.nan if v is None else float(v) for v in array])
    except OverflowError:
        raise ValueError(f"{what} holds integers beyond floats; scale them.") from None


def from_arrays(
    name: str, frames: Sequence[object], n_obs: int, match: bool | Literal["auto"] = "auto"
) -> Source:
    """Make a source of arrays, a frame each; names that they bring title the frames."""
    if len(frames) == 0:
        raise ValueError("color is empty: at least one frame is needed.")
    columns = [pd.Series(checked(f, n_obs, f"color[{i}]")) for i, f in enumerate(frames)]
    given = [getattr(f, "name", None) for f in frames]
    if len(frames) == 1 and given[0] is not None:
        name = str(given[0])
    named = len(frames) > 1 and all(n is not None for n in given) and len(set(given)) > 1
    return from_columns(name, columns, labels=list(map(str, given)) if named else None, match=match)


def from_columns(
    name: str,
    columns: Sequence,
    *,
    labels: Sequence[str] | None = None,
    palettes: Sequence[Mapping[str, str]] = (),
    match: bool | Literal["auto"] = "auto",
) -> Source:
    """Make a source of pandas Series, a frame each: all numbers, or all categories.

    Parameters
    ----------
    name, labels
        What to call the whole, and each frame.
    columns
        The frames.
    palettes
        The color of each category in each frame, as far as they have any.
    match
        `match_categories` of `animate_embedding`.
    """
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
            f"color mixes categories ({a}) and numbers ({b}): one color scale cannot show both. "
            "Make two films of them."
        )
    if not all(kinds):
        values = [floats(c, i) for i, c in enumerate(columns)]
        return Continuous(name, len(values), values.__getitem__, labels=labels)
    parts = [_categories_of(c, i, labels) for i, c in enumerate(columns)]
    names = [[str(c) for c in part.categories] for part in parts]
    boolean = all(pd.api.types.is_bool_dtype(c.dtype) for c in columns)
    if match is True or (match == "auto" and not boolean and are_numbered(names)):
        return _matched(name, parts, names, labels, palettes)
    categories = list(dict.fromkeys(c for frame in names for c in frame))
    if boolean:
        categories = boolean_categories(categories)  # no, then yes
    code = {c: i for i, c in enumerate(categories)}
    codes = [
        np.array([*(code[c] for c in frame), -1], dtype=np.int32)[part.codes]
        for part, frame in zip(parts, names, strict=True)
    ]
    known = {c: color for colors in reversed(palettes) for c, color in colors.items()}
    colors = film_colors(categories, known)
    return Categorical(name, len(codes), codes.__getitem__, categories, colors, labels=labels)


def _matched(
    name: str,
    parts: Sequence[pd.Categorical],
    names: Sequence[Sequence[str]],
    labels: Sequence[str] | None,
    palettes: Sequence[Mapping[str, str]],
) -> Categorical:
    """Make a source of clusterings in which colors stay with their cells."""
    identities, tables = match_clusters([part.codes for part in parts], names)
    codes = [
        np.append(table, -1).astype(np.int32)[part.codes]
        for part, table in zip(parts, tables, strict=True)
    ]
    own: list[list[str]] = []
    known: dict[str, str] = {}
    for i, (frame, table) in enumerate(zip(names, tables, strict=True)):
        called = [""] * len(identities)
        for cluster, identity in zip(frame, table, strict=True):
            called[identity] = cluster
            color = palettes[i].get(cluster) if palettes else None
            if color is not None and color not in known.values():
                known.setdefault(identities[identity], color)
        own.append(called)
    if any([identities[k] for k in t] != list(f) for t, f in zip(tables, names, strict=True)):
        first = labels[0] if labels else "the first frame"
        sc.logging.info(
            f"clusters of {name!r} are matched from frame to frame, so that colors stay with their "
            f"cells, and numbered as in {first}; match_categories=False colors them by name"
        )
    return Categorical(
        name,
        len(codes),
        codes.__getitem__,
        identities,
        film_colors(identities, known),
        frame_names=own.__getitem__,
        labels=labels,
    )


def is_categorical(column: object) -> bool:
    """Whether scanpy draws a column in a palette: categories, strings, booleans."""
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


def _categories_of(column: Any, i: int, labels: Sequence[str] | None) -> pd.Categorical:
    """Return the categories of frame `i`, of which no two may read the same."""
    what = f"color: frame {i}" if labels is None else f"color: {labels[i]!r}"
    try:
        part = pd.Categorical(column)
    except TypeError as error:
        raise TypeError(f"{what} holds neither numbers nor categories: {error}") from None
    spelled = [str(c) for c in part.categories]
    if len(set(spelled)) < len(spelled):
        twice = next(c for c in spelled if spelled.count(c) > 1)
        both = [c for c in part.categories if str(c) == twice]
        raise ValueError(
            f"{what} has the categories {' and '.join(map(repr, both))}, which read the same; "
            "rename one."
        )
    return part
