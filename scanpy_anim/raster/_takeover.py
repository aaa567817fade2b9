"""What is read from a collection, so that it need not live on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._inks import writable

if TYPE_CHECKING:
    from matplotlib.collections import PathCollection
    from numpy.typing import NDArray


def check_drawable(collection: PathCollection) -> None:
    """Refuse what the renderer cannot draw."""
    for name in ("hatch", "path_effects", "sketch_params"):
        if unknown := getattr(collection, f"get_{name}")():
            msg = f"points with {name}={unknown!r} cannot be drawn here: leave {name} out"
            raise ValueError(msg)


def coordinates(collection: PathCollection) -> NDArray[np.float64]:
    """Offsets with NaN for what is masked; the same array where nothing is."""
    offsets: Any = collection.get_offsets()
    if np.ma.is_masked(offsets):
        offsets = np.ma.filled(offsets.astype(np.float64), np.nan)
    return writable(np.asarray(np.ma.getdata(offsets), dtype=np.float64).reshape(-1, 2))


def own_alpha(collection: PathCollection, n: int) -> float | NDArray[np.uint8]:
    """Alpha of all points (0 to 1), or of each (0 to 255)."""
    alpha: Any = collection.get_alpha()
    if alpha is None or np.ndim(alpha) == 0:
        return 1.0 if alpha is None else float(alpha)
    each = np.floor(np.asarray(alpha, dtype=np.float64) * 255 + 0.5).astype(np.uint8)
    return np.resize(each, n)


def edge_colors(collection: PathCollection) -> NDArray[np.uint64]:
    """Packed colours; empty where edges take the colours of the faces."""
    from ._blending import pack_colors
    from ._colors import color_bytes

    edges, faces = collection.get_edgecolor(), collection.get_facecolor()
    if len(edges) == 0 or edges is faces or len(faces) == 0:
        return np.empty(0, np.uint64)
    return pack_colors(color_bytes(edges))


def unchanged(collection: PathCollection) -> dict[str, Any]:
    """Read what an artist has as the collection had it; clips only if not those of the axes."""
    kept = {name: getattr(collection, f"get_{name}")() for name in ("zorder", "clip_on", "gid")}
    axes: Any = collection.axes
    box: Any = collection.get_clip_box()
    path: Any = collection.get_clip_path()
    if path is not None and (axes is None or getattr(path, "_patch", None) is not axes.patch):
        kept["clip_path"] = path
    if box is not None and (axes is None or not np.array_equal(box.extents, axes.bbox.extents)):
        kept["clip_box"] = box
    return kept
