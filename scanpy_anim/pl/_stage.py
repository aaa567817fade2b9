"""What is drawn once: scanpy's own figure, on which the film is played."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim._accessors import plain_names
from scanpy_anim._checks import MissingKeyError, listed, nearest
from scanpy_anim._compat import figure_of, point_cloud
from scanpy_anim.pl._basis import read_dimensions
from scanpy_anim.pl._layout import (
    Slot,
    arrange,
    fit,
    make_room,
    settle,
    squeeze,
    tell_what_sticks_out,
)
from scanpy_anim.pl._legends import name_scale, pin_legend, without_endless_legend
from scanpy_anim.pl._palette import apart_from_missing, checked_palette, colors_of, tell_of_missing
from scanpy_anim.pl._source import Categorical, Continuous, Source
from scanpy_anim.pl._spatial import SPATIAL, Tissue, read_tissue
from scanpy_anim.pl._stand_in import prepare_plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from scanpy_anim.pl._draw_order import DrawOrder
    from scanpy_anim.pl._drawing import Scene
    from scanpy_anim.pl._motion import Motion
    from scanpy_anim.pl._options import PlotOptions
    from scanpy_anim.pl._scale import Scale, ScaleChoice
    from scanpy_anim.pl._scanpy_plot import ScanpyPlot


@dataclass(frozen=True, eq=False)
class StagePanel:
    """One axes of the stage.

    Attributes
    ----------
    ax, cloud
        Its axes and scanpy's scatter of the cells.
    source, scale
        What it will show, and how numbers become colors.
    column
        What it is called on the stage.
    plot
        How it is drawn alone.
    order
        Which cells lie on top in all frames; `None`: the order of the data.
    """

    ax: Axes
    cloud: PathCollection
    source: Source
    column: str
    scale: Scale
    plot: ScanpyPlot
    order: DrawOrder | None = None

    def take_off(self) -> PathCollection:
        """Take the cells off the axes; a color bar that is removed still asks for their axes."""
        if self.cloud in self.ax.collections:
            self.cloud.remove()
            self.cloud.axes = self.ax
        return self.cloud


@dataclass(frozen=True, eq=False)
class Stage:
    """The figure on which the film is played, complete but for the cells.

    Attributes
    ----------
    figure, panels
        scanpy's figure and its axes with cells.
    plot, options
        How it was drawn, and what the caller asked of scanpy.
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
    plot: ScanpyPlot
    options: PlotOptions
    own: bool
    mask: NDArray[np.bool_] | None
    motion: Motion | None
    tissue: Tissue | None

    def lay_out(self, panel: StagePanel) -> None:
        """Finish what scanpy drew: name the scale, make room for motion, lay out a tissue."""
        if isinstance(panel.source, Continuous):
            says = len(self.panels) > 1 or panel.ax.get_title() == panel.source.name
            titled = self.keeps_title(panel) and says
            name_scale(panel.cloud, panel.scale, panel.source, titled=titled)
        if self.motion is not None:
            make_room(panel.ax, self.motion)
        if self.tissue is not None:
            self.tissue.lay_out(panel.ax, panel.cloud)
        if self.options.legend_loc == "best":
            pin_legend(panel.ax)

    def drawn_on(
        self, panel: StagePanel, ax: Axes, *, size: float = 1.0, **changes: Any
    ) -> StagePanel:
        """Draw a panel once more on other axes, cells `size` times as large."""
        panel.plot.draw(ax=ax, **changes)
        cloud = point_cloud(ax, panel.plot.n_obs)
        cloud.set_sizes(cloud.get_sizes() * size**2)
        drawn = replace(panel, ax=ax, cloud=cloud)
        self.lay_out(drawn)
        return drawn

    def keeps_title(self, panel: StagePanel) -> bool:
        """Whether a panel's title says something that the texts of the frames do not say."""
        asked = len(self.panels) > 1 or self.options.title is not None or self.motion is not None
        return asked or (panel.source.labels is None and panel.source.name != "color")

    def slots(self) -> list[Slot]:
        """Return the axes of each panel with their color bars."""
        found = []
        for panel in self.panels:
            bar = panel.cloud.colorbar
            passed, side = self.options.passed, self.options.colorbar_loc
            letters = None if "legend_loc" in passed else "legend_fontsize" not in passed
            found.append(Slot(panel.ax, None if bar is None else bar.ax, side, letters))
        return found

    def bring_inside(self, figsize: tuple[float, float] | None) -> None:
        """Bring everything inside the figure, or tell what is not."""
        slots, ncols = self.slots(), self.options.passed.get("ncols", 4)
        if figsize is not None and self.own:
            arrange(self.figure, slots, ncols=ncols, size=figsize)
        elif figsize is not None:
            squeeze(self.figure, figsize)
        elif self.own:
            fit(self.figure, slots)
        else:
            tell_what_sticks_out(self.figure, slots)

    @property
    def has_bar_on_top(self) -> bool:
        """Whether a color bar lies where the texts of the frames would stand."""
        return self.options.colorbar_loc == "top"

    @property
    def basis(self) -> str:
        """Name of the embedding, or of both ends of the way."""
        if self.motion is None or self.plot.basis not in self.motion.names:
            return self.plot.basis
        return " → ".join(self.motion.names)

    @property
    def na_color(self) -> Any:
        """Color of cells without value."""
        return self.options.na_color

    @property
    def groups(self) -> set[str] | None:
        """Categories that are shown, `None` for all."""
        return self.options.groups


