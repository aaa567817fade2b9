"""Graphs in blocks against the same graphs in memory, on both of Dask's kinds of scheduler."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from scanpy_anim.tl import _blocks, propagate

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import StringIO


@pytest.fixture(autouse=True)
def _a_block_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of a few rows are blocks of their own, as large ones are."""
    monkeypatch.setattr("scanpy_anim.tl._blocks._ROWS", 1)


def in_blocks(graph: Any, sizes: Any) -> Any:
    """Dask array of CSR chunks of so many rows."""
    import dask

    ends = np.cumsum(sizes)
    parts = [
        da.from_delayed(
            dask.delayed(sparse.csr_matrix(graph[end - size : end])),
            shape=(int(size), graph.shape[1]),
            dtype=graph.dtype,
            meta=sparse.csr_matrix((0, 0), dtype=graph.dtype),
        )
        for size, end in zip(sizes, ends, strict=True)
    ]
    return da.concatenate(parts)


def neighbor_graph(n_obs: int, seed: int, *, symmetric: bool = True) -> sparse.csr_matrix:
    """Each cell with a few others, near ones for the most part."""
    random = np.random.default_rng(seed)
    near = np.arange(n_obs)[:, None] + random.integers(-4, 5, size=(n_obs, 4))
    columns = np.c_[near % n_obs, random.integers(n_obs, size=(n_obs, 1))]
    rows = np.repeat(np.arange(n_obs), 5)
    weights = random.random(5 * n_obs).astype(np.float32) + np.float32(0.01)
    graph = sparse.coo_matrix((weights, (rows, columns.ravel())), shape=(n_obs, n_obs)).tocsr()
    return sparse.csr_matrix((graph + graph.T) / 2) if symmetric else graph


def seed_signal(n_obs: int, n_classes: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    signal = np.zeros((n_obs, n_classes))
    cells = random.permutation(n_obs)[: 2 * n_classes]
    signal[cells, np.arange(2 * n_classes) % n_classes] = random.random(2 * n_classes) + 0.5
    return signal


def relative(found: Any, wanted: Any) -> float:
    """Largest relative difference of a column, in its norm."""
    found, wanted = (np.asarray(a, dtype=float).reshape(len(a), -1) for a in (found, wanted))
    norm = np.linalg.norm(wanted, axis=0)
    difference = np.linalg.norm(found - wanted, axis=0)
    return float(
        (difference[norm > 0] / norm[norm > 0]).max(initial=difference[norm == 0].max(initial=0))
    )


def require_same(found: Any, wanted: Any, *, limit: float = 1e-5) -> None:
    """Same way within 1e-6 a column, and the same numbers beside it."""
    np.testing.assert_array_equal(found.iterations, wanted.iterations)
    history = np.asarray(found.history)
    last = len(wanted.iterations) - bool(np.isinf(wanted.iterations[-1]))
    assert history.shape == wanted.history.shape
    assert history.dtype == wanted.history.dtype
    assert relative(history[:, :last], wanted.history[:, :last]) < 1e-6
    if wanted.limit is not None:
        assert relative(found.scores, wanted.scores) < limit
    np.testing.assert_allclose(found.residuals, wanted.residuals, rtol=1e-3, atol=1e-12)
    np.testing.assert_array_equal(found.unreached, wanted.unreached)
    np.testing.assert_allclose(found.flips, wanted.flips, atol=2.5 / len(history))
    assert found.converged == wanted.converged


@st.composite
def chunkings(draw: st.DrawFn, n_obs: int) -> list[int]:
    cuts = draw(st.lists(st.integers(1, n_obs - 1), unique=True, max_size=6))
    return np.diff([0, *sorted(cuts), n_obs]).tolist()


MODES = [
    {"normalization": "symmetric"},
    {"normalization": "random_walk"},
    {"normalization": "pagerank"},
    {"clamp": "hard"},
]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.data(),
    st.integers(12, 90),
    st.integers(0, 10**6),
    st.integers(1, 4),
    st.sampled_from(MODES),
    st.sampled_from([0.5, 0.9, 0.99]),
    st.booleans(),
    st.booleans(),
)
def test_any_chunking_gives_the_scores_of_the_graph_in_memory(
    data: st.DataObject,
    n_obs: int,
    seed: int,
    n_classes: int,
    mode: dict[str, Any],
    alpha: float,
    symmetric: bool,
    limit: bool,
) -> None:
    graph = neighbor_graph(n_obs, seed, symmetric=symmetric)
    signal = seed_signal(n_obs, n_classes, seed)
    blocks = in_blocks(graph, data.draw(chunkings(n_obs)))
    together = data.draw(st.sampled_from([1, 20, 1000]))
    how = {"alpha": alpha, "tol": 1e-4, "limit": limit, **mode}
    wanted = propagate(graph, signal, **how)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanpy_anim.tl._blocks._ROWS", together)
        found = propagate(blocks, signal, **how)
    require_same(found, wanted)
    if n_classes > 1:
        assert_same_labels(found.scores, wanted.scores)


