"""Elimination without any subtraction, for some hundred cells whose weights are very far apart.

A group of cells that is joined to all else by next to nothing makes a matrix that is singular as
far as rounding can tell: the diagonal minus the rest of its row loses what joins the group. After
Grassmann, Taksar and Heyman (Operations Research 1985) the diagonal is never formed: what a row's
diagonal exceeds the rest by, its slack, is carried along, and the pivot is the sum of both. All
that happens is adding up positive numbers, so that each entry of the solution is right to some
rounding errors a cell (Alfa, Xue and Ye, Mathematics of Computation 2002).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim._arrays import Floats
    from scanpy_anim.tl._limit_system import System

# a dense matrix of so many cells is eliminated in a tenth of a second
MOST_CELLS = 800


def solve_without_subtraction(
    system: System, cells: NDArray[np.int64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solution of `(D - alpha A) X = B` at `cells`, where `B` is `right` there."""
    alpha = system.alpha
    among = system.graph[cells][:, cells].toarray().astype(np.float64)
    axis = 0 if system.by_columns else 1
    if alpha == 1:
        # what does not stay among these cells is sent by held ones
        inside = np.zeros(system.n_obs, dtype=np.bool_)
        inside[cells] = True
        rows = system.graph[cells][:, np.flatnonzero(~inside)]
        slack = np.asarray(rows.astype(np.float64).sum(axis=1)).ravel()
    else:
        slack = (1 - alpha) * among.sum(axis=axis)
        # a cell with no neighbour at all
        slack[slack == 0] = system.degree[cells][slack == 0]
    np.fill_diagonal(among, 0)
    found = right.copy()
    _eliminate(alpha * among, slack, found, by_columns=system.by_columns)
    return found


@njit(cache=True, nogil=True)
def _eliminate(among: Floats, slack: Floats, right: Floats, by_columns: bool) -> None:
    """Solve `diag(slack + sums of among) X - among X = right`, sums of rows or of columns.

    `right` becomes the solution.
    """
    n = len(slack)
    pivots = np.empty(n)
    for k in range(n):
        pivot = slack[k]
        for j in range(k + 1, n):
            pivot += among[j, k] if by_columns else among[k, j]
        pivots[k] = pivot
        for i in range(k + 1, n):
            if among[i, k] > 0:
                share = among[i, k] / pivot
                for j in range(k + 1, n):
                    among[i, j] += share * among[k, j]
                among[i, i] = 0.0
                for c in range(right.shape[1]):
                    right[i, c] += share * right[k, c]
                if not by_columns:
                    slack[i] += share * slack[k]
            if by_columns:
                slack[i] += among[k, i] / pivot * slack[k]
    for k in range(n - 1, -1, -1):
        for c in range(right.shape[1]):
            total = right[k, c]
            for j in range(k + 1, n):
                total += among[k, j] * right[j, c]
            right[k, c] = total / pivots[k]
