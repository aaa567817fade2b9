"""Colors and words of every frame, against the picture that scanpy draws of the same values."""

from __future__ import annotations

import warnings

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from matplotlib.colors import LogNorm, SymLogNorm, to_rgb

import scanpy_anim as sca
from scanpy_anim._decision import Decision

from .pictures import drawn_by_matplotlib, largest_difference

film_of = sca.pl.animate_embedding


def still(adata, **arguments):
    """Scanpy's own picture."""
    axes = sc.pl.embedding(adata.copy(), "umap", show=False, **arguments)
    figure = (axes[0] if isinstance(axes, list) else axes).figure
    plt.close(figure)
    return drawn_by_matplotlib(figure)


def frames(film):
    return list(film.frames())


def same(frame, picture, top=80):
    """How far two pictures are apart below their titles, where both have pixels."""
    h, w = (min(a, b) for a, b in zip(frame.shape[:2], picture.shape[:2], strict=True))
    return largest_difference(frame[-(h - top) :, :w], picture[-(h - top) :, :w]).mean()


def texts(film, i):
    return [t.get_text() for t in film.still(i).axes[0].texts]


# limits


@pytest.mark.parametrize(
    "limits",
    [
        {"vmax": 3},
        {"vmin": 1, "vmax": 4},
        {"vmax": "p90"},
        {"vmin": "p5", "vmax": lambda v: float(np.nanmax(v))},
        {"vcenter": 2},
        {"vcenter": -3, "cmap": "RdBu_r"},
        {"vcenter": 50, "cmap": "RdBu_r"},
        {"vcenter": 2, "vmax": 3},
        {"norm": LogNorm(vmin=0.1)},
        {"norm": SymLogNorm(1)},
        {"vmin": 100, "vmax": 200},
    ],
)
def test_limits_are_values_as_in_scanpy(pbmc, limits):
    (frame,) = frames(film_of(pbmc, color="LYZ", **limits))
    assert same(frame, still(pbmc, color="LYZ", **limits), top=0) < 0.1


@pytest.mark.parametrize(
    "limits",
    [{}, {"vmax": "p50"}, {"vmax": 50}, {"vmin": 5}, {"vmin": lambda v: 2.0}, {"vcenter": 4}],
)
def test_per_frame_is_each_frame_s_own_still(pbmc, limits):
    values = np.stack([np.linspace(0, 10, 700), np.linspace(0, 100, 700)], axis=1)
    film = film_of(pbmc, color=values, per_frame=True, colorbar_loc=None, **limits)
    for i, frame in enumerate(frames(film)):
        pbmc.obs["now"] = values[:, i]
        assert same(frame, still(pbmc, color="now", colorbar_loc=None, **limits)) < 0.1


def test_per_frame_says_on_its_bar_which_end_stays(pbmc):
    film = film_of(pbmc, color=["LYZ", "CD3D"], per_frame=True, vmin=0.5)
    labels = [t.get_text() for t in film.figure.axes[1].get_yticklabels()]
    assert labels == ["0.5", "high"]


def test_limits_beyond_the_values_of_a_frame(pbmc):
    values = np.stack([np.linspace(0, 1, 700), np.linspace(0, 10, 700)], axis=1)
    low, high = frames(film_of(pbmc, color=values, per_frame=True, vmin=5, colorbar_loc=None))
    assert len(np.unique(low.reshape(-1, 3), axis=0)) < len(np.unique(high.reshape(-1, 3), axis=0))


def test_limits_of_several_results_and_components(propagated):
    propagated.obsm["other"] = propagated.obsm["label_propagation"] * 7
    for n in (2, 4):
        film = film_of(
            propagated,
            color=["label_propagation", "other"],
            components=["1,2", "2,1"],
            vmax=list(range(1, n + 1)),
        )
        ends = [panel.cloud.norm.vmax for panel in film.clips[0].stage.panels]
        assert ends == ([1, 1, 2, 2] if n == 2 else [1, 2, 3, 4])
    with pytest.raises(ValueError, match=r"vmax=\[1, 2, 3\] has 3 entries; there are 4 panels"):
        film_of(
            propagated,
            color=["label_propagation", "other"],
            components=["1,2", "2,1"],
            vmax=[1, 2, 3],
        )


