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

from scanpy_anim.tl._recurrence import received_by, sent_by

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.tl._crew import Crew
    from scanpy_anim.tl._recurrence import Recurrence
    from scanpy_anim.tl._terrain import Terrain

Array = Any
# classes solved together: one cache line of float32 a cell
_TOGETHER = 16
# relative to the right-hand side, in the norm of D^-1; below the second, rounding is all there is
_CLOSE, _EXHAUSTED = 1e-7, 1e-14
# how far float32 is trusted before the true residual is looked at
_RELIABLE = 1e-4
_MAX_ITER = 3000
# iterations between two looks at the true residual of what seems close
_LOOK_EVERY = 12
_MAX_STARTS = 20
_MAX_SWEEPS = 300


class Limit(NamedTuple):
    """Scores ``(n_obs, n_classes)``, their residual, and the iterations of the slowest class."""

    scores: NDArray[np.float32]
    residual: float
    n_iter: int
    converged: bool


class _System:
    """``(D - alpha A) X = B`` for a few classes, with rows of degree zero held."""

    def __init__(self, graph: Any, crew: Crew, recurrence: Recurrence, symmetric: bool) -> None:
        from scanpy_anim.tl import _kernels, _limit_kernels

        self.kernels, self.receive = _limit_kernels, _kernels.receive
        self.crew = crew
        self.arrays = (graph.indptr, graph.indices, graph.data)
        self.alpha = recurrence.alpha
        self.scale = recurrence.scale
        self.symmetric = symmetric
        through = recurrence.gain.astype(np.float64) * recurrence.scale
        self.degree = np.divide(self.alpha, through, out=np.zeros_like(through), where=through > 0)
        self.inverse = _ratio(np.ones_like(self.degree), self.degree)
        # an entry is right to a ten-thousandth at worst when its residual is this small
        self.accuracy = 1e-4 * max(1 - self.alpha, 1e-3)

    def padded(self, n_classes: int, dtype: Any = np.float64) -> Array:
        """Zeros that may be multiplied with the graph."""
        from scanpy_anim.tl._gather import padded

        return padded((len(self.degree), n_classes), dtype)

    def _sums(self, n_columns: int) -> Array:
        return np.zeros((len(self.crew.bounds) - 1, n_columns))

    def apply(self, x: Array, out: Array) -> Array:
        """``out = (D - alpha A) x``, and ``<x, out>`` of each class."""
        sums = self._sums(x.shape[1])
        how = (*self.arrays, self.degree, self.alpha)
        if x.shape[1] == 1:
            self.crew.run(self.kernels.apply_vector, *how, x[:, 0], out[:, 0], sums)
        else:
            self.crew.run(self.kernels.apply_system, *how, x, x.reshape(-1), out, sums)
        return sums.sum(axis=0)

    def _negative_image(self, x: Array) -> Array:
        """``(alpha A - D) x``; for one class with a kernel that is there already."""
        out = np.empty(x.shape)
        if x.shape[1] > 1:
            self.apply(x, out)
            return np.negative(out, out=out)
        self.crew.run(self.receive, *self.arrays, x[:, 0], out[:, 0])
        out *= self.alpha
        out -= self.degree[:, None] * x
        out[self.degree == 0] = 0
        return out

    def true_residual(self, seeds: Array, right: Array, x: Array) -> tuple[Array, Array, Array]:
        """Residual, its squared norm, and that of the right-hand side, of each class.

        Norms are those of ``D^-1``. With held cells, the right-hand side is what they send.
        """
        at_zero = not x.any()
        residual = np.zeros(x.shape) if at_zero else self._negative_image(x)
        degree = self.degree[seeds, None]
        residual[seeds] += np.where(degree > 0, right, 0)
        norm = np.einsum("ic,ic,i->c", residual, residual, self.inverse)
        squares = np.divide(right**2, degree, out=np.zeros(right.shape), where=degree > 0)
        goal = np.maximum(norm if at_zero else 0, squares.sum(axis=0))
        return residual, np.where(np.isfinite(norm), norm, np.inf), np.where(goal > 0, goal, 1)

    def advance(
        self, length: Array, along: Array, image: Array, x: Array, residual: Array
    ) -> Array:
        """Go along a direction; the new ``<r, D^-1 r>`` of each class."""
        sums = self._sums(x.shape[1])
        kernel, arrays = self.kernels.advance, (along, image, x, residual)
        if x.shape[1] == 1:
            kernel, arrays = self.kernels.advance_vector, tuple(a[:, 0] for a in arrays)
        self.crew.run(kernel, self.inverse, length, *arrays, sums)
        return sums.sum(axis=0)

    def turn(self, share: Array, residual: Array, along: Array) -> None:
        """Take the next direction."""
        kernel, arrays = self.kernels.turn, (residual, along)
        if along.shape[1] == 1:
            kernel, arrays = self.kernels.turn_vector, tuple(a[:, 0] for a in arrays)
        self.crew.run(kernel, self.inverse, share, *arrays)

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
    system = _System(graph, crew, recurrence, _is_symmetric(graph, crew.n_threads))
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
    """Hestenes & Stiefel 1952, preconditioned by the degrees; all classes in step.

    In float32, which moves half the bytes. Now and then what was found is added to `x`, and the
    true residual, in float64, takes the place of the one carried along (reliable updates: Clark
    et al. 2010). Sums over cells are float64 throughout.
    """
    residual, norm, goal = system.true_residual(seeds, right, x)
    near, step = residual.astype(np.float32), np.zeros(x.shape, dtype=np.float32)
    along, image = system.padded(x.shape[1], np.float32), np.empty_like(near)
    system.turn(np.zeros_like(norm), near, along)
    start, stalled, n_iter, next_look = norm, 0, 0, 0
    while n_iter < _MAX_ITER and stalled < 3:
        n_iter += 1
        slope = system.apply(along, image)
        length = _ratio(norm, slope)
        before, norm = norm, system.advance(length, along, image, step, near)
        share = _ratio(norm, before)
        close = n_iter >= next_look and (norm <= _CLOSE**2 * goal).all()
        if close or (norm <= _RELIABLE**2 * start).any():
            next_look = n_iter + _LOOK_EVERY
            x += step
            step[:] = 0
            residual, true_norm, _ = system.true_residual(seeds, right, x)
            if _arrived(system, x, residual, true_norm, goal):
                break
            done = true_norm <= _EXHAUSTED**2 * goal
            near[:] = np.where(done, 0, residual)
            # directions do not outlive a residual that had gone astray
            share[done | (true_norm > 4 * norm)] = 0
            norm = np.where(done, 0, true_norm)
            stalled = 0 if (norm < 0.25 * start).any() else stalled + 1
            # nothing left to do for a class: it no longer asks for attention
            start = np.where(done, -1, norm)
        system.turn(share, near, along)
    x += step
    return n_iter


