"""Which graph a run walked on, told by one number: whether another is the same, but for rounding.

Each weight counts by where it is: `sum(a_i w_ij b_j) / sum(w_ij)`, where `a` and `b` are spread
evenly over 1 to 2 and differ from cell to cell. That is the same in any format, order and scale of
the weights, and another number where a weight, its place or its direction is another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

# irrational: no two cells have the same fraction
_OF_ROWS, _OF_COLUMNS = 0.6180339887498949, 0.41421356237309515
# weights at a time, so that what is made of them fits the cache
_PIECE = 1 << 18
# sums of the same weights in another order differ by less
_TOLERANCE = 1e-9
# digits that are the same whatever the order
_DIGITS = 10


def checksum(graph: sparse.csr_array) -> float:
    """Tell a graph from others."""
    return quotient(*marked_sums(0, graph.indptr, graph.indices, graph.data))


def quotient(marked: float, total: float) -> float:
    """Checksum from sums over all rows; 0 without any weight."""
    return round(marked / total, _DIGITS) if total > 0 else 0.0


def is_same(one: float, other: float) -> bool:
    """Whether two checksums are of the same graph."""
    return abs(one - other) <= _TOLERANCE


def marked_sums(
    first: int,
    indptr: NDArray[np.integer],
    indices: NDArray[np.integer],
    weights: NDArray[np.number],
) -> tuple[float, float]:
    """Sum of the weights of rows from `first` on, each times its marks, and without."""
    marked = total = 0.0
    row, n_rows = 0, len(indptr) - 1
    while row < n_rows:
        begin = int(indptr[row])
        stop = int(np.searchsorted(indptr, begin + _PIECE, side="right")) - 1
        stop = min(max(stop, row + 1), n_rows)
        within = slice(begin, int(indptr[stop]))
        each = weights[within].astype(np.float64)
        total += float(each.sum())
        each *= _marks(indices[within], _OF_COLUMNS)
        rows = _marks(np.arange(first + row, first + stop), _OF_ROWS)
        marked += float(each @ np.repeat(rows, np.diff(indptr[row : stop + 1])))
        row = stop
    return marked, total


def _marks(cells: NDArray[np.integer], step: float) -> NDArray[np.float64]:
    marks = cells * step
    return 1 + (marks - np.floor(marks))
