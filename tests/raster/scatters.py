"""Scatters of real cells, drawn by matplotlib and by a layer."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from scanpy_anim.raster import FrameStyle, PointLayer, color_table, value_levels


def resampled(embedding, n, seed=0):
    """`n` cells with the density of a real embedding: clusters, filaments, outliers."""
    rng = np.random.default_rng(seed)
    picked = embedding[rng.integers(len(embedding), size=n)]
    return picked + rng.normal(size=(n, 2)) * rng.choice([0.02, 0.15, 0.6], size=(n, 1))


def canvas(size=(3.0, 2.5), dpi=100, facecolor="white"):
    """A figure with one axes that fills most of it."""
    fig = Figure(figsize=size, dpi=dpi, facecolor=facecolor)
    FigureCanvasAgg(fig)
    ax = fig.add_axes((0.08, 0.1, 0.87, 0.85))
    return fig, ax


def pixels(fig):
    fig.canvas.draw()
    return np.asarray(fig.canvas.buffer_rgba()).copy()


def take_over(ax, scatter, *, values=None, sort_key=None, **style):
    """Replace a scatter colored by `c=` by an artist that shows the same."""
    if values is None:
        values = scatter.get_array()
    layer = PointLayer(scatter, sort_key=sort_key)
    scatter.remove()
    levels = value_levels(values, scatter.norm, scatter.cmap.N)
    return show_on(ax, layer, FrameStyle(levels, color_table(scatter.cmap), **style))


class Shown:
    """A style, or a function that is asked for it, to be replaced at will."""

    def __init__(self, style):
        self.style = style

    def __call__(self):
        return self.style() if callable(self.style) else self.style


def show_on(ax, layer, style):
    """Add an artist whose style can be changed by :func:`show`."""
    shown = Shown(style)
    artist = ax.add_artist(layer.artist(shown))
    artist.shown = shown
    return artist


def show(artist, style):
    """Let an artist of :func:`show_on` show something else."""
    artist.shown.style = style
    artist.stale = True


def mean_and_outliers(a, b):
    """Mean difference of two pictures, and the share of pixels that differ by more than 8."""
    apart = np.abs(a.astype(int) - b)
    return apart.mean(), (apart.max(axis=-1) > 8).mean()
