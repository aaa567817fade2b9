"""The recurrence of `_iteration` for a graph in blocks: its scalings a slice at a time.

One vector of length n serves for all modes, as gain and scale are the same but for a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.tl._blocks import BlockGraph
    from scanpy_anim.tl._options import Options

# sums below it are lifted
_TINY = 1e-18


@dataclass(frozen=True, slots=True)
class BlockRecurrence:
    """`F <- gain * (A G) + restart * Y` with `G = scale * F`; arrays that are empty are constant.

    Attributes
    ----------
    gains, scales, lifts
        `(n_obs,)` or empty: the gain is then `alpha` times the scale, or `alpha` where that is
        that of pagerank; the scale 1; the lift none.
    alpha, restart
        Weight of the neighbours and of the seed signal.
    dangling
        Cells that send to nobody, whose mass goes back to the seeds (pagerank only).
    by_columns
        Whether the scale is that of pagerank.
    """

    gains: NDArray[np.float32]
    scales: NDArray[np.float32]
    lifts: NDArray[np.int32]
    alpha: float
    restart: float
    dangling: NDArray[np.int64]
    by_columns: bool

    def gain(self, rows: slice) -> NDArray[np.float32]:
        """Gain of some rows."""
        if len(self.gains):
            return self.gains[rows]
        if self.by_columns:
            return np.full(rows.stop - rows.start, self.alpha, dtype=np.float32)
        return np.float32(self.alpha) * self.scales[rows]

    def scale(self, rows: slice) -> NDArray[np.float32]:
        """Scale of some rows."""
        if len(self.scales):
            return self.scales[rows]
        return np.ones(rows.stop - rows.start, dtype=np.float32)

    def lift(self, rows: slice) -> NDArray[np.int32] | None:
        """Powers of two of some rows."""
        return self.lifts[rows] if len(self.lifts) else None

    def restarts(
        self, signal: NDArray[np.float32], rows: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Weight of each class's signal; with pagerank also what dangling cells give back."""
        weight = np.full(rows.shape[1], self.restart)
        if len(self.dangling):
            lost = signal[self.dangling].sum(axis=0, dtype=np.float64)
            mass = rows.sum(axis=0, dtype=np.float64)
            weight += self.alpha * np.divide(lost, mass, out=np.zeros_like(mass), where=mass != 0)
        return weight.astype(np.float32)


def set_up_recurrence(
    graph: BlockGraph, seeds: NDArray[np.int64], options: Options
) -> BlockRecurrence:
    """Scalings of the mode asked for; the graph has been looked at."""
    hard = options.clamp == "hard"
    by_columns = options.normalization == "pagerank" and not hard
    sums = graph.column_sums() if by_columns else graph.row_sums()
    dangling = np.flatnonzero(sums == 0) if by_columns else np.empty(0, dtype=np.int64)
    sums[sums == 0] = graph.unit(options)
    lifts = np.empty(0, dtype=np.int32)
    if sums.min() < _TINY:
        if by_columns:
            raise ValueError(
                f"normalization='pagerank': columns of the graph add up to {sums.min():.3g}, next "
                "to nothing beside its largest weight. Remove such weights"
            )
        lifts = np.where(sums < _TINY, -np.frexp(sums)[1], 0).astype(np.int32)
    alpha = 1.0 if hard else options.alpha
    gains = scales = np.empty(0, dtype=np.float32)
    if by_columns:
        scales = np.divide(1, sums, out=sums).astype(np.float32)
    elif hard or options.normalization == "random_walk":
        np.divide(alpha, sums, out=sums)
        gains = np.ldexp(sums, -lifts if len(lifts) else 0, out=sums).astype(np.float32)
    else:
        np.sqrt(sums, out=sums)
        scales = np.divide(1, sums, out=sums).astype(np.float32)
        if len(lifts):
            gains = np.ldexp(sums * alpha, -lifts, out=sums).astype(np.float32)
    if hard:
        gains[seeds] = 0
    restart = 1.0 if hard else 1 - options.alpha
    return BlockRecurrence(gains, scales, lifts, alpha, restart, dangling, by_columns)
