"""Pixel coverage of markers at their positions within a pixel, rasterised by Agg itself.

Each distinct marker shape is drawn once for each phase (position within the pixel) that occurs.
So joins, caps, dashes, curves and snapping to the pixel grid are Agg's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, IdentityTransform

if TYPE_CHECKING:
    from numpy.typing import NDArray

FACE, EDGE = 0, 1
_SCRATCH_PIXELS = 1 << 22  # of one canvas of stamps
_ATLAS_BYTES = 1 << 28
_EXACT_STAMPS, _MANY_STAMPS = 4096, 1 << 16
_PHASES = (256, 32, 16)


@dataclass(frozen=True)
class Shapes:
    """The distinct marker shapes of a scatter, and which cell has which."""

    of_cell: NDArray[np.int32]  # (n,), or (1,) where all are alike; -1: nothing to draw
    path: NDArray[np.intp]  # (n_shapes,) position among the collection's paths
    size: NDArray[np.float64]  # (n_shapes,) points squared
    style: NDArray[np.intp]  # (n_shapes,) position among the collection's line widths and styles


@dataclass(frozen=True)
class Footprints:
    """Coverage of every stamp: a shape at a phase; faces and, where there are any, edges."""

    parts: int  # 1: faces; 2: faces and edges, in turn
    boxes: NDArray[np.int32]  # (n_stamps * parts, 4): first row, first column, height, width
    starts: NDArray[np.int64]  # (n_stamps * parts,) into covers
    covers: NDArray[np.uint8]
    reach: NDArray[np.int32]  # (n_stamps, 2): rows from .. to, relative to the cell's pixel


class Template:
    """How a scatter's markers look, apart from where they are and their colours."""

    def __init__(self, collection: PathCollection) -> None:
        self.paths = list(collection.get_paths())
        self.sizes = np.array(collection.get_sizes(), dtype=np.float64)
        self.has_faces = len(collection.get_facecolor()) > 0
        self.has_edges = len(collection.get_edgecolor()) > 0
        self.parts = 2 if self.has_edges and np.any(collection.get_linewidth()) else 1
        self.snap = collection.get_snap()
        self.style = PathCollection(self.paths)
        self.style.update_from(collection)
        self.style.set_array(None)
        self.style.set_transform(collection.get_transform().frozen())
        self.style.set(
            alpha=None, clip_on=False, clip_box=None, path_effects=None, visible=True,
            rasterized=None, snap=self.snap, agg_filter=None,
        )  # fmt: skip
        self.style.set_clip_path(None)
        ends = {name: getattr(collection, f"get_{name}")() for name in ("capstyle", "joinstyle")}
        self.ends = {name: value for name, value in ends.items() if value is not None}

    def n_styles(self) -> int:
        """How many line widths, dashes and antialiasings take turns."""
        style = self.style
        lengths = [len(np.atleast_1d(style.get_linewidth())), len(style.get_linestyle())]
        return int(np.lcm.reduce([*lengths, len(np.atleast_1d(style.get_antialiased()))]))

    def shapes(self, n: int, dpi: float) -> Shapes:
        """The distinct shapes among `n` cells. Many sizes are rounded to a 16th of a pixel."""
        paths, styles, sizes = len(self.paths), self.n_styles(), self.sizes
        with np.errstate(invalid="ignore"):
            sizes = np.where(sizes >= 0, sizes, np.nan)
        if paths == styles == len(sizes) == 1:
            of_cell = np.array([-1 if np.isnan(sizes[0]) else 0], np.int32)
            zero = np.zeros(1, np.intp)
            return Shapes(of_cell, zero, np.nan_to_num(sizes), zero)
        sizes = _few(sizes, self._size_step(dpi))
        turns = np.arange(n)
        table = np.column_stack(
            [sizes[turns % len(sizes)], turns % paths, turns % styles] if n else [[], [], []]
        )
        rows, of_cell = _distinct(table)
        of_cell = np.where(np.isnan(rows[of_cell, 0]), -1, of_cell) if n else of_cell
        size = np.nan_to_num(rows[:, 0])
        path, style = rows[:, 1].astype(np.intp), rows[:, 2].astype(np.intp)
        return Shapes(_at_least_one(of_cell.astype(np.int32)), path, size, style)

    def _size_step(self, dpi: float) -> float:
        """Step of the square root of a size that moves the outline by a 32nd of a pixel."""
        reach = max((np.abs(path.vertices).max(initial=0.0) for path in self.paths), default=0.0)
        return 72 / dpi / 16 / max(reach, 1e-9)

    def outline(self, path: int, size: float, dpi: float) -> Path:
        """A marker's path in pixels, upwards, around its position."""
        scale = np.sqrt(size) * dpi / 72
        return self.paths[path].transformed(Affine2D().scale(scale) + self.style.get_transform())

    def draw(
        self,
        renderer: RendererAgg,
        part: int,
        xy: NDArray,
        shapes: Shapes,
        which: NDArray,
        dpi: float,
    ) -> None:
        """Draw shape `which[k]` at `xy[k]` pixels, in black, faces or edges alone."""
        black, clear = [(0, 0, 0, 1)] * 2, [(0, 0, 0, 0)] * 2  # two: no drawing of alike markers
        face, edge = (black, clear) if part == FACE else (clear, black)
        figure = Figure(dpi=dpi)
        for path, style in {(p, s) for p, s in zip(shapes.path[which], shapes.style[which])}:
            some = (shapes.path[which] == path) & (shapes.style[which] == style)
            stamps = PathCollection([self.paths[path]], offsets=xy[some])
            stamps.update_from(self.style)
            self._set_style(stamps, style)
            stamps.set(
                sizes=shapes.size[which][some],
                facecolor=face if self.has_faces else "none",
                edgecolor=edge if self.has_edges else "none",
                snap=self.snap,
                **self.ends,
                figure=figure,
                offset_transform=IdentityTransform(),
            )
            stamps.draw(renderer)

    def _set_style(self, stamps: PathCollection, turn: int) -> None:
        style = self.style
        widths, dashes = np.atleast_1d(style.get_linewidth()), style.get_linestyle()
        antialiased = np.atleast_1d(style.get_antialiased())
        stamps.set_antialiased(bool(antialiased[turn % len(antialiased)]))
        if len(widths) > 1 or len(dashes) > 1:
            width = widths[turn % len(widths)]
            offset, dash = dashes[turn % len(dashes)]
            scaled = None if dash is None else [d / max(width, 1e-9) for d in dash]
            stamps.set_linewidth(width)
            stamps.set_linestyle([(offset / max(width, 1e-9), scaled)])


