"""Points whose geometry all frames share."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from ._compositor import compose
from ._inks import mix_inks
from ._painter import paint
from ._scene import Scene
from ._takeover import check_drawable, coordinates, edge_colors, own_alpha, unchanged

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.collections import PathCollection
    from matplotlib.transforms import Transform
    from numpy.typing import NDArray

    from ._artist import PointsArtist
    from ._look import Look
    from ._stamps import StampSheet
    from ._view import View

_REMEMBERED = 2  # canvases: the screen and a file
_AS_THEY_COME = np.empty(0, np.uint32)


class PointLayer:
    """The points of a scatter, to be drawn again and again in other colours.

    Takes over positions, sizes, marker, edges and alpha of a collection (a factor of the alpha that
    a look gives). The collection itself is left as it is: remove it from its axes, or hide it. All
    frames of a film share one layer: what they have in common is computed once for each of the
    last two canvases.

    Text, axes, colour bars and points in 3-D axes stay with matplotlib. A lone marker that
    matplotlib would round to whole pixels is drawn where it is.

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
    >>> fig.canvas.draw()
    """

    def __init__(self, collection: PathCollection, *, order: NDArray | None = None) -> None:
        from ._markers import Markers

        check_drawable(collection)
        if collection.get_array() is not None:
            collection.update_scalarmappable()
        self.offsets = coordinates(collection)
        self.markers = Markers(collection)
        self.properties = unchanged(collection)
        self._alpha = own_alpha(collection, len(self))
        self._edges = edge_colors(collection)
        self._order = _AS_THEY_COME if order is None else self._sorted(order)
        axes, transform = collection.axes, collection.get_offset_transform()
        in_axes = axes is not None and transform is axes.transData
        self._transform: Transform | None = None if in_axes else transform
        self._stamps: StampSheet | None = None
        self._scenes: OrderedDict[tuple[Any, ...], Scene] = OrderedDict()

    def __len__(self) -> int:
        return len(self.offsets)

    def __deepcopy__(self, memo: dict[int, Any]) -> PointLayer:
        """Share the layer between copies of a figure: it is the same for all of them."""
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_scenes": OrderedDict(), "_stamps": None}

    def artist(self, look: Look | Callable[[], Look]) -> PointsArtist:
        """Make an artist that draws these points as `look` says; it is not in any axes yet.

        Parameters
        ----------
        look
            What to show, or a function that is called for it whenever the artist is drawn.
        """
        from ._artist import PointsArtist

        return PointsArtist(self, look)

    def transform(self, data: Transform) -> Transform:
        """Transform from offsets to the canvas; `data` is that of the artist's axes."""
        return data if self._transform is None else self._transform

    def draw(self, canvas: NDArray[np.uint8], look: Look, view: View, offsets: NDArray) -> None:
        """Blend a frame into a ``(height, width, 4)`` canvas of straight RGBA bytes, in place.

        Parameters
        ----------
        canvas
            What is there already lies behind the points.
        look
            What the frame shows.
        view
            Describes the canvas.
        offsets
            ``(n, 2)`` float64, what `view.matrix` takes to pixels.
        """
        if look.levels.size != len(self):
            msg = f"levels must have one entry a cell ({len(self)}), got {look.levels.size}"
            raise ValueError(msg)
        if view.is_empty or not len(self):
            return
        view.check_memory()
        pixels = canvas.view(np.uint32).reshape(-1)
        inks = mix_inks(look, self._alpha, self._edges, has_edges=self.markers.parts > 1)
        at_rest = look.offsets is None
        scene = self._scene(offsets, view) if at_rest else self._moving_scene(offsets, view)
        seen = scene.visibility(inks.least_alphas) if at_rest and look.order is None else None
        if seen is not None:
            compose(pixels, seen, inks)
        else:
            order = self._order if look.order is None else self._sorted(look.order)
            paint(pixels, scene.placement(), order, inks, view)

    def _scene(self, offsets: NDArray, view: View) -> Scene:
        """Scene of the points at rest, from memory if it is one of the last."""
        # a scale that is not linear moves points without any change of the view
        scaled = b"" if offsets is self.offsets else _probe(offsets)
        key = (*view.key(), scaled)
        scene = self._scenes.pop(key, None)
        if scene is None:
            from ._stamps import prepare_stamps

            stamps = prepare_stamps(self.markers, len(self), view.dpi)
            scene = Scene(offsets, stamps, self._order, view)
        self._scenes[key] = scene
        while len(self._scenes) > _REMEMBERED:
            self._scenes.popitem(last=False)
        return scene

    def _moving_scene(self, offsets: NDArray, view: View) -> Scene:
        """Scene of points that will be elsewhere in the next frame, with stamps that stay."""
        from ._stamps import prepare_stamps

        if self._stamps is None or self._stamps.dpi != view.dpi:
            self._stamps = prepare_stamps(self.markers, len(self), view.dpi, moving=True)
        return Scene(offsets, self._stamps, self._order, view)

    def _sorted(self, key: NDArray) -> NDArray[np.uint32]:
        from ._sorting import stable_order

        key = np.asarray(key)
        if key.shape != (len(self),):
            msg = f"order must have one key a cell, shape ({len(self)},), got {key.shape}"
            raise ValueError(msg)
        return stable_order(key)


def _probe(offsets: NDArray[np.float64]) -> bytes:
    """Pick some of the coordinates, by which to tell scales of the axes apart."""
    return offsets[np.linspace(0, len(offsets) - 1, 256).astype(int)].tobytes()