def test_ranks_are_for_what_an_algorithm_stored(propagated):
    propagated.obsm["mine"] = propagated.obsm["label_propagation"]
    for color, label in ((None, "rank"), ("mine", ""), (["LYZ"], "")):
        film = film_of(propagated, **({} if color is None else {"color": color}))
        bar = film.figure.axes[1]
        assert bar.get_ylabel() == label
    values = film_of(propagated, vmax="p99")  # limits are values
    assert values.clips[0].stage.panels[0].cloud.norm.vmax == pytest.approx(
        np.percentile(propagated.obsm["label_propagation"], 99)
    )
    assert film_of(propagated, color=["LYZ", "CD3D"], scale="rank").figure.axes[1].get_ylabel()


@pytest.mark.parametrize(
    ("function", "name"), [(np.sqrt, "sqrt(n_genes)"), (lambda v: v**0.5, "scale(n_genes)")]
)
def test_a_function_s_bar_says_what_it_shows(pbmc, function, name):
    film = film_of(pbmc, color="n_genes", scale=function)
    assert film.figure.axes[1].get_ylabel() == name


def test_arrays_keep_their_names(pbmc):
    film = film_of(pbmc, color=pbmc.obs["n_genes"].rename("genes seen"))
    assert film.figure.axes[0].get_title() == "genes seen"
    film = film_of(pbmc, color=[pbmc.obs["n_genes"], pbmc.obs["n_counts"]])
    assert list(film._titles) == ["n_genes", "n_counts"]


# colors


def spelled(kind):
    colors = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
    return {
        "tuples": colors,
        "lists": [list(c) for c in colors],
        "array": np.array(colors, dtype=float),
        "rows": list(np.array(colors, dtype=float)),
        "rgba": [(*c, 1.0) for c in colors],
        "mixed": ["#ff0000", (0, 1, 0), np.array([0.0, 0, 1])],
        "strings": np.array(["red", "lime", "blue"]),
        "objects": np.array(["red", "lime", "blue"], dtype=object),
    }[kind]


@pytest.mark.parametrize(
    "kind", ["tuples", "lists", "array", "rows", "rgba", "mixed", "strings", "objects"]
)
def test_colors_in_uns_in_any_spelling(pbmc, kind):
    pbmc.uns["phase_colors"] = ["red", "lime", "blue"]
    wanted = still(pbmc, color="phase")
    pbmc.uns["phase_colors"] = spelled(kind)
    (frame,) = frames(film_of(pbmc, color="phase"))
    assert same(frame, wanted) < 0.1


def test_colors_in_uns_after_a_file(pbmc, tmp_path):
    import anndata as ad

    pbmc.uns["phase_colors"] = spelled("array")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pbmc.write_h5ad(tmp_path / "cells.h5ad")
        again = ad.read_h5ad(tmp_path / "cells.h5ad")
    (frame,) = frames(film_of(again, color="phase"))
    pbmc.uns["phase_colors"] = ["#ff0000", "#00ff00", "#0000ff"]
    assert same(frame, still(pbmc, color="phase")) < 0.1


def test_known_colors_stay_beside_a_column_without_any(pbmc):
    pbmc.obs["other"] = pd.Categorical(
        np.where(pbmc.obs["n_genes"] > pbmc.obs["n_genes"].median(), "many", "few")
    )
    pbmc.uns["phase_colors"] = ["#1f77b4", "#000000", "#ffffff"]
    film = film_of(pbmc, color=["phase", "other"])
    source = film.clips[0].stage.panels[0].source
    assert source.colors is not None
    known = dict(zip(pbmc.obs["phase"].cat.categories, pbmc.uns["phase_colors"], strict=True))
    colors = dict(zip(source.categories, source.colors, strict=True))
    assert {c: colors[c] for c in known} == known
    assert len({to_rgb(c) for c in colors.values()}) == 5


@pytest.mark.parametrize("groups", [[], ["G1"], "G1", ["G1", "S"]], ids=str)
def test_groups_as_in_scanpy(pbmc, groups):
    wanted = still(pbmc, color="phase", groups=[groups] if isinstance(groups, str) else groups)
    (frame,) = frames(film_of(pbmc, color="phase", groups=groups))
    assert same(frame, wanted) < 0.1


