"""A frame cell by cell, back to front: for an order or positions that change."""

from __future__ import annotations

import numpy as np
from numba import njit

from ._blending import A, blended, channel, product
from ._compositor_kernels import ink_color


@njit(nogil=True, cache=True)
def paint(
    canvas, width, order, rows, cols, stamps, reach, boxes, starts, covers, parts, mask,
    levels, table, edges, opacity, window,
):  # fmt: skip
    """Blend every cell's footprint into the window of the canvas."""
    top, bottom = window[0], window[1]
    for k in range(stamps.size):
        i = np.int64(order[k]) if order.size > 0 else k
        stamp = stamps[i]
        if stamp < 0 or rows[i] + reach[stamp, 1] <= top or rows[i] + reach[stamp, 0] >= bottom:
            continue
        for part in range(parts):
            color = ink_color(np.uint32(2 * i + part), levels, table, edges, opacity)
            alpha = channel(color, A)
            if alpha == 0:
                continue
            s = stamp * parts + part
            row, col = rows[i] + boxes[s, 0], cols[i] + boxes[s, 1]
            left, right = max(col, window[2]), min(col + boxes[s, 3], window[3])
            for y in range(max(row, top), min(row + boxes[s, 2], bottom)):
                line = starts[s] + (y - row) * boxes[s, 3] - col
                for x in range(left, right):
                    cover = np.int64(covers[line + x])
                    if mask.size > 0:
                        cover = product(cover, np.int64(mask[y, x]))
                    p = y * width + x
                    canvas[p] = blended(canvas[p], color, product(alpha, cover))
