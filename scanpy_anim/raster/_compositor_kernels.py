"""A frame through the lists of what can be seen: gather the inks' colours, blend each pixel."""

from __future__ import annotations

import numpy as np
from numba import njit

from ._blending import STEP, A, B, G, R, blended, channel, faded, packed, product, stepped


@njit(nogil=True, cache=True)
def compose(
    canvas, visible_starts, visible, pixel_starts, pixels, list_starts, inks, covers,
    levels, table, edges, opacity, colors, first, last,
):  # fmt: skip
    """Blend the bands `first` .. `last` into the canvas, ``(height * width,)`` packed RGBA."""
    for b in range(first, last):
        for v in range(visible_starts[b], visible_starts[b + 1]):
            colors[v] = ink_color(visible[v], levels, table, edges, opacity)
        base = visible_starts[b]
        for i in range(pixel_starts[b], pixel_starts[b + 1]):
            p = pixels[i]
            canvas[p] = _through(canvas[p], list_starts[i], list_starts[i + 1], inks, covers,
                                 colors, base)  # fmt: skip


@njit(inline="always")
def ink_color(ink, levels, table, edges, opacity):
    """Colour of a cell's face or edge; no edge colours: those of the face."""
    cell = np.int64(ink >> 1)
    color = table[levels[cell]]
    if (ink & 1) and edges.size > 0:
        hidden = channel(color, A) == 0
        color = edges[cell % edges.size]
        if hidden:
            color = faded(color, 0)
    if opacity.size > 0:
        color = faded(color, opacity[cell])
    return color


@njit(inline="always")
def _through(under, start, end, inks, covers, colors, base):
    if channel(under, A) != 255:
        for k in range(start, end):
            color = colors[base + np.int64(inks[k])]
            under = blended(under, color, product(channel(color, A), np.int64(covers[k])))
        return under
    r, g, b = channel(under, R), channel(under, G), channel(under, B)
    for k in range(start, end):
        color = colors[base + np.int64(inks[k])]
        step = STEP[product(channel(color, A), np.int64(covers[k]))]
        r = stepped(r, channel(color, R), step)
        g = stepped(g, channel(color, G), step)
        b = stepped(b, channel(color, B), step)
    return packed(r, g, b, 255)
