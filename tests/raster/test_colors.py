"""Levels and tables against matplotlib's own color maps and scipy's ranks."""

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib.colors import (
    BoundaryNorm,
    CenteredNorm,
    ListedColormap,
    LogNorm,
    Normalize,
    PowerNorm,
    SymLogNorm,
    TwoSlopeNorm,
)
from scipy.stats import rankdata

from scanpy_anim.raster import color_bytes, color_table, rank_levels, value_levels


def rows_cmap(n):
    """A color map whose red and green parts say which row a color came from."""
    colors = [(i % 256 / 255, i // 256 / 255, 0.0) for i in range(n + 3)]
    under, over, bad = colors[n:]
    return ListedColormap(colors[:n]).with_extremes(under=under, over=over, bad=bad)


def matplotlib_rows(normed, n=256):
    rgba = np.rint(np.asarray(rows_cmap(n)(normed)) * 255).astype(int)
    return rgba[:, 0] + 256 * rgba[:, 1]


floats = st.floats(-3, 3, width=32) | st.sampled_from([0.0, -0.0, 1.0, 0.5, 1e-30, -1e30])


@settings(max_examples=150, deadline=None)
@given(
    values=hnp.arrays(
        st.sampled_from([np.float32, np.float64]),
        st.integers(1, 60),
        elements=st.floats(-3, 3, width=32) | st.sampled_from([0.0, -0.0, 0.5, 1.0]),
    ),
    n=st.sampled_from([2, 7, 256]),
)
def test_rank_levels_are_those_of_rankdata(values, n):
    expected = matplotlib_rows(Normalize()(rankdata(values)), n)
    np.testing.assert_array_equal(rank_levels(values, n), expected)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.uint8, bool])
def test_rank_levels_of_many_values(dtype):
    rng = np.random.default_rng(0)
    values = (rng.standard_t(2, size=50_000) * 30).astype(dtype)
    ranks = rankdata(values.astype(np.float64))  # half floats have half ranks in some scipys
    np.testing.assert_array_equal(rank_levels(values), matplotlib_rows(Normalize()(ranks)))


def test_rank_levels_tell_close_float64_apart():
    values = 1 + np.arange(512) * np.finfo(float).eps
    np.testing.assert_array_equal(rank_levels(values), np.arange(512) // 2)


def test_rank_levels_leave_nan_out_and_rank_infinities():
    values = np.array([np.nan, 3.0, np.inf, -np.inf, np.nan, 3.0])
    expected = matplotlib_rows(Normalize()(rankdata([3.0, np.inf, -np.inf, 3.0])))
    np.testing.assert_array_equal(rank_levels(values)[[1, 2, 3, 5]], expected)
    assert list(rank_levels(values)[[0, 4]]) == [258, 258]


def test_rank_levels_of_nothing_and_of_constants():
    assert rank_levels(np.empty(0)).size == 0
    assert list(rank_levels([np.nan])) == [258]
    assert list(rank_levels([4.0, 4.0, 4.0])) == [0, 0, 0]
    masked = np.ma.array([1, 2, 3], mask=[False, True, False])
    assert list(rank_levels(masked)) == [0, 258, 255]


NORMS = [
    Normalize(-1, 1),
    Normalize(-1, 1, clip=True),
    Normalize(0.5, 0.5),
    Normalize(),
    TwoSlopeNorm(0.25, -2, 1),
    CenteredNorm(0.1, 1.5),
    LogNorm(0.01, 2),
    SymLogNorm(0.1, vmin=-2, vmax=2),
    PowerNorm(0.5, 0, 2),
    BoundaryNorm([-1, 0, 0.5, 2], 256),
    BoundaryNorm([-1, 0, 0.5, 2], 256, extend="both"),
]


@pytest.mark.parametrize("norm", NORMS, ids=lambda norm: type(norm).__name__)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32, np.int8])
def test_value_levels_are_matplotlibs_rows(norm, dtype):
    rng = np.random.default_rng(1)
    values = (rng.normal(size=70_000) * 2).astype(dtype)
    if values.dtype.kind == "f":
        values[:5] = [np.nan, np.inf, -np.inf, 1.0, -1.0]
        with np.errstate(invalid="ignore"):
            expected = matplotlib_rows(norm(values))
            found = value_levels(values, norm)
    else:
        expected, found = matplotlib_rows(norm(values)), value_levels(values, norm)
    np.testing.assert_array_equal(found, expected)


def test_value_levels_of_masked_values():
    values = np.ma.array([0.0, 1.0, 2.0], mask=[False, True, False])
    assert list(value_levels(values, Normalize(0, 2), 4)) == [0, 6, 3]


@pytest.mark.parametrize("name", ["viridis", "RdBu_r", "tab20", "coolwarm"])
def test_color_table_holds_the_bytes_agg_draws(name):
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.path import Path
    from matplotlib.transforms import IdentityTransform

    cmap = mpl.colormaps[name].with_extremes(under="r", over=(0, 1, 0.3, 0.6), bad=(0, 0, 0, 0))
    table = color_table(cmap)
    assert table.shape == (cmap.N + 3, 4)
    rgba = [*cmap(np.arange(cmap.N)), cmap.get_under(), cmap.get_over(), cmap.get_bad()]
    for row, color in enumerate(rgba):
        renderer = RendererAgg(1, 1, 72)
        gc = renderer.new_gc()
        gc.set_linewidth(0)
        square = Path([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)])
        renderer.draw_path(gc, square, IdentityTransform(), tuple(color))
        drawn = np.asarray(renderer.buffer_rgba())[0, 0]
        assert tuple(drawn) == (tuple(table[row]) if table[row, 3] else (255, 255, 255, 0))


def test_color_bytes_of_a_palette():
    assert color_bytes([(1, 0, 0.5, 1)]).tolist() == [[255, 0, 128, 255]]
