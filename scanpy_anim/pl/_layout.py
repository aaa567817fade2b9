"""Where things are on the figure: room for what moves, panels side by side, the figure's size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scanpy as sc
from matplotlib.transforms import Bbox

from scanpy_anim._compat import COLORBAR, figure_of
from scanpy_anim.pl._backdrop import drawn_at
from scanpy_anim.pl._legends import shrink_legend, tame_legend

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from scanpy_anim.pl._motion import Motion

#: Inches around a figure that was widened, around one of a given size, to a bar, between panels.
_PAD, _MARGIN, _GAP, _BETWEEN = 0.05, 0.1, 0.05, 0.15
#: Cells have at least so many inches; what sticks out is measured so often, as it moves, too.
_LEAST, _ROUNDS = 0.4, 4
#: Dots an inch of a small file.
_LOW = 50.0


def settle(figure: Figure) -> None:
    """Let a layout engine arrange the figure now, while scanpy's cells are on it, and then rest."""
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.set_layout_engine("none")


def make_room(ax: Axes, motion: Motion) -> None:
    """Set limits that hold all cells at all times; no axis name fits several embeddings."""
    (x0, y0), (x1, y1) = motion.limits()
    x, y = 0.05 * ((x1 - x0) or 1), 0.05 * ((y1 - y0) or 1)
    ax.set_xlim(x0 - x, x1 + x)
    ax.set_ylim(y0 - y, y1 + y)
    if motion.between:
        ax.set(xlabel="", ylabel="")
    if motion.depth(0) is not None:
        ax.set_aspect("equal")


def fit(figure: Figure, slots: Sequence[Slot] = ()) -> None:
    """Widen a figure until legends and titles that scanpy let stick out are inside.

    Everything keeps its size and place from the lower left corner, as `bbox_inches="tight"`
    would show it; but every frame has the same size.
    """
    for slot in slots:
        slot.tame_legend()
    tight = Bbox.union([figure.get_tightbbox() for _ in _resolutions(figure)])
    width, height = figure.get_size_inches()
    left, bottom = max(0.0, _PAD - tight.x0), max(0.0, _PAD - tight.y0)
    left, bottom = (left if tight.x0 < 0 else 0.0), (bottom if tight.y0 < 0 else 0.0)
    right = tight.x1 - width + _PAD if tight.x1 > width else 0.0
    top = tight.y1 - height + _PAD if tight.y1 > height else 0.0
    if any((left, right, bottom, top)):
        new = width + left + right, height + bottom + top
        _move(figure, new, (left, bottom), (float(width), float(height)))


def _resolutions(figure: Figure) -> Iterator[float]:
    """Have the figure in its own resolution, then in a low one, in which letters are wider."""
    for dpi in (float(figure.dpi), _LOW):
        with drawn_at(figure, dpi):
            yield dpi


def squeeze(figure: Figure, size: tuple[float, float]) -> None:
    """Give a figure a size, and move all that sticks out of it inside.

    Letters keep their size, axes shrink.
    """
    figure.set_size_inches(size)
    if figure.get_layout_engine() is not None:
        return
    for _ in range(_ROUNDS):
        tight = Bbox.union([figure.get_tightbbox() for _ in _resolutions(figure)])
        left, bottom = max(0.0, _MARGIN - tight.x0), max(0.0, _MARGIN - tight.y0)
        right = max(0.0, tight.x1 - size[0] + _MARGIN)
        top = max(0.0, tight.y1 - size[1] + _MARGIN)
        room = size[0] - left - right, size[1] - bottom - top
        if min(room) < _LEAST:
            raise _too_small(size)
        _move(figure, size, (left, bottom), room)


def _move(
    figure: Figure,
    size: tuple[float, float],
    corner: tuple[float, float],
    scale: tuple[float, float],
) -> None:
    """Put what fills the figure into a rectangle of a figure of another size, in inches."""
    places = [(ax, ax.get_position(original=True).bounds) for ax in figure.axes]
    figure.set_size_inches(size)
    for ax, (x, y, w, h) in places:
        inches = (x * scale[0] + corner[0], y * scale[1] + corner[1], w * scale[0], h * scale[1])
        _place(ax, inches, size)


def _place(ax: Axes, inches: tuple[float, float, float, float], size: tuple[float, float]) -> None:
    x, y, w, h = inches
    ax.set_position((x / size[0], y / size[1], w / size[0], h / size[1]))


