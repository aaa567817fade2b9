"""What cannot be drawn says so; what is merely odd draws."""

import numpy as np
import pytest
from matplotlib.patheffects import Stroke

from scanpy_anim.raster import FrameStyle, PointLayer, color_bytes
from scanpy_anim.raster._canvas import Canvas

from .scatters import canvas, mean_and_outliers, pixels, show, show_on, take_over

RED = color_bytes([(1, 0, 0, 1)])


def red_layer(xy, **style):
    fig, ax = canvas()
    xy = np.reshape(np.asarray(xy, dtype=float), (-1, 2))
    scatter = ax.scatter(*xy.T, **{"s": 100, "edgecolor": "none", **style})
    scatter.remove()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    layer = PointLayer(scatter)
    show_on(ax, layer, FrameStyle(np.zeros(len(xy), np.uint8), RED))
    return fig, ax


def red_pixels(fig):
    rgb = pixels(fig)[..., :3].astype(int)
    return int(((rgb[..., 0] > 200) & (rgb[..., 1:].max(axis=-1) < 60)).sum())


@pytest.mark.parametrize(
    ("xy", "style", "drawn"),
    [
        ([(0.5, 0.5)], {}, True),
        ([], {}, False),
        ([(7, 7), (-3, 0.5)], {}, False),
        ([(np.nan, 0.5)], {}, False),
        ([(0.5, 0.5)] * 5000, {}, True),
        ([(0.5, 0.5)] * 3, {"s": 0}, False),
        ([(0.5, 0.5)] * 3, {"s": [0, 100, np.nan]}, True),
        ([(0.5, 0.5)] * 3, {"s": 1e6}, True),
        ([(0.5, 0.5)] * 3, {"alpha": 0.0}, False),
    ],
    ids=["one", "none", "outside", "nan", "same point", "size 0", "some size 0", "huge", "clear"],
)
def test_odd_scatters_draw(xy, style, drawn):
    fig, _ = red_layer(xy, **style)
    assert (red_pixels(fig) > 20) == drawn


def test_marker_larger_than_the_canvas_looks_as_matplotlib_draws_it():
    def picture(ours):
        fig, ax = canvas()
        scatter = ax.scatter([0.2, 0.9], [0.3, 0.4], c=[0.0, 1.0], s=90_000, edgecolor="none")
        ax.set(xlim=(0, 1), ylim=(0, 1))
        if ours:
            take_over(ax, scatter)
        return pixels(fig)

    mean, share = mean_and_outliers(picture(False), picture(True))
    assert mean <= 0.1
    assert share <= 0.001


def test_canvas_of_one_pixel():
    fig, ax = red_layer([(0.5, 0.5)], s=5000)
    ax.set_position((0, 0, 1, 1))
    ax.axis("off")
    fig.set_size_inches(0.01, 0.01)
    assert pixels(fig).shape == (1, 1, 4)
    assert tuple(pixels(fig)[0, 0]) == (255, 0, 0, 255)


def test_canvas_beyond_the_bound_is_refused_at_once(monkeypatch):
    from scanpy_anim.raster import _canvas

    fig, _ = red_layer([(0.5, 0.5)])
    monkeypatch.setattr(_canvas, "_MOST_BYTES", 300 * 250)  # a byte a pixel is never enough
    with pytest.raises(MemoryError, match=r"300 × 250 pixels would need 0\.0 GiB"):
        pixels(fig)


def test_bound_allows_what_screens_and_papers_need():
    """A0 at 300 dots an inch is drawn; what no machine has room for is refused."""

    def square(side):
        whole, window = np.zeros((0, 2), np.uint8), np.array([0, side, 0, side])
        return Canvas(side, side, 300.0, np.eye(3), window, whole)

    square(12_000).check_memory()
    with pytest.raises(MemoryError, match=r"20000 × 20000 pixels would need \d+\.\d GiB"):
        square(20_000).check_memory()


def test_marker_beyond_the_bound_is_refused():
    fig, _ = red_layer([(0.5, 0.5)] * 2, s=1e9)
    with pytest.raises(MemoryError, match=r"markers of \d+ pixels are too large"):
        pixels(fig)


LEVELS = np.zeros(3, np.uint8)


@pytest.mark.parametrize(
    ("style", "message"),
    [
        ({"levels": np.zeros(3)}, r"levels must be a uint8 or uint16 .* got float64"),
        ({"levels": np.zeros((3, 1), np.uint8)}, r"of shape \(3, 1\)"),
        ({"levels": LEVELS + 1}, r"levels go up to 1, but table has 1 rows"),
        ({"table": RED / 255}, r"table must be .* uint8 of shape \(1, 4\).* got float64"),
        ({"table": RED[:, :3]}, r"table must be .* got uint8 of shape \(1, 3\)"),
        ({"missing": np.ones(3)}, r"missing must be .* bool of shape \(3,\).* got float64"),
        ({"missing": np.ones(2, bool)}, r"got bool of shape \(2,\)"),
        ({"sort_key": np.arange(4)}, r"sort_key must be an array shape \(3,\) .* shape \(4,\)"),
        ({"offsets": np.zeros((3, 3))}, r"offsets must be .* shape \(3, 2\)"),
    ],
)
def test_styles_are_checked(style, message):
    with pytest.raises(ValueError, match=message):
        FrameStyle(**{"levels": LEVELS, "table": RED, **style})


def test_style_of_another_number_of_cells():
    fig, ax = red_layer([(0.5, 0.5)] * 4)
    show(ax.artists[0], FrameStyle(LEVELS, RED))
    with pytest.raises(ValueError, match=r"one entry a cell \(4\), got 3"):
        pixels(fig)


def test_sort_key_of_another_length_or_kind():
    _, ax = canvas()
    scatter = ax.scatter([0, 1], [0, 1])
    with pytest.raises(ValueError, match=r"one key a cell, shape \(2,\), got \(3,\)"):
        PointLayer(scatter, sort_key=np.arange(3))
    with pytest.raises(IndexError, match=r"on_top holds positions .* among the 2 cells"):
        PointLayer(scatter, on_top=[0, 2])
    with pytest.raises(IndexError, match=r"on_top holds positions"):
        PointLayer(scatter, on_top=[-1])
    with pytest.raises(TypeError, match=r"dtype object have no order"):
        PointLayer(scatter, sort_key=np.array(["a", None], dtype=object))


def test_hatches_and_path_effects_are_refused():
    _, ax = canvas()
    with pytest.raises(ValueError, match=r"hatch='//' cannot be drawn here"):
        PointLayer(ax.scatter([0, 1], [0, 1], hatch="//"))
    with pytest.raises(ValueError, match=r"path_effects=.* cannot be drawn here"):
        PointLayer(ax.scatter([0, 1], [0, 1], path_effects=[Stroke(linewidth=3)]))
