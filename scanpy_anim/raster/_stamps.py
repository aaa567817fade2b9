"""The stamps that a scatter may need on canvases of one resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ._footprint import Footprints, rasterise
from ._phases import Phases, tell_phases_apart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._markers import Markers, Shapes

_MOST_BYTES = 1 << 28
_WIDEST = 1 << 14  # pixels of a stamp
_FEW_SHAPES = 4
_FEW_STAMPS, _MANY_STAMPS = 4096, 1 << 16  # of few shapes, of many
_SINGLE, _FINE, _COARSE = 256, 32, (16, 4, 1)  # phases along each axis


@dataclass(frozen=True, eq=False)
class StampSheet:
    """Shapes and phases, and how to rasterise them."""

    markers: Markers
    dpi: float
    shapes: Shapes
    margin: int  # pixels around a cell's own that its stamp may cover
    phases: Phases
    complete: Footprints | None  # of all stamps, where they are few

    @property
    def n_stamps(self) -> int:
        """How many stamps there may be."""
        return len(self.shapes) * self.phases.count**2

    def rasterise(self, stamps: NDArray[np.int64]) -> Footprints:
        """Footprints of some of the stamps."""
        return rasterise(self.markers, self.shapes, self.phases, stamps, self.margin, self.dpi)


def prepare_stamps(markers: Markers, n: int, dpi: float, *, moving: bool = False) -> StampSheet:
    """Choose as many phases as a bounded number and size of stamps allows.

    Parameters
    ----------
    markers
        What is drawn.
    n
        How many cells.
    dpi
        Pixels an inch.
    moving
        Whether the sheet serves many placements: then all its stamps are rasterised now, while
        few cells at rest have a stamp each, exactly where they are.
    """
    from ._placement_kernels import STAMP_BITS

    shapes = markers.shapes(n, dpi)
    margin = markers.margin(shapes, dpi)
    side = 2 * margin + 1
    if side > _WIDEST:
        msg = f"markers of {side} pixels are too large to draw: lower size, linewidth or dpi"
        raise MemoryError(msg)
    most = _FEW_STAMPS if len(shapes) <= _FEW_SHAPES else _MANY_STAMPS
    most = min(most, _MOST_BYTES // (side**2 * markers.parts))
    for count in (_FINE, *_COARSE) if moving else (_SINGLE, _FINE, *_COARSE):
        all_stamps = len(shapes) * count**2
        if all_stamps < 1 << STAMP_BITS and (all_stamps if moving else min(n, all_stamps)) <= most:
            break
    phases = tell_phases_apart(markers, shapes, count, dpi)
    sheet = StampSheet(markers, dpi, shapes, margin, phases, None)
    if all_stamps > min(most, _FEW_STAMPS) and not moving:
        return sheet
    complete = sheet.rasterise(np.arange(all_stamps))
    return StampSheet(markers, dpi, shapes, margin, phases, complete)
