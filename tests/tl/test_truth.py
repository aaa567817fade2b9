"""Against other people's implementations, dense algebra, and what must hold on any graph."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import Mock

import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.stats import spearmanr
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

from scanpy_anim.tl import propagate

from . import reference

if TYPE_CHECKING:
    from anndata import AnnData

MODES = ["symmetric", "random_walk", "pagerank"]


def _few_seeds(pbmc: AnnData, per_class: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Signal ``(n_obs, n_classes)`` and the same as sklearn wants it, -1 for unlabelled."""
    codes = pbmc.obs["bulk_labels"].cat.codes.to_numpy()
    target = np.full(700, -1)
    for c in range(codes.max() + 1):
        cells = np.flatnonzero(codes == c)[:per_class]
        target[cells] = c
    signal = np.zeros((700, codes.max() + 1))
    signal[np.flatnonzero(target >= 0), target[target >= 0]] = 1
    return signal, target


def _without_diagonal(graph: sparse.csr_matrix) -> np.ndarray:
    dense = reference.dense(graph)
    np.fill_diagonal(dense, 0)
    return dense


def _shares(scores: np.ndarray) -> np.ndarray:
    return scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("alpha", [0.2, 0.9])
def test_soft_clamping_is_sklearns_label_spreading(pbmc: AnnData, alpha: float) -> None:
    affinity = _without_diagonal(pbmc.obsp["connectivities"])
    signal, target = _few_seeds(pbmc)
    theirs = LabelSpreading(kernel=lambda x, y: affinity, alpha=alpha, tol=1e-12, max_iter=5000)
    theirs.fit(np.zeros((700, 1)), target)
    ours = propagate(affinity, signal, alpha=alpha, method="direct")
    np.testing.assert_allclose(_shares(ours.limit), theirs.label_distributions_, atol=1e-5)


def test_hard_clamping_is_sklearns_label_propagation(pbmc: AnnData) -> None:
    signal, target = _few_seeds(pbmc)
    # some cells of the types that the first ones are of, as it takes sklearn thousands of steps
    some = np.flatnonzero((target >= 0) | (np.arange(700) < 200))
    part = connected_components(pbmc.obsp["connectivities"][some][:, some])[1]
    some = some[part == np.bincount(part).argmax()]
    signal, target = signal[some], target[some]
    signal = signal[:, signal.any(axis=0)]
    affinity = _without_diagonal(pbmc.obsp["connectivities"][some][:, some])
    theirs = LabelPropagation(kernel=lambda x, y: affinity, tol=1e-7, max_iter=20_000)
    theirs.fit(np.zeros((len(some), 1)), target)
    ours = propagate(affinity, signal, clamp="hard", method="direct")
    np.testing.assert_allclose(_shares(ours.limit), theirs.label_distributions_, atol=2e-4)


@pytest.mark.parametrize("alpha", [0.5, 0.85, 0.99])
@pytest.mark.parametrize("directed", [False, True])
def test_pagerank_is_networkx_personalised_pagerank(
    pbmc: AnnData, alpha: float, directed: bool
) -> None:
    graph = sparse.csr_array(pbmc.obsp["connectivities"])
    if directed:
        # all kinds of asymmetry, and cells that receive without sending
        sends = np.arange(700) % 50 > 0
        graph = sparse.csr_array(graph * np.linspace(0.2, 1, 700)[:, None] * sends)
        assert (graph.sum(axis=0) == 0).any()
    restart = {3: 1.0, 5: 2.0, 600: 1.0}
    signal = np.zeros(700)
    signal[list(restart)] = np.array(list(restart.values())) / 4
    # networkx walks from row to column, we receive from columns
    walks = nx.from_scipy_sparse_array(sparse.csr_array(graph.T), create_using=nx.DiGraph)
    rank = nx.pagerank(walks, alpha, personalization=restart, max_iter=20_000, tol=1e-13)
    outcome = propagate(graph, signal, alpha=alpha, normalization="pagerank", tol=0, max_iter=400)
    np.testing.assert_allclose(outcome.limit, list(rank.values()), rtol=1e-3, atol=1e-9)
    # igraph's own solver; what dangling cells lose goes anywhere there, so that it is only asked
    # where all send
    if not directed:
        edges = graph.tocoo()
        walks = igraph.Graph(700, np.c_[edges.col, edges.row], directed=True)
        theirs = walks.personalized_pagerank(
            weights=edges.data.tolist(), damping=alpha, reset=signal, implementation="prpack"
        )
        np.testing.assert_allclose(outcome.limit, theirs, rtol=1e-3, atol=1e-9)
        assert spearmanr(outcome.limit, theirs).statistic >= 0.9999
    np.testing.assert_allclose(outcome.history.sum(axis=0), 1, rtol=1e-5)
    assert outcome.limit_residual < 1e-10


