"""A frame for each category, cells that appear along a number, clusterings that are matched."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from scipy.optimize import linear_sum_assignment

import scanpy_anim as sca
from scanpy_anim.pl._matching import match_clusters
from scanpy_anim.pl._overlays import marked_cells

film_of = sca.pl.animate_embedding


@pytest.fixture
def days(pbmc):
    rng = np.random.default_rng(0)
    pbmc.obs["day"] = rng.choice(["d0", "d1", "d3"], 700)
    pbmc.obs["number"] = rng.choice([0, 1, 3], 700)
    pbmc.obs["ordered"] = pd.Categorical(
        pbmc.obs["day"], categories=["d3", "d1", "d0", "d7"], ordered=True
    )
    pbmc.obs["some"] = pbmc.obs["day"].where(rng.random(700) < 0.5)
    pbmc.obs["late"] = pbmc.obs["day"] == "d3"
    pbmc.obs["time"] = rng.random(700) * 10
    pbmc.obs.loc[pbmc.obs_names[:7], "time"] = np.inf
    pbmc.obs.loc[pbmc.obs_names[7:9], "time"] = np.nan
    return pbmc


def source_of(film):
    return film.clips[0].stage.panels[0].source


@pytest.mark.parametrize(
    ("column", "names"),
    [
        ("day", ["d0", "d1", "d3"]),
        ("number", ["0", "1", "3"]),
        ("ordered", ["d3", "d1", "d0"]),
        ("some", ["d0", "d1", "d3"]),
        ("late", ["False", "True"]),
    ],
)
@pytest.mark.parametrize("color", [None, "LYZ", "louvain", "n_genes"])
def test_a_frame_for_each_category(days, column, names, color):
    asked = {} if color is None else {"color": color}
    film = film_of(days, groupby=column, **asked)
    assert list(film._titles) == names
    source = source_of(film)
    values = days.obs[column].astype(object).map(lambda v: v if pd.isna(v) else str(v))
    for i, name in enumerate(names):
        shown = source.read(i)
        there = shown >= 0 if shown.dtype.kind == "i" else ~np.isnan(shown)
        np.testing.assert_array_equal(there, (values == name).to_numpy())
    if color == "n_genes":
        np.testing.assert_array_equal(
            source.read(0)[~np.isnan(source.read(0))],
            days.obs["n_genes"][(values == names[0]).to_numpy()],
        )
    list(film.frames(dpi=20))


def test_colors_mean_the_same_in_every_part(days):
    film = film_of(days, groupby="day", color="LYZ")
    whole = film_of(days, color="LYZ")
    ends = [f.clips[0].stage.panels[0].cloud.norm for f in (film, whole)]
    assert (ends[0].vmin, ends[0].vmax) == (ends[1].vmin, ends[1].vmax)
    assert film.figure.axes[1].get_ylabel() == "LYZ" or film.figure.axes[0].get_title() == "LYZ"


@pytest.mark.parametrize("cumulative", [True, False])
@pytest.mark.parametrize("n_frames", [None, 7])
def test_cells_appear_as_a_number_grows(days, cumulative, n_frames):
    film = film_of(
        days, along="time", color="louvain", cumulative=cumulative, n_frames=n_frames, pace="even"
    )
    source, times = source_of(film), days.obs["time"].to_numpy()
    n = n_frames or 40
    assert source.n_frames == n
    known = np.isfinite(times)
    low, high = times[known].min(), times[known].max()
    seen = np.array([source.read(i) >= 0 for i in range(n)])
    ends = low + (high - low) * np.arange(1, n + 1) / n
    for i in range(n):
        wanted = known & (times <= ends[i] + 1e-9)
        if not cumulative and i:
            wanted &= times > ends[i - 1] + 1e-9
        assert (seen[i] != wanted).sum() <= 1
    assert not seen[:, ~known].any()
    assert seen[-1].sum() == known.sum() if cumulative else (seen.sum(axis=0) == known).all()


def test_few_different_numbers_have_a_frame_each(days):
    film = film_of(days, along="number", color="louvain")
    assert list(film._titles) == ["number ≤ 0", "number ≤ 1", "number ≤ 3"]
    assert source_of(film).read(2).min() >= 0


@pytest.mark.parametrize(
    ("numbers", "upto"),
    [
        ([20210131, 20210201, 20210202], ["20210131", "20210201", "20210202"]),
        ([2019, 2020, 2021], ["2019", "2020", "2021"]),
        ([0.25, 0.5, 1500], ["0.25", "0.5", "1500"]),
        ([-1e-7, 1e20, 2e20], ["-1e-07", "1e+20", "2e+20"]),
    ],
)
def test_numbers_in_titles_can_be_told_apart(days, numbers, upto):
    values = np.resize(numbers, days.n_obs)
    film = film_of(days, along=values, color="louvain")
    assert [title.rpartition(" ")[2] for title in film._titles] == upto
    film = film_of(days, groupby=values, color="louvain")
    assert list(film._titles) == upto
    film = film_of(days, along=values, color="louvain", n_frames=2, cumulative=False)
    first, second = (title.split(" ")[-3:] for title in film._titles)
    assert first[0] == upto[0]
    assert first[2] == second[0] != second[2] == upto[-1]


def test_parts_by_arrays_are_parts_by_columns(days):
    for asked in ({"groupby": days.obs["day"]}, {"groupby": days.obs["day"].to_numpy()}):
        film = film_of(days, color="LYZ", **asked)
        np.testing.assert_array_equal(
            source_of(film).read(1), source_of(film_of(days, color="LYZ", groupby="day")).read(1)
        )
    film = film_of(days, color="LYZ", along=days.obs["time"].to_numpy())
    assert source_of(film).n_frames == 40


def test_a_result_in_parts_shows_what_it_ended_with(propagated):
    propagated.obs["half"] = np.where(np.arange(700) < 350, "a", "b")
    film = film_of(propagated, groupby="half")
    last = propagated.obsm["label_propagation"][:, -1]
    np.testing.assert_allclose(source_of(film).read(0)[:350], last[:350])
    film = film_of(propagated, color="types", groupby="half")
    codes = propagated.obs["types"].cat.codes.to_numpy()
    np.testing.assert_array_equal(source_of(film).read(1)[350:], codes[350:])
    assert (source_of(film).read(1)[:350] == -1).all()


def test_lists_are_values_where_parts_are_made(days):
    listed = film_of(days, groupby=list(days.obs["day"].astype(str)), color="LYZ")
    assert listed._titles == ["d0", "d1", "d3"]
    numbers = film_of(days, along=list(-np.arange(700.0)), color="LYZ", n_frames=2)
    assert numbers._titles == ["value ≤ -350", "value ≤ 0"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"groupby": "dya"}, KeyError, "groupby: 'dya' is no key"),
        ({"groupby": "time"}, ValueError, "along='time' reveals cells"),
        ({"groupby": "day", "along": "time"}, ValueError, "groupby='day', along='time'"),
        ({"groupby": ["day", "late"]}, ValueError, "groupby=.*one column"),
        ({"groupby": "day", "n_frames": 3}, ValueError, "n_frames=3 beside groupby="),
        ({"groupby": "day", "color": ["CD3D", "LYZ"]}, ValueError, "color has 2 frames"),
        ({"along": "day"}, TypeError, "groupby='day' shows a frame for each"),
        ({"along": np.full(700, np.nan)}, ValueError, "along='value' has no finite number"),
        ({"along": "time", "n_frames": 0}, ValueError, "n_frames=0"),
        ({"along": "time", "cumulative": "yes"}, TypeError, "cumulative='yes' must be"),
        ({"cumulative": False, "color": "day"}, ValueError, "cumulative=False goes with along="),
    ],
)
def test_bad_parts(days, arguments, error, message):
    with pytest.raises(error, match=message):
        film_of(days, **arguments)


def test_clusters_keep_the_color_of_their_cells(pbmc):
    """The same clustering under other numbers, then with one cluster split."""
    louvain = pbmc.obs["louvain"].cat.codes.to_numpy()
    k = louvain.max() + 1
    turned = (louvain + 3) % k
    split = np.where((turned == 2) & (np.arange(700) % 3 == 0), k, turned)
    for name, codes in (("a", louvain), ("b", turned), ("c", split)):
        pbmc.obs[name] = pd.Categorical(codes.astype(str))
    source = source_of(film_of(pbmc, color=["a", "b", "c"]))
    first, second, third = (source.read(i) for i in range(3))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(third[split != k], first[split != k])
    assert (third[split == k] == third[split == k][0]).all()
    assert third[split == k][0] not in first
    for i, codes in enumerate((louvain, turned, split)):
        own = np.array(source.names(i))[source.read(i)]
        assert own.tolist() == codes.astype(str).tolist()
    by_name = source_of(film_of(pbmc, color=["a", "b", "c"], match_categories=False))
    spelled = np.array(by_name.categories)[by_name.read(1)]
    assert spelled.tolist() == turned.astype(str).tolist()


def test_matching_has_the_largest_overlap():
    rng = np.random.default_rng(0)
    before, after = rng.integers(0, 6, 500), rng.integers(0, 8, 500)
    names = [[str(i) for i in range(6)], [str(i) for i in range(8)]]
    _, tables = match_clusters([before, after], names)
    shared = np.array([[((before == a) & (after == b)).sum() for a in range(6)] for b in range(8)])
    kept = sum(shared[b, a] for b, a in enumerate(tables[1]) if a < 6)
    best = shared[linear_sum_assignment(shared, maximize=True)].sum()
    assert kept == best


def test_only_numbered_clusterings_are_matched_unasked(pbmc):
    pbmc.obs["r1"] = pd.Categorical(["A", "B"] * 350)
    pbmc.obs["r2"] = pd.Categorical(["B", "A"] * 350)
    source = source_of(film_of(pbmc, color=["r1", "r2"]))
    assert (source.read(0) != source.read(1)).all()
    matched = source_of(film_of(pbmc, color=["r1", "r2"], match_categories=True))
    assert (matched.read(0) == matched.read(1)).all()
    with pytest.raises(ValueError, match="match_categories=True: color='n_genes' has no frames"):
        film_of(pbmc, color="n_genes", match_categories=True)
    with pytest.raises(ValueError, match="match_categories='yes'"):
        film_of(pbmc, color=["r1", "r2"], match_categories="yes")


def test_matching_is_said(pbmc, monkeypatch):
    said = []
    monkeypatch.setattr(sc.logging, "info", said.append)
    turned = (pbmc.obs["louvain"].cat.codes.to_numpy() + 3) % pbmc.obs["louvain"].nunique()
    pbmc.obs["b"] = pd.Categorical(turned.astype(str))
    film_of(pbmc, color=["louvain", "b"])
    assert any("match_categories=False" in text for text in said)


def test_references_of_anndata(pbmc):
    acc = pytest.importorskip("anndata.acc")
    ref = acc.A
    pbmc.layers["doubled"] = pbmc.X * 2
    film = film_of(
        pbmc,
        ref.obsm["X_umap"],
        color=[ref.obs["n_genes"], ref.X[:, "CD3D"], ref.layers["doubled"][:, "LYZ"], "n_counts"],
    )
    source = source_of(film)
    assert list(film._titles) == ["n_genes", "CD3D", "LYZ", "n_counts"]
    np.testing.assert_array_equal(source.read(0), pbmc.obs["n_genes"])
    np.testing.assert_array_equal(source.read(1), np.ravel(pbmc[:, "CD3D"].X))
    np.testing.assert_array_equal(source.read(2), 2 * np.ravel(pbmc[:, "LYZ"].X))
    assert len(film_of(pbmc, [ref.obsm["X_pca"], ref.obsm["X_umap"]], color=ref.obs["phase"])) > 2
    assert list(film_of(pbmc, groupby=ref.obs["phase"])._titles) == ["G1", "G2M", "S"]
    pbmc.obs["some"] = np.arange(700) < 3
    np.testing.assert_array_equal(marked_cells(pbmc, ref.obs["some"]), [0, 1, 2])
    panels = film_of(pbmc, panels=[ref.obs["phase"], ref.obsm["X_pca"]], color="phase")
    assert [clip.stage.plot.basis for clip in panels.clips] == ["umap", "X_pca"]
    page = film_of(pbmc, color="n_genes").explore(ref.obs["louvain"], hover=[ref.obs["phase"]])
    assert "phase" in page._repr_html_()
    with pytest.raises(TypeError, match="mark_cells holds floats"):
        marked_cells(pbmc, ref.obsm["X_pca"][:, 0])
    with pytest.raises(TypeError, match=r"color=A.var\['x'\]: a reference to one value a cell"):
        film_of(pbmc, color=ref.var["x"])
