"""Iterations whose scores float32 does not hold, against forty digits and any exponent."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

from scanpy_anim import tl
from scanpy_anim.tl import propagate

MODES: tuple[dict[str, Any], ...] = (
    {"normalization": "symmetric"},
    {"normalization": "random_walk"},
    {"normalization": "pagerank"},
    {"clamp": "hard"},
)


def _long(seed: int, *, directed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Graph in which a signal has far to go, and a signal of two classes at its start."""
    random = np.random.default_rng(seed)
    n_obs = 30
    graph = np.zeros((n_obs, n_obs))
    for k in (1, 2, 3):
        graph[np.arange(n_obs - k), np.arange(k, n_obs)] = 10.0 ** random.uniform(-3, 3, n_obs - k)
    graph += graph.T
    if directed:
        graph *= 10.0 ** random.uniform(-3, 3, graph.shape)
    signal = np.zeros((n_obs, 2))
    signal[[0, 2], [0, 1]] = 1, random.choice([1, 1e-3])
    return graph.astype(np.float32), signal.astype(np.float32)


def _iterated(
    graph: np.ndarray, signal: np.ndarray, alpha: float, n_iter: int, mode: dict[str, Any]
) -> list[np.ndarray]:
    """Scores of every iteration as Decimal."""
    number = np.vectorize(lambda value: Decimal(float(value)), otypes=[object])
    weights, y = number(graph), number(signal)
    received, sent = weights.sum(axis=1), weights.sum(axis=0)
    hard = mode.get("clamp") == "hard"
    if hard or mode["normalization"] == "random_walk":
        step = weights / received[:, None]
    elif mode["normalization"] == "pagerank":
        step = weights / sent
    else:
        root = np.array([d.sqrt() for d in received])
        step = weights / root / root[:, None]
    a, scores = Decimal(1) if hard else Decimal(alpha), [y]
    for _ in range(n_iter):
        new = a * (step @ scores[-1]) + (0 if hard else (1 - a)) * y
        scores.append(np.where(signal.any(axis=1)[:, None], y, new) if hard else new)
    return scores


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("alpha", [1e-6, 0.5, 0.99])
@pytest.mark.parametrize("size", [1, 1e-30])
def test_labels_of_faint_cells_are_right_in_every_iteration(
    mode: dict[str, Any], directed: bool, alpha: float, size: float
) -> None:
    graph, signal = _long(int(1e6 * alpha), directed=directed)
    signal *= np.float32(size)
    how: dict[str, Any] = {"alpha": alpha, "tol": 0, "max_iter": 30, **mode}
    with localcontext() as context:
        context.prec, context.Emin, context.Emax = 40, -(10**8), 10**8
        true = _iterated(graph, signal, alpha, 30, mode)
        reached = np.array([(scores > 0).any(axis=1) for scores in true])
        total = [np.where(s.any(axis=1), s.sum(axis=1), Decimal(1)) for s in true]
        shares = np.array([s / t[:, None] for s, t in zip(true, total, strict=True)], dtype=float)
    for limit in (False, True):
        codes = propagate(graph, signal, limit=limit, history="labels", **how)
        np.testing.assert_array_equal(codes.unreached, (~reached).sum(axis=1)[1:])
        labels = codes.history[:, :31].T
        np.testing.assert_array_equal(labels >= 0, reached)
        if "clamp" not in mode:  # which scales classes
            clear = reached & (np.abs(shares[..., 0] - 0.5) > 1e-4)
            np.testing.assert_array_equal(labels[clear], shares.argmax(axis=2)[clear])
            found = codes.confidence
            assert found is not None
            np.testing.assert_allclose(found[:, :31].T, shares.max(axis=2), atol=1e-5)
        scores = propagate(graph, signal, limit=limit, **how)
        stored = scores.history[:, :31].transpose(1, 0, 2)
        kept = stored.any(axis=2)
        assert not (kept & ~reached).any()
        share = stored[kept] / stored[kept].sum(axis=1, keepdims=True)
        np.testing.assert_allclose(share, shares[kept], atol=1e-4)
        if not limit:
            last = scores.scores if scores.label_scores is None else scores.label_scores
            np.testing.assert_array_equal(last.any(axis=1), reached[-1])
            share = last / np.maximum(last.sum(axis=1, keepdims=True), 1e-38)
            np.testing.assert_allclose(share, shares[-1], atol=1e-5)


def test_no_connected_cell_is_without_label_after_the_last_iteration() -> None:
    n_obs = 400
    path = sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(n_obs, n_obs), format="csr")
    for history in ("scores", "labels"):
        cells = AnnData(shape=(n_obs, 0), obsp={"connectivities": path})
        seeds = {"start": [0], "end": [n_obs - 1]}
        how = {"alpha": 0.5, "tol": 0, "max_iter": 399, "limit": False, "history": history}
        tl.label_propagation(cells, seeds, **how)
        labels = cells.obs["label_propagation"]
        assert labels.to_list() == ["start"] * 200 + ["end"] * 200
        assert cells.uns["label_propagation"]["unreached"][-1] == 0
