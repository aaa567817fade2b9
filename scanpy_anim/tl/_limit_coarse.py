"""A coarse picture of the system, which speeds conjugate gradients up where alpha is close to one.

What iterations are slow at are errors that are the same over whole neighborhoods. So cells are put
into parts, each grown around one of them; the system on vectors that are constant on every part
is small, and its solution is added to what the degrees alone make of a residual (Nicolaides, SIAM
J. Numer. Anal. 1987). Iterations become a third to a half at alpha 0.999.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from scanpy_anim._threads import RowBlocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim._arrays import Floats, Ints
    from scanpy_anim.tl._limit_system import System

U = np.uint64
# parts at the most, whose dense matrix is inverted, and at the least
_MOST_PARTS, _FEWEST_PARTS = 1000, 20
# cells a part on average, at the least
_FEWEST_CELLS = 100
# marks of cells that may get a part, and of others
_FREE, _NOWHERE = -1, -2
# rows are added up in so many pieces, each by one thread
_PIECES = 4
# classes times the root of the condition number from which it pays
_WORTH_IT = 30


class Coarse:
    """The system on vectors that are constant on each part; parts of `cells` only."""

    def __init__(self, system: System, cells: NDArray[np.int64]) -> None:
        self._part, n_parts = _grow(system, cells)
        self.n_parts = n_parts
        matrix = np.zeros((n_parts, n_parts))
        _add_up(*system.arrays, self._part, matrix)
        matrix *= -system.alpha
        inside = self._part < n_parts
        matrix.ravel()[:: n_parts + 1] += np.bincount(
            self._part[inside], system.degree[inside], n_parts
        )
        # symmetric, and in LAPACK's order worked on in place
        factor = cho_factor(matrix.T, overwrite_a=True)
        inverse = cho_solve(factor, np.eye(n_parts).T, overwrite_b=True)
        self._inverse = inverse.astype(np.float32, order="C")
        self._rows = RowBlocks(np.arange(n_parts + 1) * n_parts)
        self._pieces = RowBlocks(system.graph.indptr, n_blocks=_PIECES)
        self._blocks = system.blocks

    def solve(
        self, residual: NDArray[np.floating]
    ) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
        """Solution for a residual, a row a part, and `<r, solution>` of each class."""
        sums = np.zeros((_PIECES, len(self._inverse) + 1, residual.shape[1]))
        self._pieces.run(_collect, self._part, residual, sums)
        right = sums.sum(axis=0)[:-1]
        # not by BLAS, whose threads stay about and take the processors from ours
        solution = np.empty_like(right, dtype=residual.dtype)
        columns = np.ascontiguousarray(right.T, dtype=np.float32)
        self._rows.run(_multiply_dense, self._inverse, columns, solution)
        return solution, (right * solution).sum(axis=0)

    def add(self, solution: NDArray[np.floating], direction: NDArray[np.floating]) -> None:
        """Add a solution to each cell's row of a direction."""
        self._blocks.run(_hand_out, self._part, solution, direction)


def coarsen(system: System, cells: NDArray[np.int64], n_classes: int) -> Coarse | None:
    """Coarse picture of these cells, if iterations of so many classes are worth it."""
    steps = 1 / max(1 - system.alpha, 1e-3) ** 0.5
    pays = n_classes * steps >= _WORTH_IT and _count_parts(len(cells)) >= _FEWEST_PARTS
    if not (pays and system.moderate and system.symmetric):
        return None
    try:
        return Coarse(system, cells)
    except LinAlgError:
        # a part that is joined to all else by less than rounding
        return None


def coarse_bytes(n_obs: int) -> int:
    """Bytes that it takes at most: two matrices, one of them in float32 too, and parts."""
    return 20 * _count_parts(n_obs) ** 2 + 12 * n_obs


def _count_parts(n_cells: int) -> int:
    return min(_MOST_PARTS, n_cells // _FEWEST_CELLS)


def _grow(system: System, cells: NDArray[np.int64]) -> tuple[NDArray[np.int32], int]:
    """Part of each cell, the number of parts for cells of none; and that number."""
    size = len(cells) // _count_parts(len(cells))
    part = np.full(system.n_obs, _NOWHERE, dtype=np.int32)
    part[cells] = _FREE
    pattern = system.graph.indptr, system.graph.indices
    centers = _find_centers(*pattern, size, part)
    part[cells] = _FREE
    _spread(*pattern, centers, part)
    part[part < 0] = len(centers)
    return part, len(centers)


@njit(cache=True, nogil=True)
def _find_centers(indptr: Ints, indices: Ints, size: int, part: Ints) -> Ints:
    """Cells that `size` others are around which are around no other center; `part` is used up."""
    order = np.empty(size, dtype=np.int64)
    centers = []
    for start in range(len(part)):
        if part[start] != _FREE:
            continue
        part[start] = 0
        order[0] = start
        filled, head = 1, 0
        while head < filled and filled < size:
            i = order[head]
            head += 1
            for p in range(indptr[i], indptr[i + 1]):
                j = indices[p]
                if part[j] == _FREE and filled < size:
                    part[j] = 0
                    order[filled] = j
                    filled += 1
        if filled == size:
            centers.append(start)
    return np.array(centers)


@njit(cache=True, nogil=True)
def _spread(indptr: Ints, indices: Ints, centers: Ints, part: Ints) -> None:
    """Give each free cell the part of the center from which it is reached first."""
    order = np.empty(len(part), dtype=np.int64)
    filled = 0
    for k in range(len(centers)):
        part[centers[k]] = k
        order[filled] = centers[k]
        filled += 1
    head = 0
    while head < filled:
        i = order[head]
        head += 1
        for p in range(indptr[i], indptr[i + 1]):
            j = indices[p]
            if part[j] == _FREE:
                part[j] = part[i]
                order[filled] = j
                filled += 1


@njit(cache=True, nogil=True)
def _add_up(indptr: Ints, indices: Ints, weights: Floats, part: Ints, among: Floats) -> None:
    """Add up the weights between any two parts."""
    for i in range(len(part)):
        own = part[i]
        if own < len(among):
            for p in range(indptr[i], indptr[i + 1]):
                other = part[indices[p]]
                if other < len(among):
                    among[own, other] += weights[p]


@njit(cache=True, nogil=True)
def _collect(
    first: int, last: int, bounds: Ints, part: Ints, residual: Floats, sums: Floats
) -> None:
    """Sum of the rows of each part, of each block of rows."""
    for block in range(U(first), U(last)):
        for i in range(U(bounds[block]), U(bounds[block + U(1)])):
            own = U(part[i])
            for c in range(U(residual.shape[1])):
                sums[block, own, c] += residual[i, c]


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def _multiply_dense(
    first: int, last: int, bounds: Ints, matrix: Floats, columns: Floats, out: Floats
) -> None:
    """`out = matrix columns^T`."""
    for i in range(U(bounds[first]), U(bounds[last])):
        for c in range(U(columns.shape[0])):
            total = np.float32(0)
            for j in range(U(matrix.shape[1])):
                total += matrix[i, j] * columns[c, j]
            out[i, c] = total


@njit(cache=True, nogil=True)
def _hand_out(
    first: int, last: int, bounds: Ints, part: Ints, solution: Floats, direction: Floats
) -> None:
    """Add to each row that of its part."""
    n_parts, n_classes = U(solution.shape[0]), U(solution.shape[1])
    for i in range(U(bounds[first]), U(bounds[last])):
        own = U(part[i])
        if own < n_parts:
            for c in range(n_classes):
                direction[i, c] += solution[own, c]
