"""Memory is asked for before work starts, and not taken twice."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from scanpy_anim.tl import _memory, propagate


def _ring(n_obs: int) -> sparse.csr_array:
    random = np.random.default_rng(0)
    rows = np.repeat(np.arange(n_obs), 10)
    columns = (rows + random.integers(1, 200, len(rows))) % n_obs
    graph = sparse.csr_array((np.ones(len(rows), np.float32), (rows, columns)), (n_obs, n_obs))
    return sparse.csr_array(graph + graph.T).astype(np.float32)


def test_free_memory_is_known_here() -> None:
    free = _memory.free_bytes()
    assert free is not None
    assert 1e6 < free < 1e15


def test_a_history_that_does_not_fit_is_refused_before_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = _ring(1000)
    monkeypatch.setattr(_memory, "free_bytes", lambda: 100_000)
    with pytest.raises(MemoryError, match=r"404 kB \(101 columns of 4 kB\), but 100 kB are free"):
        propagate(graph, np.eye(1000)[0], tol=0, max_iter=100, limit=False)
    monkeypatch.setattr(_memory, "free_bytes", lambda: 5000)
    with pytest.raises(MemoryError, match="history='labels'"):
        propagate(graph, np.eye(1000)[0])


def test_a_way_of_unknown_length_ends_where_memory_does(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = _ring(1000)
    signal = np.eye(1000)[0]
    monkeypatch.setattr(_memory, "free_bytes", lambda: 50_000)
    outcome = propagate(graph, signal, tol=1e-30, max_iter=100)
    assert outcome.cut_short
    assert not outcome.converged
    assert outcome.history.shape[1] == 11
    assert outcome.limit is not None
    assert not propagate(graph, signal, tol=0.1, max_iter=100).cut_short


@pytest.mark.parametrize(("n_classes", "n_iter"), [(1, 18), (6, 18)])
def test_peak_memory(n_classes: int, n_iter: int) -> None:
    n_obs = 60_000
    graph = _ring(n_obs)
    signal = sparse.csr_array(np.eye(n_obs, n_classes)[:n_classes])
    signal.resize(n_obs, n_classes)
    how = {"tol": 0, "max_iter": n_iter, "limit": False}
    propagate(graph, signal, **how)
    tracemalloc.start()
    outcome = propagate(graph, signal, **how)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    allowed = outcome.history.nbytes + (3 * n_classes + 2) * 4 * n_obs
    assert peak < 1.02 * allowed
