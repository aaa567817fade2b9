"""Which graph to walk on, and whether it can be walked on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from scanpy_anim._cells import in_full, native
from scanpy_anim._checks import MissingKeyError, as_array, require_own_memory, text

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray

# the largest weight is between these, or all are scaled: sums, their reciprocals and what they are
# multiplied with fit float32
_SMALL, _LARGE = 2.0**-20, 2.0**20
# up to here they stay as they are where scaling would lose the smallest
_LARGEST = 2.0**60
# float32 has fewer digits below
_TINY = float(np.finfo(np.float32).tiny)
# powers of two between the smallest weight and the largest: 1e-38 and 1e38, and some more
_MOST_EXPONENTS = 258
# weights up to it, and from its reciprocal on, are added up in float64 as they are
_FAR = 2.0**200


class _NoGraphError(MissingKeyError, ValueError):
    """There is no such neighbour graph; scanpy raises the one here and the other there."""


def choose_graph(adata: AnnData, neighbors_key: str | None, obsp: str | None) -> Any:
    """Find the connectivities meant by `neighbors_key` or `obsp`, as everywhere in scanpy."""
    return adata.obsp[graph_name(adata, neighbors_key, obsp)]


def graph_name(adata: AnnData, neighbors_key: str | None, obsp: str | None) -> str:
    """Name in `adata.obsp` of the connectivities meant by `neighbors_key` or `obsp`."""
    for argument, value in (("neighbors_key", neighbors_key), ("obsp", obsp)):
        if value is not None:
            text(argument, value)
    if neighbors_key is not None and obsp is not None:
        raise ValueError(
            f"neighbors_key={neighbors_key!r} and obsp={obsp!r} both choose a graph: give one"
        )
    if obsp is not None:
        if obsp not in adata.obsp:
            raise MissingKeyError(
                f"obsp={obsp!r} is not in adata.obsp, which has {list(adata.obsp)}"
            )
        _refuse_distances(adata, obsp, f"obsp={obsp!r}")
        return obsp
    key = "neighbors" if neighbors_key is None else neighbors_key
    if key not in adata.uns:
        if neighbors_key is None and "connectivities" in adata.obsp:
            return "connectivities"
        raise _NoGraphError(_no_neighbors(adata, neighbors_key))
    name = _name_in(adata.uns[key], key)
    if name is None:
        raise _NoGraphError(
            f"uns[{key!r}] names no connectivities. Neighbour graphs are in uns under "
            f"{_neighbor_keys(adata) or 'no key: run `sc.pp.neighbors(adata)` first'}"
        )
    if name not in adata.obsp:
        raise MissingKeyError(
            f"uns[{key!r}] refers to obsp[{name!r}], but adata.obsp has {list(adata.obsp)}: run "
            f"`sc.pp.neighbors(adata{'' if key == 'neighbors' else f', key_added={key!r}'})` again"
        )
    _refuse_distances(adata, name, f"uns[{key!r}]['connectivities_key']={name!r}")
    return name


def count_weights(graph: Any) -> int:
    """Count the weights that a matrix stores; of a plain array those that are not zero."""
    return int(graph.nnz) if sparse.issparse(graph) else int(np.count_nonzero(np.asarray(graph)))


def _name_in(value: Any, key: str) -> str | None:
    """Name of the connectivities that an entry of uns refers to; `None`: it is no graph's."""
    if not isinstance(value, Mapping):
        return None
    name = value.get("connectivities_key", "connectivities" if key == "neighbors" else None)
    return None if name is None else str(name)


def _neighbor_keys(adata: AnnData) -> list[str]:
    return [key for key, value in adata.uns.items() if _name_in(value, key) is not None]


def _no_neighbors(adata: AnnData, neighbors_key: str | None) -> str:
    if neighbors_key is None:
        run = "no neighbour graph in adata: run `sc.pp.neighbors(adata)` first"
        return f"{run}, or name one of obsp={list(adata.obsp)}" if len(adata.obsp) else run
    return (
        f"neighbors_key={neighbors_key!r} is not in adata.uns, where neighbour graphs are "
        f"{_neighbor_keys(adata)}: run `sc.pp.neighbors(adata, key_added={neighbors_key!r})` first"
    )


def _refuse_distances(adata: AnnData, obsp: str, told: str) -> None:
    declared = {
        value["distances_key"]
        for value in adata.uns.values()
        if isinstance(value, Mapping) and "distances_key" in value
    }
    if obsp in declared or obsp == "distances" or obsp.endswith("_distances"):
        raise ValueError(
            f"{told} holds distances, which grow as cells get less alike: a signal would "
            "run to the farthest neighbours. Use the connectivities"
        )


