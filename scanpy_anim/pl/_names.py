"""Columns of obs and genes, by their names."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import scanpy as sc
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from scanpy_anim._accessors import CellValues
from scanpy_anim._cells import native
from scanpy_anim._checks import MissingKeyError, listed, nearest, text
from scanpy_anim._compat import boolean_categories, layer_names
from scanpy_anim._lazy import gene, plain
from scanpy_anim.pl._columns import floats, from_columns
from scanpy_anim.pl._palette import known_colors
from scanpy_anim.pl._source import Continuous

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from anndata import AnnData

    from scanpy_anim.pl._source import Source


def source_of_names(
    adata: AnnData,
    names: Sequence[str | CellValues],
    *,
    match: bool | Literal["auto"] = "auto",
    **genes: Any,
) -> Source:
    """Make a source of columns of obs and genes, a frame each."""
    use_raw, layer = genes.get("use_raw"), genes.get("layer")
    symbols = genes.get("gene_symbols")
    if use_raw is None:
        use_raw = layer is None and adata.raw is not None
    _check_genes(adata, use_raw=use_raw, layer=layer, symbols=symbols)
    spelled = [n for n in names if isinstance(n, str)]
    keys = {name: _key(adata, name, symbols) for name in spelled}
    _check_names(adata, keys, use_raw=use_raw, symbols=symbols)
    labels = [n if isinstance(n, str) else n.name for n in names]
    title = labels[0] if len(names) == 1 else f"{labels[0]} … {labels[-1]}"
    read = partial(_column, adata, keys=keys, layer=layer, use_raw=use_raw)
    if _numeric_elsewhere(adata, names, keys):
        numbers = lru_cache(maxsize=2)(lambda i: floats(read(names[i]), i))
        return Continuous(title, len(names), numbers, labels=labels)
    columns, palettes = [], []
    for name in names:
        column = read(name)
        columns.append(column)
        in_obs = isinstance(name, str) and name in adata.obs and f"{name}_colors" in adata.uns
        known: list[str] = []
        if in_obs:
            known = [str(c) for c in column.astype("category").cat.categories]
            known = boolean_categories(known) if is_bool_dtype(column.dtype) else known
        palettes.append(known_colors(adata, str(name), known) if in_obs else {})
    return from_columns(title, columns, labels=labels, palettes=palettes, match=match)


def _column(
    adata: AnnData,
    name: str | CellValues,
    *,
    keys: Mapping[str, str],
    layer: str | None,
    use_raw: bool,
) -> pd.Series:
    """Read one column of obs, or one gene."""
    if isinstance(name, CellValues):
        return name.read(adata)
    key = keys[name]
    if key in adata.obs:
        return native(adata.obs[key])
    if plain(adata) is adata:
        return sc.get.obs_df(adata, keys=[key], layer=layer, use_raw=use_raw).iloc[:, 0]
    return gene(adata, key, layer, use_raw=use_raw)


def _numeric_elsewhere(
    adata: AnnData, names: Sequence[str | CellValues], keys: Mapping[str, str]
) -> bool:
    """Whether all are numbers that are in no memory yet: then a frame is read when it is shown."""
    if plain(adata) is adata:
        return False
    in_obs = [keys[n] for n in names if isinstance(n, str) and keys[n] in adata.obs]
    dtypes = [adata.obs.dtypes[key] for key in in_obs]
    return all(is_numeric_dtype(dtype) and not is_bool_dtype(dtype) for dtype in dtypes)


def _check_genes(adata: AnnData, *, use_raw: bool, layer: str | None, symbols: str | None) -> None:
    """Refuse layers and gene symbols that are not there."""
    if use_raw and layer is not None:
        raise ValueError(f"use_raw=True, layer={layer!r}: genes come from one of the two.")
    if use_raw and adata.raw is None:
        raise ValueError("use_raw=True: adata.raw is None.")
    for name, asked in (("layer", layer), ("gene_symbols", symbols)):
        if asked is not None:
            text(name, asked)
    layers = layer_names(adata)
    if layer is not None and layer not in layers:
        raise MissingKeyError(
            f"layer={layer!r} is not in adata.layers.{nearest(layer, layers)} "
            f"There are {listed(layers)}."
        )
    if symbols is not None and symbols not in adata.var:
        raise MissingKeyError(
            f"gene_symbols={symbols!r} is no column of adata.var.{nearest(symbols, adata.var)} "
            f"There are {listed(adata.var)}."
        )


def _key(adata: AnnData, name: str, symbols: str | None) -> str:
    """Return the gene with the symbol `name`, found in `adata.var` also for raw, as in scanpy."""
    if symbols is None or name in adata.obs or name in adata.var_names:
        return name
    return str(next(iter(adata.var_names[adata.var[symbols] == name]), name))


def _check_names(
    adata: AnnData, keys: Mapping[str, str], *, use_raw: bool, symbols: str | None
) -> None:
    """Refuse names that are neither columns nor genes."""
    known = set((adata.raw.var if use_raw else adata.var).index)
    names = list(keys)
    missing = [n for n, key in keys.items() if n not in adata.obs and key not in known]
    if not missing:
        return
    name = missing[0]
    if name == "label_propagation" and len(names) == 1:
        raise MissingKeyError(
            "color='label_propagation' is not in adata.obsm; "
            f"there: {listed(candidates(adata))}. Run sca.tl.label_propagation(adata, seeds) first."
        )
    genes = known if symbols is None else adata.var[symbols]
    everything = [*adata.obsm, *adata.obs.columns, *map(str, genes)]
    raise MissingKeyError(
        f"color: {name!r} is no key of adata.obsm, no column of adata.obs and no gene."
        f"{nearest(name, everything)} In obsm: {listed(candidates(adata))}; "
        f"in obs: {listed(adata.obs.columns)}. Scores come from sca.tl.label_propagation."
    )


def candidates(adata: AnnData) -> list[str]:
    """List the keys of obsm that look like frames rather than an embedding."""
    return [k for k, v in adata.obsm.items() if not k.startswith("X_") and np.ndim(v) >= 2]
