"""Lazy AnnData whose graph is a Dask array: results, stores, clusters that fail, bad input."""

from __future__ import annotations

import gc
import os
import signal as signals
from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import scanpy_anim as sca
from scanpy_anim._read_result import read_result
from scanpy_anim.tl import propagate
from tests.tl.test_blocks import in_blocks, neighbor_graph, relative, seed_signal

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")
zarr = pytest.importorskip("zarr")
h5py = pytest.importorskip("h5py")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

N_OBS = 400


@pytest.fixture(autouse=True)
def _a_block_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanpy_anim.tl._blocks._ROWS", 1)


@pytest.fixture
def whole() -> ad.AnnData:
    """Cells with labels of some of them, and a graph in memory."""
    types = np.full(N_OBS, None, dtype=object)
    for cells, name in zip(np.split(np.arange(0, 60), 3), "abc", strict=True):
        types[cells * 6] = name
    obs = pd.DataFrame({"type": pd.Categorical(types)}, index=[f"cell{i}" for i in range(N_OBS)])
    adata = ad.AnnData(obs=obs, obsp={"connectivities": neighbor_graph(N_OBS, 0)})
    adata.uns["neighbors"] = {"connectivities_key": "connectivities"}
    return adata


@pytest.fixture
def lazy(whole: ad.AnnData) -> ad.AnnData:
    """The same with the graph in blocks."""
    adata = whole.copy()
    adata.obsp["connectivities"] = in_blocks(whole.obsp["connectivities"], [150, 3, 247])
    return adata


def fields(adata: ad.AnnData) -> set[str]:
    stores = ("obs", "obsm", "uns", "obsp")
    return {f"{store}/{name}" for store in stores for name in getattr(adata, store)}


@pytest.mark.parametrize("seeds", ["type", [3, 4]])
@pytest.mark.parametrize("clamp", ["soft", "hard"])
def test_labels_and_scores_are_those_of_memory(
    whole: ad.AnnData, lazy: ad.AnnData, seeds: Any, clamp: str
) -> None:
    for adata in (whole, lazy):
        sca.tl.label_propagation(adata, seeds, alpha=0.9, clamp=clamp)
    assert fields(whole) == fields(lazy)
    one, other = (read_result(adata, "label_propagation") for adata in (whole, lazy))
    assert one is not None
    assert other is not None
    assert relative(np.asarray(other.history), one.history) < 1e-5
    if seeds == "type":
        pd.testing.assert_series_equal(
            lazy.obs["label_propagation"], whole.obs["label_propagation"]
        )
    assert lazy.uns["label_propagation"]["graph"] == whole.uns["label_propagation"]["graph"]


def test_seeds_are_held_out_on_a_graph_in_blocks_as_in_memory(
    whole: ad.AnnData, lazy: ad.AnnData
) -> None:
    for adata in (whole, lazy):
        sca.tl.label_propagation(adata, "type", alpha=0.9)
        sca.tl.assign_labels(adata, calibrate=True, coverage=0.8, min_confidence=0.4)
    one, other = (adata.uns["label_propagation"] for adata in (whole, lazy))
    assert one["calibration"]["held_out"] == other["calibration"]["held_out"] == 60
    assert other["calibration"]["loss_after"] == pytest.approx(
        one["calibration"]["loss_after"], rel=1e-3
    )
    name = "label_propagation"
    for column in (name, f"{name}_set_size"):
        pd.testing.assert_series_equal(lazy.obs[column], whole.obs[column])
    np.testing.assert_allclose(
        lazy.obs[f"{name}_confidence"], whole.obs[f"{name}_confidence"], rtol=1e-3
    )


def test_held_out_seeds_are_not_taken_to_another_graph(lazy: ad.AnnData) -> None:
    sca.tl.label_propagation(lazy, "type", alpha=0.9)
    lazy.obsp["connectivities"] = in_blocks(neighbor_graph(N_OBS, 3), [200, 200])
    before = fields(lazy)
    with pytest.raises(ValueError, match="is another graph than that of the run"):
        sca.tl.assign_labels(lazy, calibrate=True)
    assert fields(lazy) == before


def test_what_is_left_open_goes_by_a_rule_that_is_told(lazy: ad.AnnData) -> None:
    sca.tl.label_propagation(lazy, "type")
    params = lazy.uns["label_propagation"]["params"]
    assert (params["alpha"], params["clamp"]) == (0.8, "soft")
    assert "in blocks" in params["chosen"]["why"]


