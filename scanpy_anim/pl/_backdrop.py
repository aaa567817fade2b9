"""A figure drawn once and cut at the points: what lies under them and what lies over them."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.text import Text

from scanpy_anim.raster import Overlay, PointsArtist, restore, to_rgb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from scanpy_anim.pl._photos import Photo, Screen

#: Agg refuses canvases of 2^16 pixels a side, and nobody wants frames of gigabytes.
_MOST_PIXELS = 2**28


class _Cut(Artist):
    """Where the points of an axes will be: takes what is drawn so far off the canvas."""

    def __init__(self, zorder: float) -> None:
        super().__init__()
        self.set_zorder(zorder)
        self.below: NDArray[np.uint8] | None = None

    def draw(self, renderer: RendererBase) -> None:
        """Keep the canvas as it is and go on with an empty one."""
        self.below = np.array(renderer.buffer_rgba())  # type: ignore[attr-defined]
        renderer.clear()  # type: ignore[attr-defined]


class _Backdrop:
    """The stage at one resolution: a base under all points, an overlay over each panel's.

    Drawn by matplotlib in one pass over the figure, cut where the points will be: they are
    inside the figure's z-order, as if matplotlib had drawn them.

    Parameters
    ----------
    figure
        The stage alone.
    dpi
        Dots per inch.
    cuts
        Axes and z-order of each panel's points.
    transparent
        Leave out the figure's and the axes' backgrounds.
    """

    def __init__(
        self,
        figure: Figure,
        dpi: float,
        cuts: Sequence[tuple[Axes, float]],
        *,
        transparent: bool = False,
    ) -> None:
        self.figure, self.dpi = figure, dpi
        width, height = canvas_size(figure, dpi)
        self.renderer = RendererAgg(width, height, dpi)
        with drawn_at(figure, dpi), _without_grounds(figure, transparent):
            layers, self._bounds = _cut_drawing(figure, self.renderer, cuts)
        self.base = layers[0]
        self.overlays = _sparse(layers, self._bounds)
        self.opaque = bool(self.base[..., 3].min() == 255)
        self._canvas = np.asarray(self.renderer.buffer_rgba())
        self._is_fresh = False

    def frame(self, points: Sequence[PointsArtist], above: Sequence[Artist]) -> NDArray[np.uint8]:
        """Draw one frame: the base, each panel's points under its overlay, then the texts.

        Returns
        -------
        A new `(height, width, 3)` array, or `(height, width, 4)` where the stage is not opaque.
        """
        canvas = self._canvas
        with drawn_at(self.figure, self.dpi):
            if not self._is_fresh:
                restore(canvas, self.base)
            self._is_fresh = False
            left = list(above)

            def draw_apart() -> None:
                while left and self._is_apart(left[0]):
                    left.pop(0).draw(self.renderer)

            meanwhile = draw_apart if left else None
            for artist, overlay in zip(points, self.overlays, strict=True):
                if artist.get_visible():
                    artist.draw_on(canvas, meanwhile)
                    meanwhile = None  # what is left lies over points
                overlay.over(canvas, opaque=self.opaque)
            for text in left:
                text.draw(self.renderer)
        if not self.opaque:
            return canvas.copy()
        frame = to_rgb(canvas, self.base)
        self._is_fresh = True
        return frame

    def _is_apart(self, artist: Artist) -> bool:
        """Whether it is a text beside all points, so that both can be drawn at the same time."""
        if type(artist) is not Text or artist.get_path_effects() or artist.get_bbox_patch():
            return False
        box = artist.get_window_extent(self.renderer).padded(2)
        low, high = self.renderer.height - box.y1, self.renderer.height - box.y0
        return all(
            high <= top or bottom <= low or box.x1 <= left or right <= box.x0
            for top, bottom, left, right in self._bounds
        )


def canvas_size(figure: Figure, dpi: float) -> tuple[int, int]:
    """Return width and height in pixels; raise `ValueError` where no frame can be that large."""
    width, height = (int(round(float(inches) * dpi, 6)) for inches in figure.get_size_inches())
    if width * height > _MOST_PIXELS or max(width, height) >= 2**16 or min(width, height) < 1:
        raise ValueError(
            f"dpi={dpi:g} makes frames of {width} × {height} pixels; at most {_MOST_PIXELS:,} "
            "pixels and 65,535 a side can be drawn. Choose a smaller dpi or figure."
        )
    return width, height


def tight_pixels(figure: Figure, dpi: float) -> tuple[slice, slice]:
    """Return rows and columns of what `savefig(bbox_inches="tight")` would keep at a resolution."""
    width, height = canvas_size(figure, dpi)
    with drawn_at(figure, dpi):
        box = figure.get_tightbbox().padded(mpl.rcParams["savefig.pad_inches"])
    left, right = max(int(np.floor(box.x0 * dpi)), 0), min(int(np.ceil(box.x1 * dpi)), width)
    top, bottom = height - int(np.ceil(box.y1 * dpi)), height - int(np.floor(box.y0 * dpi))
    return slice(max(top, 0), min(bottom, height)), slice(left, right)


@contextmanager
def drawn_at(figure: Figure, dpi: float) -> Iterator[None]:
    """Set the figure's dpi for a moment, without resizing a window that may show it."""
    canvas, before = figure.canvas, figure.dpi
    manager, ratio = canvas.manager, canvas.device_pixel_ratio
    canvas.manager = None
    try:
        figure.dpi = dpi
        yield
    finally:
        figure.dpi = before
        canvas.manager = manager
        assert canvas.device_pixel_ratio == ratio