LONG_PATH = sparse.diags_array(
    [np.geomspace(1, 1e-2, 299), np.geomspace(1, 1e-2, 299)], offsets=[1, -1]
).tocsr()


@pytest.mark.parametrize("normalization", MODES)
@pytest.mark.parametrize("alpha", [0.3, 0.8, 0.99])
@pytest.mark.parametrize("kind", ["cells", "path"])
def test_ranks_of_the_limit(pbmc: AnnData, normalization: str, alpha: float, kind: str) -> None:
    """Scores span up to sixty orders of magnitude; as many as float32 holds must be in order."""
    graph = pbmc.obsp["connectivities"][:400, :400] if kind == "cells" else LONG_PATH
    signal = np.zeros(graph.shape[0])
    signal[[1, 7]] = 1
    outcome = propagate(graph, signal, alpha=alpha, normalization=normalization, method="direct")
    truth = _exact_limit(graph, signal, alpha, normalization)
    representable = truth > 1e-37
    assert (outcome.limit >= 0).all()
    assert outcome.limit_residual < 1e-6
    assert (outcome.limit[truth > 1e-44] > 0).all()
    assert (outcome.limit[truth < 1e-46] == 0).all()
    ranks = spearmanr(outcome.limit[representable], truth[representable]).statistic
    assert ranks >= 0.9999
    # ranks reach further than digits do
    well = truth > 1e-13 * truth.max()
    np.testing.assert_allclose(outcome.limit[well], truth[well], rtol=2e-2)


def _exact_limit(
    graph: sparse.csr_array, signal: np.ndarray, alpha: float, normalization: str
) -> np.ndarray:
    """Sum of a series of positive terms, so that small scores have all their digits too."""
    step = alpha * reference.operator(graph, normalization)
    powers = [step]
    # sum_k S^k = (1 + S)(1 + S^2)(1 + S^4)...
    while alpha ** (2 ** len(powers)) > 1e-9 or 2 ** len(powers) < 2 * len(step):
        powers.append(powers[-1] @ powers[-1])
    total = (1 - alpha) * signal
    for power in powers:
        total = total + power @ total
    return total


