"""Kernels against the same formulas written plainly."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from scipy.stats import rankdata

from scanpy_anim._threads import limit_threads, spread
from scanpy_anim.raster import (
    FrameStyle,
    Overlay,
    color_bytes,
    needs_compiling,
    rank_levels,
    restore,
    to_rgb,
)
from scanpy_anim.raster._blending import _STEP, pack_colors
from scanpy_anim.raster._footprints import snaps
from scanpy_anim.raster._sorting import sort_few, stable_order

from .scatters import canvas, mean_and_outliers, pixels, show, take_over


def agg_blend(p, c, alpha):
    """The blend of Agg's plain RGBA format on an opaque canvas, in integers."""
    return (((c << 8) - p * 255) * alpha + (p * 255 << 8)) // (((alpha + 255) << 8) - alpha * 255)


def test_steps_are_aggs_integer_blend():
    """For every pair of bytes and every opacity, on an opaque canvas."""
    under, over = np.meshgrid(np.arange(256), np.arange(256))
    for alpha in range(255):
        step = int(_STEP[alpha])
        ours = (under * ((1 << 24) - step) + over * step + 64) >> 24
        np.testing.assert_array_equal(ours, agg_blend(under, over, alpha))


def test_blends_are_aggs_on_clear_canvases_too():
    """One cell over another, all opacities, against what Agg draws: no rounding of its own."""
    rng = np.random.default_rng(0)
    for facecolor in ("white", (0.2, 0.7, 0.4, 0.3), (0, 0, 0, 0)):
        rgba = rng.random((300, 4))
        fig, ax = canvas((1, 1), 50, facecolor=facecolor)
        ax.axis("off")
        at = rng.uniform(0, 1, size=(300, 2))
        scatter = ax.scatter(*at.T, color=rgba, s=30, marker="s", edgecolor="none")
        theirs = pixels(fig)
        scatter.set_array(np.zeros(300))
        artist = take_over(ax, scatter, values=np.zeros(300))
        style = FrameStyle(np.arange(300, dtype=np.uint16), color_bytes(rgba))
        show(artist, style)
        np.testing.assert_array_equal(pixels(fig), theirs)
        show(artist, FrameStyle(style.levels, style.table, sort_key=np.arange(300)))
        np.testing.assert_array_equal(pixels(fig), theirs)


def test_packed_colors():
    (color,) = pack_colors(np.array([[1, 2, 3, 4]], np.uint8))
    assert int(color) == 1 | 2 << 8 | 3 << 32 | 4 << 48


def both_orders(values, **how):
    """As few values are sorted, and as many are."""
    few = stable_order(values, **how)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanpy_anim.raster._sorting._FEW", 0)
        many = stable_order(values, **how)
    assert few.dtype == many.dtype == np.uint32
    np.testing.assert_array_equal(few, many)
    return many


@settings(max_examples=100, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.float64, np.float32, np.int64, np.uint16, np.int8, np.bool_]),
        st.integers(0, 50),
    )
)
def test_stable_order_is_that_of_argsort(values):
    expected = np.argsort(values, kind="stable")
    if values.dtype.kind == "f":
        missing = np.isnan(values[expected])
        expected = np.concatenate([expected[missing], expected[~missing]])
    np.testing.assert_array_equal(both_orders(values), expected)


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.float64, st.integers(0, 30), elements=st.sampled_from([0.0, 1.0, -2.0])))
def test_stable_order_with_the_last_of_equals_first(values):
    expected = np.argsort(-values, kind="stable")[::-1]
    np.testing.assert_array_equal(both_orders(values, last_first=True), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_stable_order_of_many_values(dtype):
    """So many that each thread counts and moves a part of its own."""
    values = (np.random.default_rng(0).standard_t(2, size=300_000) * 1000).astype(dtype)
    for threads in (1, 3):
        with limit_threads(threads):
            order = stable_order(values)
        np.testing.assert_array_equal(order, np.argsort(values, kind="stable"))


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.uint64, st.integers(0, 30)))
def test_few_keys_are_sorted_as_by_argsort(keys):
    np.testing.assert_array_equal(sort_few(keys.copy()), np.argsort(keys, kind="stable"))


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (700, 1201)])
def test_canvas_without_its_alpha(shape):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 4)).astype(np.uint8)
    rgb = to_rgb(pixels)
    assert rgb.flags.c_contiguous
    np.testing.assert_array_equal(rgb, pixels[..., :3])
    np.testing.assert_array_equal(to_rgb(pixels[:, ::-1]), pixels[:, ::-1, :3])
    other = np.zeros_like(pixels)
    restore(other, pixels)
    np.testing.assert_array_equal(other, pixels)
    for page in (pixels.copy(), pixels.copy()[:, ::-1]):
        before, after = page.copy(), 255 - pixels
        np.testing.assert_array_equal(to_rgb(page, after), before[..., :3])
        np.testing.assert_array_equal(page, after)