@contextmanager
def _without_grounds(figure: Figure, transparent: bool) -> Iterator[None]:
    """Hide backgrounds for a moment, those that `savefig(transparent=True)` leaves out."""
    grounds = [figure.patch, *(ax.patch for ax in figure.axes)] if transparent else []
    shown = [ground.get_visible() for ground in grounds]
    for ground in grounds:
        ground.set_visible(False)
    try:
        yield
    finally:
        for ground, was in zip(grounds, shown, strict=True):
            ground.set_visible(was)


def _cut_drawing(
    figure: Figure, renderer: RendererAgg, cuts: Sequence[tuple[Axes, float]]
) -> tuple[list[NDArray[np.uint8]], list[tuple[int, int, int, int]]]:
    """Draw the figure; return its layers in order and the pixels each cut's points may touch."""
    markers = []
    for ax, zorder in cuts:
        marker = _Cut(zorder)
        ax.add_artist(marker)
        markers.append(marker)
    try:
        figure.draw(renderer)
        bounds = [_pixel_bounds(ax, renderer.height) for ax, _ in cuts]
    finally:
        for marker in markers:
            marker.remove()
    layers = [m.below for m in markers]
    assert all(layer is not None for layer in layers)
    return [*layers, np.array(renderer.buffer_rgba())], bounds  # type: ignore[list-item]


def _pixel_bounds(ax: Axes, height: float) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = ax.bbox.extents
    return (
        max(int(np.floor(height - y1)) - 1, 0),
        max(int(np.ceil(height - y0)) + 1, 0),
        max(int(np.floor(x0)) - 1, 0),
        max(int(np.ceil(x1)) + 1, 0),
    )


def _sparse(
    layers: list[NDArray[np.uint8]], bounds: Sequence[tuple[int, int, int, int]]
) -> list[Overlay]:
    """Fold into the base what no points lie under; keep the rest of each layer sparse."""
    base = layers[0]
    opaque = bool(base[..., 3].min() == 255)
    touched = np.zeros(base.shape[:2], dtype=bool)
    overlays = []
    for layer, (top, bottom, left, right) in zip(layers[1:], bounds, strict=True):
        touched[top:bottom, left:right] = True
        drawn = layer[..., 3] > 0
        Overlay(layer, drawn & ~touched).over(base, opaque=opaque)
        overlays.append(Overlay(layer, drawn & touched))
    return overlays


def draw_frames(
    screen: Screen, photos: Iterable[Photo], dpi: float, *, transparent: bool = False
) -> Iterator[NDArray[np.uint8]]:
    """Draw the frames of a film on its stage.

    A new `(height, width, 3)` array each, `(height, width, 4)` where the stage is not opaque.

    Parameters
    ----------
    screen, photos
        The stage, and the artists of each frame: points of each panel, and texts over them.
    dpi
        Dots per inch.
    transparent
        Leave out the backgrounds.
    """
    backdrop = None
    for photo in photos:
        points, above = _points_and_texts(photo)
        if backdrop is None:
            cuts = [(ax, p.get_zorder()) for p, ax in points]
            with screen.showing(None):
                backdrop = _Backdrop(screen.figure, dpi, cuts, transparent=transparent)
        with screen.bringing(photo):
            frame = backdrop.frame([p for p, _ in points], above)
        yield frame


def _points_and_texts(photo: Photo) -> tuple[list[tuple[PointsArtist, Axes]], list[Artist]]:
    """Part a frame's artists: points, which the backdrop is cut for, and what is over them."""
    pairs = zip(photo, photo.axes, strict=True)
    points = [(artist, ax) for artist, ax in pairs if isinstance(artist, PointsArtist)]
    return points, [artist for artist in photo if not isinstance(artist, PointsArtist)]


def copy_of(screen: Screen, photo: Photo) -> Figure:
    """Copy a film's figure with the artists of one frame and of no other.

    The copy shares the cells' geometry with the film and is not known to pyplot.
    """
    known = set(plt.get_fignums())
    with screen.showing(photo):
        still = copy.deepcopy(screen.figure)
    for number in set(plt.get_fignums()) - known:
        plt.close(number)
    return still