def assert_same_labels(found: np.ndarray, wanted: np.ndarray) -> None:
    """The same best class, but where two are as good as each other."""
    best = np.sort(wanted, axis=1)
    clear = best[:, -1] - best[:, -2] > 1e-5 * best[:, -1]
    np.testing.assert_array_equal(found.argmax(axis=1)[clear], wanted.argmax(axis=1)[clear])


@pytest.mark.parametrize("mode", MODES)
def test_labels_are_kept_as_in_memory(mode: dict[str, Any]) -> None:
    graph, signal = neighbor_graph(500, 1), seed_signal(500, 3, 2)
    how = {"history": "labels", "alpha": 0.9, "iterations": "log", **mode}
    wanted = propagate(graph, signal, **how)
    found = propagate(in_blocks(graph, [100, 1, 399]), signal, **how)
    np.testing.assert_array_equal(found.history, wanted.history)
    np.testing.assert_allclose(found.confidence, wanted.confidence, rtol=1e-4)
    assert relative(found.scores, wanted.scores) < 1e-5
    np.testing.assert_array_equal(found.unreached, wanted.unreached)


def test_cells_without_a_path_are_counted_as_in_memory() -> None:
    # a chain and an island, with a row without neighbours
    graph = sparse.diags([np.r_[np.ones(20), 0, np.ones(18)]] * 2, [1, -1]).tocsr()[:40, :40]
    signal = np.zeros(40)
    signal[3] = 1
    how = {"tol": 0, "max_iter": 25, "alpha": 0.5}
    wanted = propagate(graph, signal, **how)
    found = propagate(in_blocks(graph, [7, 13, 20]), signal, **how)
    np.testing.assert_array_equal(found.unreached, wanted.unreached)
    assert found.unreached[-1] > 0


@pytest.mark.parametrize("scale", [1e-30, 3e-9, 1e9])
def test_weights_and_signals_of_any_size(scale: float) -> None:
    graph, signal = neighbor_graph(200, 3).astype(np.float64) * scale, seed_signal(200, 2, 4)
    wanted = propagate(graph, signal / scale, alpha=0.9)
    found = propagate(in_blocks(graph, [150, 50]), signal / scale, alpha=0.9)
    require_same(found, wanted)


def test_signals_of_both_signs() -> None:
    graph, signal = neighbor_graph(300, 5), seed_signal(300, 1, 6)
    signal[np.flatnonzero(signal)[0]] *= -1
    require_same(
        propagate(in_blocks(graph, [10, 290]), signal, alpha=0.9),
        propagate(graph, signal, alpha=0.9),
    )


