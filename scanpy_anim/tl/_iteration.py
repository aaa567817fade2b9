"""One iteration after the other: all modes of propagation are one recurrence in other scalings.

With `G = scale * F` every mode is

    F  <-  gain * (A G)  +  restart * Y

=============  =====================  ==============  ============
mode           gain                   scale           restart
=============  =====================  ==============  ============
symmetric      alpha * d^-1/2         d^-1/2          1 - alpha
random_walk    alpha * d^-1           1               1 - alpha
pagerank       alpha                  c^-1            1 - alpha
hard           d^-1, 0 at the seeds   1               1
=============  =====================  ==============  ============

where `d` are the row sums of the graph (what a cell receives) and `c` the column sums (what
it sends). A sum of zero counts as one, so that nothing is divided by zero. Where a sum is next to
nothing or huge, its row (with pagerank: its column) is multiplied by a power of two that the
scalings take back: their reciprocals would leave the range of float32.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scanpy_anim._threads import RowBlocks
from scanpy_anim.tl import _step_kernels as kernels
from scanpy_anim.tl._graph import in_float64
from scanpy_anim.tl._reorder import renumber
from scanpy_anim.tl._sums import row_sums, sent_by

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from scanpy_anim.tl._options import Options

# sums below it, and above its reciprocal, are lifted
_TINY = 1e-18
# scalings below it are brought to one, as far below float32 loses what is small
_SMALL_SCALE = 2.0**-6
# signal times the range of the scalings from which on iterations are done in float64
_WIDE = 1e9


@dataclass(frozen=True, slots=True)
class _Recurrence:
    """`F <- gain * (A G) + restart * Y` with `G = scale * F`.

    Attributes
    ----------
    gain
        `(n_obs,)` float32, as the graph.
    scale
        `(n_obs,)` float32, as the graph, never zero.
    restart
        Weight of the seed signal.
    alpha
        Weight of the neighbours; 1 with hard clamping.
    dangling
        Cells that send to nobody, whose mass goes back to the seeds (pagerank only).
    lift
        `(n_obs,)` powers of two that rows of `A` are multiplied by (columns with pagerank); empty
        where none needs to be.
    """

    gain: NDArray[np.floating]
    scale: NDArray[np.floating]
    restart: float
    alpha: float
    dangling: NDArray[np.int64]
    lift: NDArray[np.int32]
    lifts_columns: bool = False

    def weights(self, graph: sparse.csr_array) -> NDArray[np.floating]:
        """Weights of this graph, those of its tiny and huge rows or columns lifted."""
        if not len(self.lift):
            return graph.data
        if self.lifts_columns:
            return np.ldexp(graph.data, self.lift[graph.indices])
        return np.ldexp(graph.data, np.repeat(self.lift, np.diff(graph.indptr)))

    def renumbered(self, order: NDArray[np.int32], place: NDArray[np.int32]) -> _Recurrence:
        """_Recurrence of the same cells in another order."""
        return replace(
            self,
            gain=self.gain[order],
            scale=self.scale[order],
            lift=self.lift[order] if len(self.lift) else self.lift,
            dangling=np.sort(place[self.dangling]).astype(np.int64),
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """Graph, seeds and recurrence that belong together, in one order of cells.

    Attributes
    ----------
    graph
        Checked CSR, float32; float64 where weights are too far apart for that.
    seeds, rows
        Seed cells, ascending, and their signal `(n_seeds, n_classes)`.
    recurrence
        The mode's scalings for this graph.
    order
        Cell `i` here is cell `order[i]` of the user; empty unless `renumbered`.
    place
        The user's cell `i` is cell `place[i]` here; empty unless `renumbered`.
    """

    graph: sparse.csr_array
    seeds: NDArray[np.int64]
    rows: NDArray[np.float32]
    recurrence: _Recurrence
    order: NDArray[np.int32]
    place: NDArray[np.int32]

    @property
    def renumbered(self) -> bool:
        """Whether the order of cells is another than the user's."""
        return len(self.order) > 0

    @property
    def n_obs(self) -> int:
        """Number of cells."""
        return int(self.graph.shape[0])

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return self.rows.shape[1]

    @property
    def user_seeds(self) -> NDArray[np.int64]:
        """Seeds as the user counts cells."""
        return self.order[self.seeds].astype(np.int64) if self.renumbered else self.seeds

    def to_user(self, values: NDArray[Any]) -> NDArray[Any]:
        """Rows of `values`, one a cell, in the user's order."""
        return values[self.place] if self.renumbered else values

    def with_neighbors_close(self) -> Problem:
        """Renumber the cells, so that neighbours are close to each other in memory."""
        graph, order, place = renumber(self.graph)
        moved = place[self.seeds].astype(np.int64)
        ascending = np.argsort(moved)
        seeds, rows = moved[ascending], self.rows[ascending]
        return Problem(graph, seeds, rows, self.recurrence.renumbered(order, place), order, place)


def set_up_problem(
    graph: sparse.csr_array, seeds: NDArray[np.int64], rows: NDArray[np.float32], options: Options
) -> Problem:
    """_Recurrence of this graph and these seeds, in the user's order of cells."""
    recurrence = _set_up_recurrence(graph, seeds, options)
    scale, largest = recurrence.scale, float(np.abs(rows).max(initial=0))
    if graph.data.dtype == np.float32 and largest * scale.max() > _WIDE * scale.min():
        graph = in_float64(graph)
        recurrence = _set_up_recurrence(graph, seeds, options)
    none = np.empty(0, dtype=np.int32)
    return Problem(graph, seeds, rows, recurrence, none, none)