@dataclass(frozen=True)
class Phases:
    """Positions within a pixel that are told apart."""

    count: int  # along each axis
    breaks: NDArray[np.float64]  # (n_shapes, 2, 15) where a snapping shape's footprint changes
    n_breaks: NDArray[np.int32]  # (n_shapes, 2); -1: equal steps

    def fraction(self, shape: NDArray, phase: NDArray, axis: int) -> NDArray[np.float64]:
        """The position that stands for a phase: the middle of its interval."""
        n = self.n_breaks[shape, axis]
        ends = np.concatenate(
            [np.zeros((len(self.breaks), 1)), self.breaks[:, axis], np.ones((len(self.breaks), 1))],
            axis=1,
        )
        last = np.where(phase >= n, ends.shape[1] - 1, phase + 1)
        snapped = (ends[shape, np.minimum(phase, ends.shape[1] - 1)] + ends[shape, last]) / 2
        return np.where(n < 0, (phase + 0.5) / self.count, snapped)


def choose_phases(template: Template, shapes: Shapes, n: int, dpi: float) -> Phases:
    """As many phases as a bounded number and size of stamps allows."""
    n_shapes = len(shapes.size)
    breaks = np.ones((n_shapes, 2, 15))
    n_breaks = np.full((n_shapes, 2), -1, np.int32)
    for s in range(n_shapes):
        outline = template.outline(shapes.path[s], shapes.size[s], dpi)
        if snaps(outline, template.snap):
            for axis, sign in ((0, -1.0), (1, 1.0)):
                found = _breaks(sign * outline.vertices[:, axis])
                if len(found) <= breaks.shape[2]:
                    breaks[s, axis, : len(found)] = found
                    n_breaks[s, axis] = len(found)
    limit = _EXACT_STAMPS if n_shapes <= 4 else _MANY_STAMPS
    side = 2 * _margin(template, shapes, dpi) + 1
    for count in _PHASES:
        stamps = min(n, n_shapes * count * count)
        if stamps <= limit and stamps * side * side <= _ATLAS_BYTES:
            break
    return Phases(count, breaks, n_breaks)


def snaps(outline: Path, snap: bool | None) -> bool:
    """Whether Agg moves the vertices of this path to the pixel grid."""
    codes = outline.codes
    if snap is not None:
        return bool(snap)
    if len(outline.vertices) > 1024 or len(outline.vertices) == 0:
        return False
    if codes is None:
        codes = np.full(len(outline.vertices), Path.LINETO)
    if np.isin(codes, (Path.CURVE3, Path.CURVE4)).any():
        return False
    steps = np.abs(np.diff(outline.vertices, axis=0))[codes[1:] == Path.LINETO]
    return bool(np.all((steps < 1e-4).any(axis=1)))


