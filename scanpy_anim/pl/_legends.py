"""Legends and color bars: where they are, how large, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import scanpy as sc

from scanpy_anim._compat import figure_of
from scanpy_anim.pl._source import Categorical, Continuous, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.colors import Normalize
    from matplotlib.legend import Legend

    from scanpy_anim.pl._options import PlotOptions
    from scanpy_anim.pl._scale import Scale

#: A longer legend is left out.
_MOST_CATEGORIES = 100
#: A legend that is so much wider or higher than the axes is laid out anew.
_LONG = 1.5
#: Its letters are at least so large, of those asked for; a mark and gaps take so many letters.
_SIZES, _MARK = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4), 3.5
#: Height of a line in letters, inches below the axes, and how wide cells lie best for their height.
_LINE, _UNDER, _WIDE = 1.35, 0.35, 4 / 3
_MARKED = "scanpy_anim.legend"


def pin_legend(ax: Axes) -> None:
    """Leave a legend where there is most room, which it looks for whenever it is drawn."""
    legend = ax.get_legend()
    if legend is not None:
        figure_of(ax).draw_without_rendering()
        box = legend.get_window_extent().transformed(ax.transAxes.inverted())
        legend.set_loc((box.x0, box.y0))


def tame_legend(
    ax: Axes,
    axes: tuple[float, float] | None = None,
    room: tuple[float, float] | None = None,
    *,
    resizable: bool,
) -> None:
    """Lay a long legend out anew, beside the axes or below, where it leaves cells most room.

    Parameters
    ----------
    ax
        Axes with a legend in the right margin.
    axes
        Inches of the axes, where they are not yet as large as they will be.
    room
        Inches for axes and legend together; `None`: the axes keep their size.
    resizable
        Whether letters may become smaller.
    """
    legend, dpi = ax.get_legend(), figure_of(ax).dpi
    if legend is None or not legend.get_texts() or legend.get_gid() == _MARKED:
        return
    wide, high = _inches(legend)
    if room is None:
        axes = axes or _inches(ax)
        short = wide <= _LONG * axes[0] and high <= _LONG * axes[1]
    else:
        short = wide <= room[0] / 2 and high <= room[1]
    if short:
        return
    texts = legend.get_texts()
    letter = float(texts[0].get_fontsize()) / 72
    column = max(t.get_window_extent().width for t in texts) / dpi + _MARK * letter
    sizes = _SIZES if resizable else (1.0,)
    layouts = _layouts(len(texts), column, _LINE * letter, axes, room, sizes)
    _lay_out(ax, legend, max(layouts, key=lambda layout: layout.worth), axes)


def _inches(artist: Artist) -> tuple[float, float]:
    """Return width and height of what is drawn."""
    box, figure = artist.get_window_extent(), artist.get_figure(root=True)
    assert figure is not None
    return box.width / figure.dpi, box.height / figure.dpi


def _lay_out(ax: Axes, legend: Legend, layout: _Layout, axes: tuple[float, float] | None) -> None:
    texts = legend.get_texts()
    font = texts[0].get_fontproperties().copy()
    font.set_size(float(texts[0].get_fontsize()) * layout.size)
    under = 0.1 if axes is None else (_UNDER - 0.05) / axes[1]
    anew = ax.legend(
        cast("list[Artist]", legend.legend_handles),
        [text.get_text() for text in texts],
        loc="upper center" if layout.below else "center left",
        bbox_to_anchor=(0.5, -under) if layout.below else (1, 0.5),
        ncols=layout.columns,
        prop=font,
        markerscale=layout.size,
        labelcolor=texts[0].get_color(),
        frameon=False,
        labelspacing=0.3,
        columnspacing=1.0,
        handletextpad=0.4,
    )
    anew.set_gid(_MARKED)


class _Layout(NamedTuple):
    """How a legend may be laid out: how much that is worth, size of its letters, columns."""

    worth: float
    size: float
    below: bool
    columns: int


def _layouts(
    n: int,
    column: float,
    line: float,
    axes: tuple[float, float] | None,
    room: tuple[float, float] | None,
    sizes: Sequence[float],
) -> Iterator[_Layout]:
    """List the ways to lay out a legend of `n` lines, in inches.

    A way is worth what it leaves to the cells, and how large the letters are. A figure that grows
    with its legend leaves them a share of its width or height.
    """
    size_of_both = axes if room is None else room
    assert size_of_both is not None
    width, height = size_of_both
    for size in sizes:
        columns = -(-n // max(int(height / (line * size)), 1))
        aside = columns * column * size
        across = max(min(int(width / (column * size)), n), 1)
        under = -(-n // across) * line * size + _UNDER
        if room is None:
            beside, below = width / (width + aside), height / (height + under)
        else:
            beside = max(min(width - aside, _WIDE * height), 0)
            below = max(min(width, _WIDE * (height - under)), 0)
        yield _Layout(size * beside, size, False, columns)
        yield _Layout(size * below, size, True, across)


def without_endless_legend(sources: Sequence[Source], options: PlotOptions) -> PlotOptions:
    """Leave out a legend that would be longer than the film is wide, and say so."""
    most = max((len(s.categories) for s in sources if isinstance(s, Categorical)), default=0)
    if most <= _MOST_CATEGORIES or "legend_loc" in options.passed:
        return options
    sc.logging.warning(f"{most} categories: the legend is left out (legend_loc= brings it back)")
    return options.changed(legend_loc=None)


def name_scale(
    cloud: PathCollection, scale: Scale, source: Continuous, *, titled: bool = False
) -> None:
    """Say on the color bar what is shown."""
    bar = cloud.colorbar
    if bar is None:
        return
    text = scale.bar(source, cast("Normalize", cloud.norm), titled=titled)
    if text.label is not None:
        between = text.tick_labels == ("low", "high")
        bar.set_label(text.label, labelpad=-14 if between else None)
    if text.ticks is not None:
        bar.set_ticks(list(text.ticks), labels=list(text.tick_labels or ()))


def shrink_legend(ax: Axes, most: float) -> None:
    """Make a legend's letters smaller until it is no higher than so many inches."""
    legend = ax.get_legend()
    if legend is None:
        return
    high = legend.get_window_extent().height / figure_of(ax).dpi
    share = most / high
    if share < 1:
        for text in legend.get_texts():
            text.set_fontsize(float(text.get_fontsize()) * share)