@pytest.mark.parametrize("always", [True, False])
def test_a_boolean_column_that_is_always_the_same(pbmc, always):
    pbmc.obs["always"] = always
    (frame,) = frames(film_of(pbmc, color="always"))
    wanted = still(pbmc, color="always")  # whose legend leaves out what does not occur
    assert same(frame[:, :580], wanted[:, :580]) < 0.1
    pbmc.obs["sometimes"] = pbmc.obs["n_genes"] > pbmc.obs["n_genes"].median()
    film = film_of(pbmc, color=["always", "sometimes"])
    assert film.clips[0].stage.panels[0].source.categories == ["False", "True"]


def test_a_palette_that_lacks_a_category_names_it(pbmc):
    with pytest.raises(KeyError, match="palette has no color for 'G2M', 'S', of 'phase'"):
        film_of(pbmc, color="phase", palette={"G1": "red"})
    with pytest.raises(ValueError, match="palette: 'reddish', of 'S', is no color"):
        film_of(pbmc, color="phase", palette={"G1": "red", "S": "reddish", "G2M": "blue"})
    pbmc.obs["number"] = pd.Categorical(np.arange(700) % 2)
    film = film_of(pbmc, color="number", palette={0: "red", 1: "blue"})
    assert film.clips[0].stage.plot.palette("number") == ["#ff0000ff", "#0000ffff"]


# what lies on top


@pytest.mark.parametrize("kind", ["float32", "float64", "ties", "missing"])
def test_the_order_of_each_frame_is_scanpy_s(pbmc, kind):
    rng = np.random.default_rng(0)
    values = rng.random((700, 2))
    if kind == "ties":
        values = np.round(values, 1)
    if kind == "missing":
        values[rng.random((700, 2)) < 0.3] = np.nan
    values = values.astype("float32" if kind == "float32" else "float64")
    look = {"size": 400, "edgecolor": "black", "linewidth": 1, "cmap": "Greys"}
    film = film_of(pbmc, color=values, sort_order="frame", colorbar_loc=None, **look)
    for i, frame in enumerate(frames(film)):
        pbmc.obs["now"] = values[:, i]
        wanted = still(pbmc, color="now", colorbar_loc=None, **look)
        assert np.percentile(largest_difference(frame[80:], wanted[80:]), 99.9) < 24


@pytest.mark.parametrize("categorical", [True, False])
def test_cells_missing_in_a_frame_lie_below_those_that_have_a_value(pbmc, categorical):
    """Two halves of the cells at the same places, each with a value in one frame only."""
    half = np.arange(700) < 350
    pbmc.obsm["X_umap"][~half] = pbmc.obsm["X_umap"][half]
    values = np.ones((700, 2))
    values[half, 0] = values[~half, 1] = np.nan
    color = list(np.where(np.isnan(values), None, "here").T) if categorical else values
    film = film_of(
        pbmc, color=color, size=30, na_color="red", legend_loc=None, frame_title=None, title=""
    )
    for frame in frames(film):
        red = (frame[..., 0] > 200) & (frame[..., 1] < 60) & (frame[..., 2] < 60)
        assert not red.any()


# labels on the data


@pytest.fixture
def swapped(pbmc):
    left = pbmc.obsm["X_umap"][:, 0] < np.median(pbmc.obsm["X_umap"][:, 0])
    pbmc.obs["r1"] = pd.Categorical(np.where(left, "A", "B"))
    pbmc.obs["r2"] = pd.Categorical(np.where(left, "B", "A"))
    pbmc.obs["r3"] = pd.Categorical(np.where(left, "A", None))
    return pbmc


@pytest.mark.parametrize(
    "style", [{}, {"legend_fontsize": 20, "legend_fontoutline": 3, "legend_fontweight": "normal"}]
)
def test_labels_on_the_data_are_those_of_scanpy_in_every_frame(swapped, style):
    names = ["r1", "r2", "r3"]
    film = film_of(swapped, color=names, legend_loc="on data", **style)
    for frame, name in zip(frames(film), names, strict=True):
        swapped.uns[f"{name}_colors"] = swapped.uns.get("r1_colors", ["#1f77b4", "#ff7f0e"])
        wanted = still(swapped, color=name, legend_loc="on data", **style)
        assert (largest_difference(frame[80:], wanted[80:]) > 60).mean() < 2e-4


