"""The film of an algorithm on an embedding: resolve, set the stage, record, hand over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData
    from matplotlib.axes import Axes

    from scanpy_anim.pl._animation import EmbeddingAnimation
    from scanpy_anim.pl._color import Color
    from scanpy_anim.pl._order import SortOrder
    from scanpy_anim.pl._scale import ScaleName
    from scanpy_anim.pl._timeline import Ease, Pace
    from scanpy_anim.pl._titles import FrameTitle


#: What says which of an embedding's dimensions are shown.
DIMENSIONS = ("components", "dimensions")


def animate_embedding(
    adata: AnnData,
    basis: str | Sequence[str] = "umap",
    *,
    color: Color = "label_propagation",
    n_frames: int | None = None,
    classes: str | Sequence[str] | None = None,
    scale: ScaleName = "rank",
    per_frame: bool = False,
    sort_order: SortOrder = True,
    tween: int = 0,
    ease: Ease | None = None,
    pace: Pace = "even",
    every: int = 1,
    frames: Sequence[int] | slice | None = None,
    reverse: bool = False,
    bounce: bool = False,
    hold: float | tuple[float, float] = 1.0,
    fps: float = 10,
    duration: float | None = None,
    frame_title: FrameTitle = "auto",
    progress_line: bool = False,
    mark_seeds: bool = True,
    mark_cells: Sequence[Any] | None = None,
    align: bool = True,
    projection: Literal["2d", "3d"] = "2d",
    rotate: float = 360,
    img_key: str | bool | None = True,
    progress: bool | None = None,
    ax: Axes | None = None,
    **kwargs: Any,
) -> EmbeddingAnimation:
    """Replay an algorithm on an embedding.

    The stage (axes, colour bar, legend, title) is drawn once by `scanpy.pl.embedding` with your
    arguments; every frame then recolours the same cells. A colour means the same from the first
    frame to the last.

    Parameters
    ----------
    adata
        Annotated data with an embedding. It is not changed.
    basis
        Name of the embedding in `obsm`, with or without `X_`. Several names: the cells move from
        one to the next, colours going along. An array `(n_obs, 2, n_frames)`: the cells follow
        it. `"spatial"`: equal sides, y downwards, and the tissue's picture underneath where
        `uns["spatial"]` has one, spots as large as it says unless `size` is given.
    color
        What each frame shows:

        - a key of `obsm` with an array `(n_obs, n_frames)`, such as the scores that
          `scanpy_anim.tl.label_propagation` stores, or `(n_obs, n_frames, n_classes)`: then the
          label of the moment, the closer to `na_color` the less sure it is (paler rather than
          less opaque: opacities add up where cells overlap, and unsure cells would look sure);
        - a list of columns of `obs` or genes, a frame each;
        - a list of arrays `(n_obs,)`, a frame each, or an array `(n_obs, n_frames)`;
        - a function of the frame's number that returns an array `(n_obs,)`, with `n_frames`. It
          is called once a frame, when the frame is needed.

        Numbers or categories; missing ones are drawn in `na_color`.
    n_frames
        How many frames there are, with a function as `color` only.
    classes
        Of a result with several classes: show this class's scores instead of the labels. A list
        makes a panel for each.
    scale
        `"rank"`: colour by the cell's rank within the frame, ties averaged
        (`scipy.stats.rankdata`), the frame's lowest and highest at the ends of the colour map.
        `"linear"`: by the value. `"log"`: by its logarithm, values of 0 or less as missing. A
        function: by what it makes of the frame's values.
    per_frame
        Limits of the colour map for each frame on its own rather than over the whole film.
    sort_order
        `True`: cells that are highest in any frame are on top in every frame. `"frame"`: the
        highest of each frame on top, as a still from scanpy has it. `False`: order of the data.
        Missing ones are at the bottom.
    tween
        Number of interpolated frames between two: values are interpolated before they are
        ranked, categories and missing values cross-fade. A way between embeddings has 24 unless
        you say otherwise.
    ease
        How fast these go from one to the next: `"linear"`, `"in-out"` or a function from 0 … 1
        to 0 … 1. Default: `"in-out"` for a way between embeddings, else `"linear"`. With
        `pace="change"`: how fast the whole film goes, `"linear"` by default.
    pace
        `"change"`: every second shows the same amount of change, of colours and of places.
        `"even"`: every frame lasts the same.
    every, frames
        Show every so many frames (the last one always), or just these.
    reverse, bounce
        Play backwards; play there and back again.
    hold
        Seconds that the last frame stays, or the first and the last.
    fps
        Frames a second.
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
    progress
        Show a progress bar on long work; `None`: when it lasts and someone watches.
    ax
        Axes to draw in. Default: a figure of its own.
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
    from scanpy_anim.pl import _color, _marks
    from scanpy_anim.pl._motion import TWEENS, motion
    from scanpy_anim.pl._pace import change_of
    from scanpy_anim.pl._panel import paint
    from scanpy_anim.pl._recipe import INSTEAD, check_arguments
    from scanpy_anim.pl._record import record
    from scanpy_anim.pl._scale import Scale
    from scanpy_anim.pl._stage import set_stage
    from scanpy_anim.pl._timeline import Pacing
    from scanpy_anim.pl._titles import frame_titles, moment_titles

    check_arguments(kwargs)
    _taken(kwargs, *INSTEAD)  # show=False and the like: so it is anyway
    _check_sort_order(sort_order)
    _check_axes(ax)
    call = _spelled(locals())
    if isinstance(classes, str) and kwargs.keys().isdisjoint(DIMENSIONS):
        kwargs.setdefault("title", classes)  # or the frame's text would take its place
    moving = motion(
        adata,
        basis,
        align=align,
        projection=projection,
        rotate=rotate,
        **{n: kwargs[n] for n in DIMENSIONS if kwargs.get(n) is not None},
    )
    if projection == "3d":
        _taken(kwargs, *DIMENSIONS)
    scaling = Scale(scale, _taken(kwargs, "vmin", "vmax", "vcenter", "norm"), per_frame)
    sources = _color.on_one_clock(
        _color.sources(
            adata,
            color,
            n_frames=n_frames,
            classes=classes,
            **_taken(kwargs, "layer", "use_raw", "gene_symbols"),
        )
    )
    morph = moving is not None and moving.between
    ways = False
    if moving is not None and sources[0].n_frames == 1:  # cells move, colours stay
        tween, ways = tween or (TWEENS if morph else 0), morph
        sources = [s.staying(moving.n_keys, None, labels=moving.labels(s.name)) for s in sources]
    pacing = Pacing(
        tween=tween,
        ease=ease or ("in-out" if morph and pace == "even" else "linear"),
        hold=hold,
        fps=fps,
        duration=duration,
        pace=pace,
        every=every,
        frames=frames,
        reverse=reverse,
        bounce=bounce,
    )
    n_frames = sources[0].n_frames
    picked, timeline = pacing.chosen(n_frames), pacing.timeline(n_frames)
    texts = frame_titles(frame_title, sources[0])
    marked = _marks.marked_cells(adata, mark_cells)

    stage = set_stage(
        adata,
        basis,
        sources,
        scaling.of_panels(len(sources)),
        picked,
        motion=moving,
        img_key=img_key,
        ax=ax,
        arguments=kwargs,
    )
    paints = [paint(stage, i, sort_order) for i in range(len(stage.panels))]
    if pace == "change":
        change = change_of(paints, moving, adata.n_obs, n_frames)
        timeline = pacing.timeline(n_frames, change)
    titles = None if texts is None else moment_titles(texts, timeline.moments, ways=ways)
    rings = _marks.seed_rings(stage) if mark_seeds else []
    rings += _marks.cell_rings(stage, marked)
    return record(
        stage,
        paints,
        timeline,
        titles,
        rings,
        progress_line=progress_line,
        call=call,
        progress=progress,
    )


