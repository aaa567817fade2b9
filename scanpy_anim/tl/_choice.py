"""How to propagate where the call leaves it open: chosen by what held-out seeds say.

Arrays only. Near `alpha` 1 the scores of all classes tend to the stationary distribution times the
number of seeds, and classes with most seeds win cells that are none of theirs; far below 1 labels
hardly leave their seeds; held seeds with scores scaled by class mass [Zhu2003]_ do best where
seeds are few and even, without where they are many. No single choice is good everywhere (the
tables in `docs/labels.md`), so a third of the seeds at a time is held out and the candidate that
names most of them takes it (cross-validation: Stone 1974), classes weighed by how many cells are
of them, as far as that can be told. A few dozen iterations tell candidates
apart as well as their limits do, at a fraction of the cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from scanpy_anim._decision import class_mass_weights, decide, shares
from scanpy_anim.tl._calibration import drawn_otherwise, folds
from scanpy_anim.tl._held_out import class_proportions, weights_of_held_out
from scanpy_anim.tl._propagate import propagate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scanpy_anim.tl._options import Clamp, Normalization
    from scanpy_anim.tl._signal import SeedTable

_FOLDS = 3
# seeds to hold out, and seeds of the typical class, below which there is no choosing by them
_FEWEST, _FEWEST_A_CLASS = 15, 3
# held-out seeds of one fold beyond which other folds say nothing new
_ENOUGH = 300
# seeds of the typical class from which on held-out ones tell how large the classes are
_ENOUGH_TO_WEIGH = 10
# classes of several folds that are propagated as one block: so wide, more is no cheaper
_TOGETHER = 32
# of two candidates that name as many seeds, the surer one
_SURENESS = 0.05


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to propagate and to decide; `n_iter` tell it from others."""

    alpha: float
    clamp: Clamp
    class_mass: bool
    n_iter: int

    def __str__(self) -> str:
        if self.clamp == "soft":
            return f"clamp='soft', alpha={self.alpha:g}"
        return f"clamp='hard', {'with' if self.class_mass else 'without'} class mass"


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidate taken, and why: how many of `n_held_out` seeds each one named."""

    taken: Candidate
    why: str
    candidates: tuple[Candidate, ...] = ()
    accuracy: tuple[float, ...] = ()
    n_held_out: int = 0

    def storable(self) -> dict[str, Any]:
        """Put it as files can hold it."""
        found: dict[str, Any] = {"taken": str(self.taken), "why": self.why}
        if self.n_held_out:
            found["candidates"] = np.array([str(c) for c in self.candidates], dtype=object)
            found["accuracy"] = np.array(self.accuracy)
            found["held_out"] = self.n_held_out
        return found


_ALPHAS = {0.8: 15, 0.95: 30}
_HARD = (Candidate(0.99, "hard", True, 30), Candidate(0.99, "hard", False, 30))


def by_rule() -> Choice:
    """Choose for several classes where each candidate would be tens of passes over the graph."""
    taken = Candidate(min(_ALPHAS), "soft", False, 0)
    return Choice(
        taken,
        "the graph is in blocks, and choosing by held-out seeds would read it over a hundred times",
    )


def choose(
    graph: Any,
    seeds: SeedTable,
    *,
    soft_only: bool,
    normalization: Normalization,
) -> Choice:
    """Choose among values of alpha, and with `soft_only=False` among clamps too."""
    candidates = [Candidate(a, "soft", False, n) for a, n in _ALPHAS.items()]
    if not soft_only:
        candidates += _HARD
    plan = folds_to_choose_by(seeds)
    if not plan:
        uneven = seeds.uneven()
        taken = candidates[0] if soft_only or uneven else _HARD[0]
        how = "unevenly" if uneven else "evenly"
        return Choice(taken, f"too few seeds to hold some out, {how} over the classes")
    said, found = _held_out_shares(
        graph,
        [seeds.of(kept) for kept, _ in plan],
        [seeds.positions[out] for _, out in plan],
        candidates,
        normalization,
    )
    truth = np.concatenate([seeds.classes[out] for _, out in plan])
    return best_of(candidates, said, truth, found, seeds)


def folds_to_choose_by(
    seeds: SeedTable,
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Rows of seeds to keep and to hold out, one fold where it says enough; none for few seeds."""
    alone = seeds.alone()
    counts = seeds.of(alone).counts()
    plan = [alone[out] for _, out in folds(seeds.classes[alone], _FOLDS)]
    if sum(map(len, plan)) < _FEWEST or np.median(counts[counts > 0]) < _FEWEST_A_CLASS:
        return []
    if len(plan[0]) >= _ENOUGH:
        plan = plan[:1]
    return [(np.setdiff1d(np.arange(len(seeds.positions)), out), out) for out in plan]


