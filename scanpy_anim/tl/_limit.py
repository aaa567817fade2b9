"""The limit of the recurrence, where iterating on changes nothing any more.

``F = gain * (A G) + restart * Y`` with ``G = scale * F`` is the system ``(D - alpha A) G = B`` with
``D = alpha / (gain * scale)`` and ``B = alpha * restart * Y / gain``, whatever the mode. On an
undirected graph it is symmetric and positive definite: conjugate gradients, preconditioned by
``D`` (with hard clamping on the cells that are not held). On a directed one: BiCGSTAB.

Scores may span twenty orders of magnitude, and a small residual norm says nothing about the small
ones. The solver therefore looks at every cell's own residual before it stops, and ends with plain
iterations, which add up positive numbers only and get every cell's digits right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.tl._crew import Crew
    from scanpy_anim.tl._recurrence import Recurrence
    from scanpy_anim.tl._terrain import Terrain

Array = Any
# classes solved together: one cache line of float64 a cell
_TOGETHER = 8
# relative to the right-hand side, in the norm of D^-1; below the second, rounding is all there is
_CLOSE, _EXHAUSTED = 1e-7, 1e-14
_MAX_ITER = 3000
_MAX_STARTS = 20
_MAX_SWEEPS = 300
_LOOK_EVERY = 8


class Limit(NamedTuple):
    """Scores ``(n_obs, n_classes)``, their residual, and the iterations of the slowest class."""

    scores: NDArray[np.float32]
    residual: float
    n_iter: int
    converged: bool


class _System:
    """``(D - alpha A) X = B`` for a few classes, with rows of degree zero held."""

    def __init__(self, graph: Any, crew: Crew, recurrence: Recurrence, symmetric: bool) -> None:
        from scanpy_anim.tl import _limit_kernels

        self.kernels = _limit_kernels
        self.crew = crew
        self.arrays = (graph.indptr, graph.indices, graph.data)
        self.alpha = recurrence.alpha
        self.scale = recurrence.scale
        self.symmetric = symmetric
        through = recurrence.gain.astype(np.float64) * recurrence.scale
        self.degree = np.divide(self.alpha, through, out=np.zeros_like(through), where=through > 0)
        # an entry is right to a ten-thousandth at worst when its residual is this small
        self.accuracy = 1e-4 * max(1 - self.alpha, 1e-3)

    def padded(self, n_classes: int) -> Array:
        """Zeros that may be multiplied with the graph."""
        from scanpy_anim.tl._gather import padded

        return padded((len(self.degree), n_classes), np.float64)

    def _sums(self, n_columns: int) -> Array:
        return np.zeros((len(self.crew.bounds) - 1, n_columns))

    def apply(self, x: Array, out: Array) -> Array:
        """``out = (D - alpha A) x``, and ``<x, out>`` of each class."""
        sums = self._sums(x.shape[1])
        kernel = self.kernels.apply_system
        self.crew.run(kernel, *self.arrays, self.degree, self.alpha, x, x.reshape(-1), out, sums)
        return sums.sum(axis=0)

    def advance(
        self, length: Array, along: Array, image: Array, x: Array, residual: Array
    ) -> Array:
        """Go along a direction; the new ``<r, D^-1 r>`` of each class."""
        sums = self._sums(x.shape[1])
        self.crew.run(self.kernels.advance, self.degree, length, along, image, x, residual, sums)
        return sums.sum(axis=0)

    def turn(self, share: Array, residual: Array, along: Array) -> None:
        """Take the next direction."""
        self.crew.run(self.kernels.turn, self.degree, share, residual, along)

    def rough(self, x: Array, residual: Array) -> int:
        """Count entries not yet right by their own residual."""
        kernel, sums = self.kernels.count_rough, self._sums(1)
        self.crew.run(kernel, self.degree, self.accuracy, x, residual, sums)
        return int(sums.sum())

    def sweep(self, seeds: Array, rows: Array, x: Array, new: Array) -> tuple[float, int]:
        """Iterate plainly once; the residual, and how many entries still changed."""
        sums = self._sums(3)
        self.crew.run(
            self.kernels.sweep,
            *self.arrays,
            self.degree,
            self.alpha,
            self.scale,
            seeds,
            np.searchsorted(seeds, self.crew.bounds),
            rows,
            self.accuracy,
            x,
            x.reshape(-1),
            new,
            sums,
        )
        change, norm, rough = sums.sum(axis=0)
        return (change / norm if norm > 0 else 0.0), int(rough)


def solve_limit(terrain: Terrain, crew: Crew) -> Limit:
    """Solve for the limit, in the terrain's order of cells."""
    graph, seeds, rows = terrain.graph, terrain.seeds, terrain.rows
    recurrence = terrain.recurrence
    system = _System(graph, crew, recurrence, _is_symmetric(graph))
    limit = np.empty((graph.shape[0], rows.shape[1]), dtype=np.float32)
    worst, taken, converged = 0.0, 0, True
    for c in range(0, rows.shape[1], _TOGETHER):
        these = slice(c, c + _TOGETHER)
        x, residual, n_iter, done = _solve(system, seeds, rows[:, these], recurrence)
        x /= recurrence.scale[:, None]
        if len(recurrence.dangling):
            # what dangling cells give back to the seeds only makes everything larger
            mass = rows[:, these].sum(axis=0, dtype=np.float64)
            total = x.sum(axis=0)
            x *= np.divide(mass, total, out=np.ones_like(mass), where=total != 0)
        limit[:, these] = x
        worst, taken, converged = max(worst, residual), max(taken, n_iter), converged and done
    return Limit(limit, worst, taken, converged)


