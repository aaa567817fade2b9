"""Order, clipping, canvases and copies."""

import copy
import pickle
import weakref
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from scanpy_anim._threads import limit_threads
from scanpy_anim.raster import (
    FrameStyle,
    PointLayer,
    _layer,
    _placement,
    color_bytes,
    color_table,
    value_levels,
)

from .scatters import canvas, mean_and_outliers, pixels, resampled, show, show_on, take_over

RED_GREEN = color_bytes([(1, 0, 0, 1), (0, 0.5, 0, 1), (0, 0, 0, 0)])


def scatter_of(xy, values, *, dpi=100, size=(3.0, 2.5), **style):
    fig, ax = canvas(size, dpi)
    style = {"s": 20, "edgecolor": "none", **style}
    return fig, ax, ax.scatter(*np.transpose(xy), c=values, **style)


@pytest.fixture
def looked_through(monkeypatch):
    """How often the renderer found out what can be seen."""
    times, find = [], _layer.find_visible
    monkeypatch.setattr(_layer, "find_visible", lambda *a: times.append(1) or find(*a))
    return times


@pytest.mark.parametrize("painted", [False, True])
def test_order_is_that_of_a_sorted_scatter(embedding, painted):
    xy = resampled(embedding, 3000)
    values = np.random.default_rng(0).random(3000)
    key = np.round(np.random.default_rng(1).random(3000), 2)
    key[:50] = np.nan
    order = np.argsort(np.nan_to_num(key, nan=-1), kind="stable")
    fig, _, _ = scatter_of(xy[order], values[order])
    theirs = pixels(fig)
    fig, ax, scatter = scatter_of(xy, values)
    if painted:
        artist = take_over(ax, scatter)
        show(
            artist,
            FrameStyle(value_levels(values, scatter.norm), color_table(scatter.cmap), sort_key=key),
        )
    else:
        layer = PointLayer(scatter, sort_key=key)
        scatter.remove()
        style = FrameStyle(value_levels(values, scatter.norm), color_table(scatter.cmap))
        ax.add_artist(layer.artist(style))
    mean, share = mean_and_outliers(theirs, pixels(fig))
    assert mean <= 0.3
    assert share <= 0.001


@pytest.mark.parametrize("painted", [False, True])
def test_equal_cells_lie_as_scanpy_has_them(embedding, painted):
    """Of equal numbers the first cell of the data is on top, NaN is at the bottom."""
    xy = resampled(embedding, 3000)
    values = np.round(np.random.default_rng(1).random(3000), 1)
    values[:300] = np.nan
    colors = np.random.default_rng(2).random(3000)
    order = np.argsort(-values, kind="stable")[::-1]
    style = {"s": 60, "edgecolor": "k", "linewidth": 1}
    fig, _, _ = scatter_of(xy[order], colors[order], **style)
    theirs = pixels(fig)
    fig, ax, scatter = scatter_of(xy, colors, **style)
    layer = PointLayer(scatter, **({} if painted else {"sort_key": values, "first_on_top": True}))
    scatter.remove()
    shown = FrameStyle(value_levels(colors, scatter.norm), color_table(scatter.cmap))
    if painted:
        shown = replace(shown, sort_key=values, first_on_top=True)
    show_on(ax, layer, shown)
    mean, share = mean_and_outliers(theirs, pixels(fig))
    assert mean <= 0.3
    assert share <= 0.001


@pytest.mark.parametrize("by", ["key", "data"])
def test_missing_and_marked_cells_leave_the_order(embedding, by):
    """Missing ones lie below all others, marked ones above, in the order that all have."""
    xy = resampled(embedding, 3000)
    rng = np.random.default_rng(3)
    values, key = rng.random((2, 3000))
    missing, marked = rng.random((2, 3000)) < 0.3
    order = np.argsort(key) if by == "key" else np.arange(3000)
    fig, ax, scatter = scatter_of(xy, values, s=40)
    sort_key = key if by == "key" else None
    layer = PointLayer(scatter, sort_key=sort_key, on_top=np.flatnonzero(marked))
    scatter.remove()
    shown = FrameStyle(value_levels(values, scatter.norm), color_table(scatter.cmap))
    artist = show_on(ax, layer, shown)
    for below in (np.zeros(3000, bool), missing):
        expected = order[np.argsort(2 * marked[order] - (below & ~marked)[order], kind="stable")]
        show(artist, replace(shown, missing=below))
        fig2, _, _ = scatter_of(xy[expected], values[expected], s=40)
        mean, share = mean_and_outliers(pixels(fig2), pixels(fig))
        assert mean <= 0.3
        assert share <= 0.001


