"""The vectorised sum over neighbours against scipy's product."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from scanpy_anim.tl._gather import LANES, add_neighbors, add_single, padded

U = np.uint64


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17, 21, 40])
@pytest.mark.parametrize("number", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_sums_are_those_of_a_product(width: int, number: type, index: type) -> None:
    random = np.random.default_rng(width)
    # rows of 0, 1, 2, ... neighbours, the very last cell among them
    graph = sparse.csr_array(np.tril(random.random((30, 30)), -1).astype(np.float32)[:, ::-1])
    graph.indices, graph.indptr = graph.indices.astype(index), graph.indptr.astype(index)
    signal = padded((30, width), number)
    signal[:] = random.standard_normal(signal.shape)
    expected = graph.toarray().astype(np.float64) @ signal
    for i in range(30):
        row = np.full(width + LANES, np.nan, dtype=number)
        start, end = U(graph.indptr[i]), U(graph.indptr[i + 1])
        add_neighbors(start, end, graph.indices, graph.data, signal.reshape(-1), U(width), row)
        np.testing.assert_allclose(
            row[:width], expected[i], rtol=1e-13 if number is np.float64 else 1e-5, atol=1e-6
        )


def test_what_lies_beyond_a_row_does_not_matter() -> None:
    signal = padded((3, 2), np.float32)
    signal[:] = [[1, 2], [3, 4], [5, 6]]
    signal.base[6:] = np.nan
    row = np.empty(2 + LANES, dtype=np.float32)
    add_neighbors(
        U(0),
        U(3),
        np.arange(3, dtype=np.int32),
        np.ones(3, dtype=np.float32),
        signal.reshape(-1),
        U(2),
        row,
    )
    assert row[:2].tolist() == [9, 12]


@pytest.mark.parametrize("number", [np.float32, np.float64])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_sum_of_a_single_class(number: type, index: type) -> None:
    random = np.random.default_rng(0)
    # rows of up to ninety neighbours: none, parts of a vector, several; the very last among them
    graph = sparse.csr_array(np.tril(random.random((91, 91)), -1).astype(np.float32)[:, ::-1])
    graph.indices, graph.indptr = graph.indices.astype(index), graph.indptr.astype(index)
    signal = random.standard_normal(91).astype(number)
    expected = graph.toarray().astype(np.float64) @ signal
    rows = zip(graph.indptr[:-1], graph.indptr[1:], strict=True)
    sums = [add_single(U(p), U(q), graph.indices, graph.data, signal) for p, q in rows]
    digits = 1e-13 if number is np.float64 else 1e-5
    np.testing.assert_allclose(sums, expected, rtol=digits, atol=digits)
