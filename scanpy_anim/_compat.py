"""The one place that knows about versions of other libraries."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from anndata import AnnData
from matplotlib.collections import PathCollection

from scanpy_anim._checks import listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

#: What `sc.pl.embedding` does where nothing else is asked for.
DEFAULTS = {"na_color": "lightgray", "legend_loc": "right margin", "colorbar_loc": "right"}
#: Geometry of its color bars.
COLORBAR: dict[str, Any] = {"pad": 0.01, "fraction": 0.08, "aspect": 30}
_BLOCK = 1 << 16


def embedding_function() -> Callable[..., Any]:
    """Return scanpy's `embedding`; 1.13 keeps the matplotlib plots under `sc.pl.legacy`."""
    import scanpy as sc

    return getattr(sc.pl, "legacy", sc.pl).embedding


def draw_embedding(adata: AnnData, basis: str, **kwargs: Any) -> Axes | list[Axes]:
    """Draw with `sc.pl.embedding`, neither showing nor saving, and return its axes.

    `save=False` rather than nothing: `sc.settings.autosave` would save and close the figure
    otherwise.
    """
    return embedding_function()(adata, basis=basis, show=False, save=False, **kwargs)


def point_cloud(ax: Axes, n_obs: int) -> PathCollection:
    """Find the scatter of the cells: scanpy draws it last, over outlines and edges."""
    return [
        c
        for c in ax.collections
        if isinstance(c, PathCollection) and len(np.asarray(c.get_offsets())) == n_obs
    ][-1]


def figure_of(ax: Axes) -> Figure:
    """Return the figure that holds the axes, whatever subfigures lie between."""
    return cast("Figure", ax.get_figure(root=True))


def layer_names(adata: AnnData) -> list[str]:
    """List the layers by name; anndata 0.13 counts `X` among them, as `None`."""
    return [name for name in adata.layers if name is not None]


def default_palette(n: int) -> list[str]:
    """Return the colors that scanpy gives `n` categories which have none."""
    import scanpy as sc
    from matplotlib import rcParams

    cycle = list(rcParams["axes.prop_cycle"].by_key().get("color", ()))
    palettes = getattr(sc.pl, "legacy", sc.pl).palettes
    for colors in (cycle, palettes.default_20, palettes.default_28, palettes.default_102):
        if len(colors) >= n:
            return list(colors[:n])
    return ["grey"] * n


def require_anndata(adata: object) -> None:
    """Refuse what is no AnnData, and say where in it one is; and one without cells."""
    if isinstance(adata, AnnData):
        if not adata.n_obs:
            raise ValueError("adata has no cells: the selection it comes from is empty.")
        return
    kind = type(adata).__name__
    if isinstance(mod := getattr(adata, "mod", None), Mapping):
        names = [*mod] or ["rna"]
        raise TypeError(
            f"adata is {kind}: give one of its modalities, {listed(names)}, such as "
            f"mdata[{names[0]!r}]; there color={f'{names[0]}:louvain'!r} is color='louvain'."
        )
    if isinstance(tables := getattr(adata, "tables", None), Mapping):
        names = [*tables] or ["table"]
        raise TypeError(
            f"adata is {kind}: give one of its tables, {listed(names)}, such as "
            f"sdata.tables[{names[0]!r}]."
        )
    raise TypeError(f"adata is {kind}, which is no AnnData.")


def default_size(coordinates: NDArray) -> float:
    """Return the size that scanpy gives cells; from 1.12 on those without a place do not count."""
    n = len(coordinates)
    if _scanpy() >= (1, 12):
        blocks = (coordinates[i : i + _BLOCK] for i in range(0, n, _BLOCK))
        n = sum(int((~np.isnan(block).any(axis=1)).sum()) for block in blocks)
    return 120_000 / max(n, 1)


def boolean_categories(present: list[str]) -> list[str]:
    """Return the categories that scanpy gives booleans: from 1.12 on both, also if one occurs."""
    return ["False", "True"] if _scanpy() >= (1, 12) else sorted(present)


def _scanpy() -> tuple[int, int]:
    major, minor = version("scanpy").split(".")[:2]
    return int(major), int(minor)
