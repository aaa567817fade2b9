"""What a propagation found, as `propagate` returns it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.tl._iteration import StepStats
    from scanpy_anim.tl._options import Options


@dataclass(frozen=True, slots=True)
class Propagation:
    """What :func:`propagate` returns.

    Attributes
    ----------
    history
        Scores, float32, C order: `(n_obs, n_frames)` for a signal of one column,
        `(n_obs, n_frames, n_classes)` for several. With a limit, it is the last column.
        With `history="labels"`: integer codes `(n_obs, n_frames)` of the best class, -1
        where no seed has reached the cell.
    confidence
        With `history="labels"`: the best class's share, float32 `(n_obs, n_frames)`.
    scores
        Scores of the last column: the limit, or the last iteration kept; `(n_obs,)` or
        `(n_obs, n_classes)`.
    label_scores
        What labels are decided from where float32 is too coarse for some cell's limit: `scores`
        with those cells' rows raised to about 1e-30, all classes together. Without limit the same
        of the last iteration. Else None.
    iterations
        `(n_frames,)` what each column holds: 0 is the signal, `inf` the limit.
    residuals
        `(n_iter,)` of every iteration: `|F_t - F_(t-1)|^2 / |F_t|^2`.
    unreached
        `(n_iter,)` number of cells that no path of so many steps leads to from a seed.
    flips
        `(n_iter,)` share of cells whose best class changed; empty for one class.
    converged
        Whether the last residual is at most `tol`; with `method="direct"`, whether the limit
        got to its accuracy.
    limit_residual
        Residual of the limit under one more iteration; NaN without limit.
    limit_iterations
        Iterations the solver took; 0 without limit.
    limit_converged
        Whether every score of the limit is shown to be within 1e-4 of the solution, relative to
        itself, but for what float32 cannot hold: below 1.2e-38 it has fewer digits, below 1e-45
        it is 0. False without limit.
    cut_short
        Whether the way ended early because no more of its history would have fitted.
    """

    history: NDArray[Any]
    confidence: NDArray[np.float32] | None
    scores: NDArray[np.float32]
    label_scores: NDArray[np.float32] | None
    iterations: NDArray[np.float64]
    residuals: NDArray[np.float64]
    unreached: NDArray[np.int64]
    flips: NDArray[np.float64]
    converged: bool
    limit_residual: float
    limit_iterations: int
    limit_converged: bool
    cut_short: bool

    @property
    def n_iter(self) -> int:
        """Number of iterations done."""
        return len(self.residuals)

    @property
    def limit(self) -> NDArray[np.float32] | None:
        """The converged solution, None without."""
        return self.scores if np.isinf(self.iterations[-1]) else None


@dataclass(frozen=True, eq=False)
class Found:
    """What was found, in memory or in blocks; fields as in :class:`Propagation`.

    Attributes
    ----------
    kept
        Iterations that the columns hold, but for the limit.
    measured
        What each iteration changed, kept or not.
    """

    history: Any
    confidence: Any
    scores: Any
    label_scores: NDArray[np.float32] | None
    kept: list[int]
    measured: list[StepStats]
    limit_residual: float = np.nan
    limit_iterations: int = 0
    limit_converged: bool = False


def report(found: Found, options: Options, *, cut_short: bool = False) -> Propagation:
    """Put what was found as `propagate` returns it."""
    columns, measured = [float(t) for t in found.kept], found.measured
    residuals = np.array([m.residual for m in measured], dtype=np.float64)
    converged = bool(residuals[-1] <= options.tol) if measured else found.limit_converged
    return Propagation(
        history=found.history,
        confidence=found.confidence,
        scores=found.scores,
        label_scores=found.label_scores,
        iterations=np.array([*columns, np.inf] if options.limit else columns),
        residuals=residuals,
        unreached=np.array([m.unreached for m in measured], dtype=np.int64),
        flips=np.array([m.flips for m in measured if m.flips is not None], dtype=np.float64),
        converged=converged,
        limit_residual=found.limit_residual,
        limit_iterations=found.limit_iterations,
        limit_converged=found.limit_converged,
        cut_short=cut_short and not converged,
    )
