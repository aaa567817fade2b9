"""A graph written down in another order of its cells, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from scanpy_anim.tl._prefetch import LINE, expect_entry

U = np.uint64
# rows that are fetched before their turn comes; where they start, twice as early
_AHEAD = U(8)


@njit(cache=True, nogil=True)
def visit(indptr: Any, indices: Any, order: Any, place: Any) -> None:
    """Breadth-first: cell ``order[i]`` is the i-th visited; `place` starts as -1 everywhere."""
    filled = U(0)
    for start in range(U(len(place))):
        if place[start] >= 0:
            continue
        place[start] = filled
        order[filled] = start
        head = filled
        filled += U(1)
        while head < filled:
            if head + U(2) * _AHEAD < filled:
                expect_entry(indptr, U(order[head + U(2) * _AHEAD]))
            if head + _AHEAD < filled:
                _expect_row(indptr, indices, U(order[head + _AHEAD]))
            i = U(order[head])
            head += U(1)
            for p in range(U(indptr[i]), U(indptr[i + U(1)])):
                j = U(indices[p])
                if place[j] < 0:
                    place[j] = filled
                    order[filled] = j
                    filled += U(1)


@njit(cache=True, nogil=True)
def _expect_row(indptr: Any, entries: Any, i: Any) -> None:
    p = U(indptr[i])
    while p < U(indptr[i + U(1)]):
        expect_entry(entries, p)
        p += LINE


@njit(cache=True, nogil=True)
def permute(
    first: int,
    last: int,
    bounds: Any,
    indptr: Any,
    indices: Any,
    weights: Any,
    order: Any,
    place: Any,
    new_indptr: Any,
    new_indices: Any,
    new_weights: Any,
) -> None:
    """Row ``i`` becomes row ``order[i]`` of the old graph, columns follow `place`."""
    n_rows = U(len(order))
    for i in range(U(bounds[first]), U(bounds[last])):
        if i + U(2) * _AHEAD < n_rows:
            expect_entry(indptr, U(order[i + U(2) * _AHEAD]))
        if i + _AHEAD < n_rows:
            _expect_row(indptr, indices, U(order[i + _AHEAD]))
            _expect_row(indptr, weights, U(order[i + _AHEAD]))
        q = U(new_indptr[i])
        row = U(order[i])
        for p in range(U(indptr[row]), U(indptr[row + U(1)])):
            new_indices[q] = place[U(indices[p])]
            new_weights[q] = weights[p]
            q += U(1)
