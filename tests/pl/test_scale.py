"""Values to colors, against matplotlib's own norms and SciPy's ranks."""

from __future__ import annotations

import itertools

import matplotlib as mpl
import numpy as np
import pytest
import scanpy as sc
from matplotlib.colors import LogNorm, Normalize, TwoSlopeNorm
from scipy.stats import rankdata

import scanpy_anim as sca
from scanpy_anim.raster import PointsArtist

from .pictures import drawn_by_matplotlib

ROUNDED = 0.51 / 255  # colors are bytes


@pytest.fixture
def values():
    rng = np.random.default_rng(0)
    values = rng.lognormal(size=(700, 3)) * [1, 10, 0.1]
    values[:50] = 0
    values[5, 1] = np.nan
    return values


def film_points(photo):
    """The artist of the cells in one frame."""
    (points,) = [a for a in photo if isinstance(a, PointsArtist)]
    return points


def colors(film, i):
    """RGBA that frame `i` gives each cell."""
    look = film_points(film.photos[i]).get_style()
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
        np.testing.assert_allclose(colors(film, i), wanted, atol=ROUNDED)


def test_each_panel_has_its_own_limits(propagated):
    film = sca.pl.animate_embedding(
        propagated,
        color="types",
        classes=["Dendritic", "CD34+"],
        scale="linear",
        vmax=[0.5, "p90"],
        vmin=[0],
    )
    names = list(propagated.uns["types"]["classes"])
    scores = propagated.obsm["types"][:, :, names.index("CD34+")]
    clouds = [panel.cloud.norm for panel in film.clips[0].stage.panels]
    assert [norm.vmin for norm in clouds] == [0, 0]
    assert [norm.vmax for norm in clouds] == pytest.approx([0.5, np.percentile(scores, 90)])


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
        np.testing.assert_allclose(colors(film, i), expected(positive, norm), atol=ROUNDED)


def test_limits_of_each_frame(pbmc, values):
    film = sca.pl.animate_embedding(pbmc, color=values, scale="linear", per_frame=True)
    for i in range(3):
        norm = Normalize(np.nanmin(values[:, i]), np.nanmax(values[:, i]))
        np.testing.assert_allclose(colors(film, i), expected(values[:, i], norm), atol=ROUNDED)


def test_a_function_of_the_values(pbmc, values):
    film = sca.pl.animate_embedding(pbmc, color=values, scale=np.sqrt)
    root = np.sqrt(values)
    norm = Normalize(np.nanmin(root), np.nanmax(root))
    np.testing.assert_allclose(colors(film, 2), expected(root[:, 2], norm), atol=ROUNDED)


def test_rank(pbmc, values):
    film = sca.pl.animate_embedding(pbmc, color=values, scale="rank")
    for i in range(3):
        ranks = rankdata(values[:, i], nan_policy="omit")
        scaled = (ranks - np.nanmin(ranks)) / (np.nanmax(ranks) - np.nanmin(ranks))
        np.testing.assert_allclose(colors(film, i), expected(scaled, Normalize(0, 1)), atol=ROUNDED)


def test_tweens_interpolate_values_before_ranking(pbmc, values):
    film = sca.pl.animate_embedding(pbmc, color=values, scale="rank", tween=1)
    between = (values[:, 0] + values[:, 1]) / 2
    ranks = rankdata(between, nan_policy="omit")
    scaled = (ranks - np.nanmin(ranks)) / (np.nanmax(ranks) - np.nanmin(ranks))
    wanted = expected(scaled, Normalize(0, 1))
    differ = np.abs(colors(film, 1) - wanted).max(axis=1) > 0.02  # rounding may swap neighbours
    assert differ.mean() < 0.01


def test_tweened_categories_cross_fade(pbmc):
    codes = np.array([["red", "blue"]] * 700, dtype=object)
    film = sca.pl.animate_embedding(
        pbmc, color=list(codes.T), tween=1, palette={"red": "#ff0000", "blue": "#0000ff"}
    )
    np.testing.assert_allclose(colors(film, 1), [[128 / 255, 0, 128 / 255, 1]] * 700, atol=0.005)


