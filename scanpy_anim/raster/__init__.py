"""Points to pixels: arrays in, pixels out, and the matplotlib artist on top.

A frame goes through these rooms, from the top:

- `_artist`: the matplotlib artist that draws one frame's points.
- `_layer`: the points that all frames share; what stays is computed once for a canvas.
- `_from_collection`: what is read from a scatter: places, markers, alpha, edges.
- `_canvas`: what is drawn on, and how coordinates become its pixels.
- `_frame`: what one frame shows (`FrameStyle`, `LateStyle`), its colors as the kernels take them.
- `_levels`: values to levels of a color map, color maps and palettes to tables of colors.
- `_ranks`: ranks of a frame's values as levels, without sorting.
- `_sorting`: drawing orders, by radix.
- `_footprints`: pixel coverage of markers at their positions within a pixel.
- `_placement`: the pixel of each cell, and the band of rows that it is in.
- `_visible`: what is seen through each pixel, listed once.
- `_compose`: a frame through these lists: for points at rest in a fixed order.
- `_paint`: a frame cell by cell: for an order that changes, or points that move.
- `_pixels`: a whole canvas: restored, covered by what lies over the points, handed on as RGB.
- `_blending`: Agg's 8-bit alpha blending.
- `_compilation`: whether kernels are compiled already.
"""

from __future__ import annotations

from scanpy_anim.raster._artist import PointsArtist
from scanpy_anim.raster._compilation import needs_compiling
from scanpy_anim.raster._frame import FrameStyle, LateStyle, gathered
from scanpy_anim.raster._layer import PointLayer
from scanpy_anim.raster._levels import color_bytes, color_table, value_levels
from scanpy_anim.raster._pixels import Overlay, restore, to_rgb
from scanpy_anim.raster._ranks import rank_levels

__all__ = [
    "FrameStyle",
    "LateStyle",
    "Overlay",
    "PointLayer",
    "PointsArtist",
    "color_bytes",
    "color_table",
    "gathered",
    "needs_compiling",
    "rank_levels",
    "restore",
    "to_rgb",
    "value_levels",
]
