"""Pixel coverage of markers at their positions within a pixel, rasterised by Agg itself.

Each distinct marker shape is drawn once for each phase (position within the pixel) that occurs.
So joins, caps, dashes, curves and snapping to the pixel grid are Agg's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._markers import Markers, Shapes
    from ._phases import Phases

_SCRATCH_PIXELS = 1 << 22  # of one canvas of stamps


@dataclass(frozen=True)
class Footprints:
    """Coverage of every stamp: a shape at a phase; faces and, where there are any, edges."""

    parts: int  # 1: faces; 2: faces and edges, in turn
    boxes: NDArray[np.int32]  # (n_stamps * parts, 4): first row, first column, height, width
    starts: NDArray[np.int64]  # (n_stamps * parts,) into covers
    covers: NDArray[np.uint8]
    reach: NDArray[np.int32]  # (n_stamps, 2): rows from .. to, relative to the cell's pixel


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
    renderer: Any = RendererAgg(columns * side, lines * side, dpi)
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
