"""Which cells, and how strongly: every spelling of the seeds of one class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from scanpy_anim._checks import (
    MissingKeyError,
    as_array,
    few,
    require_finite,
    require_own_memory,
)
from scanpy_anim._table import as_series

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Cells(NamedTuple):
    """Positions of cells and the weight of each."""

    positions: NDArray[np.int64]
    weights: NDArray[np.float64]


def read_cells(obs_names: pd.Index, cells: Any, *, name: str = "seeds") -> Cells:
    """Positions and weights of the cells meant by names, positions, a mask or a signal.

    Missing entries of masks and signals mean no cell, as do masked ones.
    """
    cells = as_series(cells)
    require_own_memory(cells, name)
    cells = native(cells)
    if isinstance(cells, np.ndarray) and cells.ndim == 0:
        cells = cells.item()
    if isinstance(cells, bytes):
        raise _bytes(name)
    if isinstance(cells, (str, Integral | np.bool_)):
        cells = [cells]
    if isinstance(cells, np.ma.MaskedArray):
        cells = _unmasked(cells)
    if sparse.issparse(cells):
        # always a signal, never positions; and before the mappings, which some formats are too
        if cells.dtype.kind in "biuf":
            cells = in_full(cells).astype(np.float64)
        cells = cells.toarray()
    if isinstance(cells, Mapping):
        return _weighted(obs_names, cells, name)
    if isinstance(cells, pd.Series):
        if is_mask(cells):
            cells = _filled(align(obs_names, cells, name))
        elif pd.api.types.is_numeric_dtype(cells.dtype):
            require_finite(cells.to_numpy(np.float64, na_value=np.nan), name, _for_labels(cells))
            cells = align(obs_names, cells, name).fillna(0).to_numpy(np.float64)
    values = _as_vector(cells, name)
    if values.size == 0:
        raise empty(name)
    if values.dtype.kind == "b":
        return _masked(obs_names, values, name)
    if values.dtype.kind in "iu":
        return _positioned(obs_names, values, name)
    if values.dtype.kind == "f":
        return _signal(obs_names, values, name)
    return _named(obs_names, values, name)


def _as_vector(cells: Any, name: str) -> NDArray[Any]:
    """One-dimensional array of names, positions, booleans or numbers."""
    if not isinstance(cells, np.ndarray) and not hasattr(cells, "dtype"):
        if not isinstance(cells, Iterable):
            raise TypeError(
                f"{name} must be an obs column, obs_names, positions, a mask, a mapping or a "
                f"signal, not {type(cells).__name__}: {cells!r}"
            )
        cells = list(cells)
        kinds = {type(cell) for cell in cells}
        if len(kinds) > 1 and bool in kinds:
            # numpy would make numbers of them
            cells = np.array(cells, dtype=object)
        if len(kinds) > 1 and any(issubclass(kind, str) for kind in kinds):
            raise TypeError(f"{name} mixes names with {few(k.__name__ for k in kinds)}")
    values = as_array(name, cells)
    if values.ndim == 2 and 1 in values.shape:
        values = values.ravel()
    if values.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional here, not of shape {values.shape}")
    if values.dtype.kind == "O":
        values = _unboxed(values, name)
    if values.dtype.kind == "S":
        raise _bytes(name)
    if values.dtype.kind not in "biufUT":
        raise TypeError(f"{name} of dtype {values.dtype} are neither names nor numbers")
    return values


def align(obs_names: pd.Index, labelled: Any, name: str) -> Any:
    """Series or DataFrame brought into the order of obs_names; absent cells become missing."""
    if labelled.index.equals(obs_names):
        # in order already, and then it does not matter whether names occur twice
        return labelled
    _require_unique(obs_names, name)
    if not labelled.index.is_unique:
        twice = labelled.index[labelled.index.duplicated()].unique()
        raise ValueError(f"{name}: the index names cells more than once: {few(twice)}")
    unknown = labelled.index.difference(obs_names, sort=False)
    if len(unknown):
        raise MissingKeyError(
            f"{name} are aligned on obs_names, where {len(unknown)} of {len(labelled)} index "
            f"entries do not occur: {few(unknown)}. obs_names look like "
            f"{few(obs_names)}. Pass `.to_numpy()` if the rows are in the order of adata"
        )
    return labelled.reindex(obs_names)


def _bytes(name: str) -> TypeError:
    return TypeError(f"{name} are bytes, names are text: pass `numpy.char.decode(...)` of them")


def empty(name: str) -> ValueError:
    """Error for seeds that select no cell."""
    return ValueError(f"{name} are empty: name at least one cell to start from")


def is_mask(values: Any) -> bool:
    """Whether a Series or column says True or False of each cell, or nothing of some."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return not isinstance(values.dtype, pd.CategoricalDtype)
    if values.dtype != object:
        return False
    said = values[values.notna()]
    return len(said) > 0 and all(isinstance(item, bool | np.bool_) for item in said)


def native(values: Any) -> Any:
    """Values as pandas reads them: in the byte order of this machine, Arrow's dictionaries spelled.

    pandas takes the latter for categories without being able to count them, and has no categories
    of halves.
    """
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype) and not dtype.isnative:
        return values.astype(dtype.newbyteorder("="))
    if dtype == np.float16 and isinstance(values, pd.Series):
        return values.astype(np.float32)
    if isinstance(dtype, pd.ArrowDtype) and hasattr(dtype.pyarrow_dtype, "value_type"):
        return values.astype(pd.ArrowDtype(dtype.pyarrow_dtype.value_type))
    return values


