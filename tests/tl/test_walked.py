"""The graph that a run walked on: known again in any spelling, and told from every other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scanpy as sc
from scipy import sparse

import scanpy_anim.tl as tl
from scanpy_anim.tl import _checksum
from scanpy_anim.tl._checksum import checksum, is_same
from scanpy_anim.tl._graph import as_csr

if TYPE_CHECKING:
    import io

    from anndata import AnnData

KEY = "label_propagation"


def _marked(graph: Any) -> float:
    """Compute the checksum as it is defined, dense."""
    weights = np.asarray(graph.todense(), dtype=np.float64)
    cells = np.arange(len(weights))
    rows, columns = (1 + np.modf(cells * s)[0] for s in ((5**0.5 - 1) / 2, 2**0.5 - 1))
    return float(rows @ weights @ columns / weights.sum())


def test_a_checksum_tells_graphs_apart_but_no_spellings(
    pbmc: AnnData, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = pbmc.obsp["connectivities"].astype(np.float32)
    told = checksum(as_csr(graph))
    assert told == pytest.approx(_marked(graph), abs=1e-10)
    shuffled = graph.tocoo()
    order = np.random.default_rng(1).permutation(graph.nnz)
    entries = shuffled.data[order], (shuffled.row[order], shuffled.col[order])
    twice = sparse.coo_array((np.tile(entries[0], 2), np.tile(entries[1], 2)), graph.shape)
    same = [graph.tocsc(), graph.toarray(), graph.astype(np.float64), graph * 3, twice]
    for other in (*same, sparse.coo_array(entries, graph.shape).tocsr()):
        assert is_same(checksum(as_csr(other)), told)
    monkeypatch.setattr(_checksum, "_PIECE", 50)
    assert is_same(checksum(as_csr(graph)), told)
    monkeypatch.undo()
    random = np.random.default_rng(0)
    order = random.permutation(700)
    changed = [graph.copy() for _ in range(3)]
    changed[0].data[7] *= np.float32(1.01)
    changed[1].data[[3, 4]] = changed[1].data[[4, 3]]
    changed[2].data = random.permutation(graph.data)
    others = [*changed, graph[order], graph[:, order], graph[order][:, order], sparse.triu(graph)]
    others += [sparse.tril(graph)]
    for other in others:
        assert not is_same(checksum(as_csr(other)), told)
    assert checksum(as_csr(graph * 0)) == 0


def test_calibrating_walks_on_the_graph_of_the_run_and_on_no_other(pbmc: AnnData) -> None:
    pbmc.obs["few"] = pbmc.obs["bulk_labels"].where(np.arange(700) < 300)
    tl.label_propagation(pbmc, "few")
    graph = pbmc.obsp["connectivities"]
    pbmc.obsp["other"] = sparse.csr_matrix((graph.data[::-1], graph.indices, graph.indptr))
    pbmc.uns["neighbors"]["connectivities_key"] = "other"
    tl.assign_labels(pbmc, calibrate=True)  # the default graph now is another one
    expected = pbmc.obs[f"{KEY}_confidence"].copy()
    del pbmc.obsp["connectivities"]
    for how in ({"calibrate": True}, {"coverage": 0.9}):
        with pytest.raises(ValueError, match="is another graph than that of the run"):
            tl.assign_labels(pbmc, **how)
    pbmc.obsp["other"] = graph.astype(np.float64).tocsc() * 2  # the same, by another name
    tl.assign_labels(pbmc, calibrate=True)
    np.testing.assert_allclose(pbmc.obs[f"{KEY}_confidence"], expected, atol=1e-6)
    del pbmc.obsp["other"]
    with pytest.raises(KeyError, match=r"obsp\['connectivities'\], the graph of the run, is gone"):
        tl.assign_labels(pbmc, calibrate=True)


def test_results_without_a_checksum_are_told_by_the_number_of_weights(pbmc: AnnData) -> None:
    pbmc.obs["few"] = pbmc.obs["bulk_labels"].where(np.arange(700) < 300)
    tl.label_propagation(pbmc, "few")
    del pbmc.uns[KEY]["graph"]["checksum"]
    tl.assign_labels(pbmc, calibrate=True)
    pbmc.uns[KEY]["graph"]["n_weights"] -= 1
    with pytest.raises(ValueError, match="is another graph than that of the run"):
        tl.assign_labels(pbmc, calibrate=True)
    del pbmc.uns[KEY]["graph"]
    tl.assign_labels(pbmc, calibrate=True)


def test_distances_are_no_graph_whoever_names_them(pbmc: AnnData) -> None:
    keys = {"connectivities_key": "distances", "distances_key": "distances"}
    pbmc.uns["odd"] = keys
    with pytest.raises(ValueError, match=r"uns\['odd'\]\['connectivities_key'\]='distances' holds"):
        tl.label_propagation(pbmc, [0], neighbors_key="odd")
    pbmc.uns["neighbors"] = keys
    with pytest.raises(ValueError, match=r"uns\['neighbors'\].* holds distances"):
        tl.label_propagation(pbmc, [0])


def test_the_advice_for_a_lost_graph_brings_it_back(pbmc: AnnData) -> None:
    sc.pp.neighbors(pbmc, n_neighbors=5, key_added="five")
    del pbmc.obsp["five_connectivities"]
    with pytest.raises(KeyError) as raised:
        tl.label_propagation(pbmc, [0], neighbors_key="five")
    exec(str(raised.value).split("`")[1], {"adata": pbmc, "sc": sc})
    tl.label_propagation(pbmc, [0], neighbors_key="five")


@pytest.mark.parametrize(
    ("seeds", "how"),
    [
        ([0], {}),
        ([0], {"method": "direct"}),
        ({"A": [0], "B": [1]}, {}),
        ({"A": [0], "B": [1]}, {"history": "labels"}),
    ],
    ids=str,
)
def test_seeds_that_reach_nobody_are_said(
    pbmc: AnnData, logged: io.StringIO, seeds: Any, how: dict[str, Any]
) -> None:
    alone = pbmc.obsp["connectivities"].tolil()
    alone[[0, 1]] = 0
    alone[:, [0, 1]] = 0
    zeros = pbmc.obsp["connectivities"].copy()
    zeros.data[:] = 0
    for graph in (sparse.csr_matrix((700, 700)), np.zeros((700, 700)), zeros, alone.tocsr()):
        pbmc.obsp["none"] = graph
        logged.truncate(0)
        tl.label_propagation(pbmc, seeds, obsp="none", **how)
        assert "the graph joins no seed to any other cell" in logged.getvalue()
        assert pbmc.obs[KEY].notna().sum() == (700 if len(seeds) == 1 else 2)
    logged.truncate(0)
    tl.label_propagation(pbmc, seeds, **how)
    assert "joins no seed" not in logged.getvalue()
