"""A frame cell by cell, back to front: for an order or positions that change."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np
from numba import njit

from ._blending import blended, opacity, product
from ._compositor_kernels import ink_color

_U = np.uint64


@njit(nogil=True, cache=True)
def paint(
    canvas, width, members, rows, cols, stamps, boxes, starts, covers, parts, mask,
    levels, table, edges, opacities, window,
):  # fmt: skip
    """Blend the footprints of the members, front first, into the window of the canvas."""
    for m in range(members.size - 1, -1, -1):
        i = _U(members[m])
        plain = edges.size == 0 and opacities.size == 0
        for part in range(parts):
            if plain:
                color = table[_U(levels[i])]
            else:
                color = ink_color(np.uint32(_U(2) * i + _U(part)), levels, table, edges, opacities)
            alpha = opacity(color)
            if alpha == 0:
                continue
            s = _U(stamps[i] * parts + part)
            row, col = rows[i] + boxes[s, 0], cols[i] + boxes[s, 1]
            left, right = max(col, window[2]), min(col + boxes[s, 3], window[3])
            for y in range(max(row, window[0]), min(row + boxes[s, 2], window[1])):
                line = starts[s] + (y - row) * boxes[s, 3] - col
                for x in range(left, right):
                    cover = _U(covers[_U(line + x)])
                    if mask.size > 0:
                        cover = product(cover, _U(mask[y, x]))
                    p = _U(y * width + x)
                    canvas[p] = blended(canvas[p], color, product(alpha, cover))