def _breaks(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fractions of a pixel at which a vertex rounds to another pixel."""
    fractions = np.sort((positions - 0.5) % 1.0)
    fractions = fractions[(fractions > 1e-9) & (fractions < 1 - 1e-9)]
    return fractions[np.diff(fractions, prepend=-1.0) > 1e-9]


def _margin(template: Template, shapes: Shapes, dpi: float) -> int:
    """Pixels that a marker reaches at most from its own, mitred joins included."""
    reach = 0.0
    for s in np.unique(np.column_stack([shapes.path, shapes.size]), axis=0):
        outline = template.outline(int(s[0]), float(s[1]), dpi)
        reach = max(reach, float(np.abs(outline.vertices).max(initial=0.0)))
    widest = (
        np.max(template.style.get_linewidth(), initial=0.0) * dpi / 72 if template.has_edges else 0
    )
    return int(np.ceil(reach + 5.5 * widest)) + 3


margin = _margin


def rasterise(
    template: Template, shapes: Shapes, phases: Phases, keys: NDArray[np.int64], dpi: float
) -> Footprints:
    """Footprints of the stamps with these keys (shape, vertical and horizontal phase)."""
    across, down = keys % phases.count, keys // phases.count % phases.count
    shape = keys // phases.count**2
    fractions = np.column_stack(
        [phases.fraction(shape, across, 0), phases.fraction(shape, down, 1)]
    )
    reach = _margin(template, shapes, dpi)
    per_canvas = max(1, _SCRATCH_PIXELS // (2 * reach + 1) ** 2)
    boxes, covers = [], []
    for start in range(0, len(keys), per_canvas):
        some = slice(start, start + per_canvas)
        for part in range(template.parts):
            stamps = _stamps(template, shapes, part, shape[some], fractions[some], reach, dpi)
            boxes.append((start, part, *_trimmed(stamps, reach)))
    return _bound(boxes, len(keys), template.parts)


def _stamps(
    template: Template, shapes: Shapes, part: int, which: NDArray, fractions: NDArray,
    reach: int, dpi: float,
) -> NDArray[np.uint8]:  # fmt: skip
    """``(n, side, side)`` coverage, each marker's own pixel in the middle."""
    side = 2 * reach + 1
    columns = max(1, int(np.ceil(np.sqrt(len(which)))))
    lines = -(-len(which) // columns) or 1
    at = np.arange(len(which))
    x = at % columns * side + reach + fractions[:, 0]
    y = lines * side - (at // columns * side + reach + fractions[:, 1])
    renderer = RendererAgg(columns * side, lines * side, dpi)
    template.draw(renderer, part, np.column_stack([x, y]), shapes, which, dpi)
    alpha = np.asarray(renderer.buffer_rgba())[..., 3]
    tiles = alpha.reshape(lines, side, columns, side).swapaxes(1, 2)
    return tiles.reshape(lines * columns, side, side)[: len(which)]


def _trimmed(stamps: NDArray[np.uint8], reach: int) -> tuple[NDArray[np.int32], list[NDArray]]:
    """Bounding box of each stamp's coverage, relative to the marker's pixel, and what is in it."""
    boxes = np.zeros((len(stamps), 4), np.int32)
    covers = []
    in_row, in_col = stamps.any(axis=2), stamps.any(axis=1)
    for k in np.flatnonzero(in_row.any(axis=1)):
        rows, cols = np.flatnonzero(in_row[k]), np.flatnonzero(in_col[k])
        inner = stamps[k, rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
        boxes[k] = rows[0] - reach, cols[0] - reach, *inner.shape
        covers.append(inner.ravel())
    return boxes, covers


def _bound(parts_of: list, n: int, parts: int) -> Footprints:
    boxes = np.zeros((n, parts, 4), np.int32)
    starts = np.zeros((n, parts), np.int64)
    pieces, end = [np.empty(0, np.uint8)], 0
    for start, part, some, covers in parts_of:
        chunk = slice(start, start + len(some))
        boxes[chunk, part] = some
        areas = some[:, 2].astype(np.int64) * some[:, 3]
        starts[chunk, part] = end + np.cumsum(areas) - areas
        end += int(areas.sum())
        pieces += covers
    drawn = boxes[:, :, 2] > 0
    top = np.where(drawn, boxes[:, :, 0], 2**30).min(axis=1)
    bottom = np.where(drawn, boxes[:, :, 0] + boxes[:, :, 2], -(2**30)).max(axis=1)
    reach = np.where(drawn.any(axis=1)[:, None], np.column_stack([top, bottom]), 0)
    flat = boxes.reshape(-1, 4), starts.ravel(), np.concatenate(pieces)
    return Footprints(parts, *flat, reach.astype(np.int32))


def _few(values: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """The sizes as they are if few are distinct, else with their square roots in steps."""
    if len(values) <= 512 or len(np.unique(values)) <= 512:
        return values
    roots = np.sqrt(values)
    step = max(step, float(np.nanmax(roots)) / 4096)
    return (np.round(roots / step) * step) ** 2


def _distinct(table: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
    """Distinct rows, and which of them each row is."""
    code = np.zeros(len(table), np.int64)
    for column in table.T:
        values, which = np.unique(column, return_inverse=True)
        code = code * max(len(values), 1) + which
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    return table[first], inverse


def _at_least_one(of_cell: NDArray[np.int32]) -> NDArray[np.int32]:
    return of_cell if of_cell.size else np.full(1, -1, np.int32)
