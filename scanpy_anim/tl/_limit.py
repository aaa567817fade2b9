"""The limit of the recurrence, where iterating on changes nothing any more.

It solves a linear system (`_limit_system`). Graphs that are long or flat are eliminated
(`_limit_direct`), which gets every entry's digits right; others take conjugate gradients
(`_limit_krylov`), which do not, and some plain iterations, which do. What is still wrong then,
because scores may span hundreds of orders of magnitude, is found piece by piece (`_limit_far`).

It has converged when each entry is shown to be right, by its own residual.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scanpy_anim.tl._limit_bound import ACCURACY, HARD_ACCURACY, ROUNDING, TINIEST, Bound
from scanpy_anim.tl._limit_coarse import coarsen
from scanpy_anim.tl._limit_dense import MOST_CELLS, solve_without_subtraction
from scanpy_anim.tl._limit_direct import factorize, is_affordable, is_long
from scanpy_anim.tl._limit_far import Scaled, reached_from, solve_outwards
from scanpy_anim.tl._limit_krylov import solve_by_krylov, sweep_until_right
from scanpy_anim.tl._limit_system import set_up_system

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.tl._iteration import Problem
    from scanpy_anim.tl._limit_coarse import Coarse
    from scanpy_anim.tl._limit_direct import Factors
    from scanpy_anim.tl._options import Options

# classes solved together: one cache line of float32 a cell
_TOGETHER = 16
# exponents of rows that need none
_ORDINARY = 900
# what scores are raised to that float32 would lose, as an exponent
_RAISED = -100


class Limit(NamedTuple):
    """Scores `scores * 2**exponents`, their residual, and the iterations of the slowest class.

    Attributes
    ----------
    scores
        `(n_obs, n_classes)` float64. A row has one exponent, so that shares within it are those
        of `scores`, however small they all are.
    exponents
        `(n_obs,)`; None where all are 0.
    residual
        Of the scores under one more iteration.
    n_iter
        Iterations of the solver; 1 for elimination.
    converged
        Whether every score is within 1e-4 of the solution, relative to itself.
    """

    scores: NDArray[np.float64]
    exponents: NDArray[np.int64] | None
    residual: float
    n_iter: int
    converged: bool

    def to_user(self, problem: Problem) -> Limit:
        """Rows as the user counts cells."""
        exponents = None if self.exponents is None else problem.to_user(self.exponents)
        return self._replace(scores=problem.to_user(self.scores), exponents=exponents)

    def times(self, exponent: int) -> Limit:
        """Scores times a power of two."""
        exponents = (
            np.zeros(len(self.scores), np.int64) if self.exponents is None else self.exponents
        )
        return self._replace(exponents=exponents + exponent)

    def stored(self) -> NDArray[np.float32]:
        """Scores as float32 holds them: 0 below 1e-45, few digits below 1e-38."""
        return _as_float32(self.scores, self.exponents)

    def raised(self) -> NDArray[np.float32] | None:
        """As :meth:`stored`, but cells whose scores are all tiny have them raised together.

        Their largest becomes about 1e-30: what that adds to a class's mass is nothing, and the
        shares are kept. None where no cell needs it.
        """
        highest = np.frexp(self.scores.max(axis=1))[1].astype(np.int64)
        exponents = np.zeros_like(highest) if self.exponents is None else self.exponents
        tiny = (self.scores > 0).any(axis=1) & (highest + exponents < _RAISED)
        if not tiny.any():
            return None
        return _as_float32(self.scores, np.where(tiny, _RAISED - highest, exponents))


def solve_limit(problem: Problem, options: Options) -> Limit:
    """Solve for the limit, in the problem's order of cells."""
    rows = problem.rows.astype(np.float64)
    signed = bool((rows < 0).any())
    if signed:
        # digits are kept by adding up positive numbers, so both signs are solved for
        rows = np.c_[np.maximum(rows, 0), np.maximum(-rows, 0)]
    solver = _Solver(problem, options)
    parts = [solver.solve(rows[:, c : c + _TOGETHER]) for c in range(0, rows.shape[1], _TOGETHER)]
    mantissas, exponents = (np.concatenate(a, axis=1) for a in zip(*parts, strict=True))
    if len(problem.recurrence.dangling):
        mantissas *= _returned(mantissas, exponents, rows)
    if signed:
        both = np.ldexp(mantissas, exponents)
        mantissas, exponents = both[:, :1] - both[:, 1:], exponents[:, :1] * 0
    scores, row_exponents = _by_rows(mantissas, exponents)
    limit = Limit(scores, row_exponents, solver.residual, solver.n_iter, solver.n_rough == 0)
    finite = bool(np.isfinite(limit.stored()).all())
    return limit._replace(converged=limit.converged and finite)


