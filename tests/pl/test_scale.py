"""Values to colours, against matplotlib's own norms and SciPy's ranks."""

from __future__ import annotations

import itertools

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import LogNorm, Normalize, TwoSlopeNorm
from scipy.stats import rankdata

import scanpy_anim as sca

ROUNDED = 0.51 / 255  # colours are bytes


@pytest.fixture
def values():
    rng = np.random.default_rng(0)
    values = rng.lognormal(size=(700, 3)) * [1, 10, 0.1]
    values[:50] = 0
    values[5, 1] = np.nan
    return values


def colours(film, i):
    """RGBA that frame `i` gives each cell."""
    (points,) = [a for a in film.photos[i] if hasattr(a, "get_look")]
    look = points.get_look()
    return look.table[look.levels] / 255


def expected(values, norm, cmap="viridis", na="lightgray"):
    cmap = mpl.colormaps[cmap].with_extremes(bad=na)
    return cmap(norm(np.ma.masked_invalid(values)))


@pytest.mark.parametrize(
    ("arguments", "norm"),
    [
        ({}, lambda v: Normalize(np.nanmin(v), np.nanmax(v))),
        ({"vmin": 1, "vmax": 2}, lambda v: Normalize(1, 2)),
        ({"vmax": "p90"}, lambda v: Normalize(np.nanmin(v), np.nanpercentile(v, 90))),
        ({"vmax": lambda v: v.mean()}, lambda v: Normalize(np.nanmin(v), np.nanmean(v))),
        ({"vcenter": 2.0}, lambda v: TwoSlopeNorm(2, np.nanmin(v), np.nanmax(v))),
        ({"norm": Normalize(vmax=5)}, lambda v: Normalize(np.nanmin(v), 5)),
    ],
    ids=["film", "numbers", "percentile", "function", "vcenter", "norm"],
)
def test_limits_are_those_of_the_whole_film(pbmc, values, arguments, norm):
    film = sca.pl.animate_embedding(pbmc, color=values, scale="linear", **arguments)
    for i in range(3):
        wanted = expected(values[:, i], norm(values))
        np.testing.assert_allclose(colours(film, i), wanted, atol=ROUNDED)


def test_a_norm_of_the_callers_is_not_changed(pbmc, values):
    norm = Normalize()
    sca.pl.animate_embedding(pbmc, color=values, scale="linear", norm=norm)
    assert norm.vmin is None
    assert norm.vmax is None


def test_log(pbmc, values):
    film = sca.pl.animate_embedding(pbmc, color=values, scale="log")
    norm = LogNorm(values[values > 0].min(), np.nanmax(values))
    for i in range(3):
        positive = np.where(values[:, i] > 0, values[:, i], np.nan)
        np.testing.assert_allclose(colours(film, i), expected(positive, norm), atol=ROUNDED)


def test_limits_of_each_frame(pbmc, values):
    film = sca.pl.animate_embedding(pbmc, color=values, scale="linear", per_frame=True)
    for i in range(3):
        norm = Normalize(np.nanmin(values[:, i]), np.nanmax(values[:, i]))
        np.testing.assert_allclose(colours(film, i), expected(values[:, i], norm), atol=ROUNDED)


def test_a_function_of_the_values(pbmc, values):
    film = sca.pl.animate_embedding(pbmc, color=values, scale=np.sqrt)
    root = np.sqrt(values)
    norm = Normalize(np.nanmin(root), np.nanmax(root))
    np.testing.assert_allclose(colours(film, 2), expected(root[:, 2], norm), atol=ROUNDED)


@pytest.mark.parametrize("limits", [{}, {"vmin": 0.2, "vmax": 0.9}])
def test_rank(pbmc, values, limits):
    film = sca.pl.animate_embedding(pbmc, color=values, **limits)
    for i in range(3):
        ranks = rankdata(values[:, i], nan_policy="omit")
        scaled = (ranks - np.nanmin(ranks)) / (np.nanmax(ranks) - np.nanmin(ranks))
        norm = Normalize(limits.get("vmin", 0), limits.get("vmax", 1))
        np.testing.assert_allclose(colours(film, i), expected(scaled, norm), atol=ROUNDED)


def test_tweens_interpolate_values_before_ranking(pbmc, values):
    film = sca.pl.animate_embedding(pbmc, color=values, tween=1)
    between = (values[:, 0] + values[:, 1]) / 2
    ranks = rankdata(between, nan_policy="omit")
    scaled = (ranks - np.nanmin(ranks)) / (np.nanmax(ranks) - np.nanmin(ranks))
    wanted = expected(scaled, Normalize(0, 1))
    differ = np.abs(colours(film, 1) - wanted).max(axis=1) > 0.02  # rounding may swap neighbours
    assert differ.mean() < 0.01


def test_tweened_categories_cross_fade(pbmc):
    codes = np.array([["red", "blue"]] * 700, dtype=object)
    film = sca.pl.animate_embedding(
        pbmc, color=list(codes.T), tween=1, palette={"red": "#ff0000", "blue": "#0000ff"}
    )
    np.testing.assert_allclose(colours(film, 1), [[128 / 255, 0, 128 / 255, 1]] * 700, atol=0.005)


def test_pace_of_change_moves_on_evenly(propagated):
    """Values that are interpolated change by the same amount in every step."""

    def steps(pace):
        film = sca.pl.animate_embedding(propagated, scale="linear", tween=4, pace=pace)
        levels = []
        for photo in film.photos:
            (points,) = [a for a in photo if hasattr(a, "get_look")]
            levels.append(points.get_look().levels.astype(float))
        return np.array([np.abs(a - b).mean() for a, b in itertools.pairwise(levels)])

    even, paced = steps("even"), steps("change")
    assert len(even) == len(paced)
    assert paced.max() / paced.mean() < 0.5 * even.max() / even.mean()


def test_the_progress_line_grows(propagated):
    film = sca.pl.animate_embedding(propagated, progress_line=True)
    lengths = [film.still(i).axes[0].lines[-1].get_xdata()[1] for i in (0, 3, 7)]
    assert lengths == pytest.approx([0, 3 / 7, 1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": "log", "norm": Normalize()}, "brings its own norm"),
        ({"scale": lambda v: v[:3]}, r"the function gave shape \(3,\)"),
        ({"scale": "linear", "vmin": "p101"}, "vmin='p101'"),
    ],
)
def test_bad_scales(pbmc, values, arguments, message):
    with pytest.raises(ValueError, match=message):
        sca.pl.animate_embedding(pbmc, color=values, **arguments)
