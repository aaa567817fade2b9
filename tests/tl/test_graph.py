"""Graphs at the door: which one, what it may be, and damage that would crash what follows it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import scanpy_anim.tl as tl
from scanpy_anim.tl import propagate

from . import reference

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from anndata import AnnData

KEY = "label_propagation"
N_OBS = 30


def _graph(index: type = np.int32) -> sparse.csr_matrix:
    random = np.random.default_rng(0)
    dense = random.random((N_OBS, N_OBS)) * (random.random((N_OBS, N_OBS)) < 0.2)
    dense += np.eye(N_OBS, k=1)
    graph = sparse.csr_matrix((dense + dense.T).astype(np.float32))
    graph.indices, graph.indptr = graph.indices.astype(index), graph.indptr.astype(index)
    return graph


def _far(graph: Any) -> None:
    graph.indices[7] = graph.shape[0]


def _very_far(graph: Any) -> None:
    graph.indices[-1] = 2**31 - 1


def _negative(graph: Any) -> None:
    graph.indices[3] = -1


def _falling(graph: Any) -> None:
    graph.indptr[5] = graph.indptr[-1]


def _late(graph: Any) -> None:
    graph.indptr[0] = 2


def _before(graph: Any) -> None:
    graph.indptr[0] = -2


def _beyond(graph: Any) -> None:
    graph.indptr[-1] += 3


def _short_of(graph: Any) -> None:
    graph.indptr[-1] -= 1


def _few_rows(graph: Any) -> None:
    graph.indptr = graph.indptr[:-1]


def _many_rows(graph: Any) -> None:
    graph.indptr = np.append(graph.indptr, graph.indptr[-1])


def _few_weights(graph: Any) -> None:
    graph.data = graph.data[:-4]


def _few_columns(graph: Any) -> None:
    graph.indices = graph.indices[:-4]


DAMAGE = [_far, _very_far, _negative, _falling, _late, _before, _beyond, _short_of]
DAMAGE += [_few_rows, _many_rows, _few_weights, _few_columns]


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "csc_matrix", "csc_array"])
def test_damaged_rows_are_refused_by_name(
    index: type, damage: Callable[[Any], None], kind: str
) -> None:
    graph = getattr(sparse, kind)(_graph(index))
    graph.indices, graph.indptr = graph.indices.astype(index), graph.indptr.astype(index)
    damage(graph)
    for how in ({}, {"symmetrize": True}, {"clamp": "hard"}, {"normalization": "pagerank"}):
        with pytest.raises(ValueError, match="graph is damaged: "):
            propagate(graph, np.eye(N_OBS)[0], **how)


@pytest.mark.parametrize("kind", ["coo", "bsr"])
@pytest.mark.parametrize("index", [-1, N_OBS, 2**31 - 1])
def test_damage_in_other_formats(kind: str, index: int) -> None:
    graph = getattr(sparse, f"{kind}_array")(_graph())
    (graph.coords[1] if kind == "coo" else graph.indices)[4] = index
    with pytest.raises(ValueError, match=f"graph is damaged: index {index} is outside"):
        propagate(graph, np.eye(N_OBS)[0])


@pytest.mark.parametrize("damage", [_far, _negative, _falling, _beyond])
def test_damage_that_comes_from_a_file(
    pbmc: AnnData, tmp_path: Path, damage: Callable[[Any], None]
) -> None:
    path = tmp_path / "cells.h5ad"
    bare = anndata.AnnData(obs=pbmc.obs[[]])
    bare.obsp["connectivities"] = pbmc.obsp["connectivities"]
    bare.write_h5ad(path)
    graph = pbmc.obsp["connectivities"].copy()
    damage(graph)
    with h5py.File(path, "r+") as file:
        for name in ("indices", "indptr"):
            file[f"obsp/connectivities/{name}"][...] = getattr(graph, name)
    try:
        broken = anndata.read_h5ad(path)
    except ValueError:
        pytest.skip("anndata or scipy refuse it already")
    with pytest.raises(ValueError, match=r"obsp\['connectivities'\] is damaged: "):
        tl.label_propagation(broken, [0])
    assert list(broken.obsm) == []


def _strided(graph: Any) -> Any:
    """The same matrix in fields of a structured array."""
    record = np.zeros(graph.nnz, [("j", graph.indices.dtype), ("w", "f4")])
    record["j"], record["w"] = graph.indices, graph.data
    other = sparse.csr_matrix(graph.shape, dtype=np.float32)
    other.data, other.indices, other.indptr = record["w"], record["j"], graph.indptr
    return other


def _reversed(graph: Any) -> Any:
    other = graph.copy()
    other.data, other.indices = other.data[::-1].copy()[::-1], other.indices[::-1].copy()[::-1]
    return other


def _swapped(graph: Any) -> Any:
    other = graph.copy()
    other.data = graph.data.astype(">f4")
    other.indices, other.indptr = graph.indices.astype(">i4"), graph.indptr.astype(">i4")
    return other


def _read_only(graph: Any) -> Any:
    other = graph.copy()
    for array in (other.data, other.indices, other.indptr):
        array.flags.writeable = False
    return other


SPELLED = {
    "fields of a structured array": _strided,
    "from behind": _reversed,
    "big-endian": _swapped,
    "read only": _read_only,
    "DataFrame": lambda g: pd.DataFrame(g.toarray()),
    "DataFrame, columns in another order": lambda g: pd.DataFrame(g.toarray()).iloc[:, ::-1],
    "DataFrame, columns without names": lambda g: pd.DataFrame(g.toarray(), map(str, range(N_OBS))),
    "nullable DataFrame": lambda g: pd.DataFrame(g.toarray()).astype("Float64"),
    "sparse DataFrame": lambda g: pd.DataFrame.sparse.from_spmatrix(g),
    "lists": lambda g: g.toarray().tolist(),
    "Fortran order": lambda g: np.asfortranarray(g.toarray()),
    "big-endian dense": lambda g: g.toarray().astype(">f8"),
    "long doubles": lambda g: g.toarray().astype(np.longdouble),
    "matrix": lambda g: sparse.csr_matrix(g).todense(),
    "masked": lambda g: np.ma.masked_less(g.toarray(), -1),
    "int16 indices": lambda g: _with_indices(g, np.int16),
    "unsigned indices": lambda g: _with_indices(g, np.uint32),
    "dok": sparse.dok_array,
    "lil": sparse.lil_matrix,
    "dia": sparse.dia_array,
    "bsr": sparse.bsr_array,
}


def _with_indices(graph: Any, kind: type) -> Any:
    other = graph.copy()
    other.indices, other.indptr = graph.indices.astype(kind), graph.indptr.astype(kind)
    return other


@pytest.mark.parametrize("spell", SPELLED.values(), ids=SPELLED)
@pytest.mark.parametrize("n_classes", [1, 3])
def test_the_same_graph_in_any_spelling(spell: Callable[[Any], Any], n_classes: int) -> None:
    graph, signal = _graph(), np.eye(N_OBS)[:, :n_classes]
    expected = propagate(graph, signal, tol=0, max_iter=4)
    outcome = propagate(spell(graph), signal, tol=0, max_iter=4)
    np.testing.assert_allclose(outcome.history, expected.history, rtol=1e-6)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "dia", "bsr"])
@pytest.mark.parametrize("dtype", ["f2", ">f2", ">f4", ">f8"])
def test_sparse_weights_and_signals_that_scipy_does_not_compute_with(dtype: str, kind: str) -> None:
    """They come from files and from casts of `.data`, which scipy does not look at."""
    graph, signal = _graph().asformat(kind), sparse.coo_array(np.eye(N_OBS)[:, :1]).asformat(kind)
    weights = np.round(_graph().toarray() * 64) / 64
    graph.data = (np.round(graph.data * 64) / 64).astype(dtype)
    signal.data = signal.data.astype(dtype)
    outcome = propagate(graph, signal, alpha=0.9)
    expected = reference.soft_limit(weights, np.eye(N_OBS)[0], 0.9, "symmetric")
    np.testing.assert_allclose(outcome.limit, expected, rtol=1e-4)


def test_tables_of_other_cells_are_no_graph() -> None:
    table = pd.DataFrame(np.ones((3, 3)), index=["a", "b", "c"], columns=["a", "b", "d"])
    with pytest.raises(ValueError, match="1 of 3 columns are named otherwise than the rows"):
        propagate(table, [1, 0, 0])


class _OnGpu:
    """As PyTorch, numba and CuPy have arrays on a device: numpy cannot read them."""

    def __init__(self, values: Any) -> None:
        self.shape, self.dtype, self.ndim = values.shape, values.dtype, values.ndim
        self.__cuda_array_interface__ = {"shape": values.shape}


class _Opaque(_OnGpu):
    """An array that has its own words for not being one of numpy."""

    def __init__(self, values: Any) -> None:
        super().__init__(values)
        del self.__cuda_array_interface__

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("densify me")


@pytest.mark.parametrize(
    ("kind", "said"),
    [(_OnGpu, r"in the memory of a GPU \(_OnGpu\)"), (_Opaque, r"cannot be read .*densify me")],
)
def test_foreign_arrays_are_refused_by_name(pbmc: AnnData, kind: Any, said: str) -> None:
    signal = np.eye(3)[0]
    with pytest.raises(TypeError, match=f"graph .*{said}"):
        propagate(kind(np.ones((3, 3))), signal)
    with pytest.raises(TypeError, match=f"signal .*{said}"):
        propagate(np.ones((3, 3)), kind(signal))
    with pytest.raises(TypeError, match=f"seeds .*{said}"):
        tl.label_propagation(pbmc, kind(np.ones(700)))
    with pytest.raises(TypeError, match=rf"seeds\['A'\] .*{said}"):
        tl.label_propagation(pbmc, {"A": kind(np.ones(700)), "B": [1]})


@pytest.mark.parametrize("dtype", [np.float16, bool, np.int8, np.uint64])
def test_dense_weights_of_any_kind(dtype: type) -> None:
    dense = (_graph().toarray() > 0).astype(dtype)
    signal = np.eye(N_OBS)[0]
    outcome = propagate(dense, signal, alpha=0.9)
    expected = reference.soft_limit(dense.astype(float), signal, 0.9, "symmetric")
    np.testing.assert_allclose(outcome.limit, expected, rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-300, 1e-60, 1e-44, 1e-38, 1e-20, 1e20, 1e38, 1e300])
@pytest.mark.parametrize(
    "how",
    [{}, {"normalization": "random_walk"}, {"normalization": "pagerank"}, {"clamp": "hard"}],
    ids=str,
)
def test_only_ratios_of_weights_matter(scale: float, how: dict[str, Any]) -> None:
    graph = _graph().astype(np.float64)
    signal = np.eye(N_OBS)[:, [0, 9]]
    expected = propagate(graph, signal, tol=0, max_iter=6, **how)
    outcome = propagate(graph * scale, signal, tol=0, max_iter=6, **how)
    np.testing.assert_allclose(outcome.history, expected.history, rtol=1e-4)


HOW: list[dict[str, Any]] = [
    {},
    {"clamp": "hard"},
    {"normalization": "random_walk"},
    {"normalization": "pagerank", "alpha": 0.9999},
]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("weight", [1e-18, 1e-10, 1.0, 1e10, 1e18])
@pytest.mark.parametrize("size", [1e-36, 1e-30, 1e-20, 1e20, 1e36, 3e38])
def test_scores_go_with_the_signal_whatever_the_weights(
    how: dict[str, Any], weight: float, size: float
) -> None:
    graph = np.random.default_rng(0).random((9, 9))
    graph = (graph + graph.T) * weight
    signal = np.eye(9)[:, :2]
    found, plain = (propagate(graph, signal * s, tol=0, max_iter=9, **how) for s in (size, 1.0))
    true = plain.history.astype(np.float64) * size
    held = (true == 0) | (true > 1e-36)
    np.testing.assert_allclose(found.history[held], true[held], rtol=1e-4)
    np.testing.assert_allclose(found.residuals, plain.residuals, rtol=1e-2, atol=1e-9)
    decisive = found.scores if found.label_scores is None else found.label_scores
    np.testing.assert_array_equal(decisive.argmax(axis=1), plain.scores.argmax(axis=1))
    assert found.limit_converged


def test_labels_of_a_tiny_signal_are_those_of_any(pbmc: AnnData) -> None:
    signal = np.zeros((700, 2))
    signal[[3, 300], [0, 1]] = 1
    tl.label_propagation(pbmc, signal, alpha=0.5, key_added="plain")
    for history in ("scores", "labels"):
        tl.label_propagation(pbmc, signal * 1e-37, alpha=0.5, history=history)
        assert pbmc.obs[KEY].equals(pbmc.obs["plain"])
        mine, plain = (pbmc.obs[f"{key}_confidence"] for key in (KEY, "plain"))
        np.testing.assert_allclose(mine, plain, rtol=1e-4)


@pytest.mark.parametrize("method", ["iterative", "direct"])
def test_scores_beyond_float32_are_refused_by_name(method: Any) -> None:
    star = np.zeros((400, 400))
    star[0, 1:] = star[1:, 0] = 1
    signal = np.full(400, 3e38)
    signal[0] = 0
    with pytest.raises(
        ValueError, match=r"scores of this signal may reach \d\.\d*e\+39, beyond float32"
    ):
        propagate(star, signal, alpha=0.999, method=method)


def test_scaling_loses_no_weight_that_float32_holds() -> None:
    graph = np.array([[0, 1e15, 0], [1e15, 0, 1e-30], [0, 1e-30, 0]], np.float32)
    outcome = propagate(graph, [1, 0, 0], method="direct", normalization="random_walk")
    assert outcome.limit is not None
    step = graph / graph.sum(axis=1, keepdims=True, dtype=np.float64)
    true = np.linalg.solve(np.eye(3) - 0.99 * step, [0.01, 0, 0])
    np.testing.assert_allclose(outcome.limit, true, rtol=1e-4)


def test_weights_too_far_apart_are_refused_by_name() -> None:
    graph = _graph().astype(np.float64)
    graph.data[0] = 1e-90
    with pytest.raises(ValueError, match=r"graph: weights from 1e-90 to .* too many to compute"):
        propagate(graph, np.eye(N_OBS)[0])


def test_lazy_graphs_are_named(pbmc: AnnData) -> None:
    array = pytest.importorskip("dask.array")
    lazy = array.from_array(pbmc.obsp["connectivities"].toarray())
    with pytest.raises(TypeError, match=r"graph, chunk .* is ndarray: chunks must be CSR"):
        propagate(lazy, np.eye(700)[0])
    pbmc.obsp["lazy"] = lazy
    with pytest.raises(TypeError, match=r"obsp\['lazy'\], chunk .* chunks must be CSR"):
        tl.label_propagation(pbmc, [0], obsp="lazy")
    foreign = type("ndarray", (), {"__module__": "cupy", "shape": (2, 2), "dtype": np.dtype("f4")})
    with pytest.raises(TypeError, match="in the memory of a GPU"):
        propagate(foreign(), [1, 0])


def test_a_key_that_names_no_graph_is_a_key_error_as_in_scanpy(pbmc: AnnData) -> None:
    pbmc.uns["odd"] = np.arange(3)
    for key in ("pca", "odd", "bulk_labels_colors"):
        with pytest.raises(KeyError, match=rf"uns\['{key}'\] names no connect.*\['neighbors'\]"):
            tl.label_propagation(pbmc, [0], neighbors_key=key)
    with pytest.raises(KeyError, match="'nn' is not in"):
        tl.label_propagation(pbmc, [0], neighbors_key="nn")
    del pbmc.uns["neighbors"], pbmc.obsp["connectivities"]
    with pytest.raises(KeyError, match="no neighbour graph"):
        tl.label_propagation(pbmc, [0])


@pytest.mark.parametrize("name", ["obsp", "neighbors_key"])
@pytest.mark.parametrize("value", [np.ones(3), {}, ["a"], pd.Series([1.0]), pd.Index(["a"]), 3])
def test_names_of_graphs_are_strings(pbmc: AnnData, name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=rf"(?s){name}=.* must be a string"):
        tl.label_propagation(pbmc, [0], **{name: value})


@pytest.mark.parametrize(
    "how", [{}, {"obsp": "own"}, {"neighbors_key": "second"}, {"symmetrize": True}], ids=str
)
def test_the_result_records_which_graph_was_used(pbmc: AnnData, how: dict[str, Any]) -> None:
    pbmc.obsp["own"] = sparse.csr_array(np.eye(700, k=1) + np.eye(700, k=-1))
    pbmc.uns["second"] = {"connectivities_key": "own"}
    tl.label_propagation(pbmc, [0], **how)
    own = "obsp" in how or "neighbors_key" in how
    walked = {"obsp": "own" if own else "connectivities", "n_obs": 700}
    walked["n_weights"] = 1398 if own else 9992
    stored = dict(pbmc.uns[KEY]["graph"])
    assert 1 < stored.pop("checksum") < 4
    assert stored == walked


@pytest.mark.parametrize("kept", [{}, {"history": "labels"}, {"iterations": [3]}], ids=str)
@pytest.mark.parametrize("chosen", ["first", "order", "graph"])
def test_calibrating_refuses_other_cells_whatever_was_kept(
    pbmc: AnnData, kept: dict[str, Any], chosen: str
) -> None:
    pbmc.obs["few"] = pbmc.obs["bulk_labels"].where(np.arange(700) < 300)
    tl.label_propagation(pbmc, "few", **kept)
    # the first 600 have all seeds where they were
    order = {"first": np.arange(600), "order": np.arange(700)[::-1], "graph": np.arange(700)}
    other = pbmc[order[chosen]].copy()
    if chosen == "graph":
        other.obsp["connectivities"] = sparse.csr_array(np.eye(700, k=1) + np.eye(700, k=-1))
    before = other.obs[KEY].copy()
    with pytest.raises(ValueError, match=r"calibrate=True .*(other cells|another graph)"):
        tl.assign_labels(other, calibrate=True)
    assert other.obs[KEY].equals(before)
    tl.assign_labels(pbmc, calibrate=True)


@pytest.mark.parametrize(
    "how", [{"min_confidence": 0.7}, {"calibrate": True}, {"class_mass": True}], ids=str
)
def test_deciding_on_a_view_writes_into_the_view_only(pbmc: AnnData, how: dict[str, Any]) -> None:
    pbmc.obs["few"] = pbmc.obs["bulk_labels"].where(np.arange(700) % 4 == 0)
    tl.label_propagation(pbmc, "few")
    labels, record = pbmc.obs[KEY].copy(), dict(pbmc.uns[KEY])
    view = pbmc[np.arange(700)] if "calibrate" in how else pbmc[:500]
    with pytest.warns(anndata.ImplicitModificationWarning):
        tl.assign_labels(view, **how)
    assert pbmc.obs[KEY].equals(labels)
    assert set(pbmc.uns[KEY]) == set(record)
    assert dict(pbmc.uns[KEY]["labels"]) == dict(record["labels"]) == {"class_mass": False}
    assert "temperature" not in pbmc.uns[KEY]
    assert "class_weights" not in pbmc.uns[KEY]
    assert set(view.uns[KEY]) - set(record) or view.uns[KEY]["labels"] != record["labels"]


@pytest.mark.parametrize(
    "variables",
    [
        {"NUMBA_THREADING_LAYER": "tbb", "NUMBA_NUM_THREADS": "1"},
        {"NUMBA_THREADING_LAYER": "omp"},
        {"NUMBA_DISABLE_JIT": "1"},
    ],
    ids=str,
)
def test_numba_as_it_comes(variables: dict[str, str]) -> None:
    script = (
        "import numpy as np; from scanpy_anim.tl import propagate\n"
        "path = np.eye(6, k=1) + np.eye(6, k=-1)\n"
        "for n in (1, 2):\n"
        "    for history in ('scores', 'labels')[:n]:\n"
        "        how = dict(alpha=.5, history=history)\n"
        "        print(f'{propagate(path, np.eye(6)[:, :n], **how).limit.sum():.4f}')\n"
    )
    expected = []
    for n_classes in (1, 2):
        for history in ("scores", "labels")[:n_classes]:
            how = {"alpha": 0.5, "history": history}
            signal = np.eye(6)[:, :n_classes]
            path = np.eye(6, k=1) + np.eye(6, k=-1)
            expected.append(f"{propagate(path, signal, **how).limit.sum():.4f}")
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        check=False,
    )
    assert out.returncode == 0, out.stderr[-800:]
    assert out.stdout.split() == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_threads", "two"),
        ("n_threads", np.ones(3)),
        ("n_threads", 0),
        ("graph", [[1, 2], [3]]),
        ("signal", [[1, 2], [3]]),
        ("every", pd.Series([1, 2])),
    ],
)
def test_arrays_and_numbers_are_refused_by_name(name: str, value: Any) -> None:
    how = {"graph": np.ones((3, 3)), "signal": [1, 0, 0], "iterations": [1], name: value}
    with pytest.raises(ValueError, match=name):
        propagate(**how)