def as_csr(
    graph: Any, n_obs: int | None = None, *, symmetrize: bool = False, name: str = "graph"
) -> sparse.csr_array:
    """Graph as float32 CSR, checked; the very same arrays where it is that already.

    Weights that float32 does not hold beside each other are float64.
    Row `i` lists the cells that cell `i` receives from, and how strongly.
    """
    require_own_memory(graph, name)
    if isinstance(graph, pd.DataFrame):
        graph = _by_name(graph, name)
    elif isinstance(graph, np.ma.MaskedArray):
        graph = graph.filled(0)
    elif not hasattr(graph, "shape"):
        graph = as_array(name, graph)
    shape = graph.shape
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(f"{name} must be a square matrix, not of shape {shape}")
    if n_obs is not None and shape[0] != n_obs:
        raise ValueError(f"{name} is of shape {shape}, but there are {n_obs} cells")
    if graph.dtype.kind not in "biuf":
        raise TypeError(f"{name} of dtype {graph.dtype}: weights must be real numbers")
    graph = in_full(graph if sparse.issparse(graph) else as_array(name, graph))
    if not sparse.issparse(graph):
        graph = sparse.csr_array(graph)
    compressed = _compressed(graph, name)
    require_structure(compressed, name)
    compressed = _within_range(compressed, name)
    if symmetrize:
        compressed = sparse.csr_array(compressed + compressed.T)
        compressed.data *= np.float32(0.5)  # in place: the graph is not held twice
    return compressed


def _by_name(graph: pd.DataFrame, name: str) -> NDArray[Any]:
    """Weights of a table whose columns are named like its rows, in whatever order."""
    rows, columns = graph.index, graph.columns
    shared = columns.isin(rows)
    if shared.any() and not columns.equals(rows):
        distinct = rows.is_unique and columns.is_unique
        if not (shared.all() and distinct and len(rows) == len(columns)):
            raise ValueError(
                f"{name}: {int((~shared).sum())} of {len(columns)} columns are named otherwise "
                "than the rows, or names occur twice: rows and columns are the same cells"
            )
        graph = graph[rows]
    if any(pd.api.types.is_extension_array_dtype(dtype) for dtype in graph.dtypes):
        numeric = all(pd.api.types.is_numeric_dtype(dtype) for dtype in graph.dtypes)
        return graph.to_numpy(np.float64, na_value=np.nan) if numeric else graph.to_numpy()
    return graph.to_numpy()


def _compressed(graph: Any, name: str) -> sparse.csr_array:
    """CSR of contiguous arrays in this machine's byte order, without a copy where it is one.

    Whatever scipy would follow blindly is checked before it converts.
    """
    if graph.format == "coo":
        for axis, at in enumerate(graph.coords):
            if len(at) and not 0 <= at.min() <= at.max() < graph.shape[axis]:
                raise _misplaced(name, int(at.min() if at.min() < 0 else at.max()), graph.shape)
    elif graph.format in ("csc", "bsr"):
        require_structure(graph, name)
    csr = graph if graph.format == "csr" else graph.tocsr()
    arrays = [np.asarray(array) for array in (csr.data, csr.indices, csr.indptr)]
    if any(array.dtype.kind not in "iu" for array in arrays[1:]):
        kinds = ", ".join(str(array.dtype) for array in arrays[1:])
        raise TypeError(f"{name}: column indices and indptr must be integers, not {kinds}")
    data, indices, indptr = (np.ascontiguousarray(native(array)) for array in arrays)
    whole = np.result_type(np.int32, indices, indptr)
    bare = sparse.csr_array(graph.shape, dtype=data.dtype)
    # not through the constructor, which would read as much again to check less
    bare.data, bare.indices = data, indices.astype(whole, copy=False)
    bare.indptr = indptr.astype(whole, copy=False)
    return bare


