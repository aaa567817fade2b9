"""What scanpy draws the stage from: a column a panel, of few cells that make the stage of all.

The cells themselves are taken off the stage again. What stays of them are the limits of the axes,
which the outermost cells make, and the legend, which needs a cell of each category and one without.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anndata as ad
import numpy as np
import pandas as pd

from scanpy_anim._checks import MissingKeyError
from scanpy_anim._table import Table, in_memory
from scanpy_anim._threads import spread
from scanpy_anim.pl._basis import basis_key
from scanpy_anim.pl._scanpy_plot import ScanpyPlot
from scanpy_anim.pl._source import Categorical, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from anndata import AnnData
    from matplotlib.colors import Normalize
    from numpy.typing import NDArray

    from scanpy_anim.pl._motion import Motion
    from scanpy_anim.pl._options import PlotOptions

_BLOCK = 1 << 16

#: Lists that scanpy does not read cell by cell.
_NOT_OF_CELLS = frozenset(
    ("components", "dimensions", "groups", "marker", "mask_obs", "norm", "palette", "title")
)


def prepare_plot(
    adata: AnnData,
    basis: str,
    pairs: Sequence[tuple[int, ...]],
    sources: Sequence[Source],
    norms: Sequence[Normalize | None],
    options: PlotOptions,
    motion: Motion | None,
) -> ScanpyPlot:
    """Prepare the stage, a norm for each panel of numbers, without touching `adata`.

    scanpy draws from a stand-in that holds the embedding and one column a panel, of a few cells
    that make the same stage as all where that is possible: nothing is copied that is not drawn.
    """
    columns = _distinct([s.name for s in sources])
    key = basis_key(adata, basis)
    coordinates = _read(adata.obsm[key], pairs) if motion is None else motion.at(1)
    values = [_stage_values(source) for source in sources]
    few: Any = slice(None)
    plain = isinstance(coordinates, np.ndarray) and coordinates.dtype.kind in "iuf"
    if plain and _stands_for_all(options.passed):
        panels = zip(sources, values, strict=True)
        few = _representatives(coordinates, pairs, panels, options.mask_obs)
        if options.mask_obs is not None:
            options = options.changed(mask_obs=options.mask_obs[few])
    obs = _obs_frame(adata, few)
    uns: dict[str, Any] = {}
    for column, source, shown in zip(columns, sources, values, strict=True):
        obs[column] = _stage_column(source, shown[few])
        if isinstance(source, Categorical) and source.colors is not None:
            uns[f"{column}_colors"] = list(source.colors)
    stand_in = ad.AnnData(obs=obs, obsm={key: coordinates[few]}, uns=uns)
    if options.edges:
        _lend_graph(adata, stand_in, options.passed.get("neighbors_key"))
    colored = {"norm": list(norms)} if any(norm is not None for norm in norms) else {}
    arguments = {**options.passed, **colored}
    plot = ScanpyPlot(coordinates, tuple(pairs), stand_in, basis, tuple(columns), arguments)
    return replace(plot, obs=adata.obs)


def _read(embedding: Any, pairs: Sequence[tuple[int, ...]]) -> Any:
    """Read an embedding that is not in memory, up to the last dimension that is shown."""
    if isinstance(embedding, Table) and min(min(pair) for pair in pairs) >= 0:
        return embedding[:, : max(max(pair) for pair in pairs) + 1]
    return in_memory(embedding)


def _stage_values(source: Source) -> NDArray:
    """Read what scanpy draws: the last frame, its legend that of the whole film."""
    values = source.read(source.n_frames - 1)
    if not isinstance(source, Categorical):
        return values
    codes = np.array(values)
    if source.has_missing and (codes >= 0).all():
        codes[np.flatnonzero(codes == np.bincount(codes).argmax())[0]] = -1  # for the legend's NA
    return codes


def _stage_column(source: Source, values: NDArray) -> pd.Categorical | NDArray:
    """Make the column that scanpy draws."""
    if not isinstance(source, Categorical):
        return np.asarray(values, dtype=np.float64)
    return pd.Categorical.from_codes(values, categories=list(source.categories))


def _obs_frame(adata: AnnData, few: Any) -> pd.DataFrame:
    """Make a table of some cells, under names of their own (names of all may well be alike)."""
    return pd.DataFrame(index=np.arange(adata.n_obs)[few].astype(str))


def _distinct(names: Sequence[str]) -> list[str]:
    """Make names distinct, as columns have to be."""
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return distinct


def _lend_graph(adata: AnnData, stand_in: AnnData, neighbors_key: str | None) -> None:
    """Give the stand-in the graph whose edges scanpy is to draw."""
    key = neighbors_key or "neighbors"
    if key not in adata.uns:
        raise MissingKeyError(
            f"edges=True: no graph {key!r} in adata.uns. Run sc.pp.neighbors(adata)."
        )
    stand_in.uns[key] = adata.uns[key]
    graph = adata.uns[key].get("connectivities_key", "connectivities")
    stand_in.obsp[graph] = in_memory(adata.obsp[graph])


def _stands_for_all(passed: Mapping[str, Any]) -> bool:
    """Whether a few cells make the stage of all, given what scanpy is `passed`.

    Not where something is drawn of every cell, where the legend looks for room between them, and
    where anything might have an entry for each.
    """
    if passed.get("add_outline") or passed.get("edges") or passed.get("legend_loc") == "best":
        return False
    return not any(
        np.iterable(value) and not isinstance(value, str)
        for name, value in passed.items()
        if name not in _NOT_OF_CELLS
    )


def _representatives(
    coordinates: NDArray,
    dimensions: Iterable[tuple[int, ...]],
    columns: Iterable[tuple[Source, Any]],
    mask: NDArray[np.bool_] | None,
) -> NDArray[np.intp]:
    """Return positions, ascending, of cells that make the same stage as all together.

    Parameters
    ----------
    coordinates
        `(n_obs, n_dimensions)`.
    dimensions
        Which two a panel shows, of each panel.
    columns
        What the panels show, and the values of the frame that is on the stage.
    mask
        `mask_obs`.
    """
    chosen = [np.zeros(1, np.intp)]
    chosen += [_outermost(coordinates, list(pair)) for pair in set(dimensions)]
    for source, values in columns:
        if isinstance(source, Categorical):
            shown = values if mask is None else np.where(mask, values, -1)
            chosen += [_one_of_each(values, len(source.categories)),
                       _one_of_each(shown, len(source.categories))]  # fmt: skip
    if mask is not None:
        chosen += [np.flatnonzero(mask)[:1], np.flatnonzero(~mask)[:1]]
    return np.unique(np.concatenate(chosen))


def _outermost(coordinates: NDArray, pair: Sequence[int]) -> NDArray[np.intp]:
    """Find cells at the four limits, and those of the lowest positive values (for logarithms)."""

    def of_block(first: int) -> NDArray[np.intp]:
        return first + _ends(coordinates[first : first + _BLOCK, pair])

    found = np.concatenate(spread(of_block, range(0, len(coordinates), _BLOCK)))
    return found[_ends(coordinates[found][:, pair])]


def _ends(xy: NDArray) -> NDArray[np.intp]:
    """Find the outermost rows of those that have all their coordinates."""
    known = np.isfinite(xy).all(axis=1)
    ends = []
    for values in xy.T:
        high = np.where(known, values, -np.inf)
        low = np.where(known, values, np.inf)
        ends += [high.argmax(), low.argmin(), np.where(low > 0, low, np.inf).argmin()]
    return np.array(ends)


def _one_of_each(codes: NDArray[np.integer], n: int) -> NDArray[np.intp]:
    """Find a cell of each category that occurs, and one without any (code -1)."""
    found = np.full(n + 1, -1, np.intp)
    found[codes] = np.arange(len(codes))
    return found[found >= 0]
