"""What is written over each frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim._names import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

    from scanpy_anim.pl._source import Source
    from scanpy_anim.pl._timeline import Moment

FrameTitle = str | Sequence[str] | Callable[[int], str] | None
FIELDS = ("frame", "iteration", "name", "n_frames")


def frame_names(source: Source) -> list[str]:
    """Name each frame of a source: iteration, gene, column, or its number."""
    if source.labels is not None:
        return [str(label) for label in source.labels]
    if source.iterations is not None:
        return [_iteration(t) for t in source.iterations]
    return [f"frame {i}" for i in range(source.n_frames)] if source.n_frames > 1 else [source.name]


def _iteration(t: float) -> str:
    return "limit" if np.isinf(t) else f"iteration {int(t)}"


def frame_titles(title: FrameTitle, source: Source) -> list[str] | None:
    """Spell out the text over each frame of a source, or `None` where there is none.

    Raises
    ------
    ValueError
        When a list is of another length than the frames, or a format names unknown fields.
    """
    if title is None:
        return None
    names = frame_names(source)
    if title == "auto":
        if set(names) == {source.name}:
            return None  # the stage says it
        return names
    if isinstance(title, str):
        return [_formatted(title, i, names[i], source) for i in range(source.n_frames)]
    if callable(title):
        return [str(title(i)) for i in range(source.n_frames)]
    texts = [str(t) for t in title]
    if len(texts) != source.n_frames:
        raise ValueError(f"frame_title has {len(texts)} texts; there are {source.n_frames} frames.")
    return texts


def moment_titles(texts: Sequence[str], moments: Sequence[Moment], *, ways: bool) -> list[str]:
    """Name each moment after the nearer frame, or with `ways` after both ends of its way."""
    return [
        f"{texts[m.first]} → {texts[m.second]}" if ways and m.weight else texts[m.nearest]
        for m in moments
    ]


def _formatted(title: str, i: int, name: str, source: Source) -> str:
    iteration: Any = i if source.iterations is None else source.iterations[i]
    iteration = "limit" if np.isinf(iteration) else int(iteration)
    fields = {"frame": i, "iteration": iteration, "name": name, "n_frames": source.n_frames}
    try:
        return title.format(**fields)
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(
            f"frame_title={title!r} does not fit frame {i} ({error}): a format string may use "
            f"{listed(FIELDS)}; iteration is the word 'limit' in the last frame of a propagation."
        ) from error


def write_over(ax: Axes, text: str, *, aside: bool) -> Text:
    """Write a frame's text over its axes.

    Matplotlib's own titles do not belong to a frame, so this is a text of its own in the
    title's place and font; or, where the place is taken, `aside`: small, below the lower right
    corner, where no title can run into it.
    """
    from matplotlib.transforms import ScaledTranslation

    title, figure = ax.title, ax.get_figure(root=True)
    assert figure is not None
    below = ax.transAxes + ScaledTranslation(0, -5 / 72, figure.dpi_scale_trans)
    return ax.text(
        1.0 if aside else 0.5,
        0.0 if aside else 1.0,
        text,
        transform=below if aside else title.get_transform(),
        ha="right" if aside else "center",
        va="top" if aside else "baseline",
        fontproperties=title.get_fontproperties(),
        fontsize=float(title.get_fontsize()) * (0.8 if aside else 1),
        color=title.get_color(),
        clip_on=False,
    )


def draw_progress(ax: Axes, share: float) -> None:
    """Draw a thin line along the lower edge, as long as the film has come."""
    from matplotlib.lines import Line2D

    line = Line2D([0, share], [0, 0], transform=ax.transAxes, clip_on=False, zorder=4)
    line.set(color=ax.title.get_color(), linewidth=2.5, solid_capstyle="butt")
    ax.add_line(line)
