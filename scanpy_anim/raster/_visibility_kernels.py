"""Which cells can be seen through each pixel: computed once, front to back.

A pixel's list ends where less than `FULL` of the light that comes from behind is left.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np
from numba import njit

from ._blending import product

FULL = np.float32(1 / 512)
_U = np.uint64
_LONG = 256  # lists of this length and longer are not told apart


@njit(nogil=True, cache=True)
def bin_members(order, rows, stamps, reach, top, bottom, band_height):
    """Cells that touch each band of rows, front first: start of each band, and the cells."""
    n_bands = (bottom - top + band_height - 1) // band_height
    starts = np.zeros(n_bands + 1, np.int64)
    for i in range(stamps.size):
        low, high = _span(rows, stamps, reach, i, top, bottom)
        if low < high:
            for b in range((low - top) // band_height, (high - 1 - top) // band_height + 1):
                starts[b + 1] += 1
    for b in range(n_bands):
        starts[b + 1] += starts[b]
    members = np.empty(starts[n_bands], np.uint32)
    free = starts[:-1].copy()
    for k in range(stamps.size - 1, -1, -1):
        cell = np.int64(order[k]) if order.size > 0 else np.int64(k)
        low, high = _span(rows, stamps, reach, cell, top, bottom)
        if low < high:
            for b in range((low - top) // band_height, (high - 1 - top) // band_height + 1):
                members[free[b]] = cell
                free[b] += 1
    return starts, members


@njit(inline="always")
def _span(rows, stamps, reach, i, top, bottom):
    """Rows that a cell touches."""
    s = stamps[_U(i)]
    if s < 0:
        return np.int64(0), np.int64(0)
    low = np.int64(rows[_U(i)] + reach[_U(s), 0])
    return max(low, top), min(np.int64(rows[_U(i)] + reach[_U(s), 1]), bottom)


@njit(nogil=True, cache=True)
def list_visible(
    members, rows, cols, stamps, boxes, starts, covers, opacities, mask, window, width
):
    """List the inks that are seen through each pixel of the window that is touched.

    An ink is a cell's face (``2 * cell``) or edge (``2 * cell + 1``). Inks are numbered in the
    order in which the lists meet them, so that a frame reads them nearly in sequence. Pixels are
    sorted by the length of their lists, so that a processor foresees where a list ends.

    Returns
    -------
    Index of each touched pixel in the canvas, length of its list; then for all lists, back to
    front, the number of the ink and its coverage; and the inks themselves.
    """
    size = (window[1] - window[0]) * (window[3] - window[2])
    counts = np.zeros(size, np.int64)
    args = (members, rows, cols, stamps, boxes, starts, covers, opacities, mask, window)
    nothing, no_covers = np.empty(0, np.uint32), np.empty(0, np.uint8)
    _look_through(args, counts, np.empty(0, np.int64), nothing, no_covers)
    touched = _by_length(counts)
    pixels = np.empty(touched.size, np.int64)
    lengths = np.empty(touched.size, np.int64)
    ends = np.empty(size, np.int64)
    stride = window[3] - window[2]
    total = 0
    for i in range(touched.size):
        p = touched[i]
        pixels[i] = (window[0] + p // stride) * width + window[2] + p % stride
        lengths[i] = counts[p]
        total += counts[p]
        ends[p] = total
    inks = np.empty(total, np.uint32)
    thickness = np.empty(total, np.uint8)
    _look_through(args, counts, ends, inks, thickness)
    visible = _renumber(inks, members)
    return pixels, lengths, inks, thickness, visible


@njit(inline="always")
def _look_through(args, counts, cursor, inks, thickness):
    """Count the inks of each pixel, or with a cursor at the end of each list fill them in."""
    members, rows, cols, stamps, boxes, starts, covers, opacities, mask, window = args
    parts = opacities.size
    stride = window[3] - window[2]
    light = np.ones(counts.size, np.float32)
    filling = cursor.size > 0
    for m in range(members.size):
        i = _U(members[m])
        for part in range(parts - 1, -1, -1):
            s = _U(stamps[i] * parts + part)
            row, col = rows[i] + boxes[s, 0], cols[i] + boxes[s, 1]
            left, right = max(col, window[2]), min(col + boxes[s, 3], window[3])
            for y in range(max(row, window[0]), min(row + boxes[s, 2], window[1])):
                line = starts[s] + (y - row) * boxes[s, 3] - col
                place = (y - window[0]) * stride - window[2]
                for x in range(left, right):
                    cover = _U(covers[_U(line + x)])
                    if mask.size > 0:
                        cover = product(cover, _U(mask[y, x]))
                    p = _U(place + x)
                    if cover == 0 or light[p] < FULL:
                        continue
                    light[p] *= np.float32(1) - np.float32(cover) * opacities[part]
                    if filling:
                        cursor[p] -= 1
                        inks[_U(cursor[p])] = np.uint32(m * 2 + part)
                        thickness[_U(cursor[p])] = cover
                    else:
                        counts[p] += 1


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
def _renumber(inks, members):
    """Replace the inks by their numbers, in the order of their first appearance."""
    number = np.full(members.size * 2, -1, np.int64)
    visible = np.empty(min(inks.size, members.size * 2), np.uint32)
    n = 0
    for k in range(inks.size):
        ink = inks[k]
        if number[ink] < 0:
            number[ink] = n
            visible[n] = members[ink >> 1] * np.uint32(2) + (ink & np.uint32(1))
            n += 1
        inks[k] = number[ink]
    return visible[:n].copy()
