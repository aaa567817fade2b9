"""Frames to files: arrays in, bytes out.

This room knows nothing of AnnData, scanpy or matplotlib. A `Film` says how to draw its frames and
how long each is shown; `write` puts it into a file by its suffix; `player` gives the HTML that
plays it in a notebook or on a page. The modules, in the order in which a film meets them:

`_film`
    how frames are drawn, how long each is shown, what is said of them
`_check`
    what can be known to fail, before any work starts
`_write`
    the story: check, encode, put in place; and the player's HTML
`_formats`, `_options`
    every format with its limits; what one encoding run is asked for, its progress bar
`_targets`, `_fit_size`
    what sites accept; the best picture that fits into so many bytes
`_pyav`
    the library of most encoders, imported when it is needed
`_pipeline`
    frames are encoded by one thread while another draws the next
`_atomic`
    files that appear complete or not at all
`_flashes`
    whether a film flashes so that it can provoke seizures
`_timing`, `_palette`
    seconds to ticks; the few colors of a film
`_gif`, `_apng`, `_pillow`, `_stream`, `_planes`, `_page`
    the encoders: gif; animated png; webp and avif; mp4 and webm, and frames as these take them;
    the player (with `player.js` and `player.css`) and the page around it
"""

from scanpy_anim.video._check import check
from scanpy_anim.video._film import Film
from scanpy_anim.video._formats import FORMATS
from scanpy_anim.video._options import Format
from scanpy_anim.video._page import still_png
from scanpy_anim.video._targets import TARGETS, Target
from scanpy_anim.video._write import Written, player, write

__all__ = [
    "FORMATS",
    "TARGETS",
    "Film",
    "Format",
    "Target",
    "Written",
    "check",
    "player",
    "still_png",
    "write",
]
