"""Sets of labels that hold the truth with a probability that was asked for: arrays only.

Conformal prediction (Vovk, Gammerman and Shafer 2005) on the share of each label (Sadinle, Lei and
Wasserman, JASA 2019), with seeds that are held out fold by fold: a propagation that was not told a
fold's seeds gives their label a share, and to the cells that fell to that fold by lot one of each
label. Both know as much, where the propagation from all seeds knows more and would make the sets
too large. Label `c` belongs to a cell's set unless its share is among the smallest `1 - coverage`
of those that held-out seeds of `c` got for their own; on the border by chance (smoothed, as in Vovk
et al.), so that a few seeds do not round the probability up.

Cells are asked in one fold, as seeds are. Where all folds are asked (cross-conformal, Vovk 2015;
CV+, Romano, Sesia and Candès, NeurIPS 2020) each cell is judged by their mean, which strays less
than what one fold says of a seed: sets hold the truth more often than asked wherever folds differ
(Linusson, Norinder, Boström, Johansson and Löfström, COPA 2017).

Classes with too few seeds speak together (as in Ding, Angelopoulos, Bates, Jordan and Tibshirani,
NeurIPS 2023), weighed by how many cells are of each (Podkopaev and Ramdas, UAI 2021). Were seeds of
all classes to stand in, small types, which are harder, would hold the truth far too rarely. Where
even they are too few together, the next smallest class joins them and gives up its own word: the
promise is kept for each group of classes only if all of a group go by the group's seeds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# seeds of a class, times the share of cells that may be missed, which suffice to go by them alone
_MISSED = 2


def label_sets(
    everyone: NDArray[np.floating],
    own: NDArray[np.floating],
    truth: NDArray[np.integer],
    weights: NDArray[np.float64],
    coverage: float,
) -> NDArray[np.bool_]:
    """Labels `(n_obs, n_classes)` of each cell that may be the true one.

    `everyone` holds the shares of all cells, each by the propagation that was not told the seeds of
    the cell's fold. Held-out seeds are a row each of the share `own` that their class got where
    they were held out, of that class, `truth`, and of how much they count.
    """
    n_obs, n_classes = everyone.shape
    counts = np.bincount(truth, minlength=n_classes)
    enough = _MISSED / (1 - coverage) - 1e-9
    together = _together(counts, enough)
    chance = np.random.default_rng(0).random(n_obs)
    sets = np.empty((n_obs, n_classes), dtype=bool)
    for c in range(n_classes):
        alone = c not in together
        asked = truth == c if alone else np.isin(truth, together)
        weight = np.where(asked, 1.0 if alone else weights, 0.0)
        # a cell of the class counts as one of its seeds does
        one = weight[truth == c if counts[c] else asked].mean()
        below, up_to = _weight_below(everyone[:, c], own[asked], weight[asked])
        rank = below + chance * (up_to - below + one)
        sets[:, c] = rank > (1 - coverage) * (weight.sum() + one)
    return sets


def _together(counts: NDArray[np.integer], enough: float) -> NDArray[np.intp]:
    """Classes with too few seeds, which speak together; with the next smallest, were these too few.

    All others have enough to speak for themselves.
    """
    order = np.argsort(counts, kind="stable")
    n_few = int((counts < enough).sum())
    if not n_few:
        return order[:0]
    until = int(np.searchsorted(np.cumsum(counts[order]), enough)) + 1
    return order[: max(n_few, until)]


def _weight_below(
    shares: NDArray[np.floating], own: NDArray[np.floating], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weight of the held-out seeds whose `own` share is below each of `shares`, or not above it."""
    order = np.argsort(own)
    total = np.append(0.0, np.cumsum(weight[order]))
    ascending = own[order]
    below = np.searchsorted(ascending, shares, side="left")
    return total[below], total[np.searchsorted(ascending, shares, side="right")]
