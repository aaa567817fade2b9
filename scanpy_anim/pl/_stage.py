"""What is drawn once: scanpy's own figure, on which the film is played."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from scanpy_anim._names import MissingKeyError, listed, nearest
from scanpy_anim.pl._pyplot import figure_of
from scanpy_anim.pl._recipe import Recipe, point_cloud, write_recipe
from scanpy_anim.pl._source import Categorical, Continuous, Source
from scanpy_anim.pl._spatial import SPATIAL, Tissue, read_tissue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


@dataclass(frozen=True, eq=False)
class StagePanel:
    """One axes of the stage: its cells, what it will show, and in which order."""

    ax: Axes
    cloud: PathCollection
    source: Source
    column: str
    scale: Scale
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
    tissue
        What the cells lie in, `None` in an embedding.
    """

    figure: Figure
    panels: tuple[StagePanel, ...]
    recipe: Recipe
    own: bool
    mask: NDArray[np.bool_] | None
    motion: Motion | None
    tissue: Tissue | None

    def lay_out(self, panel: StagePanel) -> None:
        """Finish what scanpy drew: name the scale, make room for motion, lay out a tissue."""
        if isinstance(panel.source, Continuous):
            says = len(self.panels) > 1 or panel.ax.get_title() == panel.source.name
            titled = self.keeps_titles and says
            name_scale(panel.cloud, panel.scale, panel.source, titled=titled)
        if self.motion is not None:
            _make_room(panel.ax, self.motion)
        if self.tissue is not None:
            self.tissue.lay_out(panel.ax, panel.cloud)
        if self.recipe.arguments.get("legend_loc") == "best":
            _pin_legend(panel.ax)

    @property
    def keeps_titles(self) -> bool:
        """Whether its own titles say something, or a colour bar lies where a frame's text would."""
        asked = self.recipe.arguments
        taken = asked.get("title") is not None or asked.get("colorbar_loc") == "top"
        return len(self.panels) > 1 or taken or self.motion is not None

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
    scales: Sequence[Scale],
    frames: Sequence[int],
    *,
    motion: Motion | None = None,
    img_key: str | bool | None = True,
    ax: Axes | None,
    arguments: Mapping[str, Any],
) -> Stage:
    """Draw the stage for `sources`, limits of their `scales` resolved over `frames`."""
    _check_groups(sources, arguments.get("groups"))
    mask = _mask(adata, arguments.get("mask_obs"))
    limits = [
        scale.limits(s, frames, mask) if isinstance(s, Continuous) else {}
        for s, scale in zip(sources, scales, strict=True)
    ]
    if mask is not None:
        arguments = {**arguments, "mask_obs": mask}
    if motion is not None:
        arguments = _for_motion(motion, arguments)
    arguments = _without_endless_legend(sources, arguments)
    name = basis if isinstance(basis, str) else motion.names[-1] if motion else ""
    drawing = write_recipe(adata, name, sources, limits, arguments, motion)
    panels = _panels(drawing, drawing.draw(ax=ax), sources, scales)
    figure = figure_of(panels[0].ax)
    if ax is None:
        _settle(figure)
    tissue = None
    if not {name, *(motion.names if motion else ())}.isdisjoint(SPATIAL):
        sized = arguments.get("size", arguments.get("s")) is not None
        tissue = Tissue() if motion else read_tissue(adata, img_key, sized=sized)
    stage = Stage(
        figure,
        tuple(panels),
        drawing,
        ax is None,
        mask,
        motion,
        tissue,
    )
    for panel in panels:
        stage.lay_out(panel)
    return stage


def _settle(figure: Figure) -> None:
    """Let a layout engine arrange the figure now, while scanpy's cells are on it, and then rest."""
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.set_layout_engine("none")


def _pin_legend(ax: Axes) -> None:
    """Leave a legend where there is most room, which it looks for whenever it is drawn."""
    legend = ax.get_legend()
    if legend is not None:
        figure_of(ax).draw_without_rendering()
        place = legend.get_window_extent().transformed(ax.transAxes.inverted())
        legend.set_loc((place.x0, place.y0))


def _panels(
    drawing: Recipe, axes: Sequence[Axes], sources: Sequence[Source], scales: Sequence[Scale]
) -> list[StagePanel]:
    """Pair the axes that scanpy drew with what they show."""
    each = len(axes) // len(sources)  # several dimensions: as many panels of each source
    n_obs, panels = drawing.proxy.n_obs, []
    for i, ax in enumerate(axes):
        k = i // each
        cloud = point_cloud(ax, n_obs)
        panels.append(StagePanel(ax, cloud, sources[k], drawing.columns[k], scales[k]))
    return panels


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


def name_scale(
    cloud: PathCollection, scale: Scale, source: Continuous, *, titled: bool = False
) -> None:
    """Say on the colour bar what is shown: ranks, or values whose name no title says."""
    bar = cloud.colorbar
    if bar is None:
        return
    if scale.kind == "rank":
        bar.set_label("rank", labelpad=-14 if scale.plain_rank else None)  # between low and high
    elif source.labels is None and source.n_frames > 1 and not titled:
        bar.set_label(source.name)
    if scale.plain_rank or scale.per_frame:
        norm = cast("Normalize", cloud.norm)
        bar.set_ticks([norm.vmin, norm.vmax], labels=["low", "high"])  # type: ignore[list-item]


def _check_groups(sources: Sequence[Source], groups: Any) -> None:
    """Refuse `groups` that no panel has a category of: the film would be grey."""
    named = [groups] if isinstance(groups, str) else list(groups or ())
    known = [c for s in sources if isinstance(s, Categorical) for c in s.categories]
    for group in map(str, named):
        if known and group not in known:
            raise MissingKeyError(
                f"groups: {group!r} is no category.{nearest(group, known)} There are "
                f"{listed(dict.fromkeys(known))}."
            )


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
