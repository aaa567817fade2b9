"""On screens, in files of every kind, among other artists."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
from matplotlib.patches import Circle
from PIL import Image

from scanpy_anim.raster import FrameStyle, PointLayer, _layer, color_bytes

from .scatters import canvas, mean_and_outliers, pixels, resampled, show, take_over


def stage(embedding, *, ours, n=2000, **style):
    """Axes with things behind and in front of the points."""
    xy = resampled(embedding, n)
    fig, ax = canvas()
    ax.axvspan(-5, 2, color="0.8", zorder=0)
    scatter = ax.scatter(
        *xy.T, c=xy[:, 0], **{"s": 15, "edgecolor": "none", "rasterized": True, **style}
    )
    ax.text(0, 0, "in front", fontsize=20, zorder=5)
    ax.plot([-10, 10], [-5, 5], lw=5, zorder=0.5)
    fig.colorbar(scatter, ax=ax)
    if ours:
        take_over(ax, scatter)
    return fig, ax


def saved(fig, suffix, **kwargs):
    file = io.BytesIO()
    fig.savefig(file, format=suffix, **kwargs)
    return file.getvalue()


def decoded(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


@pytest.mark.parametrize("zorder", [0.2, 1, 9])
def test_takes_its_place_among_others(embedding, zorder):
    theirs, ours = (pixels(stage(embedding, ours=o, zorder=zorder)[0]) for o in (False, True))
    mean, share = mean_and_outliers(theirs, ours)
    assert mean <= 0.3
    assert share <= 0.001


@pytest.mark.parametrize("kwargs", [{"dpi": 170}, {"bbox_inches": "tight"}, {"transparent": True}])
def test_png_files(embedding, kwargs):
    theirs, ours = (
        decoded(saved(stage(embedding, ours=o)[0], "png", **kwargs)) for o in (False, True)
    )
    assert theirs.shape == ours.shape
    alpha = theirs[..., 3:] / 255.0
    mean, share = mean_and_outliers(theirs * alpha, ours * (ours[..., 3:] / 255.0))
    assert mean <= 0.3
    assert share <= 0.001


@pytest.mark.parametrize("kwargs", [{"dpi": 90}, {"dpi": 130, "bbox_inches": "tight"}])
def test_svg_files_hold_one_picture(embedding, kwargs):
    images = []
    for ours in (False, True):
        fig, _ = stage(embedding, ours=ours)
        text = saved(fig, "svg", **kwargs).decode()
        found = [decoded(b64decode(png)) for png in re.findall(r"base64,\s*([^\"]+)\"", text)]
        assert "in front" in text or "<path" in text
        assert len(found) == 2  # the points and the color bar
        images.append(max(found, key=np.size))
        assert len(text) < 400_000
    theirs, ours = (image.astype(float) * (image[..., 3:] / 255) for image in images)
    assert theirs.shape == ours.shape
    mean, share = mean_and_outliers(theirs, ours)
    assert mean <= 0.5
    assert share <= 0.001


@pytest.mark.parametrize("suffix", ["pdf", "eps", "svgz", "jpg", "webp", "tif"])
def test_other_files(embedding, suffix):
    fig, _ = stage(embedding, ours=True, n=300)
    assert len(saved(fig, suffix)) > 1000


def test_a_renderer_of_neither_kind_gets_an_image(embedding):
    from matplotlib.backend_bases import RendererBase

    class Recorder(RendererBase):
        def get_canvas_width_height(self):
            return 300, 250

        def draw_image(self, gc, x, y, im, transform=None):
            self.image = (x, y, im[::-1])

        start_rasterizing = stop_rasterizing = lambda self: None

    fig, ax = stage(embedding, ours=True)
    picture = pixels(fig)
    recorder = Recorder()
    ax.artists[0].draw(recorder)
    x, y, image = recorder.image
    assert (x, y) == (0, 0)
    opaque = image[..., 3] == 255
    assert opaque.sum() > 1000
    np.testing.assert_array_equal(image[opaque][:, 3], 255)
    assert np.median(np.abs(image[opaque].astype(int) - picture[opaque])) == 0


def test_blitting(embedding):
    """A frame drawn over a restored background is the frame drawn as a whole."""
    fig, ax = stage(embedding, ours=True)
    ax.texts[0].set_visible(False)
    artist = ax.artists[0]
    whole = pixels(fig)
    artist.set_animated(True)
    pixels(fig)
    background = fig.canvas.copy_from_bbox(fig.bbox)
    style = artist.get_style()
    show(artist, FrameStyle(style.levels[::-1].copy(), style.table))
    ax.draw_artist(artist)
    assert (np.asarray(fig.canvas.buffer_rgba()) != whole).any()
    fig.canvas.restore_region(background)
    show(artist, style)
    ax.draw_artist(artist)
    np.testing.assert_array_equal(np.asarray(fig.canvas.buffer_rgba()), whole)


def test_several_axes_in_one_figure(embedding):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    def drawn(ours):
        fig = Figure((4, 2), dpi=80)
        FigureCanvasAgg(fig)
        for k, ax in enumerate(fig.subplots(1, 3).flat):
            scatter = ax.scatter(*embedding.T, c=embedding[:, k % 2], s=5 + k, edgecolor="none")
            if ours:
                take_over(ax, scatter)
        return pixels(fig)

    mean, share = mean_and_outliers(drawn(False), drawn(True))
    assert mean <= 0.3
    assert share <= 0.001


def test_screen_and_file_do_not_drive_each_other_out(embedding, monkeypatch):
    placed, place = [], _layer.place_points
    monkeypatch.setattr(_layer, "place_points", lambda *a: placed.append(1) or place(*a))
    fig, _ = stage(embedding, ours=True)
    for _ in range(3):
        pixels(fig)
        saved(fig, "png", dpi=150)
    assert placed == [1, 1]


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("clip_on", [True, False])
def test_extent_is_the_collections(embedding, scale, clip_on):
    fig, ax = canvas()
    scatter = ax.scatter(
        *np.exp(embedding / 5).T, c=embedding[:, 0], s=30, marker="^", clip_on=clip_on
    )
    ax.set(xscale=scale, yscale=scale)
    pixels(fig)
    renderer = fig.canvas.get_renderer()
    theirs = scatter.get_window_extent(renderer), ax.get_tightbbox(renderer)
    artist = take_over(ax, scatter)
    np.testing.assert_array_equal(artist.get_window_extent(renderer).extents, theirs[0].extents)
    np.testing.assert_allclose(ax.get_tightbbox(renderer).extents, theirs[1].extents)


def test_invisible_artists_cost_nothing(embedding):
    fig, ax = stage(embedding, ours=True)
    artist = ax.artists[0]
    show(artist, lambda: pytest.fail("asked for its style"))
    artist.set_visible(False)
    pixels(fig)


def test_style_is_asked_for_at_each_draw(embedding):
    fig, ax = stage(embedding, ours=True)
    style, asked = ax.artists[0].get_style(), []
    show(ax.artists[0], lambda: asked.append(1) or style)
    pixels(fig)
    pixels(fig)
    assert len(asked) == 2
    assert ax.artists[0].contains(None) == (False, {})


def test_added_to_other_axes(embedding):
    """The points go where the coordinates of their new axes say."""
    _, ax = canvas()
    scatter = ax.scatter(*embedding.T, c=embedding[:, 0], s=10, edgecolor="none")
    style = FrameStyle(np.zeros(len(embedding), np.uint8), color_bytes([(1, 0, 0, 1)]))
    layer = PointLayer(scatter)
    other, axes = canvas(dpi=60)
    axes.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
    axes.add_artist(layer.artist(style))
    red = pixels(other)[..., 1] < 100
    fig2, axes2 = canvas(dpi=60)
    axes2.scatter(*embedding.T, color=["r"] * len(embedding), s=10, edgecolor="none")
    axes2.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
    assert np.mean(red != (pixels(fig2)[..., 1] < 100)) < 0.002


def test_artists_are_clipped_by_the_one_box_of_their_axes(embedding):
    """A box each, which follows the axes, took longer than all else of an artist."""
    _, ax = stage(embedding, ours=True)
    first = ax.artists[0]
    second = ax.add_artist(first.layer.artist(first.get_style()))
    assert second.get_clip_box() is ax.bbox
    assert second.get_clip_path() is None
    second.set_clip_box(None)
    second.set_clip_path(ax.patch)
    assert second.get_clip_box() is ax.bbox


@pytest.mark.parametrize("change", ["smaller", "round"])
def test_axes_that_are_no_plain_box_clip_as_they_clip_a_scatter(embedding, change):
    images = []
    for ours in (False, True):
        fig, ax = canvas()
        if change == "smaller":
            ax.patch.set_bounds(0.25, 0.25, 0.5, 0.4)
        else:
            ax.patch = Circle((0.5, 0.5), 0.3, transform=ax.transAxes)
        scatter = ax.scatter(*embedding.T, c=embedding[:, 0], s=30, edgecolor="none")
        if ours:
            take_over(ax, scatter)
        images.append(pixels(fig))
    mean, share = mean_and_outliers(*images)
    assert mean <= 0.3
    assert share <= 0.002