def _arrived(system: _System, x: Array, residual: Array, norm: Array, goal: Array) -> bool:
    """Whether all but a few entries are right, or rounding allows no more."""
    if (norm <= _EXHAUSTED**2 * goal).all():
        return True
    return bool((norm <= _CLOSE**2 * goal).all()) and system.rough(x, residual) <= 1e-3 * x.size


def _bicgstab(system: _System, seeds: Array, right: Array, x: Array) -> int:
    """Van der Vorst 1992, preconditioned by the degrees; all classes in step.

    It may break down, or lose the true residual out of sight; so it starts anew from where it
    is, keeping the best of each class, until the true residual is as small as rounding allows.
    """
    inverse = system.inverse[:, None]
    best, least, n_iter = x.copy(), np.full(x.shape[1], np.inf), 0
    random, stalled = np.random.default_rng(0), 0
    for _ in range(_MAX_STARTS):
        _, norm, goal = system.true_residual(seeds, right, x)
        better = norm < least
        stalled = 0 if (norm < 0.25 * least).any() else stalled + 1
        best[:, better], least = x[:, better], np.minimum(norm, least)
        if stalled > 2 or (least <= _EXHAUSTED**2 * goal).all():
            break
        x[:] = best
        residual, _, goal = system.true_residual(seeds, right, x)
        # another shadow is the way out of a breakdown
        shadow = random.standard_normal(x.shape) if stalled else residual.copy()
        n_iter += _bicgstab_run(system, inverse, residual, shadow, goal, x)
    x[:] = best
    return n_iter


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


def _is_symmetric(graph: Any, n_threads: int) -> bool:
    """Whether rows and columns weigh a random vector alike."""
    probe = np.random.default_rng(0).random(graph.shape[0])
    rows, columns = sent_by(graph, probe, n_threads), received_by(graph, probe, n_threads)
    return bool(np.abs(rows - columns).max(initial=0) <= 1e-5 * np.abs(columns).max(initial=0))