def best_of(
    candidates: Sequence[Candidate],
    said: Sequence[NDArray[np.float64]],
    truth: NDArray[np.integer],
    found: NDArray[np.integer],
    seeds: SeedTable,
    *,
    sure: float = 0.0,
) -> Choice:
    """Candidate that names most of the held-out seeds, by the shares that each one gave them.

    Others than the first have to be ahead of it by `sure` standard errors, unless seeds seem to be
    drawn from the cells, unevenly as these come: what is held out is then like what is asked.
    """
    counts, named = seeds.of(seeds.alone()).counts(), decide(said[0])[0]
    weights, weighed = np.ones(len(truth)), ""
    if np.median(counts[counts > 0]) >= _ENOUGH_TO_WEIGH:
        weights = weights_of_held_out(truth, class_proportions(truth, named, found))
        weighed = ", classes weighed by their size among the cells"
    right = np.array([decide(share)[0] == truth for share in said])
    likely = [np.log(np.maximum(share[np.arange(len(truth)), truth], 0.01)) for share in said]
    accuracy = np.average(right, axis=1, weights=weights)
    credit = weights * (right + _SURENESS * np.array(likely))
    best = int(np.argmax(credit.mean(axis=1)))
    gain = credit[best] - credit[0]
    if seeds.uneven() and not drawn_otherwise(named, found):
        sure = 0.0
    if gain.mean() < sure * gain.std() / len(gain) ** 0.5:
        best = 0
    return Choice(
        candidates[best],
        f"it names {accuracy[best]:.1%} of {len(truth)} held-out seeds{weighed}",
        tuple(candidates),
        tuple(accuracy.tolist()),
        len(truth),
    )


def classes_together(n_classes: int) -> int:
    """Count the classes, of one fold or of several, that are propagated as one block."""
    return n_classes * min(_FOLDS, max(1, _TOGETHER // n_classes))


def _held_out_shares(
    graph: Any,
    kept: Sequence[SeedTable],
    asked: Sequence[NDArray[np.integer]],
    candidates: Sequence[Candidate],
    normalization: Normalization,
) -> tuple[list[NDArray[np.float64]], NDArray[np.int64]]:
    """Shares that each candidate gives the cells `asked` of each fold, from the seeds `kept`.

    And how many cells that are no seeds the first one, which is soft, finds of each class.
    """
    found = np.zeros(kept[0].n_classes, dtype=np.int64)
    said: list[list[NDArray[np.float64]]] = [[] for _ in candidates]
    hard = [c for c in candidates if c.clamp == "hard"]
    n_obs, n_classes = graph.shape[0], kept[0].n_classes
    together = classes_together(n_classes) // n_classes
    for first in range(0, len(kept), together):
        these, cells = kept[first : first + together], asked[first : first + together]
        block = sparse.hstack([seeds.signal(n_obs) for seeds in these], format="csr")
        for candidate, shared in zip(candidates, said, strict=True):
            if candidate.clamp == "soft":
                scores = _iterate(graph, block, candidate, normalization)
                for f, rows in enumerate(cells):
                    own = scores[:, f * n_classes : (f + 1) * n_classes]
                    shared.append(shares(own[rows]))
                    if candidate is candidates[0]:
                        found += count_found(own, np.append(these[f].positions, rows))
    for seeds, rows in zip(kept, asked, strict=True):
        if not hard:
            break
        scores = _iterate(graph, seeds.signal(n_obs), hard[0], normalization)
        mass = class_mass_weights(scores, seeds.counts())
        for candidate, shared in zip(candidates, said, strict=True):
            if candidate.clamp == "hard":
                shared.append(shares(scores[rows], mass if candidate.class_mass else None))
    return [np.concatenate(shared) for shared in said], found


def count_found(scores: NDArray[np.float32], seeds: NDArray[np.integer]) -> NDArray[np.int64]:
    """Count the cells that are no seeds by the class found for them."""
    labels, _ = decide(scores)
    labels[seeds] = -1
    return np.bincount(labels[labels >= 0], minlength=scores.shape[1])


def _iterate(
    graph: Any, signal: Any, how: Candidate, normalization: Normalization
) -> NDArray[np.float32]:
    return propagate(
        graph,
        signal,
        alpha=how.alpha,
        clamp=how.clamp,
        normalization=normalization,
        tol=0,
        max_iter=how.n_iter,
        iterations=[how.n_iter],
        limit=False,
    ).scores
