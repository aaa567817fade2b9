"""The way: one iteration after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.tl._crew import Crew
    from scanpy_anim.tl._terrain import Terrain


class Measured(NamedTuple):
    """What an iteration changed: residual, cells at zero, share of cells that changed label."""

    residual: float
    unreached: int
    flips: float | None


class Way:
    """The state between iterations: two signals, and the labels they mean.

    ``signal`` is ``scale * F`` of the last iteration, in the terrain's order of cells.
    """

    def __init__(self, terrain: Terrain, crew: Crew) -> None:
        from scanpy_anim.tl import _kernels
        from scanpy_anim.tl._gather import padded

        self._kernels = _kernels
        self._crew = crew
        self._terrain = terrain
        self._several = terrain.n_classes > 1
        scale = terrain.recurrence.scale
        self.signal = padded((terrain.n_obs, terrain.n_classes), np.float32)
        self.signal[terrain.seeds] = terrain.rows * scale[terrain.seeds, None]
        if self._several:
            self._labels = np.full(terrain.n_obs, -1, dtype=np.int16)
            self._labels[terrain.seeds] = terrain.rows.argmax(axis=1)
        else:
            self.signal = self.signal[:, 0]
        self._new = padded(self.signal.shape, np.float32)
        self._first_seeds = np.searchsorted(terrain.seeds, crew.bounds)
        self._nowhere = np.empty((0, 0, 0), dtype=np.float32)

    def scores(self) -> NDArray[np.float32]:
        """F of the last iteration, several classes."""
        return self.signal / self._terrain.recurrence.scale[:, None]

    def step(self, history: NDArray[np.float32] | None = None, slot: int = -1) -> Measured:
        """Iterate once, into column `slot` of a history if there is one."""
        graph, recurrence = self._terrain.graph, self._terrain.recurrence
        arguments: tuple[Any, ...] = (
            graph.indptr,
            graph.indices,
            graph.data,
            recurrence.gain,
            recurrence.scale,
            self._terrain.seeds,
            self._first_seeds,
            self._terrain.rows,
            self._restart(),
            self.signal.reshape(-1),
            self._new.reshape(-1),
            self._nowhere if history is None else history,
            slot,
        )
        kernel: Any = self._kernels.step_vector
        if self._several:
            kernel = self._kernels.step_matrix
            arguments += (self._terrain.order, self._labels)
        sums = np.zeros((len(self._crew.bounds) - 1, 4))
        self._crew.run(kernel, *arguments, sums)
        self.signal, self._new = self._new, self.signal
        change, total, unreached, flips = sums.sum(axis=0)
        return Measured(
            residual=change / total if total > 0 else 0.0,
            unreached=int(unreached),
            flips=flips / self._terrain.n_obs if self._several else None,
        )

    def _restart(self) -> NDArray[np.float32]:
        """Weight of each class's signal; with pagerank also what dangling cells give back."""
        rows, recurrence = self._terrain.rows, self._terrain.recurrence
        weight = np.full(rows.shape[1], recurrence.restart)
        if len(recurrence.dangling):
            lost = self.signal[recurrence.dangling].reshape(-1, rows.shape[1])
            mass = rows.sum(axis=0, dtype=np.float64)
            returned = np.divide(
                lost.sum(axis=0, dtype=np.float64), mass, out=np.zeros_like(mass), where=mass != 0
            )
            weight += recurrence.alpha * returned
        return weight.astype(np.float32)
