"""The limit of the recurrence, where iterating on changes nothing any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.tl._recurrence import Recurrence


def solve_limit(
    graph: Any,
    positions: NDArray[np.int64],
    rows: NDArray[np.float32],
    recurrence: Recurrence,
    start: NDArray[Any],
    *,
    tol: float = 1e-22,
    max_iter: int = 20_000,
) -> tuple[NDArray[np.float32], float, int, bool]:
    """Iterate in float64 from `start` until the residual is at most `tol`."""
    wide = graph.astype(np.float64)
    gain = recurrence.gain.astype(np.float64)[:, None]
    scale = recurrence.scale.astype(np.float64)[:, None]
    scores = start.reshape(len(start), -1).astype(np.float64)
    seeds = rows.astype(np.float64)
    mass = seeds.sum(axis=0)
    residual, iteration = np.inf, 0
    while residual > tol and iteration < max_iter:
        iteration += 1
        new = gain * (wide @ (scale * scores))
        weight = np.full(seeds.shape[1], recurrence.restart)
        if len(recurrence.dangling):
            lost = (scale * scores)[recurrence.dangling].sum(axis=0)
            weight += recurrence.alpha * np.divide(
                lost, mass, out=np.zeros_like(mass), where=mass != 0
            )
        new[positions] += weight * seeds
        residual = float(((new - scores) ** 2).sum() / max((new**2).sum(), 1e-300))
        scores = new
    return scores.reshape(start.shape).astype(np.float32), residual, iteration, residual <= tol
