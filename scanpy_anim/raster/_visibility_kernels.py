"""Which cells can be seen through each pixel: computed once, front to back.

A pixel's list ends where less than `FULL` of the light that comes from behind is left.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np
from numba import njit

from ._blending import product
from ._placement_kernels import col_of, row_of, stamp_of

FULL = np.float32(1 / 256)  # less cannot change a byte by one
_U = np.uint64
_LONG = 256  # lists of this length and longer are not told apart


@njit(nogil=True, cache=True, error_model="numpy")
def list_visible(cells, spots, boxes, starts, covers, hiding, mask, window, width):
    """List the inks that are seen through each pixel of the window that is touched.

    An ink is a cell's face (``2 * cell``) or edge (``2 * cell + 1``). Inks are numbered in the
    order in which the lists meet them, so that a frame reads them nearly in sequence. Pixels are
    sorted by the length of their lists, so that a processor foresees where a list ends.

    Returns
    -------
    Index of each touched pixel in the canvas, length of its list; then for all lists, back to
    front, the number of the ink and its coverage; and the inks themselves.
    """
    stride = window[3] - window[2]
    size = (window[1] - window[0]) * stride
    pixel_met, ink_met, cover_met, counts = _look_through(
        cells, spots, boxes, starts, covers, hiding, mask, window
    )
    touched = _by_length(counts)
    pixels = np.empty(touched.size, np.int64)
    lengths = np.empty(touched.size, np.int64)
    ends = np.empty(size, np.int64)
    total = 0
    for i in range(touched.size):
        p = touched[i]
        pixels[i] = (window[0] + p // stride) * width + window[2] + p % stride
        lengths[i] = counts[p]
        total += counts[p]
        ends[p] = total
    inks = np.empty(total, np.uint32)
    thickness = np.empty(total, np.uint8)
    for k in range(total):
        pixel = _U(pixel_met[k])
        ends[pixel] -= 1
        inks[_U(ends[pixel])] = ink_met[k]
        thickness[_U(ends[pixel])] = cover_met[k]
    return pixels, lengths, inks, thickness, _renumber(inks, cells)


@njit(inline="always")
def _look_through(cells, spots, boxes, starts, covers, hiding, mask, window):
    """Meet what is seen, cell by cell from the front: pixels, inks, coverages; inks a pixel."""
    parts = hiding.size
    stride = window[3] - window[2]
    size = (window[1] - window[0]) * stride
    light = np.empty(size, np.float32)
    counts = np.empty(size, np.int64)
    for p in range(size):
        light[p] = np.float32(1)
        counts[p] = 0
    room = 2 * size + 1024
    pixel_met, ink_met = np.empty(room, np.uint32), np.empty(room, np.uint32)
    cover_met = np.empty(room, np.uint8)
    n = 0
    for m in range(cells.size):
        spot = spots[m]
        for part in range(parts - 1, -1, -1):
            s = _U(stamp_of(spot) * parts + part)
            row, col = row_of(spot) + boxes[s, 0], col_of(spot) + boxes[s, 1]
            left, right = max(col, window[2]), min(col + boxes[s, 3], window[3])
            if n + boxes[s, 2] * boxes[s, 3] > room:
                room = 2 * (room + boxes[s, 2] * boxes[s, 3])
                pixel_met, ink_met = _longer(pixel_met, room), _longer(ink_met, room)
                cover_met = _longer(cover_met, room)
            for y in range(max(row, window[0]), min(row + boxes[s, 2], window[1])):
                line = starts[s] + (y - row) * boxes[s, 3] - col
                place = (y - window[0]) * stride - window[2]
                for x in range(left, right):
                    pixel = _U(place + x)
                    if light[pixel] < FULL:
                        continue
                    cover = _U(covers[_U(line + x)])
                    if mask.size > 0:
                        cover = product(cover, _U(mask[y, x]))
                    if cover != 0:
                        light[pixel] *= np.float32(1) - np.float32(cover) * hiding[part]
                        counts[pixel] += 1
                        pixel_met[_U(n)] = pixel
                        ink_met[_U(n)] = np.uint32(m * 2 + part)
                        cover_met[_U(n)] = cover
                        n += 1
    return pixel_met, ink_met, cover_met, counts


@njit
def _longer(array, room):
    longer = np.empty(room, array.dtype)
    for k in range(array.size):
        longer[k] = array[k]
    return longer


@njit(inline="always")
def _by_length(counts):
    """Positions of what is counted, those counted least often first."""
    starts = np.zeros(_LONG + 1, np.int64)
    for p in range(counts.size):
        if counts[p] > 0:
            starts[min(counts[p], _LONG - 1) + 1] += 1
    for c in range(_LONG):
        starts[c + 1] += starts[c]
    touched = np.empty(starts[_LONG], np.int64)
    for p in range(counts.size):
        if counts[p] > 0:
            c = min(counts[p], _LONG - 1)
            touched[starts[c]] = p
            starts[c] += 1
    return touched


@njit(inline="always")
def _renumber(inks, cells):
    """Replace the inks by their numbers, in the order of their first appearance."""
    number = np.empty(cells.size * 2, np.int64)
    for k in range(number.size):
        number[k] = -1
    visible = np.empty(min(inks.size, cells.size * 2), np.uint32)
    n = 0
    for k in range(inks.size):
        ink = _U(inks[k])
        if number[ink] < 0:
            number[ink] = n
            visible[n] = cells[ink >> _U(1)] * np.uint32(2) + np.uint32(ink & _U(1))
            n += 1
        inks[k] = number[ink]
    return visible[:n]