@pytest.mark.parametrize("history", ["scores", "labels"])
def test_a_history_goes_to_the_store_that_is_named(
    whole: ad.AnnData, lazy: ad.AnnData, tmp_path: Path, history: str
) -> None:
    how = {"alpha": 0.9, "history": history}
    sca.tl.label_propagation(whole, "type", **how)
    sca.tl.label_propagation(lazy, "type", history_store=tmp_path / "h.zarr", **how)
    kept = lazy.obsm["label_propagation"]
    assert isinstance(kept, da.Array)
    stored = zarr.open_group(tmp_path / "h.zarr", mode="r")["label_propagation"]
    assert stored.shape == kept.shape == whole.obsm["label_propagation"].shape
    # a column is read without the others
    assert stored.chunks[1] == 1
    np.testing.assert_allclose(
        kept.compute(), whole.obsm["label_propagation"], rtol=1e-4, atol=1e-7
    )
    assert (lazy.obs["label_propagation"] == whole.obs["label_propagation"]).all()


def test_a_temporary_store_lives_as_long_as_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanpy_anim.tl._history_store._SMALL", 0)
    graph = in_blocks(neighbor_graph(200, 1), [120, 80])
    with dask.config.set(temporary_directory=str(tmp_path)):
        found = propagate(graph, seed_signal(200, 1, 1), alpha=0.9)
    history = found.history
    del found
    gc.collect()
    assert len(list(tmp_path.iterdir())) == 1
    half = history[:100]
    del history
    gc.collect()
    assert np.isfinite(half.compute()).all()
    del half
    gc.collect()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quiet_files")
def test_results_alone_are_written_into_a_store(
    whole: ad.AnnData, lazy: ad.AnnData, tmp_path: Path
) -> None:
    sca.tl.label_propagation(lazy, "type", alpha=0.9, history_store=tmp_path / "h.zarr")
    for path in (tmp_path / "cells.zarr", tmp_path / "cells.h5ad"):
        is_zarr = path.suffix == ".zarr"
        with ad.settings.override(zarr_write_format=3):
            (whole.write_zarr if is_zarr else whole.write_h5ad)(path)
        for _ in range(2):
            sca.tl.write_results(lazy, path)
        read = ad.read_zarr(path) if is_zarr else ad.read_h5ad(path)
        assert fields(read) == fields(lazy)
        pd.testing.assert_series_equal(read.obs["label_propagation"], lazy.obs["label_propagation"])
        found = read_result(read, "label_propagation")
        assert found is not None
        np.testing.assert_array_equal(
            np.asarray(found.history), lazy.obsm["label_propagation"].compute()
        )
    whole[1:].copy().write_h5ad(tmp_path / "other.h5ad")
    with pytest.raises(ValueError, match="holds 399 cells, not the 400"):
        sca.tl.write_results(lazy, tmp_path / "other.h5ad")
    with pytest.raises(KeyError, match="not a propagation"):
        sca.tl.write_results(lazy, tmp_path / "cells.zarr", key="type")
    with pytest.raises(ValueError, match="is not there"):
        sca.tl.write_results(lazy, tmp_path / "nowhere.zarr")


@pytest.mark.usefixtures("quiet_files")
def test_stores_that_results_cannot_be_written_into_are_refused(
    whole: ad.AnnData, lazy: ad.AnnData, tmp_path: Path
) -> None:
    sca.tl.label_propagation(lazy, "type", alpha=0.9, max_iter=2)
    whole.write_zarr(tmp_path / "cells.zarr")
    whole.write_h5ad(tmp_path / "cells.h5ad")
    (tmp_path / "empty").mkdir()
    group = zarr.open_group(tmp_path / "cells.zarr", mode="r")
    with h5py.File(tmp_path / "cells.h5ad", "r") as file:
        # its path as well, which HDF5 does not open twice
        for wrong in (group, group.store, file, file["obs"], tmp_path / "cells.h5ad"):
            with pytest.raises(ValueError, match="cannot be written to"):
                sca.tl.write_results(lazy, wrong)
    for wrong in (file, tmp_path / "empty"):
        with pytest.raises(ValueError, match="cannot be written to"):
            sca.tl.write_results(lazy, wrong)
    for wrong in (None, 7, whole):
        with pytest.raises(TypeError, match="is no store: give the path"):
            sca.tl.write_results(lazy, wrong)
    for stored in (ad.read_zarr(tmp_path / "cells.zarr"), ad.read_h5ad(tmp_path / "cells.h5ad")):
        assert fields(stored) == fields(whole)