def _solve(
    system: _System, seeds: Array, rows: Array, recurrence: Recurrence
) -> tuple[Array, float, int, bool]:
    x = system.padded(rows.shape[1])
    held = system.degree[seeds] == 0
    x[seeds[held]] = rows[held] * recurrence.scale[seeds[held], None]
    gain = recurrence.gain[seeds].astype(np.float64)[:, None]
    weight = recurrence.alpha * recurrence.restart
    right = np.divide(weight * rows, gain, out=np.zeros(rows.shape), where=gain > 0)
    solver = _conjugate_gradients if system.symmetric else _bicgstab
    n_iter = solver(system, seeds, right, x)
    positive = (rows >= 0).all(axis=0)
    np.maximum(x, 0, out=x, where=positive)
    residual, done = _sweep(system, seeds, right, x)
    return x, residual, n_iter, done


def _conjugate_gradients(system: _System, seeds: Array, right: Array, x: Array) -> int:
    """Hestenes & Stiefel 1952, preconditioned by the degrees; all classes in step."""
    image = np.empty_like(x)
    system.apply(x, image)
    residual = -image
    residual[seeds] += np.where(system.degree[seeds, None] > 0, right, 0)
    along = system.padded(x.shape[1])
    none = np.zeros(x.shape[1])
    norm = system.advance(none, along, image, x, residual)
    # of the right-hand side; with held cells, of what they send into the others
    goal = np.maximum(norm, _norm(system, seeds, right))
    goal[goal == 0] = 1
    system.turn(none, residual, along)
    for n_iter in range(1, _MAX_ITER + 1):
        slope = system.apply(along, image)
        length = np.divide(norm, slope, out=np.zeros_like(norm), where=slope > 0)
        before, norm = norm, system.advance(length, along, image, x, residual)
        if (norm <= _EXHAUSTED**2 * goal).all():
            break
        close = n_iter % _LOOK_EVERY == 0 and (norm <= _CLOSE**2 * goal).all()
        if close and system.rough(x, residual) <= 1e-3 * x.size:
            break
        share = np.divide(norm, before, out=np.zeros_like(norm), where=before > 0)
        system.turn(share, residual, along)
    return n_iter


def _norm(system: _System, seeds: Array, right: Array) -> Array:
    degree = system.degree[seeds, None]
    squares = np.divide(right**2, degree, out=np.zeros(right.shape), where=degree > 0)
    return squares.sum(axis=0)


