"""AnnData whose values stay in files: what is read of it, when, and how it is written to.

`anndata.experimental.read_lazy` gives an `obs` that is no DataFrame and Dask arrays everywhere;
`backed="r"` leaves `X` in the file; anybody may put an array of h5py or zarr into `obsm`.
:func:`readable` stands a front before such an object that reads like one in memory, what is asked
for and no more: columns of `obs` as Series, `obsm` as a :class:`Table` that is read column by
column, `uns` as plain values. What is written to the front is written to the object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from scipy import sparse

from scanpy_anim._compat import require_anndata
from scanpy_anim._table import ROWS_AT_ONCE, SideBySide, Table, in_memory, is_elsewhere

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray

#: What anndata calls an index that has no name, or that was not loaded.
_NO_NAMES = ("_index", "_anndata_dummy_range_index")


def readable(adata: AnnData) -> AnnData:
    """Return what reads and writes like an AnnData in memory: itself, or a front before it."""
    if isinstance(adata, _Front):
        return adata
    require_anndata(adata)
    if adata.isbacked or any(map(is_elsewhere, _stores(adata))):
        return cast("AnnData", _Front(adata))
    return adata


def _stores(adata: AnnData) -> Iterator[Any]:
    yield from (adata.obs, adata.var)
    yield from adata.uns.values()
    yield from adata.obsm.values()
    if not adata.is_view:  # the matrix of a view would be copied to look at it
        yield adata.X
        yield from (adata.layers[name] for name in adata.layers if name is not None)


def plain(adata: AnnData) -> AnnData:
    """Return the AnnData behind a front, or itself."""
    return adata.adata if isinstance(adata, _Front) else adata


def gene(adata: AnnData, name: str, layer: str | None, *, use_raw: bool) -> pd.Series:
    """Read the values of one gene, and of no other, from a front."""
    whole = plain(adata)
    assert whole.raw is not None or not use_raw
    matrix = whole.raw.X if use_raw else whole.X if layer is None else whole.layers[layer]
    names = whole.raw.var.index if use_raw else whole.var_names
    places = np.flatnonzero(names == name)
    if len(places) != 1:
        raise ValueError(
            f"{name!r} is the name of {len(places)} genes: run `adata.var_names_make_unique()`."
        )
    return pd.Series(_column(matrix, int(places[0])), index=adata.obs_names, name=name)


def _column(matrix: Any, i: int) -> NDArray[Any]:
    """Read column `i` of a matrix, dense or sparse, wherever it is."""
    if getattr(matrix, "format", None) == "csc":
        return _dense(matrix[:, i : i + 1])
    found = np.empty(matrix.shape[0], matrix.dtype)
    for first in range(0, len(found), ROWS_AT_ONCE):
        some = slice(first, first + ROWS_AT_ONCE)
        if getattr(matrix, "format", None) == "csr":  # of a file, where rows alone can be read
            found[some] = _dense(matrix[some][:, [i]])
        else:
            found[some] = _dense(in_memory(matrix[some, i : i + 1]))
    return found


def _dense(column: Any) -> NDArray[Any]:
    return np.asarray(column.toarray() if sparse.issparse(column) else column).ravel()


class _Front:
    """Reads and writes like an AnnData in memory; all else is that of the AnnData behind it."""

    def __init__(self, adata: AnnData) -> None:
        self.adata = adata

    def __getattr__(self, name: str) -> Any:
        if name == "adata":  # not there yet, as where a copy is made
            raise AttributeError(name)
        return getattr(self.adata, name)

    @property
    def obs_names(self) -> pd.Index:
        names = self.adata.obs_names
        return names.rename(None) if names.name in _NO_NAMES else names

    @property
    def obs(self) -> Any:
        obs = self.adata.obs
        return _Columns(obs, self.obs_names) if is_elsewhere(obs) else obs

    @property
    def var(self) -> Any:
        var = self.adata.var
        return _Columns(var, self.adata.var_names) if is_elsewhere(var) else var

    @property
    def obsm(self) -> _Fields:
        return _Fields(self.adata.obsm, lambda values: tabular(values, self.obs_names))

    @property
    def uns(self) -> _Fields:
        return _Fields(self.adata.uns, _unread)

    def copy(self) -> _Front:
        return _Front(self.adata.copy())


def tabular(values: Any, names: pd.Index) -> Any:
    """Return values of cells as numpy, scipy or pandas have them, dense numbers as a Table."""
    if not is_elsewhere(values):
        return values
    if hasattr(values, "true_index_dim"):
        columns = _Columns(values, names)
        kinds = [getattr(values[name].dtype, "kind", "O") for name in columns]
        if kinds and all(kind in "iuf" for kind in kinds):
            parts = SideBySide([values[name] for name in columns])
            return Table(parts, labels=list(columns))
        return pd.DataFrame({name: columns[name] for name in columns}, index=names)
    sparse_chunks = sparse.issparse(getattr(values, "_meta", None))
    dense = not sparse_chunks and len(values.shape) in (2, 3) and values.dtype.kind in "biuf"
    return Table(values) if dense else in_memory(values)


def _unread(value: Any) -> Any:
    """Return an entry of uns; what lies deeper is read when it is asked for."""
    nested = isinstance(value, Mapping) and not is_elsewhere(value)
    return _Fields(value, _unread) if nested else in_memory(value)


class _Fields(MutableMapping[str, Any]):
    """A mapping whose values are read when they are asked for."""

    def __init__(self, fields: Any, read: Callable[[Any], Any]) -> None:
        self._fields, self._read = fields, read

    def __getitem__(self, name: str) -> Any:
        return self._read(self._fields[name])

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __setitem__(self, name: str, value: Any) -> None:
        self._fields[name] = in_memory(value) if isinstance(value, Mapping) else value

    def __delitem__(self, name: str) -> None:
        del self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


class _Columns(MutableMapping[str, Any]):
    """Columns of an annotation that stays in its file, each a Series when it is asked for."""

    is_lazy = True

    def __init__(self, annotation: Any, names: pd.Index) -> None:
        self._of, self._names = annotation, names

    @property
    def columns(self) -> list[str]:
        index = self._of.true_index_dim
        return [str(name) for name in self._of.ds if name != index]

    @property
    def index(self) -> pd.Index:
        return self._names

    @property
    def dtypes(self) -> _Fields:
        columns = {name: name for name in self.columns}  # categories are read for their dtype
        return _Fields(columns, lambda name: self._of[name].dtype)

    def __getitem__(self, name: str) -> pd.Series:
        if name not in self.columns:
            raise KeyError(name)
        return pd.Series(in_memory(self._of[name]).array, index=self._names, name=name)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __setitem__(self, name: str, values: Any) -> None:
        self._of[name] = values

    def __delitem__(self, name: str) -> None:
        del self._of.ds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)
