"""What a propagation says about seeds that it was not told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from scanpy_anim.tl._calibration import FEWEST, fit_temperature, folds, seed_weights
from scanpy_anim.tl._decision import shares
from scanpy_anim.tl._graph import choose_graph
from scanpy_anim.tl._propagation import propagate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anndata import AnnData
    from numpy.typing import NDArray


def fit_on_held_out(
    adata: AnnData,
    record: Mapping[str, Any],
    labels: NDArray[np.int64],
    class_weights: NDArray[np.float64] | None,
) -> float | None:
    """Temperature of a stored propagation, None when too few seeds can be held out.

    `labels` are the classes found for all cells, -1 where there is none.
    """
    positions = np.asarray(record["seeds"]["positions"])
    classes = np.asarray(record["seeds"]["classes"])
    signals = np.asarray(record["seeds"]["weights"], dtype=np.float64)
    # the label of a cell that seeds two classes is no truth to learn from
    alone = np.flatnonzero(np.bincount(positions, minlength=adata.n_obs)[positions] == 1)
    shared = np.setdiff1d(np.arange(len(positions)), alone)
    plan = list(folds(classes[alone]))
    if sum(len(held_out) for _, held_out in plan) < FEWEST:
        return None
    params = record["params"]
    graph = choose_graph(adata, params.get("neighbors_key"), params.get("obsp"))
    said, truth = [], []
    for kept, held_out in plan:
        seeds = np.concatenate([alone[kept], shared])
        signal = sparse.csr_array(
            (signals[seeds], (positions[seeds], classes[seeds])),
            shape=(adata.n_obs, len(record["classes"])),
        )
        scores = _outcome(graph, signal, record)[positions[alone[held_out]]]
        said.append(shares(scores, class_weights))
        truth.append(classes[alone[held_out]])
    found = np.delete(labels, positions)
    told = np.concatenate(truth)
    weights = seed_weights(told, found[found >= 0], len(record["classes"]))
    return fit_temperature(np.concatenate(said), told, weights)


def _outcome(graph: Any, signal: Any, record: Mapping[str, Any]) -> NDArray[np.float32]:
    """Scores of the last column, from other seeds: the limit, or as many iterations."""
    params, last = record["params"], float(record["iterations"][-1])
    how: dict[str, Any] = {"method": "direct"}
    if np.isfinite(last):
        if last == 0:
            return np.asarray(signal.toarray())
        how = {"tol": 0, "max_iter": int(last), "iterations": [int(last)], "limit": False}
    return propagate(
        graph,
        signal,
        alpha=float(params["alpha"]),
        clamp=str(params["clamp"]),  # type: ignore[arg-type]
        normalization=str(params["normalization"]),  # type: ignore[arg-type]
        symmetrize=bool(params["symmetrize"]),
        **how,
    ).scores
