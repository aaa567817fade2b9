"""Pixel coverage of markers at their positions within a pixel, rasterised by Agg itself.

A glyph is a marker shape at one position within a pixel. Each that occurs is drawn once, by
matplotlib, and looked up for every cell: so joins, caps, dashes, curves and snapping to the pixel
grid are Agg's own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.path import Path

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.raster._from_collection import Markers, Shapes

GLYPH_BITS = 24  # of the number of a glyph
_SCRATCH_PIXELS = 1 << 22  # of one canvas on which glyphs are rasterised
_MOST_BYTES = 1 << 28
_WIDEST = 1 << 14  # pixels of a glyph
_FEW_SHAPES = 4
_FEW_GLYPHS, _MANY_GLYPHS = 4096, 1 << 16  # of few shapes, of many
_SINGLE, _FINE, _COARSE = 256, 32, (16, 4, 1)  # steps within a pixel, along each axis
_BREAKS = 15  # per axis of a shape that snaps


class Footprints(NamedTuple):
    """Coverage of every glyph: faces and, where there are any, edges.

    Attributes
    ----------
    parts
        1: faces; 2: faces and edges, in turn.
    boxes
        `(n_glyphs * parts, 4)`: first row and column relative to the cell's pixel, height, width.
    starts
        `(n_glyphs * parts,)` into `covers`.
    covers
        Coverage of the pixels of all boxes, 0 to 255.
    reach
        `(n_glyphs, 2)`: rows from .. to, relative to the cell's pixel.
    """

    parts: int
    boxes: NDArray[np.int32]
    starts: NDArray[np.int64]
    covers: NDArray[np.uint8]
    reach: NDArray[np.int32]


class SubpixelOffsets(NamedTuple):
    """Positions within a pixel that are told apart, for each marker shape.

    Attributes
    ----------
    steps
        How many at most, along each axis.
    breaks
        `(n_shapes, 2, _BREAKS)` fractions of a pixel at which a snapping shape changes.
    n_breaks
        `(n_shapes, 2)` how many of them; -1: equal steps.
    """

    steps: int
    breaks: NDArray[np.float64]
    n_breaks: NDArray[np.int32]

    def fractions(self, glyphs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Positions that stand for these glyphs, across and down: the middle of their intervals."""
        shape = glyphs // self.steps**2
        which = glyphs % self.steps, glyphs // self.steps % self.steps
        return np.column_stack([self._middle(shape, step, axis) for axis, step in enumerate(which)])

    def _middle(
        self, shape: NDArray[np.int64], step: NDArray[np.int64], axis: int
    ) -> NDArray[np.float64]:
        n = self.n_breaks[shape, axis]
        ends = np.zeros((len(self.breaks), _BREAKS + 2))
        ends[:, 1:-1], ends[:, -1] = self.breaks[:, axis], 1.0
        first = np.minimum(step, _BREAKS)
        last = np.where(step < n, first + 1, _BREAKS + 1)
        snapped = (ends[shape, first] + ends[shape, last]) / 2
        return np.where(n < 0, (step + 0.5) / self.steps, snapped)


