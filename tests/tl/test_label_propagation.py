"""AnnData in, AnnData out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import scanpy_anim.tl as tl

from . import reference

if TYPE_CHECKING:
    import io
    from pathlib import Path

KEY = "label_propagation"


def _state(adata: AnnData) -> tuple[object, ...]:
    return (
        list(adata.obs),
        list(adata.obsm),
        list(adata.uns),
        adata.obs.to_csv(),
        adata.obsp["connectivities"].data.tobytes(),
    )


def _few(adata: AnnData, per_class: int = 3) -> None:
    """A column that labels a few cells of each type."""
    few = adata.obs.groupby("bulk_labels", observed=True).head(per_class).index
    adata.obs["few"] = adata.obs["bulk_labels"].where(adata.obs_names.isin(few))
    adata.uns["few_colors"] = list(adata.uns["bulk_labels_colors"])


def test_one_class_stores_what_the_contract_says(pbmc: AnnData) -> None:
    assert tl.label_propagation(pbmc, [3, 5], alpha=0.9, tol=0, max_iter=6) is None
    signal = np.isin(np.arange(700), [3, 5])
    way = reference.soft(pbmc.obsp["connectivities"], signal, 0.9, "symmetric", 6)
    limit = reference.soft_limit(pbmc.obsp["connectivities"], signal, 0.9, "symmetric")
    scores = pbmc.obsm[KEY]
    np.testing.assert_allclose(scores, np.c_[np.array(way).T, limit], rtol=1e-4, atol=1e-12)
    assert scores.dtype == np.float32
    assert scores.flags.c_contiguous
    np.testing.assert_array_equal(pbmc.obs[KEY], scores[:, -1])
    record = pbmc.uns[KEY]
    assert record["params"]["alpha"] == 0.9
    assert record["params"]["max_iter"] == 6
    assert "seeds" not in record["params"]
    assert "classes" not in record
    np.testing.assert_array_equal(record["seeds"]["positions"], [3, 5])
    np.testing.assert_array_equal(record["seeds"]["classes"], [0, 0])
    np.testing.assert_array_equal(record["iterations"], [0, 1, 2, 3, 4, 5, 6, np.inf])
    assert len(record["residuals"]) == len(record["unreached"]) == record["n_iter"] == 6
    assert record["converged"] is False
    assert record["unreached"][-1] == (scores[:, 6] == 0).sum()
    assert f"{KEY}_proba" not in pbmc.obsm
    assert f"{KEY}_confidence" not in pbmc.obs


def test_several_classes_store_what_the_contract_says(pbmc: AnnData) -> None:
    _few(pbmc)
    tl.label_propagation(pbmc, "few", tol=0, max_iter=4)
    record, scores = pbmc.uns[KEY], pbmc.obsm[KEY]
    types = list(pbmc.obs["bulk_labels"].cat.categories)
    assert scores.shape == (700, 6, 10)
    assert scores.flags.c_contiguous
    assert list(record["classes"]) == types
    assert record["params"]["seeds"] == "few"
    assert len(record["flips"]) == 4
    seeds = record["seeds"]
    for position, seeded in zip(seeds["positions"], seeds["classes"], strict=True):
        assert pbmc.obs["few"].iloc[position] == types[seeded]
    labels = pbmc.obs[KEY]
    assert list(labels.cat.categories) == types
    np.testing.assert_array_equal(labels.cat.codes, scores[:, -1].argmax(axis=1))
    assert list(pbmc.uns[f"{KEY}_colors"]) == list(pbmc.uns["bulk_labels_colors"])
    shares = pbmc.obsm[f"{KEY}_proba"]
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    expected = scores[:, -1] / scores[:, -1].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, expected, rtol=1e-5)
    np.testing.assert_allclose(pbmc.obs[f"{KEY}_confidence"], expected.max(axis=1), rtol=1e-5)
    assert (labels == pbmc.obs["bulk_labels"]).mean() > 0.5


def test_cells_no_seed_reaches_have_no_label(islands: AnnData) -> None:
    tl.label_propagation(islands, "kind", alpha=0.5)
    assert islands.obs[KEY].isna().tolist() == [False] * 5 + [True, True, False, True]
    unreached = islands.obs[KEY].isna()
    assert (islands.obs[f"{KEY}_confidence"][unreached] == 0).all()
    assert (islands.obsm[f"{KEY}_proba"][unreached] == 0).all(axis=None)
    assert islands.obs[KEY].iloc[7] == "A"


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
@pytest.mark.usefixtures("quiet_files")
def test_everything_round_trips(pbmc: AnnData, tmp_path: Path, suffix: str) -> None:
    _few(pbmc)
    odd = {"T/NK cell": [0], "": [1], "Ω & <b>": [2], "..": [3], "_index": [4], "T|NK cell": [5]}
    tl.label_propagation(pbmc, "few", iterations="log", neighbors_key="neighbors")
    tl.label_propagation(pbmc, ("few", ["Dendritic", "CD19+ B"]), key_added="two")
    tl.label_propagation(pbmc, ["AAAGCCTGGCTAAC-1"], key_added="one", method="direct")
    tl.label_propagation(pbmc, odd, key_added="odd", limit=False, history="scores")
    keys = (KEY, "two", "one", "odd")
    bare = AnnData(obs=pbmc.obs[[c for c in pbmc.obs if c.startswith(keys)]])
    for name in pbmc.obsm:
        if name.startswith(keys):
            bare.obsm[name] = pbmc.obsm[name]
    for name in pbmc.uns:
        if name.startswith(keys):
            bare.uns[name] = pbmc.uns[name]
    path = tmp_path / f"propagated.{suffix}"
    getattr(bare, f"write_{suffix}")(path)
    back = getattr(anndata, f"read_{suffix}")(path)
    assert list(back.uns["odd"]["classes"]) == list(odd)
    assert list(back.obs["odd"].cat.categories) == list(odd)
    for name in bare.obsm:
        np.testing.assert_array_equal(np.asarray(back.obsm[name]), np.asarray(bare.obsm[name]))
        if isinstance(bare.obsm[name], pd.DataFrame):
            assert list(back.obsm[name].columns) == list(bare.obsm[name].columns)
    for key in keys:
        _assert_same(back.uns[key], bare.uns[key])
        missing = bare.obs[key].isna()  # which pandas 3 leaves missing in strings, unlike itself
        np.testing.assert_array_equal(back.obs[key].isna(), missing)
        read, labels = (a.obs.loc[~missing.to_numpy(), key].astype(str) for a in (back, bare))
        assert (read == labels).all()


NAMES = {
    "slashes": ["CD4+/CD25 T Reg", "B/", "/x", "/", "a//b", "back\\slash"],
    "unicode": ["Ωμέγα", "细胞", "é", "e\u0301", "\u200b", "%s{}"],
    "underscores": ["_a", "__b", "_index", "_", "__categories", "a|b"],
    "markup": ["<script>alert(1)</script>", "&amp;", '"q"', "'s'", "a/b", "a|b"],
    "blank": ["", " ", "\t", "\n", "..", "."],
    "words of the format": ["dtype", "index", "values", "encoding-type", "zarr.json", ".zarray"],
    "long": ["x" * 100, "y" * 300, "z" * 5000, "Ω" * 119, "nan", "None"],
    "integers": [3, 1, 2, -4, 10, 0],
    "decimals": [1.5, 2.0, 1e10, -0.25, 1e-10, 3.0],
    "times": list(pd.date_range("2020-01-01", periods=6)),
    "very many": [f"type {number}" for number in range(130)],
}


@pytest.mark.parametrize("file", ["h5ad", "zarr 2", "zarr 3"])
@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
@pytest.mark.usefixtures("quiet_files")
def test_names_of_classes_survive_files(
    pbmc: AnnData, tmp_path: Path, names: list[object], file: str
) -> None:
    codes = np.where(np.arange(700) < 600, np.arange(700) % len(names), -1)
    adata = AnnData(obs=pbmc.obs[[]])  # whose index has a name, "index"
    adata.obs["kind"] = pd.Categorical.from_codes(codes, categories=pd.Index(names))
    adata.obsp["connectivities"] = pbmc.obsp["connectivities"]
    tl.label_propagation(adata, "kind", method="direct")
    table = adata.obsm[f"{KEY}_proba"]
    del adata.obs["kind"]  # which files may refuse for reasons of its own
    suffix, _, version = file.partition(" ")
    path = tmp_path / f"named.{suffix}"
    with anndata.settings.override(zarr_write_format=int(version or 2)):
        getattr(adata, f"write_{suffix}")(path)
        back = getattr(anndata, f"read_{suffix}")(path)
    kept = [str(name) for name in pd.Categorical(names, categories=names).categories]
    assert list(back.uns[KEY]["classes"]) == kept
    assert list(back.obs[KEY].cat.categories) == kept
    np.testing.assert_array_equal(back.obs[KEY].cat.codes, adata.obs[KEY].cat.codes)
    assert list(back.obsm[f"{KEY}_proba"].columns) == list(table.columns)
    np.testing.assert_array_equal(back.obsm[f"{KEY}_proba"], table)
    tl.assign_labels(back, class_mass=True)


def _assert_same(read: object, written: object) -> None:
    if isinstance(written, dict):
        assert set(read) == set(written)
        for name, value in written.items():
            _assert_same(read[name], value)
    else:
        np.testing.assert_array_equal(read, written)


def test_copy_leaves_the_original_alone(pbmc: AnnData) -> None:
    before = _state(pbmc)
    result = tl.label_propagation(pbmc, [0], copy=True)
    assert _state(pbmc) == before
    assert KEY in result.obsm


def test_the_order_of_an_index_does_not_matter(pbmc: AnnData) -> None:
    _few(pbmc)
    labels, order = pbmc.obs["few"], np.random.default_rng(0).permutation(700)
    table = pd.get_dummies(labels).astype(float)
    tl.label_propagation(pbmc, "few", max_iter=2, tol=0)
    expected = pbmc.obsm[KEY]
    for seeds in (labels, table, table.astype("Float64"), table.astype(pd.SparseDtype(float, 0))):
        tl.label_propagation(pbmc, seeds.iloc[order], max_iter=2, tol=0)
        np.testing.assert_array_equal(pbmc.obsm[KEY], expected)
        assert list(pbmc.uns[KEY]["classes"]) == list(labels.cat.categories)


@pytest.mark.parametrize("clamp", ["soft", "hard"])
def test_every_cell_but_one_may_be_a_seed(pbmc: AnnData, clamp: str) -> None:
    pbmc.obs["most"] = pbmc.obs["bulk_labels"].where(np.arange(700) != 13)
    tl.label_propagation(pbmc, "most", clamp=clamp, max_iter=5)
    if clamp == "hard":
        tl.assign_labels(pbmc, class_mass=False)
        assert (pbmc.obs[KEY] == pbmc.obs["bulk_labels"]).sum() >= 699
        weights = pbmc.obsp["connectivities"][13].toarray()[0]
        shares = [weights[pbmc.obs["most"] == c].sum() for c in pbmc.uns[KEY]["classes"]]
        shares = np.array(shares) / weights.sum()
        np.testing.assert_allclose(pbmc.obsm[f"{KEY}_proba"].iloc[13], shares, rtol=1e-5)
    assert pbmc.obs[KEY].iloc[13] == pbmc.obs["bulk_labels"].iloc[13]


def test_views_become_data_only_on_success(pbmc: AnnData) -> None:
    view = pbmc[::2]
    with pytest.raises(ValueError, match="max_iter"):
        tl.label_propagation(view, [0], max_iter=0)
    copied = tl.label_propagation(view, [0], copy=True)
    assert view.is_view
    assert KEY not in view.obsm
    assert copied.obsm[KEY].shape[0] == 350
    with pytest.warns(anndata.ImplicitModificationWarning):
        tl.label_propagation(view, [0])
    np.testing.assert_array_equal(view.obsm[KEY], copied.obsm[KEY])
    assert KEY not in pbmc.obsm


@pytest.mark.usefixtures("quiet_files")
def test_cells_in_a_file_are_propagated_but_not_copied(pbmc: AnnData, tmp_path: Path) -> None:
    pbmc.write_h5ad(tmp_path / "cells.h5ad")
    backed = anndata.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    before = _state(backed)
    with pytest.raises(ValueError, match=r"copy=True .*run `adata = adata\.to_memory"):
        tl.label_propagation(backed, [0], copy=True)
    with pytest.raises(ValueError, match="a view of cells that stay in a file"):
        tl.label_propagation(backed[::2], [0])
    assert _state(backed) == before
    tl.label_propagation(backed, "bulk_labels")
    tl.label_propagation(pbmc, "bulk_labels")
    np.testing.assert_array_equal(backed.obsm[KEY], pbmc.obsm[KEY])
    with pytest.raises(ValueError, match="copy=True"):
        tl.assign_labels(backed, copy=True)
    tl.assign_labels(backed, calibrate=True)
    backed.file.close()


@pytest.mark.parametrize(
    ("store", "name"),
    [("obs", "_confidence"), ("obsm", "_proba"), ("obsm", "_scores"), ("obsm", ""), ("uns", "")],
)
def test_nothing_of_the_users_is_replaced(pbmc: AnnData, store: str, name: str) -> None:
    own = np.full((700, 2) if store == "obsm" else 700, 7.0)
    getattr(pbmc, store)[KEY + name] = own
    for seeds in ([0], "bulk_labels"):
        with pytest.raises(ValueError, match=f"would replace {store}\\['{KEY}{name}'\\]"):
            tl.label_propagation(pbmc, seeds)
    np.testing.assert_array_equal(getattr(pbmc, store)[KEY + name], own)


@pytest.mark.parametrize("history", ["scores", "labels"])
@pytest.mark.parametrize("kept", [{"every": 10}, {"every": 99}, {"iterations": [0]}])
@pytest.mark.parametrize("tol", [0, 1e-2])
def test_labels_without_limit_are_those_of_the_last_iteration(
    pbmc: AnnData, history: str, kept: dict[str, object], tol: float
) -> None:
    seeds, graph = {"A": [0], "B": [1]}, pbmc.obsp["connectivities"]
    how = {"alpha": 0.99, "limit": False, "tol": tol, "max_iter": 12}
    tl.label_propagation(pbmc, seeds, history=history, **how, **kept)
    record = pbmc.uns[KEY]
    assert record["iterations"][-1] == record["n_iter"]
    signal = np.eye(700, 2)
    last = np.array(reference.soft(graph, signal, 0.99, "symmetric", record["n_iter"]))[-1]
    reached = last.any(axis=1)
    assert reached.sum() > 2
    np.testing.assert_array_equal(pbmc.obs[KEY].notna(), reached)
    np.testing.assert_array_equal(pbmc.obs[KEY].cat.codes[reached], last.argmax(axis=1)[reached])
    assert record["unreached"][-1] == (~reached).sum()


def test_very_many_iterations_are_not_counted_beforehand(pbmc: AnnData) -> None:
    tl.label_propagation(pbmc, [0], max_iter=10**9, tol=1e-4)
    assert pbmc.uns[KEY]["converged"]
    assert pbmc.uns[KEY]["params"]["max_iter"] == 10**9
    with pytest.raises(ValueError, match=r"max_iter=.*a whole number, from 1 to"):
        tl.label_propagation(pbmc, [0], max_iter=10**40)
    with pytest.raises(MemoryError, match="columns of"):
        tl.label_propagation(pbmc, [0], max_iter=10**15, tol=0)


def test_a_second_run_leaves_nothing_stale(pbmc: AnnData) -> None:
    tl.label_propagation(pbmc, "bulk_labels")
    tl.label_propagation(pbmc, [0])
    assert f"{KEY}_proba" not in pbmc.obsm
    assert f"{KEY}_confidence" not in pbmc.obs
    assert f"{KEY}_colors" not in pbmc.uns
    assert pbmc.obsm[KEY].ndim == 2


def test_the_graph_is_chosen_as_in_scanpy(pbmc: AnnData) -> None:
    own = sparse.csr_array(np.eye(700, k=1) + np.eye(700, k=-1))
    pbmc.obsp["own"] = own
    pbmc.obsp["second_connectivities"] = own
    pbmc.uns["second"] = {"connectivities_key": "second_connectivities"}
    tl.label_propagation(pbmc, [0], key_added="default")
    tl.label_propagation(pbmc, [0], obsp="own", key_added="by_obsp")
    tl.label_propagation(pbmc, [0], neighbors_key="second", key_added="by_key")
    np.testing.assert_array_equal(pbmc.obsm["by_obsp"], pbmc.obsm["by_key"])
    assert pbmc.obsm["default"].shape != pbmc.obsm["by_key"].shape
    assert pbmc.uns["by_obsp"]["params"]["obsp"] == "own"
    assert "neighbors_key" not in pbmc.uns["by_obsp"]["params"]


BAD = {
    "both graphs": ({"neighbors_key": "neighbors", "obsp": "connectivities"}, ValueError, "both"),
    "no such key": ({"neighbors_key": "nn"}, ValueError, r"'nn' is not in.*\['neighbors'\].*sc.pp"),
    "no such obsp": ({"obsp": "c"}, KeyError, "'distances', 'connectivities'|which has"),
    "distances": ({"obsp": "distances"}, ValueError, "holds distances"),
    "no seeds": ({"seeds": []}, ValueError, "seeds are empty"),
    "seeds column as key": (
        {"seeds": "bulk_labels", "key_added": "bulk_labels"},
        ValueError,
        "col",
    ),
    "a user's column as key": ({"key_added": "louvain"}, ValueError, "would replace"),
    "key with a slash": ({"key_added": "a/b"}, ValueError, "'a/b'"),
    "key with a backslash": ({"key_added": "a\\b"}, ValueError, "without slashes"),
    "key of dots": ({"key_added": ".."}, ValueError, "key_added='..'"),
    "index as key": ({"key_added": "index"}, ValueError, "name of the index"),
    "limit": ({"limit": "no"}, TypeError, "limit='no' must be True or False"),
    "no limit of the limit": ({"method": "direct", "limit": False}, ValueError, "choose one"),
    "symmetrize": ({"symmetrize": 1}, TypeError, "symmetrize=1 must be True or False"),
    "copy": ({"copy": "yes"}, TypeError, "copy='yes' must be True or False"),
    "tol": ({"tol": True}, ValueError, "tol=True"),
    "history": ({"history": "all"}, ValueError, "history='all'"),
    "alpha": ({"alpha": 1.5}, ValueError, "alpha=1.5"),
    "all seeded": ({"seeds": "bulk_labels", "clamp": "hard"}, ValueError, "every cell is a seed"),
    "wrong shape": ({"obsp": "negative"}, ValueError, "9992 weights 9992 are negative"),
}


@pytest.mark.parametrize(("arguments", "error", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_refused_before_anything_is_written(
    pbmc: AnnData, arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    pbmc.obsp["negative"] = -pbmc.obsp["connectivities"]
    before = _state(pbmc)
    with pytest.raises(error, match=message):
        tl.label_propagation(pbmc, **{"seeds": [0], **arguments})
    assert _state(pbmc) == before


def test_no_graph_says_what_to_run(pbmc: AnnData) -> None:
    bare = AnnData(obs=pbmc.obs)
    with pytest.raises(ValueError, match=r"run `sc\.pp\.neighbors\(adata\)` first"):
        tl.label_propagation(bare, [0])


def test_the_log_says_what_was_added(pbmc: AnnData, logged: io.StringIO) -> None:
    tl.label_propagation(pbmc, "bulk_labels", alpha=0.99, max_iter=1)
    said = logged.getvalue()
    assert "propagating 700 seed cells of 10 classes" in said
    assert "max_iter=1 ends the propagation with a residual of 0.409, above tol=0.01" in said
    for field in (f"'{KEY}', scores (adata.obsm)", f"'{KEY}_confidence'", f"'{KEY}_proba'"):
        assert field in said
