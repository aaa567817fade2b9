"""Cells and their scores to a page on which the film runs in the browser: arrays in, bytes out.

This room knows nothing of AnnData, scanpy or matplotlib. `Contents` says what a page shows, `page`
writes it, `docs/explorer.md` describes the format. The modules, in the order in which contents
meet them:

`_contents`
    what a page shows
`_order`
    which cells lie on top; those that do not overlap along a curve
`_levels`
    numbers as levels of a byte that serve every color scale (on the ranks of `raster`)
`_coordinates`, `_curve`, `_planes`, `_names`
    coordinates, frames, names of cells and other columns as bytes
`_parts`
    bytes deflated and spelled in letters
`_encode`
    the story: contents become a header and parts
`_page`
    the page around them, with the player's JavaScript and CSS that lie in this folder
"""

from scanpy_anim.explorer._contents import Contents, Key, Likeness, Poster, View
from scanpy_anim.explorer._curve import along_curve
from scanpy_anim.explorer._levels import N_LEVELS, Leveled, Steps, film_steps
from scanpy_anim.explorer._names import (
    MOST_NAMES,
    Texts,
    pack_categories,
    pack_names,
    pack_numbers,
    pack_texts,
)
from scanpy_anim.explorer._order import drawing_order
from scanpy_anim.explorer._page import fragment, page, poster_element
from scanpy_anim.explorer._parts import packed
from scanpy_anim.explorer._planes import Plane

__all__ = [
    "MOST_NAMES",
    "N_LEVELS",
    "Contents",
    "Key",
    "Leveled",
    "Likeness",
    "Plane",
    "Poster",
    "Steps",
    "Texts",
    "View",
    "along_curve",
    "drawing_order",
    "film_steps",
    "fragment",
    "pack_categories",
    "pack_names",
    "pack_numbers",
    "pack_texts",
    "packed",
    "page",
    "poster_element",
]
