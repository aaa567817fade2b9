"""Propagation on arrays: the way, iteration by iteration, and the goal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from scanpy_anim.tl._crew import Crew
from scanpy_anim.tl._graph import as_csr
from scanpy_anim.tl._history import LabelHistory, ScoreHistory
from scanpy_anim.tl._keep import kept_iterations
from scanpy_anim.tl._memory import fitting_columns
from scanpy_anim.tl._order import worth_renumbering
from scanpy_anim.tl._parameters import (
    Clamp,
    History,
    Method,
    Mode,
    Normalization,
    check_parameters,
)
from scanpy_anim.tl._signal import compact_signal
from scanpy_anim.tl._terrain import lay_out, terrain_renumbered
from scanpy_anim.tl._way import Measured, Way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scanpy_anim.tl._history import Finished
    from scanpy_anim.tl._limit import Limit
    from scanpy_anim.tl._terrain import Terrain

_COLUMNS_AT_FIRST = 16


@dataclass(frozen=True, slots=True)
class Propagation:
    """What :func:`propagate` returns.

    Attributes
    ----------
    history
        Scores, float32, C order: ``(n_obs, n_frames)`` for a signal of one column,
        ``(n_obs, n_frames, n_classes)`` for several. With a limit, it is the last column.
        With ``history="labels"``: integer codes ``(n_obs, n_frames)`` of the best class, -1
        where no seed has reached the cell.
    confidence
        With ``history="labels"``: the best class's share, float32 ``(n_obs, n_frames)``.
    scores
        Scores of the last column: the limit, or the last iteration kept; ``(n_obs,)`` or
        ``(n_obs, n_classes)``.
    iterations
        ``(n_frames,)`` what each column holds: 0 is the signal, ``inf`` the limit.
    residuals
        ``(n_iter,)`` of every iteration: ``|F_t - F_(t-1)|^2 / |F_t|^2``.
    unreached
        ``(n_iter,)`` number of cells with a score of zero in every class.
    flips
        ``(n_iter,)`` share of cells whose best class changed; empty for one class.
    converged
        Whether the last residual is at most `tol`; with ``method="direct"``, whether the limit
        got to its accuracy.
    limit_residual
        Residual of the limit under one more iteration; NaN without limit.
    limit_iterations
        Iterations the solver took; 0 without limit.
    limit_converged
        Whether the limit got to its accuracy; False without limit.
    cut_short
        Whether the way ended early because no more of its history would have fitted.
    """

    history: NDArray[Any]
    confidence: NDArray[np.float32] | None
    scores: NDArray[np.float32]
    iterations: NDArray[np.float64]
    residuals: NDArray[np.float64]
    unreached: NDArray[np.int64]
    flips: NDArray[np.float64]
    converged: bool
    limit_residual: float
    limit_iterations: int
    limit_converged: bool
    cut_short: bool

    @property
    def n_iter(self) -> int:
        """Number of iterations done."""
        return len(self.residuals)

    @property
    def limit(self) -> NDArray[np.float32] | None:
        """The converged solution, None without."""
        return self.scores if np.isinf(self.iterations[-1]) else None


def propagate(
    graph: Any,
    signal: Any,
    *,
    alpha: float = 0.99,
    clamp: Clamp = "soft",
    method: Method = "iterative",
    normalization: Normalization = "symmetric",
    tol: float = 1e-2,
    max_iter: int = 100,
    limit: bool = True,
    history: History = "scores",
    every: int = 1,
    iterations: Sequence[int] | Literal["log"] | None = None,
    symmetrize: bool = False,
    n_threads: int | None = None,
) -> Propagation:
    """Let a signal run over a graph, and keep every iteration: arrays in, arrays out.

    What :func:`label_propagation` does with an AnnData, for any other container. The equations
    are there.

    Parameters
    ----------
    graph
        ``(n_obs, n_obs)`` sparse matrix or array of any format, or a dense array; weights of 0 or
        more. Row ``i`` lists the cells that cell ``i`` receives from. It is not changed, and not
        copied when it is float32 CSR.
    signal
        ``(n_obs,)`` or ``(n_obs, n_classes)``, dense or sparse, finite. Non-zero rows are the
        seeds.
    alpha, clamp, method, normalization, tol, max_iter, limit, history
        As in :func:`label_propagation`.
    every, iterations, symmetrize
        As in :func:`label_propagation`.
    n_threads
        Threads to use; the default is what numba uses. The result does not depend on it.

    Returns
    -------
    Propagation
        ``history``, ``limit``, ``residuals``, ``converged`` and more.

    Raises
    ------
    ValueError, TypeError
        An argument that makes no sense, said before work starts.
    MemoryError
        The history would not fit into memory.

    Examples
    --------
    >>> import numpy as np
    >>> from scanpy_anim.tl import propagate
    >>> path = np.eye(4, k=1) + np.eye(4, k=-1)
    >>> outcome = propagate(path, [1, 0, 0, 0], alpha=0.5, tol=0, max_iter=3)
    >>> outcome.history.shape, outcome.unreached.tolist()
    ((4, 5), [2, 1, 0])
    >>> bool(outcome.limit_residual < 1e-12)
    True
    """
    check_parameters(
        alpha=alpha,
        clamp=clamp,
        method=method,
        normalization=normalization,
        tol=tol,
        max_iter=max_iter,
        history=history,
    )
    mode = Mode(float(alpha), clamp, normalization)
    keep = kept_iterations(every, iterations, max_iter)
    if method == "direct":
        keep, max_iter, limit = [0], 0, True
    adjacency = as_csr(graph, symmetrize=symmetrize)
    seeds, rows = compact_signal(signal, adjacency.shape[0])
    _require_fit(adjacency.shape[0], rows, clamp, history)
    keep, cut_short = _fit(keep, adjacency.shape[0], rows.shape[1], history, limit, tol)
    last = keep[-1] if cut_short else max_iter

    expected = last if tol == 0 else min(last, 10)
    renumbered = rows.shape[1] > 1 and worth_renumbering(
        adjacency.shape[0], rows.shape[1], expected + limit * mode.expected_solver_iterations
    )
    terrain = lay_out(adjacency, seeds, rows, mode, renumbered=renumbered, n_threads=n_threads)
    record = _open(terrain, history, clamp, len(keep) + limit, exact=tol == 0, limit=limit)
    measured = _walk(terrain, record, keep, last, tol, n_threads)
    solution = _solve(terrain, mode, record, n_threads) if limit else None
    frames = record.finish(n_threads)
    return _report(frames, keep, measured, solution, tol, cut_short)


def _require_fit(n_obs: int, rows: NDArray[Any], clamp: Clamp, history: History) -> None:
    """Refuse what leaves nothing to do or to say."""
    if clamp == "hard" and len(rows) == n_obs:
        raise ValueError("clamp='hard' leaves nothing to do: every cell is a seed")
    if rows.shape[1] > 1 and (rows < 0).any():
        raise ValueError("signal: several classes share cells out, none may be negative")
    if history == "labels" and rows.shape[1] == 1:
        raise ValueError("history='labels' needs several classes, there is one: use 'scores'")


def _fit(
    keep: list[int], n_obs: int, n_classes: int, history: History, limit: bool, tol: float
) -> tuple[list[int], bool]:
    """Cut the iterations to keep as far as memory asks for it; whether it did."""
    bytes_each = 4 * n_classes if history == "scores" else 6
    wanted = len(keep) + limit
    fitting = fitting_columns(n_obs, bytes_each, wanted, exact=tol == 0 or len(keep) == 1)
    return keep[: fitting - limit], fitting < wanted


def _open(
    terrain: Terrain, history: History, clamp: Clamp, n_columns: int, *, exact: bool, limit: bool
) -> ScoreHistory | LabelHistory:
    expected = n_columns if exact else min(n_columns, _COLUMNS_AT_FIRST)
    if history == "scores":
        return ScoreHistory(terrain, expected=expected, most=n_columns)
    return LabelHistory(
        terrain,
        class_mass=clamp == "hard",
        keep_scores=not limit,
        expected=expected,
        most=n_columns,
    )


def _walk(
    terrain: Terrain,
    record: ScoreHistory | LabelHistory,
    keep: list[int],
    last: int,
    tol: float,
    n_threads: int | None,
) -> list[Measured]:
    """Iterate until it hardly changes, keep what is wanted."""
    measured: list[Measured] = []
    wanted = set(keep)
    if 0 in wanted:
        record.begin(n_threads)
    if not last:
        return measured
    with Crew(terrain.graph.indptr, n_threads) as crew:
        way = Way(terrain, crew)
        for iteration in range(1, last + 1):
            measured.append(record.step(way, crew) if iteration in wanted else way.step())
            if tol > 0 and measured[-1].residual <= tol:
                break
    return measured


def _solve(
    terrain: Terrain, mode: Mode, record: ScoreHistory | LabelHistory, n_threads: int | None
) -> Limit:
    """Solve for the limit, on renumbered cells when it takes long."""
    from scanpy_anim.tl._limit import solve_limit

    # float64: every class counts twice
    if not terrain.renumbered and worth_renumbering(
        terrain.n_obs, 2 * terrain.n_classes, mode.expected_solver_iterations
    ):
        terrain = terrain_renumbered(terrain, n_threads)
    with Crew(terrain.graph.indptr, n_threads) as crew:
        solution = solve_limit(terrain, crew)
        record.end(terrain.to_user(solution.scores), crew)
    return solution


def _report(
    kept: Finished,
    keep: list[int],
    measured: list[Measured],
    solution: Limit | None,
    tol: float,
    cut_short: bool,
) -> Propagation:
    frames, confidence, scores = kept
    residuals = np.array([m.residual for m in measured], dtype=np.float64)
    converged = bool(residuals[-1] <= tol) if measured else bool(solution and solution.converged)
    columns = [float(t) for t in keep if t <= len(measured)]
    return Propagation(
        history=frames,
        confidence=confidence,
        scores=scores,
        iterations=np.array([*columns, np.inf] if solution else columns),
        residuals=residuals,
        unreached=np.array([m.unreached for m in measured], dtype=np.int64),
        flips=np.array([m.flips for m in measured if m.flips is not None], dtype=np.float64),
        converged=converged,
        limit_residual=solution.residual if solution else np.nan,
        limit_iterations=solution.n_iter if solution else 0,
        limit_converged=bool(solution and solution.converged),
        cut_short=cut_short and not converged,
    )
