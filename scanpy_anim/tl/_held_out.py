"""What a propagation says about seeds that it was not told, and what that says about the cells.

Seeds are often picked evenly over the classes, cells never come so. What a propagation gets wrong
about held-out seeds of each class, and what it names the cells, say together how large the classes
are (label shift: Lipton, Wang and Smola, ICML 2018), here by expectation and maximisation (Saerens,
Latinne and Decaestecker, Neural Computation 2002), which never leaves the proportions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from scanpy_anim._decision import decide, shares
from scanpy_anim.tl._calibration import N_FOLDS, drawn_otherwise, folds
from scanpy_anim.tl._graph import as_csr
from scanpy_anim.tl._options import Options
from scanpy_anim.tl._prior import GIVEN, correct, read_features, regress
from scanpy_anim.tl._propagate import propagate
from scanpy_anim.tl._signal import SeedTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from anndata import AnnData
    from numpy.typing import NDArray

# seeds of the typical class below which a fifth less of them is much less
_MANY = 40
_MOST_FOLDS = 2 * N_FOLDS


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Seeds that were held out, a row each.

    Attributes
    ----------
    shares
        Of each class, by a propagation from the other folds' seeds.
    truth
        The class it seeds.
    weights
        How much it counts, 1 on the mean: classes as among the cells.
    weighed
        Whether seeds come in other proportions than cells, and the weights make up for it.
    everyone
        Shares `(n_obs, n_classes)` of all cells, each in one fold by lot, where they are kept.
    """

    shares: NDArray[np.float64]
    truth: NDArray[np.int64]
    weights: NDArray[np.float64]
    weighed: bool
    everyone: NDArray[np.float32] | None = None

    def own(self) -> NDArray[np.float32]:
        """Share of the class that each one seeds, as exact as those of `everyone`."""
        return self.shares[np.arange(len(self.truth)), self.truth].astype(np.float32)


def count_held_out(record: Mapping[str, Any]) -> int:
    """How many seeds :func:`hold_out` would hold out: those of one class that has others."""
    seeds = _seeds_of(record)
    counts = seeds.of(seeds.alone()).counts()
    return int(counts[counts > 1].sum())


def hold_out(
    adata: AnnData,
    graph: Any,
    record: Mapping[str, Any],
    labels: NDArray[np.int64],
    class_weights: NDArray[np.float64] | None,
    *,
    keep: bool = False,
) -> HeldOut | None:
    """Propagate a stored run anew without some seeds, a fold after the other.

    `graph` is the one it walked on, `labels` are the classes found for all cells, -1 where there is
    none; with `keep` what each cell gets in one of the folds is kept, which falls to it by lot.
    `None` when no seed can be held out.
    """
    seeds = _seeds_of(record)
    alone = seeds.alone()
    counts = seeds.of(alone).counts()
    few = np.median(counts[counts > 0]) < _MANY if counts.any() else True
    plan = list(folds(seeds.classes[alone], _MOST_FOLDS if few else N_FOLDS))
    if not plan:
        return None
    start = _signal_of(adata, graph, record)
    said, places = [], []
    everyone, lot = None, np.zeros(0, dtype=np.intp)
    if keep:
        everyone = np.empty((adata.n_obs, seeds.n_classes), dtype=np.float32)
        lot = _lots([len(held_out) for _, held_out in plan], adata.n_obs)
    for f, (_, held_out) in enumerate(plan):
        kept = np.setdiff1d(np.arange(len(seeds.positions)), alone[held_out])
        scores = _outcome(graph, start(seeds.of(kept)), record)
        cells = seeds.positions[alone[held_out]]
        if everyone is not None:
            mine = np.flatnonzero(lot == f)
            everyone[mine] = shares(np.asarray(scores[mine]), class_weights)
        said.append(shares(np.asarray(scores[cells]), class_weights))
        places.append(alone[held_out])
    told = np.concatenate(said)
    truth = seeds.classes[np.concatenate(places)].astype(np.int64)
    named, _ = decide(told)
    others = np.delete(labels, seeds.positions)
    found = np.bincount(others[others >= 0], minlength=seeds.n_classes)
    weighed = drawn_otherwise(named, found)
    weights = np.ones(len(truth))
    if weighed:
        weights = weights_of_held_out(truth, class_proportions(truth, named, found))
    return HeldOut(told, truth, weights, weighed, everyone)


