"""Iterations whose scores float32 does not hold, each cell's with an exponent of its own.

A cell far from every seed has scores of 1e-40 or 1e-400 after some iterations, which say as well as
any which class is ahead and by what share. Iterations in float32 (`_iteration`) lose them, and
count the cells of which the largest score is next to nothing. Where there are some, this iterates
anew for the labels: some times slower, and right to the last digits of float64.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from scanpy_anim.tl._iteration import StepStats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim._arrays import Floats, Ints
    from scanpy_anim.tl._iteration import Problem

# what the largest score of a faint cell is raised to, as an exponent
_RAISED = -100
# exponent of zero
_NOWHERE = -(1 << 40)


class FaintIteration:
    """As :class:`scanpy_anim.tl._iteration.Iteration`, for several classes.

    `signal` holds the scores of the last iteration, but that those of faint cells are raised to
    about 1e-30, all classes together: shares are as they were.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        recurrence, seeds = problem.recurrence, problem.seeds
        self._weights = recurrence.weights(problem.graph)
        self._gain = recurrence.gain.astype(np.float64)
        self._scale = recurrence.scale.astype(np.float64)
        self._scores = np.zeros((problem.n_obs, problem.n_classes))
        self._exponents = np.full(problem.n_obs, _NOWHERE)
        self._scores[seeds] = problem.rows
        self._exponents[seeds] = 0
        self._labels = np.full(problem.n_obs, -1, dtype=np.int64)
        self._labels[seeds] = problem.rows.argmax(axis=1)
        _level(self._scores, self._exponents)

    @property
    def signal(self) -> NDArray[np.float64]:
        """Scores, those of faint cells raised."""
        return self._times(np.maximum(self._exponents, _RAISED))

    def scores(self) -> NDArray[np.float32]:
        """F of the last iteration, as float32 holds it."""
        with np.errstate(under="ignore"):
            return self._times(self._exponents).astype(np.float32)

    def step(self) -> StepStats:
        """Iterate once."""
        problem, before = self._problem, self._times(self._exponents)
        new, exponents = np.empty_like(self._scores), np.empty_like(self._exponents)
        sent = self._scores * self._scale[:, None]
        sent_exponents = self._exponents.copy()
        _level(sent, sent_exponents)
        graph = problem.graph
        arrays = (graph.indptr, graph.indices, self._weights, self._gain)
        restart = self._restart(before)
        seeds = (problem.seeds, problem.rows.astype(np.float64) * restart)
        _step(*arrays, *seeds, sent, sent_exponents, new, exponents)
        _level(new, exponents)
        self._scores, self._exponents = new, exponents
        labels = np.where(new.max(axis=1) > 0, new.argmax(axis=1), -1)
        flips, self._labels = float((labels != self._labels).mean()), labels
        after = self._times(exponents)
        total = float((after**2).sum())
        residual = float(((after - before) ** 2).sum()) / total if total > 0 else 0.0
        return StepStats(residual, int((labels < 0).sum()), flips, 0)

    def _times(self, exponents: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.ldexp(self._scores, np.clip(exponents, -2000, 2000)[:, None])

    def _restart(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weight of each class's signal; with pagerank also what dangling cells give back."""
        recurrence, mass = self._problem.recurrence, self._problem.rows.sum(axis=0, dtype=float)
        lost = scores[recurrence.dangling] * self._scale[recurrence.dangling, None]
        returned = np.divide(lost.sum(axis=0), mass, out=np.zeros_like(mass), where=mass > 0)
        return recurrence.restart + recurrence.alpha * returned


@njit(cache=True, nogil=True)
def _level(scores: Floats, exponents: Ints) -> None:
    """Bring the largest entry of each row to between a half and one, and what that took along."""
    for i in range(len(scores)):
        largest = scores[i].max()
        if largest <= 0:
            exponents[i] = _NOWHERE
            continue
        shift = math.frexp(largest)[1]
        exponents[i] += shift
        for c in range(scores.shape[1]):
            scores[i, c] = math.ldexp(scores[i, c], -shift)


@njit(cache=True, nogil=True)
def _step(
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    gain: Floats,
    seeds: Ints,
    restart: Floats,
    sent: Floats,
    exponents: Ints,
    new: Floats,
    new_exponents: Ints,
) -> None:
    """Set `new * 2**new_exponents` to `gain * A (sent * 2**exponents)`, seeds plus `restart`."""
    seed = 0
    for i in range(len(new)):
        is_seed = seed < len(seeds) and seeds[seed] == i
        highest = _NOWHERE
        for p in range(indptr[i], indptr[i + 1]):
            if weights[p] > 0 and exponents[indices[p]] > _NOWHERE:
                own = math.frexp(np.float64(weights[p]))[1] + exponents[indices[p]]
                highest = max(highest, own)
        shift = math.frexp(gain[i])[1] if gain[i] > 0 else 0
        if highest > _NOWHERE:
            highest += shift
        if is_seed:
            highest = max(highest, 0)
        for c in range(new.shape[1]):
            new[i, c] = math.ldexp(restart[seed, c], -highest) if is_seed else 0.0
        for p in range(indptr[i], indptr[i + 1]):
            j = indices[p]
            if weights[p] > 0 and gain[i] > 0 and exponents[j] - highest + shift > -1000:
                factor = math.ldexp(np.float64(weights[p]), exponents[j] - highest + shift)
                for c in range(new.shape[1]):
                    new[i, c] += factor * math.ldexp(gain[i], -shift) * sent[j, c]
        new_exponents[i] = highest
        seed += is_seed