def _bicgstab(system: _System, seeds: Array, right: Array, x: Array) -> int:
    """Van der Vorst 1992, preconditioned by the degrees; all classes in step.

    It may break down, or lose the true residual out of sight; so it starts anew from where it
    is, keeping the best of each class, until the true residual is as small as rounding allows.
    """
    inverse = np.divide(1, system.degree, out=np.zeros_like(system.degree), where=system.degree > 0)
    inverse = inverse[:, None]
    best, least, n_iter = x.copy(), np.full(x.shape[1], np.inf), 0
    random, stalled = np.random.default_rng(0), 0
    for _ in range(_MAX_STARTS):
        _, norm, goal = _true_residual(system, seeds, right, x, inverse)
        better = norm < least
        stalled = 0 if (norm < 0.25 * least).any() else stalled + 1
        best[:, better], least = x[:, better], np.minimum(norm, least)
        if stalled > 2 or (least <= _EXHAUSTED**2 * goal).all():
            break
        x[:] = best
        residual, _, goal = _true_residual(system, seeds, right, x, inverse)
        # another shadow is the way out of a breakdown
        shadow = random.standard_normal(x.shape) if stalled else residual.copy()
        n_iter += _bicgstab_run(system, inverse, residual, shadow, goal, x)
    x[:] = best
    return n_iter


def _true_residual(
    system: _System, seeds: Array, right: Array, x: Array, inverse: Array
) -> tuple[Array, Array, Array]:
    """Residual, its squared norm, and that of the right-hand side, of each class."""
    image = np.empty_like(x)
    system.apply(x, image)
    residual = -image
    residual[seeds] += np.where(system.degree[seeds, None] > 0, right, 0)
    norm = (residual**2 * inverse).sum(axis=0)
    goal = np.maximum(norm if not x.any() else 0, _norm(system, seeds, right))
    return residual, np.where(np.isfinite(norm), norm, np.inf), np.where(goal > 0, goal, 1)


def _bicgstab_run(
    system: _System, inverse: Array, residual: Array, shadow: Array, goal: Array, x: Array
) -> int:
    """Go on from `x` until the residual that is carried along is small."""
    image, second = np.empty_like(x), np.empty_like(x)
    scaled = system.padded(x.shape[1])
    along = residual.copy()
    rho = (shadow * residual).sum(axis=0)
    n_iter = 0
    while n_iter < _MAX_ITER:
        n_iter += 1
        np.multiply(inverse, along, out=scaled)
        system.apply(scaled, image)
        length = _ratio(rho, (shadow * image).sum(axis=0))
        x += length * scaled
        residual -= length * image
        np.multiply(inverse, residual, out=scaled)
        system.apply(scaled, second)
        damp = _ratio((second * residual).sum(axis=0), (second**2).sum(axis=0))
        x += damp * scaled
        residual -= damp * second
        norm = (residual**2 * inverse).sum(axis=0)
        before, rho = rho, (shadow * residual).sum(axis=0)
        lost = ~np.isfinite(norm) | (rho == 0) | (damp == 0)
        if ((norm <= _EXHAUSTED**2 * goal) | lost).all():
            break
        along = residual + _ratio(rho, before) * _ratio(length, damp) * (along - damp * image)
    return n_iter


def _ratio(above: Array, below: Array) -> Array:
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)


def _sweep(system: _System, seeds: Array, right: Array, x: Array) -> tuple[float, bool]:
    """Iterate plainly, in place, until no entry changes by more than the accuracy."""
    current, new = x, system.padded(x.shape[1])
    for _ in range(_MAX_SWEEPS):
        residual, rough = system.sweep(seeds, right, current, new)
        current, new = new, current
        if rough == 0:
            break
    if current is not x:
        x[:] = current
    return residual, residual <= 1e-6


def _is_symmetric(graph: Any) -> bool:
    """Whether rows and columns weigh a random vector alike."""
    probe = np.random.default_rng(0).random(graph.shape[0])
    rows = np.bincount(  # A^T v, without a transposed copy
        graph.indices,
        weights=graph.data * np.repeat(probe, np.diff(graph.indptr)),
        minlength=graph.shape[1],
    )
    columns = graph @ probe
    return bool(np.abs(rows - columns).max(initial=0) <= 1e-5 * np.abs(columns).max(initial=0))
