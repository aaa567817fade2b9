"""What a coarse picture of the system does to a residual, and to how many iterations there are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import splu
from sklearn.neighbors import kneighbors_graph

from scanpy_anim.tl import _limit_coarse, propagate
from scanpy_anim.tl._limit_coarse import Coarse, coarsen
from scanpy_anim.tl._limit_system import System


def crowds(n_crowds: int = 20, size: int = 200) -> sparse.csr_array:
    """Neighbors of cells that lie in crowds, in ten dimensions."""
    random = np.random.default_rng(0)
    middles = 1.5 * random.standard_normal((n_crowds, 10))
    points = np.repeat(middles, size, axis=0) + random.standard_normal((n_crowds * size, 10))
    graph = kneighbors_graph(points, 15)
    return sparse.csr_array(graph.maximum(graph.T)).astype(np.float32)


def _system(graph: sparse.csr_array, alpha: float, held: list[int]) -> System:
    degree = np.asarray(graph.sum(axis=1), dtype=np.float64)
    degree[held] = 0
    return System(graph, degree, alpha, symmetric=True)


@pytest.mark.parametrize(("alpha", "held"), [(0.99, []), (1.0, [0, 77, 3999])])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_solutions_are_those_of_the_small_dense_system(
    alpha: float, held: list[int], dtype: type
) -> None:
    graph = crowds()
    system = _system(graph, alpha, held)
    cells = np.setdiff1d(np.arange(4000), held)
    coarse = Coarse(system, cells)
    # which part a cell is in shows when a number is handed out to each
    n_parts = coarse.n_parts
    assert 20 <= n_parts <= 40
    direction = np.zeros((4000, n_parts))
    coarse.add(np.eye(n_parts), direction)
    assert (direction[cells].sum(axis=1) == 1).all()
    assert not direction[held].any()
    matrix = np.diag(system.degree) - alpha * graph.toarray().astype(float)
    small = direction.T @ matrix @ direction
    residual = np.random.default_rng(1).standard_normal((4000, 3)).astype(dtype)
    right = direction.T @ residual
    solution, energy = coarse.solve(residual)
    wanted = np.linalg.solve(small, right)
    assert solution.dtype == dtype
    np.testing.assert_allclose(solution, wanted, atol=1e-4 * np.abs(wanted).max())
    np.testing.assert_allclose(energy, (right * wanted).sum(axis=0), rtol=1e-4)


@pytest.mark.parametrize(
    ("how", "times"), [({"alpha": 0.999}, 1.4), ({"alpha": 0.99995}, 1.4), ({"clamp": "hard"}, 1)]
)
def test_iterations_become_few_and_scores_stay_right(
    how: dict[str, object], times: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, signal = crowds(), np.zeros((4000, 3))
    signal[[0, 1500, 3900, 77], [0, 1, 2, 2]] = 1
    outcome = propagate(graph, signal, method="direct", **how)
    again = propagate(graph, signal, method="direct", n_threads=2, **how)
    np.testing.assert_array_equal(again.limit, outcome.limit)
    monkeypatch.setattr(_limit_coarse, "_WORTH_IT", np.inf)
    without = propagate(graph, signal, method="direct", **how)
    assert outcome.limit_converged
    assert 1 < times * outcome.limit_iterations < without.limit_iterations
    truth = _truth(graph.astype(np.float64), signal, how)
    np.testing.assert_allclose(outcome.limit, truth, rtol=1e-4)


def _truth(graph: sparse.csr_array, signal: np.ndarray, how: dict[str, object]) -> np.ndarray:
    """Float64 elimination by SciPy."""
    degree = np.asarray(graph.sum(axis=1))
    if how.get("clamp") == "hard":
        free = ~signal.any(axis=1)
        system = sparse.csc_matrix(sparse.diags_array(degree) - graph)
        truth = signal.copy()
        truth[free] = splu(system[free][:, free]).solve(graph[free] @ signal)
        return truth
    alpha, root = how["alpha"], np.sqrt(degree)
    step = sparse.diags_array(1 / root) @ graph @ sparse.diags_array(1 / root)
    return splu(sparse.csc_matrix(sparse.eye_array(4000) - alpha * step)).solve(
        (1 - alpha) * signal
    )


def test_a_part_that_nothing_holds_is_left_out() -> None:
    """Without a held cell the system at alpha 1 is singular."""
    graph = sparse.block_diag([crowds(), crowds()], format="csr")
    system = _system(sparse.csr_array(graph), 1.0, [5])
    found = coarsen(system, np.flatnonzero(system.degree), n_classes=10)
    assert found is None or np.isfinite(found.solve(np.ones((8000, 2)))[0]).all()
    assert coarsen(system, np.setdiff1d(np.arange(4000), 5), n_classes=10) is not None
