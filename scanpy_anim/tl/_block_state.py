"""What lies between iterations on a graph in blocks: the signal, some classes at a time.

All classes are in memory where they fit; else they lie in a table of the store, and groups of them
take turns within an iteration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim.tl._block_tasks import step_block
from scanpy_anim.tl._iteration import StepStats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.tl._block_recurrence import BlockRecurrence
    from scanpy_anim.tl._block_tasks import Stepped
    from scanpy_anim.tl._blocks import BlockGraph
    from scanpy_anim.tl._history_store import HistoryStore

# products below lose digits, and may vanish
_TINY = float(np.finfo(np.float32).tiny)


class BlockState:
    """Iterates on a graph in blocks.

    Attributes
    ----------
    reached
        `(n_obs,)` which cells a path leads to from a seed, as far as iterations went.
    """

    def __init__(
        self,
        graph: BlockGraph,
        recurrence: BlockRecurrence,
        seeds: NDArray[np.int64],
        rows: NDArray[np.float32],
        store: HistoryStore,
        together: int,
    ) -> None:
        self._graph, self._recurrence = graph, recurrence
        self._seeds, self._rows, self._store = seeds, rows, store
        n_obs, n_classes = graph.n_obs, rows.shape[1]
        self._groups = [
            slice(c, min(c + together, n_classes)) for c in range(0, n_classes, together)
        ]
        self.reached = np.zeros(n_obs, dtype=np.bool_)
        self.reached[seeds] = True
        self._labels = np.full(n_obs if n_classes > 1 else 0, -1, dtype=np.int32)
        if n_classes > 1:
            self._labels[seeds] = rows.argmax(axis=1)
        self._tables: list[Any] = []
        self._signal = np.zeros((0, together), dtype=np.float32)
        self._new = self._signal
        if len(self._groups) > 1:
            self._tables = [store.table(n_obs, n_classes, together) for _ in range(2)]
        self._fill(together)
        # how small a row may be for its smallest weight times it not to vanish
        self._enough = _TINY / graph.smallest
        self._plain = len(self._groups) == 1 and rows.min() >= 0 and not len(recurrence.lifts)
        self._least = float(self._signal[seeds].max(axis=1).min()) if self._plain else 0.0

    def _fill(self, together: int) -> None:
        """Begin with the seed signal."""
        n_obs = self._graph.n_obs
        for group in self._groups:
            signal = np.zeros((n_obs, group.stop - group.start), dtype=np.float32)
            scales = self._recurrence.scales
            scale = scales[self._seeds] if len(scales) else np.ones(1, dtype=np.float32)
            signal[self._seeds] = self._rows[:, group] * scale[:, None]
            if self._tables:
                self._tables[0][:, group] = signal
            else:
                self._signal, self._new = signal, np.zeros_like(signal)

    @property
    def in_memory(self) -> bool:
        """Whether all classes are."""
        return not self._tables

    def scores(self, rows: slice) -> NDArray[np.float32]:
        """F of the last iteration, of some rows and all classes."""
        signal = self._tables[0][rows] if self._tables else self._signal[rows]
        return signal / self._recurrence.scale(rows)[:, None]

    def step(self) -> StepStats:
        """Iterate once."""
        n_obs, several = self._graph.n_obs, self._rows.shape[1] > 1
        change = total = 0.0
        found = self.reached.copy()
        labels = np.full(n_obs if several else 0, -1, dtype=np.int32)
        best = np.zeros(n_obs if len(self._groups) > 1 else 0, dtype=np.float32)
        scan = not (self._plain and self._least > self._enough)
        for group in self._groups:
            stats = self._step_group(group, found, labels, best, scan=scan)
            change, total, self._least = change + stats[0], total + stats[1], stats[2]
        if self._tables:
            self._tables.reverse()
        else:
            self._signal, self._new = self._new, self._signal
        flips = float(np.count_nonzero(labels != self._labels)) / n_obs if several else None
        self.reached, self._labels = found, labels
        unreached = n_obs - int(np.count_nonzero(found))
        return StepStats(change / total if total > 0 else 0.0, unreached, flips)

    def _step_group(
        self,
        group: slice,
        found: NDArray[np.bool_],
        labels: NDArray[np.int32],
        best: NDArray[np.float32],
        *,
        scan: bool,
    ) -> tuple[float, float, float]:
        """Iterate some classes; `|F - F_old|^2` and `|F|^2` of them, and the least row reached."""
        recurrence, rows_of_seeds = self._recurrence, self._rows[:, group]
        source = self._tables[0][:, group] if self._tables else self._signal
        target = np.empty_like(source) if self._tables else self._new
        sums: list[tuple[int, float, float, float]] = []

        def own(rows: slice) -> tuple[Any, ...]:
            first, last = np.searchsorted(self._seeds, (rows.start, rows.stop))
            return (
                recurrence.gain(rows),
                recurrence.scale(rows),
                recurrence.lift(rows),
                self._seeds[first:last] - rows.start,
                rows_of_seeds[first:last],
            )

        def put(rows: slice, part: Stepped) -> None:
            target[rows] = part.signal
            found[rows] |= part.reached
            sums.append((rows.start, part.change, part.total, part.least))
            if not len(labels):
                return
            if not len(best):
                labels[rows] = part.labels
                return
            better = part.best > best[rows]
            best[rows][better] = part.best[better]
            labels[rows][better] = part.labels[better] + group.start

        restart = recurrence.restarts(source, rows_of_seeds)
        shared = (self._graph.exponent, source, self.reached, restart, len(labels) > 0, scan)
        self._graph.run(step_block, shared, put, own)
        if self._tables:
            self._tables[1][:, group] = target
        # in the order of the rows, whoever came first
        sums.sort()
        return sum(s[1] for s in sums), sum(s[2] for s in sums), min(s[3] for s in sums)

    def stop(self) -> None:
        """Let go of what only a further iteration would need."""
        self._new = self._signal

    def close(self) -> None:
        """Take away what is in the store."""
        for table in self._tables:
            self._store.drop(table)
        self._tables = []
        self._signal = self._new = np.zeros((0, 1), dtype=np.float32)
