"""Krylov solvers for the limit: conjugate gradients, and BiCGSTAB for directed graphs.

Both make a residual small in norm, which says nothing about entries far below the largest. So
they stop when nearly every entry is right by its own residual, and plain iterations finish: these
add up positive numbers only, and get every entry's digits right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from scanpy_anim.tl._limit_system import System, ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.tl._limit_bound import Bound
    from scanpy_anim.tl._limit_coarse import Coarse

_Precision = Literal["float32", "float64"]
# relative to the right-hand side, in the norm of D^-1; below the second, rounding is all there is
_CLOSE, _EXHAUSTED = 1e-8, 1e-15
# how far a precision is trusted before the true residual is looked at
_RELIABLE = {"float32": 1e-4, "float64": 1e-8}
_MAX_ITER = 3000
# iterations between two looks at the true residual of what seems close
_LOOK_EVERY = 6
_MAX_STARTS = 20
# share of entries that may be left to sweeps, which do as well or have been tried
_FEW, _FEWER = 0.01, 1e-3
_MAX_SWEEPS = 2000
# share of entries below which only their rows are swept, and how often before the rest is asked
_LOCAL, _LOCAL_SWEEPS = 0.05, 50


def solve_by_krylov(
    system: System,
    seeds: NDArray[np.int64],
    right: NDArray[np.float64],
    bound: Bound,
    x: NDArray[np.float64],
    coarse: Coarse | None = None,
) -> int:
    """Fill `x`, which holds what is held and 0 elsewhere; the number of iterations."""
    norm = system.squared_norm(system.true_residual(seeds, right, x))
    goal = np.where(norm > 0, norm, 1.0)
    if not system.symmetric:
        n_iter = _bicgstab(system, seeds, right, goal, x)
    else:
        n_iter, arrived = 0, False
        how = (system, coarse, seeds, right, bound, goal, x)
        if system.narrow:
            n_iter, arrived = _conjugate_gradients(*how, "float32")
        if not arrived:
            further, _ = _conjugate_gradients(*how, "float64")
            n_iter += further
    np.maximum(x, 0, out=x)
    return n_iter


def sweep_until_right(
    system: System,
    seeds: NDArray[np.int64],
    right: NDArray[np.float64],
    bound: Bound,
    x: NDArray[np.float64],
    patience: int = 60,
) -> tuple[float, int]:
    """Iterate plainly, in place, until every entry is right or it leads nowhere.

    Returns the residual and the number of entries that are not right. In `patience` sweeps fewer
    have to become so.
    """
    current, new = x, system.zeros(x.shape[1])
    marks = np.zeros(len(x), dtype=np.bool_)
    fewest, since, residual, rough = x.size + 1, 0, 0.0, 0
    for _ in range(_MAX_SWEEPS):
        residual, rough = system.sweep(seeds, right, bound, current, new, marks)
        current, new = new, current
        before = fewest
        fewest, since = (rough, 0) if rough < fewest else (fewest, since + 1)
        if rough == 0 or since >= patience:
            break
        if 0.5 * before < rough < _LOCAL * x.size:
            _relax(system, np.flatnonzero(marks), seeds, right, bound, current)
    if current is not x:
        x[:] = current
    return residual, rough


def _relax(
    system: System,
    rows: NDArray[np.int64],
    seeds: NDArray[np.int64],
    right: NDArray[np.float64],
    bound: Bound,
    x: NDArray[np.float64],
) -> None:
    """Iterate where entries were not right, and nowhere else."""
    spans = bound.spans(x)
    for _ in range(_LOCAL_SWEEPS):
        if system.relax(rows, seeds, right, bound, spans, x) == 0:
            break


def _conjugate_gradients(
    system: System,
    coarse: Coarse | None,
    seeds: NDArray[np.int64],
    right: NDArray[np.float64],
    bound: Bound,
    goal: NDArray[np.float64],
    x: NDArray[np.float64],
    precision: _Precision,
) -> tuple[int, bool]:
    """Hestenes & Stiefel 1952, preconditioned by the degrees; all classes in step.

    In float32 where that serves, which moves half the bytes. Now and then what was found is added
    to `x`, and the true residual, in float64, takes the place of the one carried along (reliable
    updates: Clark et al. 2010). Sums over cells are float64 throughout. Returns the number of
    iterations, and whether it got where it was to go.
    """
    residual = system.true_residual(seeds, right, x)
    norm = system.squared_norm(residual)
    reliable = _RELIABLE[precision] ** 2
    carried: NDArray[Any] = residual.astype(precision)
    step: NDArray[Any] = np.zeros(x.shape, dtype=precision)
    direction, image = system.zeros(x.shape[1], precision), np.empty_like(carried)
    energy = _turn(system, coarse, norm, np.zeros_like(norm), carried, direction)
    start, stalled, n_iter, arrived = norm, 0, 0, False
    progress = _Progress(system, bound)
    while n_iter < _MAX_ITER and stalled < 3:
        n_iter += 1
        slope = system.apply(direction, image)
        length = ratio(energy, slope)
        norm = system.advance(length, direction, image, step, carried)
        astray = np.zeros(len(norm), dtype=np.bool_)
        close = n_iter >= progress.next and bool((norm <= _CLOSE**2 * goal).all())
        if close or (norm <= reliable * start).any() or not np.isfinite(norm).all():
            x += step
            step[:] = 0
            residual = system.true_residual(seeds, right, x)
            true_norm = system.squared_norm(residual)
            done = true_norm <= _EXHAUSTED**2 * goal
            close = bool((true_norm <= _CLOSE**2 * goal).all())
            arrived = bool(done.all()) or (close and progress.arrived(n_iter, x, residual, image))
            if arrived:
                break
            carried[:] = residual
            carried[:, done] = 0
            # directions do not outlive a residual that had gone astray
            astray = done | (true_norm > 4 * norm)
            norm = np.where(done, 0, true_norm)
            stalled = 0 if (norm < 0.8 * start).any() else stalled + 1
            # nothing left to do for a class: it no longer asks for attention
            start = np.where(done, -1, norm)
        energy = _turn(system, coarse, norm, np.where(astray, 0, energy), carried, direction)
    x += step
    return n_iter, arrived


def _turn(
    system: System,
    coarse: Coarse | None,
    norm: NDArray[np.float64],
    before: NDArray[np.float64],
    residual: NDArray[np.floating],
    direction: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Take the next direction; `<r, M^-1 r>` of each class, which was `before`, 0 to start anew."""
    if coarse is None:
        system.turn(ratio(norm, before), residual, direction)
        return norm
    solution, more = coarse.solve(residual)
    system.turn(ratio(norm + more, before), residual, direction)
    coarse.add(solution, direction)
    return norm + more