def test_missing_cells_at_the_bottom_cost_nothing(embedding, looked_through, monkeypatch):
    """Where the fixed order has them there already, it serves."""
    key = embedding[:, 0].copy()
    key[::3] = np.nan
    fig, ax, scatter = scatter_of(embedding, embedding[:, 0])
    layer = PointLayer(scatter, sort_key=key)
    scatter.remove()
    shown = FrameStyle(np.zeros(len(key), np.uint8), RED_GREEN, missing=np.isnan(key))
    artist = show_on(ax, layer, shown)
    monkeypatch.setattr(_layer, "paint", lambda *_: pytest.fail("painted cell by cell"))
    first = pixels(fig)
    theirs = pixels(scatter_of(embedding, None, color=["red"] * len(key))[0])
    assert mean_and_outliers(theirs, first)[0] <= 0.3
    show(artist, replace(shown, missing=None))
    np.testing.assert_array_equal(pixels(fig), first)
    assert looked_through == [1]


def test_colors_change_geometry_does_not(embedding, looked_through):
    """The weights are computed once for a canvas, whatever the colors."""
    xy = resampled(embedding, 2000)
    fig, ax, scatter = scatter_of(xy, xy[:, 0])
    artist = take_over(ax, scatter)
    pixels(fig)
    assert looked_through == [1]
    for column in (xy[:, 1], -xy[:, 0]):
        fig2, _, other = scatter_of(xy, column)
        show(artist, FrameStyle(value_levels(column, other.norm), color_table(other.cmap)))
        mean, share = mean_and_outliers(pixels(fig2), pixels(fig))
        assert mean <= 0.3
        assert share <= 0.001
    assert looked_through == [1]


@pytest.mark.parametrize("change", ["limits", "dpi", "size", "log", "inverted"])
def test_follows_the_canvas(embedding, change):
    xy = np.exp(resampled(embedding, 2000) / 8)

    def altered(fig, ax):
        if change == "limits":
            ax.set(xlim=np.quantile(xy[:, 0], [0.2, 0.7]), ylim=np.quantile(xy[:, 1], [0.4, 0.8]))
        elif change == "dpi":
            fig.set_dpi(163)
        elif change == "size":
            fig.set_size_inches(2.2, 3.1)
        elif change == "log":
            ax.set(xscale="log", yscale="symlog")
        else:
            ax.invert_xaxis()
            ax.invert_yaxis()
        return pixels(fig)

    fig, ax, scatter = scatter_of(xy, xy[:, 0])
    pixels(fig)
    theirs = altered(fig, ax)
    fig, ax, scatter = scatter_of(xy, xy[:, 0])
    take_over(ax, scatter)
    before = pixels(fig)
    ours = altered(fig, ax)
    assert before.shape != ours.shape or (before != ours).any()
    mean, share = mean_and_outliers(theirs, ours)
    assert mean <= 0.3
    assert share <= 0.001


def test_stays_within_axes_and_clip_path(embedding):
    from matplotlib.patches import Circle

    xy = resampled(embedding, 2000)

    def drawn(ours):
        fig, ax, scatter = scatter_of(xy, xy[:, 0])
        ax.set(xlim=(0, 5), ylim=(-2, 5))
        scatter.set_clip_path(Circle((0.5, 0.5), 0.4, transform=ax.transAxes))
        if ours:
            take_over(ax, scatter)
        return pixels(fig)

    mean, share = mean_and_outliers(drawn(False), drawn(True))
    assert mean <= 0.3
    assert share <= 0.001


def test_stays_within_a_clip_box_of_its_own(embedding):
    from matplotlib.transforms import Bbox

    def drawn(ours):
        fig, ax, scatter = scatter_of(embedding, embedding[:, 0])
        scatter.set_clip_box(Bbox([(100, 80), (200, 170.6)]))
        if ours:
            take_over(ax, scatter)
        return pixels(fig)

    mean, share = mean_and_outliers(drawn(False), drawn(True))
    assert mean <= 0.1
    assert share == 0


def test_unclipped_markers_reach_out_of_the_axes():
    def drawn(ours):
        fig, ax, scatter = scatter_of([(0, 0), (1, 1)], [0, 1], s=900, clip_on=False)
        ax.set(xlim=(0, 1), ylim=(0, 1))
        if ours:
            take_over(ax, scatter)
        return pixels(fig)

    mean, share = mean_and_outliers(drawn(False), drawn(True))
    assert mean <= 0.1
    assert share == 0


def test_nan_inf_and_masked_positions_are_left_out(embedding):
    xy = resampled(embedding, 1000)
    values = xy[:, 1].copy()
    fig, ax, scatter = scatter_of(xy[4:], values[4:])
    theirs, limits = pixels(fig), (ax.get_xlim(), ax.get_ylim())
    xy[:4] = [(np.nan, 0), (0, np.inf), (-np.inf, 0), (1e300, 1e300)]
    fig, ax, scatter = scatter_of(xy, values, vmin=values[4:].min(), vmax=values[4:].max())
    ax.set(xlim=limits[0], ylim=limits[1])
    take_over(ax, scatter, values=values)
    mean, share = mean_and_outliers(theirs, pixels(fig))
    assert mean <= 0.3
    assert share <= 0.001


