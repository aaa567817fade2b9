"""What each phase of `label_propagation` takes at most, known before the first one starts.

Bytes a weight, or a cell and class, as in `_peak`; `tests/tl/test_phases.py` holds them against
what the system says of the process. Only elimination, for graphs that are long or flat, depends on
more than sizes: on the pattern of the graph.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim._memory import SHARE, free_bytes, require
from scanpy_anim.tl._choice import classes_together
from scanpy_anim.tl._peak import (
    MEAN,
    Peak,
    decision_bytes,
    index_bytes_of,
    mean_bytes,
)

if TYPE_CHECKING:
    from anndata import AnnData

    from scanpy_anim.tl._options import Options

# of a way that ends by itself, columns that there have to be room for
_FEWEST = 3


def require_phases(
    adata: AnnData,
    graph: Any,
    n_classes: int,
    options: Options,
    *,
    searches: bool,
    prior: Any,
    copy: bool,
) -> Options:
    """Refuse a call of which some phase does not fit, before any work.

    Returns the options, which leave room for a copy beside a history of unknown length.

    Raises
    ------
    MemoryError
        Names the phase, what it takes and what is free.
    """
    n_weights, free = getattr(graph, "nnz", None), free_bytes()
    if n_weights is None or free is None:
        return options  # the graph stays on the disk, or the system does not tell
    copied = _size_of_copy(adata) if copy else 0
    phases = _foreseen(
        adata.n_obs,
        int(n_weights),
        n_classes,
        options,
        index_bytes=index_bytes_of(graph),
        searches=searches,
        prior=prior is not None,
        n_features=_count_features(adata, prior),
        copied=copied,
    )
    name, size = max(phases.items(), key=lambda phase: phase[1])
    if name == _RUN and size > SHARE * free:
        raise Peak.of(adata.n_obs, int(n_weights), n_classes, options).too_large(
            options.most_columns, free
        )
    require(name, size, free)
    return replace(options, reserved=copied)


def require_search(
    adata: AnnData,
    graph: Any,
    n_classes: int,
    options: Options,
    *,
    asked: str,
    prior: Any,
    keep: bool = False,
) -> None:
    """Refuse to hold out seeds of a stored run where one propagation more does not fit.

    With `keep` shares of all cells stay in memory.

    Raises
    ------
    MemoryError
        Names what was `asked` for, what it takes and what is free.
    """
    n_weights, free = getattr(graph, "nnz", None), free_bytes()
    if n_weights is None or free is None:
        return
    sizes = (adata.n_obs, int(n_weights), n_classes, options)
    features = _count_features(adata, prior)
    phases = _foreseen(*sizes, prior=prior is not None, n_features=features)
    # labels and shares of all cells meanwhile
    held = adata.n_obs * (8 * (n_classes + 1) + 4 * keep * n_classes)
    require(asked, max(phases.values()) + held, free)


_RUN = "propagating"
# cells of a view by which its size is told
_SAMPLE = 1000


def _foreseen(
    n_obs: int,
    n_weights: int,
    n_classes: int,
    options: Options,
    *,
    index_bytes: int = 4,
    searches: bool = False,
    prior: bool = False,
    n_features: int = 0,
    copied: int = 0,
) -> dict[str, int]:
    """Bytes that each phase takes at its peak, with all that is held meanwhile."""
    held, phases = 0, {}
    if options.symmetrize:
        each = 4 + index_bytes
        phases[MEAN] = mean_bytes(n_obs, n_weights, index_bytes)
        n_weights *= 2
        held = each * n_weights + index_bytes * n_obs
    if searches:
        phases["alpha='auto'"] = held + _search(n_obs, n_weights, n_classes, options)
    extra = 0
    if prior:
        solved = Peak.of(n_obs, n_weights, 2 * n_classes, replace(options, limit=True, max_iter=0))
        phases["prior="] = max(
            n_obs * max(9 * n_features, 16 * n_features + 16 * n_classes),
            # what features predict, beside them, while it is corrected
            held + n_obs * (8 * n_features + 24 * n_classes) + solved.work + solved.column,
        )
        # the prior itself, and a signal in every cell
        extra = 16 * n_obs * n_classes
    peak = Peak.of(n_obs, n_weights, n_classes, options)
    columns = options.most_columns if options.tol == 0 else min(options.most_columns, _FEWEST)
    kept = held + extra + columns * peak.column
    phases[_RUN] = kept + peak.work
    if copied:
        phases["copy=True"] = kept + copied + decision_bytes(n_obs, n_classes)
    return phases


def _search(n_obs: int, n_weights: int, n_classes: int, options: Options) -> int:
    """Count folds side by side, and with hard clamping one after the other."""
    few = replace(options, limit=False, tol=0.0, max_iter=30, kept=(30,), history="scores")
    width = classes_together(n_classes)
    soft, hard = (Peak.of(n_obs, n_weights, n, few) for n in (width, n_classes))
    scores = 4 * n_obs * width  # of the last candidate, while the next one is tried
    return scores + max(soft.column + soft.work, hard.column + hard.work + hard.column)


def _size_of_copy(adata: AnnData) -> int:
    """Bytes that a copy takes; of a view anndata cannot tell, and some of its cells do."""
    if not adata.is_view:
        return sys.getsizeof(adata)
    n_obs = adata.n_obs
    some = np.unique(np.linspace(0, n_obs - 1, _SAMPLE).astype(np.intp))
    sample, none = (sys.getsizeof(adata[cells].copy()) for cells in (some, some[:0]))
    pairs = sum(_bytes_of(adata.obsp[name]) for name in adata.obsp)
    return int(none + (sample - none) * (n_obs / max(len(some), 1)) + pairs)


def _bytes_of(matrix: Any) -> int:
    """Bytes of a matrix over pairs of cells, of which a few cells cannot tell."""
    parts = [getattr(matrix, name, None) for name in ("data", "indices", "indptr")]
    sizes = [int(part.nbytes) for part in parts if isinstance(part, np.ndarray)]
    return sum(sizes) if len(sizes) == 3 else int(getattr(matrix, "nbytes", 0))


def _count_features(adata: AnnData, prior: Any) -> int:
    if not isinstance(prior, str):
        return 0
    if prior == "X":
        return adata.n_vars
    shape = getattr(adata.obsm.get(prior), "shape", (0, 0))
    return int(shape[1]) if len(shape) == 2 else 0
