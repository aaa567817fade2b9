"""The way and the goal against dense float64 algebra."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from scanpy_anim.tl import propagate

from . import reference

if TYPE_CHECKING:
    from anndata import AnnData

N_ITER = 12
MODES = ["symmetric", "random_walk", "pagerank"]


def _signal(n_obs: int, n_classes: int) -> np.ndarray:
    random = np.random.default_rng(0)
    signal = np.zeros((n_obs, n_classes), dtype=np.float32)
    cells = random.choice(n_obs, 3 * n_classes, replace=False)
    signal[cells, np.arange(3 * n_classes) % n_classes] = random.uniform(0.5, 2, 3 * n_classes)
    return signal[:, 0] if n_classes == 1 else signal


@pytest.mark.parametrize("normalization", MODES)
@pytest.mark.parametrize("n_classes", [1, 2, 11])
@pytest.mark.parametrize("alpha", [0.5, 0.99])
def test_every_column_is_the_published_recurrence(
    pbmc: AnnData, normalization: str, n_classes: int, alpha: float
) -> None:
    graph = pbmc.obsp["connectivities"]
    signal = _signal(700, n_classes)
    outcome = propagate(
        graph, signal, alpha=alpha, normalization=normalization, tol=0, max_iter=N_ITER, limit=False
    )
    way = reference.soft(graph, signal, alpha, normalization, N_ITER)
    assert outcome.history.shape == (700, N_ITER + 1, *signal.shape[1:])
    assert outcome.history.dtype == np.float32
    assert outcome.history.flags.c_contiguous
    for column, scores in enumerate(way):
        np.testing.assert_allclose(outcome.history[:, column], scores, rtol=2e-5, atol=1e-30)
    residuals = [((new - old) ** 2).sum() / (new**2).sum() for old, new in pairwise(way)]
    np.testing.assert_allclose(outcome.residuals, residuals, rtol=1e-3, atol=1e-12)
    rows = [scores.reshape(700, -1) for scores in way]
    np.testing.assert_array_equal(outcome.unreached, [(r == 0).all(axis=1).sum() for r in rows[1:]])
    if n_classes > 1:
        labels = [np.where(r.any(axis=1), r.argmax(axis=1), -1) for r in rows]
        flips = [(a != b).mean() for a, b in pairwise(labels)]
        np.testing.assert_allclose(outcome.flips, flips, atol=1.5 / 700)


@pytest.mark.parametrize("n_classes", [1, 3])
def test_hard_clamping_holds_the_seeds(pbmc: AnnData, n_classes: int) -> None:
    graph = pbmc.obsp["connectivities"]
    signal = _signal(700, n_classes)
    seeds = np.flatnonzero(signal.reshape(700, -1).any(axis=1))
    outcome = propagate(graph, signal, clamp="hard", tol=0, max_iter=N_ITER)
    for column, scores in enumerate(reference.hard(graph, signal, seeds, N_ITER)):
        np.testing.assert_allclose(outcome.history[:, column], scores, rtol=2e-5, atol=1e-30)
    np.testing.assert_allclose(
        outcome.limit, reference.hard_limit(graph, signal, seeds), rtol=1e-3, atol=1e-6
    )


@pytest.mark.parametrize("normalization", MODES)
@pytest.mark.parametrize("method", ["iterative", "direct"])
def test_the_limit_is_the_dense_solution(pbmc: AnnData, normalization: str, method: str) -> None:
    graph = pbmc.obsp["connectivities"]
    signal = _signal(700, 2)
    outcome = propagate(graph, signal, alpha=0.9, normalization=normalization, method=method)
    limit = reference.soft_limit(graph, signal, 0.9, normalization)
    np.testing.assert_allclose(outcome.limit, limit, rtol=1e-3, atol=1e-9)
    assert outcome.iterations[-1] == np.inf
    assert outcome.limit_residual < 1e-6
    if method == "direct":
        np.testing.assert_array_equal(outcome.iterations, [0, np.inf])
        np.testing.assert_array_equal(outcome.history[:, 0], signal)


def test_cells_without_neighbours_keep_their_own_signal(islands: AnnData) -> None:
    graph = islands.obsp["connectivities"]
    signal = np.zeros(9)
    signal[[0, 7]] = 1
    for normalization in MODES:
        outcome = propagate(
            graph, signal, normalization=normalization, alpha=0.9, tol=0, max_iter=30
        )
        assert np.isfinite(outcome.history).all()
        assert (outcome.history[7] > 0).all()
        assert (outcome.history[[5, 6, 8]] == 0).all()
        assert (outcome.history[:5, -2:] > 0).all()
    hard = propagate(graph, signal, clamp="hard", tol=0, max_iter=30)
    assert (hard.history[[0, 7]] == 1).all()
    assert (hard.history[[5, 6, 8]] == 0).all()
    assert hard.unreached[-1] == 3


@pytest.mark.parametrize("mode", [*MODES, "hard"])
@pytest.mark.parametrize("exponent", [2, 12, 36])
@pytest.mark.parametrize("n_classes", [1, 3])
def test_cells_count_as_reached_from_the_step_at_which_there_is_a_path(
    mode: str, exponent: int, n_classes: int
) -> None:
    """Weights as far apart as that many powers of ten, an edge of weight 0, and an island."""
    random, n_obs = np.random.default_rng(exponent), 200
    rows, columns = random.integers(150, size=(2, 260))
    weights = 10.0 ** -random.uniform(0, exponent, 260)
    graph = sparse.csr_array((weights, (rows, columns)), (n_obs, n_obs)).astype(np.float32)
    graph = sparse.csr_array(graph + graph.T)
    graph.data[0] = graph[graph.indices[0], 0] = 0
    signal = np.zeros((n_obs, n_classes))
    signal[np.arange(n_classes), np.arange(n_classes)] = 1
    how = {"clamp": "hard"} if mode == "hard" else {"normalization": mode, "alpha": 0.99}
    outcome = propagate(graph, signal, tol=0, max_iter=20, limit=False, **how)
    linked = sparse.csr_array((graph.data > 0, graph.indices, graph.indptr), graph.shape)
    linked.eliminate_zeros()
    hops = dijkstra(linked, unweighted=True, indices=range(n_classes), min_only=True)
    wanted = [(hops > step).sum() for step in range(1, 21)]
    np.testing.assert_array_equal(outcome.unreached, wanted)
    assert wanted[-1] >= 50


def test_stopping(pbmc: AnnData) -> None:
    graph, signal = pbmc.obsp["connectivities"], _signal(700, 1)
    exact = propagate(graph, signal, tol=0, max_iter=40, limit=False)
    assert exact.n_iter == 40
    assert not exact.converged
    assert exact.limit is None
    early = propagate(graph, signal, tol=1e-2, max_iter=40, limit=False)
    n_iter = int(np.argmax(exact.residuals <= 1e-2)) + 1
    assert early.converged
    assert early.n_iter == n_iter
    np.testing.assert_array_equal(early.history, exact.history[:, : n_iter + 1])


@pytest.mark.parametrize(
    ("choice", "kept"),
    [
        ({"every": 3}, [0, 3, 6, 9, 10]),
        ({"every": 5}, [0, 5, 10]),
        ({"every": 99}, [0, 10]),
        ({"iterations": "log"}, [0, 1, 2, 4, 8, 10]),
        ({"iterations": [8, 0, 2, 2]}, [0, 2, 8, 10]),
        ({"iterations": [10, 0]}, [0, 10]),
        ({"iterations": np.array([5])}, [5, 10]),
        ({"iterations": [0]}, [0, 10]),
    ],
)
def test_keeping_only_some(pbmc: AnnData, choice: dict[str, object], kept: list[int]) -> None:
    graph, signal = pbmc.obsp["connectivities"], _signal(700, 3)
    whole = propagate(graph, signal, tol=0, max_iter=10, limit=False)
    some = propagate(graph, signal, tol=0, max_iter=10, limit=False, **choice)
    np.testing.assert_array_equal(some.iterations, kept)
    np.testing.assert_array_equal(some.history, whole.history[:, kept])
    np.testing.assert_array_equal(some.residuals, whole.residuals)


def test_a_long_history_grows_in_place(pbmc: AnnData) -> None:
    graph, signal = pbmc.obsp["connectivities"], _signal(700, 2)
    exact = propagate(graph, signal, tol=0, max_iter=70, limit=False)
    last = exact.residuals[59]
    grown = propagate(graph, signal, tol=last, max_iter=1000, limit=True)
    assert grown.n_iter == 60
    np.testing.assert_array_equal(grown.history[:, :-1], exact.history[:, :61])


GRAPHS = {
    "csr_matrix": sparse.csr_matrix,
    "csr_array": sparse.csr_array,
    "csc_matrix": sparse.csc_matrix,
    "csc_array": sparse.csc_array,
    "coo_matrix": sparse.coo_matrix,
    "coo_array": sparse.coo_array,
    "dense": lambda graph: graph.toarray(),
    "float64": lambda graph: graph.astype(np.float64),
    "64-bit": lambda graph: sparse.csr_array(
        (graph.data, graph.indices.astype(np.int64), graph.indptr.astype(np.int64)), graph.shape
    ),
}


@pytest.mark.parametrize("spell", GRAPHS.values(), ids=GRAPHS)
def test_graphs_of_every_kind(pbmc: AnnData, spell: object) -> None:
    graph, signal = pbmc.obsp["connectivities"], _signal(700, 2)
    expected = propagate(graph, signal, tol=0, max_iter=5).history
    spelled = spell(graph)
    np.testing.assert_array_equal(propagate(spelled, signal, tol=0, max_iter=5).history, expected)


def test_integer_weights_and_duplicates() -> None:
    rows, columns = [0, 1, 1, 2, 0], [1, 0, 2, 1, 1]
    doubled = sparse.coo_array((np.ones(5, dtype=int), (rows, columns)), shape=(3, 3))
    unsummed = sparse.csr_array((np.ones(5), [1, 1, 0, 2, 1], [0, 2, 4, 5]), shape=(3, 3))
    expected = reference.soft(doubled, np.array([1, 0, 0]), 0.9, "symmetric", 4)
    for graph in (doubled, unsummed):
        outcome = propagate(graph, [1, 0, 0], alpha=0.9, tol=0, max_iter=4, limit=False)
        np.testing.assert_allclose(outcome.history, np.array(expected).T, rtol=1e-6)
    assert unsummed.nnz == 5


def test_the_graph_is_neither_copied_nor_changed(pbmc: AnnData) -> None:
    from scanpy_anim.tl._graph import as_csr

    graph = pbmc.obsp["connectivities"].astype(np.float32)
    before = [part.tobytes() for part in (graph.data, graph.indices, graph.indptr)]
    assert as_csr(graph).data is graph.data
    assert as_csr(graph).indices is graph.indices
    propagate(graph, _signal(700, 2))
    assert [part.tobytes() for part in (graph.data, graph.indices, graph.indptr)] == before


def test_directed_graphs_let_rows_receive_from_columns() -> None:
    graph = sparse.csr_array(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=np.float32))
    outcome = propagate(graph, [1, 0, 0], normalization="random_walk", tol=0, max_iter=3)
    assert (outcome.limit > 0).all()
    against = propagate(graph, [0, 0, 1], normalization="random_walk", tol=0, max_iter=3)
    assert (against.limit[:2] == 0).all()
    both = propagate(graph, [0, 0, 1], symmetrize=True, alpha=0.5)
    expected = reference.soft_limit((graph + graph.T) / 2, np.array([0, 0, 1]), 0.5, "symmetric")
    np.testing.assert_allclose(both.limit, expected, rtol=1e-5)


BAD = {
    "alpha 1": ({"alpha": 1}, "alpha=1 must lie between 0 and 1"),
    "alpha 0": ({"alpha": 0.0}, "alpha"),
    "alpha NaN": ({"alpha": float("nan")}, "alpha"),
    "alpha text": ({"alpha": "0.9"}, "alpha"),
    "clamp": ({"clamp": "firm"}, r"clamp='firm' is unknown: choose one of \['soft', 'hard'\]"),
    "method": ({"method": "cg"}, "method"),
    "normalization": ({"normalization": None}, "normalization"),
    "hard pagerank": ({"clamp": "hard", "normalization": "pagerank"}, "choose one"),
    "tol": ({"tol": -1}, "tol"),
    "max_iter": ({"max_iter": 0}, "max_iter"),
    "every": ({"every": 0}, "every=0"),
    "every and iterations": ({"every": 2, "iterations": "log"}, "give one"),
    "iterations": ({"iterations": [1, 101]}, r"\[101\] are not integers from 0 to max_iter=100"),
    "iterations unknown": ({"iterations": "exp"}, "'log'"),
    "iterations half": ({"iterations": [0.5]}, "integers"),
    "no iterations": ({"iterations": []}, "empty"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_bad_arguments_are_refused_in_words(arguments: dict[str, object], message: str) -> None:
    graph = sparse.csr_array(np.eye(3, k=1) + np.eye(3, k=-1))
    with pytest.raises(ValueError, match=message):
        propagate(graph, [1, 0, 0], **arguments)


BAD_GRAPHS = {
    "not square": (np.ones((3, 2)), ValueError, "square"),
    "vector": (np.ones(3), ValueError, "square"),
    "negative": (np.array([[0, -1], [-1, 0]]), ValueError, "2 are negative"),
    "NaN": (np.array([[0, np.nan], [1, 0]]), ValueError, "1 NaN"),
    "infinite": (np.array([[0, np.inf], [1, 0]]), ValueError, "1 infinite"),
    "complex": (np.ones((2, 2)) * 1j, TypeError, "real"),
    "object": (np.ones((2, 2), dtype=object), TypeError, "object"),
}


@pytest.mark.parametrize(("graph", "error", "message"), BAD_GRAPHS.values(), ids=BAD_GRAPHS)
def test_bad_graphs_are_refused_in_words(
    graph: np.ndarray, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        propagate(graph, [1, 0])


def test_bad_signals_are_refused_in_words() -> None:
    graph = np.ones((3, 3))
    with pytest.raises(ValueError, match="zero everywhere"):
        propagate(graph, [0, 0, 0])
    with pytest.raises(ValueError, match="1 of 3 values are NaN or infinite, at 1"):
        propagate(graph, [0, np.nan, 1])
    two = np.array([[0, 0], [1, 0], [np.inf, np.nan]])
    for signal in (two, sparse.csc_array(two)):
        with pytest.raises(ValueError, match=r"2 of 6 values are NaN or .*, at \(2, 0\), \(2, 1\)"):
            propagate(graph, signal)
    with pytest.raises(ValueError, match=r"1e\+40 are beyond float32"):
        propagate(graph, [0, 1e40, 1])
    with pytest.raises(TypeError, match="complex128: pass real"):
        propagate(graph, sparse.eye_array(3) * 1j)
    with pytest.raises(ValueError, match=r"shape \(2,\), but the graph has 3"):
        propagate(graph, [0, 1])
    with pytest.raises(TypeError, match="object"):
        propagate(graph, np.array([1, 0, 0], dtype=object))
    with pytest.raises(ValueError, match="every cell is a seed"):
        propagate(graph, [1, 1, 1], clamp="hard")


def test_more_classes_than_short_integers_count() -> None:
    n_classes, n_obs = 33_000, 8
    path = np.eye(n_obs, k=1) + np.eye(n_obs, k=-1)
    rows, columns = np.r_[np.arange(n_classes) % n_obs, 0], np.r_[np.arange(n_classes), -1]
    columns[-1] = n_classes - 1
    weights = np.r_[np.full(n_classes, 0.5), 2.0]
    signal = sparse.csr_array((weights, (rows, columns)), shape=(n_obs, n_classes))
    how = {"alpha": 0.5, "tol": 0, "max_iter": 2, "limit": False}
    labels = propagate(path, signal, history="labels", **how)
    way = reference.soft(path, signal.toarray(), 0.5, "symmetric", 2)
    assert labels.history[0].tolist() == [n_classes - 1] * 3
    for codes, scores in zip(labels.history.T, way, strict=True):
        best = np.take_along_axis(scores, codes[:, None].astype(int), axis=1)[:, 0]
        np.testing.assert_allclose(best, scores.max(axis=1), rtol=1e-5)
