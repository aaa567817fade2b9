"""Scores that float32 cannot hold are refused before work, others are right: float64 says which."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from scanpy_anim.tl import _peak, _range, propagate
from tests.tl.test_limit import exact


def _directed(seed: int, span: float) -> np.ndarray:
    """Strongly connected graph whose weights span twice so many orders of magnitude."""
    random = np.random.default_rng(seed)
    n_obs = int(random.integers(3, 12))
    graph = 10.0 ** random.uniform(-span, span, (n_obs, n_obs))
    graph *= random.random((n_obs, n_obs)) < 0.3
    ring = np.arange(n_obs)
    graph[(ring + 1) % n_obs, ring] += 10.0 ** random.uniform(-span, span, n_obs)
    return graph


@pytest.mark.parametrize("span", [3, 12, 24, 37])
@pytest.mark.parametrize("size", [1, 1e30])
@pytest.mark.parametrize("alpha", [0.01, 0.8, 0.99])
def test_directed_graphs_with_symmetric_scaling(span: float, size: float, alpha: float) -> None:
    for seed in range(4):
        graph = _directed(seed, span)
        signal = np.zeros((len(graph), 2))
        signal[[0, 1], [0, 1]] = 1, size
        root = np.sqrt(graph.sum(axis=1))
        walk = graph / root[:, None] ** 2
        # in units in which nothing grows
        small, history = signal / root[:, None], [signal / root[:, None]]
        for _ in range(20):
            history.append(alpha * walk @ history[-1] + (1 - alpha) * small)
        limit = exact(sparse.csr_array(graph), signal, alpha, normalization="symmetric")
        way = np.stack(history, axis=1) * root[:, None, None]
        true = np.concatenate([way, limit.astype(np.float64)[:, None]], axis=1)
        if true.max() > 3.4e38:
            with pytest.raises(ValueError, match=r"scores of this signal .*, beyond float32"):
                propagate(graph, signal, alpha=alpha, tol=0, max_iter=20)
            continue
        outcome = propagate(graph, signal, alpha=alpha, tol=0, max_iter=20)
        assert np.isfinite(outcome.history).all()
        assert outcome.limit_converged
        held = true > 1.2e-36
        np.testing.assert_allclose(outcome.history[held], true[held], rtol=2e-4)
        # what is too small may be stored as 0
        assert (outcome.history[~held] <= 1.3e-36).all()


def test_ordinary_signals_may_leave_float32_too() -> None:
    graph = np.zeros((3, 3))
    graph[0, 1] = graph[1, 2] = 1e-37
    graph[2, 0] = 1e37
    signal = np.eye(3)[0] * 1e6
    with pytest.raises(ValueError, match=r"may reach 1e\+43, beyond float32"):
        propagate(graph, signal, alpha=0.99999)


def test_a_history_that_does_not_fit_is_refused_before_scores_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def try_out(*_: object) -> float:
        pytest.fail("tried")

    graph = np.zeros((3, 3))
    graph[0, 1] = graph[1, 2] = 1e-37
    graph[2, 0] = 1e37
    signal = np.eye(3)[0] * 1e6
    monkeypatch.setattr(_range, "_largest", try_out)
    with pytest.raises(pytest.fail.Exception, match="tried"):
        propagate(graph, signal, tol=0, max_iter=20)
    monkeypatch.setattr(_peak, "free_bytes", lambda: 10**8)
    with pytest.raises(MemoryError, match="the history would take"):
        propagate(graph, signal, tol=0, max_iter=10**8)