@pytest.mark.usefixtures("quiet_files")
def test_graphs_that_are_files_are_refused_with_what_reads_them(
    whole: ad.AnnData, tmp_path: Path
) -> None:
    whole.write_zarr(tmp_path / "cells.zarr")
    group = zarr.open_group(tmp_path / "cells.zarr", mode="r")["obsp/connectivities"]
    for wrong in (group, ad.io.sparse_dataset(group)):
        with pytest.raises(TypeError, match=r"is in a file .*read_elem_lazy\(group, chunks="):
            propagate(wrong, seed_signal(N_OBS, 1, 0))


def test_signals_are_computed_where_they_are_not_yet() -> None:
    graph, signal = neighbor_graph(200, 1), seed_signal(200, 2, 1)
    blocks = in_blocks(graph, [120, 80])
    wanted = propagate(blocks, signal, alpha=0.9).history
    for one in (da.from_array(signal, chunks=(50, 1)), in_blocks(sparse.csr_matrix(signal), [200])):
        np.testing.assert_array_equal(propagate(blocks, one, alpha=0.9).history, wanted)


def _to_array(block: Any) -> Any:
    return block.toarray() if sparse.issparse(block) else block


def _dense(graph: Any) -> Any:
    return in_blocks(graph, [200, 200]).map_blocks(_to_array, dtype="float32")


def _csc(graph: Any) -> Any:
    return in_blocks(graph, [200, 200]).map_blocks(sparse.csc_matrix)


def _negative(graph: Any) -> Any:
    graph = graph.copy()
    graph.data[graph.indptr[-1] - 1] = -1
    return in_blocks(graph, [200, 200])


def _damage(block: Any) -> Any:
    block = block.copy()
    if sparse.issparse(block) and block.nnz:
        block.indices[-1] = N_OBS + 7
    return block


def _damaged(graph: Any) -> Any:
    return in_blocks(graph, [200, 200]).map_blocks(_damage, dtype="float32")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (_dense, TypeError, "chunk of rows from .* is ndarray: chunks must be CSR"),
        (_csc, TypeError, "is CSC: chunks must be CSR"),
        (_negative, ValueError, "rows from 200 on: 1 of .* weights are negative, NaN"),
        (_damaged, ValueError, "rows from .* is damaged: index 407 is outside"),
        (lambda g: in_blocks(g[:300, :300], [300]), ValueError, "300, 300.*there are 400 cells"),
        (
            lambda g: da.from_array(g.toarray(), chunks=(200, 100)),
            ValueError,
            "in chunks of 100 columns, but whole rows are needed",
        ),
        (lambda g: in_blocks(g, [200, 200]).astype(complex), TypeError, "must be real numbers"),
    ],
)
def test_what_cannot_be_walked_on_is_refused(
    lazy: ad.AnnData, make: Any, error: type[Exception], message: str
) -> None:
    graph = neighbor_graph(N_OBS, 0)
    before = fields(lazy)
    wrong = make(graph)
    if wrong.shape[0] == N_OBS:
        lazy.obsp["wrong"] = wrong
        with pytest.raises(error, match=message):
            sca.tl.label_propagation(lazy, "type", obsp="wrong")
        del lazy.obsp["wrong"]
    else:
        with pytest.raises(ValueError, match="300 nodes"):
            propagate(wrong, seed_signal(N_OBS, 1, 0))
    assert fields(lazy) == before


def test_distances_and_symmetrize_and_prior_are_refused(lazy: ad.AnnData) -> None:
    lazy.obsp["distances"] = lazy.obsp["connectivities"]
    with pytest.raises(ValueError, match="distances"):
        sca.tl.label_propagation(lazy, "type", obsp="distances")
    with pytest.raises(ValueError, match="symmetrize=True needs the columns"):
        sca.tl.label_propagation(lazy, "type", symmetrize=True)
    with pytest.raises(ValueError, match="prior needs the graph in memory"):
        sca.tl.label_propagation(lazy, "type", prior=np.ones((N_OBS, 3)))


