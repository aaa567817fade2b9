"""A figure drawn once and cut at the points: what lies under them and what lies over them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import numpy as np
from matplotlib.artist import Artist

from scanpy_anim.pl._still import seen
from scanpy_anim.raster._artist import PointsArtist

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

#: Agg refuses canvases of 2^16 pixels a side, and nobody wants frames of gigabytes.
MOST_PIXELS = 2**28


class Overlay:
    """The pixels that the figure has over some points, sparse, to be blended again and again.

    Parameters
    ----------
    layer
        `(h, w, 4)` RGBA bytes, straight alpha.
    where
        `(h, w)` pixels to take from it.
    """

    def __init__(self, layer: NDArray[np.uint8], where: NDArray[np.bool_]) -> None:
        self.pixels = np.flatnonzero(where)
        rgba = layer.reshape(-1, 4)[self.pixels] / np.float32(255)
        self.alpha = np.ascontiguousarray(rgba[:, 3:])
        self.ink = rgba[:, :3] * self.alpha

    def over(self, canvas: NDArray[np.uint8]) -> None:
        """Blend the overlay over an `(h, w, 4)` canvas of straight RGBA bytes, in place.

        Porter and Duff's *over*.
        """
        if not self.pixels.size:
            return
        flat = canvas.reshape(-1, 4)
        below = flat[self.pixels]
        if below[:, 3].min() == 255:
            mixed = self.ink * 255 + below[:, :3] * (1 - self.alpha)
            flat[self.pixels, :3] = np.rint(mixed, out=mixed)
            return
        under = below[:, 3:] * ((1 - self.alpha) / 255)
        total = self.alpha + under
        mixed = self.ink * 255 + below[:, :3] * under
        np.divide(mixed, total, out=mixed, where=total > 0)
        flat[self.pixels] = np.rint(np.concatenate([mixed, total * 255], axis=1))


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


class Backdrop:
    """The stage at one resolution: a base under all points, an overlay over each panel's.

    Drawn by matplotlib in one pass over the figure, cut where the points will be: they are
    inside the figure's z-order, as if matplotlib had drawn them.

    Parameters
    ----------
    figure
        The stage; artists of the frames have to be invisible.
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
        from matplotlib.backends.backend_agg import RendererAgg

        self.figure, self.dpi = figure, dpi
        width, height = canvas_size(figure, dpi)
        self.renderer = RendererAgg(width, height, dpi)
        with drawn_at(figure, dpi), _without_grounds(figure, transparent):
            layers, bounds = _cut_drawing(figure, self.renderer, cuts)
        self.base = layers[0]
        self.overlays = _sparse(layers, bounds)

    @property
    def canvas(self) -> NDArray[np.uint8]:
        """The `(h, w, 4)` canvas that is drawn on."""
        return np.asarray(self.renderer.buffer_rgba())

    def frame(self, points: Sequence[Artist], above: Sequence[Artist]) -> NDArray[np.uint8]:
        """Draw one frame: the base, each panel's points under its overlay, then the texts.

        The canvas is drawn on again by the next frame: copy what is to be kept.
        """
        with drawn_at(self.figure, self.dpi):
            canvas = self.canvas
            np.copyto(canvas, self.base)
            for artist, overlay in zip(points, self.overlays, strict=True):
                artist.draw(self.renderer)
                overlay.over(canvas)
            for artist in above:
                artist.draw(self.renderer)
        return canvas


def canvas_size(figure: Figure, dpi: float) -> tuple[int, int]:
    """Return width and height in pixels; raise `ValueError` where no frame can be that large."""
    width, height = (int(round(float(inches) * dpi, 6)) for inches in figure.get_size_inches())
    if width * height > MOST_PIXELS or max(width, height) >= 2**16 or min(width, height) < 1:
        raise ValueError(
            f"dpi={dpi:g} makes frames of {width} × {height} pixels; at most {MOST_PIXELS:,} "
            "pixels and 65,535 a side can be drawn. Choose a smaller dpi or figure."
        )
    return width, height


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
    touched = np.zeros(base.shape[:2], dtype=bool)
    overlays = []
    for layer, (top, bottom, left, right) in zip(layers[1:], bounds, strict=True):
        touched[top:bottom, left:right] = True
        drawn = layer[..., 3] > 0
        Overlay(layer, drawn & ~touched).over(base)
        overlays.append(Overlay(layer, drawn & touched))
    return overlays


def draw_frames(
    figure: Figure,
    photos: Sequence[Sequence[Artist]],
    dpi: float,
    *,
    shown: Sequence[Artist] = (),
    transparent: bool = False,
) -> Iterator[NDArray[np.uint8]]:
    """Draw the frames of a film on its stage, a new `(height, width, 4)` array each.

    Parameters
    ----------
    figure, photos
        The stage, and the artists of each frame: points of each panel, and texts over them.
    dpi
        Dots per inch.
    shown
        Artists of a frame that are visible at the moment; they do not belong to the stage.
    transparent
        Leave out the backgrounds.
    """
    points, _ = _points_and_texts(photos[0])
    cuts = [(cast("Axes", p.axes), p.get_zorder()) for p in points]
    with seen(shown, False):
        backdrop = Backdrop(figure, dpi, cuts, transparent=transparent)
    for photo in photos:
        with seen(photo):
            canvas = backdrop.frame(*_points_and_texts(photo)).copy()
        yield canvas


def _points_and_texts(photo: Sequence[Artist]) -> tuple[list[PointsArtist], list[Artist]]:
    """Part a frame's artists: points, which the backdrop is cut for, and what is over them."""
    points = [artist for artist in photo if isinstance(artist, PointsArtist)]
    return points, [artist for artist in photo if not isinstance(artist, PointsArtist)]
