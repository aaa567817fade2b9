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

from scanpy_anim.tl._limit_system import System, ratio
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


def solve_limit(terrain: Terrain, crew: Crew) -> Limit:
    """Solve for the limit, in the terrain's order of cells."""
    graph, seeds, rows = terrain.graph, terrain.seeds, terrain.rows
    recurrence = terrain.recurrence
    system = System(graph, crew, recurrence, _is_symmetric(graph, crew.n_threads))
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
    system: System, seeds: Array, rows: Array, recurrence: Recurrence
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


def _conjugate_gradients(system: System, seeds: Array, right: Array, x: Array) -> int:
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
        length = ratio(norm, slope)
        before, norm = norm, system.advance(length, along, image, step, near)
        share = ratio(norm, before)
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


def _arrived(system: System, x: Array, residual: Array, norm: Array, goal: Array) -> bool:
    """Whether all but a few entries are right, or rounding allows no more."""
    if (norm <= _EXHAUSTED**2 * goal).all():
        return True
    return bool((norm <= _CLOSE**2 * goal).all()) and system.rough(x, residual) <= 1e-3 * x.size


def _bicgstab(system: System, seeds: Array, right: Array, x: Array) -> int:
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
    system: System, inverse: Array, residual: Array, shadow: Array, goal: Array, x: Array
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
        length = ratio(rho, (shadow * image).sum(axis=0))
        x += length * scaled
        residual -= length * image
        np.multiply(inverse, residual, out=scaled)
        system.apply(scaled, second)
        damp = ratio((second * residual).sum(axis=0), (second**2).sum(axis=0))
        x += damp * scaled
        residual -= damp * second
        norm = (residual**2 * inverse).sum(axis=0)
        before, rho = rho, (shadow * residual).sum(axis=0)
        lost = ~np.isfinite(norm) | (rho == 0) | (damp == 0)
        if ((norm <= _EXHAUSTED**2 * goal) | lost).all():
            break
        along = residual + ratio(rho, before) * ratio(length, damp) * (along - damp * image)
    return n_iter


def _sweep(system: System, seeds: Array, right: Array, x: Array) -> tuple[float, bool]:
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
