"""What the cells' own features say of their class, corrected and smoothed on the graph.

Correct and Smooth (Huang, He, Singh, Lim and Benson, ICLR 2021), from any base prediction `Z`:

1. what it gets wrong at the seeds, `E = Y - Z` there and 0 elsewhere, is propagated,
   `E_t = alpha S E_(t-1) + (1 - alpha) E`, and its limit added to `Z` (correct);
2. the outcome, with the seeds' own labels in their place, is propagated in turn (smooth).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from scanpy_anim._cells import align
from scanpy_anim._checks import MissingKeyError, listed, nearest, require_finite
from scanpy_anim._table import is_elsewhere
from scanpy_anim.tl._propagation import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData
    from numpy.typing import NDArray

    from scanpy_anim.tl._options import Options
    from scanpy_anim.tl._signal import SeedTable

# of the neighbours against the cell itself, where the call leaves it open
PRIOR_ALPHA = 0.8
# how `params` spells probabilities that were passed; they are stored in `obsm[key + "_prior"]`
GIVEN = "given"


def resolve_prior(adata: AnnData, prior: Any, classes: Sequence[str]) -> NDArray[np.float64]:
    """Probabilities `(n_obs, n_classes)`, or the features behind a name, checked either way."""
    if isinstance(prior, str):
        return read_features(adata, prior)
    if isinstance(prior, pd.DataFrame):
        prior = _in_order(align(adata.obs_names, prior, "prior"), classes)
    values = _as_array(prior)
    wanted = (adata.n_obs, len(classes))
    if values.shape != wanted:
        raise ValueError(
            f"prior of shape {values.shape} must be {wanted}, a column for each of the classes "
            f"{listed(classes)}; or name a representation such as 'X_pca'"
        )
    if values.dtype.kind not in "biuf":
        raise TypeError(f"prior of dtype {values.dtype}: pass probabilities")
    values = values.astype(np.float64)
    require_finite(values, "prior")
    if (values < 0).any():
        raise ValueError(f"prior: probabilities are 0 or more, the smallest is {values.min():g}")
    # the largest becomes 1: the sum of a row fits, and its parts count, however large they are
    largest = values.max(axis=1, keepdims=True)
    np.divide(values, largest, out=values, where=largest > 0)
    total = values.sum(axis=1, keepdims=True)
    if not total.any():
        raise ValueError("prior is 0 everywhere")
    # cells of which nothing is known may be of any class
    return np.where(total > 0, values / np.where(total > 0, total, 1), 1 / len(classes))


def read_features(adata: AnnData, name: str) -> NDArray[np.float64]:
    """Features of the cells: `X`, or a representation in `obsm`."""
    if name != "X" and name not in adata.obsm:
        raise MissingKeyError(
            f"prior={name!r} is not in adata.obsm.{nearest(name, adata.obsm)} "
            f"There are {listed(adata.obsm)}; probabilities are passed as an array or DataFrame"
        )
    features = adata.X if name == "X" else adata.obsm[name]
    if features is None:
        raise MissingKeyError("prior='X': adata.X is empty")
    if is_elsewhere(features):
        raise ValueError(
            "prior='X': adata.X is not in memory, and all of it would be read. Name a "
            f"representation: prior='X_pca', say, of {listed(adata.obsm)}"
        )
    values = features.toarray() if sparse.issparse(features) else np.asarray(features)
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        raise ValueError(f"prior={name!r}: {values.dtype} of shape {values.shape} are no features")
    values = values.astype(np.float64)
    require_finite(values, f"prior={name!r}")
    return values


def regress(features: NDArray[np.float64], seeds: SeedTable) -> NDArray[np.float64]:
    """Class probabilities of every cell by multinomial logistic regression on the seeds.

    All features are scaled alike, so that those that vary most, as the first principal components
    do, count most.
    """
    from sklearn.linear_model import LogisticRegression

    known = features[seeds.positions]
    spread = features.std() or 1.0
    probability = np.zeros((len(features), seeds.n_classes))
    found = np.unique(seeds.classes)
    if len(found) == 1:
        probability[:, found] = 1
        return probability
    center = known.mean(axis=0)
    model = LogisticRegression(max_iter=1000).fit((known - center) / spread, seeds.classes)
    probability[:, model.classes_] = model.predict_proba((features - center) / spread)
    return probability


def correct(
    graph: sparse.csr_array,
    prior: NDArray[np.float64],
    seeds: SeedTable,
    options: Options,
    *,
    limit: bool = True,
) -> NDArray[np.float32]:
    """Signal to smooth: the prior plus what it gets wrong at seeds, propagated; seeds as told.

    To the limit, or with `limit=False` as far as the options say.
    """
    told = np.zeros((len(prior), seeds.n_classes))
    told[seeds.positions, seeds.classes] = seeds.weights
    cells = np.unique(seeds.positions)
    rows = told[cells] / told[cells].sum(axis=1, keepdims=True)
    wrong = rows - prior[cells]
    # several classes share cells out and may not be negative: what is missing is propagated beside
    both = np.hstack([np.maximum(wrong, 0), np.maximum(-wrong, 0)]).astype(np.float32)
    signal = prior.copy()
    some = both.any(axis=1)
    if some.any():
        solve = options
        if limit:
            solve = replace(options, kept=(0,), max_iter=0, limit=True, history="scores")
        scores = run(graph, cells[some], both[some], solve).scores.astype(np.float64)
        signal += scores[:, : seeds.n_classes] - scores[:, seeds.n_classes :]
    np.maximum(signal, 0, out=signal)
    total = signal.sum(axis=1, keepdims=True)
    np.divide(signal, total, out=signal, where=total > 0)
    signal[cells] = rows
    return signal.astype(np.float32)


def nonzero_rows(
    signal: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Cells with a signal, ascending, and their rows."""
    cells = np.flatnonzero(signal.any(axis=1)).astype(np.int64)
    return cells, signal[cells]


def _as_array(prior: Any) -> NDArray[Any]:
    """Dense array of what was passed; masked entries say nothing."""
    if sparse.issparse(prior):
        return np.asarray(prior.toarray())
    if isinstance(prior, np.ma.MaskedArray):
        return np.asarray(prior.filled(0))
    try:
        return np.asarray(prior)
    except ValueError as error:
        raise ValueError(f"prior is no table of probabilities: {error}") from None


def _in_order(table: pd.DataFrame, classes: Sequence[str]) -> NDArray[Any]:
    """Columns of a table in the order of the classes, which name them."""
    names = [str(column) for column in table.columns]
    missing = [name for name in classes if name not in names]
    further = [name for name in names if name not in classes]
    if missing or further or len(names) != len(classes):
        raise MissingKeyError(
            f"prior has columns {listed(names)}, but the classes are {listed(classes)}"
        )
    ordered = table.iloc[:, [names.index(name) for name in classes]]
    if all(pd.api.types.is_numeric_dtype(dtype) for dtype in ordered.dtypes):
        return ordered.to_numpy(np.float64, na_value=np.nan)
    return np.asarray(ordered)
