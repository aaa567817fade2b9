"""Confidence that means what it says: one temperature, fitted on seeds that were held out.

Arrays only. Guo, Pleiss, Sun and Weinberger, ICML 2017: of all recalibrations the one with a
single number, ``p_c^(1/T) / sum_d p_d^(1/T)``, loses nothing of the ranking and hardly overfits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

N_FOLDS = 5
# fewer held-out seeds than this say next to nothing about a temperature
FEWEST = 30
_RANGE = (1e-3, 1e2)


def folds(
    classes: NDArray[np.integer], n_folds: int = N_FOLDS
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Seeds to keep and seeds to hold out, each class spread evenly over the folds.

    A class with a single seed is never held out: without it there would be no such class.
    """
    random = np.random.default_rng(0)
    fold = np.full(len(classes), -1)
    for c in np.unique(classes):
        members = random.permutation(np.flatnonzero(classes == c))
        if len(members) > 1:
            fold[members] = (np.arange(len(members)) + random.integers(n_folds)) % n_folds
    for f in range(n_folds):
        held_out = np.flatnonzero(fold == f)
        if len(held_out):
            yield np.flatnonzero(fold != f), held_out


def apply_temperature(probability: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Sharpen (below 1) or soften (above 1) each row; rows of zeros stay."""
    with np.errstate(divide="ignore"):
        logits = np.log(probability) / temperature
    highest = logits.max(axis=1, keepdims=True)
    reached = np.isfinite(highest)
    raised = np.exp(logits - np.where(reached, highest, 0))
    total = raised.sum(axis=1, keepdims=True)
    return np.divide(raised, total, out=np.zeros_like(raised), where=reached)


def fit_temperature(probability: NDArray[np.float64], truth: NDArray[np.integer]) -> float:
    """Temperature of the highest likelihood of held-out labels, by golden section on its log.

    The likelihood is concave in ``1 / T``. A class that got no share at all counts as a share of
    one in a million: a likelihood of zero would let a single cell decide.
    """
    floored = np.maximum(probability, 1e-6)
    logits = np.log(floored / floored.sum(axis=1, keepdims=True))

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        picked = scaled[np.arange(len(truth)), truth]
        return float((np.log(np.exp(scaled).sum(axis=1)) - picked).mean())

    low, high = np.log(_RANGE[0]), np.log(_RANGE[1])
    ratio = (5**0.5 - 1) / 2
    while high - low > 1e-4:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))
