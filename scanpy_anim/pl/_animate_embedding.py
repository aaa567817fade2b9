"""The film of an algorithm on an embedding: resolve, set the stage, record, hand over."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Literal

from scanpy_anim._accessors import plain_names
from scanpy_anim._compiled import kept_functions
from scanpy_anim._lazy import readable
from scanpy_anim.pl._call import in_panels, signed
from scanpy_anim.pl._color import color_in_parts, in_motion, parts_of, sources_in_parts
from scanpy_anim.pl._coloring import colorings_of
from scanpy_anim.pl._drawing import Drawing, Scene
from scanpy_anim.pl._motion import gliding, motion
from scanpy_anim.pl._options import options_of
from scanpy_anim.pl._overlays import cell_rings, marked_cells, seed_rings
from scanpy_anim.pl._pacing import Pacing, paced, pacing_in_motion
from scanpy_anim.pl._record import record
from scanpy_anim.pl._scale import ScaleChoice
from scanpy_anim.pl._stage import set_stage
from scanpy_anim.pl._titles import frame_titles, moment_titles, parted_titles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData
    from matplotlib.axes import Axes

    from scanpy_anim.pl._animation import EmbeddingAnimation
    from scanpy_anim.pl._color import Color
    from scanpy_anim.pl._draw_order import SortOrder
    from scanpy_anim.pl._pacing import Ease, Pace
    from scanpy_anim.pl._scale import ScaleName
    from scanpy_anim.pl._titles import FrameTitle


@kept_functions()
@signed
@in_panels
def animate_embedding(
    adata: AnnData,
    basis: str | Sequence[str] = "umap",
    *,
    color: Color = "label_propagation",
    n_frames: int | None = None,
    classes: str | Sequence[str] | None = None,
    groupby: Any = None,
    along: Any = None,
    cumulative: bool = True,
    match_categories: bool | Literal["auto"] = "auto",
    scale: ScaleName = "auto",
    per_frame: bool = False,
    sort_order: SortOrder = True,
    confidence: bool = True,
    tween: int = 0,
    ease: Ease | None = None,
    pace: Pace = "auto",
    every: int = 1,
    frames: Sequence[int] | slice | None = None,
    reverse: bool = False,
    bounce: bool = False,
    hold: float | tuple[float, float] | None = None,
    fps: float | None = None,
    duration: float | None = None,
    frame_title: FrameTitle = "auto",
    progress_line: bool = False,
    mark_seeds: bool = True,
    mark_cells: Sequence[Any] | None = None,
    align: bool = True,
    projection: Literal["2d", "3d"] = "2d",
    rotate: float = 360,
    img_key: str | bool | None = True,
    library_id: str | None = None,
    progress: bool | None = None,
    panels: Sequence[Any] | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Axes | None = None,
    **kwargs: Any,
) -> EmbeddingAnimation:
    """Replay an algorithm on an embedding.

    The stage (axes, color bar, legend, title) is drawn once by `scanpy.pl.embedding` with your
    arguments; every frame then recolors the same cells. A color means the same from the first
    frame to the last.

    Parameters
    ----------
    adata
        Annotated data with an embedding. It is not changed.
    basis
        Name of the embedding in `obsm`, with or without `X_`. Several names: the cells move from
        one to the next, colors going along. An array `(n_obs, 2, n_frames)`: the cells follow
        it. `"spatial"`: equal sides, y downwards, and the tissue's picture underneath where
        `uns["spatial"]` has one, spots as large as it says unless `size` is given.
    color
        What each frame shows:

        - a key of `obsm` with an array `(n_obs, n_frames)`, such as the scores that
          `scanpy_anim.tl.label_propagation` stores, or `(n_obs, n_frames, n_classes)`: then the
          label of the moment, the paler the less sure it is (see `confidence`);
        - a list of columns of `obs` or genes, a frame each;
        - a list of arrays `(n_obs,)`, a frame each, or an array `(n_obs, n_frames)`;
        - a function of the frame's number that returns an array `(n_obs,)`, with `n_frames`. It
          is called once a frame, when the frame is needed.

        Numbers or categories; missing ones are drawn in `na_color`. Wherever a name is taken, a
        reference of `anndata.acc` is, too: `[A.obs["n_genes"], A.X[:, "CD3D"]]`.
    n_frames
        How many frames there are: with a function as `color`, or with `along`.
    classes
        Of a result with several classes: show this class's scores instead of the labels. A list
        makes a panel for each.
    groupby
        A column of `obs`, or one category for each cell: show `color`, which is one column, gene
        or result, in a frame for each category, the other cells in `na_color`. `color` is by
        default the label propagation, where there is one, or else the column itself.
    along
        Let cells appear as a number grows, in equal steps of it: a column of `obs`, such as a
        pseudotime, or one number for each cell. Cells without a finite number never appear.
    cumulative
        Whether cells stay once they have appeared `along` a number, or are seen in one frame.
    match_categories
        Frames that are clusterings of the same cells: give clusters of successive frames that
        share most cells the same color, by the assignment with the largest overlap. `"auto"`:
        where clusters are numbered, as by `scanpy.tl.leiden` at several resolutions; what happens
        is logged.
    scale
        `"rank"`: color by the cell's rank within the frame, ties averaged
        (`scipy.stats.rankdata`), the frame's lowest and highest at the ends of the color map.
        `"linear"`: by the value. `"log"`: by its logarithm, values of 0 or less as missing. A
        function: by what it makes of the frame's values. `"auto"`: ranks for what an algorithm
        stored, values for all else and wherever limits are given: `vmin`, `vmax`, `vcenter` and
        `norm` are values, as in `scanpy.pl.embedding`, and refused with `"rank"`.
    per_frame
        Limits of the color map that are open, percentiles or functions: for each frame on its own
        rather than over the whole film. Numbers stay.
    sort_order
        `True`: cells that are highest in any frame are on top in every frame. `"frame"`: the
        highest of each frame on top, as a still from scanpy has it. `False`: order of the data.
        Cells that are missing in a frame are at the bottom of it.
    confidence
        Labels of the moment are in full color wherever they are clear, and paler towards the
        background where they are not (paler rather than less opaque: opacities add up where cells
        overlap, and unsure cells would look sure). `False`: in full color everywhere.
    tween
        Number of interpolated frames between two: values are interpolated before they are
        ranked, categories and missing values cross-fade. A way between embeddings has 24 unless
        you say otherwise.
    ease
        How fast these go from one to the next: `"linear"`, `"in-out"` or a function from 0 … 1
        to 0 … 1. Default: `"in-out"` for a way between embeddings, else `"linear"`. With
        `pace="change"`: how fast the whole film goes, `"linear"` by default.
    pace
        `"change"`: every second shows the same amount of change, of colors and of places.
        `"even"`: every frame lasts the same. `"auto"`: the same, but where the limit of an
        iteration is further away than the steps before, the film dissolves to it.
    every, frames
        Show every so many frames (the last one always), or just these.
    reverse, bounce
        Play backwards; play there and back again.
    hold
        Seconds that the last frame stays, or the first and the last. Default: 1, and 0 for a turn
        that ends where it started.
    fps
        Frames a second. Default: 10, and fewer for a film of few frames.
    duration
        Seconds that the whole film lasts, instead of `fps`.
    frame_title
        Text over each frame. `"auto"`: iteration, gene or column; or a format string with
        `{frame}`, `{iteration}`, `{name}`, `{n_frames}`; a list; a function of the frame's
        number; `None`: no text, scanpy's title.
    progress_line
        Draw a thin line along the lower edge that grows as the film goes on.
    mark_seeds
        Ring the seed cells of a propagation, unless they are more than 50 and a fiftieth of all.
    mark_cells
        Ring other cells: names, positions or a mask.
    align
        Turn, mirror, scale and shift the embeddings of `basis` to lie over each other as well as
        they can (orthogonal Procrustes), so that cells do not fly needlessly. The last one stays
        as it is, or `"spatial"` where it is among them.
    projection
        `"3d"`: three dimensions of the embedding, turning around the upright axis, the nearer
        cells before the farther ones.
    rotate
        Degrees that the film turns, with `projection="3d"`.
    img_key
        Which picture of the tissue, such as `"hires"`; `None`: no picture.
    library_id
        Whose picture and scale, where `uns["spatial"]` has several libraries.
    progress
        Show a progress bar on long work; `None`: when it lasts and someone watches.
    panels
        What stands side by side, all on one clock, where a list as `color` is frames: genes,
        columns (these stand still), results, arrays; the name of another embedding; or arguments
        for one panel alone, such as `{"color": "types", "basis": "spatial", "title": "tissue"}`.
        The other arguments hold for all panels.
    figsize
        Width and height of the film in inches, legends, color bars and titles inside: at
        `dpi=100`, `(19.2, 10.8)` fills a slide. Default: as `scanpy.pl.embedding` draws it,
        widened where its legend sticks out. With `ax`, its whole figure is made that large.
    ax
        Axes to draw in, of any figure. Default: a figure of its own.
    **kwargs
        All else goes to `scanpy.pl.embedding` and means there what it means there: `palette`,
        `cmap`, `size`, `vmin`, `frameon`, `legend_loc`, `title`, `groups`, …

    Returns
    -------
    A film that shows itself at the end of a notebook cell; `.save("film.mp4")` writes it.

    Raises
    ------
    KeyError, TypeError, ValueError
        Naming the argument, its value and what exists instead, before anything is drawn.

    Examples
    --------
    >>> import scanpy as sc, scanpy_anim as sca
    >>> adata = sc.datasets.pbmc68k_reduced()
    >>> sca.tl.label_propagation(adata, "bulk_labels")
    >>> film = sca.pl.animate_embedding(adata, classes="Dendritic", fps=5)
    >>> film.save("dendritic.gif")
    """
    adata = readable(adata)
    basis, ours = plain_names("basis", basis), inspect.signature(animate_embedding).parameters
    drawing = Drawing(sort_order, confidence, mark_seeds, progress_line, progress, figsize)
    options = options_of(kwargs, ours, classes, projection)
    scene = Scene(basis, projection, rotate, align, img_key, library_id, ax)
    moving = motion(
        adata, basis, align=align, projection=projection, rotate=rotate, **options.dimensions
    )
    parts = parts_of(
        adata, groupby, along, n_frames=n_frames, cumulative=cumulative, **options.genes
    )
    color = color_in_parts(adata, color, groupby, along)
    how = {"classes": classes, "match": match_categories, **options.genes}
    sources, stays = in_motion(sources_in_parts(adata, color, n_frames, parts, how), moving)
    if ease is None and not (isinstance(pace, str) and pace == "change") and not stays:
        moving = gliding(moving)
    n_frames = sources[0].n_frames
    pacing = Pacing(
        **pacing_in_motion(moving, stays, n_frames, tween, ease, pace),
        hold=hold,
        fps=fps,
        duration=duration,
        every=every,
        frames=frames,
        reverse=reverse,
        bounce=bounce,
    )
    shown, scaling = pacing.chosen(n_frames), ScaleChoice(scale, per_frame)
    options, frame_title = parted_titles(options, frame_title, n_frames, len(sources))
    texts, marked = frame_titles(frame_title, sources[0]), marked_cells(adata, mark_cells)
    timeline = pacing.timeline(n_frames)

    stage = set_stage(adata, scene, sources, scaling, shown, moving, options)
    colorings = colorings_of(stage, drawing)
    timeline, last = paced(pacing, timeline, colorings, stage)
    ways = stays and moving is not None and moving.between
    titles = texts and moment_titles(texts, timeline.moments, ways, last)
    rings = (seed_rings(stage) if mark_seeds else []) + cell_rings(stage, marked)
    with stage.plot.named_in_errors():
        return record(stage, colorings, timeline, titles, rings, drawing)
