"""Elimination, for graphs that are long or flat enough for it.

Along a trajectory or over a tissue, scores fall by many orders of magnitude, which a norm does
not see, and near alpha 1 iterations are many. Such graphs have small separators, so that factors
stay sparse. Eliminating a diagonally dominant M-matrix without exchanging rows subtracts nothing
but on the diagonal, and solving with its factors subtracts nothing at all: each entry of the
solution has its own digits (Alfa, Xue & Ye 2002), whatever its size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from scipy import sparse
from scipy.sparse.linalg import spilu, splu

from scanpy_anim._memory import SHARE, free_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim._arrays import Bools, Floats, Ints
    from scanpy_anim.tl._limit_system import System

# so many cells are eliminated at once, whatever their graph
_FEW = 512
# a graph whose cells have, so many steps away, fewer than so many others is long or flat
_STEPS, _BALL = 10, 4096
_PROBES = 5
# bytes that SuperLU takes for an entry of its factors, a cell and a weight (values and places of
# entries, what it orders by, its copy of the matrix), as measured on tissues and trajectories
_OF_ENTRY, _OF_CELL, _OF_WEIGHT = 9.9, 300, 27
_ORDERLY: dict[str, Any] = {
    "permc_spec": "MMD_AT_PLUS_A",
    "diag_pivot_thresh": 0.0,
    "options": {"SymmetricMode": True},
}
# of the breadth-first order; SuperLU's own finds about a tenth of it on flat graphs
_MOST_FILL, _MOST_OPERATIONS = 150_000_000, 6e10


def is_long(system: System, seeds: NDArray[np.int64]) -> bool:
    """Whether scores have far to go: neighbours of neighbours are few, however far one looks."""
    n_obs = system.n_obs
    if n_obs <= _FEW:
        return True
    allowed = np.ones(n_obs, dtype=np.bool_)
    most = min(n_obs // 2, _BALL)
    depths = []
    for seed in seeds[:: -(-len(seeds) // _PROBES)]:
        level, order = np.full(n_obs, -1, dtype=np.int32), np.empty(n_obs, dtype=np.int64)
        arrays = (*system.arrays, np.array([seed]), allowed, level, order)
        n_visited = spread_from(*arrays, most)
        depths.append(level[order[n_visited - 1]])
    return max(depths) >= _STEPS


def is_affordable(system: System, most_operations: float = np.inf) -> bool:
    """Whether the factors would be small, as far as one can say from breadth-first order."""
    most_operations = min(most_operations, _MOST_OPERATIONS)
    graph = system.graph
    if not system.symmetric:
        graph = sparse.csr_array(graph + graph.T)
    n_obs = system.n_obs
    order = _breadth_first(graph)[::-1]
    place = np.empty(n_obs, dtype=np.int64)
    place[order] = np.arange(n_obs)
    most_fill = min(_MOST_FILL, int((n_obs * most_operations) ** 0.5))
    operations, _ = _count_operations(graph.indptr, graph.indices, order, place, most_fill)
    return operations <= most_operations


def _breadth_first(graph: sparse.csr_array) -> NDArray[np.int64]:
    """Cells from one end of the graph to the other; one component after the other."""
    n_obs = graph.shape[0]
    allowed = np.ones(n_obs, dtype=np.bool_)
    level, scratch = np.full(n_obs, -1, dtype=np.int32), np.empty(n_obs, dtype=np.int64)
    order, filled = np.empty(n_obs, dtype=np.int64), 0
    pattern = (graph.indptr, graph.indices, graph.data)
    for cell in range(n_obs):
        if level[cell] >= 0:
            continue
        n_part = spread_from(*pattern, np.array([cell]), allowed, level, scratch, n_obs)
        part = scratch[:n_part].copy()
        level[part] = -1
        end = part[-1:]
        spread_from(*pattern, end, allowed, level, order[filled:], n_obs - filled)
        filled += n_part
    return order


def _foreseen_bytes(matrix: sparse.csc_array, *, symmetric: bool = True) -> int:
    """Bytes that eliminating takes at its peak, told by what the factors will hold.

    An incomplete elimination that drops everything shows the order which the complete one takes.
    """
    n_cells = matrix.shape[0]
    place = spilu(matrix, drop_tol=1e30, fill_factor=1, **_ORDERLY).perm_c.astype(np.int64)
    order = np.argsort(place)
    both = matrix if symmetric else sparse.csc_array(matrix + matrix.T)
    _, fill = _count_operations(both.indptr, both.indices, order, place, np.iinfo(np.int64).max)
    of_entries = _OF_ENTRY * 2 * (fill + n_cells)
    return int(of_entries + _OF_CELL * n_cells + _OF_WEIGHT * matrix.nnz)


def _require_room(matrix: sparse.csc_array, *, symmetric: bool) -> None:
    free = free_bytes()
    # no more than that for the factors of any graph that is thought affordable
    if free is None or SHARE * free > 2 * _OF_ENTRY * _MOST_FILL or matrix.shape[0] <= _FEW:
        return
    if _foreseen_bytes(matrix, symmetric=symmetric) > SHARE * free:
        raise MemoryError


class Factors:
    """Factors of `D^-1 (D - alpha A)`, for `cells` whose rows are not held.

    Raises
    ------
    MemoryError
        They would not fit.
    RuntimeError
        They break down.
    """

    def __init__(self, system: System, cells: NDArray[np.int64]) -> None:
        self._cells = cells
        self._inverse = system.inverse[cells, None]
        graph = system.graph
        if len(cells) < system.n_obs:
            graph = graph[cells][:, cells]
        step = sparse.diags_array(system.alpha * self._inverse[:, 0]) @ graph.astype(np.float64)
        matrix = sparse.csc_array(sparse.eye_array(len(cells)) - step)
        del graph, step
        _require_room(matrix, symmetric=system.symmetric)
        self._factors = splu(matrix, **_ORDERLY)

    def solve(self, right: NDArray[np.float64]) -> NDArray[np.float64]:
        """Solution of `(D - alpha A) X = B` at the cells, where `B` is `right` there."""
        solution = self._factors.solve(np.asfortranarray(right * self._inverse))
        return np.maximum(solution, 0)


def factorize(system: System, cells: NDArray[np.int64]) -> Factors | None:
    """Factors, or None where they do not fit, or break down: weights too far apart for float64."""
    try:
        return Factors(system, cells)
    except (RuntimeError, MemoryError):
        return None


@njit(cache=True, nogil=True)
def spread_from(
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    start: Ints,
    allowed: Bools,
    level: Ints,
    order: Ints,
    most: int,
) -> int:
    """Breadth-first from several cells, through `allowed` ones, until `most` have been visited.

    `level` starts as -1 and receives how far each is, `order` the visited ones; their number is
    returned.
    """
    filled = 0
    for i in start:
        if level[i] < 0:
            level[i] = 0
            order[filled] = i
            filled += 1
    head = 0
    while head < filled and filled < most:
        i = order[head]
        head += 1
        for p in range(indptr[i], indptr[i + 1]):
            j = indices[p]
            if level[j] < 0 and allowed[j] and weights[p] > 0 and filled < most:
                level[j] = level[i] + 1
                order[filled] = j
                filled += 1
    return filled


@njit(cache=True, nogil=True)
def _count_operations(
    indptr: Ints, indices: Ints, order: Ints, place: Ints, most_fill: int
) -> tuple[float, int]:
    """Sum of the squares of the columns' lengths when `order[k]` is eliminated k-th, and theirs.

    Each row of the factor is a part of the elimination tree, which is climbed from every
    neighbour (Liu 1986). The pattern is symmetric. Infinite when there are more than `most_fill`
    entries.
    """
    n = len(order)
    parent = np.full(n, -1, dtype=np.int64)
    mark = np.full(n, -1, dtype=np.int64)
    counts = np.zeros(n, dtype=np.int64)
    fill = 0
    for k in range(n):
        i = order[k]
        mark[k] = k
        for p in range(indptr[i], indptr[i + 1]):
            q = np.int64(place[indices[p]])
            while q < k and mark[q] != k:
                if parent[q] < 0:
                    parent[q] = k
                counts[q] += 1
                fill += 1
                mark[q] = k
                q = parent[q]
        if fill > most_fill:
            return np.inf, fill
    total = 0.0
    for k in range(n):
        total += float(counts[k]) * float(counts[k])
    return total, fill
