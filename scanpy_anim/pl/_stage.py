"""What is drawn once: scanpy's own figure, on which the film is played."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from scanpy_anim._compat import draw_embedding
from scanpy_anim._names import MissingKeyError, nearest
from scanpy_anim.pl._basis import basis_key
from scanpy_anim.pl._source import Categorical, Continuous, Source
from scanpy_anim.pl._spatial import SPATIAL, Picture, find_picture, lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from scanpy_anim.pl._motion import Motion
    from scanpy_anim.pl._scale import Scale

#: A longer legend is left out.
MOST_CATEGORIES = 100
_BOUNDS = ("vmin", "vmax", "vcenter", "norm")
INSTEAD = {
    "save": "save the film that is returned, .save('film.mp4')",
    "show": "the film shows itself at the end of a notebook cell, and with plt.show()",
    "return_fig": "the film's figure of frame i is .still(i)",
    "arrows": "arrows are drawn by sc.pl.embedding alone",
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
        beside = bar is not None and _is_strange(arguments.get("ax"))
        if beside:
            arguments["colorbar_loc"] = None
        with _pyplot_as_it_was(arguments.get("ax")):
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


@dataclass(frozen=True, eq=False)
class StagePanel:
    """One axes of the stage: its cells, what it will show, and in which order."""

    ax: Axes
    cloud: PathCollection
    source: Source
    column: str
    order: NDArray[np.intp] | None = None


@dataclass(frozen=True, eq=False)
class Stage:
    """The figure on which the film is played, complete but for the cells.

    Attributes
    ----------
    figure, panels
        scanpy's figure and its axes with cells.
    recipe
        How it was drawn.
    own
        Whether the figure is the film's own, or holds the caller's `ax`.
    mask
        `mask_obs`: the cells that show their value.
    motion
        How the cells move, `None` where they stay.
    scale
        How numbers become colours.
    tissue, picture
        Whether the cells lie in a tissue, and its picture if there is one.
    """

    figure: Figure
    panels: tuple[StagePanel, ...]
    recipe: Recipe
    own: bool
    mask: NDArray[np.bool_] | None
    motion: Motion | None
    scale: Scale
    tissue: bool
    picture: Picture | None

    def lay_out(self, panel: StagePanel) -> None:
        """Finish what scanpy drew: name the scale, make room for motion, lay out a tissue."""
        if isinstance(panel.source, Continuous):
            name_scale(panel.cloud, self.scale)
        if self.motion is not None:
            _make_room(panel.ax, self.motion)
        if self.tissue:
            lay_out(panel.ax, self.picture)

    @property
    def basis(self) -> str:
        """Name of the embedding, or of both ends of the way."""
        if self.motion is None or self.recipe.basis not in self.motion.names:
            return self.recipe.basis
        return " → ".join(self.motion.names)

    @property
    def na_color(self) -> Any:
        """Colour of cells without value."""
        return self.recipe.arguments.get("na_color", "lightgray")

    @property
    def groups(self) -> set[str] | None:
        """Categories that are shown, `None` for all."""
        groups = self.recipe.arguments.get("groups")
        if groups is None:
            return None
        return {groups} if isinstance(groups, str) else set(map(str, groups))


def set_stage(
    adata: AnnData,
    basis: str | Sequence[str],
    sources: Sequence[Source],
    scale: Scale,
    frames: Sequence[int],
    *,
    motion: Motion | None = None,
    img_key: str | bool | None = True,
    ax: Axes | None,
    arguments: Mapping[str, Any],
) -> Stage:
    """Draw the stage for `sources`, limits resolved over `frames`."""
    mask = _mask(adata, arguments.get("mask_obs"))
    limits = [scale.limits(s, frames, mask) if isinstance(s, Continuous) else {} for s in sources]
    if mask is not None:
        arguments = {**arguments, "mask_obs": mask}
    if motion is not None:
        arguments = _for_motion(motion, arguments)
    arguments = _without_endless_legend(sources, arguments)
    name = basis if isinstance(basis, str) else motion.names[-1] if motion else ""
    drawing = _recipe(adata, name, sources, limits, arguments, motion)
    panels = _panels(drawing, drawing.draw(ax=ax), sources)
    tissue = not {name, *(motion.names if motion else ())}.isdisjoint(SPATIAL)
    picture = find_picture(adata, img_key) if tissue and motion is None else None
    stage = Stage(
        _figure_of(panels[0].ax),
        tuple(panels),
        drawing,
        ax is None,
        mask,
        motion,
        scale,
        tissue,
        picture,
    )
    for panel in panels:
        stage.lay_out(panel)
    return stage


def _panels(drawing: Recipe, axes: Sequence[Axes], sources: Sequence[Source]) -> list[StagePanel]:
    """Pair the axes that scanpy drew with what they show."""
    each = len(axes) // len(sources)  # several dimensions: as many panels of each source
    n_obs = drawing.proxy.n_obs
    return [
        StagePanel(ax, point_cloud(ax, n_obs), sources[i // each], drawing.columns[i // each])
        for i, ax in enumerate(axes)
    ]


def _for_motion(motion: Motion, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse what stays behind when cells move, and move labels off the data."""
    for name in ("add_outline", "edges"):
        if arguments.get(name):
            raise ValueError(f"{name}=True is drawn once and cannot follow moving cells.")
    arguments = dict(arguments)
    if str(arguments.get("legend_loc", "")).startswith("on data"):
        import scanpy as sc

        sc.logging.info("legend_loc='on data' cannot follow moving cells: legend in the margin")
        arguments["legend_loc"] = "right margin"
    if motion.depth(0) is not None:
        arguments.setdefault("frameon", False)
    return arguments


