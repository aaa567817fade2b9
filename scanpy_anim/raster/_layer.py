"""Points whose geometry all frames share."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim.raster._artist import PointsArtist
from scanpy_anim.raster._compose import compose
from scanpy_anim.raster._footprints import GlyphAtlas, prepare_glyphs
from scanpy_anim.raster._frame import LateStyle, frame_colors
from scanpy_anim.raster._from_collection import (
    Markers,
    check_drawable,
    coordinates,
    edge_colors,
    own_alpha,
    unchanged,
)
from scanpy_anim.raster._paint import paint
from scanpy_anim.raster._placement import Band, Placement, cut_into_bands, place_points
from scanpy_anim.raster._sorting import sort_keys, stable_order
from scanpy_anim.raster._visible import Visibility, find_visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.collections import PathCollection
    from matplotlib.transforms import Transform
    from numpy.typing import ArrayLike, NDArray

    from scanpy_anim.raster._canvas import Canvas
    from scanpy_anim.raster._frame import FrameStyle

_CANVASES = 2  # remembered: the screen and a file
_LISTS = 2  # remembered: of opaque colors, and of colors that let others through
_AS_THEY_COME = np.empty(0, np.uint32)
_CLEAR = 16  # alpha (0 to 255) that hides next to nothing
_MOST_LISTED = 1 << 25  # what is listed though hardly anything hides it


class PointLayer:
    """The points of a scatter, to be drawn again and again in other colors.

    Takes over positions, sizes, marker, edges and alpha of a collection (a factor of the alpha that
    a frame's colors have). The collection itself is left as it is: remove it from its axes, or hide
    it. What all frames have in common is computed once for each of the last two canvases.

    Text, axes, color bars and points in 3-D axes stay with matplotlib. A lone marker that
    matplotlib would round to whole pixels is drawn where it is.

    Parameters
    ----------
    collection
        What :meth:`matplotlib.axes.Axes.scatter` returns. NaN, infinite and masked positions are
        left out.
    sort_key
        `(n,)` numbers that order the cells: higher on top, NaN at the bottom. By default the
        order of the points.
    first_on_top
        Which of several cells with the same `sort_key` lies on top: the last one of the data, as
        in a scatter, or the first one, as scanpy has it for numbers.
    on_top
        Positions of cells that lie above all others, else in the same order.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from scanpy_anim.raster import FrameStyle, PointLayer, color_table, rank_levels
    >>> fig, ax = plt.subplots()
    >>> x, y = np.random.default_rng(0).normal(size=(2, 100_000))
    >>> scatter = ax.scatter(x, y, s=1, edgecolor="none")
    >>> scatter.remove()
    >>> style = FrameStyle(rank_levels(x * y), color_table(plt.get_cmap("viridis")))
    >>> artist = ax.add_artist(PointLayer(scatter, sort_key=x * y).artist(style))
    >>> fig.canvas.draw()
    """

    def __init__(
        self,
        collection: PathCollection,
        *,
        sort_key: NDArray | None = None,
        first_on_top: bool = False,
        on_top: ArrayLike | None = None,
    ) -> None:
        check_drawable(collection)
        if collection.get_array() is not None:
            collection.update_scalarmappable()
        self.offsets = coordinates(collection)
        self.markers = Markers(collection)
        self.properties = unchanged(collection)
        self._alpha = own_alpha(collection, len(self))
        self._edges = edge_colors(collection)
        self._draw_order = self._drawn_in(sort_key, first_on_top)
        chosen = np.empty(0, np.intp) if on_top is None else np.asarray(on_top, np.intp)
        self._on_top = self._chosen(chosen) if chosen.size else None
        if self._on_top is not None:
            self._draw_order = self._parted(~self._on_top)
        axes, transform = collection.axes, collection.get_offset_transform()
        in_axes = axes is not None and transform is axes.transData
        self._transform: Transform | None = None if in_axes else transform
        self._atlas: GlyphAtlas | None = None
        self._scenes: OrderedDict[tuple[Any, ...], _Scene] = OrderedDict()

    def __len__(self) -> int:
        return len(self.offsets)

    def __deepcopy__(self, memo: dict[int, Any]) -> PointLayer:
        """Share the layer between copies of a figure: it is the same for all of them."""
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_scenes": OrderedDict(), "_atlas": None}

    def artist(self, style: FrameStyle | Callable[[], FrameStyle | LateStyle]) -> PointsArtist:
        """Make an artist, in no axes yet: it draws as `style` says, or what that returns then."""
        return PointsArtist(self, style)

    def transform(self, data: Transform) -> Transform:
        """Transform from offsets to the canvas; `data` is that of the artist's axes."""
        return data if self._transform is None else self._transform

    def draw(
        self,
        pixels: NDArray[np.uint8],
        style: FrameStyle | LateStyle,
        canvas: Canvas,
        offsets: NDArray[np.float64],
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        """Blend a frame into `(height, width, 4)` pixels of straight RGBA bytes, in place.

        Parameters
        ----------
        pixels
            What is there already lies behind the points.
        style
            What the frame shows.
        canvas
            Describes the pixels.
        offsets
            `(n, 2)`, what `canvas.matrix` takes to pixels.
        meanwhile
            Draws other pixels: may be called, on this thread, while others blend.
        """
        if style.size != len(self):
            raise ValueError(f"levels must have one entry a cell ({len(self)}), got {style.size}")
        if canvas.is_empty or not len(self):
            return
        canvas.check_memory()
        words = pixels.view(np.uint32).reshape(-1)
        colors = frame_colors(style, self._alpha, self._edges, has_edges=self.markers.parts > 1)
        at_rest, keys = True, None
        if not isinstance(style, LateStyle):
            at_rest, keys = style.offsets is None, self._keys_of(style)
        scene = self._scene(offsets, canvas) if at_rest else self._moving_scene(offsets, canvas)
        seen = scene.visibility(colors.least_alphas) if at_rest and keys is None else None
        if seen is not None:
            compose(words, seen, colors, meanwhile)
        elif isinstance(style, LateStyle):
            self.draw(pixels, style.whole(), canvas, offsets, meanwhile)
        else:
            bands = scene.bands(sorted_anew=style.sort_key is not None)
            footprints, first_on_top = scene.placement().footprints, style.first_on_top
            paint(words, bands, footprints, colors, canvas, keys=keys, first_on_top=first_on_top)

    def _scene(self, offsets: NDArray[np.float64], canvas: Canvas) -> _Scene:
        """Scene of the points at rest, from memory if it is one of the last."""
        # a scale that is not linear moves points without any change of the canvas
        scaled = b"" if offsets is self.offsets else _probe(offsets)
        key = (*canvas.key(), scaled)
        scene = self._scenes.pop(key, None)
        if scene is None:
            atlas = prepare_glyphs(self.markers, len(self), canvas.dpi)
            scene = _Scene(offsets, atlas, self._draw_order, canvas)
        self._scenes[key] = scene
        while len(self._scenes) > _CANVASES:
            self._scenes.popitem(last=False)
        return scene

    def _moving_scene(self, offsets: NDArray[np.float64], canvas: Canvas) -> _Scene:
        """Scene of points that will be elsewhere in the next frame, with glyphs that stay."""
        if self._atlas is None or self._atlas.dpi != canvas.dpi:
            self._atlas = prepare_glyphs(self.markers, len(self), canvas.dpi, moving=True)
        return _Scene(offsets, self._atlas, self._draw_order, canvas)

    def _keys_of(self, style: FrameStyle) -> NDArray[np.uint64] | None:
        """Keys that sort the cells in one frame, higher on top; None: the layer's order serves.

        By the frame's own key the order of the points is sorted, by what is missing the layer's.
        """
        if style.sort_key is not None:
            return sort_keys(np.ravel(style.sort_key))
        if style.missing is None:
            return None
        below = style.missing if self._on_top is None else style.missing & ~self._on_top
        count = int(np.count_nonzero(below))
        lowest = self._draw_order[:count] if self._draw_order.size else slice(0, count)
        if below[lowest].all():  # they are at the bottom as it is
            return None
        return np.subtract(1, below, dtype=np.uint64)

    def _drawn_in(self, sort_key: NDArray | None, first_on_top: bool) -> NDArray[np.uint32]:
        """Positions of the cells by a key, back to front; empty: as they come."""
        if sort_key is None:
            return _AS_THEY_COME
        sort_key = np.asarray(sort_key)
        if sort_key.shape != (len(self),):
            raise ValueError(
                f"sort_key must have one key a cell, shape ({len(self)},), got {sort_key.shape}"
            )
        return stable_order(sort_key, last_first=first_on_top)

    def _parted(self, below: NDArray[np.bool_]) -> NDArray[np.uint32]:
        """Positions of the cells, those of some below those of the others."""
        order = self._draw_order
        order = order if order.size else np.arange(len(self), dtype=np.uint32)
        is_below = below[order]
        return np.concatenate([order[is_below], order[~is_below]])

    def _chosen(self, cells: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether each cell is one of those at some positions."""
        if not -1 < cells.min() <= cells.max() < len(self):
            raise IndexError(f"on_top holds positions that are not among the {len(self)} cells")
        chosen = np.zeros(len(self), np.bool_)
        chosen[cells] = True
        return chosen


def _probe(offsets: NDArray[np.float64]) -> bytes:
    """Pick some of the coordinates, by which to tell scales of the axes apart."""
    return offsets[np.linspace(0, len(offsets) - 1, 256).astype(int)].tobytes()


class _Scene:
    """Where points fall on a canvas, and what is seen of them: computed when asked, remembered.

    Parameters
    ----------
    offsets
        `(n, 2)` coordinates.
    atlas
        What is drawn at them.
    draw_order
        Positions of the cells, back to front; empty: as they come.
    canvas
        What is drawn on.
    """

    def __init__(
        self,
        offsets: NDArray[np.float64],
        atlas: GlyphAtlas,
        draw_order: NDArray[np.uint32],
        canvas: Canvas,
    ) -> None:
        self._offsets, self._atlas, self._canvas = offsets, atlas, canvas
        self._draw_order = draw_order
        self._placement: Placement | None = None
        self._bands: dict[bool, list[Band]] = {}
        self._seen: OrderedDict[tuple[float, float], Visibility | None] = OrderedDict()

    def placement(self) -> Placement:
        """Where the cells fall; kept, because the painter needs it for every frame."""
        if self._placement is None:
            self._placement = place_points(self._offsets, self._atlas, self._canvas)
        return self._placement

    def bands(self, *, sorted_anew: bool) -> list[Band]:
        """Cut the cells into bands of rows, kept too: as the points come, or in drawing order."""
        bands = self._bands.get(sorted_anew)
        if bands is None:
            draw_order = _AS_THEY_COME if sorted_anew else self._draw_order
            bands = cut_into_bands(self.placement(), draw_order, self._canvas)
            self._bands[sorted_anew] = bands
        return bands

    def visibility(self, least_alphas: tuple[float, float]) -> Visibility | None:
        """List what is seen of points no more transparent than this; None: too much to list."""
        if least_alphas not in self._seen:
            self._seen[least_alphas] = self._look_through(least_alphas)
            while len(self._seen) > _LISTS:
                self._seen.popitem(last=False)
        self._seen.move_to_end(least_alphas)
        return self._seen[least_alphas]

    def _look_through(self, least_alphas: tuple[float, float]) -> Visibility | None:
        # not kept: a placement is as large as the cells are many
        placement = self._placement or place_points(self._offsets, self._atlas, self._canvas)
        if min(least_alphas) < _CLEAR and placement.total_cover() > _MOST_LISTED:
            return None
        return find_visible(placement, self._draw_order, least_alphas, self._canvas)
