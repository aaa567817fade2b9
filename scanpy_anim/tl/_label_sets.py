"""Sets of labels that hold the truth with a probability that was asked for: arrays only.

Split conformal prediction (Vovk, Gammerman and Shafer 2005) on the share of each label (Sadinle,
Lei and Wasserman, JASA 2019): a label belongs to a cell's set when its share is at least what the
asked proportion of held-out seeds of that class got. Where a class has too few of them, seeds of
all classes stand in, weighed by how many cells are of their class (Podkopaev and Ramdas, UAI 2021).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# seeds of a class, times the share of cells that may be missed, which suffice to go by them alone
_MISSED = 2


def least_shares(
    shares: NDArray[np.float64],
    truth: NDArray[np.integer],
    weights: NDArray[np.float64],
    coverage: float,
) -> NDArray[np.float64]:
    """Share from which on each label belongs to a set, by the shares of held-out seeds.

    Minus infinity where there are too few to leave any cell out.
    """
    own = shares[np.arange(len(truth)), truth]
    least = np.empty(shares.shape[1])
    for c in range(shares.shape[1]):
        of_class = truth == c
        if of_class.sum() * (1 - coverage) >= _MISSED - 1e-9:
            least[c] = _quantile(own[of_class], np.ones(of_class.sum()), 1.0, coverage)
        else:
            asked = weights[of_class].mean() if of_class.any() else weights.mean()
            least[c] = _quantile(own, weights, asked, coverage)
    return least


def label_sets(probability: NDArray[np.float64], least: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Labels whose share is large enough; every label where no seed reaches the cell."""
    unreached = probability.max(axis=1) <= 0
    return (probability >= least) | unreached[:, None]


def _quantile(
    own: NDArray[np.float64], weights: NDArray[np.float64], asked: float, coverage: float
) -> float:
    """Largest share that the asked proportion reaches; the cell that is asked counts as none."""
    order = np.argsort(-own)
    reached = np.cumsum(weights[order]) / (weights.sum() + asked)
    enough = int(np.searchsorted(reached, coverage - 1e-12))
    return float(own[order][enough]) if enough < len(own) else -np.inf
