"""Propagation on arrays: the way, iteration by iteration, and the goal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import sparse

from scanpy_anim.tl._columns import Columns
from scanpy_anim.tl._graph import as_csr
from scanpy_anim.tl._keep import kept_iterations
from scanpy_anim.tl._recurrence import Clamp, Normalization, Recurrence, set_up_recurrence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Method = Literal["iterative", "direct"]
_COLUMNS_AT_FIRST = 16


@dataclass(frozen=True, slots=True)
class Propagation:
    """What :func:`propagate` returns.

    Attributes
    ----------
    history
        Scores, float32, C order: ``(n_obs, n_frames)`` for a signal of one column,
        ``(n_obs, n_frames, n_classes)`` for several. With a limit, it is the last column.
    iterations
        ``(n_frames,)`` what each column holds: 0 is the signal, ``inf`` the limit.
    residuals
        ``(n_iter,)`` of every iteration: ``|F_t - F_(t-1)|^2 / |F_t|^2``.
    unreached
        ``(n_iter,)`` number of cells with a score of zero in every class.
    flips
        ``(n_iter,)`` share of cells whose best class changed; empty for one class.
    converged
        Whether the last residual is at most `tol`; with ``method="direct"``, whether the solver
        got to its accuracy.
    limit_residual
        Residual of the limit under one more iteration, NaN without limit.
    limit_iterations
        Iterations the solver took for it.
    """

    history: NDArray[Any]
    iterations: NDArray[np.float64]
    residuals: NDArray[np.float64]
    unreached: NDArray[np.int64]
    flips: NDArray[np.float64]
    converged: bool
    limit_residual: float
    limit_iterations: int

    @property
    def n_iter(self) -> int:
        """Number of iterations done."""
        return len(self.residuals)

    @property
    def limit(self) -> NDArray[np.float32] | None:
        """The converged solution, a view of the history's last column."""
        return self.history[:, -1] if np.isinf(self.iterations[-1]) else None


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
    every: int = 1,
    iterations: Sequence[int] | Literal["log"] | None = None,
    symmetrize: bool = False,
) -> Propagation:
    """Let a signal run over a graph, and keep every iteration."""
    check_parameters(
        alpha=alpha,
        clamp=clamp,
        method=method,
        normalization=normalization,
        tol=tol,
        max_iter=max_iter,
    )
    adjacency = as_csr(graph, symmetrize=symmetrize)
    positions, rows = compact_signal(signal, adjacency.shape[0])
    if clamp == "hard" and len(positions) == adjacency.shape[0]:
        raise ValueError("clamp='hard' leaves nothing to do: every cell is a seed")
    recurrence = set_up_recurrence(
        adjacency, positions, alpha=alpha, clamp=clamp, normalization=normalization
    )
    keep = [0] if method == "direct" else kept_iterations(every, iterations, max_iter)
    way = _Way(adjacency, positions, rows, recurrence)
    return way.walk(
        keep,
        max_iter=0 if method == "direct" else max_iter,
        tol=tol,
        limit=limit or method == "direct",
    )


def check_parameters(
    *, alpha: Any, clamp: Any, method: Any, normalization: Any, tol: Any, max_iter: Any
) -> None:
    """Refuse values outside their range or list, each by name."""
    for name, value, known in (
        ("clamp", clamp, ("soft", "hard")),
        ("method", method, ("iterative", "direct")),
        ("normalization", normalization, ("symmetric", "random_walk", "pagerank")),
    ):
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"{name}={value!r} is unknown: choose one of {list(known)}")
    if clamp == "hard" and normalization == "pagerank":
        raise ValueError(
            "normalization='pagerank' restarts at the seeds, clamp='hard' holds them: choose one"
        )
    if not isinstance(alpha, int | float | np.number) or not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha!r} must lie between 0 and 1, both excluded")
    if not isinstance(tol, int | float | np.number) or not 0 <= tol < np.inf:
        raise ValueError(f"tol={tol!r} must be a number, 0 or more")
    if isinstance(max_iter, bool) or not isinstance(max_iter, int | np.integer) or max_iter < 1:
        raise ValueError(f"max_iter={max_iter!r} must be a positive integer")


