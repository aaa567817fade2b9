"""Results alone, written into the store that a lazy or backed AnnData was read from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scanpy import logging as logg

from scanpy_anim._checks import MissingKeyError, shortened, text
from scanpy_anim._lazy import readable
from scanpy_anim._results import is_ours, keys_of
from scanpy_anim.tl._stored_run import ALGORITHM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anndata import AnnData


def write_results(adata: AnnData, store: Any, key: str = "label_propagation") -> None:
    """Write what :func:`label_propagation` added into a store, and nothing else.

    An AnnData that was read lazily stays as it is on disk when results are added to it; this adds
    them there, without reading or writing `X` or anything of the others. Dask arrays are written
    chunk by chunk.

    Parameters
    ----------
    adata
        With the result under `key`.
    store
        Where an AnnData of the same cells is: the path of a zarr store or an h5ad file, or an open
        `zarr.Group` or `h5py.File` that can be written to.
    key
        `key_added` of the result. An earlier result of that name in the store is replaced.

    Raises
    ------
    KeyError
        There is no such result.
    TypeError
        `store` is none.
    ValueError
        The store cannot be written to, holds no AnnData, or one of other cells.

    Examples
    --------
    >>> import scanpy as sc
    >>> import scanpy_anim as sca
    >>> adata = sc.datasets.pbmc68k_reduced()
    >>> adata.write_zarr("cells.zarr")  # doctest: +SKIP
    >>> sca.tl.label_propagation(adata, [0, 1])
    >>> sca.tl.write_results(adata, "cells.zarr")  # doctest: +SKIP
    """
    front = readable(adata)
    if not is_ours(front, text("key", key), ALGORITHM):
        raise MissingKeyError(
            f"key={key!r} is not a propagation stored in adata.uns, which has "
            f"{keys_of(front, ALGORITHM) or 'none'}"
        )
    for group in _opened(store):
        _require_same_cells(front, group, store)
        fields = np.atleast_1d(np.asarray(front.uns[key]["fields"], dtype=object))
        for name in [*map(str, fields), f"uns/{key}"]:
            where, _, within = name.partition("/")
            if within in getattr(adata, where):
                _write(adata, group, where, within)
        logg.info(f"wrote {key!r} to {store}")


def _opened(store: Any) -> Iterator[Any]:
    """Group of a path, closed afterwards; or the group itself. One that can be written to."""
    home = type(store).__module__.partition(".")[0]
    if home == "zarr":
        yield from _unconsolidated(getattr(store, "store", store), getattr(store, "path", ""))
    elif home == "h5py":
        if not store or store.file.mode == "r":
            raise _not_writable(store, "opened with mode='r', or closed")
        yield store
    elif not isinstance(store, str | Path):
        raise TypeError(
            f"store={shortened(store)} is no store: give the path of a zarr store or of an h5ad "
            "file, or a group of one that is open"
        )
    elif Path(store).is_file():
        import h5py

        try:
            file = h5py.File(store, "r+")
        except OSError as error:
            raise _not_writable(store, f"{error}; is it open elsewhere?") from error
        with file:
            yield file
    elif not Path(store).is_dir() and "://" not in str(store):
        raise ValueError(f"store={str(store)!r} is not there: write the AnnData first")
    else:
        yield from _unconsolidated(store, "")


def _unconsolidated(store: Any, path: str) -> Iterator[Any]:
    """Group that can be added to, the summary of its store written anew where there was one."""
    import zarr

    try:
        summed_up = zarr.open_group(store, path=path, mode="r").metadata.consolidated_metadata
        group = zarr.open_group(store, path=path, mode="r+", use_consolidated=False)
    except (OSError, ValueError, TypeError) as error:
        raise _not_writable(store, f"{type(error).__name__}: {error}") from error
    yield group
    if summed_up is not None:
        zarr.consolidate_metadata(store, path=path or None)


def _not_writable(store: Any, why: str) -> ValueError:
    return ValueError(
        f"store={store!s} cannot be written to ({why}): give the path of the store, or open "
        "it with mode='r+'"
    )


def _require_same_cells(adata: AnnData, group: Any, store: Any) -> None:
    """Refuse a store whose cells have other names, or that is no AnnData."""
    attributes = dict(group.attrs)
    if attributes.get("encoding-type") != "anndata" or "obs" not in group:
        raise ValueError(f"store={store!s} holds no AnnData")
    from anndata.io import read_elem

    index = group["obs"][str(group["obs"].attrs["_index"])]
    # strings come as Python's, numpy's or Arrow's
    names = np.asarray(read_elem(index), dtype=object)
    if not np.array_equal(names, np.asarray(adata.obs_names, dtype=object)):
        raise ValueError(
            f"store={store!s} holds {len(names)} cells, not the {adata.n_obs} of adata in their "
            "order"
        )


def _plain(values: Any) -> Any:
    """Dictionaries where there are mappings of any kind."""
    if isinstance(values, Mapping):
        return {name: _plain(value) for name, value in values.items()}
    return values


def _write(adata: AnnData, group: Any, where: str, name: str) -> None:
    """Write one field as anndata does."""
    from anndata.io import write_elem

    # columns as Series and plain values, but Dask arrays as such
    front = readable(adata) if where in ("obs", "uns") else adata
    values = _plain(getattr(front, where)[name])
    if where == "obs":
        values = values if isinstance(values, pd.Series) else pd.Series(np.asarray(values))
        categorical = isinstance(values.dtype, pd.CategoricalDtype)
        values = values.array if categorical else values.to_numpy()
        table = group["obs"]
        columns = [str(column) for column in table.attrs["column-order"]]
        if name not in columns:
            table.attrs["column-order"] = [*columns, name]
    elif where not in group:
        write_elem(group, where, {})
    write_elem(group[where], name, values)