@pytest.mark.parametrize(
    ("arguments", "burst"),
    [
        ({}, 5),
        ({"scale": "linear"}, 3),
        ({"scale": "log"}, 2),
        ({"color": "types"}, 1.9),
        ({"sort_order": "frame"}, 5),
        ({"color": ["label_propagation", "types"]}, 2.5),
    ],
    ids=str,
)
def test_pace_of_change_neither_bursts_nor_stalls(propagated, arguments, burst):
    """Pixels that change from frame to frame: the most of them against the mean of the film."""

    def steps(pace):
        film = sca.pl.animate_embedding(
            propagated, tween=3, pace=pace, frame_title=None, mark_seeds=False, **arguments
        )
        frames = [frame.astype(int) for frame in film.frames(dpi=60)]
        return np.array([np.abs(a - b).mean() for a, b in itertools.pairwise(frames)])

    even, paced = steps("even"), steps("change")
    assert len(even) == len(paced)
    assert even.max() > burst * even.mean()
    assert paced.max() < 2.1 * paced.mean()
    assert paced.min() > 0.4 * paced.mean()


def test_pace_of_change_follows_cells_that_move(pbmc):
    """A layout that comes to rest: it moves as far in every step of the film."""
    stops = [pbmc.obsm["X_umap"] * scale for scale in (1, 2, 2.2, 2.21)]
    pbmc.obsm["X_layout"] = np.stack(stops, axis=2)
    film = sca.pl.animate_embedding(pbmc, "layout", color="louvain", tween=3, pace="change")
    at = [film_points(photo).get_style().offsets for photo in film.photos]
    steps = [np.linalg.norm(b - a, axis=1).mean() for a, b in itertools.pairwise(at)]
    np.testing.assert_allclose(steps, np.mean(steps), rtol=1e-3)


@pytest.mark.parametrize("scale", ["rank", "linear", "log"])
def test_cells_without_value_in_one_frame_fade(pbmc, scale):
    """Halfway between a value and none a cell is halfway to the color of missing."""
    values = np.tile(np.linspace(1, 2, 700)[:, None], 2)
    values[:10, 1] = values[-10:, 0] = np.nan
    film = sca.pl.animate_embedding(pbmc, color=values, scale=scale, tween=1, na_color="red")
    start, between, end = (colors(film, i) for i in range(3))
    missing = np.array([1.0, 0, 0, 1])
    np.testing.assert_allclose(end[:10], [missing] * 10)
    np.testing.assert_allclose(start[-10:], [missing] * 10)
    apart = {"rank": 0.02}.get(scale, 0.005)  # ranks shift as others come and go
    np.testing.assert_allclose(between[:10], (start[:10] + missing) / 2, atol=apart)
    np.testing.assert_allclose(between[-10:], (end[-10:] + missing) / 2, atol=apart)


def test_confidence_is_how_much_of_its_color_a_cell_has(propagated):
    """Paler towards the background as far as the label is unclear; seeds at full."""
    film = sca.pl.animate_embedding(propagated, color="types", na_color="black", pace="even")
    scores = propagated.obsm["types"].astype(float)
    seeds = propagated.uns["types"]["seeds"]
    palette = np.array([mpl.colors.to_rgba(c) for c in propagated.uns["types_colors"]])
    total = scores.sum(axis=2, keepdims=True)
    shares = np.divide(scores, total, out=np.zeros_like(scores), where=total > 0).max(axis=2)
    free = np.setdiff1d(np.arange(700), seeds["positions"])
    clear = min(np.quantile(shares[free, -1], 0.2), 0.5)
    strength = 0.35 + 0.65 * np.clip((shares - 0.1) / (clear - 0.1), 0, 1)  # of ten classes
    strength[seeds["positions"]] = 1
    assert (strength[:, -1] == 1).mean() >= 0.8
    assert strength[:, -1].min() < 0.8
    for i in (0, 2, len(film) - 1):
        own = palette[scores[:, i].argmax(axis=1)]
        own[seeds["positions"]] = palette[seeds["classes"]]
        wanted = 1 + (own - 1) * strength[:, i, None]
        wanted[scores[:, i].max(axis=1) == 0] = 0, 0, 0, 1
        np.testing.assert_allclose(colors(film, i), wanted, atol=0.5 / 63 + 0.005)


