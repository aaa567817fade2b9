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

from scanpy_anim.raster import Look, color_bytes, needs_compiling, rank_levels
from scanpy_anim.raster._blending import STEP, pack_colors
from scanpy_anim.raster._phases import snaps
from scanpy_anim.raster._sorting import stable_order
from scanpy_anim.raster._threads import limit_threads, spread

from .scatters import canvas, pixels, take_over


def agg_blend(p, c, alpha):
    """The blend of Agg's plain RGBA format on an opaque canvas, in integers."""
    return (((c << 8) - p * 255) * alpha + (p * 255 << 8)) // (((alpha + 255) << 8) - alpha * 255)


def test_steps_are_aggs_integer_blend():
    """For every pair of bytes and every opacity, on an opaque canvas."""
    under, over = np.meshgrid(np.arange(256), np.arange(256))
    for alpha in range(255):
        step = int(STEP[alpha])
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
        look = Look(np.arange(300, dtype=np.uint16), color_bytes(rgba))
        artist.set_look(look)
        np.testing.assert_array_equal(pixels(fig), theirs)
        artist.set_look(Look(look.levels, look.table, order=np.arange(300)))
        np.testing.assert_array_equal(pixels(fig), theirs)


def test_packed_colours():
    (color,) = pack_colors(np.array([[1, 2, 3, 4]], np.uint8))
    assert int(color) == 1 | 2 << 8 | 3 << 32 | 4 << 48


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
    np.testing.assert_array_equal(stable_order(values), expected)


def test_stable_order_of_extremes():
    ends = np.array([2**63 - 1, -(2**63), 0, -1], np.int64)
    np.testing.assert_array_equal(stable_order(ends), [1, 3, 2, 0])
    floats = np.array([np.inf, -np.inf, np.nan, 5e-324, -5e-324, 0.0, -0.0, 1e308])
    np.testing.assert_array_equal(stable_order(floats), [2, 1, 4, 5, 6, 3, 7, 0])


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
    with ThreadPoolExecutor(8) as pool:
        for levels in pool.map(rank_levels, [values] * 32):
            np.testing.assert_array_equal(levels, expected)


def test_figures_drawn_from_many_threads_at_once(embedding):
    def draw(seed):
        fig, ax = canvas((2, 2), 60)
        scatter = ax.scatter(*embedding.T, c=embedding[:, seed % 2], s=5, edgecolor="none")
        take_over(ax, scatter)
        return pixels(fig).tobytes()

    alone = [draw(seed) for seed in (0, 1)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(draw, range(8))) == alone * 4


def test_spread_keeps_the_order_of_its_parts():
    with limit_threads(2):
        assert spread(lambda k: k * k, range(100)) == [k * k for k in range(100)]
    with pytest.raises(ZeroDivisionError):
        spread(lambda k: 1 / k, [1, 0, 2])


def test_nothing_heavy_is_imported_before_it_is_used():
    code = (
        "import sys, scanpy_anim; before = set(sys.modules); import scanpy_anim.raster\n"
        "new = {m.split('.')[0] for m in set(sys.modules) - before}\n"
        "print(sorted(new & {'numba', 'matplotlib', 'scanpy'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


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
    artist.set_look(replace(artist.get_look(), order=embedding[:, 0]))
    pixels(fig)
    assert not needs_compiling()
