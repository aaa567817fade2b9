"""Propagation on arrays: the way, iteration by iteration, and the goal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scanpy_anim.tl._block_propagation import run_blocks
from scanpy_anim.tl._blocks import BlockGraph
from scanpy_anim.tl._faint import FaintIteration
from scanpy_anim.tl._graph import in_float64
from scanpy_anim.tl._history import LabelHistory, ScoreHistory, hide_faint
from scanpy_anim.tl._history_store import HistoryStore
from scanpy_anim.tl._iteration import Iteration, set_up_problem
from scanpy_anim.tl._limit import solve_limit
from scanpy_anim.tl._outcome import Found, report
from scanpy_anim.tl._peak import Peak
from scanpy_anim.tl._range import require_scores_fit
from scanpy_anim.tl._reorder import worth_renumbering
from scanpy_anim.tl._step_kernels import reach_further

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from scanpy_anim.tl._iteration import Problem, StepStats
    from scanpy_anim.tl._limit import Limit
    from scanpy_anim.tl._options import Options
    from scanpy_anim.tl._outcome import Propagation

_COLUMNS_AT_FIRST = 16
# exponents of signals that are taken as they are
_ORDINARY = 20
# what arrives of a score of 1e-30 in one step at least, for float32 to hold it
_LEAST_STEP = 1e-14


def run(
    graph: sparse.csr_array | BlockGraph,
    seeds: NDArray[np.int64],
    rows: NDArray[np.float32],
    options: Options,
    store: HistoryStore | None = None,
) -> Propagation:
    """Propagate on a checked graph, from seed cells, ascending, and their rows of the signal."""
    _require_work(graph.shape[0], rows, options)
    exponent = int(np.frexp(np.abs(rows).max())[1])
    if isinstance(graph, BlockGraph):
        exponent *= abs(exponent) > _ORDINARY
        rows = np.ldexp(rows, -exponent)
        found = run_blocks(graph, seeds, rows, options, store or HistoryStore(None, ""), exponent)
        return report(found, options)
    # before anything is tried: what does not fit into memory may be endless
    options, cut_short = _fit(options, Peak.of(graph.shape[0], graph.nnz, rows.shape[1], options))
    require_scores_fit(graph, seeds, rows.astype(np.float64), options)
    if abs(exponent) > _ORDINARY:
        # scores go with the signal, and times weights neither may leave the range on the way
        graph = in_float64(graph)
    return _run(graph, seeds, rows, options, cut_short=cut_short)


def _run(
    graph: sparse.csr_array,
    seeds: NDArray[np.int64],
    rows: NDArray[np.float32],
    options: Options,
    *,
    cut_short: bool,
) -> Propagation:
    n_obs, n_classes = graph.shape[0], rows.shape[1]
    problem = set_up_problem(graph, seeds, rows, options)
    # the limit is found in float64: each class counts twice
    wide = n_classes * (1 + options.limit)
    if worth_renumbering(n_obs, wide, options.expected_iterations):
        problem = problem.with_neighbors_close()
    record = _open(problem, options)
    columns, measured = _iterate(problem, record, options, Iteration(problem))
    raised, unreached = None, _without_path(problem, measured)
    faint = any(m.faint or m.unreached > u for m, u in zip(measured, unreached, strict=True))
    if faint and n_classes > 1:
        record, measured, raised = _iterate_again(problem, record, options, measured)
    solution = None
    if options.limit:
        solution, raised = _solve(problem, options, record)
    finished = record.finish()
    if faint and n_classes > 1 and options.history == "scores":
        hide_faint(finished[0], len(columns))
    how = (solution.residual, solution.n_iter, solution.converged) if solution else ()
    found = Found(*finished, raised, columns, measured, *how)
    return replace(report(found, options, cut_short=cut_short), unreached=unreached)


def _iterate_again(
    problem: Problem,
    record: ScoreHistory | LabelHistory,
    options: Options,
    measured: list[StepStats],
) -> tuple[ScoreHistory | LabelHistory, list[StepStats], NDArray[np.float32]]:
    """Labels of iterations whose scores float32 does not hold, and the last scores, raised."""
    state = FaintIteration(problem)
    same = replace(options, max_iter=len(measured), tol=0.0)
    if options.history == "labels":
        record = _open(problem, same)
        _, anew = _iterate(problem, record, same, state)
    else:
        anew = [state.step() for _ in measured]
    measured = [m._replace(flips=a.flips) for m, a in zip(measured, anew, strict=True)]
    return record, measured, problem.to_user(state.signal.astype(np.float32))


def _without_path(problem: Problem, measured: list[StepStats]) -> NDArray[np.int64]:
    """Count cells not reached in each iteration, which cells whose scores are too small are.

    Steps are counted only where some score may have been too small, or cancelled out.
    """
    zeros = np.array([m.unreached for m in measured], dtype=np.int64)
    if not len(zeros) or not (_may_vanish(problem, measured) or (problem.rows < 0).any()):
        return zeros
    graph, seeds = problem.graph, problem.seeds
    steps = np.full(problem.n_obs, -1, dtype=np.int32)
    steps[seeds] = 0
    missing, found, counted = problem.n_obs - len(seeds), len(seeds), np.empty_like(zeros)
    for step in range(1, len(zeros) + 1):
        if found:
            found = reach_further(graph.indptr, graph.indices, graph.data, steps, step)
        missing -= found
        counted[step - 1] = missing
    return counted


def _may_vanish(problem: Problem, measured: list[StepStats]) -> bool:
    """Whether a cell next to others with scores of 1e-30 and more may have got none."""
    recurrence = problem.recurrence
    if any(m.faint for m in measured) or len(recurrence.lift):
        return True
    sent = _least_positive(problem.graph.data) * _least_positive(recurrence.scale)
    return not sent * min(1, _least_positive(recurrence.gain)) > _LEAST_STEP


def _least_positive(values: NDArray[np.floating]) -> float:
    least = float(values.min(initial=np.inf))
    return least if least > 0 else float(values.min(initial=np.inf, where=values > 0))


def _require_work(n_obs: int, rows: NDArray[np.float32], options: Options) -> None:
    """Refuse what leaves nothing to do or to say."""
    if options.clamp == "hard" and len(rows) == n_obs:
        raise ValueError("clamp='hard' leaves nothing to do: every cell is a seed")
    if rows.shape[1] > 1 and (rows < 0).any():
        raise ValueError("signal: several classes share cells out, none may be negative")
    if options.history == "labels" and rows.shape[1] == 1:
        raise ValueError("history='labels' needs several classes, there is one: use 'scores'")


def _fit(options: Options, peak: Peak) -> tuple[Options, bool]:
    """Cut the iterations to keep as far as memory asks for it; whether it did."""
    wanted = options.most_columns
    exact = options.tol == 0 or len(options.kept) == 1
    fitting = peak.fitting_columns(wanted, exact=exact)
    if fitting >= wanted:
        return options, False
    kept = options.kept[: fitting - options.limit]
    return replace(options, kept=kept, max_iter=kept[-1]), True


def _open(problem: Problem, options: Options) -> ScoreHistory | LabelHistory:
    most = options.most_columns
    expected = most if options.tol == 0 else min(most, _COLUMNS_AT_FIRST)
    if options.history == "scores":
        return ScoreHistory(problem, expected=expected, most=most)
    return LabelHistory(
        problem,
        class_mass=options.class_mass,
        keep_scores=not options.limit,
        expected=expected,
        most=most,
    )


def _iterate(
    problem: Problem,
    record: ScoreHistory | LabelHistory,
    options: Options,
    state: Iteration | FaintIteration,
) -> tuple[list[int], list[StepStats]]:
    """Iterate until it hardly changes, keep what is wanted, and without limit what is last."""
    columns: list[int] = []
    measured: list[StepStats] = []
    # a range answers by itself, however many there are
    wanted = options.kept if isinstance(options.kept, range) else frozenset(options.kept)
    if 0 in wanted:
        record.begin()
        columns.append(0)
    if not options.max_iter:
        return columns, measured
    for iteration in range(1, options.max_iter + 1):
        measured.append(state.step())
        if iteration in wanted:
            record.keep(state)
            columns.append(iteration)
        if options.tol > 0 and measured[-1].residual <= options.tol:
            break
    if not options.limit and columns[-1:] != [len(measured)]:
        record.keep(state)
        columns.append(len(measured))
    return columns, measured


def _solve(
    problem: Problem, options: Options, record: ScoreHistory | LabelHistory
) -> tuple[Limit, NDArray[np.float32] | None]:
    """Solve for the limit, and `label_scores`."""
    solution = solve_limit(problem, options).to_user(problem)
    raised = solution.raised() if problem.n_classes > 1 else None
    record.end(solution.stored(), raised)
    return solution, raised
