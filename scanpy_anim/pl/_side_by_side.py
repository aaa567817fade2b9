"""Several films in one: side by side, on one clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim._checks import whole
from scanpy_anim.pl._animation import EmbeddingAnimation
from scanpy_anim.pl._drawing import checked_size
from scanpy_anim.pl._layout import arrange
from scanpy_anim.pl._notebook import await_use
from scanpy_anim.pl._record import play
from scanpy_anim.pl._scanpy_plot import new_figure
from scanpy_anim.pl._timeline import Moment, Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scanpy_anim.pl._clip import Clip

#: Panels in a row, as in `sc.pl.embedding`.
_NCOLS = 4


def side_by_side(
    films: Sequence[EmbeddingAnimation],
    *,
    ncols: int | None = None,
    figsize: tuple[float, float] | None = None,
) -> EmbeddingAnimation:
    """Put films into one film, in which all play on one clock.

    Every panel is drawn anew on one figure. A film that is over stays at its last frame; one of a
    single frame stands still and does not make the whole any longer.

    Parameters
    ----------
    films
        What `animate_embedding` returned, also of different AnnData.
    ncols
        How many panels stand in a row. Default: 4 at most.
    figsize
        Width and height of the film in inches, everything inside. Default: as large as it takes
        to leave the panels their size.

    Returns
    -------
    A film of its own; those it is made of are not changed.

    Raises
    ------
    TypeError, ValueError
        For anything but films, and where `figsize` leaves no room.

    Examples
    --------
    >>> import scanpy as sc, scanpy_anim as sca
    >>> adata = sc.datasets.pbmc68k_reduced()
    >>> sca.tl.label_propagation(adata, "bulk_labels")
    >>> scores = sca.pl.animate_embedding(adata, classes="Dendritic")
    >>> known = sca.pl.animate_embedding(adata, color="bulk_labels")
    >>> film = sca.pl.side_by_side([scores, known], figsize=(10, 4))
    >>> len(film) == len(scores)
    True
    """
    films = _checked(films)
    size = None if figsize is None else checked_size(figsize)
    columns = _NCOLS if ncols is None else whole("ncols", ncols, least=1)
    timeline, schedule = _one_clock(films)
    old = [clip for film in films for clip in film.clips]
    figure = new_figure()
    count = sum(len(clip.stage.panels) for clip in old)
    axes = iter([figure.add_subplot(1, count, i + 1) for i in range(count)])
    panel = np.max([_inches(p.ax) for clip in old for p in clip.stage.panels], axis=0)
    clips = [_drawn_on(clip, axes) for clip in old]
    slots = [slot for clip in clips for slot in clip.stage.slots()]
    lay_out = partial(
        arrange, figure, slots, ncols=columns, size=size, panel=(float(panel[0]), float(panel[1]))
    )
    lay_out()  # scanpy's legends and the tissue follow the axes, so these come first
    film = play(figure, clips, timeline, schedule, arrange=lay_out)
    for each in films:
        each.see()
    await_use(film)
    return film


def _checked(films: Any) -> list[EmbeddingAnimation]:
    one = isinstance(films, EmbeddingAnimation) or getattr(films, "ndim", 1) == 0
    if one or not isinstance(films, Iterable):
        raise TypeError(f"films={films!r}: a list of films, such as [film, film].")
    films = list(films)
    for i, film in enumerate(films):
        if not isinstance(film, EmbeddingAnimation):
            raise TypeError(f"films[{i}] is {type(film).__name__}, which is no film.")
    if not films:
        raise ValueError("films is empty: at least one film is needed.")
    return films


def _one_clock(
    films: Sequence[EmbeddingAnimation],
) -> tuple[Timeline, list[list[int]]]:
    """Return the timeline of all films together, and which moment each clip shows in its frames.

    A frame begins whenever one of a film does; those that begin within half a frame of each other
    do so together.
    """
    seconds = [film.timeline.seconds() for film in films]
    moving = [s for s in seconds if len(s) > 1] or seconds
    end = max(s.sum() for s in moving)
    least = min(s.min() for s in moving) / 2
    starts = [np.concatenate([[0.0], np.cumsum(s)[:-1]]) for s in seconds]
    begins: list[float] = []
    for start in np.unique(np.concatenate(starts)):
        if not begins or start - begins[-1] > least:
            begins.append(float(start))
    lengths = np.diff([*begins, end])
    fps = 1 / float(lengths.min())
    moments = [
        Moment(i, i, held=0.0 if abs(length * fps - 1) < 1e-6 else float(length))
        for i, length in enumerate(lengths)
    ]
    schedule: list[list[int]] = []
    for begin in begins:
        shown = [int(np.searchsorted(s, begin + least, side="right")) - 1 for s in starts]
        schedule.append([k for film, i in zip(films, shown, strict=True) for k in film.schedule[i]])
    return Timeline(tuple(moments), fps, len(moments)), schedule


def _drawn_on(clip: Clip, axes: Any) -> Clip:
    """Draw a clip's stage once more, on the next of the axes."""
    stage = clip.stage
    panels = tuple(stage.drawn_on(panel, next(axes)) for panel in stage.panels)
    figure = panels[0].ax.get_figure(root=True)
    assert figure is not None
    return replace(clip, stage=replace(stage, figure=figure, panels=panels, own=True))


def _inches(ax: Axes) -> tuple[float, float]:
    """Return the size of axes."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    box, (width, height) = ax.get_position(original=True), figure.get_size_inches()
    return box.width * width, box.height * height