def in_full(values: Any) -> Any:
    """Numbers of scipy's matrices in a width that it computes with: no halves, native bytes."""
    dtype = values.dtype.newbyteorder("=")
    dtype = np.dtype(np.float32) if dtype == np.float16 else dtype
    return values if dtype == values.dtype else values.astype(dtype)


def _for_labels(numbers: pd.Series) -> str:
    """Advice for numbers of which some are missing."""
    known = numbers.dropna().to_numpy(np.float64)
    if not len(known) or (known % 1 != 0).any():
        return ". For a signal fill them with 0"
    return (
        ". For a class per number use `.astype('Int64').astype('category')`, for a signal "
        "`.fillna(0)`"
    )


def _filled(mask: pd.Series) -> NDArray[np.bool_]:
    return mask.where(mask.notna(), other=False).astype(bool).to_numpy()


def _unmasked(cells: np.ma.MaskedArray) -> NDArray[Any]:
    """Array without its masked entries: none of them is meant."""
    if cells.dtype.kind in "bf":
        return cells.filled(0)
    return cells.compressed()


def _unboxed(values: NDArray[Any], name: str) -> NDArray[Any]:
    """Object array turned into what it holds: names, booleans or numbers."""
    items = values.tolist()
    if all(isinstance(item, str) for item in items):
        return np.asarray(items, dtype=str)
    if is_mask(boxed := pd.Series(items, dtype=object)):
        return _filled(boxed)
    if all(isinstance(item, Real) and not isinstance(item, bool) for item in items):
        return np.asarray(items)
    kinds = few(sorted({type(item).__name__ for item in items}))
    raise TypeError(f"{name} of dtype object hold {kinds}: pass names, positions or a mask")


def _masked(obs_names: pd.Index, mask: NDArray[Any], name: str) -> Cells:
    if len(mask) != len(obs_names):
        raise ValueError(
            f"{name} is a mask of {len(mask)} entries, but there are {len(obs_names)} cells"
        )
    return _unweighted(np.flatnonzero(mask), name)


def _positioned(obs_names: pd.Index, positions: NDArray[Any], name: str) -> Cells:
    outside = positions[(positions < 0) | (positions >= len(obs_names))]
    if len(outside):
        raise IndexError(
            f"{name}: positions {few(outside.tolist())} are out of range for "
            f"{len(obs_names)} cells (0 to {len(obs_names) - 1})"
        )
    hint = ""
    if len(positions) == len(obs_names) and np.isin(positions, (0, 1)).all():
        hint = ". A mask must be boolean: use `.astype(bool)`"
    _require_distinct(positions, name, hint)
    return _unweighted(positions, name)


def _named(obs_names: pd.Index, names: NDArray[Any], name: str) -> Cells:
    _require_unique(obs_names, name)
    _require_distinct(names, name)
    return _unweighted(_positions(obs_names, names, name), name)


def _positions(obs_names: pd.Index, names: Any, name: str) -> NDArray[np.int64]:
    positions = obs_names.get_indexer(pd.Index(names))
    if (positions < 0).any():
        unknown = [cell for cell, at in zip(names, positions, strict=True) if at < 0]
        raise MissingKeyError(
            f"{name}: {len(unknown)} of {len(names)} names are not in adata.obs_names: "
            f"{few(map(str, unknown))}. obs_names look like {few(obs_names)}"
        )
    return positions.astype(np.int64)


def _weighted(obs_names: pd.Index, weights: Mapping[Any, Any], name: str) -> Cells:
    if not weights:
        raise empty(name)
    cells = read_cells(obs_names, list(weights), name=name)
    values = np.asarray(list(weights.values()), dtype=np.float64)
    require_finite(values, name)
    kept = values != 0
    if not kept.any():
        raise empty(name)
    return Cells(cells.positions[kept], values[kept])


def _signal(obs_names: pd.Index, signal: NDArray[Any], name: str) -> Cells:
    if len(signal) != len(obs_names):
        raise ValueError(
            f"{name} is a signal of {len(signal)} values, but there are {len(obs_names)} cells "
            "(positions must be integers)"
        )
    require_finite(signal, name)
    positions = np.flatnonzero(signal)
    if not len(positions):
        raise empty(name)
    return Cells(positions, signal[positions].astype(np.float64))


def _unweighted(positions: NDArray[Any], name: str) -> Cells:
    if not len(positions):
        raise empty(name)
    return Cells(positions.astype(np.int64), np.ones(len(positions)))


def _require_unique(obs_names: pd.Index, name: str) -> None:
    if not obs_names.is_unique:
        raise ValueError(
            f"{name} go by name, but adata.obs_names are not unique: "
            "run `adata.obs_names_make_unique()`, or pass positions or a mask"
        )


def _require_distinct(cells: NDArray[Any], name: str, hint: str = "") -> None:
    distinct, counts = np.unique(cells, return_counts=True)
    if len(distinct) < len(cells):
        raise ValueError(
            f"{name} name cells more than once: {few(distinct[counts > 1].tolist())}{hint}"
        )
