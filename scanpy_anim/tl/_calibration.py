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
# seeds a class at which the proportions found and those of the seeds are believed alike
_HALF_TRUST = 10
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


def seed_weights(
    truth: NDArray[np.integer], found: NDArray[np.integer], n_classes: int
) -> NDArray[np.float64]:
    """Weight of each held-out seed that makes classes count as among the cells that were asked.

    Seeds are often picked evenly over the classes, cells never come so, and some classes are easier
    to find than others. How large the classes are is taken from the labels `found` for the cells
    that are no seeds, the more so the more seeds a class had to find them by.
    """
    held_out = np.bincount(truth, minlength=n_classes)
    asked = np.bincount(found, minlength=n_classes) * (held_out > 0)
    if not asked.any():
        return np.ones(len(truth))
    of_seeds, of_cells = held_out / held_out.sum(), asked / asked.sum()
    a_class = len(truth) / np.count_nonzero(held_out)
    trust = a_class / (a_class + _HALF_TRUST)
    wanted = trust * of_cells + (1 - trust) * of_seeds
    return (wanted / np.where(held_out > 0, of_seeds, 1))[truth]


def fit_temperature(
    probability: NDArray[np.float64],
    truth: NDArray[np.integer],
    weights: NDArray[np.float64] | None = None,
) -> float:
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
        return float(np.average(np.log(np.exp(scaled).sum(axis=1)) - picked, weights=weights))

    low, high = np.log(_RANGE[0]), np.log(_RANGE[1])
    ratio = (5**0.5 - 1) / 2
    while high - low > 1e-4:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))
