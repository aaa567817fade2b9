"""Every spelling of color, against what scanpy reads for the same names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from scipy import sparse

import scanpy_anim as sca
from scanpy_anim.pl._color import sources
from scanpy_anim.pl._source import Categorical, Continuous


def only(adata, color, **kwargs):
    (source,) = sources(adata, color, **kwargs)
    return source


def test_an_array_in_obsm_is_a_frame_a_column(pbmc):
    scores = np.random.default_rng(0).random((700, 5), dtype=np.float32)
    pbmc.obsm["scores"] = scores
    source = only(pbmc, "scores")
    assert isinstance(source, Continuous)
    assert source.n_frames == 5
    for i in range(5):
        np.testing.assert_array_equal(source.read(i), scores[:, i])


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array, sparse.csc_matrix])
def test_sparse_obsm(pbmc, kind):
    scores = sparse.random(700, 4, density=0.1, random_state=0)
    pbmc.obsm["scores"] = kind(scores)
    source = only(pbmc, "scores")
    np.testing.assert_array_equal(source.read(2), scores.toarray()[:, 2])


def test_dataframe_columns_name_the_frames(pbmc):
    pbmc.obsm["times"] = pd.DataFrame(
        np.arange(1400.0).reshape(700, 2), index=pbmc.obs_names, columns=["0 h", "6 h"]
    )
    source = only(pbmc, "times")
    assert source.labels == ["0 h", "6 h"]
    np.testing.assert_array_equal(source.read(1), np.arange(1400.0).reshape(700, 2)[:, 1])


def test_genes_are_read_as_scanpy_reads_them(pbmc):
    raw = only(pbmc, ["CD3D", "n_counts", "LYZ"])
    np.testing.assert_array_equal(raw.read(0), sc.get.obs_df(pbmc, ["CD3D"], use_raw=True)["CD3D"])
    np.testing.assert_array_equal(raw.read(1), pbmc.obs["n_counts"])
    scaled = only(pbmc, ["CD3D"], use_raw=False)
    np.testing.assert_array_equal(scaled.read(0), sc.get.obs_df(pbmc, ["CD3D"])["CD3D"])
    pbmc.layers["doubled"] = pbmc.X * 2
    doubled = only(pbmc, ["LYZ"], layer="doubled")
    np.testing.assert_array_equal(doubled.read(0), pbmc[:, "LYZ"].X.ravel() * 2)


def test_gene_symbols(pbmc):
    pbmc.var["symbol"] = [f"s-{name}" for name in pbmc.var_names]
    raw = only(pbmc, ["s-LYZ"], gene_symbols="symbol")  # scanpy looks for symbols in adata.var
    np.testing.assert_array_equal(raw.read(0), sc.get.obs_df(pbmc, ["LYZ"], use_raw=True)["LYZ"])
    source = only(pbmc, ["s-LYZ"], gene_symbols="symbol", use_raw=False)
    np.testing.assert_array_equal(source.read(0), pbmc[:, "LYZ"].X.ravel())


def test_categories_keep_their_colors(pbmc):
    source = only(pbmc, "bulk_labels")
    assert isinstance(source, Categorical)
    labels = pbmc.obs["bulk_labels"]
    assert source.colors == list(pbmc.uns["bulk_labels_colors"])
    assert [source.categories[c] for c in source.read(0)] == labels.tolist()


def test_categories_that_appear_late_are_there_from_the_start(pbmc):
    pbmc.obs["a"] = pd.Categorical(["x"] * 699 + [None])
    pbmc.obs["b"] = ["y", *["x"] * 699]
    pbmc.obs["c"] = pbmc.obs["n_counts"] > pbmc.obs["n_counts"].median()
    source = only(pbmc, ["a", "b", "c"])
    assert source.categories[:2] == ["x", "y"]
    assert set(source.categories) == {"x", "y", "True", "False"}
    assert source.read(0)[-1] == -1
    assert source.read(1)[0] == 1
    spelled = [source.categories[k] for k in source.read(2)]
    assert spelled == pbmc.obs["c"].astype(str).tolist()


def test_a_function_is_called_once_a_frame_when_needed(pbmc):
    calls = []

    def score(i):
        calls.append(i)
        return np.full(700, i)

    source = only(pbmc, score, n_frames=1000)
    source.read(7)
    source.read(7)
    assert calls == [0, 7]
    assert source.read(7).dtype == np.float64


def test_a_failing_function_names_its_frame(pbmc):
    def score(i):
        if i == 3:
            raise ZeroDivisionError("what the function says")
        return np.zeros(700)

    source = only(pbmc, score, n_frames=5)
    with pytest.raises(ZeroDivisionError) as caught:
        source.read(3)
    assert "frame 3" in caught.value.__notes__[0]


def test_arrays(pbmc):
    frames = np.random.default_rng(0).random((700, 3))
    for color in (frames, list(frames.T), [pd.Series(f) for f in frames.T]):
        source = only(pbmc, color)
        np.testing.assert_array_equal(source.read(2), frames[:, 2])
    single = only(pbmc, frames[:, 0])
    assert single.n_frames == 1


def test_a_series_is_aligned_on_the_cells_names(pbmc):
    values = pd.Series(np.arange(700.0), index=pbmc.obs_names)
    shuffled = values.sample(frac=1, random_state=0)
    np.testing.assert_array_equal(only(pbmc, [shuffled]).read(0), values)
    table = pd.DataFrame({"a": values, "b": -values}).sample(frac=1, random_state=0)
    np.testing.assert_array_equal(only(pbmc, table).read(1), -values)


def test_labels_of_the_moment(propagated):
    source = only(propagated, "types")
    scores = propagated.obsm["types"]
    for i in (0, 3, source.n_frames - 1):
        codes = source.read(i)
        reached = scores[:, i].sum(axis=1) > 0
        assert (codes >= 0).tolist() == reached.tolist()
        best = scores[:, i].max(axis=1)
        np.testing.assert_array_equal(
            scores[np.flatnonzero(reached), i, codes[reached]], best[reached]
        )
        share = best[reached] / scores[reached, i].sum(axis=1, dtype=float)
        np.testing.assert_allclose(source.confidence(i)[reached], share, rtol=1e-6)
    assert source.iterations[-1] == np.inf
    assert source.colors == list(propagated.uns["types_colors"])


@pytest.mark.parametrize(
    ("how", "decision"),
    [
        ({}, {}),
        ({"clamp": "hard"}, {}),
        ({}, {"class_mass": True, "min_confidence": 0.3}),
        ({}, {"calibrate": True}),
        ({"history": "labels"}, {}),
    ],
    ids=str,
)
def test_the_film_ends_where_the_labels_are(pbmc, how, decision):
    few = pbmc.obs.groupby("bulk_labels", observed=True).cumcount() < 8
    pbmc.obs["few"] = pbmc.obs["bulk_labels"].where(few)
    sca.tl.label_propagation(pbmc, "few", **how)
    if decision:
        sca.tl.assign_labels(pbmc, **decision)
    source = only(pbmc, "label_propagation")
    last = source.n_frames - 1
    names = np.array([*source.categories, None], dtype=object)[source.read(last)]
    labels = pbmc.obs["label_propagation"]
    assert names.tolist() == [None if pd.isna(label) else label for label in labels]
    reached = labels.notna().to_numpy()
    confidence = pbmc.obs["label_propagation_confidence"]
    np.testing.assert_allclose(source.confidence(last)[reached], confidence[reached], rtol=1e-5)


def test_one_class_s_scores(propagated):
    names = list(propagated.uns["types"]["classes"])
    a, b = sources(propagated, "types", classes=["Dendritic", "CD34+"])
    np.testing.assert_array_equal(b.read(4), propagated.obsm["types"][:, 4, names.index("CD34+")])
    assert a.name == "Dendritic"
    assert set(propagated.obs["few"].iloc[a.seeds.positions]) == {"Dendritic"}


def test_classes_of_any_cube_go_by_number(pbmc):
    cube = np.random.default_rng(0).random((700, 3, 4))
    pbmc.obsm["cube"] = cube
    a, b = sources(pbmc, "cube", classes=[1, "3"])
    np.testing.assert_array_equal(a.read(2), cube[:, 2, 1])
    np.testing.assert_array_equal(b.read(0), cube[:, 0, 3])
    assert only(pbmc, "cube", classes=2).name == "2"


def test_names_may_come_as_scanpy_takes_them(pbmc):
    listed = only(pbmc, ["CD3D", "LYZ"])
    for names in (("CD3D", "LYZ"), pd.Index(["CD3D", "LYZ"]), np.array(["CD3D", "LYZ"])):
        source = only(pbmc, names)
        assert source.labels == listed.labels
        np.testing.assert_array_equal(source.read(1), listed.read(1))


def test_a_function_that_changes_its_mind_names_the_frame(pbmc):
    source = only(pbmc, lambda i: np.array(["a"] * 700) if i else np.zeros(700), n_frames=2)
    with pytest.raises(TypeError, match=r"color\(0\) gave numbers, color\(1\) gives"):
        source.read(1)


def test_several_results_are_panels(propagated):
    assert len(sources(propagated, ["label_propagation", "types"])) == 2


@pytest.mark.parametrize(
    ("color", "extra", "error", "message"),
    [
        ("CD3", {}, KeyError, r"'CD3' is no key .* Did you mean 'CD"),
        (["CD3D", "nope"], {}, KeyError, r"'nope'"),
        ("label_propagation", {}, KeyError, r"sca.tl.label_propagation\(adata, seeds\)"),
        (lambda i: 0, {}, TypeError, "n_frames"),
        ("CD3D", {"n_frames": 3}, TypeError, "n_frames=3 goes with a function"),
        (lambda i: np.zeros(700), {"n_frames": 0}, ValueError, "n_frames=0"),
        (lambda i: np.zeros(7), {"n_frames": 2}, ValueError, r"color\(0\) has shape \(7,\)"),
        ([np.zeros(700), np.zeros(9)], {}, ValueError, r"color\[1\] has shape \(9,\)"),
        (np.zeros((3, 700)), {}, ValueError, r"shape \(3, 700\)"),
        ([], {}, ValueError, "color is empty"),
        (None, {}, TypeError, "color=None"),
        (3, {}, TypeError, "color=3"),
        (["bulk_labels", "CD3D"], {}, TypeError, "mixes categories .* frame 0.* frame 1"),
        ("CD3D", {"classes": "B"}, ValueError, "classes='B' needs color"),
        (["X_umap", "CD3D"], {}, ValueError, "a panel each"),
        (["X_umap", "CD3"], {}, KeyError, "'CD3' is no key .* Did you mean 'CD"),
        ([np.zeros(700), np.zeros(700, bool)], {}, TypeError, r"\(frame 1\) and numbers \(frame 0"),
        (lambda i: np.zeros(700), {"n_frames": True}, ValueError, "n_frames=True"),
        (np.zeros((700, 0)), {}, ValueError, r"shape \(700, 0\), no frame"),
        (pd.Series(np.zeros(5), index=list("abcde")), {}, ValueError, "names of the cells"),
        ("LYZ", {"layer": "nope"}, KeyError, "layer='nope' is not in adata.layers. There are none"),
        ("LYZ", {"gene_symbols": "n_count"}, KeyError, "is no column of adata.var. Did you"),
        ("LYZ", {"use_raw": True, "layer": "x"}, ValueError, "from one of the two"),
    ],
)
def test_bad_color(pbmc, color, extra, error, message):
    with pytest.raises(error, match=message):
        sources(pbmc, color, **extra)


@pytest.mark.parametrize(
    "nothing",
    [np.zeros((700, 0)), np.zeros((700, 0, 3)), sparse.csr_matrix((700, 0))],
    ids=["array", "cube", "sparse"],
)
def test_no_frame_at_all(pbmc, nothing):
    pbmc.obsm["nothing"] = nothing
    pbmc.obsm["no_column"] = pd.DataFrame(index=pbmc.obs_names)
    for key in ("nothing", "no_column"):
        with pytest.raises(ValueError, match=rf"'{key}' has shape \(700, 0.*no frame to show"):
            sources(pbmc, key)


def test_arrays_of_pandas_mean_what_columns_of_them_mean(pbmc):
    """Categories in their own order, also numbered ones; integers with gaps are numbers."""
    pbmc.obs["numbered"] = pd.Categorical(np.arange(700) % 3, categories=[2, 0, 1])
    pbmc.obs["gaps"] = pd.Series([None, 1] * 350, dtype="Int64", index=pbmc.obs_names)
    for name in ("bulk_labels", "numbered", "gaps"):
        column, frames = only(pbmc, name), [pbmc.obs[name]]
        for same in (only(pbmc, frames), only(pbmc, frames.__getitem__, n_frames=1)):
            assert type(same) is type(column)
            np.testing.assert_array_equal(same.read(0), column.read(0))
    categories = only(pbmc, [pbmc.obs["bulk_labels"]]).categories
    assert categories == list(pbmc.obs["bulk_labels"].cat.categories)
    np.testing.assert_array_equal(only(pbmc, "gaps").read(0), [np.nan, 1.0] * 350)


@pytest.mark.parametrize("dtype", [">f8", "f2"])
def test_columns_of_numbers_that_pandas_does_not_compute_with(pbmc, dtype):
    values = np.arange(700) / 4
    pbmc.obs["odd"] = values.astype(dtype)
    for color in ("odd", ["odd", "odd"], [pbmc.obs["odd"]]):
        source = only(pbmc, color)
        np.testing.assert_array_equal(source.read(0), values.astype(dtype).astype(float))


def test_arrow_dictionaries_are_categories(pbmc):
    pa = pytest.importorskip("pyarrow")
    words = pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    few = pbmc.obs["bulk_labels"].astype(object).where(np.arange(700) % 3 > 0, None)
    pbmc.obs["plain"], pbmc.obs["arrow"] = few.astype("category"), few.astype(words)
    for color in ("arrow", [pbmc.obs["arrow"]]):
        source, expected = only(pbmc, color), only(pbmc, "plain")
        assert list(source.categories) == list(expected.categories)
        np.testing.assert_array_equal(source.read(0), expected.read(0))


def test_no_comes_before_yes_as_in_scanpy(pbmc):
    counts = pbmc.obs["n_counts"]
    source = only(pbmc, [counts > 0, counts > 3000])
    assert source.categories == ["False", "True"]
    np.testing.assert_array_equal(source.read(1), counts > 3000)


def test_a_frame_without_any_value_goes_with_either_kind(pbmc):
    nothing = np.full(700, np.nan)
    assert isinstance(only(pbmc, [nothing, pbmc.obs["n_counts"]]), Continuous)
    source = only(pbmc, [nothing, pbmc.obs["phase"]])
    assert isinstance(source, Categorical)
    assert (source.read(0) == -1).all()
    np.testing.assert_array_equal(source.read(1), pbmc.obs["phase"].cat.codes)


def test_errors_read_as_they_were_written(pbmc):
    """A KeyError shows its message in quotes, all on one line; these do not."""
    for call in (
        lambda: sources(pbmc, "LYS"),
        lambda: sca.tl.label_propagation(pbmc, "bulk_label"),
        lambda: sca.tl.label_propagation(pbmc, ["nobody"]),
        lambda: sca.tl.label_propagation(pbmc, [0], obsp="nope"),
        lambda: sca.tl.assign_labels(pbmc),
    ):
        with pytest.raises(KeyError) as caught:
            call()
        assert str(caught.value)[0] not in "'\""


def test_bad_classes(propagated):
    with pytest.raises(
        KeyError, match=r"'Dendrite' is no class of 'types'. Did you mean 'Dendritic'"
    ):
        sources(propagated, "types", classes="Dendrite")
    with pytest.raises(ValueError, match="single class"):
        sources(propagated, "label_propagation", classes="Dendritic")