class _Progress:
    """Looks, now and then, whether conjugate gradients have done their part."""

    def __init__(self, system: System, bound: Bound) -> None:
        self._system, self._bound = system, bound
        self._last, self._n_rough = 0, 0
        self.next = 0

    def arrived(
        self,
        n_iter: int,
        x: NDArray[np.float64],
        residual: NDArray[np.float64],
        image: NDArray[np.floating],
    ) -> bool:
        """Whether entries are right, or sweeps do as well from here; `image` is overwritten."""
        before, taken = self._n_rough, n_iter - self._last
        rough = self._n_rough = self._count(x, residual)
        self._last, self.next = n_iter, n_iter + _LOOK_EVERY
        if rough == 0:
            return True
        if 0 < rough < before:
            # when few would be left
            further = np.log(rough / (_FEWER * x.size)) / np.log(before / rough)
            self.next += int(np.clip(taken * further - _LOOK_EVERY, 0, 4 * _LOOK_EVERY))
        # as many sweeps make what is wrong smaller by alpha each, wherever it is
        if rough <= _FEW * x.size and before and rough >= self._system.alpha**taken * before:
            return True
        few = rough <= _FEWER * x.size
        return few and 4 * self._after_a_sweep(x, residual, image) <= rough

    def _count(self, x: NDArray[np.float64], residual: NDArray[np.floating]) -> int:
        return int(np.count_nonzero(self._system.rough(self._bound, x, residual)))

    def _after_a_sweep(
        self, x: NDArray[np.float64], residual: NDArray[np.float64], image: NDArray[np.floating]
    ) -> int:
        """How many entries would not be right after it: `r` becomes `alpha A D^-1 r`."""
        scaled = (residual * self._system.inverse[:, None]).astype(image.dtype)
        self._system.apply(scaled, image)
        np.subtract(residual, image, out=image, casting="same_kind")
        return self._count(x, image)


def _bicgstab(
    system: System,
    seeds: NDArray[np.int64],
    right: NDArray[np.float64],
    goal: NDArray[np.float64],
    x: NDArray[np.float64],
) -> int:
    """Van der Vorst 1992, preconditioned by the degrees; all classes in step.

    It may break down, or lose the true residual out of sight; so it starts anew from where it
    is, keeping the best of each class, until the true residual is as small as rounding allows.
    """
    best, least, n_iter = x.copy(), np.full(x.shape[1], np.inf), 0
    random, stalled = np.random.default_rng(0), 0
    for _ in range(_MAX_STARTS):
        norm = system.squared_norm(system.true_residual(seeds, right, x))
        better = norm < least
        stalled = 0 if (norm < 0.25 * least).any() else stalled + 1
        best[:, better], least = x[:, better], np.minimum(norm, least)
        if stalled > 2 or (least <= _EXHAUSTED**2 * goal).all():
            break
        x[:] = best
        residual = system.true_residual(seeds, right, x)
        # another shadow is the way out of a breakdown
        shadow = random.standard_normal(x.shape) if stalled else residual.copy()
        n_iter += _bicgstab_run(system, residual, shadow, goal, x)
    x[:] = best
    return n_iter


def _bicgstab_run(
    system: System,
    residual: NDArray[np.float64],
    shadow: NDArray[np.float64],
    goal: NDArray[np.float64],
    x: NDArray[np.float64],
) -> int:
    """Go on from `x` until the residual that is carried along is small."""
    inverse = system.inverse[:, None]
    image, second = np.empty_like(x), np.empty_like(x)
    scaled = system.zeros(x.shape[1])
    direction = residual.copy()
    rho = (shadow * residual).sum(axis=0)
    n_iter = 0
    while n_iter < _MAX_ITER:
        n_iter += 1
        np.multiply(inverse, direction, out=scaled)
        system.apply(scaled, image)
        length = ratio(rho, (shadow * image).sum(axis=0))
        x += length * scaled
        residual -= length * image
        np.multiply(inverse, residual, out=scaled)
        system.apply(scaled, second)
        damping = ratio((second * residual).sum(axis=0), (second**2).sum(axis=0))
        x += damping * scaled
        residual -= damping * second
        norm = (residual**2 * inverse).sum(axis=0)
        before, rho = rho, (shadow * residual).sum(axis=0)
        lost = ~np.isfinite(norm) | (rho == 0) | (damping == 0)
        if ((norm <= _EXHAUSTED**2 * goal) | lost).all():
            break
        direction = residual + ratio(rho, before) * ratio(length, damping) * (
            direction - damping * image
        )
    return n_iter