def test_labels_on_the_data_name_what_is_there(swapped):
    film = film_of(swapped, color=["r1", "r2", "r3"], legend_loc="on data", frame_title=None)
    assert [sorted(texts(film, i)) for i in range(3)] == [["A", "B"], ["A", "B"], ["A", "NA"]]
    film = film_of(swapped, color="r3", legend_loc="on data", frame_title=None, na_in_legend=False)
    assert texts(film, 0) == ["A"]


def test_labels_on_the_data_cross_fade_with_their_cells(swapped):
    film = film_of(
        swapped, color=["r1", "r2"], legend_loc="on data", tween=1, frame_title=None, pace="even"
    )
    between = film.still(1).axes[0].texts
    assert sorted(t.get_text() for t in between) == ["A", "A", "B", "B"]
    assert [t.get_alpha() for t in between] == [0.5] * 4
    start, end = (
        {t.get_text(): t.get_position() for t in film.still(i).axes[0].texts} for i in (0, 2)
    )
    assert start["A"] == pytest.approx(end["B"])


def test_labels_on_the_data_follow_moving_cells(pbmc):
    film = film_of(pbmc, ["pca", "umap"], color="phase", legend_loc="on data", frame_title=None)
    for i in (0, 10, len(film) - 1):
        at = film.clips[0].stage.motion.at(film.clips[0].time(i))
        medians = pd.DataFrame(at).groupby(pbmc.obs["phase"].to_numpy()).median()
        for text in film.still(i).axes[0].texts:
            assert text.get_position() == pytest.approx(tuple(medians.loc[text.get_text()]))


def test_labels_of_a_propagation_belong_to_their_iteration(propagated):
    film = film_of(propagated, color="types", legend_loc="on data", frame_title=None)
    names = list(propagated.uns["types"]["classes"])
    for i, moment in enumerate(film.timeline.moments):
        if moment.weight == 0:
            scores = propagated.obsm["types"][:, moment.first]
            there = {names[k] for k in scores.argmax(axis=1)[scores.max(axis=1) > 0]}
            assert set(texts(film, i)) == there
    strip = film.filmstrip([0, -1])
    assert len(strip.axes[0].texts) <= len(strip.axes[1].texts) == len(texts(film, -1))


# titles


def test_a_title_for_each_gene(pbmc):
    film = film_of(pbmc, color=["CD3D", "LYZ"], title=["T cells", "Monocytes"])
    assert list(film._titles) == ["T cells", "Monocytes"]
    assert film.figure.axes[0].get_title() != "T cells"
    with pytest.raises(ValueError, match="title has 2 entries; there is one panel"):
        film_of(pbmc, color=["CD3D", "LYZ", "CD79A"], title=["T cells", "Monocytes"])


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Index, pd.Series])
def test_titles_in_any_list(pbmc, kind):
    film = film_of(pbmc, color=["CD3D", "LYZ"], frame_title=kind(["a", "b"]))
    assert list(film._titles) == ["a", "b"]


@pytest.mark.parametrize(
    "title",
    [3, True, {"a": 1}, np.zeros((2, 2)), object()],
    ids=["number", "switch", "dict", "table", "object"],
)
def test_titles_of_odd_types_are_refused(pbmc, title):
    with pytest.raises(TypeError, match="frame_title="):
        film_of(pbmc, color=["CD3D", "LYZ"], frame_title=title)


# time


def test_one_frame_lasts_as_long_as_asked(pbmc):
    assert film_of(pbmc, color="phase", duration=6).timeline.seconds().sum() == 6


def test_a_turn_goes_on_without_a_stop(pbmc):
    film = film_of(pbmc, "pca", projection="3d", color="phase")
    assert np.ptp(film.timeline.seconds()) == 0
    assert (
        film_of(pbmc, "pca", projection="3d", color="phase", rotate=90).timeline.seconds()[-1] == 1
    )


# results among other cells


