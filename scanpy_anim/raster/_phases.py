"""Positions within a pixel that are told apart, for each marker shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.path import Path

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._markers import Markers, Shapes

_BREAKS = 15  # per axis of a shape that snaps


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


def tell_phases_apart(markers: Markers, shapes: Shapes, count: int, dpi: float) -> Phases:
    """Phases in `count` equal steps along each axis, or as a shape snaps to the pixel grid."""
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