def require_structure(graph: Any, name: str = "graph") -> None:
    """Refuse compressed rows that point outside the matrix, before anything follows them."""
    block = getattr(graph, "blocksize", (1, 1)) if graph.format == "bsr" else (1, 1)
    n_major, n_minor = (size // b for size, b in zip(graph.shape, block, strict=True))
    if graph.format == "csc":
        n_major, n_minor = n_minor, n_major
    indptr, indices = np.asarray(graph.indptr), np.asarray(graph.indices)
    if len(indptr) != n_major + 1:
        raise ValueError(
            f"{name} is damaged: {len(indptr)} entries of indptr for {n_major} rows, which need "
            f"{n_major + 1}"
        )
    if len(indices) != len(graph.data):
        raise ValueError(
            f"{name} is damaged: {len(indices)} column indices for {len(graph.data)} weights"
        )
    if indptr[0] != 0 or indptr[-1] != len(indices):
        raise ValueError(
            f"{name} is damaged: indptr must go from 0 to the number of weights, {len(indices)}, "
            f"not from {indptr[0]} to {indptr[-1]}"
        )
    falls = np.flatnonzero(indptr[1:] < indptr[:-1])
    if len(falls):
        raise ValueError(f"{name} is damaged: indptr falls after row {falls[0]}")
    if len(indices):
        # two reads, no temporary arrays
        lowest, highest = int(indices.min()), int(indices.max())
        if lowest < 0 or highest >= n_minor:
            raise _misplaced(name, lowest if lowest < 0 else highest, graph.shape)


def _misplaced(name: str, index: int, shape: tuple[int, int]) -> ValueError:
    return ValueError(
        f"{name} is damaged: index {index} is outside a matrix of {shape[0]} rows and {shape[1]} "
        "columns. Build it again, or read it again from where it came"
    )


def _within_range(graph: sparse.csr_array, name: str) -> sparse.csr_array:
    """Weights as float32, scaled as a whole where they are too large or too small for it.

    Only ratios matter, and a power of two changes none. Float64 where the smallest would be lost;
    and as they are where a cell sends but receives nothing, whose sum counts as 1.
    """
    weights = graph.data
    if not len(weights):
        return sparse.csr_array(graph.shape, dtype=np.float32)
    # min and max pass NaN on: two reads in the good case, no temporary arrays
    lowest, highest = weights.min(), weights.max()
    if not (lowest >= 0 and np.isfinite(highest)):
        negative = int((weights < 0).sum())
        nan, infinite = int(np.isnan(weights).sum()), int(np.isinf(weights).sum())
        raise ValueError(
            f"{name}: of {len(weights)} weights {negative} are negative, {nan} NaN and {infinite} "
            "infinite. Weights say how alike two cells are: finite, 0 or more"
        )
    exponent = power_of_two(float(highest))
    if exponent == 0 and weights.dtype == np.float32:
        return graph
    smallest = weights.min(where=weights > 0, initial=highest)
    moderate = float(smallest) > 1 / _FAR and float(highest) < _FAR
    if exponent and moderate and _has_sources(graph):
        return _with_weights(graph, weights.astype(np.float64))
    if smallest >= np.ldexp(_TINY, exponent):
        return _with_weights(graph, np.ldexp(weights, -exponent).astype(np.float32))
    if smallest >= _TINY and highest <= _LARGEST:
        return _with_weights(graph, weights.astype(np.float32))
    return _with_weights(graph, _as_float64(weights, smallest, highest, name))


def _has_sources(graph: sparse.csr_array) -> bool:
    """Whether a cell sends that receives nothing."""
    positive = graph.data > 0
    receivers = np.repeat(np.arange(graph.shape[0]), np.diff(graph.indptr))[positive]
    return not np.isin(graph.indices[positive], receivers).all()


def _as_float64(
    weights: NDArray[Any], smallest: Any, highest: Any, name: str
) -> NDArray[np.float64]:
    """Weights that float32 does not hold beside each other, as far from one up as down."""
    lower, upper = int(np.frexp(smallest)[1]), int(np.frexp(highest)[1])
    if upper - lower > _MOST_EXPONENTS:
        raise ValueError(
            f"{name}: weights from {smallest:.3g} to {highest:.3g} span more than 75 orders of "
            "magnitude, too many to compute with: remove the smallest, or cut them off from below"
        )
    # first the power of two: float64 holds less than what may come
    return np.ldexp(weights, -(lower + upper) // 2).astype(np.float64)


def in_float64(graph: sparse.csr_array) -> sparse.csr_array:
    """Graph with weights of float64."""
    return _with_weights(graph, graph.data.astype(np.float64))


def power_of_two(highest: float) -> int:
    """Exponent that brings weights up to `highest` to where sums fit float32; 0 where they do."""
    if highest == 0 or _SMALL <= highest <= _LARGE:
        return 0
    return int(np.frexp(highest)[1])


def _with_weights(graph: sparse.csr_array, weights: NDArray[np.floating]) -> sparse.csr_array:
    other = sparse.csr_array(graph.shape, dtype=weights.dtype)
    other.data, other.indices, other.indptr = weights, graph.indices, graph.indptr
    return other