def compact_signal(signal: Any, n_obs: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows of the signal that are not zero: their positions and float32 values."""
    if not sparse.issparse(signal):
        signal = np.asarray(signal)
    if len(signal.shape) not in (1, 2) or signal.shape[0] != n_obs:
        raise ValueError(f"signal is of shape {signal.shape}, but the graph has {n_obs} nodes")
    if sparse.issparse(signal):
        rows = sparse.csr_array(signal if signal.ndim == 2 else signal.reshape(-1, 1))
        positions = np.flatnonzero(np.asarray(abs(rows).sum(axis=1)))
        values = rows[positions].toarray().astype(np.float32)
    else:
        dense = signal.reshape(n_obs, -1)
        if dense.dtype.kind not in "biuf":
            raise TypeError(f"signal of dtype {dense.dtype}: pass real numbers")
        # NaN counts as not zero, and is found below
        positions = np.flatnonzero((dense != 0).any(axis=1))
        values = dense[positions].astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError(f"signal: {(~np.isfinite(values)).sum()} values are NaN or infinite")
    if not len(positions):
        raise ValueError("signal is zero everywhere: no seed to start from")
    return positions.astype(np.int64), values


class _Way:
    """The state between iterations: two signals, what is kept, what was measured."""

    def __init__(
        self,
        graph: Any,
        positions: NDArray[np.int64],
        rows: NDArray[np.float32],
        recurrence: Recurrence,
    ) -> None:
        from scanpy_anim.tl import _kernels

        self._kernels = _kernels
        self.graph = graph
        self.positions = positions
        self.rows = rows
        self.recurrence = recurrence
        self.n_obs, self.n_classes = graph.shape[0], rows.shape[1]
        self.width = (self.n_classes,) if self.n_classes > 1 else ()
        self.signal = np.zeros((self.n_obs, *self.width), dtype=np.float32)
        seeded = rows * recurrence.scale[positions, None]
        self.signal[positions] = seeded if self.width else seeded[:, 0]
        self.new = np.empty_like(self.signal)
        self.labels = np.full(self.n_obs if self.width else 0, -1, dtype=np.int32)
        if self.width:
            self.labels[positions] = rows.argmax(axis=1)
        self.bounds = _cut(graph.indptr, _kernels.N_BLOCKS)
        self.sums = np.zeros((len(self.bounds) - 1, 4))

    def walk(self, keep: list[int], *, max_iter: int, tol: float, limit: bool) -> Propagation:
        """Iterate, keep what is wanted, end at the limit."""
        most = len(keep) + limit
        expected = most if tol == 0 else _COLUMNS_AT_FIRST
        columns = Columns(self.n_obs, self.width, np.float32, expected=expected, most=most)
        kept, wanted = [], set(keep)
        if 0 in wanted:
            slot = columns.add()
            columns.array[:, slot] = 0
            columns.array[self.positions, slot] = self.rows if self.width else self.rows[:, 0]
            kept.append(0.0)
        measured: list[tuple[float, int, float]] = []
        for iteration in range(1, max_iter + 1):
            slot = -1
            if iteration in wanted:
                slot = columns.add()
                kept.append(float(iteration))
            measured.append(self._step(columns.array, slot))
            if tol > 0 and measured[-1][0] <= tol:
                break
        residual, taken, solved = np.nan, 0, False
        if limit:
            slot = columns.add()
            kept.append(np.inf)
            solution, residual, taken, solved = self._solve()
            columns.array[:, slot] = solution
        residuals, unreached, flips = (
            map(np.array, zip(*measured, strict=True))
            if measured
            else (
                np.empty(0),
                np.empty(0, dtype=np.int64),
                np.empty(0),
            )
        )
        return Propagation(
            history=columns.finish(),
            iterations=np.array(kept),
            residuals=residuals,
            unreached=unreached,
            flips=flips if self.width else np.empty(0),
            converged=bool(residuals[-1] <= tol) if measured else solved,
            limit_residual=residual,
            limit_iterations=taken,
        )

    def _step(self, history: NDArray[np.float32], slot: int) -> tuple[float, int, float]:
        restart = self.rows * np.float32(1) * self._restart()
        matrix = bool(self.width)
        kernel: Any = self._kernels.step_matrix if matrix else self._kernels.step_vector
        kernel(
            self.graph.indptr,
            self.graph.indices,
            self.graph.data,
            self.recurrence.gain,
            self.recurrence.scale,
            self.positions,
            restart if matrix else restart[:, 0],
            self.signal,
            self.new,
            history,
            slot,
            *((self.labels,) if matrix else ()),
            self.bounds,
            0,
            1,
            self.sums,
        )
        self.signal, self.new = self.new, self.signal
        change, total, unreached, flips = self.sums.sum(axis=0)
        residual = change / total if total > 0 else 0.0
        return residual, int(unreached), flips / self.n_obs

    def _restart(self) -> NDArray[np.float32]:
        """Weight of each class's signal; with pagerank also what dangling cells give back."""
        weight = np.full(self.n_classes, self.recurrence.restart)
        if len(self.recurrence.dangling):
            lost = self.signal[self.recurrence.dangling].reshape(-1, self.n_classes)
            mass = self.rows.sum(axis=0, dtype=np.float64)
            returned = np.divide(
                lost.sum(axis=0, dtype=np.float64), mass, out=np.zeros_like(mass), where=mass != 0
            )
            weight += self.recurrence.alpha * returned
        return weight.astype(np.float32)

    def _solve(self) -> tuple[NDArray[np.float32], float, int, bool]:
        from scanpy_anim.tl._limit import solve_limit

        start = self.signal / self.recurrence.scale.reshape(-1, *[1 for _ in self.width])
        return solve_limit(self.graph, self.positions, self.rows, self.recurrence, start)


def _cut(indptr: NDArray[Any], n_blocks: int) -> NDArray[np.int64]:
    """Rows cut into blocks of about equal work, the same cut for any number of threads."""
    work = indptr.astype(np.int64) + np.arange(len(indptr))
    return np.searchsorted(work, np.linspace(0, work[-1], n_blocks + 1)).astype(np.int64)
