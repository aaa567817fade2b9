"""The published recurrences, dense and in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray


def dense(graph: Any) -> NDArray[np.float64]:
    return np.asarray(graph.todense() if sparse.issparse(graph) else graph, dtype=np.float64)


def operator(graph: Any, normalization: str) -> NDArray[np.float64]:
    """S of F <- alpha S F + (1 - alpha) Y."""
    weights = dense(graph)
    received, sent = weights.sum(axis=1), weights.sum(axis=0)
    received[received == 0] = 1
    sent[sent == 0] = 1
    if normalization == "symmetric":
        return weights / np.sqrt(np.outer(received, received))
    if normalization == "random_walk":
        return weights / received[:, None]
    return weights / sent[None, :]


def soft(
    graph: Any, signal: NDArray[Any], alpha: float, normalization: str, n_iter: int
) -> list[NDArray[np.float64]]:
    """F_0 = Y, F_t = alpha S F_(t-1) + (1 - alpha) Y."""
    step, y = operator(graph, normalization), signal.astype(np.float64)
    way = [y]
    for _ in range(n_iter):
        way.append(alpha * step @ way[-1] + (1 - alpha) * y)
    return way


def soft_limit(
    graph: Any, signal: NDArray[Any], alpha: float, normalization: str
) -> NDArray[np.float64]:
    step = operator(graph, normalization)
    return np.linalg.solve(np.eye(len(step)) - alpha * step, (1 - alpha) * signal)


def hard(
    graph: Any, signal: NDArray[Any], seeds: NDArray[Any], n_iter: int
) -> list[NDArray[np.float64]]:
    """F <- D^-1 A F, the seeds reset each step."""
    step, y = operator(graph, "random_walk"), signal.astype(np.float64)
    way = [y]
    for _ in range(n_iter):
        scores = step @ way[-1]
        scores[seeds] = y[seeds]
        way.append(scores)
    return way


def hard_limit(graph: Any, signal: NDArray[Any], seeds: NDArray[Any]) -> NDArray[np.float64]:
    """Harmonic extension on an undirected graph; zero where no seed is connected.

    There the system is singular, and a dense solver would bring up anything.
    """
    step, y = operator(graph, "random_walk"), signal.astype(np.float64)
    part = connected_components(sparse.csr_array(step > 0))[1]
    free = np.setdiff1d(np.flatnonzero(np.isin(part, part[seeds])), seeds)
    limit = y.copy()
    system = np.eye(len(free)) - step[np.ix_(free, free)]
    limit[free] = np.linalg.solve(system, step[np.ix_(free, seeds)] @ y[seeds])
    return limit