@dataclass(frozen=True, eq=False)
class GlyphAtlas:
    """Shapes and positions within a pixel, and how to rasterise them.

    A glyph's number is `(shape * steps + step down) * steps + step across`.

    Attributes
    ----------
    margin
        Pixels around a cell's own that its glyph may cover.
    complete
        Footprints of all glyphs, where they are few.
    """

    markers: Markers
    dpi: float
    shapes: Shapes
    margin: int
    subpixel: SubpixelOffsets
    complete: Footprints | None

    @property
    def n_glyphs(self) -> int:
        """How many glyphs there may be."""
        return len(self.shapes) * self.subpixel.steps**2

    def rasterise(self, glyphs: NDArray[np.int64]) -> Footprints:
        """Footprints of the glyphs with these numbers."""
        markers = self.markers
        per_canvas = max(1, _SCRATCH_PIXELS // (2 * self.margin + 1) ** 2)
        boxes = np.zeros((len(glyphs), markers.parts, 4), np.int32)
        starts = np.zeros((len(glyphs), markers.parts), np.int64)
        covers, end = [np.empty(0, np.uint8)], 0
        for first in range(0, len(glyphs), per_canvas):
            some = slice(first, first + per_canvas)
            for part in range(markers.parts):
                boxes[some, part], inner = _trimmed(self._drawn(glyphs[some], part), self.margin)
                areas = boxes[some, part, 2].astype(np.int64) * boxes[some, part, 3]
                starts[some, part] = end + np.cumsum(areas) - areas
                end += len(inner)
                covers.append(inner)
        flat = boxes.reshape(-1, 4), starts.ravel(), np.concatenate(covers)
        return Footprints(markers.parts, *flat, _reach(boxes))

    def _drawn(self, glyphs: NDArray[np.int64], part: int) -> NDArray[np.uint8]:
        """`(n, side, side)` coverage, each marker's own pixel in the middle."""
        shapes, fractions = (
            self.shapes.of(glyphs // self.subpixel.steps**2),
            self.subpixel.fractions(glyphs),
        )
        side, n = 2 * self.margin + 1, len(glyphs)
        columns = max(1, int(np.ceil(np.sqrt(n))))
        lines = max(1, -(-n // columns))
        down, across = np.divmod(np.arange(n), columns)
        x = across * side + self.margin + fractions[:, 0]
        y = lines * side - (down * side + self.margin + fractions[:, 1])
        renderer: Any = RendererAgg(columns * side, lines * side, self.dpi)
        self.markers.draw(renderer, part, np.column_stack([x, y]), shapes, self.dpi)
        alpha = np.asarray(renderer.buffer_rgba())[..., 3]
        tiles = alpha.reshape(lines, side, columns, side).swapaxes(1, 2)
        return tiles.reshape(lines * columns, side, side)[:n]


def prepare_glyphs(markers: Markers, n: int, dpi: float, *, moving: bool = False) -> GlyphAtlas:
    """Tell as many positions apart as a bounded number and size of glyphs allows.

    Parameters
    ----------
    markers
        What is drawn.
    n
        How many cells.
    dpi
        Pixels an inch.
    moving
        Whether the atlas serves many placements: then all its glyphs are rasterised now, while
        few cells at rest have a glyph each, exactly where they are.
    """
    shapes = markers.shapes(n, dpi)
    margin = markers.margin(shapes, dpi)
    side = 2 * margin + 1
    if side > _WIDEST:
        raise MemoryError(
            f"markers of {side} pixels are too large to draw: lower size, linewidth or dpi"
        )
    most = _FEW_GLYPHS if len(shapes) <= _FEW_SHAPES else _MANY_GLYPHS
    most = min(most, _MOST_BYTES // (side**2 * markers.parts))
    for count in (_FINE, *_COARSE) if moving else (_SINGLE, _FINE, *_COARSE):
        n_glyphs = len(shapes) * count**2
        if n_glyphs < 1 << GLYPH_BITS and (n_glyphs if moving else min(n, n_glyphs)) <= most:
            break
    subpixel = _subpixel_offsets(markers, shapes, count, dpi)
    atlas = GlyphAtlas(markers, dpi, shapes, margin, subpixel, None)
    if n_glyphs > min(most, _FEW_GLYPHS) and not moving:
        return atlas
    return replace(atlas, complete=atlas.rasterise(np.arange(n_glyphs)))


def _subpixel_offsets(markers: Markers, shapes: Shapes, count: int, dpi: float) -> SubpixelOffsets:
    """Tell `count` equal steps apart along each axis, or as a shape snaps to the pixel grid."""
    breaks, n_breaks = np.ones((len(shapes), 2, _BREAKS)), np.full((len(shapes), 2), -1, np.int32)
    for s in range(len(shapes)):
        outline = markers.outline(shapes.path[s], shapes.size[s], dpi)
        if snaps(outline, markers.snap):
            vertices = np.asarray(outline.vertices)
            for axis, positions in enumerate((-vertices[:, 0], vertices[:, 1])):
                found = _breaks(positions)
                if len(found) <= min(_BREAKS, count - 1):
                    breaks[s, axis, : len(found)] = found
                    n_breaks[s, axis] = len(found)
    return SubpixelOffsets(count, breaks, n_breaks)


def snaps(outline: Path, snap: bool | None) -> bool:
    """Whether Agg moves the vertices of this path to the pixel grid."""
    if snap is not None:
        return bool(snap)
    vertices = np.asarray(outline.vertices)
    if not 0 < len(vertices) <= 1024:
        return False
    codes = np.full(len(vertices), Path.LINETO) if outline.codes is None else outline.codes
    if np.isin(codes, (Path.CURVE3, Path.CURVE4)).any():
        return False
    steps = np.abs(np.diff(vertices, axis=0))[np.asarray(codes)[1:] == Path.LINETO]
    return bool(np.all((steps < 1e-4).any(axis=1)))


def _breaks(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fractions of a pixel at which a vertex rounds to another pixel."""
    fractions = np.sort((positions - 0.5) % 1.0)
    fractions = fractions[(fractions > 1e-9) & (fractions < 1 - 1e-9)]
    return fractions[np.diff(fractions, prepend=-1.0) > 1e-9]


def _trimmed(glyphs: NDArray[np.uint8], margin: int) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Bounding box of each glyph's coverage, relative to the marker's pixel, and what is in it."""
    touched: Any = glyphs > 0
    in_row, in_col = touched.any(axis=2), touched.any(axis=1)
    side = in_row.shape[1]
    first = np.column_stack([in_row.argmax(axis=1), in_col.argmax(axis=1)])
    last = side - np.column_stack([in_row[:, ::-1].argmax(axis=1), in_col[:, ::-1].argmax(axis=1)])
    last = np.where(in_row.any(axis=1)[:, None], last, first)
    at = np.arange(side)
    rows = (at >= first[:, :1]) & (at < last[:, :1])
    cols = (at >= first[:, 1:]) & (at < last[:, 1:])
    boxes = np.concatenate([first - margin, last - first], axis=1).astype(np.int32)
    return boxes, glyphs[rows[:, :, None] & cols[:, None, :]]


def _reach(boxes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Rows that each glyph's parts reach from .. to."""
    drawn: Any = boxes[:, :, 2] > 0
    top = np.where(drawn, boxes[:, :, 0], 2**30).min(axis=1)
    bottom = np.where(drawn, boxes[:, :, 0] + boxes[:, :, 2], -(2**30)).max(axis=1)
    reach = np.column_stack([top, bottom])
    return np.where(drawn.any(axis=1)[:, None], reach, 0).astype(np.int32)
