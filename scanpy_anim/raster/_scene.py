"""Points at rest on one canvas: where they fall, what can be seen of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ._threads import spread, thread_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._footprint import Footprints
    from ._markers import Markers

_CHUNK = 1 << 18  # cells placed at a time
_BANDS = 32


@dataclass(frozen=True)
class View:
    """The canvas that points are drawn on, and how coordinates become its pixels."""

    height: int
    width: int
    dpi: float
    matrix: NDArray[np.float64]  # (3, 3) from coordinates to pixels, rows upwards
    window: NDArray[np.int64]  # first and last row, first and last column that may be drawn on
    mask: NDArray[np.uint8]  # (height, width) coverage of a clip path, or (0, 0)

    def key(self) -> tuple:
        """Equal for views in which the same points give the same scene."""
        size = (self.height, self.width, self.dpi)
        return (*size, self.matrix.tobytes(), self.window.tobytes(), hash(self.mask.tobytes()))


@dataclass(frozen=True)
class Placement:
    """The pixel and the stamp of every cell; stamp -1: not on the canvas."""

    rows: NDArray[np.int32]
    cols: NDArray[np.int32]
    stamps: NDArray[np.int32]
    footprints: Footprints


def place_points(offsets: NDArray[np.float64], markers: Markers, view: View) -> Placement:
    """Find each cell's pixel and phase, and rasterise the footprints that occur."""
    from ._footprint import choose_phases, rasterise
    from ._placement_kernels import place

    n = len(offsets)
    shapes = markers.shapes(n, view.dpi)
    margin = markers.margin(shapes, view.dpi)
    phases = choose_phases(markers, shapes, margin, n, view.dpi)
    rows, cols, keys = (np.empty(n, np.int32) for _ in range(3))

    def place_chunk(first: int) -> None:
        place(
            offsets, view.matrix, float(view.height), view.window, float(margin), shapes.of_cell,
            phases.count, phases.breaks, phases.n_breaks, rows, cols, keys,
            first, min(first + _CHUNK, n),
        )  # fmt: skip

    spread(place_chunk, range(0, n, _CHUNK))
    stamps, used = _stamps_of(keys, len(shapes) * phases.count**2)
    return Placement(rows, cols, stamps, rasterise(markers, shapes, phases, used, margin, view.dpi))


def _stamps_of(keys: NDArray[np.int32], n_keys: int) -> tuple[NDArray[np.int32], NDArray]:
    """Number the keys that occur: each cell's stamp, and the key of each stamp."""
    if n_keys <= 1024:
        return keys, np.arange(n_keys)
    stamp = np.zeros(n_keys + 1, np.int32)
    stamp[keys] = 1
    stamp[-1] = 0
    used = np.flatnonzero(stamp)
    stamp[used] = np.arange(len(used))
    stamp[-1] = -1
    return stamp[keys], used


@dataclass(frozen=True)
class Visibility:
    """For each pixel that is touched, the inks seen through it, back to front.

    An ink is the face (``2 * cell``) or the edge (``2 * cell + 1``) of a cell. The canvas is cut
    into bands of rows, each with its own inks, so that bands are drawn independently.
    """

    visible: NDArray[np.uint32]  # inks, band by band in the order of the pixels that show them
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
    placement: Placement, order: NDArray[np.uint32], opacities: NDArray[np.float32], view: View
) -> Visibility:
    """List the inks of every pixel; `opacities` bounds the faces' and edges' from below."""
    from ._visibility_kernels import list_visible

    marks = placement.footprints

    def list_band(band: _Band) -> tuple[NDArray, ...]:
        return list_visible(
            band.members, placement.rows, placement.cols, placement.stamps,
            marks.boxes, marks.starts, marks.covers, opacities, view.mask, band.window, view.width,
        )  # fmt: skip

    bands = spread(list_band, _bands(placement, order, view))
    pixels, lengths, inks, covers, visible = zip(*bands, strict=True)
    return Visibility(
        np.concatenate(visible), _starts([len(v) for v in visible]),
        np.concatenate(pixels), _starts([len(p) for p in pixels]),
        _starts(np.concatenate(lengths)), np.concatenate(inks), np.concatenate(covers),
    )  # fmt: skip


@dataclass(frozen=True)
class _Band:
    """Some rows of the canvas, and the cells that touch them, front first."""

    window: NDArray[np.int64]
    members: NDArray[np.uint32]


def _bands(placement: Placement, order: NDArray[np.uint32], view: View) -> list[_Band]:
    from ._visibility_kernels import bin_members

    top, bottom, left, right = (int(end) for end in view.window)
    height = max(1, -(-(bottom - top) // _BANDS))
    starts, members = bin_members(
        order, placement.rows, placement.stamps, placement.footprints.reach, top, bottom, height
    )
    tops = [top + band * height for band in range(len(starts) - 1)]
    windows = [np.array([first, min(first + height, bottom), left, right]) for first in tops]
    return [
        _Band(window, members[start:end])
        for window, (start, end) in zip(windows, pairwise(starts), strict=True)
    ]


def _starts(lengths: list[int] | NDArray) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


@dataclass(frozen=True)
class Inks:
    """The colours of one frame."""

    levels: NDArray
    table: NDArray[np.uint64]  # packed colours
    edges: NDArray[np.uint64]  # packed colours, taken in turns; empty: edges as the faces
    opacity: NDArray[np.uint8]  # (n,), or empty
    alpha: int | None  # of all that is drawn, if it is the same

    def steps(self) -> NDArray[np.uint64]:
        """Blending steps by coverage, where one table serves all inks."""
        from ._blending import step_of_cover

        return np.empty(0, np.uint64) if self.alpha is None else step_of_cover(self.alpha)


def compose(canvas: NDArray[np.uint32], seen: Visibility, inks: Inks) -> None:
    """Blend a frame into the canvas through what can be seen."""
    from . import _compositor_kernels as kernels

    colors = np.empty(len(seen.visible), np.uint64)
    steps = inks.steps()

    def compose_bands(ends: tuple[int, int]) -> None:
        kernels.compose(
            canvas, seen.visible_starts, seen.visible, seen.pixel_starts, seen.pixels,
            seen.list_starts, seen.inks, seen.covers,
            inks.levels, inks.table, inks.edges, inks.opacity, steps, colors, *ends,
        )  # fmt: skip

    spread(compose_bands, _even_shares(seen.list_starts[seen.pixel_starts], thread_count()))


def paint(
    canvas: NDArray[np.uint32],
    placement: Placement,
    order: NDArray[np.uint32],
    inks: Inks,
    view: View,
) -> None:
    """Blend a frame into the canvas cell by cell."""
    from . import _painter_kernels as kernels

    marks = placement.footprints

    def paint_band(band: _Band) -> None:
        kernels.paint(
            canvas, view.width, band.members, placement.rows, placement.cols, placement.stamps,
            marks.boxes, marks.starts, marks.covers, marks.parts, view.mask,
            inks.levels, inks.table, inks.edges, inks.opacity, band.window,
        )  # fmt: skip

    spread(paint_band, _bands(placement, order, view))


def _even_shares(work: NDArray[np.int64], parts: int) -> list[tuple[int, int]]:
    """Cut a running total into ranges of about equal work."""
    cuts = np.searchsorted(work, np.linspace(0, work[-1], parts + 1)[1:-1])
    ends = [0, *(int(cut) for cut in cuts), len(work) - 1]
    return [(a, b) for a, b in pairwise(ends) if a < b]
