"""Whether scores fit float32, known before anything is propagated: arrays only.

No mean is above the largest of what it is a mean of. With `"pagerank"` no score is above the sum
of the signal. With symmetric scaling `D^-1/2 A D^-1/2` is the random walk's `D^-1 A` in other
units, so that `|f_i| <= d_i^1/2 max_j |y_j| / d_j^1/2` in every iteration and the limit; on an
undirected graph no step makes the signal longer either. Where these bounds do not tell, it is
tried in float64.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scanpy_anim.tl._graph import in_float64
from scanpy_anim.tl._iteration import Iteration, set_up_problem
from scanpy_anim.tl._limit import solve_limit
from scanpy_anim.tl._limit_system import is_symmetric
from scanpy_anim.tl._sums import row_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from scanpy_anim.tl._iteration import Problem
    from scanpy_anim.tl._options import Options

_MOST = float(np.finfo(np.float32).max)


def require_scores_fit(
    graph: sparse.csr_array, seeds: NDArray[np.int64], rows: NDArray[np.float64], options: Options
) -> None:
    """Refuse a signal whose scores leave float32.

    Raises
    ------
    ValueError
        Scores leave float32.
    """
    sizes = np.abs(rows)
    largest = float(sizes.max())
    by_degree = options.clamp == "soft" and options.normalization == "symmetric"
    if options.clamp == "soft" and options.normalization == "pagerank":
        largest = float(sizes.sum(axis=0).max())
    elif by_degree:
        degree = row_sums(graph)
        root = np.sqrt(np.where(degree > 0, degree, 1.0))
        bound = float(root.max() * (sizes.max(axis=1) / root[seeds]).max())
        if bound > _MOST and is_symmetric(graph):
            length = largest * np.sqrt(((sizes / largest) ** 2).sum(axis=0).max())
            bound = min(bound, float(length))
        largest = bound if bound <= _MOST else _largest(graph, seeds, rows, options)
    if largest > _MOST:
        raise ValueError(
            f"the scores of this signal may reach {largest:.3g}, beyond float32, which holds "
            "3e38: divide the weights of the seeds by something"
        )


def _largest(
    graph: sparse.csr_array, seeds: NDArray[np.int64], rows: NDArray[np.float64], options: Options
) -> float:
    """Largest score of any iteration and the limit, by trying."""
    exponent = int(np.frexp(np.abs(rows).max())[1])
    small = np.ldexp(rows, -exponent).astype(np.float32)
    problem = set_up_problem(in_float64(graph), seeds, small, options)
    largest = _largest_on_the_way(problem, options)
    if options.limit:
        solution = solve_limit(problem, replace(options, limit=True))
        found = np.abs(solution.scores).max(axis=1)
        if solution.exponents is not None:
            found = np.ldexp(found, np.clip(solution.exponents, -2000, 2000))
        largest = max(largest, float(found.max()))
    with np.errstate(over="ignore"):
        return float(np.ldexp(largest, exponent))


def _largest_on_the_way(problem: Problem, options: Options) -> float:
    state, scale = Iteration(problem), problem.recurrence.scale[:, None]
    largest = float(np.abs(problem.rows).max())
    for _ in range(options.max_iter):
        residual = state.step().residual
        largest = max(largest, float(np.abs(state.signal / scale).max()))
        if options.tol > 0 and residual <= options.tol:
            break
    return largest
