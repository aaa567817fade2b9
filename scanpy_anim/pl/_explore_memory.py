"""What a page that holds the scores takes in memory, known before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim import explorer
from scanpy_anim._memory import free_bytes, require
from scanpy_anim.explorer._planes import pack_plane
from scanpy_anim.pl._continuous_coloring import ContinuousColoring
from scanpy_anim.pl._explore_check import column
from scanpy_anim.pl._explore_planes import LabelPlanes, ScorePlanes
from scanpy_anim.pl._explore_route import route_of
from scanpy_anim.pl._motion import Path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanpy_anim.pl._clip import Clip

# bytes a cell: while cells are brought into the order of drawing; that and a frame's values later
_ORDERING, _ORDERED = 120, 40
# of each stop of cells that move: in the order of drawing; packed
_STOP, _STOP_PACKED = 16, 4.5
# packed frames are there in parts, as the page, and in between
_COPIES = 3.1
# names as text, as bytes and, unless they were left out, packed; with quotes and a comma
_OF_NAMES, _LEFT_OUT, _QUOTES = 3, 2, 3
# cells whose scores and names tell what all take
_SAMPLE = 1 << 15


def require_page(
    clips: Sequence[Clip], schedule: Sequence[Sequence[int]], names: object = "auto"
) -> None:
    """Refuse a page that does not fit into memory, before any work.

    Raises
    ------
    MemoryError
        Says what it takes and what is free.
    """
    free = free_bytes()
    if free is not None:
        size = _page_bytes(clips, schedule, names)
        require("the page", size, free, "show fewer cells or frames (every=), save a video")


def _page_bytes(
    clips: Sequence[Clip], schedule: Sequence[Sequence[int]], names: object = "auto"
) -> int:
    """Count what a page takes at its peak; `names` as of `EmbeddingAnimation.explore`."""
    ordering = at_rest = packed = 0.0
    for c, clip in enumerate(clips):
        n_obs = clip.stage.plot.n_obs
        moments = [clip.timeline.moments[numbers[c]] for numbers in schedule]
        stops = route_of(moments).stops
        ways = {(m.first, m.second) for m in moments if m.weight}
        for coloring in clip.colorings:
            jumps = isinstance(coloring, ContinuousColoring) and coloring.scale.jumps
            packing, named = _name_bytes(clip.stage.plot.obs, names)
            n_planes = len(stops) + 2 * len(ways) * jumps
            packed += n_obs * (n_planes * _packed_bytes(coloring, stops, n_obs) + named)
            n_stops = len(clip.stage.motion.stops) if isinstance(clip.stage.motion, Path) else 0
            packed += _STOP_PACKED * n_stops * n_obs
            at_rest += (_ORDERED + _STOP * n_stops) * n_obs
            ordering = max(ordering, _ORDERING * n_obs, at_rest + packing * n_obs)
    return int(max(ordering, at_rest + _COPIES * packed))


def _name_bytes(obs: Any, names: object) -> tuple[float, float]:
    """Bytes of a cell's name while all are packed, and packed; left out, these are none."""
    if obs is None or not (isinstance(names, str) or names is True):
        return 0.0, 0.0
    some = np.unique(np.linspace(0, len(obs) - 1, _SAMPLE).astype(np.intp))
    texts = obs.index if names in ("auto", True) else column(obs, names, "names")
    found = list(map(str, np.asarray(texts, object)[some].tolist()))
    each = _QUOTES + sum(map(len, found)) / max(len(found), 1)
    if names == "auto":
        return _LEFT_OUT * each, 0.0
    return _OF_NAMES * each, len(explorer.packed(explorer.pack_names(found).content)) / len(found)


def _packed_bytes(coloring: Any, stops: Sequence[Any], n_obs: int) -> float:
    """Letters that a cell takes in a plane, told by two planes in the middle and some cells."""
    some = np.unique(np.linspace(0, n_obs - 1, _SAMPLE).astype(np.intp))
    middle = max(0, len(stops) // 2 - 1)
    kind = ScorePlanes if isinstance(coloring, ContinuousColoring) else LabelPlanes
    planes = list(kind(coloring, stops[middle : middle + 2], some, 0))
    content, _ = pack_plane(planes[-1], planes[0] if len(planes) > 1 else None)
    return len(explorer.packed(content)) / max(len(some), 1)
