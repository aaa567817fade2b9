"""Cells renumbered so that neighbours lie next to each other in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from scipy import sparse

from scanpy_anim._threads import RowBlocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim._arrays import Floats, Ints

U = np.uint64
# a signal of so many numbers is read fast in any order of cells, as it fits into the nearer caches
_SMALL = 400_000
# numbers that a cell is sent, over all iterations, from which renumbering pays
_WORTH_SORTING = 80


def worth_renumbering(n_obs: int, n_classes: int, n_iter: float) -> bool:
    """Whether so much walking pays for sorting first."""
    return n_obs * n_classes > _SMALL and n_classes * n_iter > _WORTH_SORTING


def renumber(
    graph: sparse.csr_array,
) -> tuple[sparse.csr_array, NDArray[np.int32], NDArray[np.int32]]:
    """Graph in breadth-first order, that order, and the place of each cell in it.

    Row `i` is row `order[i]` of the original, whose row `i` is at `place[i]`. Indices within a row
    are not sorted.

    An iteration gets as fast as with reverse Cuthill-McKee, which takes longer to find.
    """
    order = np.empty(graph.shape[0], dtype=np.int32)
    place = np.full(graph.shape[0], -1, dtype=np.int32)
    _visit(graph.indptr, graph.indices, order, place)
    indptr = np.zeros_like(graph.indptr)
    np.cumsum(np.diff(graph.indptr)[order], out=indptr[1:])
    indices, weights = np.empty_like(graph.indices), np.empty_like(graph.data)
    before, after = (graph.indptr, graph.indices, graph.data), (indptr, indices, weights)
    RowBlocks(indptr).run(_permute, *before, order, place, *after)
    return sparse.csr_array((weights, indices, indptr), shape=graph.shape), order, place


@njit(cache=True, nogil=True)
def _visit(indptr: Ints, indices: Ints, order: Ints, place: Ints) -> None:
    """Breadth-first: cell `order[i]` is the i-th visited; `place` starts as -1 everywhere."""
    filled = U(0)
    for start in range(U(len(place))):
        if place[start] >= 0:
            continue
        place[start] = filled
        order[filled] = start
        head = filled
        filled += U(1)
        while head < filled:
            i = U(order[head])
            head += U(1)
            for p in range(U(indptr[i]), U(indptr[i + U(1)])):
                j = U(indices[p])
                if place[j] < 0:
                    place[j] = filled
                    order[filled] = j
                    filled += U(1)


@njit(cache=True, nogil=True)
def _permute(
    first: int,
    last: int,
    bounds: Ints,
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    order: Ints,
    place: Ints,
    new_indptr: Ints,
    new_indices: Ints,
    new_weights: Floats,
) -> None:
    """Row `i` becomes row `order[i]` of the old graph, columns follow `place`."""
    for i in range(U(bounds[first]), U(bounds[last])):
        start, to = U(indptr[U(order[i])]), U(new_indptr[i])
        length = U(new_indptr[i + U(1)]) - to
        for p in range(length):
            new_indices[to + p] = place[U(indices[start + p])]
        for p in range(length):
            new_weights[to + p] = weights[start + p]
