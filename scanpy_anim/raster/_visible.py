"""Which cells are seen through each pixel: computed once for a canvas, front to back.

Alpha blending of fixed footprints in a fixed order meets the same cells at each pixel in every
frame. So they are listed once, until less than `_FULL` of the light that comes from behind is left;
a frame is one pass over the lists (:mod:`._compose`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from scanpy_anim._threads import spread
from scanpy_anim.raster._blending import product
from scanpy_anim.raster._placement import Band, col_of, cut_into_bands, glyph_of, row_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scanpy_anim.raster._canvas import Canvas
    from scanpy_anim.raster._footprints import Footprints
    from scanpy_anim.raster._placement import Placement

_FULL = np.float32(1 / 256)  # less cannot change a byte by one
_U = np.uint64
_LONG = 255  # lists of this length and longer are not told apart


class Visibility(NamedTuple):
    """For each pixel that is touched, what is seen through it, back to front.

    What is seen is a primitive: the face (`2 * i`) or the edge (`2 * i + 1`) of cell `i`. The
    canvas is cut into bands of rows, each with its own primitives, so that bands are drawn
    independently.

    Attributes
    ----------
    cells
        The cell of each primitive.
    primitives
        Band by band, in the order of the lists that show them, so that a frame reads what
        belongs to them nearly in sequence.
    primitive_starts
        `(n_bands + 1,)` into `primitives`.
    pixels
        Index in the canvas of each touched pixel.
    pixel_starts
        `(n_bands + 1,)` into `pixels`.
    list_starts
        `(n_pixels + 1,)` into `members` and `covers`.
    members
        The lists: numbers of primitives among the band's.
    covers
        How much of the pixel each member covers, 0 to 255.
    """

    cells: NDArray[np.int64]
    primitives: NDArray[np.uint32]
    primitive_starts: NDArray[np.int64]
    pixels: NDArray[np.int64]
    pixel_starts: NDArray[np.int64]
    list_starts: NDArray[np.int64]
    members: NDArray[np.uint32]
    covers: NDArray[np.uint8]


def find_visible(
    placement: Placement,
    draw_order: NDArray[np.uint32],
    least_alphas: tuple[float, float],
    canvas: Canvas,
) -> Visibility:
    """List what is seen through every pixel.

    Parameters
    ----------
    placement
        Where the cells fall.
    draw_order
        Positions of the cells, back to front; empty: as they come.
    least_alphas
        Alpha (0 to 255) that faces, and edges, have at least: what hides what is behind.
    canvas
        What is drawn on.
    """
    footprints = placement.footprints
    alphas = np.array(least_alphas[: footprints.parts], np.float32)
    hiding = alphas / np.float32(255**2)  # of a cover from 0 to 255

    def list_band(band: Band) -> tuple[NDArray, ...]:
        return _list_visible(band, footprints, hiding, canvas.mask, canvas.width)

    bands = spread(list_band, cut_into_bands(placement, draw_order, canvas))
    pixels, lengths, members, covers, primitives = zip(*bands, strict=True)
    seen = np.concatenate(primitives)
    return Visibility(
        (seen >> 1).astype(np.int64), seen, _starts([len(p) for p in primitives]),
        np.concatenate(pixels), _starts([len(p) for p in pixels]),
        _starts(np.concatenate(lengths)), np.concatenate(members), np.concatenate(covers),
    )  # fmt: skip


def _starts(lengths: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _list_visible(
    band: Band,
    footprints: Footprints,
    hiding: NDArray[np.float32],
    mask: NDArray[np.uint8],
    width: int,
) -> tuple[NDArray, ...]:
    """List what is seen through each pixel of the band that is touched.

    Pixels are sorted by the length of their lists, so that a processor foresees where a list ends.

    Returns
    -------
    Index of each touched pixel in the canvas, length of its list; then for all lists, back to
    front, the number of the primitive and its coverage; and the primitives themselves.
    """
    top, bottom, left, right = (int(end) for end in band.window)
    stride = right - left
    room, n = 2 * (bottom - top) * stride + 1024, -1
    while n < 0:  # it is not known beforehand how much is seen
        met = _Meetings(
            np.empty(room, np.uint32), np.empty(room, np.uint32), np.empty(room, np.uint8)
        )
        light = np.ones((bottom - top) * stride, np.float32)
        counts = np.zeros((bottom - top) * stride, np.int64)
        n = _look_through(band, footprints, hiding, mask, light, counts, met)
        room *= 4
    # stable, so that pixels with lists of one length follow each other
    touched = np.argsort(np.minimum(counts, _LONG).astype(np.uint16), kind="stable")
    touched = touched[np.count_nonzero(counts == 0) :]
    lengths = counts[touched]
    ends = counts  # no longer needed
    ends[touched] = np.cumsum(lengths)
    members, covers = np.empty(n, np.uint32), np.empty(n, np.uint8)
    _sort_by_pixel(met, ends, members, covers)
    primitives = np.empty(min(n, 2 * len(band.cells)), np.uint32)
    number = np.full(2 * len(band.cells), -1, np.int64)
    seen = primitives[: _renumber(members, band.cells, number, primitives)]
    row, col = np.divmod(touched, stride)
    return (top + row) * width + left + col, lengths, members, covers, seen


class _Meetings(NamedTuple):
    """What is met front to back: at which pixel of a band, which primitive, how much it covers."""

    pixels: NDArray[np.uint32]
    primitives: NDArray[np.uint32]
    covers: NDArray[np.uint8]


@njit(nogil=True, cache=True, error_model="numpy")
def _look_through(
    band: Band,
    footprints: Footprints,
    hiding: NDArray[np.float32],
    mask: NDArray[np.uint8],
    light: NDArray[np.float32],
    counts: NDArray[np.int64],
    met: _Meetings,
) -> int:
    """Meet what is seen, cell by cell from the front, edges before faces.

    Each pixel has all its `light` at first; what covers a share of it lets the rest through.

    Returns
    -------
    How much was met; -1: more than there is room for.
    """
    boxes, starts, covers = footprints.boxes, footprints.starts, footprints.covers
    top, bottom, first_col, last_col = band.window
    cells, sprites = band.cells, band.sprites
    pixels, primitives, thickness = met
    parts = hiding.size
    n = 0
    for m in range(cells.size):
        sprite = sprites[_U(m)]
        for part in range(parts - 1, -1, -1):
            g = _U(glyph_of(sprite) * parts + part)
            row, col = row_of(sprite) + boxes[g, 0], col_of(sprite) + boxes[g, 1]
            left, right = max(col, first_col), min(col + boxes[g, 3], last_col)
            if n + boxes[g, 2] * boxes[g, 3] > pixels.size:
                return -1
            for y in range(max(row, top), min(row + boxes[g, 2], bottom)):
                line = starts[g] + (y - row) * boxes[g, 3] - col
                first = (y - top) * (last_col - first_col) - first_col
                for x in range(left, right):
                    pixel = _U(first + x)
                    if light[pixel] < _FULL:
                        continue
                    cover = _U(covers[_U(line + x)])
                    if mask.size > 0:
                        cover = product(cover, _U(mask[y, x]))
                    if cover != 0:
                        light[pixel] *= np.float32(1) - np.float32(cover) * hiding[part]
                        counts[pixel] += 1
                        pixels[_U(n)] = pixel
                        primitives[_U(n)] = np.uint32(m * 2 + part)
                        thickness[_U(n)] = cover
                        n += 1
    return n


@njit(nogil=True, cache=True, error_model="numpy")
def _sort_by_pixel(
    met: _Meetings,
    ends: NDArray[np.int64],
    members: NDArray[np.uint32],
    covers: NDArray[np.uint8],
) -> None:
    """Fill in the lists from their ends, so that what is met first comes last."""
    pixels, primitives, thickness = met
    for k in range(_U(members.size)):
        pixel = _U(pixels[k])
        ends[pixel] -= 1
        at = _U(ends[pixel])
        members[at] = primitives[k]
        covers[at] = thickness[k]


@njit(nogil=True, cache=True, error_model="numpy")
def _renumber(
    members: NDArray[np.uint32],
    cells: NDArray[np.uint32],
    number: NDArray[np.int64],
    primitives: NDArray[np.uint32],
) -> int:
    """Replace primitives by numbers in the order in which the lists meet them.

    So a frame reads their colors nearly in sequence. Fills in the primitives of all cells in that
    order; returns how many there are.
    """
    n = 0
    for k in range(_U(members.size)):
        primitive = _U(members[k])
        if number[primitive] < 0:
            number[primitive] = n
            primitives[_U(n)] = cells[primitive >> _U(1)] * np.uint32(2) + np.uint32(
                primitive & _U(1)
            )
            n += 1
        members[k] = number[primitive]
    return n
