"""A frame cell by cell, back to front: for an order or positions that change."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np
from numba import njit

from ._blending import blended, opacity, product
from ._compositor_kernels import ink_color
from ._placement_kernels import col_of, row_of, stamp_of

_U = np.uint64


@njit(nogil=True, cache=True, error_model="numpy")
def paint(
    canvas, width, cells, spots, boxes, starts, covers, parts, mask,
    levels, table, edges, opacities, window,
):  # fmt: skip
    """Blend the footprints of the cells, front first, into the window of the canvas."""
    plain = edges.size == 0 and opacities.size == 0
    for m in range(cells.size - 1, -1, -1):
        cell, spot = _U(cells[m]), spots[m]
        for part in range(parts):
            if plain:
                color = table[_U(levels[cell])]
            else:
                color = ink_color(_U(part), cell, cell, levels, table, edges, opacities)
            alpha = opacity(color)
            if alpha == 0:
                continue
            s = _U(stamp_of(spot) * parts + part)
            row, col = row_of(spot) + boxes[s, 0], col_of(spot) + boxes[s, 1]
            left, right = max(col, window[2]), min(col + boxes[s, 3], window[3])
            for y in range(max(row, window[0]), min(row + boxes[s, 2], window[1])):
                line = starts[s] + (y - row) * boxes[s, 3] - col
                for x in range(left, right):
                    cover = _U(covers[_U(line + x)])
                    if mask.size > 0:
                        cover = product(cover, _U(mask[y, x]))
                    p = _U(y * width + x)
                    canvas[p] = blended(canvas[p], color, product(alpha, cover))
