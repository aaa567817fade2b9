"""Order, clipping, canvases and copies."""

import copy
import pickle
import weakref

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from scanpy_anim.raster import Look, PointLayer, color_bytes, color_table, value_levels
from scanpy_anim.raster._threads import limit_threads

from .scatters import canvas, difference, pixels, resampled, take_over

RED_GREEN = color_bytes([(1, 0, 0, 1), (0, 0.5, 0, 1), (0, 0, 0, 0)])


def scatter_of(xy, values, *, dpi=100, size=(3.0, 2.5), **style):
    fig, ax = canvas(size, dpi)
    style = {"s": 20, "edgecolor": "none", **style}
    return fig, ax, ax.scatter(*np.transpose(xy), c=values, **style)


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
        take_over(ax, scatter, order=None)
        ax.artists[0].set_look(
            Look(value_levels(values, scatter.norm), color_table(scatter.cmap), order=key)
        )
    else:
        layer = PointLayer(scatter, order=key)
        scatter.remove()
        look = Look(value_levels(values, scatter.norm), color_table(scatter.cmap))
        ax.add_artist(layer.artist(look))
    mean, share = difference(theirs, pixels(fig))
    assert mean <= 0.3
    assert share <= 0.001


def test_colours_change_geometry_does_not(embedding):
    """The weights are computed once for a canvas, whatever the colours."""
    xy = resampled(embedding, 2000)
    fig, ax, scatter = scatter_of(xy, xy[:, 0])
    artist = take_over(ax, scatter)
    pixels(fig)
    scenes = list(artist.layer._scenes.values())
    for column in (xy[:, 1], -xy[:, 0]):
        fig2, _, other = scatter_of(xy, column)
        artist.set_look(Look(value_levels(column, other.norm), color_table(other.cmap)))
        mean, share = difference(pixels(fig2), pixels(fig))
        assert mean <= 0.3
        assert share <= 0.001
    assert list(artist.layer._scenes.values()) == scenes


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
    mean, share = difference(theirs, ours)
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

    mean, share = difference(drawn(False), drawn(True))
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

    mean, share = difference(drawn(False), drawn(True))
    assert mean <= 0.1
    assert share == 0


def test_unclipped_markers_reach_out_of_the_axes():
    def drawn(ours):
        fig, ax, scatter = scatter_of([(0, 0), (1, 1)], [0, 1], s=900, clip_on=False)
        ax.set(xlim=(0, 1), ylim=(0, 1))
        if ours:
            take_over(ax, scatter)
        return pixels(fig)

    mean, share = difference(drawn(False), drawn(True))
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
    mean, share = difference(theirs, pixels(fig))
    assert mean <= 0.3
    assert share <= 0.001


@pytest.mark.parametrize("rowwise", ["opacity", "transparent"])
def test_opacity_and_transparent_levels(embedding, rowwise):
    xy = resampled(embedding, 2000)
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 3 if rowwise == "transparent" else 2, size=2000).astype(np.uint8)
    opacity = rng.integers(0, 256, size=2000).astype(np.uint8) if rowwise == "opacity" else None
    rgba = RED_GREEN[levels] / 255
    if opacity is not None:
        rgba[:, 3] *= opacity / 255
    fig, ax, scatter = scatter_of(xy, None, color=rgba)
    theirs = pixels(fig)
    layer = PointLayer(scatter)
    scatter.remove()
    artist = ax.add_artist(layer.artist(Look(levels, RED_GREEN, opacity=opacity)))
    composed = pixels(fig)
    artist.set_look(Look(levels, RED_GREEN, opacity=opacity, order=np.arange(2000)))
    for ours in (composed, pixels(fig)):
        mean, share = difference(theirs, ours)
        assert mean <= 0.3
        assert share <= 0.001


def test_moving_points(embedding):
    xy = resampled(embedding, 2000)
    fig, ax, scatter = scatter_of(xy, xy[:, 0])
    ax.set(xlim=(-10, 20), ylim=(-10, 20))
    artist = take_over(ax, scatter)
    pixels(fig)
    look = artist.get_look()
    moved = xy[:, ::-1] + 1.5
    artist.set_look(Look(look.levels, look.table, offsets=moved))
    ours = pixels(fig)
    fig, ax, scatter = scatter_of(moved, xy[:, 0])
    ax.set(xlim=(-10, 20), ylim=(-10, 20))
    mean, share = difference(pixels(fig), ours)
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


def test_same_bytes_on_one_thread_and_on_two(embedding):
    xy = resampled(embedding, 20_000)
    pictures = []
    for threads in (1, 2, 2):
        with limit_threads(threads):
            fig, ax, scatter = scatter_of(xy, xy[:, 0], s=3, alpha=0.5)
            artist = take_over(ax, scatter)
            pictures.append(pixels(fig).tobytes())
            look = artist.get_look()
            artist.set_look(Look(look.levels, look.table, order=look.levels))
            pictures.append(pixels(fig).tobytes())
    assert len(set(pictures[::2])) == len(set(pictures[1::2])) == 1


def test_pickles_and_copies_with_the_figure(embedding):
    xy = resampled(embedding, 500)
    fig, ax, scatter = scatter_of(xy, xy[:, 0])
    take_over(ax, scatter)
    picture = pixels(fig)
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
    look = Look(np.zeros(len(layer), np.uint8), RED_GREEN)
    artists = [ax.add_artist(layer.artist(lambda: look)) for _ in range(100)]
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
    assert difference(theirs, pixels(fig))[0] <= 0.3


def test_pyplot_is_left_alone(embedding):
    fig, ax, scatter = scatter_of(embedding, embedding[:, 0])
    take_over(ax, scatter)
    pixels(fig)
    assert plt.get_fignums() == []
