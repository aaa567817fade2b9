"""Where the columns of a history go that may be larger than memory: arrays of a zarr group.

A column is written whole when its iteration is done, chunk by chunk, and read as a Dask array
afterwards. Where no group is given, one in Dask's own temporary directory lives as long as what
was read from it.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from scanpy_anim._memory import spelled

if TYPE_CHECKING:
    from collections.abc import Iterator

# entries of a chunk: one column of so many cells
_CHUNK = 1 << 22
# bytes up to which a history is kept in memory where no store was named
_SMALL = 256 << 20
# what is written under the key
_SUFFIXES = ("", "_confidence", "_scores")


class _Stored:
    """An array of a store; the folder of a temporary one goes when nobody refers to it any more."""

    def __init__(self, array: Any, folder: Any = None) -> None:
        self.array, self._folder = array, folder
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, index: Any) -> Any:
        return self.array[index]

    def __reduce__(self) -> Any:
        # a copy on a worker does not keep the folder
        return _Stored, (self.array,)


class _Folder:
    """A temporary folder."""

    def __init__(self) -> None:
        import dask

        around = dask.config.get("temporary_directory", None) or tempfile.gettempdir()
        self.path = Path(tempfile.mkdtemp(prefix="scanpy_anim-", dir=around))
        self.remove = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


class HistoryStore:
    """Arrays of one run, in the group that was named or in a temporary one.

    Attributes
    ----------
    named
        Whether the user named the group.
    """

    def __init__(self, where: Any, key: str) -> None:
        self.named = where is not None
        self._key = key
        self._made: list[str] = []
        self._folder: _Folder | None = None
        self._group = None if where is None else self._open(where)

    def require_disk(self, n_bytes: int, most: int) -> None:
        """Refuse what the disk of a temporary store has no room for; `most` may be needed."""
        if self.named or most <= _SMALL:
            return
        free = shutil.disk_usage(self._temporary().path).free
        if n_bytes > free:
            raise OSError(
                f"the history may take {spelled(n_bytes)}, but {spelled(free)} are free in "
                f"{self._temporary().path.parent}: name another place (history_store=), or keep "
                "less (iterations='log', history='labels')"
            )

    def columns(
        self, suffix: str, n_obs: int, n_columns: int, width: tuple[int, ...], dtype: Any
    ) -> Columns:
        """Columns under the key, in memory where they are small and no group was named."""
        shape = (n_obs, n_columns, *width)
        dtype = np.dtype(dtype)
        if not self.named and int(np.prod(shape, dtype=float)) * dtype.itemsize <= _SMALL:
            return Columns(np.zeros(shape, dtype=dtype), n_obs, None)
        each = int(np.prod(width, dtype=int))
        chunks = (max(1, min(n_obs, _CHUNK // each)), 1, *width)
        array = self._create(f"{self._key}{suffix}", shape, chunks, dtype)
        return Columns(array, chunks[0], self)

    def table(self, n_obs: int, n_classes: int, together: int) -> Any:
        """Temporary float32 array `(n_obs, n_classes)`, read and written some classes at a time."""
        chunks = (max(1, min(n_obs, _CHUNK // together)), together)
        name = f"{self._key}_table_{uuid4().hex[:8]}"
        return self._create(name, (n_obs, n_classes), chunks, np.dtype(np.float32))

    def drop(self, table: Any) -> None:
        """Take a temporary array away."""
        name = table.basename
        self._made.remove(name)
        del self._opened()[name]

    def discard(self) -> None:
        """Take away all that was made here."""
        while self._made:
            del self._opened()[self._made.pop()]
        if self._folder is not None:
            self._folder.remove()

    def as_dask(self, array: Any) -> Any:
        """Array of the store as a Dask array."""
        import dask.array

        stored = _Stored(array, self._folder)
        name = f"{self._key}-{uuid4().hex}"
        return dask.array.from_array(stored, chunks=array.chunks, name=name, asarray=True)

    def _open(self, where: Any) -> Any:
        """Group of a path, or the group itself, which must take arrays under our names."""
        import zarr

        if not isinstance(where, zarr.Group) and not str(where):  # which zarr takes for "."
            raise ValueError("history_store='' names no place: name a folder")
        try:
            group = where if isinstance(where, zarr.Group) else zarr.open_group(where, mode="a")
            probe = f".{self._key}-{uuid4().hex[:8]}"
            group.create_array(probe, shape=(1,), dtype="uint8")
            del group[probe]
        except Exception as error:
            raise ValueError(
                f"history_store={where!r} cannot be written to ({type(error).__name__}: {error}): "
                "name a folder, or a zarr group opened with mode='a'"
            ) from error
        taken = [f"{self._key}{end}" for end in _SUFFIXES if f"{self._key}{end}" in group]
        if taken:
            raise ValueError(
                f"history_store={where!r} holds {taken} already: choose another store or key, or "
                f"`del zarr.open_group(...)[{taken[0]!r}]`"
            )
        return group

    def _opened(self) -> Any:
        if self._group is None:
            import zarr

            self._group = zarr.open_group(self._temporary().path, mode="a")
        return self._group

    def _temporary(self) -> _Folder:
        if self._folder is None:
            self._folder = _Folder()
        return self._folder

    def _create(self, name: str, shape: Any, chunks: Any, dtype: Any) -> Any:
        array = self._opened().create_array(name, shape=shape, chunks=chunks, dtype=dtype)
        self._made.append(name)
        return array


class Columns:
    """Columns `(n_obs, *width)` of one array, filled one after the other."""

    def __init__(self, array: Any, n_rows: int, store: HistoryStore | None) -> None:
        self._array, self._n_rows, self._store = array, n_rows, store
        self.dtype = array.dtype
        self._n_filled = 0

    def add(self) -> None:
        """Begin a column."""
        self._n_filled += 1

    def put(self, rows: slice, values: Any) -> None:
        """Put rows of the column that was begun."""
        self._array[rows, self._n_filled - 1] = values

    def parts(self) -> Iterator[slice]:
        """Rows that are written at a time."""
        n_obs = self._array.shape[0]
        for start in range(0, n_obs, self._n_rows):
            yield slice(start, min(start + self._n_rows, n_obs))

    def finish(self) -> Any:
        """All columns: an array, or a Dask array over the store."""
        shape = (self._array.shape[0], self._n_filled, *self._array.shape[2:])
        if self._store is None:
            return np.ascontiguousarray(self._array[:, : self._n_filled])
        self._array.resize(shape)
        return self._store.as_dask(self._array)