class StepStats(NamedTuple):
    """What an iteration changed: residual, cells at zero, share of cells that changed label.

    And how many cells have scores so small that float32 may have lost some.
    """

    residual: float
    unreached: int
    flips: float | None
    faint: int = 0


class Iteration:
    """The state between iterations: two signals, and the labels they mean.

    `signal` is `scale * F` of the last iteration, in the problem's order of cells.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._blocks = RowBlocks(problem.graph.indptr)
        self._weights = problem.recurrence.weights(problem.graph)
        self._first_seeds = np.searchsorted(problem.seeds, self._blocks.bounds)
        seeds, scale = problem.seeds, problem.recurrence.scale
        shape = (problem.n_obs, problem.n_classes)
        self.signal = np.zeros(shape, dtype=problem.graph.data.dtype)
        self.signal[seeds] = problem.rows * scale[seeds, None]
        self._new = np.zeros_like(self.signal)
        self._labels = np.full(problem.n_obs, -1, dtype=np.int32)
        self._labels[seeds] = problem.rows.argmax(axis=1)

    def scores(self) -> NDArray[np.float32]:
        """F of the last iteration."""
        scores = self.signal / self._problem.recurrence.scale[:, None]
        return scores.astype(np.float32, copy=False)

    def step(self) -> StepStats:
        """Iterate once."""
        problem, recurrence = self._problem, self._problem.recurrence
        several = problem.n_classes > 1
        states: tuple[NDArray[Any], ...] = (self.signal[:, 0], self._new[:, 0])
        if several:
            states = (self.signal, self._new, self._labels)
        sums = np.zeros((len(self._blocks.bounds) - 1, 5))
        self._blocks.run(
            # one class may have scores below 0, which `step_matrix` takes for cells not reached
            kernels.step_matrix if several else kernels.step_vector,
            problem.graph.indptr,
            problem.graph.indices,
            self._weights,
            recurrence.gain,
            recurrence.scale,
            problem.seeds,
            self._first_seeds,
            problem.rows,
            self._restart(),
            *states,
            sums,
        )
        self.signal, self._new = self._new, self.signal
        change, total, unreached, flips, faint = sums.sum(axis=0)
        return StepStats(
            residual=change / total if total > 0 else 0.0,
            unreached=int(unreached),
            flips=flips / problem.n_obs if several else None,
            faint=int(faint),
        )

    def _restart(self) -> NDArray[np.floating]:
        """Weight of each class's signal; with pagerank also what dangling cells give back."""
        rows, recurrence = self._problem.rows, self._problem.recurrence
        weight = np.full(rows.shape[1], recurrence.restart)
        if len(recurrence.dangling):
            lost = self.signal[recurrence.dangling]
            mass = rows.sum(axis=0, dtype=np.float64)
            returned = np.divide(
                lost.sum(axis=0, dtype=np.float64), mass, out=np.zeros_like(mass), where=mass != 0
            )
            weight += recurrence.alpha * returned
        return weight.astype(self.signal.dtype)


def _set_up_recurrence(
    graph: sparse.csr_array, seeds: NDArray[np.int64], options: Options
) -> _Recurrence:
    """Scalings of the mode asked for."""
    alpha, hard = options.alpha, options.clamp == "hard"
    pagerank = options.normalization == "pagerank" and not hard
    sums = sent_by(graph, np.ones(graph.shape[0])) if pagerank else row_sums(graph)
    dangling = np.flatnonzero(sums == 0) if pagerank else np.empty(0, dtype=np.int64)
    sums = np.where(sums > 0, sums, 1.0)
    if pagerank:
        gain, scale = np.full(len(sums), alpha), 1 / sums
    elif hard or options.normalization == "random_walk":
        gain, scale = (1 if hard else alpha) / sums, np.ones(len(sums))
    else:
        gain, scale = alpha / np.sqrt(sums), 1 / np.sqrt(sums)
    if hard:
        gain[seeds] = 0
    lift = _lift(sums)
    if len(lift) and pagerank:
        scale = np.ldexp(scale, -lift)
    elif len(lift):
        gain = np.ldexp(gain, -lift)
    if scale.min(initial=1) < _SMALL_SCALE:
        # states are scores times this, and may not vanish before scores do
        raised = int(np.frexp(scale.min())[1])
        scale, gain = np.ldexp(scale, -raised), np.ldexp(gain, raised)
    return _Recurrence(
        gain=gain.astype(graph.data.dtype),
        scale=scale.astype(graph.data.dtype),
        restart=1.0 if hard else 1 - alpha,
        alpha=1.0 if hard else alpha,
        dangling=dangling,
        lift=lift,
        lifts_columns=pagerank,
    )


def _lift(sums: NDArray[np.float64]) -> NDArray[np.int32]:
    """Powers of two that bring tiny and huge sums close to one; none where there is neither."""
    far = (sums < _TINY) | (sums > 1 / _TINY)
    if not far.any():
        return np.empty(0, dtype=np.int32)
    return np.where(far, -np.frexp(sums)[1], 0).astype(np.int32)
