"""Values of cells that are not in memory: in a file, or yet to be computed.

Here alone it is known which arrays are: those of Dask, h5py, xarray and zarr, and what anndata
makes of them. None of these packages is imported for it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

#: Rows that are read at a time: what is read beside them goes before the next are read.
ROWS_AT_ONCE = 1 << 20
#: Packages whose arrays are not in memory yet, and those of anndata that are not.
_HOMES = frozenset({"dask", "h5py", "xarray", "zarr"})
_OF_ANNDATA = ("Dataset2D", "CSRDataset", "CSCDataset")


def is_elsewhere(values: Any) -> bool:
    """Whether values are not in memory: in a file, or yet to be computed."""
    kinds = type(values).__mro__  # a view's kind is anndata's own
    homes = {kind.__module__.partition(".")[0] for kind in kinds}
    return not homes.isdisjoint(_HOMES) or (
        "anndata" in homes and kinds[0].__name__.endswith(_OF_ANNDATA)
    )


def as_table(values: Any) -> Any:
    """Return numbers as an array, or as the Table that they are."""
    return values if isinstance(values, Table) else np.asarray(values)


def as_series(values: Any) -> Any:
    """Return a column of an annotation in a file as a Series; anything else as it is."""
    return in_memory(values) if hasattr(values, "to_dataset") and is_elsewhere(values) else values


def in_memory(values: Any) -> Any:
    """Return values as numpy, scipy or pandas have them, read or computed where they are not."""
    if isinstance(values, Mapping) and not is_elsewhere(values):
        return {name: in_memory(value) for name, value in values.items()}
    if isinstance(values, Table):
        return np.asarray(values)
    if not is_elsewhere(values):
        return values
    if hasattr(values, "to_dataset"):
        return _series(values)
    for read in ("to_memory", "compute"):
        if hasattr(values, read):
            return _without_strings_of_numpy(getattr(values, read)())
    return _without_strings_of_numpy(values[()])


def _series(column: Any) -> Any:
    """Return one of xarray's arrays as a Series that keeps its categories."""
    series = column.to_dataset(name="values").to_dataframe()["values"].rename(column.name)
    nullable = column.attrs.get("is_nullable_string", False)
    return series.astype("string") if nullable else series


def _without_strings_of_numpy(values: Any) -> Any:
    """Return numpy's strings of any length as objects, which is how h5ad and zarr write them."""
    strings = isinstance(values, np.ndarray) and values.dtype.kind == "T"
    return values.astype(object) if strings else values


class Table:
    """Numbers of cells that are not in memory, `(n_obs, n_columns[, n_classes])`.

    `table[:, t]` reads a column into memory, `table[:, :, k]` is the table of one class, and
    `numpy.asarray` reads all.

    Parameters
    ----------
    source
        Any array that numpy can index: of Dask, h5py, zarr.
    of_class
        Which class it is of; `None`: of all that there are.
    labels
        Names of the columns, if they have any.
    """

    def __init__(
        self, source: Any, of_class: int | None = None, labels: list[str] | None = None
    ) -> None:
        self._source, self._class, self.labels = source, of_class, labels
        self.shape: tuple[int, ...] = tuple(source.shape[: 3 if of_class is None else 2])
        self.dtype = np.dtype(source.dtype)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        rows, *rest = index if isinstance(index, tuple) else (index,)
        if len(rest) == 2 and rest[0] == slice(None) and np.ndim(rest[1]) == 0:
            return Table(self._source, int(rest[1]))[rows]
        if isinstance(rows, slice) and rows == slice(None):
            return self._read(*rest) if rest else self
        return np.asarray(self)[index] if not rest else self._read(*rest)[rows]

    def of_rows(self, i: int, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Read some rows of a column, which is not in memory as a whole at any time."""
        if (rows[1:] < rows[:-1]).any():
            order = np.argsort(rows)
            found = np.empty(len(rows), self.dtype)
            found[order] = self.of_rows(i, rows[order])
            return found
        found = np.empty(len(rows), self.dtype)
        i = range(self.shape[1])[i]
        within = (i,) if self._class is None else (i, self._class)
        for first in range(0, len(self), self._rows_at_once):
            some = slice(first, min(first + self._rows_at_once, len(self)))
            begin, end = np.searchsorted(rows, (some.start, some.stop))
            if begin < end:
                found[begin:end] = np.asarray(self._source[(some, *within)])[
                    rows[begin:end] - first
                ]
        return found

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return self._read(slice(None)).astype(dtype or self.dtype, copy=False)

    def _read(self, *columns: Any) -> NDArray[Any]:
        """Read columns, some rows at a time, so that what lies beside them is not kept."""
        if columns and isinstance(columns[0], int | np.integer):  # also those counted from the end
            columns = (range(self.shape[1])[int(columns[0])], *columns[1:])
        within = columns if self._class is None else (*columns, self._class)
        found = np.empty((0, *self.shape[1 + len(columns) :]), self.dtype)
        for first in range(0, len(self), self._rows_at_once):
            some = slice(first, min(first + self._rows_at_once, len(self)))
            part = np.asarray(self._source[(some, *within)])
            if first == 0:
                found = np.empty((len(self), *part.shape[1:]), self.dtype)
            found[some] = part
        return (
            np.empty((0, *self.shape[1 + len(columns) :]), self.dtype) if found is None else found
        )

    @property
    def _rows_at_once(self) -> int:
        """Rows to read at a time: whole chunks."""
        chunks = getattr(self._source, "chunks", None)
        chunk = chunks[0] if chunks else 1
        each = max(int(chunk[0] if isinstance(chunk, tuple) else chunk), 1)
        return max(ROWS_AT_ONCE // each, 1) * each


class SideBySide:
    """Columns of numbers that are not in memory, indexed like one array `(n_obs, n_columns)`."""

    def __init__(self, columns: list[Any]) -> None:
        self._columns = columns
        self.shape = (len(columns[0]), len(columns))
        self.dtype = np.result_type(*(column.dtype for column in columns))

    def __getitem__(self, index: tuple[slice, Any]) -> NDArray[Any]:
        rows, which = index
        if isinstance(which, int | np.integer):
            return np.asarray(self._columns[which][rows])
        chosen = np.arange(self.shape[1])[which]
        return np.stack([np.asarray(self._columns[i][rows]) for i in chosen], axis=1)


def is_dask(values: Any) -> bool:
    """Whether these are a Dask array: not computed yet, in chunks."""
    # nobody has one who has not imported it
    array = sys.modules.get("dask.array")
    return array is not None and isinstance(values, array.Array)