@pytest.mark.parametrize("opaque", [False, True])
def test_overlay_is_porter_and_duffs_over(opaque):
    rng = np.random.default_rng(0)
    layer, below = rng.integers(0, 256, (2, 30, 40, 4)).astype(np.uint8)
    if opaque:
        below[..., 3] = 255
    where = rng.random((30, 40)) < 0.5
    ours = below.copy()
    Overlay(layer, where).over(ours, opaque=opaque)
    over, under = (image.astype(float) / 255 for image in (layer, below))
    alpha = over[..., 3:] + under[..., 3:] * (1 - over[..., 3:])
    color = over[..., :3] * over[..., 3:] + under[..., :3] * under[..., 3:] * (1 - over[..., 3:])
    expected = np.concatenate([color / np.maximum(alpha, 1e-9), alpha], axis=-1) * 255
    np.testing.assert_array_equal(ours[~where], below[~where])
    np.testing.assert_allclose(ours[where], expected[where], atol=0.5001)


def test_stable_order_of_extremes():
    ends = np.array([2**63 - 1, -(2**63), 0, -1], np.int64)
    np.testing.assert_array_equal(both_orders(ends), [1, 3, 2, 0])
    floats = np.array([np.inf, -np.inf, np.nan, 5e-324, -5e-324, 0.0, -0.0, 1e308])
    np.testing.assert_array_equal(both_orders(floats), [2, 1, 4, 5, 6, 3, 7, 0])


@pytest.mark.parametrize(
    ("path", "snap", "expected"),
    [
        (Path([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], closed=True), None, True),
        (Path([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], closed=True), False, False),
        (Path([(0, 0), (1, 0.2), (1, 1)]), None, False),
        (Path([(0, 0), (1, 0.2), (1, 1)]), True, True),
        (Path.unit_circle(), None, False),
        (Path([(-1, 0), (1, 0), (0, -1), (0, 1)], [1, 2, 1, 2]), None, True),
        (Path(np.zeros((0, 2))), None, False),
    ],
)
def test_which_outlines_snap(path, snap, expected):
    assert snaps(path.transformed(Affine2D().scale(7.3)), snap) is expected


def test_rank_levels_from_many_threads_at_once():
    values = np.random.default_rng(0).normal(size=20_000)
    expected = rank_levels(values)
    shares = (rankdata(values) - 1) / (len(values) - 1)
    np.testing.assert_array_equal(expected, np.minimum((shares * 256).astype(int), 255))
    with ThreadPoolExecutor(8) as pool:
        for levels in pool.map(rank_levels, [values] * 32):
            np.testing.assert_array_equal(levels, expected)


def test_figures_drawn_from_many_threads_at_once(embedding):
    def draw(seed, *, ours=True):
        fig, ax = canvas((2, 2), 60)
        scatter = ax.scatter(*embedding.T, c=embedding[:, seed % 2], s=5, edgecolor="none")
        if ours:
            take_over(ax, scatter)
        return pixels(fig)

    alone = [draw(seed) for seed in (0, 1)]
    for seed in (0, 1):
        assert mean_and_outliers(draw(seed, ours=False), alone[seed])[0] <= 0.3
    with ThreadPoolExecutor(4) as pool:
        for seed, picture in enumerate(pool.map(draw, range(8))):
            np.testing.assert_array_equal(picture, alone[seed % 2])


def test_spread_keeps_the_order_of_its_parts():
    with limit_threads(2):
        assert spread(lambda k: k * k, range(100)) == [k * k for k in range(100)]
    with pytest.raises(ZeroDivisionError):
        spread(lambda k: 1 / k, [1, 0, 2])


def test_compiled_kernels_are_found(embedding, tmp_path):
    code = "from scanpy_anim.raster import needs_compiling; print(needs_compiling())"
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env
    )
    assert done.stdout.strip() == "True"
    fig, ax = canvas()
    artist = take_over(ax, ax.scatter(*embedding.T, c=embedding[:, 0]))
    pixels(fig)
    show(artist, replace(artist.get_style(), sort_key=embedding[:, 0]))
    pixels(fig)
    assert not needs_compiling()
