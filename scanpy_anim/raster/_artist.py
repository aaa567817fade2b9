"""The matplotlib artist that draws one frame's points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from matplotlib.artist import Artist, allow_rasterization
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

from scanpy_anim.raster._canvas import Canvas
from scanpy_anim.raster._frame import LateStyle, writable

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.transforms import Transform
    from numpy.typing import NDArray

    from scanpy_anim.raster._frame import FrameStyle

_NO_MASK = np.empty((0, 0), np.uint8)
_WHOLE = (0, 0, 1, 1, 0)  # of axes: corner, sides, angle


class _DrawablePoints(Protocol):
    """Points that many artists show, each in the style of its frame: a layer."""

    offsets: NDArray[np.float64]
    properties: dict[str, Any]

    def transform(self, data: Transform) -> Transform:
        """Transform from offsets to the canvas; `data` is that of the artist's axes."""

    def draw(
        self,
        pixels: NDArray[np.uint8],
        style: FrameStyle | LateStyle,
        canvas: Canvas,
        offsets: NDArray[np.float64],
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        """Blend a frame into `(height, width, 4)` pixels of straight RGBA bytes, in place."""


class PointsArtist(Artist):
    """Draws a layer's points in a style; holds a reference to both and nothing else.

    Add it to axes with `ax.add_artist`. On Agg canvases it blends the points into the canvas at
    its own resolution; in vector formats it is an image, as with `rasterized=True`.

    Parameters
    ----------
    layer
        The points.
    style
        What to show, or a function that is called for it whenever the artist is drawn.
    """

    def __init__(
        self,
        layer: _DrawablePoints,
        style: FrameStyle | Callable[[], FrameStyle | LateStyle],
    ) -> None:
        super().__init__()
        self._layer = layer
        self._style = style
        properties = dict(layer.properties)
        self._narrow = properties.pop("clip_box", None)  # add_artist would replace it
        self.set(**properties)
        self.set_rasterized(True)

    @property
    def layer(self) -> _DrawablePoints:
        """The points."""
        return self._layer

    def get_style(self) -> FrameStyle:
        """Return what is shown now."""
        style = self._style() if callable(self._style) else self._style
        return style.whole() if isinstance(style, LateStyle) else style

    def set_clip_path(self, path: Any, transform: Any = None) -> None:
        """Clip as any artist does, by the one box of the axes where it is only that.

        Axes clip what is added to them by a box that is made anew each time and follows them,
        which took a third of the making of a film of many frames.
        """
        axes: Any = self.axes
        if axes is None or path is not axes.patch or not _is_whole_axes(path, axes):
            super().set_clip_path(path, transform)
            return
        if self.get_clip_path() is not None:
            super().set_clip_path(None)
        self.set_clip_box(axes.bbox)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle what is shown rather than the function that says it."""
        state: dict[str, Any] = super().__getstate__()  # type: ignore[assignment]
        return {**state, "_style": self.get_style()}

    @allow_rasterization
    def draw(self, renderer: Any) -> None:
        """Blend the points into the renderer's canvas."""
        if not self.get_visible():
            return
        if hasattr(renderer, "buffer_rgba"):
            self.draw_on(np.asarray(renderer.buffer_rgba()))
        else:
            self._draw_image(renderer)
        self.stale = False

    def draw_on(
        self, pixels: NDArray[np.uint8], meanwhile: Callable[[], None] | None = None
    ) -> None:
        """Blend the points into a canvas of `(height, width, 4)` straight RGBA bytes, in place.

        `meanwhile` may be called while other threads blend: it draws other pixels.
        """
        style = self._style() if callable(self._style) else self._style
        moved = None if isinstance(style, LateStyle) else style.offsets
        offsets = self._layer.offsets if moved is None else moved
        transform = self._to_pixels()
        if not transform.is_affine:
            offsets = np.asarray(transform.transform_non_affine(offsets))
        offsets = writable(np.asarray(offsets, dtype=np.float64))
        self._layer.draw(pixels, style, self._canvas(pixels, transform), offsets, meanwhile)

    def _to_pixels(self) -> Transform:
        axes: Any = self.axes
        return self._layer.transform(axes.transData)

    def _dpi(self) -> float:
        figure: Any = self.get_figure(root=True)
        return float(figure.dpi)

    def _canvas(self, pixels: NDArray[np.uint8], transform: Transform) -> Canvas:
        height, width = pixels.shape[:2]
        matrix = writable(np.asarray(transform.get_affine().get_matrix(), dtype=np.float64))
        window, mask = self._window(height, width), self._mask(height, width)
        return Canvas(height, width, self._dpi(), matrix, window, mask)

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
        pixels = np.zeros((height, width, 4), np.uint8)
        self.draw_on(pixels)
        gc = renderer.new_gc()
        renderer.draw_image(gc, 0, 0, pixels[::-1])
        gc.restore()

    def get_window_extent(self, renderer: Any = None) -> Bbox:
        """Return an empty box, as a scatter does: it does not enlarge what is around it."""
        return Bbox.null()

    def contains(self, mouseevent: Any) -> tuple[bool, dict[str, Any]]:
        """Report no hit: points cannot be picked."""
        return False, {}


def _is_whole_axes(patch: Any, axes: Any) -> bool:
    """Whether the background of axes is the rectangle that it usually is."""
    if not isinstance(patch, Rectangle) or patch.get_data_transform() is not axes.transAxes:
        return False
    box: Any = patch
    return bool((*box.get_xy(), box.get_width(), box.get_height(), box.get_angle()) == _WHOLE)
