"""The graph that a run walked on: described in its record, found again, told from others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scanpy_anim._checks import MissingKeyError
from scanpy_anim._table import is_dask
from scanpy_anim.tl._blocks import BlockGraph, open_blocks
from scanpy_anim.tl._checksum import checksum, is_same
from scanpy_anim.tl._graph import as_csr, choose_graph, count_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anndata import AnnData
    from scipy import sparse


def describe(
    stored: Any, graph: sparse.csr_array | BlockGraph, name: str, *, symmetrized: bool
) -> dict[str, Any]:
    """Name, sizes and checksum of a graph as it is stored; `graph` is what was made of it."""
    if isinstance(graph, BlockGraph):
        n_weights, told = graph.n_weights, graph.checksum
    else:
        n_weights = count_weights(stored)
        told = checksum(as_csr(stored, name=f"obsp[{name!r}]") if symmetrized else graph)
    return {"obsp": name, "n_obs": graph.shape[0], "n_weights": n_weights, "checksum": told}


def graph_of_run(adata: AnnData, record: Mapping[str, Any]) -> Any:
    """Graph that a stored run walked on: the one it names, else the one its arguments mean."""
    name = str(record.get("graph", {}).get("obsp", ""))
    if name in adata.obsp:
        return adata.obsp[name]
    params = record["params"]
    try:
        return choose_graph(adata, params.get("neighbors_key"), params.get("obsp"))
    except MissingKeyError as error:
        raise MissingKeyError(
            f"adata.obsp[{name!r}], the graph of the run, is gone: bring it back, or run "
            "`sca.tl.label_propagation` again"
        ) from error


def require_same_graph(graph: Any, record: Mapping[str, Any], asked: str) -> None:
    """Refuse another graph than that of the run; of old records only the sizes are known."""
    walked = record.get("graph", {})
    if "n_weights" not in walked:
        return
    name = f"obsp[{str(walked['obsp'])!r}]"
    now = _blocks_of(graph, name) if is_dask(graph) else as_csr(graph, name=name)
    described = describe(graph, now, name, symmetrized=False)
    if "checksum" in walked:
        same = is_same(described["checksum"], float(walked["checksum"]))
    else:
        same = described["n_weights"] == int(walked["n_weights"])
    if not same:
        raise ValueError(
            f"{asked} propagates again, but adata.{name} is another graph than that of the run: "
            "calibrate before, or run `sca.tl.label_propagation` again"
        )


def _blocks_of(graph: Any, name: str) -> BlockGraph:
    """Graph in blocks, looked at in a pass."""
    blocks = open_blocks(graph, symmetrize=False, name=name)
    blocks.look()
    return blocks