def test_labels_at_full_strength(propagated):
    film = sca.pl.animate_embedding(propagated, color="types", confidence=False)
    palette = np.array([mpl.colors.to_rgba(c) for c in propagated.uns["types_colors"]])
    labels = propagated.obs["types"].cat.codes
    np.testing.assert_allclose(colors(film, len(film) - 1), palette[labels], atol=ROUNDED)
    with pytest.raises(TypeError, match="confidence='no' must be True or False"):
        sca.pl.animate_embedding(propagated, color="types", confidence="no")


@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.parametrize("na_color", ["lightgray", "#404040", "pink"])
def test_no_paled_label_looks_missing(propagated, style, na_color):
    with mpl.style.context(style):
        film = sca.pl.animate_embedding(
            propagated, color="types", na_color=na_color, mark_seeds=False
        )
    own = np.array([mpl.colors.to_rgb(c) for c in propagated.uns["types_colors"]])
    missing = np.array(mpl.colors.to_rgb(na_color))
    known = propagated.obsm["types"].max(axis=2) > 0
    labels = propagated.obsm["types"].argmax(axis=2)
    for i, moment in enumerate(film.timeline.moments):
        if moment.weight == 0:
            shown = known[:, moment.first]
            apart = np.linalg.norm(colors(film, i)[shown, :3] - missing, axis=1)
            at_best = np.linalg.norm(own[labels[shown, moment.first]] - missing, axis=1)
            assert (apart >= np.minimum(at_best, 39 / 255) - 0.01).all()


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_the_last_frame_is_as_vivid_as_a_still_of_the_labels(propagated, style):
    with mpl.style.context(style):
        film = sca.pl.animate_embedding(
            propagated, color="types", mark_seeds=False, frame_title=None
        )
        still = drawn_by_matplotlib(
            sc.pl.umap(propagated, color="types", show=False, title=" ").figure
        )
    frame = list(film.frames())[-1]
    vivid = [
        (img.max(axis=-1) - img.min(axis=-1).astype(int)).sum()
        for img in (frame[:480, :580], still[:480, :580])
    ]
    assert vivid[0] > 0.95 * vivid[1]


def test_tweened_labels_pass_from_one_confidence_to_the_next(propagated):
    film = sca.pl.animate_embedding(propagated, color="types", tween=3)
    labels = propagated.obsm["types"].argmax(axis=2)
    reached = propagated.obsm["types"].max(axis=2) > 0
    first, second = film.timeline.moments[8].first, film.timeline.moments[12].first
    same = (labels[:, first] == labels[:, second]) | ~reached[:, first]
    assert same.sum() > 300
    assert (reached[:, second] & ~reached[:, first]).any()
    start, end = colors(film, 8), colors(film, 12)
    for i, weight in ((9, 0.25), (10, 0.5), (11, 0.75)):
        wanted = start + (end - start) * weight
        np.testing.assert_allclose(colors(film, i)[same], wanted[same], atol=0.02)


def test_the_progress_line_grows(propagated):
    film = sca.pl.animate_embedding(propagated, progress_line=True)
    lengths = [film.still(i).axes[0].lines[-1].get_xdata()[1] for i in (0, 3, 7)]
    assert lengths == pytest.approx([0, 3 / 7, 1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": "log", "norm": Normalize()}, "brings its own norm"),
        ({"scale": "log", "vmin": 0}, "vmin=0: scale='log' starts above 0"),
        ({"scale": "rank", "vmax": 3}, "vmax=3, scale='rank': limits are values"),
        ({"scale": "rank", "norm": Normalize()}, "scale='rank': limits are values"),
        ({"vmin": 3, "vmax": 1}, "vmin is above vmax"),
        ({"vmin": 3, "vcenter": 1}, "vmin is above vcenter"),
        ({"vmax": "99"}, "vmax='99': a number, a percentile"),
        ({"vmax": np.nan}, "vmax=nan: a number"),
        ({"vmax": lambda v: v}, "the function gave"),
        ({"vmax": "p9", "norm": Normalize()}, "the norm has limits of its own"),
        ({"scale": "ranks"}, "scale='ranks': 'auto'"),
        ({"scale": lambda v: v[:3]}, r"the function gave shape \(3,\)"),
        ({"scale": "linear", "vmin": "p101"}, "vmin='p101'"),
        ({"scale": "linear", "vmin": [0, 1]}, "has 2 entries; there is one panel"),
    ],
)
def test_bad_scales(pbmc, values, arguments, message):
    with pytest.raises(ValueError, match=message):
        sca.pl.animate_embedding(pbmc, color=values, **arguments)
