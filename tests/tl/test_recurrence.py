"""Sums over rows and columns of the graph against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from scanpy_anim._threads import limit_threads
from scanpy_anim.tl import propagate
from scanpy_anim.tl._iteration import _set_up_recurrence
from scanpy_anim.tl._options import Options
from scanpy_anim.tl._reorder import renumber, worth_renumbering
from scanpy_anim.tl._sums import received_by, sent_by


@pytest.fixture
def directed() -> sparse.csr_array:
    """Weights that differ both ways, a tenth of the rows and of the columns empty."""
    random = np.random.default_rng(0)
    dense = random.random((500, 500)) * (random.random((500, 500)) < 0.05)
    dense[::10] = 0
    dense[:, 5::10] = 0
    return sparse.csr_array(dense.astype(np.float32))


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_products_both_ways(directed: sparse.csr_array, n_threads: int) -> None:
    vector = np.random.default_rng(1).standard_normal(500)
    exact = directed.astype(np.float64)
    with limit_threads(n_threads):
        received, sent = received_by(directed, vector), sent_by(directed, vector)
    np.testing.assert_allclose(received, exact @ vector, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(sent, exact.T @ vector, rtol=1e-12, atol=1e-12)


def test_threads_do_not_change_what_is_sent(directed: sparse.csr_array) -> None:
    vector = np.random.default_rng(1).standard_normal(500)
    with limit_threads(1):
        once = sent_by(directed, vector)
    for n_threads in (2, 3, 8):
        with limit_threads(n_threads):
            assert np.array_equal(sent_by(directed, vector), once)


@pytest.mark.parametrize(
    ("normalization", "axis"), [("symmetric", 1), ("random_walk", 1), ("pagerank", 0)]
)
def test_scalings(directed: sparse.csr_array, normalization: str, axis: int) -> None:
    options = Options.checked(alpha=0.8, normalization=normalization)
    recurrence = _set_up_recurrence(directed, np.array([3]), options)
    sums = np.asarray(directed.astype(np.float64).sum(axis=axis)).ravel()
    sums[sums == 0] = 1
    gain, scale = {
        "symmetric": (0.8 / np.sqrt(sums), 1 / np.sqrt(sums)),
        "random_walk": (0.8 / sums, np.ones(500)),
        "pagerank": (np.full(500, 0.8), 1 / sums),
    }[normalization]
    np.testing.assert_allclose(recurrence.gain, gain, rtol=1e-6)
    np.testing.assert_allclose(recurrence.scale, scale, rtol=1e-6)


@given(n_obs=st.integers(1, 2_000_000), n_classes=st.integers(1, 100), n_steps=st.floats(0, 1000))
def test_what_pays_pays_more_often_where_there_is_more_to_do(
    n_obs: int, n_classes: int, n_steps: float
) -> None:
    """Renumbering is paid once and gains in each step, the more the larger the signal is."""
    if worth_renumbering(n_obs, n_classes, n_steps):
        assert worth_renumbering(n_obs, n_classes, 2 * n_steps)
        assert worth_renumbering(2 * n_obs, n_classes, n_steps)
    assert not worth_renumbering(n_obs, n_classes, 0)


@pytest.mark.parametrize("smallest", [1e-25, 1e-37, 1e-40])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"normalization": "random_walk"},
        {"normalization": "pagerank"},
        {"clamp": "hard"},
    ],
    ids=lambda how: "-".join(how.values()) or "symmetric",
)
@pytest.mark.parametrize("n_classes", [1, 2, 14])
def test_a_cell_that_hardly_anybody_knows(
    smallest: float, how: dict[str, str], n_classes: int
) -> None:
    dense = np.random.default_rng(0).random((16, 16)) + 0.1
    dense = (dense + dense.T).astype(np.float32)
    dense[0] *= np.float32(smallest)
    dense[:, 0] = dense[0]
    signal = np.eye(16)[:, 1 : 1 + n_classes]
    outcome = propagate(dense, signal, alpha=0.9, tol=0, max_iter=4, limit=False, **how)
    exact, scores = dense.astype(np.float64), signal
    degrees = exact.sum(axis=1)
    step = exact / np.sqrt(np.outer(degrees, degrees))
    if how.get("normalization") == "pagerank":
        step = exact / degrees
    elif how:
        step = exact / degrees[:, None]
    for t in range(1, 5):
        if how.get("clamp") == "hard":
            scores = np.where(signal.any(axis=1, keepdims=True), signal, step @ scores)
        else:
            scores = 0.9 * step @ scores + 0.1 * signal
        found = outcome.history[:, t].reshape(16, -1)
        # weights of 1e-40 have four digits in float32; scores of several classes that do not tell
        # which share is whose are stored as 0
        floor = 1e-43 if n_classes == 1 else 1e-39
        np.testing.assert_allclose(found, scores, rtol=2e-3, atol=floor)


def test_a_renumbered_graph_is_the_same_graph(directed: sparse.csr_array) -> None:
    moved, order, place = renumber(directed)
    assert np.array_equal(order[place], np.arange(500))
    np.testing.assert_array_equal(moved.toarray(), directed.toarray()[order][:, order])
    # breadth-first: neighbours of the first cells come next
    first = directed.indices[directed.indptr[0] : directed.indptr[1]]
    assert (place[first] <= len(first)).all()
