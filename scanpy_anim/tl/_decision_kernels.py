"""Shares and best classes, a row a cell, compiled.

numpy goes through rows of a few numbers one by one, at the cost of a whole propagation's step each
time; these go through them as fast as they are read.
"""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, nogil=True)
def share_rows(
    first: int, last: int, bounds: Any, scores: Any, weights: Any, probability: Any
) -> None:
    """``scores * weights``, each row scaled to sum to 1; 0 where the sum is not positive."""
    for i in range(bounds[first], bounds[last]):
        total = 0.0
        for c in range(scores.shape[1]):
            total += scores[i, c] * weights[c]
        for c in range(scores.shape[1]):
            probability[i, c] = scores[i, c] * weights[c] / total if total > 0 else 0.0


@njit(cache=True, nogil=True)
def best_of_rows(
    first: int, last: int, bounds: Any, probability: Any, labels: Any, confidence: Any
) -> None:
    """Class of the highest probability of each row and that; -1 and 0 where none is positive."""
    for i in range(bounds[first], bounds[last]):
        label = -1
        best = 0.0
        for c in range(probability.shape[1]):
            if probability[i, c] > best:
                best = probability[i, c]
                label = c
        labels[i] = label
        confidence[i] = best
