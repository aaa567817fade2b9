"""Every spelling of ``seeds``: from what a scanpy user writes to a signal with class names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from scanpy_anim._names import MissingKeyError
from scanpy_anim.tl._cells import (
    Cells,
    align,
    empty,
    read_cells,
    require_finite,
    require_range,
)

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Seeds:
    """The initial signal, seed rows only.

    Attributes
    ----------
    positions
        ``(n_seeds,)`` cells with a non-zero row, ascending.
    signal
        ``(n_seeds, n_classes)`` float32, their rows.
    classes
        Names of the classes; empty for one class, which needs no name.
    colors
        One colour a class where the seeds are a column that has them.
    spelling
        How the seeds were written, when that is an obs column.
    """

    positions: NDArray[np.int64]
    signal: NDArray[np.float32]
    classes: tuple[str, ...] = ()
    colors: tuple[str, ...] = ()
    spelling: str | tuple[str, ...] | None = None

    @property
    def n_classes(self) -> int:
        """Number of columns of the signal."""
        return self.signal.shape[1]


def resolve_seeds(adata: AnnData, seeds: Any) -> Seeds:
    """Signal and class names meant by `seeds`; see :func:`label_propagation`."""
    if isinstance(seeds, str):
        return _from_column(adata, seeds, None)
    if isinstance(seeds, tuple) and len(seeds) == 2 and _names_column(adata, seeds):
        wanted = [seeds[1]] if isinstance(seeds[1], str) else list(seeds[1])
        return _from_column(adata, seeds[0], wanted)
    obs_names = adata.obs_names
    if sparse.issparse(seeds):
        # before the mappings, which some sparse formats are too; some have one dimension
        return _from_matrix(obs_names, seeds if seeds.ndim == 2 else seeds.reshape(-1, 1), None)
    if isinstance(seeds, Mapping):
        if seeds and all(isinstance(value, Real) for value in seeds.values()):
            return _one_class(read_cells(obs_names, seeds))
        return _from_mapping(adata, seeds)
    if isinstance(seeds, pd.Categorical | pd.Series) and _is_labels(seeds.dtype):
        return _from_values(obs_names, seeds)
    if isinstance(seeds, pd.DataFrame):
        _require_numbers(seeds)
        frame = align(obs_names, seeds, "seeds").fillna(0)
        return _from_matrix(obs_names, frame.to_numpy(np.float64), tuple(map(str, seeds.columns)))
    if isinstance(seeds, np.ndarray) and seeds.ndim == 2:
        return _from_matrix(obs_names, seeds, None)
    return _one_class(read_cells(obs_names, seeds))


def _names_column(adata: AnnData, seeds: tuple[Any, Any]) -> bool:
    column, wanted = seeds
    if not isinstance(column, str) or not isinstance(wanted, Iterable):
        return False
    return not isinstance(wanted, str) or (column in adata.obs and wanted not in adata.obs_names)


def _is_labels(dtype: Any) -> bool:
    return isinstance(dtype, pd.CategoricalDtype) or (
        not pd.api.types.is_bool_dtype(dtype) and not pd.api.types.is_numeric_dtype(dtype)
    )


def _require_numbers(frame: pd.DataFrame) -> None:
    """Refuse what a signal cannot hold before absent cells are filled in."""
    _require_distinct([str(column) for column in frame.columns], "the columns of seeds")
    kinds = [c for c in frame if not pd.api.types.is_numeric_dtype(frame[c].dtype)]
    if kinds:
        raise TypeError(f"seeds: columns {kinds[:5]} of the DataFrame are not numeric")
    require_finite(frame.to_numpy(np.float64), "seeds")


def _from_values(obs_names: pd.Index, values: pd.Categorical | pd.Series) -> Seeds:
    """Read a label a cell, aligned on the index; a short Series without one lists cells."""
    if isinstance(values, pd.Series):
        if len(values) == len(obs_names) or values.index.isin(obs_names).any():
            return _from_labels(align(obs_names, values, "seeds"), "seeds", None)
        return _one_class(read_cells(obs_names, values.tolist()))
    if len(values) != len(obs_names):
        raise ValueError(f"seeds label {len(values)} cells, but there are {len(obs_names)}")
    return _from_labels(pd.Series(values, index=obs_names), "seeds", None)


def _from_column(adata: AnnData, column: str, wanted: list[str] | None) -> Seeds:
    if column not in adata.obs:
        raise MissingKeyError(_no_column(adata, column))
    labels = adata.obs[column]
    if pd.api.types.is_bool_dtype(labels.dtype):
        cells = read_cells(adata.obs_names, labels, name=f"seeds={column!r}")
        return _one_class(cells, spelling=column)
    if pd.api.types.is_numeric_dtype(labels.dtype):
        raise TypeError(
            f"seeds={column!r} is a column of numbers ({labels.dtype}). For a class per value run "
            f"`adata.obs[{column!r}] = adata.obs[{column!r}].astype(str).astype('category')`; "
            f"for a signal pass seeds=adata.obs[{column!r}]"
        )
    colors = adata.uns.get(f"{column}_colors")
    return _from_labels(labels, column, wanted, colors)


def _no_column(adata: AnnData, column: str) -> str:
    if column in adata.obs_names:
        return f"seeds={column!r} is a cell, not an obs column: pass seeds=[{column!r}]"
    usable = [
        name
        for name in adata.obs
        if not pd.api.types.is_numeric_dtype(adata.obs[name].dtype)
        or pd.api.types.is_bool_dtype(adata.obs[name].dtype)
    ]
    close = get_close_matches(column, map(str, adata.obs), n=1)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    return (
        f"seeds={column!r} is not a column of adata.obs.{meant} Categorical, string and boolean "
        f"columns: {usable or 'none'}. A list means cells: seeds=[...]"
    )


def _from_labels(
    labels: pd.Series, column: str, wanted: list[str] | None, colors: Any = None
) -> Seeds:
    if not isinstance(labels.dtype, pd.CategoricalDtype):
        labels = labels.astype("category")
    names = [str(category) for category in labels.cat.categories]
    _require_distinct(names, f"the categories of {column!r}")
    codes = labels.cat.codes.to_numpy()
    present = np.bincount(codes[codes >= 0], minlength=len(names)) > 0
    chosen = np.flatnonzero(present) if wanted is None else _choose(names, present, wanted, column)
    if not len(chosen):
        why = "every cell's label is missing" if wanted is None else "no category is named"
        raise ValueError(f"seeds={column!r} is empty: {why}")
    rank = np.full(len(names) + 1, -1)
    rank[chosen] = np.arange(len(chosen))
    of_cell = rank[codes]
    positions = np.flatnonzero(of_cell >= 0)
    signal = np.zeros((len(positions), len(chosen)), dtype=np.float32)
    signal[np.arange(len(positions)), of_cell[positions]] = 1
    known = colors is not None and len(colors) == len(names)
    return Seeds(
        positions,
        signal,
        classes=tuple(names[c] for c in chosen) if len(chosen) > 1 else (),
        colors=tuple(str(colors[c]) for c in chosen) if known and len(chosen) > 1 else (),
        spelling=column if wanted is None else (column, *(names[c] for c in chosen)),
    )


def _choose(
    names: list[str], present: NDArray[np.bool_], wanted: list[str], column: str
) -> NDArray[np.int64]:
    wanted = [str(name) for name in wanted]
    _require_distinct(wanted, "seeds")
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise MissingKeyError(f"seeds: {column!r} has no category {unknown[:5]}; it has {names}")
    chosen = np.array([names.index(name) for name in wanted], dtype=np.int64)
    without = [names[c] for c in chosen if not present[c]]
    if without:
        raise ValueError(f"seeds: no cell of {column!r} is in {without[:5]}")
    return np.sort(chosen)


def _from_mapping(adata: AnnData, seeds: Mapping[Any, Any]) -> Seeds:
    if not seeds:
        raise empty("seeds")
    names = [str(name) for name in seeds]
    _require_distinct(names, "seeds")
    of_class = []
    for name, cells in seeds.items():
        if isinstance(cells, str) and cells in adata.obs:
            cells = adata.obs[cells]
            if not pd.api.types.is_bool_dtype(cells.dtype):
                raise TypeError(
                    f"seeds[{name!r}] names the obs column {cells.name!r}, which is not boolean"
                )
        of_class.append(read_cells(adata.obs_names, cells, name=f"seeds[{name!r}]"))
    rows = np.concatenate([cells.positions for cells in of_class])
    columns = np.repeat(np.arange(len(names)), [len(cells.positions) for cells in of_class])
    weights = np.concatenate([cells.weights for cells in of_class])
    shape = (adata.n_obs, len(names))
    return _from_matrix(
        adata.obs_names, sparse.csr_array((weights, (rows, columns)), shape=shape), tuple(names)
    )


def _from_matrix(obs_names: pd.Index, signal: Any, names: tuple[str, ...] | None) -> Seeds:
    if signal.ndim == 2 and 1 in signal.shape and signal.shape[0] != len(obs_names):
        return _one_class(read_cells(obs_names, signal))
    if signal.shape[0] != len(obs_names):
        raise ValueError(
            f"seeds is a signal of {signal.shape[0]} rows, but there are {len(obs_names)} cells"
        )
    if signal.dtype.kind not in "biuf":
        raise TypeError(f"seeds of dtype {signal.dtype} are not a signal: pass numbers")
    compressed = sparse.csr_array(signal).astype(np.float64)
    if not np.isfinite(compressed.data).all():
        require_finite(compressed.toarray(), "seeds")
    compressed.eliminate_zeros()
    require_range(compressed.data, "seeds")
    names = names or tuple(map(str, range(signal.shape[1])))
    _require_distinct(list(names), "class names")
    if len(names) > 1:
        _require_shares(compressed, names)
    positions = np.flatnonzero(np.diff(compressed.indptr))
    if not len(positions):
        raise empty("seeds")
    rows = compressed[positions].toarray().astype(np.float32)
    return Seeds(positions, rows, classes=names if len(names) > 1 else ())


def _require_shares(signal: sparse.csr_array, names: tuple[str, ...]) -> None:
    """Several classes share a cell out, so that none may be negative or without seeds."""
    if (signal.data < 0).any():
        raise ValueError(
            "seeds of several classes must not be negative: signals of both signs need a call each"
        )
    used = np.bincount(signal.indices, minlength=len(names)) > 0
    if not used.all():
        without = [name for name, is_used in zip(names, used, strict=True) if not is_used]
        raise ValueError(f"seeds: classes without any seed cell: {without[:5]}")


def _one_class(cells: Cells, spelling: str | None = None) -> Seeds:
    if not len(cells.positions):
        raise empty("seeds")
    require_range(cells.weights, "seeds")
    order = np.argsort(cells.positions, kind="stable")
    signal = cells.weights[order, None].astype(np.float32)
    return Seeds(cells.positions[order], signal, spelling=spelling)


def _require_distinct(names: list[str], what: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{what} name the same class more than once: {twice[:5]}")
