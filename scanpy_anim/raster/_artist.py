"""The matplotlib artist that draws one frame's points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import Artist, allow_rasterization
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.transforms import Bbox

from ._scene import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.backend_bases import MouseEvent, RendererBase
    from numpy.typing import NDArray

    from ._layer import PointLayer
    from ._look import Look

_NO_MASK = np.empty((0, 0), np.uint8)


class PointsArtist(Artist):
    """Draws a layer's points as a look says: a reference to both, nothing else.

    Add it to axes with ``ax.add_artist``. On Agg canvases it blends the points into the canvas at
    its own resolution; vector backends get an image, as with ``rasterized=True``.
    """

    def __init__(self, layer: PointLayer, look: Look | Callable[[], Look]) -> None:
        super().__init__()
        self._layer = layer
        self._look = look
        kept = dict(layer.properties)
        clip = {name: kept.pop(name) for name in ("clip_path", "clip_box") if name in kept}
        self.set(**kept)
        if "clip_path" in clip:
            self.set_clip_path(clip["clip_path"])
        if "clip_box" in clip:
            self.set_clip_box(clip["clip_box"])
        self.set_rasterized(True)

    @property
    def layer(self) -> PointLayer:
        """The points."""
        return self._layer

    def get_look(self) -> Look:
        """What is shown now."""
        return self._look() if callable(self._look) else self._look

    def set_look(self, look: Look | Callable[[], Look]) -> None:
        """Show something else."""
        self._look = look
        self.stale = True

    @allow_rasterization
    def draw(self, renderer: RendererBase) -> None:
        """Blend the points into the renderer's canvas."""
        if not self.get_visible():
            return
        buffer = getattr(renderer, "buffer_rgba", None)
        if buffer is not None:
            self._draw_on(np.asarray(buffer()))
        else:
            self._draw_image(renderer)
        self.stale = False

    def _draw_on(self, canvas: NDArray[np.uint8]) -> None:
        look = self.get_look()
        offsets = self._layer.offsets if look.offsets is None else look.offsets
        transform = self._layer.transform(self.axes.transData)
        if not transform.is_affine:
            offsets = transform.transform_non_affine(offsets)
        offsets = np.require(offsets, dtype=np.float64, requirements=["C", "W"])
        self._layer.draw(canvas, look, self._view(canvas, transform.get_affine()), offsets)

    def _view(self, canvas: NDArray[np.uint8], affine: Any) -> View:
        height, width = canvas.shape[:2]
        dpi = float(self.get_figure(root=True).dpi)
        matrix = np.require(affine.get_matrix(), dtype=np.float64, requirements=["C", "W"])
        mask = self._mask(height, width, dpi)
        return View(height, width, dpi, matrix, self._window(height, width), mask)

    def _window(self, height: int, width: int) -> NDArray[np.int64]:
        """Pixels within the clip box, rounded as Agg rounds them."""
        box = self.get_clip_box()
        if not self.get_clip_on() or box is None:
            return np.array([0, height, 0, width])
        x0, y0, x1, y1 = np.floor(np.array(box.extents) + 0.5).astype(int)
        top, bottom = np.floor(height - np.array([box.y1, box.y0]) + 0.5).astype(int)
        return np.array([max(top, 0), min(bottom, height), max(x0, 0), min(x1, width)])

    def _mask(self, height: int, width: int, dpi: float) -> NDArray[np.uint8]:
        """Coverage of the clip path, where there is one that is not a box."""
        if not self.get_clip_on() or self.get_clip_path() is None:
            return _NO_MASK
        path, affine = self.get_clip_path().get_transformed_path_and_affine()
        if path is None:
            return _NO_MASK
        renderer = RendererAgg(width, height, dpi)
        gc = renderer.new_gc()
        gc.set_linewidth(0)
        renderer.draw_path(gc, path, affine, (0.0, 0.0, 0.0))
        return np.asarray(renderer.buffer_rgba())[..., 3].copy()

    def _draw_image(self, renderer: RendererBase) -> None:
        """For a backend that can neither be drawn on nor rasterise."""
        width, height = renderer.get_canvas_width_height()
        canvas = np.zeros((int(np.ceil(height)), int(np.ceil(width)), 4), np.uint8)
        self._draw_on(canvas)
        gc = renderer.new_gc()
        renderer.draw_image(gc, 0, 0, canvas[::-1])
        gc.restore()

    def get_window_extent(self, renderer: RendererBase | None = None) -> Bbox:
        """Box around all markers, in pixels, as the collection's would be."""
        return self._layer.extent(self.axes.transData, float(self.get_figure(root=True).dpi))

    def contains(self, mouseevent: MouseEvent) -> tuple[bool, dict]:
        """Points cannot be picked."""
        return False, {}
