"""Which graph to walk on, and whether it can be walked on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from scanpy_anim._names import MissingKeyError

if TYPE_CHECKING:
    from anndata import AnnData


def choose_graph(adata: AnnData, neighbors_key: str | None, obsp: str | None) -> Any:
    """Find the connectivities meant by `neighbors_key` or `obsp`, as everywhere in scanpy."""
    if neighbors_key is not None and obsp is not None:
        raise ValueError(
            f"neighbors_key={neighbors_key!r} and obsp={obsp!r} both choose a graph: give one"
        )
    if obsp is not None:
        if obsp not in adata.obsp:
            raise MissingKeyError(
                f"obsp={obsp!r} is not in adata.obsp, which has {list(adata.obsp)}"
            )
        _refuse_distances(adata, obsp)
        return adata.obsp[obsp]
    key = "neighbors" if neighbors_key is None else neighbors_key
    if key not in adata.uns:
        if neighbors_key is None and "connectivities" in adata.obsp:
            return adata.obsp["connectivities"]
        raise ValueError(_no_neighbors(adata, neighbors_key))
    name = adata.uns[key].get("connectivities_key", "connectivities")
    if name not in adata.obsp:
        raise MissingKeyError(
            f"uns[{key!r}] refers to obsp[{name!r}], but adata.obsp has {list(adata.obsp)}: "
            "run `sc.pp.neighbors(adata)` again"
        )
    return adata.obsp[name]


def _no_neighbors(adata: AnnData, neighbors_key: str | None) -> str:
    if neighbors_key is None:
        run = "no neighbour graph in adata: run `sc.pp.neighbors(adata)` first"
        return f"{run}, or name one of obsp={list(adata.obsp)}" if len(adata.obsp) else run
    graphs = [
        key
        for key, value in adata.uns.items()
        if isinstance(value, Mapping) and (key == "neighbors" or "connectivities_key" in value)
    ]
    return (
        f"neighbors_key={neighbors_key!r} is not in adata.uns, where neighbour graphs are "
        f"{graphs}: run `sc.pp.neighbors(adata, key_added={neighbors_key!r})` first"
    )


def _refuse_distances(adata: AnnData, obsp: str) -> None:
    declared = {
        value["distances_key"]
        for value in adata.uns.values()
        if isinstance(value, Mapping) and "distances_key" in value
    }
    if obsp in declared or obsp == "distances" or obsp.endswith("_distances"):
        raise ValueError(
            f"obsp={obsp!r} holds distances, which grow as cells get less alike: a signal would "
            "run to the farthest neighbours. Use the connectivities"
        )


def as_csr(graph: Any, n_obs: int | None = None, *, symmetrize: bool = False) -> Any:
    """Graph as float32 CSR, checked; the very same arrays where it is that already.

    Row ``i`` lists the cells that cell ``i`` receives from, and how strongly.
    """
    shape = getattr(graph, "shape", None)
    if shape is None or len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(f"graph must be a square matrix, not of shape {shape}")
    if n_obs is not None and shape[0] != n_obs:
        raise ValueError(f"graph is of shape {shape}, but there are {n_obs} cells")
    if graph.dtype.kind not in "biuf":
        raise TypeError(f"graph of dtype {graph.dtype}: weights must be real numbers")
    if not sparse.issparse(graph):
        graph = sparse.csr_array(np.asarray(graph))
    graph = graph.tocsr()
    if graph.dtype != np.float32:
        graph = graph.astype(np.float32)
    _require_weights(graph.data)
    if symmetrize:
        graph = ((graph + graph.T) * np.float32(0.5)).tocsr()
    return graph


def _require_weights(weights: Any) -> None:
    if not len(weights):
        return
    # min and max pass NaN on: two reads in the good case, no temporary arrays
    lowest, highest = weights.min(), weights.max()
    if lowest >= 0 and np.isfinite(highest):
        return
    negative = int((weights < 0).sum())
    nan, infinite = int(np.isnan(weights).sum()), int(np.isinf(weights).sum())
    raise ValueError(
        f"graph: of {len(weights)} weights {negative} are negative, {nan} NaN and {infinite} "
        "infinite. Weights say how alike two cells are: finite, 0 or more"
    )
