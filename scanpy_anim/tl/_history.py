"""What is kept of the iterations: scores of every class, or only who wins and by how much.

An iteration gives one row of numbers a cell, but a row of the result holds all iterations of a
cell. Written where they belong, an iteration's numbers would each touch another line of memory:
cells are taken in blocks, and each block keeps iteration after iteration in the very bytes that
its rows will take up in the end. Turning a block around fits into a core's cache.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim._decision import class_mass_weights, decide_rows
from scanpy_anim._threads import RowBlocks
from scanpy_anim.tl._history_kernels import fill_slot, put_scores, turn_blocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scanpy_anim.tl._faint import FaintIteration
    from scanpy_anim.tl._iteration import Iteration, Problem

# entries of a column that lie together while it grows
_BLOCK = 512
# the largest score of a cell from which on float32 tells shares to four digits
_TELLING = 1e-39

_Finished = tuple["NDArray[Any]", "NDArray[np.float32] | None", "NDArray[np.float32]"]


class ScoreHistory:
    """Scores `(n_obs, n_frames)`, or `(n_obs, n_frames, n_classes)` for several classes."""

    def __init__(self, problem: Problem, *, expected: int, most: int) -> None:
        width = (problem.n_classes,) if problem.n_classes > 1 else ()
        self._columns = Columns(problem.n_obs, width, np.float32, expected=expected, most=most)
        self._problem = problem

    def begin(self) -> None:
        """Keep the seed signal."""
        self._columns.put_rows(self._problem.user_seeds, self._problem.rows, elsewhere=0)

    def keep(self, state: Iteration | FaintIteration) -> None:
        """Keep the outcome of the last iteration."""
        self._columns.put_scores(state.signal, self._problem)

    def end(self, limit: NDArray[np.float32], raised: NDArray[np.float32] | None) -> None:
        """Keep the limit, which comes in the user's order of cells."""
        self._columns.put(limit)

    def finish(self) -> _Finished:
        """History, no confidence, scores of the last column."""
        history = self._columns.finish()
        return history, None, history[:, -1]


class LabelHistory:
    """Codes of the best class and its share, both `(n_obs, n_frames)`; -1 and 0: unreached."""

    def __init__(
        self, problem: Problem, *, class_mass: bool, keep_scores: bool, expected: int, most: int
    ) -> None:
        code = np.min_scalar_type(-problem.n_classes)
        n_obs = problem.n_obs
        self._codes = Columns(n_obs, (), code, expected=expected, most=most)
        self._confidence = Columns(n_obs, (), np.float32, expected=expected, most=most)
        self._problem = problem
        self._seeded = (problem.rows > 0).sum(axis=0) if class_mass else None
        self._keep_scores = keep_scores
        self._scores = np.zeros((0, problem.n_classes), dtype=np.float32)

    def begin(self) -> None:
        """Keep who is a seed of what."""
        rows, seeds = self._problem.rows, self._problem.user_seeds
        share = rows.max(axis=1) / rows.sum(axis=1)
        self._codes.put_rows(seeds, rows.argmax(axis=1), elsewhere=-1)
        self._confidence.put_rows(seeds, share, elsewhere=0)
        if self._keep_scores:
            self._scores = np.zeros((self._problem.n_obs, rows.shape[1]), dtype=np.float32)
            self._scores[seeds] = rows

    def keep(self, state: Iteration | FaintIteration) -> None:
        """Keep who wins; the scale of a cell's scores does not matter to that."""
        if self._keep_scores:
            self._scores = self._problem.to_user(state.scores())
        self._decide(state.signal, self._problem.order)

    def end(self, limit: NDArray[np.float32], raised: NDArray[np.float32] | None) -> None:
        """Keep who wins in the limit, which comes in the user's order of cells.

        `raised` are the same scores, larger in cells where they are too small for float32.
        """
        self._scores = limit
        self._decide(limit if raised is None else raised, np.empty(0, dtype=np.int32))

    def finish(self) -> _Finished:
        """Codes, confidence, and scores of the last column."""
        codes, confidence = (c.finish() for c in (self._codes, self._confidence))
        return codes, confidence, self._scores

    def _decide(self, scores: NDArray[np.floating], order: NDArray[np.int32]) -> None:
        problem = self._problem
        weights = np.ones(problem.n_classes)
        if self._seeded is not None:
            # with hard clamping, the only mode that asks for it, signal and scores are the same
            weights = class_mass_weights(scores, self._seeded)
        labels = np.empty(problem.n_obs, dtype=self._codes.dtype)
        confidence = np.empty(problem.n_obs, dtype=np.float32)
        blocks = RowBlocks(np.arange(problem.n_obs + 1) * problem.n_classes)
        blocks.run(decide_rows, scores, weights, 1.0, order, labels, confidence)
        self._codes.put(labels)
        self._confidence.put(confidence)


