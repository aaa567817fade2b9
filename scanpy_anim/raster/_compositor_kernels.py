"""A frame through the lists of what can be seen: gather the inks' colours, blend each pixel."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np
from numba import njit

from ._blending import (
    STEP,
    blended,
    faded,
    green,
    is_opaque,
    opacity,
    opaque_pixel,
    product,
    red_blue,
    step_green,
    step_red_blue,
)

_U = np.uint64


@njit(nogil=True, cache=True, error_model="numpy")
def compose(
    canvas, visible_starts, visible, pixel_starts, pixels, list_starts, inks, covers,
    levels, table, edges, opacities, cells, steps, colors, first, last,
):  # fmt: skip
    """Blend the bands `first` .. `last` into the canvas, ``(height * width,)`` RGBA words.

    `steps` gives the step of each coverage where all inks have the same alpha; else it is empty.
    """
    for b in range(first, last):
        if edges.size == 0 and opacities.size == 0:
            for v in range(_U(visible_starts[b]), _U(visible_starts[b + 1])):
                colors[v] = table[_U(levels[_U(visible[v]) >> _U(1)])]
        else:
            for v in range(_U(visible_starts[b]), _U(visible_starts[b + 1])):
                ink = _U(visible[v])
                seen = ink >> _U(1)
                cell = _U(cells[seen])
                colors[v] = ink_color(ink, seen, cell, levels, table, edges, opacities)
        base = _U(visible_starts[b])
        for i in range(_U(pixel_starts[b]), _U(pixel_starts[b + 1])):
            p = _U(pixels[i])
            start, end = _U(list_starts[i]), _U(list_starts[i + _U(1)])
            if not is_opaque(canvas[p]):
                canvas[p] = _on_clear(canvas[p], start, end, inks, covers, colors, base)
            elif steps.size > 0:
                canvas[p] = _alike(canvas[p], start, end, inks, covers, colors, base, steps)
            else:
                canvas[p] = _varied(canvas[p], start, end, inks, covers, colors, base)


@njit(inline="always")
def _alike(pixel, start, end, inks, covers, colors, base, steps):
    """Blend inks of one alpha over an opaque pixel: the step depends on the coverage alone."""
    rb, g = red_blue(pixel), green(pixel)
    for k in range(start, end):
        color = colors[base + _U(inks[k])]
        step = steps[_U(covers[k])]
        rb = step_red_blue(rb, color, step)
        g = step_green(g, color, step)
    return opaque_pixel(rb, g)


@njit(inline="always")
def _varied(pixel, start, end, inks, covers, colors, base):
    rb, g = red_blue(pixel), green(pixel)
    for k in range(start, end):
        color = colors[base + _U(inks[k])]
        step = STEP[product(opacity(color), _U(covers[k]))]
        rb = step_red_blue(rb, color, step)
        g = step_green(g, color, step)
    return opaque_pixel(rb, g)


@njit(inline="always")
def _on_clear(pixel, start, end, inks, covers, colors, base):
    """Blend inks over a pixel that is not opaque."""
    for k in range(start, end):
        color = colors[base + _U(inks[k])]
        pixel = blended(pixel, color, product(opacity(color), _U(covers[k])))
    return pixel


@njit(inline="always")
def ink_color(ink, i, cell, levels, table, edges, opacities):
    """Colour of a cell's face or edge; its level is the `i`-th. No edge colours: the face's."""
    color = table[_U(levels[i])]
    if ink & _U(1) and edges.size > 0:
        hidden = opacity(color) == 0
        color = edges[cell % _U(edges.size)]
        if hidden:
            color = faded(color, 0)
    if opacities.size > 0:
        color = faded(color, opacities[i])
    return color
