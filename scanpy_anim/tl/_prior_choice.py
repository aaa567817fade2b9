"""How far to smooth what features say, where the call leaves it open: by held-out seeds.

Where neighbours in the graph are of other classes, as in tissue, smoothing loses what features
know; where they are of the same class, it gains. Huang et al. (ICLR 2021) take alpha by validation;
so does this, with the folds and the rule of `_choice`. Held-out seeds that come in other
proportions than the cells say less than their number: there 0.8 stays unless another alpha is ahead
by a standard error (Breiman, Friedman, Olshen and Stone 1984).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scanpy_anim._decision import shares
from scanpy_anim.tl._choice import Candidate, Choice, best_of, count_found, folds_to_choose_by
from scanpy_anim.tl._prior import PRIOR_ALPHA, correct, nonzero_rows, regress
from scanpy_anim.tl._propagation import run

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from scanpy_anim.tl._options import Options
    from scanpy_anim.tl._signal import SeedTable

# standard errors by which another alpha has to be ahead of 0.8 where seeds are unlike the cells
_SURE = 1.0
# what is left after so many iterations is a few per cent of the signal
_ALPHAS = {PRIOR_ALPHA: 15, 0.5: 6, 0.2: 3}


def choose_smoothing(
    graph: sparse.csr_array,
    features: NDArray[np.float64],
    seeds: SeedTable,
    options: Options,
) -> Choice:
    """Choose alpha for a prior that is learned at the seeds, 0.8 where they are too few to say."""
    candidates = [Candidate(alpha, "soft", False, n) for alpha, n in _ALPHAS.items()]
    plan = folds_to_choose_by(seeds)
    if not plan:
        return Choice(candidates[0], "too few seeds to hold some out")
    said: list[list[NDArray[np.float64]]] = [[] for _ in candidates]
    found = np.zeros(seeds.n_classes, dtype=np.int64)
    for kept, out in plan:
        told = seeds.of(kept)
        prior = regress(features, told)
        for candidate, shared in zip(candidates, said, strict=True):
            how = _few_iterations(options, candidate)
            cells, signal = nonzero_rows(correct(graph, prior, told, how, limit=False))
            scores = run(graph, cells, signal, how).scores
            shared.append(shares(scores[seeds.positions[out]]))
            if candidate is candidates[0]:
                found += count_found(scores, np.append(told.positions, seeds.positions[out]))
    truth = seeds.classes[np.concatenate([out for _, out in plan])]
    shared_by = [np.concatenate(shared) for shared in said]
    return best_of(candidates, shared_by, truth, found, seeds, sure=_SURE)


def _few_iterations(options: Options, how: Candidate) -> Options:
    """Go as many iterations as tell candidates apart, and keep the last one alone."""
    n = how.n_iter
    return replace(
        options, alpha=how.alpha, tol=0.0, max_iter=n, kept=(n,), limit=False, history="scores"
    )