@dataclass(frozen=True, eq=False)
class Slot:
    """Axes of one panel and its color bar.

    Attributes
    ----------
    ax, bar, side
        Axes of the cells, of the color bar, and where that is.
    resizable
        Whether a long legend's letters may become smaller; `None`: it stays as it is.
    """

    ax: Axes
    bar: Axes | None
    side: str | None
    resizable: bool | None = None

    def tame_legend(
        self, axes: tuple[float, float] | None = None, room: tuple[float, float] | None = None
    ) -> None:
        """Lay a long legend out anew, for axes of a size, or within inches for the panel."""
        if self.resizable is not None:
            tame_legend(self.ax, axes, room, resizable=self.resizable)

    def beyond(self) -> NDArray[np.float64]:
        """Return inches by which legend, bar, titles and labels stick out of the axes.

        To the left, to the right, downwards, upwards.
        """
        figure = figure_of(self.ax)
        x, y, w, h = self.ax.get_position(original=True).bounds
        width, height = figure.get_size_inches()
        out = np.zeros(4)
        for dpi in _resolutions(figure):
            boxes = [b.get_tightbbox() for b in (self.ax, self.bar) if b is not None]
            tight = Bbox.union([box for box in boxes if box is not None])
            ends = [x * width - tight.x0 / dpi, tight.x1 / dpi - (x + w) * width]
            ends += [y * height - tight.y0 / dpi, tight.y1 / dpi - (y + h) * height]
            out = np.maximum(out, ends)
        return out

    def place(self, inches: tuple[float, float, float, float], size: tuple[float, float]) -> None:
        """Put the axes into a rectangle, and the bar beside them."""
        _place(self.ax, inches, size)
        if self.bar is None:
            return
        self.ax.apply_aspect()
        (x, y, w, h) = self.ax.get_position().bounds
        x, y, w, h = x * size[0], y * size[1], w * size[0], h * size[1]
        thick = (h if self.side in ("left", "right") else w) / COLORBAR["aspect"]
        places = {
            "right": (x + w + _GAP, y, thick, h),
            "left": (x - _GAP - thick, y, thick, h),
            "top": (x, y + h + _GAP, w, thick),
            "bottom": (x, y - _GAP - thick, w, thick),
        }
        self.bar.set_anchor("SW")
        _place(self.bar, places[self.side or "right"], size)


def arrange(
    figure: Figure,
    slots: Sequence[Slot],
    *,
    ncols: int,
    size: tuple[float, float] | None = None,
    panel: tuple[float, float] | None = None,
) -> None:
    """Lay panels out in a grid that fills the figure, everything inside.

    Parameters
    ----------
    figure, slots
        The figure and its panels.
    ncols
        How many stand in a row.
    size
        Of the figure, in inches; the panels are as large as there is room.
    panel
        Without `size`: of each panel; the figure is as large as it takes.

    Raises
    ------
    ValueError
        Where legends, titles and labels leave no room for cells.
    """
    ncols = min(ncols, len(slots))
    rows = [slots[i : i + ncols] for i in range(0, len(slots), ncols)]
    columns = [slots[i::ncols] for i in range(ncols)]
    if size is not None:
        figure.set_size_inches(size)
        for slot in slots:
            room = size[0] / ncols - 2 * _MARGIN, size[1] / len(rows) - 4 * _MARGIN
            slot.tame_legend(room=room)
            shrink_legend(slot.ax, size[1] - 2 * _MARGIN)
    else:
        for slot in slots:
            slot.tame_legend(panel)
    for _ in range(_ROUNDS):
        out = {slot: slot.beyond() for slot in slots}
        left, right = (
            np.array([max(out[slot][side] for slot in column) for column in columns])
            for side in (0, 1)
        )
        below, above = (
            np.array([max(out[slot][side] for slot in row) for row in rows]) for side in (2, 3)
        )
        aside = (left + right).sum() + _BETWEEN * (ncols - 1) + 2 * _MARGIN
        over = (below + above).sum() + _BETWEEN * (len(rows) - 1) + 2 * _MARGIN
        if size is None:
            assert panel is not None
            width, height = panel
            now = float(ncols * width + aside), float(len(rows) * height + over)
        else:
            now = size
            width, height = (now[0] - aside) / ncols, (now[1] - over) / len(rows)
        if min(width, height) < _LEAST:
            raise _too_small(now)
        figure.set_size_inches(now)
        y = now[1] - _MARGIN
        for r, row in enumerate(rows):
            y -= above[r] + height
            x = _MARGIN
            for c, slot in enumerate(row):
                slot.place((x + left[c], y, width, height), now)
                x += left[c] + width + right[c] + _BETWEEN
            y -= below[r] + _BETWEEN


def _too_small(size: tuple[float, float]) -> ValueError:
    return ValueError(
        f"figsize={tuple(map(float, size))!r}: legend, titles and labels leave no room for the "
        "cells. A larger one, legend_loc=None, or smaller letters (legend_fontsize=)."
    )


def tell_what_sticks_out(figure: Figure, slots: Sequence[Slot]) -> None:
    """Warn of what is cut off at the edge of a figure that is not the film's own."""
    if figure.get_layout_engine() is not None:
        return
    inside = figure.bbox.padded(1)
    cut = []
    for slot in slots:
        texts = [text for text in slot.ax.texts if not text.get_clip_on()]
        parts = {
            "frame text": texts[0] if texts else None,
            "legend": slot.ax.get_legend(),
            "color bar": slot.bar,
            "title": slot.ax.title,
            "label of the x axis": slot.ax.xaxis,
            "label of the y axis": slot.ax.yaxis,
        }
        for name, part in parts.items():
            box = None if part is None or not part.get_visible() else part.get_tightbbox()
            if box is not None and box.width and box.height and not _within(box, inside):
                cut.append(name)
    if cut:
        names = " and ".join(dict.fromkeys(cut))
        sc.logging.warning(
            f"{names}: beyond the edge of the figure of ax, and cut off. figsize= makes room "
            "inside, or plt.subplots(layout='constrained')."
        )


def _within(box: Bbox, outer: Bbox) -> bool:
    return bool(
        box.x0 >= outer.x0 and box.x1 <= outer.x1 and box.y0 >= outer.y0 and box.y1 <= outer.y1
    )