def _taken(kwargs: dict[str, Any], *names: str) -> dict[str, Any]:
    """Take some arguments out of those that go to scanpy."""
    return {name: kwargs.pop(name) for name in names if name in kwargs}


def _spelled(arguments: dict[str, Any]) -> str:
    """Spell the call as it goes into the files: what differs from the defaults, briefly."""
    import inspect

    defaults = inspect.signature(animate_embedding).parameters
    named = {n: arguments[n] for n, p in defaults.items() if arguments[n] is not p.default}
    given = {**named, **arguments["kwargs"]}
    spelled = [
        f"{name}={value!r}"
        for name, value in given.items()
        if isinstance(value, str | int | float | list | tuple) and len(repr(value)) < 200
    ]
    return f"scanpy_anim.pl.animate_embedding({', '.join(['adata', *spelled])})"


def _check_axes(ax: object) -> None:
    from matplotlib.axes import Axes

    if ax is not None and not isinstance(ax, Axes):
        raise TypeError(f"ax={ax!r}: one matplotlib Axes, such as plt.subplots() makes.")


def _check_sort_order(sort_order: object) -> None:
    if not (isinstance(sort_order, bool) or sort_order == "frame"):
        raise ValueError(f"sort_order={sort_order!r}: True, False or 'frame'.")
