"""The limit against solutions with 60 digits and any exponent, in every entry."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.linalg import splu

from scanpy_anim import tl
from scanpy_anim.tl import _limit, _limit_coarse, _limit_direct, _limit_far, propagate
from scanpy_anim.tl._limit_bound import Bound
from scanpy_anim.tl._limit_system import System

# the smallest number that float32 holds with all its digits
FLOOR = 1.2e-38
ALPHAS = (1e-6, 0.01, 0.5, 0.8, 0.99, 0.9999, 1 - 1e-7)
MODES = (
    {"normalization": "symmetric"},
    {"normalization": "random_walk"},
    {"normalization": "pagerank"},
    {"clamp": "hard"},
)


def exact(
    graph: Any, signal: np.ndarray, alpha: float, digits: int = 60, **mode: str
) -> np.ndarray:
    """Scores as Decimal: elimination of the dense equations, no exchange of rows needed."""
    dense = graph.toarray()
    n, hard = len(dense), mode.get("clamp") == "hard"
    with localcontext() as context:
        context.prec, context.Emin, context.Emax = digits, -(10**9), 10**9
        number = np.vectorize(lambda value: Decimal(float(value)), otypes=[object])
        weights, y = number(dense), number(signal)
        one = Decimal(1)
        a = one if hard else Decimal(alpha)
        received, sent = weights.sum(axis=1), weights.sum(axis=0)
        received = np.array([d if d > 0 else one for d in received], dtype=object)
        returned = np.array([c == 0 for c in sent])
        sent = np.array([c if c > 0 else one for c in sent], dtype=object)
        if mode.get("normalization") == "pagerank":
            step = weights / sent[None, :]
        elif hard or mode.get("normalization") == "random_walk":
            step = weights / received[:, None]
        else:
            root = np.array([d.sqrt() for d in received], dtype=object)
            step = weights / root[:, None] / root[None, :]
        matrix = -a * step
        matrix[np.arange(n), np.arange(n)] += one
        right = (one - a) * y
        if hard:
            held = signal.any(axis=1)
            # what no seed reaches stays at zero, where the equations leave it open
            loose = ~held & ~reachable(graph, held)
            matrix[held | loose] = Decimal(0)
            matrix[held | loose, held | loose] = one
            right = np.where(held[:, None], y, Decimal(0))
        x = _eliminate(matrix, right)
        if mode.get("normalization") == "pagerank" and returned.any():
            x = x * (y.sum(axis=0) / x.sum(axis=0))[None, :]
    return x


@pytest.mark.parametrize("scale", [1e-35, 1e-10, 1.0, 2.0**24, 1e20, 1e30])
@pytest.mark.parametrize("in_blocks", [False, True])
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_cell_that_receives_nothing_counts_as_receiving_one(scale, in_blocks, mode):
    """With symmetric scaling, whatever the scale of the weights; no other mode minds it."""
    graph = np.zeros((5, 5), np.float32)
    graph[[1, 2, 2, 3, 4], [0, 0, 1, 2, 3]] = np.array([1, 3, 0.5, 2, 1]) * scale
    graph, signal = sparse.csr_array(graph), np.eye(5, 1)
    walked = graph
    if in_blocks:
        da = pytest.importorskip("dask.array")
        walked = da.from_array(graph.toarray(), chunks=(2, 5)).map_blocks(sparse.csr_array)
    found = propagate(walked, signal[:, 0], alpha=0.8, tol=0, max_iter=4, **mode)
    wanted = exact(graph, signal, 0.8, **mode)[:, 0].astype(float)
    assert found.limit_converged
    # of what float32 holds with few digits
    np.testing.assert_allclose(np.asarray(found.limit, float), wanted, rtol=1e-4, atol=1e-45)
    if mode != MODES[0]:
        return
    weights = graph.toarray().astype(float)
    root = np.sqrt(np.where(weights.sum(axis=1) > 0, weights.sum(axis=1), 1))
    scores = signal[:, 0]
    for k in range(1, 5):
        scores = 0.8 * weights @ (scores / root) / root + 0.2 * signal[:, 0]
        np.testing.assert_allclose(np.asarray(found.history)[:, k], scores, rtol=1e-5)


def _eliminate(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    matrix, right = matrix.copy(), right.copy()
    n = len(matrix)
    for k in range(n):
        for i in range(k + 1, n):
            if matrix[i, k] != 0:
                factor = matrix[i, k] / matrix[k, k]
                matrix[i, k:] = matrix[i, k:] - factor * matrix[k, k:]
                right[i] = right[i] - factor * right[k]
    for k in range(n - 1, -1, -1):
        right[k] = (right[k] - (matrix[k, k + 1 :, None] * right[k + 1 :]).sum(axis=0)) / matrix[
            k, k
        ]
    return right


def reachable(graph: Any, seeds: np.ndarray) -> np.ndarray:
    reached = seeds.copy()
    for _ in range(len(seeds)):
        reached = reached | ((graph > 0) @ reached.astype(float) > 0)
    return reached


def assert_right(limit: np.ndarray, truth: np.ndarray, rtol: float = 1e-4) -> None:
    """Every entry that float32 holds, relative to itself; what it does not hold is as small."""
    limit = limit.reshape(truth.shape)
    for found, wanted in zip(limit.ravel().tolist(), truth.ravel().tolist(), strict=True):
        if wanted >= FLOOR:
            assert abs(Decimal(found) - Decimal(wanted)) <= Decimal(rtol) * Decimal(wanted)
        else:
            assert 0 <= found <= 1.001 * FLOOR


def grid(rows: int, columns: int) -> sparse.csr_array:
    """Spots on a hexagonal grid, as Visium has them."""
    spot = np.arange(rows * columns).reshape(rows, columns)
    pairs = [(spot[:, :-1], spot[:, 1:]), (spot[:-1], spot[1:]), (spot[:-1, 1:], spot[1:, :-1])]
    left, right = (np.concatenate([pair[k].ravel() for pair in pairs]) for k in (0, 1))
    return linked(rows * columns, left, right, np.ones(len(left)))


def path(n: int) -> sparse.csr_array:
    return linked(n, np.arange(n - 1), np.arange(1, n), np.ones(n - 1))


def linked(n: int, left: Any, right: Any, weights: Any, directed: bool = False) -> sparse.csr_array:
    graph = sparse.csr_array(sparse.coo_array((weights, (left, right)), shape=(n, n)))
    graph.setdiag(0)
    graph.eliminate_zeros()
    return sparse.csr_array(graph if directed else graph + graph.T).astype(np.float32)


def neighbors(n: int, k: int, dimensions: int, random: np.random.Generator) -> sparse.csr_array:
    points = random.random((n, dimensions))
    far = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    nearest = np.argsort(far, axis=1)[:, 1 : k + 1]
    return linked(n, np.repeat(np.arange(n), k), nearest.ravel(), np.ones(n * k))


@st.composite
def shapes(draw: Any) -> sparse.csr_array:
    """Graphs of many shapes, weights over up to twelve orders."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(2, 22))
    kind = draw(st.sampled_from(["path", "star", "tree", "grid", "random", "parts", "bipartite"]))
    later = np.arange(1, n)
    if kind == "path":
        left, right = later - 1, later
    elif kind == "star":
        left, right = np.zeros(n - 1, dtype=int), later
    elif kind == "tree":
        left, right = random.integers(0, later), later
    elif kind == "grid":
        pattern = sparse.coo_array(grid(max(1, n // 4), 4))
        n, left, right = pattern.shape[0], *pattern.coords
    else:
        left, right = random.integers(0, n, (2, 3 * n))
        if kind == "parts":
            right = np.where(left < n // 2, right % max(1, n // 2), right)
        elif kind == "bipartite":
            left, right = 2 * (left // 2), np.minimum(2 * (right // 2) + 1, n - 1)
    orders = draw(st.sampled_from([0, 1, 3, 6]))
    weights = 10 ** random.uniform(-orders, orders, len(left))
    return linked(n, left, right, weights, directed=draw(st.booleans()))


def _two_classes(n: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    signal = np.zeros((n, 2))
    signal[random.integers(0, n), 0] = 1
    signal[random.integers(0, n), 1] = 3
    return signal


@pytest.mark.parametrize("solver", ["elimination", "krylov", "coarse"])
@settings(max_examples=40, deadline=None)
@given(
    graph=shapes(),
    seed=st.integers(0, 1000),
    alpha=st.sampled_from(ALPHAS),
    mode=st.sampled_from(MODES),
)
def test_every_entry_is_right(
    solver: str, graph: sparse.csr_array, seed: int, alpha: float, mode: dict[str, str]
) -> None:
    signal = _two_classes(graph.shape[0], seed)
    if mode.get("clamp") == "hard" and signal.any(axis=1).all():
        signal[0] = 0
    with pytest.MonkeyPatch.context() as patch:
        if solver != "elimination":
            patch.setattr(_limit_direct, "_FEW", 0)
            patch.setattr(_limit_direct, "_MOST_FILL", -1)
            patch.setattr(_limit, "MOST_CELLS", 0)
        if solver == "coarse":
            patch.setattr(_limit_coarse, "_WORTH_IT", 0)
            patch.setattr(_limit_coarse, "_FEWEST_CELLS", 4)
            patch.setattr(_limit_coarse, "_FEWEST_PARTS", 1)
        outcome = propagate(graph, signal, alpha=alpha, method="direct", **mode)
    truth = exact(graph, signal, alpha, **mode)
    if solver == "elimination":
        assert outcome.limit_converged
    if outcome.limit_converged:
        assert_right(outcome.limit, truth)
        scores = outcome.limit if outcome.label_scores is None else outcome.label_scores
        _assert_shares(scores, truth)


def _assert_shares(scores: np.ndarray, truth: np.ndarray) -> None:
    """Of each cell that a seed reaches, and of no other."""
    for row, wanted in zip(scores.astype(float), truth, strict=True):
        total = sum(wanted)
        assert (row.sum() > 0) == (total > 0)
        if total > 0:
            shares = [float(value / total) for value in wanted]
            np.testing.assert_allclose(row / row.sum(), shares, atol=2e-4)


def _splu(graph: Any, signal: np.ndarray, alpha: float) -> np.ndarray:
    """Float64 elimination by SciPy, symmetric scaling; nothing here is below 1e-290."""
    weights = sparse.csr_array(graph).astype(float)
    root = np.sqrt(weights.sum(axis=1))
    step = sparse.diags_array(1 / root) @ weights @ sparse.diags_array(1 / root)
    system = sparse.csc_matrix(sparse.eye_array(len(root)) - alpha * step)
    return splu(system).solve((1 - alpha) * signal)


def test_spots_far_from_the_seeds() -> None:
    """Scores over 23 orders of magnitude, on a grid of 22,500 spots."""
    graph, signal = grid(150, 150), np.zeros((22500, 3))
    signal[[0, 149, 75], [0, 1, 2]] = 1
    outcome = propagate(graph, signal, method="direct")
    assert outcome.limit_converged
    np.testing.assert_allclose(outcome.limit, _splu(graph, signal, 0.99), rtol=1e-5)


@pytest.mark.parametrize("alpha", [0.8, 0.99, 1e-6])
def test_every_connected_spot_has_a_label(alpha: float) -> None:
    """As many spots as Visium has, with scores down to 1e-1000 at the smallest alpha."""
    adata = AnnData(np.zeros((78 * 64, 1), dtype=np.float32))
    adata.obsp["grid"] = grid(78, 64)
    tl.label_propagation(adata, {"A": [0], "B": [1]}, obsp="grid", alpha=alpha, method="direct")
    assert adata.obs["label_propagation"].notna().all()
    assert adata.uns["label_propagation"]["converged"]
    if alpha > 0.1:
        truth = _splu(adata.obsp["grid"], np.eye(78 * 64)[:, :2], alpha)
        confidence = truth.max(axis=1) / truth.sum(axis=1)
        np.testing.assert_allclose(adata.obs["label_propagation_confidence"], confidence, rtol=1e-4)


@pytest.mark.parametrize("alpha", [0.9999, 0.99999, 1 - 1e-7, 1 - 1e-9])
@pytest.mark.parametrize("normalization", ["symmetric", "random_walk", "pagerank"])
@pytest.mark.parametrize("solver", ["elimination", "krylov"])
def test_alpha_close_to_one(
    alpha: float, normalization: str, solver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if solver == "krylov":
        monkeypatch.setattr(_limit_direct, "_FEW", 0)
        monkeypatch.setattr(_limit_direct, "_MOST_FILL", -1)
        monkeypatch.setattr(_limit, "MOST_CELLS", 0)
    random = np.random.default_rng(1)
    pairs = random.integers(0, 60, (2, 500))
    graph = linked(60, *pairs, random.random(500)) + path(60)
    signal = np.eye(60)[:, [3, 30]]
    how = {"alpha": alpha, "normalization": normalization}
    outcome = propagate(graph, signal, method="direct", **how)
    assert outcome.limit_converged
    assert_right(outcome.limit, exact(graph, signal, **how))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("tiny", [1e-40, 1e-38, 1e-20, 1e20, 1e37])
def test_weights_of_one_cell_far_from_the_others(mode: dict[str, str], tiny: float) -> None:
    weights = np.ones((6, 6)) - np.eye(6)
    weights[0] *= tiny
    weights[:, 0] = weights[0]
    graph = sparse.csr_array(weights.astype(np.float32))
    signal = np.eye(6)[:, [1, 2]]
    outcome = propagate(graph, signal, alpha=0.99, method="direct", **mode)
    assert outcome.limit_converged
    assert_right(outcome.limit, exact(graph, signal, 0.99, **mode))


@st.composite
def far_apart(draw: Any) -> sparse.csr_array:
    """Small graphs of weights from 1e-37 to 1e37, directed or not, loops included."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, orders = draw(st.integers(3, 14)), draw(st.sampled_from([12, 25, 37]))
    weights = 10 ** random.uniform(-orders, orders, (n, n))
    weights[random.random((n, n)) < draw(st.sampled_from([0.3, 0.7]))] = 0
    # none that sends to nobody, which the dense equations know nothing of
    weights[(np.arange(n) + 1) % n, np.arange(n)] = 10 ** random.uniform(-orders, orders, n)
    if not draw(st.booleans()):
        weights = np.triu(weights)
        weights = weights + weights.T
    return sparse.csr_array(weights.astype(draw(st.sampled_from([np.float32, np.float64]))))


@settings(max_examples=60, deadline=None)
@given(
    graph=far_apart(),
    seed=st.integers(0, 1000),
    size=st.sampled_from([1e-30, 1, 1e30]),
    alpha=st.sampled_from([1e-6, 0.5, 0.99, 1 - 1e-7, 1 - 1e-12]),
    mode=st.sampled_from(MODES),
)
def test_weights_over_seventy_orders(
    graph: sparse.csr_array, seed: int, size: float, alpha: float, mode: dict[str, str]
) -> None:
    signal = _two_classes(graph.shape[0], seed).astype(np.float32) * np.float32(size)
    truth = exact(graph, signal, alpha, digits=200, **mode)
    if max(float(truth.max()), _largest_iterate(graph, signal, alpha, mode)) > 3.4e38:
        with pytest.raises(ValueError, match="beyond float32"):
            propagate(graph, signal, alpha=alpha, tol=0, max_iter=5, **mode)
        return
    outcome = propagate(graph, signal, alpha=alpha, tol=0, max_iter=5, **mode)
    assert np.isfinite(outcome.history).all()
    assert outcome.limit_converged
    assert_right(outcome.limit, truth)


def _largest_iterate(
    graph: sparse.csr_array, signal: np.ndarray, alpha: float, mode: dict[str, str]
) -> float:
    """Largest score of five iterations in float64, where scaling lets scores grow."""
    if mode != {"normalization": "symmetric"}:
        return 0.0
    dense = graph.toarray().astype(np.float64)
    received = dense.sum(axis=1)
    root = np.sqrt(np.where(received > 0, received, 1))
    step = dense / root[:, None] / root[None, :]
    seeds = signal.astype(np.float64)
    scores, largest = seeds, seeds.max()
    for _ in range(5):
        scores = alpha * (step @ scores) + (1 - alpha) * seeds
        largest = max(largest, scores.max())
    return float(largest)


def test_parts_of_weights_that_float32_does_not_hold_beside_each_other() -> None:
    """Two cliques, of 1e38 and of 1e-38: each is as if it were alone."""
    clique = np.ones((6, 6)) - np.eye(6)
    graph = np.kron(np.diag([1e38, 1e-38]), clique)
    signal = np.eye(12)[:, [0, 6]]
    for dtype in (np.float32, np.float64):
        outcome = propagate(graph.astype(dtype), signal, tol=0, max_iter=30)
        for part in (slice(0, 6), slice(6, 12)):
            alone = propagate(clique, signal[part], tol=0, max_iter=30)
            np.testing.assert_allclose(outcome.history[part], alone.history, rtol=1e-5)
    with pytest.raises(ValueError, match="graph: weights from 1e-39 to 1e"):
        propagate(np.kron(np.diag([1e39, 1e-39]), clique), signal)


def test_a_leak_below_rounding_is_not_called_converged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group joined to the held seeds by 1e-20 of its weights, which a pivot cannot hold."""
    weights = np.ones((8, 8)) - np.eye(8)
    weights[0, 1] = weights[1, 0] = weights[7, 6] = weights[6, 7] = 1e-20
    weights[0, 2:] = weights[2:, 0] = weights[7, :6] = weights[:6, 7] = 0
    weights[0, 1], weights[1, 0] = 3e-20, 3e-20
    graph = sparse.csr_array(weights)
    signal = np.eye(8)[:, [0, 7]]
    outcome = propagate(graph, signal, clamp="hard", method="direct")
    assert outcome.limit_converged
    np.testing.assert_allclose(outcome.limit[1:7], [[0.75, 0.25]] * 6, rtol=1e-5)
    monkeypatch.setattr(_limit, "MOST_CELLS", 0)
    assert not propagate(graph, signal, clamp="hard", method="direct").limit_converged


def test_a_directed_part_with_small_weights_is_seen() -> None:
    """Next to an undirected one of large weights, a million times larger."""
    random = np.random.default_rng(0)
    n = 30
    dense = np.zeros((2 * n, 2 * n))
    half = random.random((n, n)) * (random.random((n, n)) < 0.3)
    dense[:n, :n] = (half + half.T) * 1e6
    dense[n:, n:] = (random.random((n, n)) < 0.1) * random.random((n, n))
    dense[n + np.arange(n), n + (np.arange(n) + 1) % n] = 1
    dense[n, 0] = 0.5
    graph = sparse.csr_array(dense.astype(np.float32))
    signal = np.zeros((2 * n, 2))
    signal[3, 0] = signal[n + 7, 1] = 1
    outcome = propagate(graph, signal, method="direct")
    assert outcome.limit_converged
    assert_right(outcome.limit, exact(graph, signal, 0.99))


@pytest.mark.parametrize(("alpha", "n"), [(1e-6, 300), (1e-6, 2000), (0.5, 6000), (0.99, 6000)])
def test_a_long_path_is_labelled_to_its_ends(alpha: float, n: int) -> None:
    """Scores down to 1e-6000; the middle is where they are equal."""
    signal = np.zeros((n, 2))
    signal[0, 0] = signal[-1, 1] = 1
    outcome = propagate(path(n), signal, alpha=alpha, method="direct")
    assert outcome.limit_converged
    assert outcome.label_scores is not None
    labels = outcome.label_scores.argmax(axis=1)
    np.testing.assert_array_equal(labels, np.arange(n) >= n // 2)
    # from step to step the score of an endless path falls by this factor
    root = (1 - np.sqrt((1 - alpha) * (1 + alpha))) / alpha
    middle = outcome.label_scores[n // 2 - 2 : n // 2]
    share = middle[:, 1] / middle.sum(axis=1)
    odds = root ** np.array([3.0, 1.0])
    np.testing.assert_allclose(share, odds / (1 + odds), rtol=1e-4, atol=1e-8)


def test_a_very_long_path_is_solved_piece_by_piece() -> None:
    n = 60_000
    outcome = propagate(path(n), np.c_[np.eye(n, 1), np.eye(n, 1)], alpha=0.9, method="direct")
    assert outcome.limit_converged
    assert (outcome.label_scores > 0).all()
    np.testing.assert_allclose(outcome.label_scores[:, 0], outcome.label_scores[:, 1])


def test_a_crowd_with_a_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only the tail can be eliminated, and each class is small where the other is large."""
    monkeypatch.setattr(_limit_direct, "_FEW", 0)
    monkeypatch.setattr(_limit_direct, "_STEPS", 10**6)
    monkeypatch.setattr(_limit_direct, "_MOST_OPERATIONS", 5e6)
    crowd, tail = neighbors(600, 15, 8, np.random.default_rng(0)), path(401)
    dense = np.zeros((1000, 1000), dtype=np.float32)
    dense[:600, :600] = crowd.toarray()
    dense[599:, 599:] += tail.toarray()
    graph = sparse.csr_array(dense)
    signal = np.zeros((1000, 2))
    signal[0, 0] = signal[999, 1] = 1
    assert not _limit_direct.is_affordable(_system(graph))
    assert _limit_direct.is_affordable(_system(tail))
    outcome = propagate(graph, signal, alpha=0.9, method="direct")
    assert outcome.limit_converged
    truth = _splu(graph, signal, 0.9)
    there = truth > FLOOR
    np.testing.assert_allclose(outcome.limit[there], truth[there], rtol=1e-4)
    assert truth.min() < 1e-60
    assert outcome.limit[~there].max() <= FLOOR


@pytest.mark.parametrize("alpha", [0.01, 0.5])
def test_a_lattice_is_solved_by_iterations_piece_by_piece(
    alpha: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose factors would be large, while scores fall by dozens of orders."""
    monkeypatch.setattr(_limit_direct, "_MOST_FILL", -1)
    monkeypatch.setattr(_limit_far, "_MANY", 1000)
    side = sparse.csr_array(path(15))
    one = sparse.eye_array(15)
    lattice = sparse.csr_array(
        sparse.kron(sparse.kron(side, one), one)
        + sparse.kron(sparse.kron(one, side), one)
        + sparse.kron(sparse.kron(one, one), side)
    ).astype(np.float32)
    signal = np.eye(15**3)[:, [0, 1700]]
    outcome = propagate(lattice, signal, alpha=alpha, method="direct")
    assert outcome.limit_converged
    truth = _splu(lattice, signal, alpha)
    there = truth > FLOOR
    np.testing.assert_allclose(outcome.limit[there], truth[there], rtol=1e-4)


def _system(graph: sparse.csr_array) -> System:
    return System(graph, np.asarray(graph.sum(axis=1), dtype=float), 0.9, symmetric=True)


@pytest.mark.parametrize("solver", ["elimination", "krylov"])
def test_classes_of_a_hard_clamping_share_every_cell_out(
    solver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if solver == "krylov":
        monkeypatch.setattr(_limit_direct, "_STEPS", 10**6)
        monkeypatch.setattr(_limit_direct, "_MOST_FILL", -1)
    signal = np.zeros((30 * 40, 3))
    signal[[0, 39, 700, 1100], [0, 1, 2, 2]] = 1
    outcome = propagate(grid(30, 40), signal, clamp="hard", method="direct")
    assert outcome.limit_converged
    np.testing.assert_allclose(outcome.limit.sum(axis=1), 1, rtol=0, atol=1e-5)


def test_a_signal_of_both_signs_is_the_difference_of_two() -> None:
    graph = grid(5, 6)
    signal = np.zeros(30)
    signal[[2, 7, 20]] = 1, -2, 0.5
    limit = propagate(graph, signal, method="direct").limit
    truth = exact(graph, signal[:, None], 0.99).astype(float)[:, 0]
    np.testing.assert_allclose(limit, truth, rtol=1e-3)


@settings(max_examples=30, deadline=None)
@given(
    graph=shapes(),
    seed=st.integers(0, 1000),
    alpha=st.sampled_from([0.5, 0.99, 0.9999]),
    wrong=st.sampled_from([1e-6, 1e-3]),
)
def test_no_error_is_above_its_bound(
    graph: sparse.csr_array, seed: int, alpha: float, wrong: float
) -> None:
    """Errors put in at random, each within what the residuals allow."""
    random = np.random.default_rng(seed)
    n = graph.shape[0]
    received = np.asarray(graph.sum(axis=1), dtype=float)
    received[received == 0] = 1
    matrix = np.diag(received) - alpha * graph.toarray().astype(float)
    signal = _two_classes(n, seed)[:, 0]
    truth = exact(graph, signal[:, None], alpha, normalization="random_walk")[:, 0]
    truth = truth.astype(float)
    reached = truth > 1e-250
    x = truth * (1 + wrong * random.standard_normal(n))
    residual = np.abs((1 - alpha) * received * signal - matrix @ x)
    rho = (residual[reached] / (received * x)[reached]).max()
    bound = Bound(-1 / np.log(alpha), 0.0, 1e-4)
    steps = bound.steps * bound.span(np.log(x.max() / x[reached]))
    error = np.abs(x / np.where(reached, truth, 1) - 1)[reached]
    slack = 1 + 2 * wrong * steps  # the bound is of first order
    assert (error <= rho * steps * slack + 1e-12).all()


@pytest.mark.parametrize("alpha", [0.5, 0.99])
def test_residuals_that_all_point_one_way_are_not_called_right(alpha: float) -> None:
    """Each within what an entry's own way back to the seed allows: they add up along it."""
    n = 240
    graph = linked(n, np.arange(n - 1), np.arange(1, n), np.ones(n - 1))
    received = np.asarray(graph.sum(axis=1), dtype=float)
    signal = np.eye(n)[:, :1]
    truth = exact(graph, signal, alpha, normalization="random_walk").astype(float)[:, 0]
    bound = Bound(-1 / np.log(alpha), 0.0, 9e-5)
    own = 9e-5 / (bound.steps * bound.span(np.log(truth.max() / truth)))
    step = alpha * graph.toarray().astype(float) * truth / (received * truth)[:, None]
    error = np.linalg.solve(np.eye(n) - step, own)
    assert error.max() > 1e-4
    system = System(graph, received, alpha, symmetric=True)
    for share, wrong in ((1.0, True), (0.005, False)):
        x = (truth * (1 + share * error))[:, None]
        right = (1 - alpha) * received[:1, None]
        residual = system.true_residual(np.array([0]), right, x)
        assert system.rough(bound, x, residual).any() == wrong


@pytest.mark.parametrize("directed", [False, True])
def test_cells_with_a_path_are_not_called_unreached(directed: bool) -> None:
    """Ten steps away a score is 1e-70 already, and there is no path to the last three cells."""
    n = 30
    graph = linked(n, np.arange(n - 4), np.arange(1, n - 3), np.ones(n - 4), directed=directed)
    graph = sparse.csr_array(graph.T)  # rows receive
    how = {"alpha": 1e-6, "tol": 0, "max_iter": 40}
    outcome = propagate(graph, np.eye(n)[:, [0, 0]], **how)
    np.testing.assert_array_equal(outcome.unreached, np.maximum(n - 1 - np.arange(1, 41), 3))
