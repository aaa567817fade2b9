"""Arrays, matrices and tables that the caller gives as color, as sources of frames."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from scanpy_anim._checks import listed
from scanpy_anim._table import Table, as_table
from scanpy_anim.pl._columns import Once, floats, from_arrays, from_columns, is_categorical
from scanpy_anim.pl._source import Continuous, Source, columns_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from anndata import AnnData
    from numpy.typing import NDArray


def of_matrix(name: str, values: Any, match: bool | Literal["auto"]) -> Source:
    """Make a source of a dense or sparse `(n_obs, n_frames)` matrix: a column is a frame."""
    if values.ndim == 2 and values.shape[1] == 0:
        raise ValueError(f"color: {name!r} has shape {values.shape}, no frame to show.")
    if hasattr(values, "tocsc") and values.dtype.kind == "c":
        raise TypeError(f"color: {name!r} holds complex numbers; take their abs() or .real.")
    if hasattr(values, "tocsc") and values.ndim == 1:
        values = values.toarray()
    if np.ma.isMaskedArray(values):
        return from_arrays(
            name, list(values.T if values.ndim > 1 else [values]), len(values), match
        )
    if hasattr(values, "tocsc"):
        columns = values.tocsc()
        return Continuous(
            name, columns.shape[1], lambda i: _floating(columns[:, [i]].toarray().ravel())
        )
    values = as_table(values)
    if values.ndim == 1:
        values = values[:, None]
    if values.dtype.kind in "biuf" and values.dtype != np.bool_:
        labels = getattr(values, "labels", None)
        return Continuous(name, values.shape[1], columns_of(values), labels=labels)
    return from_arrays(name, list(np.asarray(values).T), values.shape[0], match)


def _floating(values: NDArray) -> NDArray[np.floating]:
    keep = values.dtype in (np.float32, np.float64)
    return np.ascontiguousarray(values, dtype=None if keep else np.float64)


def of_callable(
    color: Callable[[int], object], n_frames: int, n_obs: int, match: bool | Literal["auto"]
) -> Source:
    read = Once(color, n_obs)
    if not is_categorical(read(0)):
        return Continuous("color", n_frames, lambda i: _number(read(i), i))
    return from_arrays("color", [read(i) for i in range(n_frames)], n_obs, match)


def _number(values: Any, i: int) -> NDArray[np.floating]:
    """Return what a function gave for frame `i`, which has to be numbers as its first frame was."""
    if is_categorical(values) and values.dtype != np.bool_:
        raise TypeError(
            f"color(0) gave numbers, color({i}) gives {values.dtype}: one color scale cannot show "
            "both. Make two films of them."
        )
    return floats(values, i)


def of_arrays(adata: AnnData, color: Any, match: bool | Literal["auto"]) -> Source:
    """Make a source of an array or table, or of a list of arrays, a frame each."""
    n_obs = adata.n_obs
    if hasattr(color, "iloc") and color.ndim == 2:
        table = _aligned(adata, color)
        columns = [table.iloc[:, i] for i in range(table.shape[1])]
        labels = [str(c) for c in table.columns]
        return from_columns("color", columns, labels=labels, match=match)
    numbers = isinstance(color, np.ndarray | Table) and color.dtype != object
    if hasattr(color, "tocsc") or numbers:
        if color.ndim > 2 or color.shape[0] != n_obs:
            raise ValueError(
                f"color is an array of shape {color.shape}; it should be ({n_obs}, n_frames)."
            )
        return of_matrix("color", color, match)
    if hasattr(color, "dtype"):
        return from_arrays("color", [_aligned(adata, color)], n_obs, match)
    try:
        frames = None if isinstance(color, Mapping | AbstractSet) else list(color)
    except TypeError:
        frames = None
    if frames is None:
        raise TypeError(
            f"color={color!r}: a key of adata.obsm, a list of columns or genes, a list of "
            "arrays, an array, or a function of the frame's number."
        )
    return from_arrays("color", [_aligned(adata, f) for f in frames], n_obs, match)


def _aligned(adata: AnnData, values: Any) -> Any:
    """Bring a Series or DataFrame into the order of the cells; anything else as it is."""
    if not isinstance(values, pd.Series | pd.DataFrame) or values.index.equals(adata.obs_names):
        return values
    if isinstance(values.index, pd.RangeIndex) and len(values) == adata.n_obs:
        return values
    if not adata.obs_names.isin(values.index).all() or not values.index.is_unique:
        raise ValueError(
            f"color: the index of a {type(values).__name__} with {len(values)} rows does not hold "
            f"the names of the cells, each once: {listed(adata.obs_names[:3])}, …"
        )
    return values.reindex(adata.obs_names)
