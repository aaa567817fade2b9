"""Pixel coverage of markers at their positions within a pixel, rasterised by Agg itself.

Each distinct marker shape is drawn once for each phase (position within the pixel) that occurs.
So joins, caps, dashes, curves and snapping to the pixel grid are Agg's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.path import Path

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._markers import Markers, Shapes

_SCRATCH_PIXELS = 1 << 22  # of one canvas of stamps
_ATLAS_BYTES = 1 << 28
_WIDEST = 1 << 14  # pixels of a stamp
_EXACT_STAMPS, _MANY_STAMPS = 4096, 1 << 16
_PHASES = (256, 32, 16, 4, 1)
_BREAKS = 15  # per axis of a shape that snaps


@dataclass(frozen=True)
class Footprints:
    """Coverage of every stamp: a shape at a phase; faces and, where there are any, edges."""

    parts: int  # 1: faces; 2: faces and edges, in turn
    boxes: NDArray[np.int32]  # (n_stamps * parts, 4): first row, first column, height, width
    starts: NDArray[np.int64]  # (n_stamps * parts,) into covers
    covers: NDArray[np.uint8]
    reach: NDArray[np.int32]  # (n_stamps, 2): rows from .. to, relative to the cell's pixel


@dataclass(frozen=True)
class Phases:
    """Positions within a pixel that are told apart."""

    count: int  # at most, along each axis
    breaks: NDArray[np.float64]  # (n_shapes, 2, _BREAKS) where a snapping shape changes
    n_breaks: NDArray[np.int32]  # (n_shapes, 2); -1: phases in equal steps

    def fractions(self, keys: NDArray[np.int64]) -> NDArray[np.float64]:
        """Positions that stand for these keys, across and down: the middle of their intervals."""
        shape = keys // self.count**2
        phases = keys % self.count, keys // self.count % self.count
        return np.column_stack(
            [self._middle(shape, phase, axis) for axis, phase in enumerate(phases)]
        )

    def _middle(self, shape: NDArray, phase: NDArray, axis: int) -> NDArray[np.float64]:
        n = self.n_breaks[shape, axis]
        ends = np.zeros((len(self.breaks), _BREAKS + 2))
        ends[:, 1:-1], ends[:, -1] = self.breaks[:, axis], 1.0
        first = np.minimum(phase, _BREAKS)
        last = np.where(phase < n, first + 1, _BREAKS + 1)
        snapped = (ends[shape, first] + ends[shape, last]) / 2
        return np.where(n < 0, (phase + 0.5) / self.count, snapped)


def choose_phases(markers: Markers, shapes: Shapes, margin: int, n: int, dpi: float) -> Phases:
    """As many phases as a bounded number and size of stamps allows."""
    side = 2 * margin + 1
    if side > _WIDEST:
        msg = f"markers of {side} pixels are too large to draw: lower size, linewidth or dpi"
        raise MemoryError(msg)
    limit = _EXACT_STAMPS if len(shapes) <= 4 else _MANY_STAMPS
    for count in _PHASES:
        stamps = min(n, len(shapes) * count**2)
        if stamps <= limit and stamps * side**2 * markers.parts <= _ATLAS_BYTES:
            break
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
    return Phases(count, breaks, n_breaks)


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


def rasterise(
    markers: Markers,
    shapes: Shapes,
    phases: Phases,
    keys: NDArray[np.int64],
    margin: int,
    dpi: float,
) -> Footprints:
    """Footprints of the stamps with these keys (shape, vertical and horizontal phase)."""
    fractions, which = phases.fractions(keys), keys // phases.count**2
    per_canvas = max(1, _SCRATCH_PIXELS // (2 * margin + 1) ** 2)
    boxes = np.zeros((len(keys), markers.parts, 4), np.int32)
    starts = np.zeros((len(keys), markers.parts), np.int64)
    covers, end = [np.empty(0, np.uint8)], 0
    for first in range(0, len(keys), per_canvas):
        some = slice(first, first + per_canvas)
        for part in range(markers.parts):
            stamps = _stamps(markers, shapes.of(which[some]), part, fractions[some], margin, dpi)
            boxes[some, part], inner = _trimmed(stamps, margin)
            areas = boxes[some, part, 2].astype(np.int64) * boxes[some, part, 3]
            starts[some, part] = end + np.cumsum(areas) - areas
            end += len(inner)
            covers.append(inner)
    flat = boxes.reshape(-1, 4), starts.ravel(), np.concatenate(covers)
    return Footprints(markers.parts, *flat, _reach(boxes))


def _stamps(
    markers: Markers, shapes: Shapes, part: int, fractions: NDArray, margin: int, dpi: float
) -> NDArray[np.uint8]:
    """``(n, side, side)`` coverage, each marker's own pixel in the middle."""
    side, n = 2 * margin + 1, len(shapes)
    columns = max(1, int(np.ceil(np.sqrt(n))))
    lines = max(1, -(-n // columns))
    down, across = np.divmod(np.arange(n), columns)
    x = across * side + margin + fractions[:, 0]
    y = lines * side - (down * side + margin + fractions[:, 1])
    renderer: Any = RendererAgg(columns * side, lines * side, dpi)  # type: ignore[no-untyped-call]
    markers.draw(renderer, part, np.column_stack([x, y]), shapes, dpi)
    alpha = np.asarray(renderer.buffer_rgba())[..., 3]
    tiles = alpha.reshape(lines, side, columns, side).swapaxes(1, 2)
    return tiles.reshape(lines * columns, side, side)[:n]


def _trimmed(stamps: NDArray[np.uint8], margin: int) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Bounding box of each stamp's coverage, relative to the marker's pixel, and what is in it."""
    touched: Any = stamps > 0
    in_row, in_col = touched.any(axis=2), touched.any(axis=1)
    side = in_row.shape[1]
    first = np.column_stack([in_row.argmax(axis=1), in_col.argmax(axis=1)])
    last = side - np.column_stack([in_row[:, ::-1].argmax(axis=1), in_col[:, ::-1].argmax(axis=1)])
    last = np.where(in_row.any(axis=1)[:, None], last, first)
    at = np.arange(side)
    rows = (at >= first[:, :1]) & (at < last[:, :1])
    cols = (at >= first[:, 1:]) & (at < last[:, 1:])
    boxes = np.concatenate([first - margin, last - first], axis=1).astype(np.int32)
    return boxes, stamps[rows[:, :, None] & cols[:, None, :]]


def _reach(boxes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Rows that each stamp's parts reach from .. to."""
    drawn: Any = boxes[:, :, 2] > 0
    top = np.where(drawn, boxes[:, :, 0], 2**30).min(axis=1)
    bottom = np.where(drawn, boxes[:, :, 0] + boxes[:, :, 2], -(2**30)).max(axis=1)
    reach = np.column_stack([top, bottom])
    return np.where(drawn.any(axis=1)[:, None], reach, 0).astype(np.int32)
