"""A frame through what can be seen: for points at rest in a fixed order.

Alpha blending of fixed footprints in a fixed order meets the same cells at each pixel in every
frame. So the cells seen through each pixel are listed once, front to back, until no light comes
through; a frame is one pass over the lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ._placement import Band, cut_into_bands
from ._threads import spread, thread_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ._inks import Inks
    from ._placement import Placement
    from ._view import View


@dataclass(frozen=True, eq=False)
class Visibility:
    """For each pixel that is touched, the inks seen through it, back to front.

    An ink is the face (``2 * i``) or the edge (``2 * i + 1``) of ``cells[i]``. The canvas is cut
    into bands of rows, each with its own inks, so that bands are drawn independently.
    """

    cells: NDArray[np.int64]  # that can be seen at all, ascending
    visible: NDArray[np.uint32]  # inks, band by band in the order of the lists that show them
    visible_starts: NDArray[np.int64]  # (n_bands + 1,)
    pixels: NDArray[np.int64]  # index in the canvas of each touched pixel
    pixel_starts: NDArray[np.int64]  # (n_bands + 1,)
    list_starts: NDArray[np.int64]  # (n_pixels + 1,)
    inks: NDArray[np.uint32]  # number of the ink within the band's
    covers: NDArray[np.uint8]

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return sum(array.nbytes for array in vars(self).values())


def find_visible(
    placement: Placement, order: NDArray[np.uint32], least_alphas: tuple[float, float], view: View
) -> Visibility:
    """List the inks seen through every pixel.

    Parameters
    ----------
    placement
        Where the cells fall.
    order
        Positions of the cells, back to front; empty: as they come.
    least_alphas
        Alpha (0 to 255) that faces, and edges, have at least: what hides what is behind.
    view
        The canvas.
    """
    from ._visibility_kernels import list_visible

    marks = placement.footprints
    alphas = np.array(least_alphas[: marks.parts], np.float32)
    hiding = alphas / np.float32(255**2)  # of a cover from 0 to 255

    def list_band(band: Band) -> tuple[NDArray, ...]:
        return list_visible(
            band.cells, band.spots,
            marks.boxes, marks.starts, marks.covers, hiding, view.mask, band.window, view.width,
        )  # fmt: skip

    bands = spread(list_band, cut_into_bands(placement, order, view))
    pixels, lengths, inks, covers, visible = zip(*bands, strict=True)
    cells, seen = _number(np.concatenate(visible), len(placement.spots))
    return Visibility(
        cells, seen, _starts([len(v) for v in visible]),
        np.concatenate(pixels), _starts([len(p) for p in pixels]),
        _starts(np.concatenate(lengths)), np.concatenate(inks), np.concatenate(covers),
    )  # fmt: skip


def _number(inks: NDArray[np.uint32], n: int) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Give numbers to the cells that have inks: the cells, ascending, and the inks by number."""
    which = inks >> 1
    is_seen = np.zeros(n, bool)
    is_seen[which] = True
    numbers = np.cumsum(is_seen, dtype=np.uint32) - np.uint32(1)
    return np.flatnonzero(is_seen), numbers[which] * np.uint32(2) + (inks & 1)


def compose(canvas: NDArray[np.uint32], seen: Visibility, inks: Inks) -> None:
    """Blend a frame into the canvas, ``(height * width,)`` RGBA words."""
    from . import _compositor_kernels as kernels

    colors = np.empty(len(seen.visible), np.uint64)
    inks, steps = inks.of_cells(seen.cells), inks.steps
    levels = inks.wide_levels

    def compose_bands(ends: tuple[int, int]) -> None:
        kernels.compose(
            canvas, seen.visible_starts, seen.visible, seen.pixel_starts, seen.pixels,
            seen.list_starts, seen.inks, seen.covers,
            levels, inks.table, inks.edges, inks.opacity, seen.cells, steps, colors, *ends,
        )  # fmt: skip

    spread(compose_bands, _even_shares(seen.list_starts[seen.pixel_starts], thread_count()))


def _starts(lengths: Sequence[int] | NDArray) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _even_shares(work: NDArray[np.int64], parts: int) -> list[tuple[int, int]]:
    """Cut a running total into ranges of about equal work."""
    cuts = np.searchsorted(work, np.linspace(0, work[-1], parts + 1)[1:-1])
    ends = [0, *(int(cut) for cut in cuts), len(work) - 1]
    return [(a, b) for a, b in pairwise(ends) if a < b]
