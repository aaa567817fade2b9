"""Sums over rows and columns of the graph against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from scanpy_anim.tl._order import worth_renumbering
from scanpy_anim.tl._parameters import Mode
from scanpy_anim.tl._recurrence import received_by, sent_by, set_up_recurrence


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
    for ours, theirs in (
        (received_by(directed, vector, n_threads), exact @ vector),
        (sent_by(directed, vector, n_threads), exact.T @ vector),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_threads_do_not_change_what_is_sent(directed: sparse.csr_array) -> None:
    vector = np.random.default_rng(1).standard_normal(500)
    once = sent_by(directed, vector, 1)
    for n_threads in (2, 3, 8):
        assert np.array_equal(sent_by(directed, vector, n_threads), once)


@pytest.mark.parametrize(
    ("normalization", "axis"), [("symmetric", 1), ("random_walk", 1), ("pagerank", 0)]
)
def test_scalings(directed: sparse.csr_array, normalization: str, axis: int) -> None:
    mode = Mode(0.8, "soft", normalization)
    recurrence = set_up_recurrence(directed, np.array([3]), mode, 2)
    sums = np.asarray(directed.astype(np.float64).sum(axis=axis)).ravel()
    sums[sums == 0] = 1
    gain, scale = {
        "symmetric": (0.8 / np.sqrt(sums), 1 / np.sqrt(sums)),
        "random_walk": (0.8 / sums, np.ones(500)),
        "pagerank": (np.full(500, 0.8), 1 / sums),
    }[normalization]
    np.testing.assert_allclose(recurrence.gain, gain, rtol=1e-6)
    np.testing.assert_allclose(recurrence.scale, scale, rtol=1e-6)


def test_large_signals_are_sorted_earlier() -> None:
    assert not worth_renumbering(700, 10, 1000)
    assert not worth_renumbering(209_126, 10, 18)
    assert worth_renumbering(209_126, 44, 18)
    assert worth_renumbering(1_000_000, 10, 18)