def _without_endless_legend(
    sources: Sequence[Source], arguments: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Leave out a legend that would be longer than the film is wide, and say so."""
    most = max((len(s.categories) for s in sources if isinstance(s, Categorical)), default=0)
    if most <= MOST_CATEGORIES or "legend_loc" in arguments:
        return arguments
    import scanpy as sc

    sc.logging.warning(f"{most} categories: the legend is left out (legend_loc= brings it back)")
    return {**arguments, "legend_loc": None}


def _make_room(ax: Axes, motion: Motion) -> None:
    """Set limits that hold all cells at all times; no axis name fits several embeddings."""
    (x0, y0), (x1, y1) = motion.limits()
    x, y = 0.05 * ((x1 - x0) or 1), 0.05 * ((y1 - y0) or 1)
    ax.set_xlim(x0 - x, x1 + x)
    ax.set_ylim(y0 - y, y1 + y)
    if motion.between:
        ax.set(xlabel="", ylabel="")
    if motion.depth(0) is not None:
        ax.set_aspect("equal")


def _recipe(
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
    """Refuse what a film cannot do, and say what to do instead."""
    for name, instead in INSTEAD.items():
        if arguments.get(name) is not None and arguments[name] is not False:
            raise TypeError(f"{name}={arguments[name]!r} does not go with a film: {instead}.")


def point_cloud(ax: Axes, n_obs: int) -> PathCollection:
    """Find the scatter of the cells: scanpy draws it last, over outlines and edges."""
    from matplotlib.collections import PathCollection

    clouds = [
        c
        for c in ax.collections
        if isinstance(c, PathCollection) and len(np.asarray(c.get_offsets())) == n_obs
    ]
    return clouds[-1]


def _stage_column(source: Source) -> Any:
    """Make the column that scanpy draws: the last frame, its legend that of the whole film."""
    import pandas as pd

    if not isinstance(source, Categorical):
        return np.asarray(source.read(source.n_frames - 1), dtype=np.float64)
    codes = np.array(source.read(source.n_frames - 1))
    if source.has_missing and (codes >= 0).all():
        codes[np.flatnonzero(codes == np.bincount(codes).argmax())[0]] = -1  # for the legend's NA
    return pd.Categorical.from_codes(codes, categories=list(source.categories))


def name_scale(cloud: PathCollection, scale: Scale) -> None:
    """Say on the colour bar what is shown where it is not the values."""
    bar = cloud.colorbar
    if bar is None:
        return
    if scale.kind == "rank":
        bar.set_label("rank", labelpad=-14 if scale.plain_rank else None)  # between low and high
    if scale.plain_rank or scale.per_frame:
        norm = cast("Normalize", cloud.norm)
        bar.set_ticks([norm.vmin, norm.vmax], labels=["low", "high"])  # type: ignore[list-item]


def _mask(adata: AnnData, mask: Any) -> NDArray[np.bool_] | None:
    """Read `mask_obs`: a boolean column of obs, or an array."""
    if mask is None:
        return None
    if isinstance(mask, str):
        if mask not in adata.obs:
            raise MissingKeyError(
                f"mask_obs={mask!r} is no column of adata.obs.{nearest(mask, adata.obs)}"
            )
        mask = adata.obs[mask]
    mask = np.asarray(mask)
    if mask.dtype != np.bool_ or mask.shape != (adata.n_obs,):
        raise ValueError(
            f"mask_obs is {mask.dtype} of shape {mask.shape}; it should be bool, ({adata.n_obs},)."
        )
    return mask


def fit(figure: Figure) -> None:
    """Widen a figure until legends and titles that scanpy let stick out are inside.

    Everything keeps its size and place from the lower left corner, as `bbox_inches="tight"`
    would show it; but every frame has the same size.
    """
    tight = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    pad = 0.05
    left, bottom = max(0.0, pad - tight.x0), max(0.0, pad - tight.y0)
    left, bottom = (left if tight.x0 < 0 else 0.0), (bottom if tight.y0 < 0 else 0.0)
    right = tight.x1 - width + pad if tight.x1 > width else 0.0
    top = tight.y1 - height + pad if tight.y1 > height else 0.0
    if not any((left, right, bottom, top)):
        return
    places = [(ax, ax.get_position(original=True).bounds) for ax in figure.axes]
    new_width, new_height = width + left + right, height + bottom + top
    figure.set_size_inches(new_width, new_height)
    for ax, (x, y, w, h) in places:
        ax.set_position(
            (
                (x * width + left) / new_width,
                (y * height + bottom) / new_height,
                w * width / new_width,
                h * height / new_height,
            )
        )


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


def _is_strange(ax: Axes | None) -> bool:
    """Whether pyplot, which scanpy asks for the figure of a colour bar, does not know it."""
    import matplotlib.pyplot as plt

    return ax is not None and not plt.fignum_exists(getattr(_figure_of(ax), "number", -1))


def _figure_of(ax: Axes) -> Figure:
    """Return the figure that holds the axes, whatever subfigures lie between."""
    return cast("Figure", ax.get_figure(root=True))


def _add_colorbar(ax: Axes, cloud: PathCollection, location: str) -> None:
    """Add the colour bar that scanpy would have added."""
    if cloud.get_array() is not None:
        _figure_of(ax).colorbar(cloud, ax=ax, pad=0.01, fraction=0.08, aspect=30, location=location)


@contextmanager
def _pyplot_as_it_was(ax: Axes | None) -> Iterator[None]:
    """Make the figure of `ax` the current one for a moment; then leave pyplot as it was."""
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    current = plt.gcf().number if before else None
    if ax is not None and not _is_strange(ax):
        plt.figure(_figure_of(ax).number)
    try:
        yield
    finally:
        for number in set(plt.get_fignums()) - set(before):
            plt.close(number)
        if current is not None and plt.fignum_exists(current):
            plt.figure(current)