def set_stage(
    adata: AnnData,
    scene: Scene,
    sources: Sequence[Source],
    scale: ScaleChoice,
    frames: Sequence[int],
    motion: Motion | None,
    options: PlotOptions,
) -> Stage:
    """Draw the stage for `sources`, limits of their `scale` resolved over `frames`."""
    _check_groups(sources, options)
    if options.palette is not None:
        options = options.changed(palette=checked_palette(options.palette, sources))
    asked_color, colors = options.na_color, [colors_of(s, options.palette) for s in sources]
    if (apart := apart_from_missing(asked_color, chain(*colors))) is not asked_color:
        options = options.changed(na_color=apart)
    mask = _mask(adata, options.mask_obs)
    if mask is not None:
        options = options.changed(mask_obs=mask)
    if motion is not None:
        options = _for_motion(motion, options)
    options = without_endless_legend(sources, options)
    basis, picture = scene.basis, (scene.img_key, scene.library_id)
    name = basis if isinstance(basis, str) else motion.names[-1] if motion else ""
    tissue = None
    if not {name, *(motion.names if motion else ())}.isdisjoint(SPATIAL):
        sized = options.sized
        tissue = Tissue() if motion else read_tissue(adata, *picture, sized=sized)
    pairs = [(0, 1)] if motion else read_dimensions(adata, name, 2, **options.dimensions)
    shown = [source for source in sources for _ in pairs]
    _check_markers(options.passed.get("marker"), len(shown))
    scales = scale.of_panels(shown, options.bounds)
    norms = [
        each.norm(source, frames, mask) if isinstance(source, Continuous) else None
        for source, each in zip(shown, scales, strict=True)
    ]
    # labels on the data belong to their frame: scanpy would write those of the last one
    asked = options.changed(legend_loc=None) if options.on_data else options
    plot = prepare_plot(adata, name, pairs, sources, norms, asked, motion)
    panels = _panels(plot, plot.draw(ax=scene.ax), sources, scales, pairs)
    figure = figure_of(panels[0].ax)
    if scene.ax is None:
        settle(figure)
    stage = Stage(figure, panels, plot, options, scene.ax is None, mask, motion, tissue)
    for panel in panels:
        if isinstance(panel.source, Categorical):
            tell_of_missing(panel.source, plot.palette(panel.column), asked_color)
        stage.lay_out(panel)
    return stage


def _panels(
    plot: ScanpyPlot,
    axes: Sequence[Axes],
    sources: Sequence[Source],
    scales: Sequence[Scale],
    dimensions: Sequence[tuple[int, ...]],
) -> tuple[StagePanel, ...]:
    """Pair the axes that scanpy drew with what they show: of each source all dimensions."""
    panels = []
    for i, ax in enumerate(axes):
        k, cloud = i // len(dimensions), point_cloud(ax, plot.n_obs)
        alone = plot.alone(i, dimensions)
        panels.append(StagePanel(ax, cloud, sources[k], plot.columns[k], scales[i], alone))
    return tuple(panels)


def _for_motion(motion: Motion, options: PlotOptions) -> PlotOptions:
    """Refuse what stays behind when cells move."""
    for name in ("add_outline", "edges"):
        if options.passed.get(name):
            raise ValueError(f"{name}=True is drawn once and cannot follow moving cells.")
    if motion.depth(0) is not None and "frameon" not in options.passed:
        options = options.changed(frameon=False)
    return options


def _check_groups(sources: Sequence[Source], options: PlotOptions) -> None:
    """Refuse `groups` that no panel has a category of: the film would be grey."""
    known = [c for s in sources if isinstance(s, Categorical) for c in s.categories]
    for group in sorted(options.groups or ()):
        if known and group not in known:
            raise MissingKeyError(
                f"groups: {group!r} is no category.{nearest(group, known)} There are "
                f"{listed(dict.fromkeys(known))}."
            )


def _check_markers(marker: Any, n_panels: int) -> None:
    """Refuse more markers than panels: frames share theirs."""
    if isinstance(marker, list | tuple) and len(marker) > 1 and len(marker) != n_panels:
        raise ValueError(
            f"marker={marker!r}: one for each panel; the film has {n_panels}. All frames of a "
            "panel share theirs."
        )


def _mask(adata: AnnData, mask: Any) -> NDArray[np.bool_] | None:
    """Read `mask_obs`: a boolean column of obs, or an array."""
    if mask is None:
        return None
    mask = plain_names("mask_obs", mask)
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
