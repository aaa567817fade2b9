"""A frame through the lists of what is seen: for points at rest in a fixed order."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from scanpy_anim._threads import spread, thread_count
from scanpy_anim.raster._blending import (
    blended,
    green,
    is_opaque,
    opacity,
    opaque_pixel,
    product,
    red_blue,
    step_green,
    step_red_blue,
)
from scanpy_anim.raster._frame import PackedColors, primitive_color

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scanpy_anim.raster._frame import FrameColors
    from scanpy_anim.raster._visible import Visibility

_U = np.uint64
_ERRAND = 600_000  # members of lists that are blended while a text is drawn


def compose(
    pixels: NDArray[np.uint32],
    seen: Visibility,
    colors: FrameColors,
    meanwhile: Callable[[], None] | None = None,
) -> None:
    """Blend a frame into the pixels of a canvas, `(height * width,)` RGBA words, in place.

    `meanwhile` is called on this thread, others blending already: it draws a text elsewhere.
    """
    packed = colors.packed(seen.cells)
    levels: NDArray[np.unsignedinteger] = packed.levels
    table = packed.table
    if packed.edges.size or packed.opacity.size:  # each primitive has a color of its own
        levels, table = _look_up_parts(seen.primitives, packed)

    def compose_bands(ends: tuple[int, int]) -> None:
        done, last = ends
        if packed.steps.size:
            done = compose_kernel(pixels, seen, levels, table, packed.steps, done, last)
        if done < last:
            _compose_any(pixels, seen, levels, table, done, last)

    work = seen.list_starts[seen.pixel_starts]
    shares = _even_shares(work, thread_count(), _ERRAND if meanwhile else 0)
    spread(compose_bands, shares, meanwhile)


def _even_shares(work: NDArray[np.int64], parts: int, errand: int) -> list[tuple[int, int]]:
    """Cut a running total into ranges of about equal work, the last with an errand besides."""
    total = work[-1] + (errand if parts > 1 else 0)
    cuts = np.searchsorted(work, [total * k // parts for k in range(1, parts)])
    ends = [0, *(min(int(cut), len(work) - 1) for cut in cuts), len(work) - 1]
    return [(a, b) for a, b in pairwise(ends) if a < b]


@njit(nogil=True, cache=True, error_model="numpy")
def _look_up_parts(
    primitives: NDArray[np.uint32], packed: PackedColors
) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
    """Colors of the primitives, faces and edges, and a level of its own for each."""
    levels = np.empty(primitives.size, np.uint32)
    colors = np.empty(primitives.size, np.uint64)
    for v in range(_U(primitives.size)):
        primitive, i = _U(primitives[v]), _U(v)
        levels[i] = np.uint32(i)
        colors[i] = primitive_color(primitive & _U(1), i, primitive >> _U(1), packed)
    return levels, colors


@njit(nogil=True, cache=True, error_model="numpy")
def compose_kernel(
    canvas: NDArray[np.uint32],
    seen: Visibility,
    levels: NDArray[np.unsignedinteger],
    table: NDArray[np.uint64],
    steps: NDArray[np.uint64],
    first: int,
    last: int,
) -> int:
    """Blend the bands `first` .. `last` into an opaque canvas, all colors having one alpha.

    Each pixel blends its list, back to front, by steps that depend on the coverage alone.

    Returns
    -------
    The first band that was not blended, as the canvas is not opaque there; or `last`.
    """
    members, covers, pixels, list_starts = seen.members, seen.covers, seen.pixels, seen.list_starts
    for b in range(first, last):
        begin, end = _U(seen.pixel_starts[b]), _U(seen.pixel_starts[b + 1])
        together = ~np.uint32(0)
        for i in range(begin, end):
            together &= canvas[_U(pixels[i])]
        if not is_opaque(together):
            return b
        base = _U(seen.primitive_starts[b])
        for i in range(begin, end):
            p = _U(pixels[i])
            rb, g = red_blue(canvas[p]), green(canvas[p])
            for k in range(_U(list_starts[i]), _U(list_starts[i + _U(1)])):
                color = table[_U(levels[base + _U(members[k])])]
                step = steps[_U(covers[k])]
                rb = step_red_blue(rb, color, step)
                g = step_green(g, color, step)
            canvas[p] = opaque_pixel(rb, g)
    return last


@njit(nogil=True, cache=True, error_model="numpy")
def _compose_any(
    canvas: NDArray[np.uint32],
    seen: Visibility,
    levels: NDArray[np.unsignedinteger],
    table: NDArray[np.uint64],
    first: int,
    last: int,
) -> None:
    """Blend the bands `first` .. `last` into any canvas, colors having any alpha."""
    members, covers, pixels, list_starts = seen.members, seen.covers, seen.pixels, seen.list_starts
    for b in range(first, last):
        base = _U(seen.primitive_starts[b])
        for i in range(_U(seen.pixel_starts[b]), _U(seen.pixel_starts[b + 1])):
            p = _U(pixels[i])
            pixel = canvas[p]
            for k in range(_U(list_starts[i]), _U(list_starts[i + _U(1)])):
                color = table[_U(levels[base + _U(members[k])])]
                pixel = blended(pixel, color, product(opacity(color), _U(covers[k])))
            canvas[p] = pixel
