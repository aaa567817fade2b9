"""Every spelling of `seeds`: from what a scanpy user writes to a signal with class names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from scanpy_anim._cells import align, empty, is_mask, native, read_cells
from scanpy_anim._checks import MissingKeyError, is_finite, require_finite, require_own_memory
from scanpy_anim._table import as_series
from scanpy_anim.tl._advice import doubts_about_cells, doubts_about_classes
from scanpy_anim.tl._seed_labels import from_labels, read_labels
from scanpy_anim.tl._signal import Seeds, from_matrix, one_class, require_distinct
from scanpy_anim.tl._unlabeled import plain_values

if TYPE_CHECKING:
    from anndata import AnnData

    from scanpy_anim._cells import Cells


def resolve_seeds(adata: AnnData, seeds: Any, unlabeled: Any = None) -> Seeds:
    """Signal and class names meant by `seeds`; see :func:`label_propagation`."""
    seeds = as_series(seeds)
    require_own_memory(seeds, "seeds")
    seeds, unlabeled = native(seeds), plain_values(unlabeled)
    if isinstance(seeds, np.ndarray) and seeds.ndim == 0:
        seeds = seeds.item()
    labels = read_labels(adata, seeds, unlabeled)
    if labels is not None:
        return from_labels(labels, unlabeled)
    if unlabeled is not None:
        raise ValueError(
            f"unlabeled={unlabeled!r} goes with a label for each cell: an obs column, a "
            f"Categorical, a Series or an array. These seeds ({type(seeds).__name__}) name cells, "
            "and all others have no label"
        )
    if isinstance(seeds, str):
        cells = read_cells(adata.obs_names, adata.obs[seeds], name=f"seeds={seeds!r}")
        return _of_one_class(adata, cells, seeds)
    return _from_cells(adata, seeds)


def _from_cells(adata: AnnData, seeds: Any) -> Seeds:
    """Cells of one class, of several, or a signal."""
    obs_names = adata.obs_names
    if isinstance(seeds, np.ma.MaskedArray) and seeds.ndim == 2:
        seeds = seeds.filled(0)
    if sparse.issparse(seeds):
        # before the mappings, which some sparse formats are too; some have one dimension
        return from_matrix(obs_names, seeds if seeds.ndim == 2 else seeds.reshape(-1, 1), None)
    if isinstance(seeds, Mapping):
        if seeds and all(isinstance(value, Real) for value in seeds.values()):
            _require_cells(obs_names, seeds)
            return _of_one_class(adata, read_cells(obs_names, seeds))
        return _from_mapping(adata, seeds)
    if isinstance(seeds, pd.DataFrame):
        frame = align(obs_names, _numbers(seeds), "seeds").fillna(0)
        return _named_classes(obs_names, frame.to_numpy(np.float64), tuple(map(str, seeds.columns)))
    if isinstance(seeds, np.ndarray) and seeds.ndim == 2:
        return from_matrix(obs_names, seeds, None)
    return _of_one_class(adata, read_cells(obs_names, seeds))


def _of_one_class(adata: AnnData, cells: Cells, spelling: str | None = None) -> Seeds:
    seeds = one_class(cells, spelling)
    return replace(seeds, doubts=doubts_about_cells(seeds.positions, seeds.signal, adata.n_obs))


def _named_classes(obs_names: pd.Index, signal: Any, names: tuple[str, ...]) -> Seeds:
    """Signal of classes that have names, of which some may mean none."""
    seeds = from_matrix(obs_names, signal, names)
    counts = np.count_nonzero(seeds.signal, axis=0)
    doubts = doubts_about_classes(seeds.classes, counts, len(obs_names))
    return replace(seeds, doubts=seeds.doubts + doubts)


def _from_mapping(adata: AnnData, seeds: Mapping[Any, Any]) -> Seeds:
    if not seeds:
        raise empty("seeds")
    names = [str(name) for name in seeds]
    require_distinct(names, "seeds")
    _require_classes(adata.obs_names, seeds)
    of_class = []
    for name, cells in seeds.items():
        if isinstance(cells, str) and cells in adata.obs:
            cells = adata.obs[cells]
            if not is_mask(cells):
                raise TypeError(
                    f"seeds[{name!r}] names the obs column {cells.name!r}, which is not boolean"
                )
        of_class.append(read_cells(adata.obs_names, cells, name=f"seeds[{name!r}]"))
    rows = np.concatenate([cells.positions for cells in of_class])
    columns = np.repeat(np.arange(len(names)), [len(cells.positions) for cells in of_class])
    weights = np.concatenate([cells.weights for cells in of_class])
    shape = (adata.n_obs, len(names))
    signal = sparse.csr_array((weights, (rows, columns)), shape=shape)
    return _named_classes(adata.obs_names, signal, tuple(names))


def _require_cells(obs_names: pd.Index, weights: Mapping[Any, Any]) -> None:
    """Tell those who wrote `{class: position}` what `{cell: weight}` looks like."""
    names = [name for name in weights if isinstance(name, str)]
    if len(names) < len(weights) or obs_names.isin(names).any():
        return
    advice = "names or positions in a list, such as seeds={'A': [0, 1]}"
    if all(is_finite(value) and value % 1 == 0 for value in weights.values()):
        classes = {name: [int(value)] for name, value in list(weights.items())[:3]}
        advice = f"a list: seeds={classes}"
    raise MissingKeyError(
        f"seeds: a mapping to numbers is {{cell: weight}}, and none of {names[:3]} is in "
        f"adata.obs_names. Cells of a class are {advice}"
    )


def _require_classes(obs_names: pd.Index, seeds: Mapping[Any, Any]) -> None:
    """Tell those who wrote `{cell: class}` how that is passed."""
    swapped = all(isinstance(value, str) for value in seeds.values())
    if (
        swapped
        and obs_names.isin(list(seeds)).any()
        and not obs_names.isin([*seeds.values()]).any()
    ):
        raise TypeError(
            "seeds: a mapping is {class: cells}, and this one goes from cells to classes: pass "
            "pandas.Series(seeds)"
        )


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Refuse what a signal cannot hold before absent cells are filled in."""
    require_distinct([str(column) for column in frame.columns], "the columns of seeds")
    kinds = [c for c in frame if not pd.api.types.is_numeric_dtype(frame[c].dtype)]
    if kinds:
        raise TypeError(f"seeds: columns {kinds[:5]} of the DataFrame are not numeric")
    values = frame.to_numpy(np.float64, na_value=np.nan)
    require_finite(values, "seeds")
    return pd.DataFrame(values, frame.index, frame.columns)