def hide_faint(history: NDArray[np.float32], n_columns: int) -> None:
    """Set scores of several classes to 0 where all of a cell's are too small to tell shares by.

    In the first `n_columns`, which are iterations.
    """
    for t in range(n_columns):
        column = history[:, t]
        column[column.max(axis=1) < _TELLING] = 0


class Columns:
    """Columns `(n_obs, *width)`, taken without knowing how many will come.

    Growing, turning around and trimming all happen inside the one buffer, so that there are never
    two histories. `array[i // n_rows, slot, i % n_rows]` is row `i` of a column while it grows, in
    blocks of `n_rows` cells.
    """

    def __init__(
        self, n_obs: int, width: tuple[int, ...], dtype: Any, *, expected: int, most: int
    ) -> None:
        self.dtype = np.dtype(dtype)
        self._n_obs, self._width, self._each = n_obs, width, prod(width)
        self._n_rows = max(1, _BLOCK // self._each)
        self._n_blocks = -(-n_obs // self._n_rows)
        self._size = self._n_rows * self._each
        self._most = most
        self._capacity = min(expected, most)
        self._n_filled = 0
        self._flat = np.empty(self._n_blocks * self._capacity * self._size, dtype=dtype)

    @property
    def array(self) -> NDArray[Any]:
        """The buffer, `(n_blocks, capacity, n_rows, width)`."""
        return self._flat.reshape(self._n_blocks, self._capacity, self._n_rows, self._each)

    def put(self, column: NDArray[Any]) -> None:
        """Add a column that is there already."""
        slot, whole = self._add(), self._n_obs // self._n_rows
        inside = whole * self._n_rows
        self.array[:whole, slot] = column[:inside].reshape(whole, self._n_rows, self._each)
        if whole < self._n_blocks:
            rest = column[inside:].reshape(-1, self._each)
            self.array[whole, slot, : len(rest)] = rest

    def put_rows(self, rows: NDArray[np.int64], values: NDArray[Any], *, elsewhere: Any) -> None:
        """Add a column of `values` at some rows and one value `elsewhere`."""
        slot = self._add()
        # the first to touch a new history waits for its memory: on all threads
        self._run(fill_slot, self.array, slot, self.dtype.type(elsewhere))
        values = values.reshape(len(rows), self._each)
        self.array[rows // self._n_rows, slot, rows % self._n_rows] = values

    def put_scores(self, signal: NDArray[np.floating], problem: Problem) -> None:
        """Add the scores that a signal means, in the user's order of cells."""
        slot = self._add()
        scale, place = problem.recurrence.scale, problem.place
        self._run(put_scores, signal, scale, place, self.array, slot)

    def finish(self) -> NDArray[Any]:
        """Turn into `(n_obs, n_columns, *width)`, C order."""
        if self._n_rows > 1:
            shape = (self._capacity, self._n_rows, self._each)
            self._run(turn_blocks, self._flat, shape, self._n_filled)
        self._respace(self._n_filled)
        wanted = self._n_obs * self._n_filled * self._each
        if len(self._flat) - wanted >= self._n_filled * max(self._size, _BLOCK):
            self._resize(wanted)
        return self._flat[:wanted].reshape(self._n_obs, self._n_filled, *self._width)

    def _run(self, kernel: Callable[..., None], *arguments: Any) -> None:
        """Go through the blocks, on as many threads as are worth it."""
        work = np.arange(self._n_blocks + 1) * (self._size * max(1, self._n_filled // 4))
        RowBlocks(work).run(kernel, *arguments)

    def _add(self) -> int:
        """Make room for a column, and say where it is."""
        if self._n_filled == self._capacity:
            self._respace(min(self._most, self._n_filled + max(4, self._n_filled // 2)))
        self._n_filled += 1
        return self._n_filled - 1

    def _respace(self, capacity: int) -> None:
        """Make room for so many columns in each block, and keep those that there are.

        Blocks are moved a few at a time: none is written over before it has moved.
        """
        before, self._capacity = self._capacity, capacity
        if capacity == before:
            return
        growing = capacity > before
        if growing:
            self._resize(self._n_blocks * capacity * self._size)
        kept = min(before, capacity) * self._size
        starts = range(0, self._n_blocks, _BLOCK)
        for first in reversed(starts) if growing else starts:
            n_blocks = min(_BLOCK, self._n_blocks - first)
            old, new = (
                self._flat[first * each : (first + n_blocks) * each].reshape(n_blocks, each)
                for each in (before * self._size, capacity * self._size)
            )
            new[:, :kept] = old[:, :kept].copy()

    def _resize(self, size: int) -> None:
        """Make the buffer longer or shorter; the allocator moves pages rather than bytes."""
        try:
            self._flat.resize(size)
        except ValueError:
            # somebody else looks at it too, as debuggers do
            before, self._flat = self._flat, np.zeros(size, dtype=self.dtype)
            kept = min(size, len(before))
            self._flat[:kept] = before[:kept]
