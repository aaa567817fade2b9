"""The film as a whole: what is in every frame, what is left behind, against matplotlib's pixels."""

from __future__ import annotations

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import scanpy as sc
from matplotlib.animation import ArtistAnimation

import scanpy_anim as sca

from .pictures import drawn_by_matplotlib, largest_difference


@pytest.fixture(autouse=True)
def _pyplot_is_left_empty():
    yield
    left = plt.get_fignums()
    plt.close("all")
    assert left == []


def test_it_is_a_matplotlib_animation_of_every_iteration(propagated):
    film = sca.pl.animate_embedding(propagated)
    assert isinstance(film, ArtistAnimation)
    assert isinstance(film, sca.pl.EmbeddingAnimation)
    assert len(film) == propagated.obsm["label_propagation"].shape[1]


def test_frames_are_what_matplotlib_draws(propagated):
    film = sca.pl.animate_embedding(propagated, color="types")
    for i, frame in enumerate(film.frames()):
        reference = drawn_by_matplotlib(film.still(i))
        assert largest_difference(frame, reference).max() <= 2  # 8-bit blending in two steps


def test_the_stage_is_in_every_frame(propagated):
    film = sca.pl.animate_embedding(propagated, color="label_propagation", frame_title=None)
    frames = list(film.frames())
    x0, y0, x1, y1 = film.still(0).axes[0].bbox.extents.round().astype(int)
    outside = np.ones(frames[0].shape[:2], bool)
    outside[len(outside) - y1 - 1 : len(outside) - y0 + 1, x0 - 1 : x1 + 1] = False
    colors = [len(np.unique(f[outside], axis=0)) for f in frames]
    assert min(colors) > 200  # the color bar alone has 256
    for frame in frames[1:]:
        np.testing.assert_array_equal(frame[outside], frames[0][outside])
    assert any((a != b).any() for a, b in itertools.pairwise(frames))


def test_the_adata_is_not_changed(propagated):
    before = propagated.copy()
    obs = propagated.obs
    film = sca.pl.animate_embedding(propagated, color=["louvain", "bulk_labels"])
    next(film.frames(dpi=30))
    assert propagated.obs is obs
    assert list(propagated.uns) == list(before.uns)
    assert set(propagated.obsm) == set(before.obsm)
    for key, value in before.obsm.items():
        np.testing.assert_array_equal(value, propagated.obsm[key])
    assert propagated.obs.equals(before.obs)


