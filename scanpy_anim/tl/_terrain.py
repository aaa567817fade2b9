"""Where a propagation walks: graph, seeds and scalings, in the order of cells that suits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim.tl._order import renumber
from scanpy_anim.tl._recurrence import set_up_recurrence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.tl._parameters import Mode
    from scanpy_anim.tl._recurrence import Recurrence


@dataclass(frozen=True, slots=True)
class Terrain:
    """Graph, seeds and recurrence that belong together.

    Attributes
    ----------
    graph
        Checked CSR, float32.
    seeds, rows
        Seed cells, ascending, and their signal ``(n_seeds, n_classes)``.
    recurrence
        The mode's scalings for this graph.
    order
        Cell ``i`` here is cell ``order[i]`` of the user; empty unless `renumbered`.
    renumbered
        Whether the order of cells is another than the user's.
    """

    graph: Any
    seeds: NDArray[np.int64]
    rows: NDArray[np.float32]
    recurrence: Recurrence
    order: NDArray[np.int32]
    renumbered: bool = False

    @property
    def n_obs(self) -> int:
        """Number of cells."""
        return self.graph.shape[0]

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
        if not self.renumbered:
            return values
        moved = np.empty_like(values)
        moved[self.order] = values
        return moved


def lay_out(
    graph: Any,
    seeds: NDArray[np.int64],
    rows: NDArray[np.float32],
    mode: Mode,
    *,
    renumbered: bool,
    n_threads: int | None,
) -> Terrain:
    """Terrain in the user's order, or renumbered for long walks."""
    recurrence = set_up_recurrence(graph, seeds, mode, n_threads)
    terrain = Terrain(graph, seeds, rows, recurrence, np.empty(0, dtype=np.int32))
    return terrain_renumbered(terrain, n_threads) if renumbered else terrain


def terrain_renumbered(terrain: Terrain, n_threads: int | None) -> Terrain:
    """Terrain with neighbours close to each other in memory."""
    graph, order, place = renumber(terrain.graph, n_threads)
    moved = place[terrain.seeds].astype(np.int64)
    ascending = np.argsort(moved)
    seeds, rows = moved[ascending], terrain.rows[ascending]
    recurrence = terrain.recurrence.renumbered(order, place)
    return Terrain(graph, seeds, rows, recurrence, order, renumbered=True)