class _Solver:
    """Solves for some classes after the other, and keeps count of how it went."""

    def __init__(self, problem: Problem, options: Options) -> None:
        self.seeds = problem.seeds
        self.system, self.weight = set_up_system(problem, options)
        self.residual, self.n_iter, self.n_rough = 0.0, 0, 0
        self.cells = self._solvable(hard=options.clamp == "hard")
        self.factors: Factors | None = None
        self.may_factor = True
        if is_long(self.system, self.seeds):
            self._factorize()
        self.coarse: Coarse | None = None
        if self.factors is None:
            self.coarse = coarsen(self.system, self.cells, problem.n_classes)
        self.bound = self._bound(options)

    def solve(self, rows: NDArray[np.float64]) -> Scaled:
        """Scores of some classes, a mantissa and an exponent each."""
        system = self.system
        largest = np.abs(rows).max(axis=0)
        rows = rows / np.where(largest > 0, largest, 1.0)
        right = self.weight[:, None] * rows
        x = system.zeros(rows.shape[1])
        held = system.degree[self.seeds] == 0
        x[self.seeds[held]] = rows[held]
        how = (system, self.seeds, right, self.bound, x)
        if self.factors is None:
            start = x.copy()
            self.n_iter = max(self.n_iter, solve_by_krylov(*how, self.coarse))
            residual, rough = sweep_until_right(*how)
            if rough and self._factorize():
                x[:] = start
        if self.factors is not None:
            self.n_iter = max(self.n_iter, 1)
            sent = system.true_residual(self.seeds, right, x)
            x[self.cells] = self.factors.solve(sent[self.cells])
            residual, rough = sweep_until_right(*how, patience=0)
        self.residual = max(self.residual, residual)
        solution = Scaled(x, np.zeros(x.shape, dtype=np.int64))
        if rough and len(self.cells) <= MOST_CELLS:
            self._eliminate(rows, right, held, solution)
        elif rough:
            self._mend(right, solution, self._trusted(right, x))
        solution.mantissas[:] *= system.unscale[:, None]
        solution.mantissas[:] *= largest
        return solution

    def _trusted(self, right: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which entries are shown to be right.

        With factors at hand, the error that a residual makes is solved for: there is no sharper
        bound, and weights that are far apart ask for it.
        """
        residual = self.system.true_residual(self.seeds, right, x)
        if not np.isfinite(self.bound.steps):
            # rounding may have hidden anything
            return np.broadcast_to(self.system.degree[:, None] == 0, x.shape)
        if self.factors is None:
            return self.system.trusted(self.bound, x, residual)
        found, degree = x[self.cells], self.system.degree[self.cells, None]
        error = self.factors.solve(np.abs(residual[self.cells]) + ROUNDING * degree * found)
        trusted = np.ones(x.shape, dtype=np.bool_)
        trusted[self.cells] = error <= 0.5 * self.bound.accuracy * found
        return trusted & ((x == 0) | (x >= TINIEST))

    def _eliminate(
        self,
        rows: NDArray[np.float64],
        right: NDArray[np.float64],
        held: NDArray[np.bool_],
        solution: Scaled,
    ) -> None:
        """Solve anew without any subtraction, which needs no proof but for what float64 loses."""
        x = solution.mantissas
        x[:] = 0
        x[self.seeds[held]] = rows[held]
        sent = self.system.true_residual(self.seeds, right, x)[self.cells]
        x[self.cells] = solve_without_subtraction(self.system, self.cells, sent)
        # next to another class what float64 loses does not count
        reached = reached_from(self.system, self.seeds)
        if (x[reached].max(axis=1) >= TINIEST).all():
            return
        trusted = x >= TINIEST
        trusted[:, ~x.any(axis=0)] = True
        self._mend(right, solution, trusted)

    def _mend(
        self, right: NDArray[np.float64], solution: Scaled, trusted: NDArray[np.bool_]
    ) -> None:
        """Solve anew for what is not right, one class after the other."""
        x, exponents = solution
        for c in np.flatnonzero(~trusted.all(axis=0)):
            how = (self.seeds, right[:, c], self.bound, x[:, c], trusted[:, c])
            found, n_rough = solve_outwards(self.system, *how)
            x[:, c], exponents[:, c] = found
            self.n_rough += n_rough

    def _solvable(self, *, hard: bool) -> NDArray[np.int64]:
        """Cells to solve for; with hard clamping those that a seed sends to, others stay at 0."""
        free = self.system.degree > 0
        if not hard:
            return np.flatnonzero(free)
        reached = reached_from(self.system, self.seeds)
        return reached[free[reached]]

    def _factorize(self) -> bool:
        """Get the factors, unless they are there or would be too large."""
        if self.may_factor:
            self.may_factor = False
            if is_affordable(self.system):
                self.factors = factorize(self.system, self.cells)
        return self.factors is not None

    def _bound(self, options: Options) -> Bound:
        """How small an entry's own residual has to be (see `_limit_system`)."""
        system = self.system
        accuracy = HARD_ACCURACY if options.clamp == "hard" else ACCURACY
        by_columns = options.normalization == "pagerank" and not system.symmetric
        if options.clamp == "soft" and not by_columns:
            return Bound(-1 / np.log(system.alpha), 0.0, accuracy)
        right = system.degree[self.cells, None]
        h = system.zeros(1)
        if self.factors is not None:
            h[self.cells] = self.factors.solve(right)
        else:
            solve_by_krylov(system, self.cells, right, Bound(1.0, 0.0, 0.1), h, self.coarse)
        image = right - system.true_residual(self.cells, right, h)[self.cells]
        # as far as rounding lets one tell
        image -= 2 * ROUNDING * right * h[self.cells]
        share, reached = (image / right).min(initial=1), h[self.cells]
        if not share > 0:
            return Bound(np.inf, 0.0, accuracy)
        slack = np.log(reached.max(initial=1) / reached.min(initial=1))
        return Bound(reached.max(initial=1) / share, slack, accuracy)


def _as_float32(
    scores: NDArray[np.float64], exponents: NDArray[np.int64] | None
) -> NDArray[np.float32]:
    if exponents is not None:
        scores = np.ldexp(scores, np.clip(exponents, -2000, 2000)[:, None])
    with np.errstate(over="ignore", under="ignore"):
        return scores.astype(np.float32)


def _returned(
    mantissas: NDArray[np.float64], exponents: NDArray[np.int64], rows: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compute how much larger what dangling cells give back to the seeds makes each class."""
    mass = rows.sum(axis=0)
    total = np.ldexp(mantissas, np.clip(exponents, -2000, 2000)).sum(axis=0)
    return np.divide(mass, total, out=np.ones_like(mass), where=total != 0)


def _by_rows(
    mantissas: NDArray[np.float64], exponents: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64] | None]:
    """One exponent a row, the largest entry's; what is 300 orders below it becomes 0."""
    if not exponents.any():
        return mantissas, None
    own = np.where(mantissas > 0, np.frexp(mantissas)[1] + exponents, np.iinfo(np.int64).min // 2)
    highest = own.max(axis=1)
    highest[~(mantissas > 0).any(axis=1)] = 0
    # rows that float64 holds stay as they are
    highest[np.abs(highest) < _ORDINARY] = 0
    shift = np.clip(exponents - highest[:, None], -2000, 2000)
    return np.ldexp(mantissas, shift), highest