def test_hard_clamping_ranks_and_components(pbmc: AnnData) -> None:
    graph = sparse.block_diag([pbmc.obsp["connectivities"], sparse.eye(3), LONG_PATH[:50, :50]])
    graph = sparse.csr_array(graph)
    signal = np.zeros((753, 2))
    signal[[0, 5], 0] = 1
    signal[[9, 11], 1] = 1
    seeds = np.array([0, 5, 9, 11])
    outcome = propagate(graph, signal, clamp="hard", tol=0, max_iter=5)
    truth = reference.hard_limit(graph, signal, seeds)
    for c in range(2):
        assert spearmanr(outcome.limit[:700, c], truth[:700, c]).statistic >= 0.9999
    np.testing.assert_allclose(outcome.limit, truth, rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(outcome.limit[seeds], signal[seeds])
    assert (outcome.limit[700:] == 0).all()
    assert outcome.unreached[-1] >= 53


@st.composite
def graphs(draw: st.DrawFn) -> sparse.csr_array:
    """Undirected weights with self loops, isolated cells and several components."""
    n_obs = draw(st.integers(2, 40))
    n_edges = draw(st.integers(1, 3 * n_obs))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows, columns = random.integers(n_obs, size=(2, n_edges))
    weights = random.uniform(0.01, 5, n_edges)
    weights[random.random(n_edges) < 0.1] = 0
    dtype = draw(st.sampled_from([np.float32, np.float64, np.int64]))
    graph = sparse.coo_array((weights, (rows, columns)), shape=(n_obs, n_obs))
    # one edge at least
    first = sparse.coo_array(([1.0], ([0], [1])), shape=(n_obs, n_obs))
    graph = graph + first
    return sparse.csr_array(graph + graph.T).astype(dtype)


HOW = st.fixed_dictionaries(
    {
        "alpha": st.sampled_from([0.1, 0.5, 0.9, 0.99]),
        "normalization": st.sampled_from(MODES),
    }
)


def _seeded(graph: sparse.csr_array, seed: int, n_classes: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    signal = np.zeros((graph.shape[0], n_classes))
    # of cells that have neighbours, and nothing that goes back to other seeds
    able = np.flatnonzero(graph.sum(axis=0) > 0)
    cells = able if len(able) else np.arange(graph.shape[0])
    for c in range(n_classes):
        signal[random.choice(cells), c] = random.uniform(0.5, 2)
    return signal


@settings(max_examples=25, deadline=None)
@given(graph=graphs(), how=HOW, seed=st.integers(0, 1000))
def test_what_holds_on_any_graph(
    graph: sparse.csr_array, how: dict[str, object], seed: int
) -> None:
    signal = _seeded(graph, seed, 3)
    n_obs = graph.shape[0]

    def run(signal: np.ndarray, graph: sparse.csr_array = graph, n_threads: int = 2) -> np.ndarray:
        outcome = propagate(graph, signal, tol=0, max_iter=6, n_threads=n_threads, **how)
        assert outcome.limit_residual < 1e-9
        return outcome.history.astype(np.float64)

    scores = run(signal)
    assert (scores >= 0).all()
    assert run(signal, n_threads=1).tobytes() == scores.tobytes()
    way = reference.soft(graph, signal, how["alpha"], how["normalization"], 6)
    np.testing.assert_allclose(scores[:, :-1], np.stack(way, axis=1), rtol=1e-4, atol=1e-30)
    limit = reference.soft_limit(graph, signal, how["alpha"], how["normalization"])
    np.testing.assert_allclose(scores[:, -1], limit, rtol=1e-2, atol=1e-9)
    # classes do not know of each other
    for c in range(3):
        np.testing.assert_allclose(run(signal[:, c]), scores[:, :, c], rtol=1e-4, atol=1e-30)
    # linear, in both signs
    mixed = run(signal[:, 0] - 2 * signal[:, 1])
    expected = scores[:, :, 0] - 2 * scores[:, :, 1]
    np.testing.assert_allclose(mixed, expected, rtol=1e-2, atol=1e-5)
    # names of cells do not matter
    order = np.random.default_rng(seed).permutation(n_obs)
    shuffled = sparse.csr_array(graph[order][:, order])
    np.testing.assert_allclose(run(signal[order], shuffled), scores[order], rtol=2e-4, atol=1e-30)
    if how["normalization"] == "pagerank":
        np.testing.assert_allclose(
            scores.sum(axis=0), np.tile(signal.sum(axis=0), (8, 1)), rtol=1e-4
        )


def _directed(n_obs: int, density: float, random: np.random.Generator) -> sparse.csr_array:
    """Random weights between random cells; scipy's own way is spelled differently before 1.15."""
    linked = random.random((n_obs, n_obs)) < density
    return sparse.csr_array(np.where(linked, random.random((n_obs, n_obs)), 0))


@pytest.mark.parametrize("alpha", [0.1, 0.9, 0.99])
def test_limits_of_classes_that_are_found_early_wait_for_the_others(alpha: float) -> None:
    for seed in range(60):
        random = np.random.default_rng(seed)
        graph = _directed(35, 0.03, random)
        graph = sparse.csr_array(graph + graph.T).astype(np.float32)
        signal = _seeded(graph, seed, 3)
        limit = propagate(graph, signal, alpha=alpha, method="direct").limit
        expected = reference.soft_limit(graph, signal, alpha, "symmetric")
        certain = expected > 1e-14
        np.testing.assert_allclose(limit[certain], expected[certain], rtol=2e-4)
        assert limit[~certain].max(initial=0) < 1e-13


@settings(max_examples=25, deadline=None)
@given(graph=graphs(), alpha=st.sampled_from([0.1, 0.9, 0.999]), value=st.sampled_from([1, 5.5]))
def test_the_mean_of_equals_is_the_same(
    graph: sparse.csr_array, alpha: float, value: float
) -> None:
    """A random walk leaves constants alone, and what one seed holds fills its component."""
    linked = np.flatnonzero(graph.sum(axis=1) > 0)
    graph = graph[linked][:, linked]
    constant = np.full(len(linked), value)
    how = {"alpha": alpha, "tol": 0, "max_iter": 6}
    outcome = propagate(graph, constant, normalization="random_walk", **how)
    np.testing.assert_allclose(outcome.history, value, rtol=1e-4)
    some = constant * (np.arange(len(linked)) == 0)
    held = propagate(graph, some, clamp="hard", method="direct").limit
    part = connected_components(sparse.csr_array(graph > 0))[1]  # stored zeros link nothing
    np.testing.assert_allclose(held, value * (part == part[0]), rtol=1e-4)


@settings(max_examples=25, deadline=None)
@given(graph=graphs(), seed=st.integers(0, 1000))
def test_hard_clamping_on_any_graph(graph: sparse.csr_array, seed: int) -> None:
    signal = _seeded(graph, seed, 2)
    seeds = np.flatnonzero(signal.any(axis=1))
    assume(len(seeds) < graph.shape[0])
    outcome = propagate(graph, signal, clamp="hard", tol=0, max_iter=6)
    way = np.stack(reference.hard(graph, signal, seeds, 6), axis=1)
    np.testing.assert_allclose(outcome.history[:, :-1], way, rtol=1e-4, atol=1e-30)
    limit = reference.hard_limit(graph, signal, seeds)
    np.testing.assert_allclose(outcome.limit, limit, rtol=1e-2, atol=1e-6)
    # between the lowest and the highest seed
    assert outcome.limit.max() <= signal.max() * (1 + 1e-4)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    alpha=st.sampled_from([0.2, 0.9, 0.99]),
    normalization=st.sampled_from(["symmetric", "random_walk"]),
)
def test_directed_graphs_have_a_limit_too(seed: int, alpha: float, normalization: str) -> None:
    random = np.random.default_rng(seed)
    graph = _directed(50, 0.06, random)
    signal = np.zeros((50, 2))
    signal[random.integers(50, size=4), [0, 0, 1, 1]] = 1
    outcome = propagate(graph, signal, alpha=alpha, normalization=normalization, method="direct")
    expected = reference.soft_limit(graph, signal, alpha, normalization)
    np.testing.assert_allclose(outcome.limit, expected, rtol=1e-3, atol=1e-6)
    assert outcome.limit_residual < 1e-9


@pytest.mark.parametrize("n_classes", [1, 2, 9])
@pytest.mark.parametrize("normalization", MODES)
def test_the_same_bits_for_any_number_of_threads(
    pbmc: AnnData, n_classes: int, normalization: str
) -> None:
    graph = pbmc.obsp["connectivities"]
    signal = _seeded(graph, 0, n_classes)
    runs = [
        propagate(graph, signal, normalization=normalization, tol=0, max_iter=7, n_threads=n)
        for n in (1, 2, 5)
    ]
    for other in runs[1:]:
        assert other.history.tobytes() == runs[0].history.tobytes()
        assert other.residuals.tobytes() == runs[0].residuals.tobytes()
        assert other.limit_residual == runs[0].limit_residual


@pytest.mark.parametrize("history", ["scores", "labels"])
def test_renumbering_does_not_show(
    pbmc: AnnData, monkeypatch: pytest.MonkeyPatch, history: str
) -> None:
    from scanpy_anim.tl import _iteration, _propagation

    graph = pbmc.obsp["connectivities"]
    signal = _seeded(graph, 0, 4)
    plain = propagate(graph, signal, tol=0, max_iter=9, history=history)
    monkeypatch.setattr(_propagation, "worth_renumbering", lambda *_: True)
    renumber = Mock(side_effect=_iteration.renumber)
    monkeypatch.setattr(_iteration, "renumber", renumber)
    renumbered = propagate(graph, signal, tol=0, max_iter=9, history=history)
    assert renumber.called
    np.testing.assert_allclose(renumbered.history, plain.history, rtol=1e-3, atol=1e-30)
    np.testing.assert_allclose(renumbered.scores, plain.scores, rtol=1e-3, atol=1e-30)
    np.testing.assert_allclose(renumbered.residuals, plain.residuals, rtol=1e-4)
    np.testing.assert_array_equal(renumbered.flips, plain.flips)


@pytest.mark.parametrize("clamp", ["soft", "hard"])
@pytest.mark.parametrize("limit", [True, False])
def test_label_histories_say_who_wins(pbmc: AnnData, clamp: str, limit: bool) -> None:
    graph = pbmc.obsp["connectivities"]
    signal = _few_seeds(pbmc)[0]
    how = {"clamp": clamp, "tol": 0, "max_iter": 6, "limit": limit, "every": 2}
    scores = propagate(graph, signal, **how)
    labels = propagate(graph, signal, history="labels", **how)
    weighted = scores.history.astype(np.float64)
    if clamp == "hard":
        mass = weighted.sum(axis=0)
        seeded = (signal > 0).sum(axis=0)
        weighted[:, 1:] *= (seeded / np.where(mass > 0, mass, 1))[1:]
    total = weighted.sum(axis=2)
    codes = np.where(total > 0, weighted.argmax(axis=2), -1)
    assert labels.history.dtype == np.int8
    assert labels.history.shape == codes.shape
    np.testing.assert_array_equal(labels.history, codes)
    share = np.divide(weighted.max(axis=2), total, out=np.zeros_like(total), where=total > 0)
    np.testing.assert_allclose(labels.confidence, share, rtol=1e-4)
    np.testing.assert_allclose(labels.scores, scores.history[:, -1], rtol=1e-4, atol=1e-30)
    np.testing.assert_array_equal(labels.flips, scores.flips)
