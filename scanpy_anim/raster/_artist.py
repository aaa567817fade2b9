"""The matplotlib artist that draws one frame's points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import Artist, allow_rasterization
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.transforms import Bbox

from ._inks import writable
from ._view import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.transforms import Transform
    from numpy.typing import NDArray

    from ._layer import PointLayer
    from ._look import Look

_NO_MASK = np.empty((0, 0), np.uint8)


class PointsArtist(Artist):
    """Draws a layer's points as a look says; holds a reference to both and nothing else.

    Add it to axes with ``ax.add_artist``. On Agg canvases it blends the points into the canvas at
    its own resolution; in vector formats it is an image, as with ``rasterized=True``.

    Parameters
    ----------
    layer
        The points.
    look
        What to show, or a function that is called for it whenever the artist is drawn.
    """

    def __init__(self, layer: PointLayer, look: Look | Callable[[], Look]) -> None:
        super().__init__()
        self._layer = layer
        self._look = look
        properties = dict(layer.properties)
        self._narrow = properties.pop("clip_box", None)  # add_artist would replace it
        self.set(**properties)
        self.set_rasterized(True)

    @property
    def layer(self) -> PointLayer:
        """The points."""
        return self._layer

    def get_look(self) -> Look:
        """Return what is shown now."""
        return self._look() if callable(self._look) else self._look

    def set_look(self, look: Look | Callable[[], Look]) -> None:
        """Show something else from now on."""
        self._look = look
        self.stale = True

    @allow_rasterization
    def draw(self, renderer: Any) -> None:
        """Blend the points into the renderer's canvas."""
        if not self.get_visible():
            return
        if hasattr(renderer, "buffer_rgba"):
            self._draw_on(np.asarray(renderer.buffer_rgba()))
        else:
            self._draw_image(renderer)
        self.stale = False

    def _draw_on(self, canvas: NDArray[np.uint8]) -> None:
        look = self.get_look()
        offsets = self._layer.offsets if look.offsets is None else look.offsets
        transform = self._to_pixels()
        if not transform.is_affine:
            offsets = np.asarray(transform.transform_non_affine(offsets))
        offsets = writable(np.asarray(offsets, dtype=np.float64))
        self._layer.draw(canvas, look, self._view(canvas, transform), offsets)

    def _to_pixels(self) -> Transform:
        axes: Any = self.axes
        return self._layer.transform(axes.transData)

    def _dpi(self) -> float:
        figure: Any = self.get_figure(root=True)
        return float(figure.dpi)

    def _view(self, canvas: NDArray[np.uint8], transform: Transform) -> View:
        height, width = canvas.shape[:2]
        matrix = writable(np.asarray(transform.get_affine().get_matrix(), dtype=np.float64))
        window, mask = self._window(height, width), self._mask(height, width)
        return View(height, width, self._dpi(), matrix, window, mask)

    def _window(self, height: int, width: int) -> NDArray[np.int64]:
        """Pixels within the clip box, rounded as Agg rounds them."""
        box: Any = self.get_clip_box() if self._narrow is None else self._narrow
        if not self.get_clip_on() or box is None:
            return np.array([0, height, 0, width])
        ends = np.array([height - box.y1, height - box.y0, box.x0, box.x1])
        top, bottom, left, right = np.floor(ends + 0.5).astype(int)
        return np.array([max(top, 0), min(bottom, height), max(left, 0), min(right, width)])

    def _mask(self, height: int, width: int) -> NDArray[np.uint8]:
        """Coverage of the clip path, where there is one that is not a box."""
        clip: Any = self.get_clip_path() if self.get_clip_on() else None
        path, affine = (None, None) if clip is None else clip.get_transformed_path_and_affine()
        if path is None:
            return _NO_MASK
        renderer: Any = RendererAgg(width, height, self._dpi())
        gc = renderer.new_gc()
        gc.set_linewidth(0)
        renderer.draw_path(gc, path, affine, (0.0, 0.0, 0.0))
        return np.asarray(renderer.buffer_rgba())[..., 3].copy()

    def _draw_image(self, renderer: Any) -> None:
        """Hand a picture to a renderer that can neither be drawn on nor rasterise."""
        width, height = (int(np.ceil(side)) for side in renderer.get_canvas_width_height())
        canvas = np.zeros((height, width, 4), np.uint8)
        self._draw_on(canvas)
        gc = renderer.new_gc()
        renderer.draw_image(gc, 0, 0, canvas[::-1])
        gc.restore()

    def get_window_extent(self, renderer: Any = None) -> Bbox:
        """Return an empty box, as a scatter does: it does not enlarge what is around it."""
        return Bbox.null()

    def contains(self, mouseevent: Any) -> tuple[bool, dict[str, Any]]:
        """Report no hit: points cannot be picked."""
        return False, {}
