"""Every spelling of `color`: what is read from the AnnData, a source of frames per panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scanpy_anim._compat import layer_names
from scanpy_anim._names import MissingKeyError, listed, nearest
from scanpy_anim.pl import _propagated
from scanpy_anim.pl._source import (
    Continuous,
    Once,
    Source,
    columns_of,
    floats,
    from_arrays,
    from_columns,
    is_categorical,
)

if TYPE_CHECKING:
    from anndata import AnnData

Color = str | Sequence[str] | Sequence[NDArray] | NDArray | Callable[[int], NDArray]


def sources(
    adata: AnnData,
    color: Any,
    *,
    n_frames: int | None = None,
    classes: str | Sequence[str] | None = None,
    **genes: Any,
) -> list[Source]:
    """Read `color`; one source of frames per panel.

    Parameters
    ----------
    adata
        Annotated data.
    color, n_frames, classes
        As in `animate_embedding`.
    genes
        `layer`, `use_raw`, `gene_symbols`: where a gene's values come from.

    Raises
    ------
    KeyError, TypeError, ValueError
        Naming the argument, its value and what exists instead.
    """
    _check_n_frames(color, n_frames)
    names = _names(color, adata.n_obs)
    of_obsm = [name in adata.obsm for name in names]
    if classes is not None and not (of_obsm and all(of_obsm)):
        raise ValueError(
            f"classes={classes!r} needs color to be the key of a result with several classes; "
            f"it is {color!r}."
        )
    if names and all(of_obsm):
        return [s for name in names for s in _of_obsm(adata, name, classes)]
    if any(of_obsm):
        inside = [n for n, there in zip(names, of_obsm, strict=True) if there]
        _of_names(adata, [n for n in names if n not in inside], **genes)  # are there such names?
        raise ValueError(
            f"color={color!r} mixes keys of adata.obsm ({listed(inside)}), a panel each, with "
            "columns or genes, a frame each. Make two films of them."
        )
    if names:
        return [_of_names(adata, names, **genes)]
    if callable(color):
        assert n_frames is not None
        return [_of_callable(color, n_frames, adata.n_obs)]
    if color is None:
        raise TypeError("color=None: the key of a result in adata.obsm, columns, genes or arrays.")
    return [_of_arrays(adata, color)]


def _check_n_frames(color: Any, n_frames: int | None) -> None:
    if callable(color) and n_frames is None:
        raise TypeError(
            "color is a function: n_frames=, how many frames to ask it for, is missing."
        )
    if not callable(color) and n_frames is not None:
        raise TypeError(
            f"n_frames={n_frames!r} goes with a function as color; here color is "
            f"{type(color).__name__} and brings its own number of frames."
        )
    whole = isinstance(n_frames, int | np.integer) and not isinstance(n_frames, bool)
    if n_frames is not None and not (whole and n_frames >= 1):
        raise ValueError(f"n_frames={n_frames!r}: a whole number, 1 or more.")


def _names(color: Any, n_obs: int) -> list[str]:
    """Return the names in `color`, empty where it holds no names."""
    import pandas as pd

    if isinstance(color, str):
        return [color]
    if isinstance(color, pd.Index | np.ndarray) and color.shape != (n_obs,):
        color = list(color)  # such as adata.var_names[:3]
    if isinstance(color, list | tuple) and color and all(isinstance(c, str) for c in color):
        return list(color)
    return []


def _of_obsm(adata: AnnData, key: str, classes: str | Sequence[str] | None) -> list[Source]:
    record = adata.uns.get(key)
    if isinstance(record, Mapping) and "iterations" in record:
        return _propagated.sources(adata, key, record, classes)
    values = adata.obsm[key]
    if 0 in values.shape[1:]:
        raise ValueError(f"color: {key!r} has shape {values.shape}, no frame to show.")
    if np.ndim(values) == 3:
        return _propagated.cube(adata, key, classes)
    if classes is not None:
        raise ValueError(
            f"classes={classes!r}: adata.obsm[{key!r}] holds a single class, "
            f"its shape is {values.shape}."
        )
    if hasattr(values, "iloc"):
        columns = [values.iloc[:, i] for i in range(values.shape[1])]
        return [from_columns(key, columns, labels=[str(c) for c in values.columns])]
    return [_of_matrix(key, values)]


def _of_matrix(name: str, values: Any) -> Source:
    """Make a source of a dense or sparse `(n_obs, n_frames)` matrix: a column is a frame."""
    if values.ndim == 2 and values.shape[1] == 0:
        raise ValueError(f"color: {name!r} has shape {values.shape}, no frame to show.")
    if hasattr(values, "tocsc"):
        columns = values.tocsc()
        return Continuous(
            name, columns.shape[1], lambda i: _floating(columns[:, [i]].toarray().ravel())
        )
    values = np.asarray(values)
    if values.ndim == 1:
        values = values[:, None]
    if values.dtype.kind in "biuf" and values.dtype != np.bool_:
        return Continuous(name, values.shape[1], columns_of(values))
    return from_arrays(name, list(values.T), values.shape[0])


def _floating(values: NDArray) -> NDArray[np.floating]:
    keep = values.dtype in (np.float32, np.float64)
    return np.ascontiguousarray(values, dtype=None if keep else np.float64)


def _of_callable(color: Callable[[int], object], n_frames: int, n_obs: int) -> Source:
    read = Once(color, n_obs)
    if not is_categorical(read(0)):
        return Continuous("color", n_frames, lambda i: _number(read(i), i))
    return from_arrays("color", [read(i) for i in range(n_frames)], n_obs)


def _number(values: Any, i: int) -> NDArray[np.floating]:
    """Return what a function gave for frame `i`, which has to be numbers as its first frame was."""
    if is_categorical(values) and values.dtype != np.bool_:
        raise TypeError(
            f"color(0) gave numbers, color({i}) gives {values.dtype}: one colour scale cannot show "
            "both. Make two films of them."
        )
    return floats(values, i)


def _of_arrays(adata: AnnData, color: Any) -> Source:
    """Make a source of an array or table, or of a list of arrays, a frame each."""
    n_obs = adata.n_obs
    if hasattr(color, "iloc") and color.ndim == 2:
        table = _aligned(adata, color)
        columns = [table.iloc[:, i] for i in range(table.shape[1])]
        return from_columns("color", columns, labels=[str(c) for c in table.columns])
    if hasattr(color, "tocsc") or (isinstance(color, np.ndarray) and color.dtype != object):
        if color.ndim > 2 or color.shape[0] != n_obs:
            raise ValueError(
                f"color is an array of shape {color.shape}; it should be ({n_obs}, n_frames)."
            )
        return _of_matrix("color", color)
    if hasattr(color, "dtype"):
        return from_arrays("color", [_aligned(adata, color)], n_obs)
    try:
        frames = list(color)
    except TypeError:
        raise TypeError(
            f"color={color!r}: a key of adata.obsm, a list of columns or genes, a list of "
            "arrays, an array, or a function of the frame's number."
        ) from None
    return from_arrays("color", [_aligned(adata, f) for f in frames], n_obs)


def _aligned(adata: AnnData, values: Any) -> Any:
    """Bring a Series or DataFrame into the order of the cells; anything else as it is."""
    import pandas as pd

    if not isinstance(values, pd.Series | pd.DataFrame) or values.index.equals(adata.obs_names):
        return values
    if isinstance(values.index, pd.RangeIndex) and len(values) == adata.n_obs:
        return values
    if not adata.obs_names.isin(values.index).all() or not values.index.is_unique:
        raise ValueError(
            f"color: the index of a {type(values).__name__} with {len(values)} rows does not hold "
            f"the names of the cells, each once: {listed(adata.obs_names[:3])}, …"
        )
    return values.reindex(adata.obs_names)


def _of_names(adata: AnnData, names: list[str], **genes: Any) -> Source:
    """Make a source of columns of obs and genes, a frame each."""
    import scanpy as sc

    use_raw, layer = genes.get("use_raw"), genes.get("layer")
    symbols = genes.get("gene_symbols")
    if use_raw is None:
        use_raw = layer is None and adata.raw is not None
    _check_genes(adata, use_raw=use_raw, layer=layer, symbols=symbols)
    keys = {name: _key(adata, name, symbols) for name in names}
    _check_names(adata, keys, use_raw=use_raw, symbols=symbols)
    table = {}
    for name, key in keys.items():
        raw = use_raw and key not in adata.obs
        table[name] = sc.get.obs_df(adata, keys=[key], layer=layer, use_raw=raw).iloc[:, 0]
    palettes: dict[str, str] = {}
    for name in names:
        if name in adata.obs and f"{name}_colors" in adata.uns:
            known = table[name].astype("category").cat.categories
            palettes = {
                **dict(zip(map(str, known), adata.uns[f"{name}_colors"], strict=False)),
                **palettes,
            }
    title = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"
    return from_columns(title, [table[n] for n in names], labels=names, palettes=palettes)


def _check_genes(adata: AnnData, *, use_raw: bool, layer: str | None, symbols: str | None) -> None:
    """Refuse layers and gene symbols that are not there."""
    if use_raw and layer is not None:
        raise ValueError(f"use_raw=True, layer={layer!r}: genes come from one of the two.")
    if use_raw and adata.raw is None:
        raise ValueError("use_raw=True: adata.raw is None.")
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


def on_one_clock(panels: list[Source]) -> list[Source]:
    """Give panels the same number of frames: a propagation that is over stays as it ended.

    Raises
    ------
    ValueError
        If their numbers differ and they are not all propagations.
    """
    counts = {s.name: s.n_frames for s in panels}
    longest = max(counts.values())
    if min(counts.values()) == longest:
        return panels
    if any(s.iterations is None for s in panels):
        spelled = ", ".join(f"{name!r}: {n}" for name, n in counts.items())
        raise ValueError(f"color: panels side by side need as many frames each; here {spelled}.")
    clock = next(s.iterations for s in panels if s.n_frames == longest)
    return [s if s.n_frames == longest else s.staying(longest, clock) for s in panels]


def candidates(adata: AnnData) -> list[str]:
    """List the keys of obsm that look like frames rather than an embedding."""
    return [k for k, v in adata.obsm.items() if not k.startswith("X_") and np.ndim(v) >= 2]