def test_autosave_and_autoshow_do_not_fire(propagated, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = []
    monkeypatch.setattr(plt, "show", lambda *a, **k: shown.append(1))
    before = sc.settings.autosave, sc.settings.autoshow
    sc.settings.autosave = sc.settings.autoshow = True
    try:
        next(sca.pl.animate_embedding(propagated).frames(dpi=30))
    finally:
        sc.settings.autosave, sc.settings.autoshow = before
    assert shown == []
    assert list(tmp_path.rglob("*.*")) == []


def test_in_the_callers_own_axes(propagated):
    figure, (left, right) = plt.subplots(1, 2, figsize=(6, 3))
    right.plot([0, 1])
    film = sca.pl.animate_embedding(propagated, ax=left)
    assert plt.get_fignums() == [figure.number]
    first, *_, last = film.frames()
    assert first.shape == (300, 600, 3)
    half = slice(330, None)
    assert (first[:, half] < 200).any()
    np.testing.assert_array_equal(first[:, half], last[:, half])
    assert (first[:, :300] != last[:, :300]).any()
    plt.close(figure)


def test_in_axes_that_pyplot_does_not_know(propagated):
    from matplotlib.figure import Figure

    ax = Figure(figsize=(3, 3)).add_subplot()
    film = sca.pl.animate_embedding(propagated, ax=ax)
    assert next(film.frames()).shape == (300, 300, 3)


def test_the_current_figure_stays_the_current_one(propagated):
    figure = plt.figure()
    plt.figure()
    plt.figure(figure.number)
    sca.pl.animate_embedding(propagated)
    assert plt.gcf() is figure
    plt.close("all")


def test_where_there_are_windows_the_film_waits_for_show(propagated, monkeypatch):
    monkeypatch.setattr(mpl, "get_backend", lambda: "TkAgg")
    film = sca.pl.animate_embedding(propagated)
    assert plt.get_fignums() == [film.figure.number]
    plt.close("all")


def test_still_is_a_figure_of_its_own(propagated):
    film = sca.pl.animate_embedding(propagated)
    first, last = film.still(0), film.still(-1)
    assert first is not last
    frames = list(film.frames())
    assert largest_difference(drawn_by_matplotlib(first), frames[0]).max() <= 2
    assert largest_difference(drawn_by_matplotlib(last), frames[-1]).max() <= 2
    with pytest.raises(IndexError, match="frame 99: the film has 8 frames, 0 to 7"):
        film.still(99)


def test_a_still_may_be_rearranged(propagated):
    """The copy's cells follow its own axes, not those of the film."""
    still = sca.pl.animate_embedding(propagated, frameon=False, colorbar_loc=None).still(0)
    before = drawn_by_matplotlib(still)
    ax = still.axes[0]
    ax.set_position([0, 0, 0.5, 0.5])
    after = drawn_by_matplotlib(still)
    rows, columns = (slice(h, None) for h in (before.shape[0] // 2, before.shape[1] // 2))
    assert (before[:, columns] < 250).any()
    assert (after[:, columns] > 250).all()
    assert (after[rows, : before.shape[1] // 2] < 250).any()


def test_a_figure_drawn_on_its_own_shows_the_first_frame(propagated):
    film = sca.pl.animate_embedding(propagated)
    frame = next(film.frames())
    figure = film.figure
    for _ in range(2):  # the first draw starts matplotlib's animation, which hides all frames
        assert largest_difference(drawn_by_matplotlib(figure), frame).max() <= 2


def test_seeds_are_ringed_above_the_cells(propagated):
    with_rings = next(sca.pl.animate_embedding(propagated).frames())
    without = next(sca.pl.animate_embedding(propagated, mark_seeds=False).frames())
    changed = np.argwhere(largest_difference(with_rings, without) > 0)
    assert 0 < len(changed) < 1500
    film = sca.pl.animate_embedding(propagated)
    figure = film.still(0)
    seeds = figure.axes[0].transData.transform(propagated.obsm["X_umap"][[0, 350]])
    for x, y in seeds:
        near = np.abs(changed - [len(with_rings) - y, x]).max(axis=1) < 12
        assert near.any()


def test_panels_on_one_clock(propagated):
    film = sca.pl.animate_embedding(propagated, color=["label_propagation", "types"])
    frames = list(film.frames())
    assert len(frames) == 8
    assert frames[0].shape[1] > 1.8 * frames[0].shape[0]
    for i in (0, 5):
        assert largest_difference(drawn_by_matplotlib(film.still(i)), frames[i]).max() <= 2


def test_rank_colors_are_those_of_rankdata(propagated):
    from scipy.stats import rankdata

    film = sca.pl.animate_embedding(
        propagated,
        sort_order=False,
        frameon=False,
        colorbar_loc=None,
        mark_seeds=False,
        frame_title=None,
        title="",
        size=300,
    )
    scores = propagated.obsm["label_propagation"][:, 3]
    ax = plt.figure().add_subplot()
    plt.close(ax.figure)
    ax.scatter(
        *propagated.obsm["X_umap"].T, c=rankdata(scores), s=300, marker=".", edgecolor="none"
    )
    ax.axis("off")
    frame = list(film.frames())[3]
    off = largest_difference(frame, drawn_by_matplotlib(ax.figure))
    assert off.mean() <= 0.6
    assert np.mean(off <= 8) >= 0.999


def test_a_single_class_is_named(propagated):
    film = sca.pl.animate_embedding(propagated, color="types", classes="Dendritic")
    assert film.figure.axes[0].get_title() == "Dendritic"
    assert "iteration 0" in [t.get_text() for t in film.figure.axes[0].texts]
    own = sca.pl.animate_embedding(propagated, color="types", classes="Dendritic", title="mine")
    assert own.figure.axes[0].get_title() == "mine"
    several = sca.pl.animate_embedding(
        propagated, "pca", color="types", classes="Dendritic", dimensions=[(0, 1), (2, 3)]
    )
    assert [ax.get_title() for ax in several.figure.axes].count("Dendritic") == 2


def test_color_bars_say_what_no_title_says(propagated):
    def labels(**arguments):
        film = sca.pl.animate_embedding(propagated, color="types", scale="linear", **arguments)
        return [ax.get_ylabel() for ax in film.figure.axes if ax.get_label() == "<colorbar>"]

    assert labels(classes="Dendritic") == [""]
    assert labels(classes="Dendritic", title="mine") == ["Dendritic"]
    assert labels(classes=["Dendritic", "CD34+"]) == ["", ""]


def test_one_frame_needs_no_name_beside_the_title(propagated):
    own = sca.pl.animate_embedding(propagated, color="louvain", title="mine")
    assert [t.get_text() for t in own.still(0).axes[0].texts] == []
    assert own.figure.axes[0].get_title() == "mine"
    plain = sca.pl.animate_embedding(propagated, color="louvain")
    assert plain.figure.axes[0].get_title() == "louvain"


def test_text_keeps_clear_of_a_color_bar_on_top(propagated):
    still = sca.pl.animate_embedding(propagated, colorbar_loc="top").still(3)
    still.canvas.draw()
    (text,) = still.axes[0].texts
    assert not text.get_window_extent().overlaps(still.axes[1].get_tightbbox())


def test_frame_titles_change_the_picture(propagated):
    film = sca.pl.animate_embedding(propagated, frame_title="step {frame} of {n_frames}")
    texts = [film.still(i).axes[0].texts[0].get_text() for i in (0, 7)]
    assert texts == ["step 0 of 8", "step 7 of 8"]
    auto = sca.pl.animate_embedding(propagated)
    assert auto.still(2).axes[0].texts[0].get_text() == "iteration 2"
    assert auto.still(7).axes[0].texts[0].get_text() == "limit"


@pytest.mark.parametrize(
    ("title", "message"),
    [("{iter}", "'frame', 'iteration'"), (["a"], "1 texts; there are 8 frames")],
)
def test_bad_frame_titles(propagated, title, message):
    with pytest.raises(ValueError, match=message):
        sca.pl.animate_embedding(propagated, frame_title=title)


def test_dpi(propagated):
    film = sca.pl.animate_embedding(propagated)
    a, b = next(film.frames(dpi=50)), next(film.frames(dpi=100))
    assert b.shape[0] == 2 * a.shape[0]
    with pytest.raises(ValueError, match=r"dpi=100000 makes frames of"):
        next(film.frames(dpi=100_000))


def test_dark_figures(propagated):
    with mpl.rc_context({"figure.facecolor": "black", "axes.facecolor": "#222222"}):
        film = sca.pl.animate_embedding(propagated, color="types")
    frame = next(film.frames())
    assert tuple(frame[0, 0]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"basis": "umpa"}, KeyError, r"basis='umpa'.*'X_pca'.*'X_umap'"),
        ({"save": ".png"}, TypeError, r"save='.png' does not go with a film"),
        ({"arrows": True}, TypeError, "arrows=True"),
        ({"tweens": 3}, TypeError, r"tweens= is an argument neither .* Did you mean 'tween'"),
        ({"sort_order": "random"}, ValueError, "sort_order='random'"),
        ({"scale": "ranks"}, ValueError, "scale='ranks': 'auto', 'rank', 'linear', 'log'"),
        ({"mask_obs": "nope"}, KeyError, "mask_obs='nope'"),
        ({"mask_obs": np.ones(3, bool)}, ValueError, r"mask_obs is bool of shape \(3,\)"),
        ({"vmax": "high", "scale": "linear"}, ValueError, "vmax='high'"),
        ({"color": "types", "groups": "Dendritc"}, KeyError, "'Dendritc' is no .* 'Dendritic'"),
        ({"rasterized": True}, TypeError, "rasterized=True does not go with a film"),
        ({"color": ["label_propagation", "X_pca"]}, ValueError, "as many frames each"),
        ({"basis": None}, TypeError, "basis=None"),
        ({"basis": "pca", "components": "1,99"}, ValueError, r"'1,99': basis='pca' has 50"),
        ({"dimensions": (0, 1, 1)}, ValueError, r"dimensions=\(0, 1, 1\): 2 dimensions a panel"),
        ({"dimensions": (0, 1), "components": "1,2"}, ValueError, "one of the two"),
        ({"norm": "log", "scale": "linear"}, TypeError, "norm='log'.*scale='log'"),
        ({"norm": mpl.colors.Normalize(), "vmax": 3}, ValueError, "vmax=3"),
        ({"scale": "log", "vmin": 0}, ValueError, "vmin=0: scale='log' starts above 0"),
        ({"ax": [1, 2]}, TypeError, r"ax=\[1, 2\]: one matplotlib Axes"),
    ],
)
def test_bad_arguments_leave_nothing_behind(propagated, arguments, error, message):
    before = list(propagated.uns), list(propagated.obsm), list(propagated.obs)
    with pytest.raises(error, match=message):
        sca.pl.animate_embedding(propagated, **arguments)
    assert (list(propagated.uns), list(propagated.obsm), list(propagated.obs)) == before


def test_frames_of_a_figure_without_background_lie_on_white(propagated):
    films = []
    for ground in ("none", "white"):
        with mpl.rc_context({"figure.facecolor": ground, "axes.facecolor": ground}):
            films.append(sca.pl.animate_embedding(propagated, color="types"))
    clear, white = (next(film.frames()) for film in films)
    assert largest_difference(clear, white).max() <= 4  # parts of a half-covered pixel are bytes


@pytest.mark.parametrize(
    "wrong",
    [{"frame_title": ["a"]}, {"mark_cells": ["nobody"]}, {"duration": 1, "hold": 2}],
    ids=str,
)
def test_nothing_is_drawn_before_all_arguments_are_right(propagated, wrong):
    ax = plt.figure().add_subplot()
    with pytest.raises((KeyError, ValueError), match=next(iter(wrong))):
        sca.pl.animate_embedding(propagated, ax=ax, **wrong)
    assert not ax.collections
    plt.close(ax.figure)


def test_filmstrip(propagated):
    film = sca.pl.animate_embedding(propagated, color="types")
    strip = film.filmstrip([0, 2, -1])
    frames = [ax for ax in strip.axes if ax.get_title()]
    assert [ax.get_title() for ax in frames] == ["iteration 0", "iteration 2", "limit"]
    assert len({tuple(np.round(ax.get_position().bounds[2:], 6)) for ax in frames}) == 1
    assert sum(ax.get_legend() is not None for ax in strip.axes) == 1
    pixels = drawn_by_matplotlib(strip)
    boxes = [ax.bbox.extents.round().astype(int) for ax in frames]
    pictures = [pixels[len(pixels) - y1 : len(pixels) - y0, x0:x1] for x0, y0, x1, y1 in boxes]
    colored = [(np.ptp(p, axis=-1) > 30).mean() for p in pictures]
    assert colored[0] < colored[1] < 2 * colored[2]
    assert len(film.filmstrip(n=4).axes) == 4
    rows = sca.pl.animate_embedding(propagated, color=["label_propagation", "types"]).filmstrip(n=2)
    assert len(rows.axes) == 5  # two rows of two, and a color bar
    with pytest.raises(ValueError, match="n=0"):
        film.filmstrip(n=0)
    with pytest.raises(IndexError, match="frame 99"):
        film.filmstrip([99])
    with pytest.raises(TypeError, match=r"frames=3: a list of frame numbers"):
        film.filmstrip(3)
    for wrong in ("a", 1.5, True, None):
        with pytest.raises(TypeError, match=f"frame {wrong!r}: the number of a frame, 0 to"):
            film.filmstrip([wrong])
        with pytest.raises(TypeError, match=f"frame {wrong!r}: the number of a frame, 0 to"):
            film.still(wrong)


def test_filmstrip_saves_as_a_vector_figure(propagated, tmp_path):
    strip = sca.pl.animate_embedding(propagated).filmstrip(n=3)
    strip.savefig(tmp_path / "strip.svg")
    strip.savefig(tmp_path / "strip.pdf")
    svg = (tmp_path / "strip.svg").read_text()
    assert svg.count("<image") >= 3
    assert (tmp_path / "strip.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    "values",
    [np.full((700, 3), np.nan), np.zeros((700, 3)), np.full((700, 1), 5.0)],
    ids=["nan", "constant", "one frame"],
)
@pytest.mark.parametrize("scale", ["rank", "linear", "log"])
def test_frames_without_contrast_are_drawn(pbmc, values, scale):
    frames = list(sca.pl.animate_embedding(pbmc, color=values, scale=scale).frames(dpi=40))
    assert len(frames) == values.shape[1]
    assert (frames[0].min(axis=-1) < 250).mean() > 0.05


def test_missing_values_are_drawn_in_na_color(pbmc):
    values = np.tile(pbmc.obs[["n_counts"]].to_numpy(), 2)
    values[:350, 1] = np.nan
    film = sca.pl.animate_embedding(pbmc, color=values, na_color="red", cmap="gray", size=20)
    first, second = film.frames()
    red = [(f == [255, 0, 0]).all(axis=-1).sum() for f in (first, second)]
    assert red[0] == 0
    assert red[1] > 300


@pytest.mark.parametrize("palette", [None, "tab10", ["#1f77b4", "red", "blue"]])
@pytest.mark.parametrize("column", ["phase", "holes"])
def test_missing_cells_may_have_a_color_of_the_palette(pbmc, palette, column):
    pbmc.obs["holes"] = pbmc.obs["phase"].where(np.arange(700) % 2 == 0)
    asked = {"color": column, "palette": palette, "groups": ["G1"]}
    asked["na_color"] = mpl.colors.to_hex("C0")
    film = sca.pl.animate_embedding(pbmc, **asked)
    *_, frame = film.frames()
    asked["na_color"] = "#1f77b5"
    *_, wanted = sca.pl.animate_embedding(pbmc, **asked).frames()
    assert np.abs(frame.astype(int) - wanted).max() <= 1


def test_more_than_a_hundred_categories_go_without_legend(pbmc):
    pbmc.obs["many"] = [f"c{i % 120}" for i in range(700)]
    film = sca.pl.animate_embedding(pbmc, color="many")
    assert film.figure.axes[0].get_legend() is None
    next(film.frames(dpi=30))


def test_sort_order_of_each_frame(pbmc):
    """Two cells at one place: whichever is higher in the frame is seen, or the higher peak."""
    pair = pbmc[:2].copy()
    pair.obsm["X_spot"] = np.zeros((2, 2))
    values = np.array([[0.0, 1, 0], [0.5, 0.0, 0]])

    def seen(sort_order, vmax=1.0):
        film = sca.pl.animate_embedding(
            pair,
            "spot",
            color=values,
            scale="linear",
            vmin=0,
            vmax=vmax,
            cmap="gray",
            size=9000,
            sort_order=sort_order,
            frame_title=None,
            colorbar_loc=None,
        )
        middles = []
        for frame in film.frames():
            x0, y0, x1, y1 = film.figure.axes[0].bbox.extents
            middles.append(int(frame[int(len(frame) - (y0 + y1) / 2), int((x0 + x1) / 2), 0]))
        return middles

    assert seen(True) == [0, 255, 0]
    assert seen("frame") == [128, 255, 0]
    assert seen(False) == [128, 0, 0]
    assert seen("frame", vmax=0.75) == [170, 255, 0]  # what is over the limits is on top as well


def test_show_and_save_may_be_false_out_of_habit(propagated):
    film = sca.pl.animate_embedding(propagated, show=False, save=False, return_fig=None)
    assert len(film) == 8
