"""How a label propagation is stored under its key, and which keys it may take.

What is stored under `key` (`key_added`):

`obsm[key]`
    float32, C order, `(n_obs, n_frames)` for one class, `(n_obs, n_frames, n_classes)` for
    several.
`obs[key]`, `obs[key + "_confidence"]`, `obsm[key + "_proba"]`
    The outcome; the last two for several classes only. Written by `assign_labels`.
`obsm[key + "_confidence"]`, `obsm[key + "_scores"]`
    With `history="labels"` only, where `obsm[key]` holds integer codes `(n_obs, n_frames)`:
    float32 share of the winner, of the same shape, and float32 scores `(n_obs, n_classes)` of
    the last column.
`uns[key]`
    `params`
        Arguments of the call that are not None; `seeds` when an obs column was named.
    `classes`
        Array of str, one a class; absent for one class.
    `seeds`
        `positions`: int array; `classes`: int array, index of the class of each position
        (0 for one class); `weights`: float array. A cell that seeds two classes is listed
        twice.
    `iterations`
        Float array, what each column of `obsm[key]` holds: 0 is the seed signal, `inf` the
        limit.
    `residuals`, `unreached`, `flips`
        One entry an iteration, the first one for iteration 1, kept or not; `flips` is absent
        for one class.
    `n_iter`, `converged`
        int, bool.
    `limit`
        `residual` and `n_iter` of the solver; absent without limit.
    `labels`, `temperature`
        How the labels were decided, see `assign_labels`; several classes only.
`uns[key + "_colors"]`
    Colors of the classes, when the seeds are a column that has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim._checks import text
from scanpy_anim._results import Result, SeedCells, is_ours, require_free
from scanpy_anim.tl._decide_labels import assign
from scanpy_anim.tl._prior import GIVEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anndata import AnnData
    from numpy.typing import NDArray

    from scanpy_anim.tl._options import History
    from scanpy_anim.tl._outcome import Propagation
    from scanpy_anim.tl._signal import Seeds
    from scanpy_anim.tl._start import Start

ALGORITHM = "label_propagation"


def params_of(
    arguments: Mapping[str, Any], others: Mapping[str, Any], seeds: Seeds, start: Start
) -> dict[str, Any]:
    """Arguments of the call as files can hold them, what was left open as it was chosen.

    `arguments` say how to propagate, `others` where things are and go.
    """
    chosen, prior, spelling = start.chosen, others["prior"], seeds.spelling
    iterations, unlabeled = arguments["iterations"], others["unlabeled"]
    params = {
        **arguments,
        "alpha": start.options.alpha,
        "clamp": start.options.clamp,
        "class_mass": None if chosen is None else start.options.class_mass,
        "chosen": None if chosen is None else chosen.storable(),
        "iterations": None if iterations is None else _storable(iterations),
        **{name: others[name] for name in ("neighbors_key", "obsp", "key_added")},
        "prior": None if prior is None else prior if isinstance(prior, str) else GIVEN,
        "unlabeled": None if unlabeled is None else _storable(unlabeled),
        "seeds": None if spelling is None else _storable(spelling),
        "history_store": None if others["history_store"] is None else str(others["history_store"]),
    }
    return {name: value for name, value in params.items() if value is not None}


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value
    array = np.array(value)
    # names, missing ones and numbers together are kept as names
    return array if array.dtype.kind in "biufU" else array.astype(str).astype(object)


def require_own_key(adata: AnnData, key: str, seeds: Seeds, history: History) -> None:
    """Never write over a column that is not ours."""
    if not text("key_added", key):
        raise ValueError("key_added='' is no name")
    spelled = seeds.spelling if isinstance(seeds.spelling, str) else (seeds.spelling or (None,))[0]
    if key == spelled:
        raise ValueError(f"key_added={key!r} is the column of the seeds: choose another name")
    ours = is_ours(adata, key, ALGORITHM)
    require_free(adata, key, ALGORITHM, _fields(key, seeds, history) if ours else _all_fields(key))


def store_run(
    adata: AnnData,
    key: str,
    outcome: Propagation,
    seeds: Seeds,
    params: dict[str, Any],
    graph: dict[str, Any],
    prior: NDArray[np.float64] | None,
) -> list[str]:
    """Write everything in one go, and say what."""
    rows, classes = np.nonzero(seeds.signal)
    several = seeds.n_classes > 1
    details: dict[str, Any] = {
        "graph": graph,
        "residuals": outcome.residuals,
        "unreached": outcome.unreached,
        "n_iter": outcome.n_iter,
        "converged": outcome.converged,
    }
    if several:
        details["flips"] = outcome.flips
    if outcome.limit is not None:
        details["limit"] = {
            "residual": outcome.limit_residual,
            "n_iter": outcome.limit_iterations,
            "converged": outcome.limit_converged,
        }
    result = Result(
        key,
        ALGORITHM,
        outcome.history,
        outcome.iterations,
        seeds.classes,
        seeds.colors,
        outcome.confidence,
        _scores_beside(outcome),
        SeedCells(seeds.positions[rows], classes, seeds.signal[rows, classes]),
        params,
        details=details,
    )
    also: dict[str, Any] = {}
    if not several:
        also[f"obs/{key}"] = np.ascontiguousarray(outcome.scores)
    if prior is not None:
        also[f"obsm/{key}_prior"] = prior.astype(np.float32)
    result.write(adata, also)
    kind = "labels" if result.holds_codes else "scores"
    added = [f"'{key}', {kind} (adata.obsm), {result.n_columns} frames"]
    added += assign(adata, key) if several else [f"'{key}', score (adata.obs)"]
    return [*added, f"'{key}', parameters (adata.uns)"]


def _scores_beside(outcome: Propagation) -> NDArray[np.float32] | None:
    """Scores of the last column to store where the history itself does not do for labels."""
    if outcome.label_scores is not None:
        return outcome.label_scores
    return None if outcome.confidence is None else outcome.scores


def _fields(key: str, seeds: Seeds, history: History) -> list[str]:
    """Fields of such a run, those that it may do without included."""
    fields = [f"obs/{key}", f"obsm/{key}", f"obsm/{key}_seeds"]
    if seeds.n_classes > 1:
        fields += [f"obs/{key}_confidence", f"obsm/{key}_proba", f"obsm/{key}_scores"]
        fields += [f"obsm/{key}_prior"]
    if history == "labels":
        fields += [f"obsm/{key}_confidence"]
    return fields


def _all_fields(key: str) -> list[str]:
    """Fields of any run."""
    of_cells = [f"obs/{key}{suffix}" for suffix in ("", "_confidence", "_set_size")]
    suffixes = ("", "_proba", "_confidence", "_scores", "_seeds", "_set", "_prior")
    of_tables = [f"obsm/{key}{suffix}" for suffix in suffixes]
    return of_cells + of_tables
