"""A label a cell, as a column or a Series has it: from labels to seeds, and what looks wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from scanpy_anim._cells import align, is_mask, native
from scanpy_anim._checks import MissingKeyError, is_number, nearest, require_own_memory
from scanpy_anim.tl._advice import doubts_about_labels
from scanpy_anim.tl._peak import require_room
from scanpy_anim.tl._signal import Seeds, require_distinct
from scanpy_anim.tl._unlabeled import without_label

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray

# categories that a message lists
_SHOWN = 20


@dataclass(frozen=True, eq=False)
class _Labels:
    """A label a cell: what a column says, or a Series or an array like one.

    Attributes
    ----------
    values
        Of each cell, in the order of adata.
    name
        What to call it in a message: the column, or "seeds".
    wanted
        The only values to take; `None`: all.
    colors
        Of the categories.
    is_column
        Whether it is a column of obs.
    """

    values: pd.Series
    name: str = "seeds"
    wanted: Sequence[Any] | None = None
    colors: Any = None
    is_column: bool = False


def read_labels(adata: AnnData, seeds: Any, unlabeled: Any) -> _Labels | None:
    """Labels that `seeds` are or name; `None` where they are cells or a signal."""
    if isinstance(seeds, str):
        return _of_column(adata, seeds, None, unlabeled)
    if isinstance(seeds, tuple) and len(seeds) == 2 and _names_column(adata, seeds):
        single = isinstance(seeds[1], str | bool | np.bool_ | Real)
        return _of_column(adata, seeds[0], [seeds[1]] if single else list(seeds[1]), unlabeled)
    if isinstance(seeds, pd.Index):
        return None
    if isinstance(seeds, pd.Categorical):
        if len(seeds) != adata.n_obs and pd.Series(seeds).isin(adata.obs_names).all():
            return None  # names of cells, as a column of a table has them
        return _Labels(_by_position(adata, seeds))
    if isinstance(seeds, pd.Series):
        return _of_series(adata, seeds, unlabeled)
    if sparse.issparse(seeds) or isinstance(seeds, Mapping | pd.DataFrame | set | frozenset):
        return None
    return _of_array(adata, seeds, unlabeled)


def _names_column(adata: AnnData, seeds: tuple[Any, Any]) -> bool:
    column, wanted = seeds
    if not isinstance(column, str):
        return False
    if isinstance(wanted, str | bool | np.bool_ | Real):
        return column in adata.obs and wanted not in adata.obs_names
    return isinstance(wanted, Iterable)


def _of_column(
    adata: AnnData, column: str, wanted: Sequence[Any] | None, unlabeled: Any
) -> _Labels | None:
    if column not in adata.obs:
        raise MissingKeyError(_no_column(adata, column))
    values = native(adata.obs[column])
    require_own_memory(values, f"adata.obs[{column!r}]")
    asked = wanted is not None or unlabeled is not None
    if is_mask(values) and not asked:
        return None
    if not values.notna().any():
        raise ValueError(f"seeds={column!r} is empty: every cell's label is missing")
    if pd.api.types.is_numeric_dtype(values.dtype) and not is_mask(values):
        if not asked and not _ends_at_minus_one(values):
            raise TypeError(
                f"seeds={column!r} is a column of numbers ({values.dtype}). For a class per value "
                f"run `{_as_labels(column, values)}`; for a signal pass seeds=adata.obs[{column!r}]"
            )
        values = _whole(values)
    return _Labels(values, column, wanted, adata.uns.get(f"{column}_colors"), is_column=True)


def _of_series(adata: AnnData, seeds: pd.Series, unlabeled: Any) -> _Labels | None:
    """Labels aligned on the index; a short Series without names lists cells."""
    numbers = pd.api.types.is_numeric_dtype(seeds.dtype) or is_mask(seeds)
    if numbers and unlabeled is None and not _are_labels(seeds):
        return None
    if len(seeds) != adata.n_obs and not seeds.index.isin(adata.obs_names).any():
        return None
    return _Labels(_whole(align(adata.obs_names, seeds, "seeds")))


def _of_array(adata: AnnData, seeds: Any, unlabeled: Any) -> _Labels | None:
    """Whole numbers from -1, a label for each cell as in scikit-learn; or any, if told so.

    Names are where some are missing, and they are none of cells.
    """
    if not isinstance(seeds, Sequence | np.ndarray | pd.api.extensions.ExtensionArray):
        return None
    dtype = getattr(seeds, "dtype", None)
    if getattr(dtype, "kind", "") == "V":
        raise TypeError(f"seeds is a structured array ({dtype}): choose one of its fields")
    if len(seeds) != adata.n_obs or pd.api.types.is_list_like(seeds[0]):
        return None
    if _masks_whole(seeds):
        masked: Any = seeds
        seeds = masked.astype(np.int64).filled(-1)  # unsigned ones have no -1
    values = pd.Series(seeds)
    if unlabeled is None and not (_are_labels(values) or _name_classes(values, adata.obs_names)):
        return None
    return _Labels(_by_position(adata, _whole(values)))


def _name_classes(values: pd.Series, obs_names: pd.Index) -> bool:
    """Whether names with gaps are those of classes: cells would have none."""
    known = values.dropna()
    named = 0 < len(known) < len(values) and all(isinstance(name, str) for name in known)
    return named and not known.isin(obs_names).any()


def _masks_whole(seeds: Any) -> bool:
    return isinstance(seeds, np.ma.MaskedArray) and seeds.dtype.kind in "iu"


def _by_position(adata: AnnData, values: Any) -> pd.Series:
    if len(values) != adata.n_obs:
        raise ValueError(f"seeds label {len(values)} cells, but there are {adata.n_obs}")
    return pd.Series(values.array if isinstance(values, pd.Series) else values, adata.obs_names)


def _are_labels(values: pd.Series) -> bool:
    """Whether numbers are labels as scikit-learn has them, and neither positions nor a signal.

    Floats may be a signal of both signs, unless most of them are -1: most cells are no seeds.
    """
    if len(values) < 2 or not _ends_at_minus_one(values):
        return False
    values = values.infer_objects()
    known = values.dropna()
    gaps = len(known) < len(values)
    return not pd.api.types.is_float_dtype(values.dtype) or gaps or bool((known == -1).mean() > 0.5)


def _ends_at_minus_one(values: pd.Series) -> bool:
    """Whether numbers are whole, -1 being the smallest: -1 where there is no label."""
    if values.dtype == object:
        values = values.infer_objects()
    values = _whole(values)
    if not pd.api.types.is_integer_dtype(values.dtype):
        return False
    known = values.dropna()
    return len(known) > 0 and int(known.min()) == -1


def _whole(values: pd.Series) -> pd.Series:
    """Numbers that would be whole but for missing ones, as whole numbers: 1 rather than 1.0."""
    if not pd.api.types.is_float_dtype(values.dtype):
        return values
    known = values.dropna().to_numpy(np.float64)
    # the remainder of infinity is no number
    fits = bool((np.abs(known) < 2**53).all()) and bool((known % 1 == 0).all())
    return values.astype("Int64") if fits else values


def _as_labels(column: str, values: pd.Series) -> str:
    """Statement that makes a class of each number, and none of missing ones."""
    whole = _whole(values)
    way = ".astype('Int64')" if whole.dtype != values.dtype else ""
    return f"adata.obs[{column!r}] = adata.obs[{column!r}]{way}.astype('category')"


def _no_column(adata: AnnData, column: str) -> str:
    if column in adata.obs_names:
        return f"seeds={column!r} is a cell, not an obs column: pass seeds=[{column!r}]"
    usable = [
        name
        for name, dtype in adata.obs.dtypes.items()
        if not pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)
    ]
    return (
        f"seeds={column!r} is not a column of adata.obs.{nearest(column, map(str, adata.obs))} "
        f"Categorical, string and boolean columns: {usable or 'none'}. A list means cells: "
        "seeds=[...]"
    )


def from_labels(labels: _Labels, unlabeled: Any) -> Seeds:
    values = labels.values
    if not isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype("category")
    names = [str(category) for category in values.cat.categories]
    require_distinct(names, f"the categories of {labels.name!r}")
    codes = values.cat.codes.to_numpy()
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    labelled = np.ones(len(names), dtype=bool)
    categories = values.cat.categories
    doubts: tuple[str, ...] = ()
    if unlabeled is not None:
        found, doubts = without_label(categories, names, unlabeled, labels.name)
        labelled[found] = False
    if labels.wanted is None and _ends_at_minus_one(labels.values) and unlabeled != []:
        # whatever else means no label
        labelled[without_label(categories, names, -1, labels.name)[0]] = False
    if labels.wanted is None:
        chosen = np.flatnonzero((counts > 0) & labelled)
    else:
        chosen = _choose(categories, names, (counts > 0) & labelled, labels.wanted, labels.name)
    if not len(chosen):
        why = "every cell's label is missing" if labels.wanted is None else "no category is named"
        raise ValueError(f"seeds={labels.name!r} is empty: {why}")
    seeds = _of_codes(codes, names, chosen, labels)
    if labels.wanted:
        return replace(seeds, doubts=doubts)
    told = f"seeds={labels.name!r}" if labels.is_column else "seeds"
    doubts += doubts_about_labels(told, names, counts, chosen, len(codes), unlabeled)
    return replace(seeds, doubts=doubts)


def _of_codes(
    codes: NDArray[np.integer], names: list[str], chosen: NDArray[np.int64], labels: _Labels
) -> Seeds:
    """Signal of the cells whose code is chosen."""
    rank = np.full(len(names) + 1, -1)
    rank[chosen] = np.arange(len(chosen))
    of_cell = rank[codes]
    positions = np.flatnonzero(of_cell >= 0)
    require_room(len(positions), len(chosen))
    signal = np.zeros((len(positions), len(chosen)), dtype=np.float32)
    signal[np.arange(len(positions)), of_cell[positions]] = 1
    spelling: str | tuple[str, ...] | None = labels.name if labels.is_column else None
    if labels.is_column and labels.wanted is not None:
        spelling = (labels.name, *(names[c] for c in chosen))
    several = len(chosen) > 1
    known = several and labels.colors is not None and len(labels.colors) == len(names)
    return Seeds(
        positions,
        signal,
        classes=tuple(names[c] for c in chosen) if several else (),
        colors=tuple(str(labels.colors[c]) for c in chosen) if known else (),
        spelling=spelling,
    )


def _choose(
    categories: pd.Index,
    names: list[str],
    present: NDArray[np.bool_],
    wanted: Sequence[Any],
    column: str,
) -> NDArray[np.int64]:
    by_name = {name: number for number, name in enumerate(names)}
    # 1 and 1.0 are the same label, True is another
    by_value = {value: n for n, value in enumerate(categories) if is_number(value)}
    found = [
        by_value.get(value, by_name.get(str(value)))
        if is_number(value)
        else by_name.get(str(value))
        for value in wanted
    ]
    unknown = [str(value) for value, number in zip(wanted, found, strict=True) if number is None]
    if unknown:
        more = f", … ({len(names):,} in all)" if len(names) > _SHOWN else ""
        raise MissingKeyError(
            f"seeds: {column!r} has no category {unknown[:5]}; it has {names[:_SHOWN]}{more}."
            f"{nearest(unknown[0], names)}"
        )
    chosen = np.array(found, dtype=np.int64)
    require_distinct([names[c] for c in chosen], "seeds")
    without = [names[c] for c in chosen if not present[c]]
    if without:
        raise ValueError(f"seeds: no cell of {column!r} is in {without[:5]}")
    return np.sort(chosen)
