"""How the stage is drawn, by scanpy: from a stand-in, as often as it is needed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim._compat import draw_embedding, embedding_function
from scanpy_anim._names import MissingKeyError, nearest
from scanpy_anim.pl._basis import basis_key
from scanpy_anim.pl._pyplot import figure_of, is_strange, pyplot_as_it_was
from scanpy_anim.pl._source import Categorical, Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection

    from scanpy_anim.pl._motion import Motion

_BOUNDS = ("vmin", "vmax", "vcenter", "norm")
INSTEAD = {
    "save": "save the film that is returned, .save('film.mp4')",
    "show": "the film shows itself at the end of a notebook cell, and with plt.show()",
    "return_fig": "the film's figure of frame i is .still(i)",
    "arrows": "arrows are drawn by sc.pl.embedding alone",
    "rasterized": "the cells are an image in vector formats anyway, all else stays vectors",
    "scale_factor": "give the points' size=, in points squared",
}


@dataclass(frozen=True, eq=False)
class Recipe:
    """All that `sc.pl.embedding` needs to draw the stage, now or again."""

    proxy: AnnData
    basis: str
    columns: tuple[str, ...]
    arguments: Mapping[str, Any]

    def draw(self, **changes: Any) -> list[Axes]:
        """Draw the stage with scanpy; return the axes of its panels."""
        color = self.columns[0] if len(self.columns) == 1 else list(self.columns)
        arguments = {**self.arguments, **changes}
        bar = arguments.get("colorbar_loc", "right")
        beside = bar is not None and is_strange(arguments.get("ax"))
        if beside:
            arguments["colorbar_loc"] = None
        with pyplot_as_it_was(arguments.get("ax")):
            axes = draw_embedding(
                self.proxy, self.basis, color=color, sort_order=False, **arguments
            )
        axes = list(axes) if isinstance(axes, list) else [axes]
        if beside:
            _add_colorbar(axes[0], point_cloud(axes[0], self.proxy.n_obs), bar)
        return axes

    def of(self, column: str) -> Recipe:
        """Return the recipe of one panel alone."""
        i = self.columns.index(column)
        mine = {n: [v[i]] for n, v in self.arguments.items() if n in _BOUNDS}
        return replace(self, columns=(column,), arguments={**self.arguments, **mine})

    def palette(self, column: str) -> list[str]:
        """Colours that scanpy gave the categories of a column."""
        return [str(c) for c in self.proxy.uns[f"{column}_colors"]]


def write_recipe(
    adata: AnnData,
    basis: str,
    sources: Sequence[Source],
    limits: Sequence[Mapping[str, Any]],
    arguments: Mapping[str, Any],
    motion: Motion | None,
) -> Recipe:
    """Prepare the stage, a panel for each source, without touching `adata`.

    scanpy draws from a stand-in that holds the embedding and one column a panel: nothing is
    copied that is not drawn, and what scanpy writes down (colours, categories) stays there.
    """
    import anndata as ad

    columns = _distinct([s.name for s in sources])
    key = basis_key(adata, basis)
    coordinates = adata.obsm[key] if motion is None else motion.at(1)
    obs = _obs_frame(adata)
    uns: dict[str, Any] = {}
    for column, source in zip(columns, sources, strict=True):
        obs[column] = _stage_column(source)
        if isinstance(source, Categorical) and source.colors is not None:
            uns[f"{column}_colors"] = list(source.colors)
    proxy = ad.AnnData(obs=obs, obsm={key: coordinates}, uns=uns)
    if arguments.get("edges"):
        _lend_graph(adata, proxy, arguments.get("neighbors_key"))
    bounds = {n: [b.get(n) for b in limits] for n in _BOUNDS}
    bounds = {n: b for n, b in bounds.items() if any(v is not None for v in b)}
    return Recipe(proxy, basis, tuple(columns), {**arguments, **bounds})


def check_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse what a film cannot do, saying what to do instead, and what nobody knows."""
    for name, instead in INSTEAD.items():
        if arguments.get(name) is not None and arguments[name] is not False:
            raise TypeError(f"{name}={arguments[name]!r} does not go with a film: {instead}.")
    known = known_arguments()
    for name in arguments:
        if name not in known:
            raise TypeError(
                f"{name}= is an argument neither of animate_embedding nor of sc.pl.embedding."
                f"{nearest(name, known)}"
            )


def known_arguments() -> set[str]:
    """List what films, `sc.pl.embedding` and the scatter below it take."""
    import inspect

    from matplotlib.artist import ArtistInspector
    from matplotlib.collections import PathCollection

    from scanpy_anim.pl._animate_embedding import animate_embedding

    scatter = ArtistInspector(PathCollection)
    aliases = (alias for names in scatter.get_aliases().values() for alias in names)
    functions = (animate_embedding, embedding_function())
    named = {name for f in functions for name in inspect.signature(f).parameters}
    return {*named, "s", *scatter.get_setters(), *aliases} - {"adata", "kwargs"}


def point_cloud(ax: Axes, n_obs: int) -> PathCollection:
    """Find the scatter of the cells: scanpy draws it last, over outlines and edges."""
    from matplotlib.collections import PathCollection

    clouds = [
        c
        for c in ax.collections
        if isinstance(c, PathCollection) and len(np.asarray(c.get_offsets())) == n_obs
    ]
    return clouds[-1]


def _add_colorbar(ax: Axes, cloud: PathCollection, location: str) -> None:
    """Add the colour bar that scanpy would have added."""
    if cloud.get_array() is not None:
        figure_of(ax).colorbar(cloud, ax=ax, pad=0.01, fraction=0.08, aspect=30, location=location)


def _stage_column(source: Source) -> Any:
    """Make the column that scanpy draws: the last frame, its legend that of the whole film."""
    import pandas as pd

    if not isinstance(source, Categorical):
        return np.asarray(source.read(source.n_frames - 1), dtype=np.float64)
    codes = np.array(source.read(source.n_frames - 1))
    if source.has_missing and (codes >= 0).all():
        codes[np.flatnonzero(codes == np.bincount(codes).argmax())[0]] = -1  # for the legend's NA
    return pd.Categorical.from_codes(codes, categories=list(source.categories))


def _obs_frame(adata: AnnData) -> pd.DataFrame:
    import pandas as pd

    names = adata.obs_names
    return pd.DataFrame(index=names if names.is_unique else map(str, range(adata.n_obs)))


def _distinct(names: Sequence[str]) -> list[str]:
    """Make names distinct, as columns have to be."""
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return distinct


def _lend_graph(adata: AnnData, proxy: AnnData, neighbors_key: str | None) -> None:
    """Give the stand-in the graph whose edges scanpy is to draw."""
    key = neighbors_key or "neighbors"
    if key not in adata.uns:
        raise MissingKeyError(
            f"edges=True: no graph {key!r} in adata.uns. Run sc.pp.neighbors(adata)."
        )
    proxy.uns[key] = adata.uns[key]
    graph = adata.uns[key].get("connectivities_key", "connectivities")
    proxy.obsp[graph] = adata.obsp[graph]
