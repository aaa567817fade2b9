"""Propagation on a graph in blocks: the way and the limit, with nothing but vectors in memory."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scanpy import logging as logg

from scanpy_anim._decision import decide_rows
from scanpy_anim._memory import spelled
from scanpy_anim._threads import RowBlocks
from scanpy_anim.tl._block_limit import BlockLimit
from scanpy_anim.tl._block_plan import Plan
from scanpy_anim.tl._block_recurrence import set_up_recurrence
from scanpy_anim.tl._block_state import BlockState
from scanpy_anim.tl._outcome import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from scanpy_anim.tl._blocks import BlockGraph
    from scanpy_anim.tl._history_store import Columns, HistoryStore
    from scanpy_anim.tl._iteration import StepStats
    from scanpy_anim.tl._options import Options

# columns of a history whose end is not known that there should be room for
_EXPECTED = 20
# seconds after which a bar is shown
_SHORT = 1.0


class _Record:
    """Keeps columns: scores times `2**exponent`, or codes and confidence."""

    def __init__(
        self,
        store: HistoryStore,
        n_obs: int,
        rows: NDArray[np.float32],
        options: Options,
        exponent: int,
    ) -> None:
        n_classes, most = rows.shape[1], options.most_columns
        #: Of what is yet to be kept.
        self.exponent = exponent
        self._codes = options.history == "labels"
        self._seeded = (rows > 0).sum(axis=0) if options.class_mass else None
        code = np.min_scalar_type(-n_classes)
        width = (n_classes,) if n_classes > 1 and not self._codes else ()
        expected = most if options.tol == 0 else min(most, _EXPECTED)
        size = (5 if self._codes else 4 * n_classes) * n_obs
        store.require_disk(size * expected, size * most)
        dtype = code if self._codes else np.dtype(np.float32)
        self._columns = store.columns("", n_obs, most, width, dtype)
        self._confidence: Columns | None = None
        if self._codes:
            self._confidence = store.columns("_confidence", n_obs, most, (), np.float32)
        self._n_classes = n_classes

    @property
    def holds_codes(self) -> bool:
        """Whether labels are kept, not scores."""
        return self._codes

    def keep(self, scores: Callable[[slice], NDArray[np.float32]]) -> None:
        """Keep a column; `scores` gives rows of all classes."""
        weights = np.ones(self._n_classes)
        if self._seeded is not None and self._codes:
            mass = np.zeros(self._n_classes)
            for rows in self._columns.parts():
                mass += scores(rows).sum(axis=0, dtype=np.float64)
            wanted = self._seeded / self._seeded.sum()
            weights = np.divide(wanted, mass, out=np.zeros_like(mass), where=mass > 0)
        self._columns.add()
        if self._confidence is not None:
            self._confidence.add()
        for rows in self._columns.parts():
            self._put(rows, scores(rows), weights)

    def _put(self, rows: slice, scores: NDArray[np.float32], weights: NDArray[np.float64]) -> None:
        if self._confidence is None:
            values = _scaled(scores, self.exponent)
            self._columns.put(rows, values if self._n_classes > 1 else values[:, 0])
            return
        labels = np.empty(len(scores), dtype=self._columns.dtype)
        confidence = np.empty(len(scores), dtype=np.float32)
        blocks = RowBlocks(np.arange(len(scores) + 1) * self._n_classes)
        none = np.empty(0, dtype=np.int32)
        blocks.run(decide_rows, scores, weights, 1.0, none, labels, confidence)
        self._columns.put(rows, labels)
        self._confidence.put(rows, confidence)

    def finish(self) -> tuple[Any, Any]:
        """History, and confidence or None."""
        confidence = None if self._confidence is None else self._confidence.finish()
        return self._columns.finish(), confidence


def run_blocks(
    graph: BlockGraph,
    seeds: NDArray[np.int64],
    rows: NDArray[np.float32],
    options: Options,
    store: HistoryStore,
    exponent: int,
) -> Found:
    """Propagate on a graph in blocks; nothing is left in the store where it does not get through.

    The signal is `rows * 2**exponent`.
    """
    how, signed = (graph.n_obs, rows.shape[1], options), bool(rows.min() < 0)
    plan = Plan.of(*how, signed=signed)
    try:
        graph.look()
        if not graph.symmetric:
            plan = Plan.of(*how, signed=signed, directed=True)
        logg.info(
            f"    {graph.n_blocks} blocks of up to {spelled(graph.block_bytes)}, vectors of "
            f"{spelled(plan.bytes(graph.n_obs))} at most"
        )
        return _Run(graph, seeds, rows, options, store, exponent, plan).outcome()
    except BaseException:
        store.discard()
        raise


@dataclass(frozen=True, slots=True)
class _Run:
    """One propagation on a graph that has been looked at."""

    graph: BlockGraph
    seeds: NDArray[np.int64]
    rows: NDArray[np.float32]
    options: Options
    store: HistoryStore
    exponent: int
    plan: Plan

    def outcome(self) -> Found:
        """Go the way, then to the limit."""
        n_obs, options = self.graph.n_obs, self.options
        record = _Record(self.store, n_obs, self.rows, options, self.exponent)
        recurrence = set_up_recurrence(self.graph, self.seeds, options)
        how = (self.seeds, self.rows, self.store, self.plan.on_the_way)
        state = BlockState(self.graph, recurrence, *how)
        kept, measured = _iterate(state, record, options)
        if options.limit:
            reached = state.reached
            state.close()
            del state, recurrence
            return self._with_limit(record, reached, kept, measured)
        state.stop()
        whole = state.scores(slice(0, n_obs)) if state.in_memory else None
        _warn_of_faint(whole, state.reached)
        last = self._last(record, whole, state.scores)
        state.close()
        label_scores = whole if self.exponent < 0 and self.rows.shape[1] > 1 else None
        return Found(*last, label_scores, kept, measured)

    def _with_limit(
        self,
        record: _Record,
        reached: NDArray[np.bool_],
        kept: list[int],
        measured: list[StepStats],
    ) -> Found:
        """Solve for the limit, some classes at a time, and keep it as the last column."""
        n_obs, n_classes, together = self.graph.n_obs, self.rows.shape[1], self.plan.in_the_limit
        solver = BlockLimit(self.graph, self.seeds, reached, self.options)
        table, raised, solved = None, None, []
        if together < n_classes:
            table = self.store.table(n_obs, n_classes, together)
        for first in range(0, n_classes, together):
            group = slice(first, min(first + together, n_classes))
            found = solver.solve(self.rows[:, group])
            if self.exponent > 0:
                # what a large signal lifts into the range of float32, before it is cast
                found = found.times(self.exponent)
            stored = found.stored()
            if found.converged:
                # else it may be the solver that went astray
                _require_finite(stored)
            if table is not None:
                table[:, group] = stored
            elif n_classes > 1:
                raised = found.raised()
            solved.append((found.residual, found.n_iter, found.converged))
            del found
        whole = None if table is not None else stored
        _warn_of_faint(whole if raised is None else raised, reached)
        record.exponent = min(self.exponent, 0)
        read = _rows_of(table if table is not None else stored)
        record.keep(read if raised is None or not record.holds_codes else _rows_of(raised))
        last = self._last(record, whole, read)
        if table is not None:
            self.store.drop(table)
        if raised is None and self.exponent < 0 and n_classes > 1:
            raised = whole
        residuals, n_iter, converged = zip(*solved, strict=True)
        how = (max(residuals), max(n_iter), all(converged))
        return Found(*last, raised, kept, measured, *how)

    def _last(
        self,
        record: _Record,
        whole: NDArray[np.float32] | None,
        read: Callable[[slice], NDArray[np.float32]],
    ) -> tuple[Any, Any, Any]:
        """History, confidence, and scores of the last column: `whole`, or what `read` gives."""
        n_obs, n_classes = self.graph.n_obs, self.rows.shape[1]
        beside = None
        if whole is None and record.holds_codes:
            columns = self.store.columns("_scores", n_obs, 1, (n_classes,), np.dtype(np.float32))
            columns.add()
            for rows in columns.parts():
                columns.put(rows, _scaled(read(rows), record.exponent))
            beside = columns.finish()[:, -1]
        history, confidence = record.finish()
        if whole is not None:
            beside = _scaled(whole, record.exponent)
            beside = beside if n_classes > 1 else beside[:, 0]
        return history, confidence, history[:, -1] if beside is None else beside


def _iterate(
    state: BlockState, record: _Record, options: Options
) -> tuple[list[int], list[StepStats]]:
    """Iterate until it hardly changes, keep what is wanted, and without limit what is last."""
    columns: list[int] = []
    measured: list[StepStats] = []
    wanted = options.kept if isinstance(options.kept, range) else frozenset(options.kept)
    if 0 in wanted:
        record.keep(state.scores)
        columns.append(0)
    for iteration in _counted(range(1, options.max_iter + 1)):
        measured.append(state.step())
        if iteration in wanted:
            record.keep(state.scores)
            columns.append(iteration)
        if options.tol > 0 and measured[-1].residual <= options.tol:
            break
    if options.max_iter and not options.limit and columns[-1:] != [len(measured)]:
        record.keep(state.scores)
        columns.append(len(measured))
    return columns, measured


def _counted(iterations: Iterable[int]) -> Iterable[int]:
    """Show a bar where someone watches."""
    if not (sys.stderr.isatty() or "ipykernel" in sys.modules):
        return iterations
    from tqdm import tqdm

    return tqdm(iterations, "propagating", unit="iteration", delay=_SHORT, leave=False)


def _warn_of_faint(scores: NDArray[np.float32] | None, reached: NDArray[np.bool_]) -> None:
    """Say how many cells have a path from a seed, but no score that tells classes apart."""
    if scores is None or scores.shape[1] == 1:
        return
    faint = int(np.count_nonzero(reached & ~(scores > 0).any(axis=1)))
    if faint:
        logg.warning(
            f"{faint} of {len(scores)} cells are so far from the seeds that their scores vanish: "
            "they get no label. A graph in memory is labelled to its ends, as is one with seeds "
            "closer by or alpha closer to 1"
        )


def _rows_of(table: Any) -> Callable[[slice], NDArray[np.float32]]:
    return lambda rows: table[rows]


def _scaled(scores: NDArray[np.float32], exponent: int) -> NDArray[np.float32]:
    """Scores times a power of two, refused where float32 does not hold them."""
    if not exponent:
        return scores
    with np.errstate(over="ignore", under="ignore"):
        found = np.ldexp(scores, exponent)
    _require_finite(found)
    return found


def _require_finite(found: NDArray[np.float32]) -> None:
    """Refuse scores that float32 does not hold."""
    if np.isinf(found).any():
        raise ValueError(
            "the scores of this signal go beyond float32, which holds 3e38: divide the weights of "
            "the seeds by something"
        )