@pytest.mark.parametrize("history", ["scores", "labels"])
def test_seeds_of_a_subset_or_other_order_are_those_that_are_there(pbmc, history):
    few = pbmc.obs.groupby("bulk_labels", observed=True).cumcount() < 2
    pbmc.obs["few"] = pbmc.obs["bulk_labels"].where(few)
    sca.tl.label_propagation(pbmc, "few", history=history, clamp="hard")
    labels = pbmc.obs["bulk_labels"]
    parts = (
        pbmc[labels == "Dendritic"],
        pbmc[np.random.default_rng(0).permutation(700)],
        pbmc[np.argsort(pbmc.obsm["X_umap"][:, 0])].copy(),
        pbmc[~few.to_numpy()],
    )
    for part in parts:
        film = film_of(part, frame_title=None)
        ringed = [r.cells for r in film.clips[0].rings]
        found = np.unique(np.concatenate([[], *ringed])).astype(int)
        assert found.tolist() == np.flatnonzero(part.obs["few"].notna()).tolist()
        source = film.clips[0].stage.panels[0].source
        names = np.array([*source.categories, None], dtype=object)[source.read(source.n_frames - 1)]
        stored = part.obs["label_propagation"]
        assert names.tolist() == [None if pd.isna(x) else x for x in stored]
        list(film.frames(dpi=20))


def test_labels_are_decided_once_a_frame(propagated, monkeypatch, tmp_path):
    asked = []
    decide = Decision.of

    def counted(self, scores, column=None):
        asked.append(column)
        return decide(self, scores, column)

    monkeypatch.setattr(Decision, "of", counted)
    film = film_of(propagated, color="types", legend_loc="on data")
    film.save(tmp_path / "film.gif", dpi=30)
    assert sorted(asked) == list(range(propagated.obsm["types"].shape[1]))


@pytest.mark.parametrize(
    ("value", "message"), [(np.nan, "holds NaN or negative"), (-1, "holds NaN or negative")]
)
def test_scores_that_are_none(propagated, value, message):
    propagated.obsm["types"] = propagated.obsm["types"].copy()
    propagated.obsm["types"][3, 2, 1] = value
    with pytest.raises(ValueError, match=message):
        film_of(propagated, color="types")


def test_codes_of_no_class(pbmc):
    sca.tl.label_propagation(pbmc, "bulk_labels", history="labels")
    pbmc.obsm["label_propagation"] = pbmc.obsm["label_propagation"].copy()
    pbmc.obsm["label_propagation"][0, 1] = 99
    with pytest.raises(ValueError, match="none of the 10 classes"):
        film_of(pbmc)


def test_what_is_masked_is_missing(pbmc):
    values = np.ma.masked_less(np.random.default_rng(0).random((700, 2)), 0.5)
    for color in (values, [values[:, 0], values[:, 1]], values[:, 0]):
        source = film_of(pbmc, color=color).clips[0].stage.panels[0].source
        np.testing.assert_array_equal(np.isnan(source.read(0)), values.mask[:, 0])


@pytest.mark.parametrize(
    ("color", "message"),
    [
        (np.zeros(700, [("a", float)]), "structured array"),
        ([[1, 2], [3]], "frame is"),
        (np.zeros(700) + 1j, "complex"),
        (np.arange(700).astype("datetime64[D]"), "holds times"),
        ([[10**400] * 700], "integers beyond floats"),
        ([pd.Series([[1]] * 700)], "neither numbers nor categories"),
        ([pd.Categorical([1, "1"] * 350)], "categories 1 and '1', which read the same"),
        ({"a": 1}, "color="),
    ],
    ids=["structured", "ragged", "complex", "dates", "huge", "lists", "same", "dict"],
)
def test_odd_colors_are_refused_by_name(pbmc, color, message):
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        film_of(pbmc, color=color)
    assert "color" in str(caught.value)


def test_pictures_on_black_pale_towards_black(propagated):
    with mpl.style.context("dark_background"):
        film = film_of(propagated, color="types", mark_seeds=False)
    style = film.clips[0].colorings[0].style(film.timeline.moments[-1])
    shown = style.table[style.levels, :3].astype(int)
    own = np.array([to_rgb(c) for c in propagated.uns["types_colors"]]) * 255
    labels = propagated.obs["types"].cat.codes
    assert (shown <= own[labels] + 1).all()