def test_stores_that_do_not_take_a_history_are_refused(
    whole: ad.AnnData, lazy: ad.AnnData, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="this one is in memory"):
        sca.tl.label_propagation(whole, "type", history_store=tmp_path / "h.zarr")
    zarr.open_group(tmp_path / "read.zarr", mode="w")
    with pytest.raises(ValueError, match="history_store='' names no place"):
        sca.tl.label_propagation(lazy, "type", history_store="")
    for wrong in (zarr.open_group(tmp_path / "read.zarr", mode="r"), 7):
        with pytest.raises(ValueError, match="cannot be written to"):
            sca.tl.label_propagation(lazy, "type", history_store=wrong)
    taken = zarr.open_group(tmp_path / "taken.zarr", mode="w")
    taken.create_array("label_propagation", shape=(1,), dtype="uint8")
    with pytest.raises(ValueError, match="already: choose another store"):
        sca.tl.label_propagation(lazy, "type", history_store=taken)
    assert "label_propagation" not in lazy.obsm


@pytest.mark.parametrize("raised", [KeyboardInterrupt, OSError])
def test_what_does_not_get_through_leaves_nothing(
    lazy: ad.AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: type[BaseException]
) -> None:
    from scanpy_anim.tl._block_state import BlockState

    step, calls = BlockState.step, []

    def interrupted(self: BlockState) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise raised
        return step(self)

    monkeypatch.setattr(BlockState, "step", interrupted)
    before = fields(lazy)
    with pytest.raises(raised):
        sca.tl.label_propagation(lazy, "type", history_store=tmp_path / "h.zarr")
    assert list(zarr.open_group(tmp_path / "h.zarr", mode="r")) == []
    assert fields(lazy) == before


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_the_scheduler_that_is_set_is_taken(scheduler: str) -> None:
    graph, signal = neighbor_graph(200, 1), seed_signal(200, 2, 1)
    with dask.config.set(scheduler=scheduler):
        found = propagate(in_blocks(graph, [120, 80]), signal, alpha=0.9)
    assert relative(found.history, propagate(graph, signal, alpha=0.9).history) < 1e-5


def _cluster(**how: Any) -> Any:
    return distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", **how
    )


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with _cluster() as cluster, distributed.Client(cluster) as client:
        yield client


def test_a_worker_that_is_killed_is_survived(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from scanpy_anim.tl._block_state import BlockState

    graph, signal = neighbor_graph(600, 2), seed_signal(600, 2, 2)
    step, calls = BlockState.step, []

    def killing(self: BlockState) -> Any:
        calls.append(1)
        if len(calls) == 3:
            workers = client.run(os.getpid)
            os.kill(next(iter(workers.values())), signals.SIGKILL)
        return step(self)

    monkeypatch.setattr(BlockState, "step", killing)
    blocks = in_blocks(graph, [100] * 6)
    found = propagate(blocks, signal, alpha=0.9, tol=0, max_iter=8)
    wanted = propagate(graph, signal, alpha=0.9, tol=0, max_iter=8)
    assert relative(found.history, wanted.history) < 1e-5


def test_a_graph_that_the_cluster_holds_is_walked_on(client: Any) -> None:
    graph, signal = neighbor_graph(600, 3), seed_signal(600, 1, 3)
    held = in_blocks(graph, [250, 350]).persist()
    found = propagate(held, signal, alpha=0.9, limit=False)
    wanted = propagate(graph, signal, alpha=0.9, limit=False)
    assert relative(found.history, wanted.history) < 1e-5


def test_errors_of_workers_are_those_of_threads(client: Any, lazy: ad.AnnData) -> None:
    lazy.obsp["connectivities"] = _negative(neighbor_graph(N_OBS, 0))
    with pytest.raises(ValueError, match="weights are negative"):
        sca.tl.label_propagation(lazy, "type")


def test_workers_without_the_package_are_named(tmp_path: Path) -> None:
    hide = tmp_path / "hide.py"
    hide.write_text("import sys\nsys.modules['scanpy_anim'] = None\n", "utf-8")
    graph = in_blocks(neighbor_graph(100, 0), [100])
    with (
        _cluster(preload=[str(hide)]) as cluster,
        distributed.Client(cluster),
        pytest.raises(RuntimeError, match="workers without scanpy_anim: tcp://"),
    ):
        propagate(graph, seed_signal(100, 1, 0))


def test_a_client_that_went_away_is_said() -> None:
    from scanpy_anim.tl._block_state import BlockState

    graph = in_blocks(neighbor_graph(100, 0), [50, 50])
    step = BlockState.step
    with _cluster() as cluster, distributed.Client(cluster) as client:

        def leaving(self: BlockState) -> Any:
            client.close()
            return step(self)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(BlockState, "step", leaving)
            with pytest.raises(RuntimeError, match="Dask client is closed"):
                propagate(graph, seed_signal(100, 1, 0))
