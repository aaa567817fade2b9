"""The story: what a page shows becomes its header and its parts."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim._threads import spread, thread_count
from scanpy_anim.explorer._coordinates import (
    byte_planes,
    grid_of,
    pack_along,
    pack_bits,
    pack_cells,
    pack_stops,
)
from scanpy_anim.explorer._curve import along_curve
from scanpy_anim.explorer._parts import Parts
from scanpy_anim.explorer._planes import Plane, pack_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.explorer._contents import Contents

_FORMAT = 3


def encode(contents: Contents) -> tuple[dict[str, Any], Parts]:
    """Return the header of a page and its parts, as `docs/explorer.md` describes them."""
    parts = Parts()
    panels = []
    for k, panel in enumerate([contents, *contents.others]):
        parts.prefix = f"{k}-" if k else ""
        panels.append(_panel(panel, parts))
    header = {
        "format": _FORMAT,
        "generator": contents.generator,
        "title": contents.title,
        "description": contents.description,
        "parts": parts.sizes,
        "loop": contents.loop,
    }
    return header | ({"panels": panels} if len(panels) > 1 else panels[0]), parts


def _panel(contents: Contents, parts: Parts) -> dict[str, Any]:
    """Add the parts of a panel; return what the header says of it."""
    n, like = contents.positions.shape[-2], contents.like
    grid = grid_of(contents.positions)
    told = _add_places(contents, grid, parts)
    planes, tables = _add_planes(contents, parts)
    if tables:
        parts.add([("tables", b"".join(_columns(tables)))])
    if contents.full is not None:
        parts.add([("full", pack_bits(contents.full).tobytes())])
    if contents.names is not None:
        parts.add([("names", contents.names.content)], contents.names.packed)
    parts.add((f"hover-{k}", t.content) for k, t in enumerate(contents.hover.values()))
    return {
        "n": n,
        "kind": contents.kind,
        "view": vars(contents.view),
        "xy": grid._asdict(),
        **told,
        "alpha": contents.view.alpha,
        "planes": planes,
        "moments": contents.moments,
        "titles": contents.titles,
        "top": contents.top,
        **({"sorted": 1} if contents.by_value else {}),
        "rings": contents.rings,
        "names": None if contents.names is None else contents.names.header,
        "namesNote": contents.names_note,
        "namesTitle": contents.names_title,
        "hover": [{"title": name, **text.header} for name, text in contents.hover.items()],
        **({"name": contents.name} if like is not None or contents.others else {}),
        **contents.colors,
    }


def _add_places(contents: Contents, grid: Any, parts: Parts) -> dict[str, Any]:
    """Add where cells are, or which cell of an earlier panel each is; return what is told of it."""
    places, like = contents.positions, contents.like
    told: dict[str, Any] = {}
    moves = places.ndim > 2 or contents.tilt is not None
    if like is not None:
        parts.add([("cells", pack_cells(like.cells))])
        told = {"like": like.panel} | ({"follows": like.panel} if like.alike else {})
        if like.alike and not moves:
            return told
    if not moves:
        parts.add([("xy", pack_along(along_curve(places)))])
        return told
    stops = list(pack_stops(places if places.ndim > 2 else places[None], grid))
    parts.add((f"xy-{k}" if k else "xy", stop.content) for k, stop in enumerate(stops))
    if contents.tilt is not None:
        told["turn"] = contents.tilt
    else:
        told["stops"] = [[int(stop.from_before), int(stop.nowhere)] for stop in stops]
    return told


def _add_planes(
    contents: Contents, parts: Parts
) -> tuple[list[dict[str, Any]], list[tuple[NDArray, ...]]]:
    """Pack the planes, some at a time; return what the header says of each, and their tables."""
    told: list[dict[str, Any]] = []
    tables: list[tuple[NDArray, ...]] = []
    before: Plane | None = None
    numbered = zip(contents.keys, contents.planes, strict=True)
    while some := list(islice(numbered, 2 * thread_count())):
        pairs = zip([before, *(plane for _, plane in some)], some, strict=False)
        packed = spread(lambda pair: pack_plane(pair[1][1], pair[0]), pairs)
        first = len(told)
        parts.add((f"frame-{first + k}", content) for k, (content, _) in enumerate(packed))
        for (key, plane), (_, from_before) in zip(some, packed, strict=True):
            told.append(
                {
                    "title": key.title,
                    "edge": int(key.between is not None),
                    "from": len(told) - 1 if from_before else -1,
                    "missing": int(plane.missing is not None),
                    "resort": int(plane.resort),
                    **({} if key.between is None else {"between": key.between}),
                    **({} if key.names is None else {"names": list(key.names)}),
                }
            )
            if plane.tables:
                tables.append(plane.tables)
            before = plane
    return told, tables


def _columns(tables: list[tuple[NDArray, ...]]) -> list[bytes]:
    """Return values, ranks and rows of all planes, each in planes of bytes."""
    return [byte_planes(np.concatenate(column)) for column in zip(*tables, strict=True)]
