"""A frame cell by cell: for an order that changes from frame to frame, or points that move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._placement import Band, cut_into_bands
from ._threads import spread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ._inks import Inks
    from ._placement import Placement
    from ._view import View


def paint(
    canvas: NDArray[np.uint32],
    placement: Placement,
    order: NDArray[np.uint32],
    inks: Inks,
    view: View,
) -> None:
    """Blend a frame into the canvas, ``(height * width,)`` RGBA words, back to front."""
    from . import _painter_kernels as kernels

    marks, levels = placement.footprints, inks.wide_levels

    def paint_band(band: Band) -> None:
        kernels.paint(
            canvas, view.width, band.cells, band.spots,
            marks.boxes, marks.starts, marks.covers, marks.parts, view.mask,
            levels, inks.table, inks.edges, inks.opacity, band.window,
        )  # fmt: skip

    spread(paint_band, cut_into_bands(placement, order, view))
