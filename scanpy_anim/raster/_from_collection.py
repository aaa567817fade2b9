"""What is read from a collection, so that it need not live on: places, markers, alpha, edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rcParams
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D, IdentityTransform

from scanpy_anim.raster._blending import pack_colors
from scanpy_anim.raster._frame import writable
from scanpy_anim.raster._levels import color_bytes

if TYPE_CHECKING:
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.path import Path
    from numpy.typing import NDArray

_FACE = 0
_FEW_SIZES = 512
_SIZE_STEPS = 4096


def check_drawable(collection: PathCollection) -> None:
    """Refuse what the renderer cannot draw."""
    for name in ("hatch", "path_effects", "sketch_params"):
        if unknown := getattr(collection, f"get_{name}")():
            raise ValueError(
                f"points with {name}={unknown!r} cannot be drawn here: leave {name} out"
            )


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
    """Packed colors; empty where edges take the colors of the faces."""
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


@dataclass(frozen=True)
class Shapes:
    """The distinct marker shapes of a scatter, and which cell has which."""

    of_cell: NDArray[np.int32]  # (n,), or (1,) where all are alike; -1: nothing to draw
    path: NDArray[np.intp]  # (n_shapes,) position among the paths
    size: NDArray[np.float64]  # (n_shapes,) points squared
    width: NDArray[np.float64]  # (n_shapes,) of the edge, in points
    dash: NDArray[np.intp]  # (n_shapes,) position among the line styles
    smooth: NDArray[np.bool_]  # (n_shapes,) antialiased

    def __len__(self) -> int:
        return len(self.path)

    def of(self, which: NDArray) -> Shapes:
        """Pick some of the shapes, in this order."""
        columns = (self.path, self.size, self.width, self.dash, self.smooth)
        return Shapes(np.arange(len(which), dtype=np.int32), *(column[which] for column in columns))


class Markers:
    """The paths, sizes, edges and line styles of a collection made by `scatter`."""

    def __init__(self, collection: PathCollection) -> None:
        self.paths = list(collection.get_paths())
        self.sizes = _valid(collection.get_sizes())
        self.widths = np.atleast_1d(np.asarray(collection.get_linewidth(), dtype=np.float64))
        self.dashes = _unscaled(_lines(collection.get_linestyle()), self.widths)
        self.smooth = np.atleast_1d(np.asarray(collection.get_antialiased(), dtype=bool))
        self.transform: Any = collection.get_transform().frozen()
        self.has_faces = len(collection.get_facecolor()) > 0
        self.has_edges = len(collection.get_edgecolor()) > 0
        self.parts = 2 if self.has_edges and self.widths.any() else 1
        self.snap = collection.get_snap()
        ends = {"capstyle": collection.get_capstyle(), "joinstyle": collection.get_joinstyle()}
        self.ends = {name: value for name, value in ends.items() if value is not None}

    def shapes(self, n: int, dpi: float) -> Shapes:
        """Find the distinct shapes of `n` cells; many sizes are rounded to a 16th of a pixel."""
        sizes = _few(self.sizes, self._size_step(dpi))
        takes = (sizes, np.arange(len(self.paths)), self.widths, np.arange(len(self.dashes)),
                 self.smooth)  # fmt: skip
        alike = all(len(column) == 1 for column in takes)
        turns = np.arange(min(n, 1) if alike else n)
        columns = [column[turns % len(column)].astype(np.float64) for column in takes]
        rows, of_cell = _distinct(np.column_stack(columns))
        size, path, width, dash, smooth = rows.T
        of_cell = np.where(np.isnan(size)[of_cell], -1, of_cell) if len(rows) else np.array([-1])
        return Shapes(
            of_cell.astype(np.int32), path.astype(np.intp), np.nan_to_num(size), width,
            dash.astype(np.intp), smooth.astype(bool),
        )  # fmt: skip

    def _size_step(self, dpi: float) -> float:
        """Step of the square root of a size that moves the outline by a 16th of a pixel."""
        ends = [np.abs(np.asarray(path.vertices)).max(initial=0.0) for path in self.paths]
        return 72 / dpi / 16 / max(*ends, 1e-9)

    def outline(self, path: int, size: float, dpi: float) -> Path:
        """Path of a marker in pixels, upwards, around its position."""
        scale = np.sqrt(size) * dpi / 72
        return self.paths[path].transformed(Affine2D().scale(scale) + self.transform)

    def margin(self, shapes: Shapes, dpi: float) -> int:
        """Pixels that a marker reaches at most from its own, mitred joins included."""
        reach = 0.0
        for path in np.unique(shapes.path):
            size = shapes.size[shapes.path == path].max()
            vertices = np.asarray(self.outline(path, size, dpi).vertices)
            reach = max(reach, float(np.abs(vertices).max(initial=0.0)))
        widest = shapes.width.max(initial=0.0) * dpi / 72 if self.has_edges else 0.0
        return int(np.ceil(reach + 5.5 * widest)) + 3

    def draw(
        self, renderer: RendererAgg, part: int, xy: NDArray, shapes: Shapes, dpi: float
    ) -> None:
        """Draw the shapes at these pixels in black: the faces or the edges alone."""
        black, clear = [(0, 0, 0, 1)] * 2, [(0, 0, 0, 0)] * 2  # two: else drawn as alike markers
        face, edge = (black, clear) if part == _FACE else (clear, black)
        figure = Figure(dpi=dpi)
        _, kind = _distinct(np.column_stack([shapes.path, shapes.dash, shapes.smooth]))
        for some in (kind == k for k in range(kind.max(initial=-1) + 1)):
            first, widths = int(np.argmax(some)), shapes.width[some]
            drawn = PathCollection(
                [self.paths[shapes.path[first]]],
                sizes=shapes.size[some],
                offsets=xy[some],
                offset_transform=IdentityTransform(),
                transform=self.transform,
                facecolors=face if self.has_faces else "none",
                edgecolors=edge if self.has_edges else "none",
                linewidths=widths[:1] if (widths == widths[0]).all() else widths,
                linestyles=[self.dashes[shapes.dash[first]]],
                antialiaseds=[bool(shapes.smooth[first])],
                **self.ends,
            )
            drawn.set(snap=self.snap, figure=figure)
            drawn.draw(renderer)


def _valid(sizes: Any) -> NDArray[np.float64]:
    """Sizes with NaN for what cannot be drawn."""
    sizes = np.atleast_1d(np.ma.filled(np.ma.asarray(sizes, dtype=np.float64), np.nan))
    return np.where(np.isfinite(sizes) & (sizes >= 0), sizes, np.nan)


def _lines(styles: Any) -> list[tuple[float, list[float] | None]]:
    """Dash patterns: offset, lengths."""
    return list(styles) if isinstance(styles, list) else [styles]


def _unscaled(
    dashes: list[tuple[float, list[float] | None]], widths: NDArray[np.float64]
) -> list[tuple[float, Any]]:
    """Dash patterns in units of the line width, as they are given to a collection."""
    units = widths[np.arange(len(dashes)) % len(widths)]
    if not rcParams["lines.scale_dashes"]:
        units = np.ones(len(dashes))
    units = np.where(units > 0, units, 1.0)
    return [
        (offset / unit, None if lengths is None else [length / unit for length in lengths])
        for (offset, lengths), unit in zip(dashes, units, strict=True)
    ]


def _few(values: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Sizes as they are if few are distinct, else with their square roots in steps."""
    if len(values) <= _FEW_SIZES or len(np.unique(values)) <= _FEW_SIZES:
        return values
    roots = np.sqrt(values)
    step = max(step, float(np.nanmax(roots, initial=0.0)) / _SIZE_STEPS)
    return (np.round(roots / step) * step) ** 2


def _distinct(table: NDArray) -> tuple[NDArray, NDArray[np.intp]]:
    """Distinct rows, and which of them each row is."""
    code = np.zeros(len(table), np.int64)
    for column in table.T:
        values, which = np.unique(column, return_inverse=True)
        code = np.unique(code * max(len(values), 1) + which, return_inverse=True)[1]
    first = np.unique(code, return_index=True)[1]
    return table[first], code