@pytest.mark.parametrize("history", ["scores", "labels"])
@pytest.mark.parametrize("limit", [True, False])
@pytest.mark.parametrize("clamp", ["soft", "hard"])
def test_classes_take_turns_where_memory_is_short(
    history: str, limit: bool, clamp: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, signal = neighbor_graph(400, 7), seed_signal(400, 5, 8)
    how = {"history": history, "limit": limit, "alpha": 0.9, "clamp": clamp}
    wanted = propagate(graph, signal, **how)
    # room for two classes on the way and one in the limit
    room = 400 * (8 * 2 + 18 + 2) / 0.8 if not limit else 400 * (52 + 26 + 2) / 0.8
    monkeypatch.setattr("scanpy_anim.tl._block_plan.free_bytes", lambda: room)
    found = propagate(in_blocks(graph, [123, 277]), signal, **how)
    if history == "scores":
        require_same(found, wanted)
    else:
        np.testing.assert_array_equal(np.asarray(found.history), wanted.history)
    assert relative(np.asarray(found.scores), wanted.scores) < 1e-5


@pytest.mark.parametrize("chunks_a_block", [1, 3])
def test_columns_are_added_up_alike_whoever_comes_first(
    chunks_a_block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks have columns in common, and are done on several threads at once."""
    random = np.random.default_rng(4)
    n_obs, n_rows = 900, 50 * chunks_a_block
    # of so many digits that a sum depends on its order
    weights = (10 ** (-8 * random.random(n_obs * 20))).astype(np.float32)
    columns = random.integers(n_obs - 1, size=n_obs * 20)
    ends = np.arange(n_obs + 1) * 20
    graph = sparse.csr_matrix((weights, columns, ends), shape=(n_obs, n_obs))
    wanted = np.zeros(n_obs)
    for first in range(0, n_obs, n_rows):
        part, own = np.zeros(n_obs), slice(first * 20, (first + n_rows) * 20)
        np.add.at(part, columns[own], weights[own].astype(np.float64))
        wanted += part
    assert wanted[-1] == 0
    monkeypatch.setattr("scanpy_anim.tl._blocks._ROWS", n_rows)
    others, adding = threading.Event(), threading.Lock()
    add_columns = _blocks.add_columns

    def late(block: Any, block_info: Any = None) -> Any:
        number = block_info[0]["chunk-location"][0]
        if number == n_obs // 50 - 1:
            others.set()
        if number == 0:
            others.wait(0.2)
        return block

    def add(*how: Any) -> None:
        assert adding.acquire(blocking=False), "two blocks are added at once"
        add_columns(*how)
        adding.release()

    monkeypatch.setattr(_blocks, "add_columns", add)
    blocks = _blocks.BlockGraph(
        in_blocks(graph, [50] * (n_obs // 50)).map_blocks(late, dtype="float32"), "graph"
    )
    with dask.config.set(scheduler="threads", num_workers=8):
        blocks.look()
        others.clear()
        found = np.ldexp(blocks.column_sums(), blocks.exponent)
    np.testing.assert_array_equal(found, wanted)


def test_memory_that_does_not_do_is_refused_before_work(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = in_blocks(neighbor_graph(100, 7), [100])
    monkeypatch.setattr("scanpy_anim.tl._block_plan.free_bytes", lambda: 1000)
    with pytest.raises(MemoryError, match="the vectors of one class take"):
        propagate(graph, seed_signal(100, 2, 0))


def test_more_memory_is_asked_for_where_the_graph_is_directed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Conjugate gradients need a symmetric one; what else there is has more vectors."""
    monkeypatch.setattr("scanpy_anim.tl._block_plan.free_bytes", lambda: 120 * 100)
    signal = seed_signal(100, 1, 0)
    propagate(in_blocks(neighbor_graph(100, 7), [100]), signal, alpha=0.9)
    directed = in_blocks(neighbor_graph(100, 7, symmetric=False), [100])
    with pytest.raises(MemoryError, match=r"on 100 cells for the limit.*limit=False"):
        propagate(directed, signal, alpha=0.9)
    propagate(directed, signal, alpha=0.9, limit=False)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.mark.parametrize("mode", MODES)
def test_a_cluster_gives_the_scores_of_memory(client: Any, mode: dict[str, Any]) -> None:
    graph, signal = neighbor_graph(600, 9), seed_signal(600, 2, 10)
    wanted = propagate(graph, signal, alpha=0.9, **mode)
    found = propagate(in_blocks(graph, [250, 250, 100]), signal, alpha=0.9, **mode)
    require_same(found, wanted)


def test_weights_of_more_digits_than_are_multiplied_with_are_added_up_as_these() -> None:
    """With hard clamping what a sum is wrong by comes back many times."""
    random = np.random.default_rng(1)
    graph = neighbor_graph(60, 3, symmetric=False).astype(np.float64)
    graph.data *= 10 ** (-10 * random.random(graph.nnz))
    signal = seed_signal(60, 3, 5)
    weights = graph.toarray().astype(np.float32).astype(np.float64)
    chances = weights / weights.sum(axis=1, keepdims=True)
    free = ~signal.any(axis=1)
    wanted = signal.copy()
    wanted[free] = np.linalg.solve(
        np.eye(free.sum()) - chances[np.ix_(free, free)],
        chances[np.ix_(free, ~free)] @ signal[~free],
    )
    found = propagate(in_blocks(graph, [25, 35]), signal, clamp="hard")
    assert found.limit_converged
    np.testing.assert_allclose(found.scores, wanted, rtol=1e-4)


def test_small_weights_one_way_do_not_hide_behind_large_ones() -> None:
    graph = neighbor_graph(80, 4).astype(np.float64).tolil()
    graph[:40, 40:] = graph[40:, :40] = 0
    graph[40:] *= 1e-11
    graph[50, 41], graph[41, 50] = 3e-12, 0
    graph, signal = graph.tocsr(), seed_signal(80, 2, 4)
    signal[41, 0], signal[50, 1] = 1, 1
    wanted = np.eye(80) - 0.9 * (graph / np.maximum(graph.sum(axis=0), 1e-300)).toarray()
    found = propagate(in_blocks(graph, [30, 50]), signal, alpha=0.9, normalization="pagerank")
    assert found.limit_converged
    np.testing.assert_allclose(found.scores, np.linalg.solve(wanted, 0.1 * signal), rtol=2e-4)


def _grid(side: int) -> sparse.csr_matrix:
    path = sparse.diags([np.ones(side - 1)] * 2, [1, -1])
    return sparse.csr_matrix(sparse.kronsum(path, path))


def _solved(graph: Any, signal: np.ndarray, mode: dict[str, Any], alpha: float) -> np.ndarray:
    """Limit by a dense solve."""
    weights = graph.toarray().astype(float)
    sums = weights.sum(axis=1)
    if mode.get("clamp") == "hard":
        free = ~signal.any(axis=1)
        chances = weights / sums[:, None]
        scores = signal.copy()
        scores[free] = np.linalg.solve(
            np.eye(free.sum()) - chances[np.ix_(free, free)],
            chances[np.ix_(free, ~free)] @ signal[~free],
        )
        return scores
    root = np.sqrt(sums)
    scaled = {
        "symmetric": weights / root / root[:, None],
        "random_walk": weights / sums[:, None],
        "pagerank": weights / sums,
    }[mode["normalization"]]
    return (1 - alpha) * np.linalg.solve(np.eye(len(weights)) - alpha * scaled, signal)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("alpha", [0.9, 0.9999])
@pytest.mark.parametrize("shape", ["path", "grid", "long path"])
def test_the_limit_of_long_graphs_is_right_or_is_not_said_to_be(
    shape: str, alpha: float, mode: dict[str, Any]
) -> None:
    """In memory such graphs are eliminated, which blocks cannot be."""
    n = 700 if shape == "long path" else 400
    path = sparse.csr_matrix(sparse.diags([np.ones(n - 1)] * 2, [1, -1]))
    graph = _grid(20) if shape == "grid" else path
    signal = np.zeros((n, 2))
    signal[3, 0] = signal[n - 30, 1] = signal[n // 2, 0] = 1
    blocks = in_blocks(graph.astype(np.float32), [n // 3, 1, n - n // 3 - 1])
    with dask.config.set(scheduler="synchronous"):
        found = propagate(blocks, signal, alpha=alpha, tol=0, max_iter=1, **mode)
    wanted = _solved(graph, signal, mode, alpha)
    seen = wanted > 1e-30
    close = np.abs(found.scores - wanted)[seen] <= 2e-4 * wanted[seen]
    assert close.all() or not found.limit_converged
    # of columns as wholes, it is right in any case
    assert relative(found.scores, wanted) < 1e-3 or not found.limit_converged


@pytest.mark.parametrize("how", [{"limit": False}, {"limit": True}])
def test_cells_that_are_too_far_to_tell_are_counted(how: dict[str, bool], logged: StringIO) -> None:
    """Scores fall to a third at each step of a path: the middle of it is at 1e-70."""
    n_obs = 300
    path = sparse.csr_matrix(sparse.eye_array(n_obs, k=1) + sparse.eye_array(n_obs, k=-1))
    signal = np.eye(n_obs)[:, [0, -1]]
    fixed = {"alpha": 0.5, "tol": 0, "max_iter": n_obs, **how}
    outcome = propagate(in_blocks(path.astype(np.float32), [100, 200]), signal, **fixed)
    scores = outcome.scores if outcome.label_scores is None else outcome.label_scores
    without = int((scores.max(axis=1) == 0).sum())
    assert outcome.unreached[-1] == 0
    assert without > 50
    assert not outcome.limit_converged
    assert f"{without} of {n_obs} cells are so far from the seeds" in logged.getvalue()


@pytest.mark.parametrize("history", ["scores", "labels"])
def test_a_large_signal_keeps_its_small_scores(history: str) -> None:
    """Times 1e30, so that what is below float32 on the way is not in the end."""
    n_obs = 10
    path = sparse.csr_matrix(sparse.eye_array(n_obs, k=1) + sparse.eye_array(n_obs, k=-1))
    signal = 1e30 * np.eye(n_obs)[:, [0, -1]]
    fixed = {"alpha": 1e-6, "method": "direct", "history": history}
    outcome = propagate(in_blocks(path.astype(np.float32), [4, 6]), signal, **fixed)
    root = np.sqrt(np.asarray(path.sum(axis=1)))
    step = 1e-6 * path.toarray() / root / root.T
    truth = np.linalg.solve(np.eye(n_obs) - step, (1 - 1e-6) * signal)
    assert outcome.limit_converged
    assert truth.min() < 1e-23
    np.testing.assert_allclose(outcome.scores, truth, rtol=1e-4)
