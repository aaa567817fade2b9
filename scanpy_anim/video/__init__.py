"""Frames to files: arrays in, bytes out.

This room knows nothing of AnnData, scanpy or matplotlib. A :class:`Film` says how to draw its
frames and how long each is shown; :func:`write` puts it into a file by its suffix;
:func:`player` gives the HTML that plays it in a notebook or on a page.
"""

from ._check import check
from ._film import Film
from ._formats import FORMATS, Format
from ._player import player
from ._targets import TARGETS, Target
from ._write import Written, write

__all__ = [
    "FORMATS",
    "TARGETS",
    "Film",
    "Format",
    "Target",
    "Written",
    "check",
    "player",
    "write",
]
