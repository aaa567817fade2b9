"""What is kept of the way: scores of every class, or only who wins and by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim.tl._columns import Columns
from scanpy_anim.tl._decision import class_mass_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.tl._crew import Crew
    from scanpy_anim.tl._terrain import Terrain
    from scanpy_anim.tl._way import Measured, Way

Finished = tuple["NDArray[Any]", "NDArray[np.float32] | None", "NDArray[np.float32]"]


class ScoreHistory:
    """Scores ``(n_obs, n_frames)``, or ``(n_obs, n_frames, n_classes)`` for several classes."""

    def __init__(self, terrain: Terrain, *, expected: int, most: int) -> None:
        width = (terrain.n_classes,) if terrain.n_classes > 1 else ()
        self._columns = Columns(terrain.n_obs, width, np.float32, expected=expected, most=most)
        self._terrain = terrain

    def begin(self, n_threads: int | None = None) -> None:
        """Keep the seed signal."""
        rows = self._terrain.rows
        rows = rows if rows.shape[1] > 1 else rows[:, 0]
        self._columns.put_rows(self._terrain.user_seeds, rows, elsewhere=0, n_threads=n_threads)

    def step(self, way: Way, crew: Crew) -> Measured:
        """Iterate, and keep the outcome: the kernel writes it while it is at hand."""
        slot = self._columns.add()
        several = self._columns.block == 1
        return way.step(self._columns.array[:, :, 0] if several else self._columns.array, slot)

    def end(self, limit: NDArray[np.float32], crew: Crew) -> None:
        """Keep the limit, which comes in the user's order of cells."""
        self._columns.put(limit if limit.shape[1] > 1 else limit[:, 0])

    def finish(self, n_threads: int | None = None) -> Finished:
        """History, no confidence, scores of the last column."""
        history = self._columns.finish(n_threads)
        return history, None, history[:, -1]


class LabelHistory:
    """Codes of the best class and its share, both ``(n_obs, n_frames)``; -1 and 0: unreached."""

    def __init__(
        self, terrain: Terrain, *, class_mass: bool, keep_scores: bool, expected: int, most: int
    ) -> None:
        code = np.int8 if terrain.n_classes < 128 else np.int16
        n_obs = terrain.n_obs
        self._codes = Columns(n_obs, (), code, expected=expected, most=most)
        self._confidence = Columns(n_obs, (), np.float32, expected=expected, most=most)
        self._terrain = terrain
        self._seeded = (terrain.rows > 0).sum(axis=0) if class_mass else None
        self._keep_scores = keep_scores
        self._scores = np.zeros((0, terrain.n_classes), dtype=np.float32)

    def begin(self, n_threads: int | None = None) -> None:
        """Keep who is a seed of what."""
        rows, seeds = self._terrain.rows, self._terrain.user_seeds
        share = rows.max(axis=1) / rows.sum(axis=1)
        self._codes.put_rows(seeds, rows.argmax(axis=1), elsewhere=-1, n_threads=n_threads)
        self._confidence.put_rows(seeds, share, elsewhere=0, n_threads=n_threads)
        if self._keep_scores:
            self._scores = np.zeros((self._terrain.n_obs, rows.shape[1]), dtype=np.float32)
            self._scores[seeds] = rows

    def step(self, way: Way, crew: Crew) -> Measured:
        """Iterate, and keep who wins; the scale of a cell's scores does not matter to that."""
        measured = way.step()
        if self._keep_scores:
            self._scores = self._terrain.to_user(way.scores())
        self._decide(way.signal, self._terrain.order, crew)
        return measured

    def end(self, limit: NDArray[np.float32], crew: Crew) -> None:
        """Keep who wins in the limit, which comes in the user's order of cells."""
        self._scores = limit
        self._decide(limit, np.empty(0, dtype=np.int32), crew)

    def finish(self, n_threads: int | None = None) -> Finished:
        """Codes, confidence, and scores of the last column."""
        codes, confidence = (c.finish(n_threads) for c in (self._codes, self._confidence))
        return codes, confidence, self._scores

    def _decide(self, scores: NDArray[np.float32], order: NDArray[np.int32], crew: Crew) -> None:
        from scanpy_anim.tl._kernels import decide_rows

        weights = np.ones(scores.shape[1])
        if self._seeded is not None:
            # with hard clamping, the only mode that asks for it, signal and scores are the same
            weights = class_mass_weights(scores, self._seeded)
        slot, _ = self._codes.add(), self._confidence.add()
        columns = (self._codes.array, self._confidence.array)
        crew.run(decide_rows, scores, weights, order, *columns, slot)
