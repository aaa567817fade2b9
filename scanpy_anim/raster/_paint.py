"""A frame cell by cell, back to front: for an order that changes, or points that move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from scanpy_anim._threads import spread
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
from scanpy_anim.raster._frame import primitive_color
from scanpy_anim.raster._placement import Band, col_of, glyph_of, row_of
from scanpy_anim.raster._sorting import sort_few

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scanpy_anim.raster._canvas import Canvas
    from scanpy_anim.raster._footprints import Footprints
    from scanpy_anim.raster._frame import FrameColors, PackedColors

_U = np.uint64


def paint(
    pixels: NDArray[np.uint32],
    bands: Sequence[Band],
    footprints: Footprints,
    colors: FrameColors,
    canvas: Canvas,
    *,
    keys: NDArray[np.uint64] | None = None,
    first_on_top: bool = False,
) -> None:
    """Blend a frame into the pixels of a canvas, `(height * width,)` RGBA words, in place.

    Parameters
    ----------
    pixels
        The canvas.
    bands
        The cells, in the order in which they lie without keys.
    footprints, colors, canvas
        What is drawn, in which colors, and on what.
    keys
        A key of each cell in this frame, higher on top. The cells are sorted band by
        band, each in a cache, so that all of them together need no sorting.
    first_on_top
        Whether cells with the same key lie in reverse.
    """
    packed = colors.packed()

    def paint_band(band: Band) -> None:
        if keys is not None:
            band = Band(band.window, *_sorted(band.cells, band.sprites, keys, first_on_top))
        paint_kernel(pixels, canvas.width, band, footprints, canvas.mask, packed)

    spread(paint_band, bands)


@njit(nogil=True, cache=True, error_model="numpy")
def _sorted(
    cells: NDArray[np.uint32],
    sprites: NDArray[np.int64],
    keys: NDArray[np.uint64],
    first_on_top: bool,
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Sort the cells of a band, the last of which is behind, so that the highest key comes first.

    Where the last of equal cells comes first afterwards, they are gone through in reverse.
    """
    n = cells.size
    of_band = np.empty(n, np.uint64)
    for k in range(n):
        of_band[k] = keys[_U(cells[k if first_on_top else n - 1 - k])]
    upwards = sort_few(of_band)
    sorted_cells, sorted_sprites = np.empty_like(cells), np.empty_like(sprites)
    for k in range(n):
        at = np.int64(upwards[n - 1 - k])
        at = at if first_on_top else n - 1 - at
        sorted_cells[k], sorted_sprites[k] = cells[_U(at)], sprites[_U(at)]
    return sorted_cells, sorted_sprites


@njit(nogil=True, cache=True, error_model="numpy")
def paint_kernel(
    canvas: NDArray[np.uint32],
    width: int,
    band: Band,
    footprints: Footprints,
    mask: NDArray[np.uint8],
    colors: PackedColors,
) -> None:
    """Blend the footprints of a band's cells into its rows, from the last cell, which is behind."""
    boxes, parts, window = footprints.boxes, footprints.parts, band.window
    plain = colors.edges.size == 0 and colors.opacity.size == 0
    alike = plain and colors.steps.size > 0 and mask.size == 0
    for m in range(band.cells.size - 1, -1, -1):
        cell, sprite = _U(band.cells[m]), band.sprites[m]
        for part in range(parts):
            if plain:
                color = colors.table[_U(colors.levels[cell])]
            else:
                color = primitive_color(_U(part), cell, cell, colors)
            alpha = opacity(color)
            if alpha == 0:
                continue
            g = _U(glyph_of(sprite) * parts + part)
            row, col = row_of(sprite) + boxes[g, 0], col_of(sprite) + boxes[g, 1]
            left, right = max(col, window[2]), min(col + boxes[g, 3], window[3])
            for y in range(max(row, window[0]), min(row + boxes[g, 2], window[1])):
                line = footprints.starts[g] + (y - row) * boxes[g, 3] - col
                for x in range(left, right):
                    cover = _U(footprints.covers[_U(line + x)])
                    p = _U(y * width + x)
                    pixel = canvas[p]
                    if alike and is_opaque(pixel):
                        step = colors.steps[cover]
                        rb = step_red_blue(red_blue(pixel), color, step)
                        canvas[p] = opaque_pixel(rb, step_green(green(pixel), color, step))
                        continue
                    if mask.size > 0:
                        cover = product(cover, _U(mask[y, x]))
                    canvas[p] = blended(pixel, color, product(alpha, cover))
