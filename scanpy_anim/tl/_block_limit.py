"""The limit on a graph in blocks: the equations, the solver and the bound of `_limit_bound`.

Only products with the graph differ, which are a pass over its blocks each; vectors are in memory.
Elimination and what lies far below the largest scores (`_limit_direct`, `_limit_far`) need the
graph itself: entries that would be theirs are counted as not right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from scanpy_anim._threads import RowBlocks
from scanpy_anim.tl._block_tasks import multiply_block, reach_block, rows_of_block
from scanpy_anim.tl._limit import Limit
from scanpy_anim.tl._limit_bound import ACCURACY, HARD_ACCURACY, TINIEST, Bound, mark_rough
from scanpy_anim.tl._limit_krylov import solve_by_krylov, sweep_until_right
from scanpy_anim.tl._limit_system import System

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scanpy_anim.tl._blocks import BlockGraph
    from scanpy_anim.tl._options import Options

# passes within which fewer entries must be wrong
_PATIENCE = 10
# share of the rows that are fetched to be iterated alone
_FETCHED = 0.02
# rows that vectors are gone through at a time
_AT_ONCE = 1 << 18


class _BlockSystem(System):
    """`(D - alpha A) X = B` where `A` is in blocks."""

    def __init__(
        self,
        blocks: BlockGraph,
        degree: NDArray[np.float64],
        alpha: float,
        unscale: NDArray[np.float64] | None,
    ) -> None:
        row = sparse.csr_array((len(degree), len(degree)), dtype=np.float32)
        super().__init__(row, degree, alpha, symmetric=blocks.symmetric, unscale=unscale)
        self.blocks = RowBlocks(np.arange(len(degree) + 1))
        self._graph = blocks
        self._fetched: tuple[Any, Any] = (None, None)

    def _multiply(
        self, x: NDArray[np.floating], put: Callable[[slice, NDArray[Any]], None]
    ) -> None:
        self._graph.run(multiply_block, (self._graph.exponent, x), put)

    def apply(self, x: NDArray[np.floating], out: NDArray[np.floating]) -> NDArray[np.float64]:
        """`out = (D - alpha A) x`, and `<x, out>` of each class."""
        sums: list[Any] = []

        def put(rows: slice, product: NDArray[np.floating]) -> None:
            degree = self.degree[rows, None]
            own = degree * x[rows] - self.alpha * product
            own[degree[:, 0] == 0] = 0
            out[rows] = own
            sums.append((rows.start, np.einsum("ic,ic->c", x[rows], own)))

        self._multiply(x, put)
        sums.sort(key=lambda part: part[0])
        return np.sum([part for _, part in sums], axis=0)

    def true_residual(
        self, seeds: NDArray[np.int64], right: NDArray[np.float64], x: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """`B - (D - alpha A) x` in float64, 0 where rows are held; `B` is `right` at the seeds."""
        residual = np.zeros(x.shape)
        if x.any():
            self.apply(x, residual)
            np.negative(residual, out=residual)
        residual[seeds] += np.where(self.degree[seeds, None] > 0, right, 0)
        return residual

    def sweep(
        self,
        seeds: NDArray[np.int64],
        right: NDArray[np.float64],
        bound: Bound,
        x: NDArray[np.float64],
        new: NDArray[np.float64],
        marks: NDArray[np.bool_],
    ) -> tuple[float, int]:
        """Set `new = D^-1 (alpha A x + B)`; the residual, and how many of `x` were not right."""
        sums: list[tuple[int, float, float, int]] = []
        spans = bound.spans(x)

        def put(rows: slice, product: NDArray[Any]) -> None:
            first, last = np.searchsorted(seeds, (rows.start, rows.stop))
            product *= self.alpha
            product[seeds[first:last] - rows.start] += right[first:last]
            degree, before, unscale = self.degree[rows], x[rows], self.unscale[rows, None]
            held = degree == 0
            own = product * self.inverse[rows, None]
            own[held] = before[held]
            new[rows] = own
            residual = product - degree[:, None] * before
            residual[held] = 0
            wrong = _rough(degree, spans, bound, before, residual)
            wrong |= (own > 0) & (own < TINIEST) & (before >= TINIEST)
            marks[rows] = wrong.any(axis=1)
            rough = int(np.count_nonzero(wrong))
            own *= unscale
            change = own - before * unscale
            sums.append((rows.start, float((change**2).sum()), float((own**2).sum()), rough))

        self._multiply(x, put)
        sums.sort()
        change, norm = (sum(part[k] for part in sums) for k in (1, 2))
        return (change / norm if norm > 0 else 0.0), sum(part[3] for part in sums)

    def relax(
        self,
        rows: NDArray[np.int64],
        seeds: NDArray[np.int64],
        right: NDArray[np.float64],
        bound: Bound,
        spans: NDArray[np.float64],
        x: NDArray[np.float64],
    ) -> int:
        """Iterate once on some rows, in place; how many of their entries were not right.

        Their part of the graph is fetched for the first time, if it is small.
        """
        if not 0 < len(rows) <= max(1000, _FETCHED * self.n_obs):
            return 0
        if self._fetched[0] is not rows:
            self._fetched = (rows, self._fetch(rows))
        product = self.alpha * (self._fetched[1] @ x)
        at = np.minimum(np.searchsorted(seeds, rows), len(seeds) - 1)
        is_seed = seeds[at] == rows
        product[is_seed] += right[at[is_seed]]
        residual = product - self.degree[rows, None] * x[rows]
        wrong = _rough(self.degree[rows], spans, bound, x[rows], residual)
        x[rows] = product * self.inverse[rows, None]
        return int(np.count_nonzero(wrong))

    def _fetch(self, chosen: NDArray[np.int64]) -> sparse.csr_array:
        """Rows of the graph."""
        parts: list[tuple[int, Any]] = []

        def own(rows: slice) -> tuple[NDArray[np.int64]]:
            first, last = np.searchsorted(chosen, (rows.start, rows.stop))
            return (chosen[first:last],)

        def put(rows: slice, part: Any) -> None:
            parts.append((rows.start, part))

        self._graph.run(rows_of_block, (self._graph.exponent,), put, own)
        parts.sort(key=lambda part: part[0])
        return sparse.vstack([part for _, part in parts], format="csr")


def _rough(
    degree: NDArray[np.float64],
    spans: NDArray[np.float64],
    bound: Bound,
    x: NDArray[np.float64],
    residual: NDArray[np.float64],
) -> NDArray[np.bool_]:
    marks = np.zeros(x.shape, dtype=np.bool_)
    mark_rough(0, 1, np.array([0, len(x)]), degree, spans, bound.strictness, x, residual, marks)
    return marks


class BlockLimit:
    """Solves for some classes after the other."""

    def __init__(
        self,
        graph: BlockGraph,
        seeds: NDArray[np.int64],
        reached: NDArray[np.bool_],
        options: Options,
    ) -> None:
        self._seeds, self._options = seeds, options
        hard = options.clamp == "hard"
        self._by_columns = options.normalization == "pagerank" and not hard
        degree = graph.column_sums() if self._by_columns else graph.row_sums()
        self._dangling = self._by_columns and bool((degree == 0).any())
        degree[degree == 0] = graph.unit(options)
        alpha, gap, unscale = float(options.alpha), 1 - float(options.alpha), None
        if hard:
            alpha, weight = 1.0, np.zeros(len(seeds))
            degree[seeds] = 0
        elif self._by_columns:
            unscale, weight = degree, np.full(len(seeds), gap)
        elif options.normalization == "random_walk":
            weight = gap * degree[seeds]
        else:
            unscale = np.sqrt(degree)
            weight = gap * unscale[seeds]
        self._weight = weight
        self._system = _BlockSystem(graph, degree, alpha, unscale)
        self._bound = self._bounded(graph, reached, hard=hard)

    def solve(self, rows: NDArray[np.float32]) -> Limit:
        """Scores of some classes."""
        signal = rows.astype(np.float64)
        signed = bool((signal < 0).any())
        if signed:
            signal = np.c_[np.maximum(signal, 0), np.maximum(-signal, 0)]
        system, seeds = self._system, self._seeds
        largest = np.abs(signal).max(axis=0)
        scaled = signal / np.where(largest > 0, largest, 1.0)
        right = self._weight[:, None] * scaled
        x = system.zeros(signal.shape[1])
        held = system.degree[seeds] == 0
        x[seeds[held]] = scaled[held]
        how = (system, seeds, right, self._bound, x)
        n_iter = solve_by_krylov(*how)
        residual, rough = sweep_until_right(*how, patience=_PATIENCE)
        x *= largest
        x *= system.unscale[:, None]
        if self._dangling:
            mass, total = signal.sum(axis=0), x.sum(axis=0)
            x *= np.divide(mass, total, out=np.ones_like(mass), where=total != 0)
        scores = x[:, :1] - x[:, 1:] if signed else x
        finite = bool(np.abs(scores).max() < np.finfo(np.float32).max)
        return Limit(scores, None, residual, n_iter, rough == 0 and finite)

    def _bounded(self, graph: BlockGraph, reached: NDArray[np.bool_], *, hard: bool) -> Bound:
        """How small an entry's own residual has to be (see `_limit_system`)."""
        system = self._system
        accuracy = HARD_ACCURACY if hard else ACCURACY
        if not hard and not (self._by_columns and not system.symmetric):
            return Bound(-1 / np.log(system.alpha) if system.alpha < 1 else np.inf, 0.0, accuracy)
        free = system.degree > 0
        if hard:
            _spread(graph, reached)
            free &= reached
        cells = np.flatnonzero(free)
        right = system.degree[cells, None]
        h = system.zeros(1)
        solve_by_krylov(system, cells, right, Bound(1.0, 0.0, 0.1), h)
        image = right - system.true_residual(cells, right, h)[cells]
        share, found = (image / right).min(initial=1), h[cells]
        if not share > 0 or not found.min(initial=1) > 0:
            return Bound(np.inf, 0.0, accuracy)
        slack = np.log(found.max(initial=1) / found.min(initial=1))
        return Bound(found.max(initial=1) / share, slack, accuracy)


def _spread(graph: BlockGraph, reached: NDArray[np.bool_]) -> None:
    """Mark all cells that the marked ones send to, directly or through others."""
    before = -1
    while before != (before := int(np.count_nonzero(reached))):

        def put(rows: slice, found: NDArray[np.bool_]) -> None:
            # what is found early is walked on from in the same pass
            reached[rows] = found

        graph.run(reach_block, (graph.exponent, reached), put)
