"""Products with the graph against scipy's, and one step against numpy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import csgraph

from scanpy_anim.tl import propagate
from scanpy_anim.tl._product_kernels import add_single, multiply
from scanpy_anim.tl._step_kernels import _first_best, reach_further

U = np.uint64


def triangle(n: int, index: type) -> sparse.csr_array:
    """Rows of 0, 1, 2, ... neighbours, the very last cell among them."""
    random = np.random.default_rng(n)
    graph = sparse.csr_array(np.tril(random.random((n, n)), -1).astype(np.float32)[:, ::-1])
    graph.indices, graph.indptr = graph.indices.astype(index), graph.indptr.astype(index)
    return graph


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 8, 10, 13, 16, 33, 40])
@pytest.mark.parametrize("number", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_sums_over_neighbors(width: int, number: type, index: type) -> None:
    graph = triangle(30, index)
    signal = np.random.default_rng(width).standard_normal((30, width)).astype(number)
    found = np.full((30, width), np.nan, dtype=number)
    arrays = (graph.indptr, graph.indices, graph.data)
    multiply(0, 7, *arrays, signal, found, 0)
    multiply(7, 30, *arrays, signal, found, 7)
    digits = 1e-13 if number is np.float64 else 1e-5
    expected = graph.astype(np.float64) @ signal
    np.testing.assert_allclose(found, expected, rtol=digits, atol=digits)
    elsewhere = np.full((2, width), np.nan, dtype=number)
    multiply(29, 30, *arrays, signal, elsewhere, 1)
    assert np.array_equal(elsewhere[1], found[29])
    assert np.isnan(elsewhere[0]).all()


@pytest.mark.parametrize("number", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_sums_of_a_single_class(number: type, index: type) -> None:
    graph = triangle(91, index)
    signal = np.random.default_rng(0).standard_normal(91).astype(number)
    found = [add_single(graph.indptr, graph.indices, graph.data, signal, U(i)) for i in range(91)]
    digits = 1e-13 if number is np.float64 else 1e-5
    np.testing.assert_allclose(found, graph.astype(np.float64) @ signal, rtol=digits, atol=digits)


def test_the_first_of_the_best_classes_wins() -> None:
    scores = np.random.default_rng(0).integers(5, size=(500, 37)).astype(np.float32)
    scores[::7] = 0
    for i, row in enumerate(scores):
        assert _first_best(scores, U(i))[0] == (row.argmax() if row.any() else -1)


def recurrence(graph: np.ndarray, signal: np.ndarray, n_iter: int) -> np.ndarray:
    """Zhou et al. 2003, dense, alpha 0.5."""
    degrees = graph.sum(axis=1)
    scale = 1 / np.sqrt(np.where(degrees > 0, degrees, 1))
    step, scores = scale[:, None] * graph * scale, signal
    for _ in range(n_iter):
        scores = 0.5 * step @ scores + 0.5 * signal
    return scores


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("width", [1, 2, 3, 7, 11, 12, 30])
def test_many_seeds_and_empty_rows(width: int, index: type) -> None:
    random = np.random.default_rng(width)
    dense = random.random((300, 300)) * (random.random((300, 300)) < 0.05)
    dense = (dense + dense.T).astype(np.float32)
    dense[::5], dense[:, ::5] = 0, 0
    graph = sparse.csr_array(dense)
    graph.indices, graph.indptr = graph.indices.astype(index), graph.indptr.astype(index)
    signal = random.random((300, width)) * (random.random((300, 1)) < 0.7)
    signal = signal.astype(np.float32)
    runs = [
        propagate(graph, signal, alpha=0.5, tol=0, max_iter=4, limit=False, n_threads=n).history
        for n in (1, 2, 5)
    ]
    assert len({run.tobytes() for run in runs}) == 1
    found = runs[0][:, 4].reshape(300, width)
    np.testing.assert_allclose(found, recurrence(dense, signal, 4), rtol=1e-5, atol=1e-7)


def test_more_classes_than_two_bytes_count() -> None:
    path = np.eye(5, k=1) + np.eye(5, k=-1)
    signal = np.zeros((5, 33_000), dtype=np.float32)
    signal[0, 32_999], signal[4, 32_768] = 1, 1
    how = {"tol": 0, "max_iter": 2, "limit": False}
    labels = propagate(path, signal, history="labels", **how).history
    assert labels[:, 2].tolist() == [32_999, 32_999, 32_768, 32_768, 32_768]
    flips = propagate(path, signal, **how).flips
    assert flips.tolist() == [0.4, 0.2]


@pytest.mark.parametrize("width", [1, 2, 20])
def test_a_single_cell(width: int) -> None:
    signal = np.ones((1, width), dtype=np.float32)
    outcome = propagate(np.zeros((1, 1)), signal, alpha=0.5, tol=0, max_iter=2, limit=False)
    assert np.unique(outcome.history[:, 1:]).tolist() == [0.5]


@pytest.mark.parametrize("density", [0.01, 0.03, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_steps_are_those_of_a_shortest_path(density: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    graph = sparse.csr_array(random.random((60, 60)) * (random.random((60, 60)) < density))
    n_obs = graph.shape[0]
    steps = np.full(n_obs, -1, dtype=np.int32)
    steps[0] = 0
    for step in range(1, n_obs + 1):
        reach_further(graph.indptr, graph.indices, graph.data, steps, step)
    # scipy follows edges from a row to its columns, signals run the other way
    lengths = csgraph.dijkstra(sparse.csr_matrix(graph.T), indices=0, unweighted=True)
    assert np.array_equal(np.where(np.isinf(lengths), -1, lengths), steps)