@pytest.mark.parametrize("rowwise", ["opacity", "transparent"])
def test_opacity_and_transparent_levels(embedding, rowwise):
    xy = resampled(embedding, 2000)
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 3 if rowwise == "transparent" else 2, size=2000).astype(np.uint8)
    alpha = rng.integers(0, 256, size=2000) / 255 if rowwise == "opacity" else None
    rgba = RED_GREEN[levels] / 255
    fig, ax, scatter = scatter_of(xy, None, color=rgba, alpha=alpha)
    theirs = pixels(fig)
    layer = PointLayer(scatter)
    scatter.remove()
    artist = show_on(ax, layer, FrameStyle(levels, RED_GREEN))
    composed = pixels(fig)
    show(artist, FrameStyle(levels, RED_GREEN, sort_key=np.arange(2000)))
    for ours in (composed, pixels(fig)):
        mean, share = mean_and_outliers(theirs, ours)
        assert mean <= 0.3
        assert share <= 0.001


def test_moving_points(embedding):
    xy = resampled(embedding, 2000)
    fig, ax, scatter = scatter_of(xy, xy[:, 0])
    ax.set(xlim=(-10, 20), ylim=(-10, 20))
    artist = take_over(ax, scatter)
    pixels(fig)
    style = artist.get_style()
    moved = xy[:, ::-1] + 1.5
    show(artist, FrameStyle(style.levels, style.table, offsets=moved))
    ours = pixels(fig)
    fig, ax, scatter = scatter_of(moved, xy[:, 0])
    ax.set(xlim=(-10, 20), ylim=(-10, 20))
    mean, share = mean_and_outliers(pixels(fig), ours)
    assert mean <= 0.3
    assert share <= 0.001


def test_transparent_canvas(embedding):
    xy = resampled(embedding, 2000)

    def drawn(ours):
        fig, ax, scatter = scatter_of(xy, xy[:, 0], alpha=0.4)
        fig.patch.set_alpha(0)
        ax.patch.set_alpha(0.2)
        if ours:
            take_over(ax, scatter)
        return pixels(fig)

    theirs, ours = drawn(False), drawn(True)
    assert np.quantile(np.abs(theirs[..., 3].astype(int) - ours[..., 3]), 0.999) <= 8
    visible = theirs.astype(int) * (theirs[..., 3:] / 255)
    assert np.abs(visible - ours * (ours[..., 3:] / 255)).mean() <= 0.3


@pytest.mark.parametrize("at_once", [_placement._CHUNK, 3000])
def test_same_bytes_on_one_thread_and_on_more(embedding, at_once, monkeypatch):
    monkeypatch.setattr(_placement, "_CHUNK", at_once)  # as few cells as a thread may have
    xy = resampled(embedding, 20_000)
    pictures = []
    theirs = pixels(scatter_of(xy, xy[:, 0], s=3, alpha=0.5)[0])
    for threads in (1, 2, 3):
        with limit_threads(threads):
            fig, ax, scatter = scatter_of(xy, xy[:, 0], s=3, alpha=0.5)
            artist = take_over(ax, scatter)
            pictures.append(pixels(fig).tobytes())
            mean, share = mean_and_outliers(theirs, pixels(fig))
            assert mean <= 0.3
            assert share <= 0.001
            style = artist.get_style()
            show(artist, replace(style, sort_key=style.levels))
            pictures.append(pixels(fig).tobytes())
    assert len(set(pictures[::2])) == len(set(pictures[1::2])) == 1


def test_pickles_and_copies_with_the_figure(embedding):
    xy = resampled(embedding, 500)
    fig, ax, scatter = scatter_of(xy, xy[:, 0])
    theirs = pixels(fig)
    take_over(ax, scatter)
    picture = pixels(fig)
    assert mean_and_outliers(theirs, picture)[0] <= 0.3
    again = pickle.loads(pickle.dumps(fig))
    FigureCanvasAgg(again)
    np.testing.assert_array_equal(pixels(again), picture)
    again.set_dpi(50)
    assert pixels(again).shape[0] == picture.shape[0] // 2
    twin = copy.deepcopy(ax.artists[0])
    assert twin.layer is ax.artists[0].layer


def test_artists_are_light(embedding):
    """A hundred frames share one layer and hold no arrays of their own."""
    _, ax, scatter = scatter_of(embedding, embedding[:, 0])
    layer = PointLayer(scatter)
    scatter.remove()
    style = FrameStyle(np.zeros(len(layer), np.uint8), RED_GREEN)
    artists = [ax.add_artist(layer.artist(lambda: style)) for _ in range(100)]
    assert list(ax.artists) == artists
    assert all(a.layer is layer for a in artists)
    assert all(not isinstance(v, np.ndarray) for v in vars(artists[0]).values())


def test_collection_need_not_live_on(embedding):
    fig, ax, scatter = scatter_of(embedding, embedding[:, 0])
    theirs = pixels(fig)
    take_over(ax, scatter)
    gone = weakref.ref(scatter)
    del scatter
    import gc

    gc.collect()
    assert gone() is None
    assert mean_and_outliers(theirs, pixels(fig))[0] <= 0.3


def test_pyplot_is_left_alone(embedding):
    before = plt.get_fignums()
    fig, ax, scatter = scatter_of(embedding, embedding[:, 0])
    take_over(ax, scatter)
    pixels(fig)
    assert plt.get_fignums() == before
