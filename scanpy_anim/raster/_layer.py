"""Points whose geometry all frames share."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from ._look import Look
from ._scene import Inks, Placement, View, Visibility, compose, find_visible, paint, place_points

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.collections import PathCollection
    from matplotlib.transforms import Bbox, Transform
    from numpy.typing import NDArray

    from ._artist import PointsArtist

_SCENES = 2  # remembered per layer: the screen and a file
_VISIBILITIES = 2  # per scene: opaque colours, and colours that let others through
_BYTES = 1 << 32
_BYTES_PER_PIXEL = 24
_LISTED = 1 << 26  # inks listed without regard to what hides them; more are painted
_NO_ORDER = np.empty(0, np.uint32)
_OPAQUE = np.empty(0, np.uint8)


class PointLayer:
    """The points of a scatter, to be drawn again and again in other colours.

    Takes over positions, sizes, marker, edges and alpha of a collection; the collection itself is
    left as it is (remove it from its axes, or hide it). All frames of a film share one layer: what
    they have in common is computed once for each size of the canvas.

    Text, axes and colour bars stay with matplotlib, and so do points in 3-D axes and hatched
    markers.

    Parameters
    ----------
    collection
        What :meth:`matplotlib.axes.Axes.scatter` returns. NaN, infinite and masked positions are
        left out.
    order
        ``(n,)`` key of the drawing order: higher on top, ties in the order of the points, NaN at
        the bottom. By default the order of the points.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from scanpy_anim.raster import Look, PointLayer, color_table, rank_levels
    >>> fig, ax = plt.subplots()
    >>> x, y = np.random.default_rng(0).normal(size=(2, 100_000))
    >>> scatter = ax.scatter(x, y, s=1, edgecolor="none")
    >>> scatter.remove()
    >>> look = Look(rank_levels(x * y), color_table(plt.get_cmap("viridis")))
    >>> artist = ax.add_artist(PointLayer(scatter, order=x * y).artist(look))
    """

    def __init__(self, collection: PathCollection, *, order: NDArray | None = None) -> None:
        from ._markers import Markers

        for name in ("hatch", "path_effects", "sketch_params"):
            if unknown := getattr(collection, f"get_{name}")():
                msg = f"points with {name}={unknown!r} cannot be drawn here: leave {name} out"
                raise ValueError(msg)
        if collection.get_array() is not None:
            collection.update_scalarmappable()
        self.offsets = _coordinates(collection.get_offsets())
        self.markers = Markers(collection)
        axes = collection.axes
        transform = collection.get_offset_transform()
        self._transform = None if axes is not None and transform is axes.transData else transform
        self.alpha = _opacity(collection.get_alpha(), len(self))
        self._edges = _edge_colors(collection)
        self._order = _NO_ORDER if order is None else self._ranked(order)
        self.properties = _properties(collection)
        self._box: NDArray[np.float64] | None = None
        self._scenes: OrderedDict[tuple, _Scene] = OrderedDict()

    def __len__(self) -> int:
        return len(self.offsets)

    def __deepcopy__(self, memo: dict[int, Any]) -> PointLayer:
        """Copies of a figure share the layer: nothing in it changes from frame to frame."""
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_scenes": OrderedDict()}

    def artist(self, look: Look | Callable[[], Look]) -> PointsArtist:
        """An artist that draws these points as `look` says.

        Parameters
        ----------
        look
            What to show, or a function that is called for it whenever the artist is drawn.
        """
        from ._artist import PointsArtist

        return PointsArtist(self, look)

    def transform(self, data: Transform) -> Transform:
        """From offsets to the canvas; `data` is that of the axes the artist is in."""
        return data if self._transform is None else self._transform

    def extent(self, data: Transform, dpi: float) -> Bbox:
        """Box around all markers in pixels, without their edges, as collections give it."""
        from matplotlib.transforms import Bbox

        ends = self._ends()
        if ends is None:
            return Bbox.null()
        corners = self.transform(data).transform(ends)
        largest = float(np.nanmax(self.markers.sizes, initial=0.0))
        paths = range(len(self.markers.paths))
        boxes = [self.markers.outline(path, largest, dpi).get_extents() for path in paths]
        low = np.min([box.min for box in boxes], axis=0)
        high = np.max([box.max for box in boxes], axis=0)
        return Bbox([corners.min(axis=0) + low, corners.max(axis=0) + high])

    def _ends(self) -> NDArray[np.float64] | None:
        """Corners of the box around all points."""
        if self._box is None:
            drawn = self.offsets[np.isfinite(self.offsets).all(axis=1)]
            low, high = drawn.min(axis=0, initial=np.inf), drawn.max(axis=0, initial=-np.inf)
            self._box = np.array([low, high])
        return self._box if np.isfinite(self._box).all() else None

    def draw(self, canvas: NDArray[np.uint8], look: Look, view: View, offsets: NDArray) -> None:
        """Blend a frame into a ``(height, width, 4)`` canvas of straight RGBA bytes.

        Parameters
        ----------
        canvas
            Changed in place.
        look
            What the frame shows.
        view
            Describes the canvas.
        offsets
            ``(n, 2)`` what `view.matrix` takes to pixels.
        """
        if look.levels.size != len(self):
            msg = f"levels must have one entry a cell ({len(self)}), got {look.levels.size}"
            raise ValueError(msg)
        if view.window[0] >= view.window[1] or view.window[2] >= view.window[3] or not len(self):
            return
        _check_memory(view)
        pixels = canvas.view(np.uint32).reshape(-1)
        inks = self._inks(look)
        moving = look.offsets is not None
        scene = _Scene(offsets, self, view) if moving else self._scene(offsets, view)
        if not moving and look.order is None:
            seen = scene.visibility(self._bounds(inks))
            if seen is not None:
                compose(pixels, seen, inks)
                return
        order = self._order if look.order is None else self._ranked(look.order)
        paint(pixels, scene.placement(), order, inks, view)

    def _scene(self, offsets: NDArray, view: View) -> _Scene:
        key = (view.key(), _fingerprint(offsets) if offsets is not self.offsets else b"")
        scene = self._scenes.pop(key, None) or _Scene(offsets, self, view)
        self._scenes[key] = scene
        while len(self._scenes) > _SCENES:
            self._scenes.popitem(last=False)
        return scene

    def _inks(self, look: Look) -> Inks:
        """Colours of a look, in which the layer's own alpha is a factor."""
        from ._blending import pack_colors

        table, opacity = look.table, _OPAQUE if look.opacity is None else look.opacity
        if isinstance(self.alpha, float):
            table = table.copy()
            table[:, 3] = np.floor(table[:, 3] * self.alpha + 0.5)
        elif opacity.size:
            opacity = (opacity.astype(np.uint16) * self.alpha // 255).astype(np.uint8)
        else:
            opacity = self.alpha
        alphas = _alphas(table, look.levels)
        if self.markers.parts > 1 and self._edges.size:
            alphas = np.union1d(alphas, self._edges >> np.uint64(48))
        alpha = int(alphas[0]) if len(alphas) == 1 and not opacity.size else None
        return Inks(_owned(look.levels), pack_colors(table), self._edges, _owned(opacity), alpha)

    def _bounds(self, inks: Inks) -> tuple[float, ...]:
        """Opacity (0 to 255) that every face, and every edge, has at least."""
        parts = self.markers.parts
        if inks.alpha is not None:
            return (float(inks.alpha),) * parts
        if inks.opacity.size:
            return (0.0,) * parts
        face = float((inks.table >> np.uint64(48)).min(initial=255))
        edge = float((self._edges >> np.uint64(48)).min()) if self._edges.size else face
        return (face, edge if face else 0.0)[:parts]

    def _ranked(self, key: NDArray) -> NDArray[np.uint32]:
        from ._sorting import stable_order

        key = np.asarray(key)
        if key.shape != (len(self),):
            msg = f"order must have one key a cell, shape ({len(self)},), got {key.shape}"
            raise ValueError(msg)
        return stable_order(key)


class _Scene:
    """Points at rest on one canvas; computed when asked for."""

    def __init__(self, offsets: NDArray, layer: PointLayer, view: View) -> None:
        self._offsets, self._layer, self._view = offsets, layer, view
        self._placement: Placement | None = None
        self._seen: OrderedDict[tuple[float, ...], Visibility | None] = OrderedDict()

    def placement(self) -> Placement:
        if self._placement is None:
            self._placement = place_points(self._offsets, self._layer.markers, self._view)
        return self._placement

    def visibility(self, bounds: tuple[float, ...]) -> Visibility | None:
        """None: too many inks to list."""
        if bounds not in self._seen:
            self._seen[bounds] = self._look_through(bounds)
            while len(self._seen) > _VISIBILITIES:
                self._seen.popitem(last=False)
        self._seen.move_to_end(bounds)
        return self._seen[bounds]

    def _look_through(self, bounds: tuple[float, ...]) -> Visibility | None:
        kept = self._placement is not None
        placement = self.placement()
        if min(bounds) < 16 and _total_cover(placement) > _LISTED:
            return None
        if not kept:
            self._placement = None  # as large as the cells are many
        opacities = np.array(bounds, np.float32) / np.float32(255**2)
        return find_visible(placement, self._layer._order, opacities, self._view)


def _total_cover(placement: Placement) -> int:
    """Pixels of all footprints."""
    marks = placement.footprints
    areas = marks.boxes[:, 2].astype(np.int64) * marks.boxes[:, 3]
    areas = areas.reshape(-1, marks.parts).sum(axis=1)
    drawn = placement.stamps[placement.stamps >= 0]
    return int(areas @ np.bincount(drawn, minlength=len(areas)))


def _coordinates(offsets: Any) -> NDArray[np.float64]:
    """Offsets with NaN for what is masked; the same array where nothing is."""
    if np.ma.is_masked(offsets):
        offsets = np.ma.filled(offsets.astype(np.float64), np.nan)
    return _owned(np.asarray(np.ma.getdata(offsets), dtype=np.float64).reshape(-1, 2))


def _opacity(alpha: Any, n: int) -> float | NDArray[np.uint8]:
    if alpha is None or np.ndim(alpha) == 0:
        return 1.0 if alpha is None else float(alpha)
    each = np.floor(np.asarray(alpha, dtype=np.float64) * 255 + 0.5).astype(np.uint8)
    return np.resize(each, n)


def _edge_colors(collection: PathCollection) -> NDArray[np.uint64]:
    """Empty where edges take the colours of the faces."""
    from ._blending import pack_colors
    from ._colors import color_bytes

    edges, faces = collection.get_edgecolor(), collection.get_facecolor()
    if len(edges) == 0 or edges is faces or len(faces) == 0:
        return np.empty(0, np.uint64)
    return pack_colors(color_bytes(edges))


def _properties(collection: PathCollection) -> dict[str, Any]:
    """What an artist takes over unchanged."""
    names = ("zorder", "clip_on", "agg_filter", "gid")
    kept = {name: getattr(collection, f"get_{name}")() for name in names}
    axes = collection.axes
    box, path = collection.get_clip_box(), collection.get_clip_path()
    if path is not None and (axes is None or getattr(path, "_patch", None) is not axes.patch):
        kept["clip_path"] = path
    if box is not None and (axes is None or not np.array_equal(box.extents, axes.bbox.extents)):
        kept["clip_box"] = box
    return kept


def _check_memory(view: View) -> None:
    needed = view.height * view.width * _BYTES_PER_PIXEL
    if needed > _BYTES:
        msg = (
            f"a canvas of {view.width} × {view.height} pixels would need {needed / 2**30:.1f} GiB "
            f"for its points, more than {_BYTES / 2**30:.0f} GiB: lower dpi or figsize"
        )
        raise MemoryError(msg)


def _fingerprint(offsets: NDArray[np.float64]) -> bytes:
    """Tells apart what different scales of an axis make of the same points."""
    probe = np.linspace(0, len(offsets) - 1, 64).astype(int)
    return offsets[probe].tobytes()


def _alphas(table: NDArray[np.uint8], levels: NDArray) -> NDArray[np.uint8]:
    """Distinct alphas among the levels that occur."""
    alphas = table[:, 3]
    if len(alphas) and alphas.min() != alphas.max():
        alphas = alphas[np.bincount(levels, minlength=len(alphas)) > 0]
    return np.unique(alphas)


def _owned(array: NDArray) -> NDArray:
    """Contiguous and writable, as the kernels are compiled for; a copy only if it must be."""
    return np.require(array, requirements=["C", "W"])