def _lots(sizes: list[int], n_obs: int) -> NDArray[np.intp]:
    """Fold in which each cell is asked, as likely as a seed is held out there."""
    random = np.random.default_rng(1)
    return random.choice(len(sizes), n_obs, p=np.array(sizes) / sum(sizes))


def _seeds_of(record: Mapping[str, Any]) -> SeedTable:
    stored = record["seeds"]
    return SeedTable(
        np.asarray(stored["positions"]),
        np.asarray(stored["classes"]),
        np.asarray(stored["weights"], dtype=np.float64),
        len(record["classes"]),
    )


def _signal_of(adata: AnnData, graph: Any, record: Mapping[str, Any]) -> Callable[[SeedTable], Any]:
    """Make the signal of a run from some of its seeds: those alone, or with what a prior says."""
    params, key = record["params"], str(record["params"]["key_added"])
    if "prior" not in params:
        return lambda seeds: seeds.signal(adata.n_obs)
    options = Options.checked(
        **{name: params[name] for name in ("alpha", "normalization")},
        symmetrize=bool(params["symmetrize"]),
    )
    walked = as_csr(graph, adata.n_obs, symmetrize=options.symmetrize)
    if params["prior"] == GIVEN:
        given = np.asarray(adata.obsm[f"{key}_prior"], dtype=np.float64)
        return lambda seeds: correct(walked, given, seeds, options)
    features = read_features(adata, str(params["prior"]))
    return lambda seeds: correct(walked, regress(features, seeds), seeds, options)


def arguments_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments that lead straight to the last column of a stored run."""
    params, last = record["params"], float(record["iterations"][-1])
    how: dict[str, Any] = {"method": "direct"}
    if np.isfinite(last):
        how = {"tol": 0, "max_iter": max(int(last), 1), "iterations": [int(last)], "limit": False}
    return {
        "alpha": float(params["alpha"]),
        "clamp": str(params["clamp"]),
        "normalization": str(params["normalization"]),
        "symmetrize": bool(params["symmetrize"]),
        **how,
    }


def _outcome(graph: Any, signal: Any, record: Mapping[str, Any]) -> NDArray[np.floating]:
    """Scores of the last column, from other seeds: the limit, or as many iterations."""
    if float(record["iterations"][-1]) == 0:
        return np.asarray(signal.toarray() if sparse.issparse(signal) else signal)
    outcome = propagate(graph, signal, **arguments_of(record))
    return outcome.scores if outcome.label_scores is None else outcome.label_scores


_ROUNDS = 200
# what is known beforehand counts as so many seeds of each class, mostly right
_BEFOREHAND, _RIGHT = 0.5, 0.8


def class_proportions(
    truth: NDArray[np.integer], named: NDArray[np.integer], found: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Share of each class among the cells, 0 where none of its seeds was held out.

    `truth` and `named` are the classes of held-out seeds, their own and those found for them (-1:
    none); `found` counts the cells by the class found for them.
    """
    n_classes = len(found)
    held_out = np.bincount(truth, minlength=n_classes)
    seeds = held_out / held_out.sum()
    if not found.any():
        return seeds
    confusion = np.full((n_classes, n_classes), _BEFOREHAND * (1 - _RIGHT) / n_classes)
    confusion[np.diag_indices(n_classes)] += _BEFOREHAND * _RIGHT
    known = named >= 0
    np.add.at(confusion, (truth[known], named[known]), 1)
    confusion /= confusion.sum(axis=1, keepdims=True)
    # cells are many, but say no more about how large classes are than the confusion is known
    weight = found * (min(found.sum(), len(truth)) / found.sum())
    proportions = seeds
    for _ in range(_ROUNDS):
        joint = proportions[:, None] * confusion
        joint /= np.maximum(joint.sum(axis=0), np.finfo(float).tiny)
        # the seeds' own proportions count as one cell
        proportions = np.where(held_out > 0, joint @ weight + seeds, 0)
        proportions /= proportions.sum()
    return proportions


def weights_of_held_out(
    truth: NDArray[np.integer], proportions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weight of each held-out seed that makes classes count as among the cells, 1 on the mean."""
    held_out = np.bincount(truth, minlength=len(proportions)) / len(truth)
    return np.divide(proportions, held_out, out=np.zeros_like(held_out), where=held_out > 0)[truth]
