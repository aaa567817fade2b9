"""Correct and Smooth: what is known beforehand, corrected at the seeds, smoothed on the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

import scanpy_anim.tl as tl
from scanpy_anim._read_result import present_seeds, read_result
from scanpy_anim.tl._choice import Candidate, best_of
from scanpy_anim.tl._signal import SeedTable
from tests.tl import reference

if TYPE_CHECKING:
    import io
    from pathlib import Path

    from anndata import AnnData

KEY = "label_propagation"


def _few(pbmc: AnnData, per_class: int, seed: int = 0, column: str = "bulk_labels") -> None:
    shuffled = pbmc.obs.sample(frac=1, random_state=seed)
    few = shuffled.groupby(column, observed=True).head(per_class).index
    pbmc.obs["few"] = pbmc.obs[column].where(pbmc.obs_names.isin(few))


def _random_prior(n_obs: int, n_classes: int) -> np.ndarray:
    values = np.random.default_rng(0).random((n_obs, n_classes)) ** 3
    return values / values.sum(axis=1, keepdims=True)


def _dense(graph: Any, prior: np.ndarray, told: np.ndarray, alpha: float) -> np.ndarray:
    """The signal to smooth, by dense solves in float64."""
    seeded = told.any(axis=1)
    wrong = np.where(seeded[:, None], told - prior, 0)
    signal = np.maximum(prior + reference.soft_limit(graph, wrong, alpha, "symmetric"), 0)
    signal /= signal.sum(axis=1, keepdims=True)
    signal[seeded] = told[seeded]
    return signal


@pytest.mark.parametrize("alpha", [0.5, 0.8, "auto"])
def test_it_is_correct_and_smooth(pbmc: AnnData, alpha: Any) -> None:
    _few(pbmc, 5)
    prior = _random_prior(700, 10)
    tl.label_propagation(pbmc, "few", prior=prior, alpha=alpha, tol=0, max_iter=3)
    number = 0.8 if alpha == "auto" else alpha
    assert pbmc.uns[KEY]["params"]["alpha"] == number
    assert pbmc.uns[KEY]["params"]["clamp"] == "soft"
    graph, codes = pbmc.obsp["connectivities"], pbmc.obs["few"].cat.codes.to_numpy()
    told = np.zeros((700, 10))
    told[codes >= 0, codes[codes >= 0]] = 1
    signal = _dense(graph, prior, told, number)
    expected = reference.soft(graph, signal, number, "symmetric", 3)
    expected.append(reference.soft_limit(graph, signal, number, "symmetric"))
    for t, scores in enumerate(expected):
        np.testing.assert_allclose(pbmc.obsm[KEY][:, t], scores, rtol=1e-4, atol=2e-6)
    np.testing.assert_array_equal(pbmc.obs[KEY].cat.codes, expected[-1].argmax(axis=1))
    np.testing.assert_allclose(pbmc.obsm[f"{KEY}_prior"], prior, rtol=1e-6)


def test_a_representation_is_regressed_on_by_scikit_learn(pbmc: AnnData) -> None:
    _few(pbmc, 5)
    tl.label_propagation(pbmc, "few", prior="X_pca")
    cells = pbmc.obsm["X_pca"].astype(float)
    told = pbmc.obs["few"].notna().to_numpy()
    cells = (cells - cells[told].mean(axis=0)) / cells.std()
    model = LogisticRegression(max_iter=1000).fit(cells[told], pbmc.obs["few"].cat.codes[told])
    np.testing.assert_allclose(pbmc.obsm[f"{KEY}_prior"], model.predict_proba(cells), atol=1e-4)
    assert pbmc.uns[KEY]["params"]["prior"] == "X_pca"
    tl.label_propagation(pbmc, "few", prior=model.predict_proba(cells), key_added="given")
    np.testing.assert_allclose(pbmc.obsm["given"], pbmc.obsm[KEY], atol=1e-3)


@pytest.mark.parametrize("column", ["bulk_labels", "louvain"])
def test_features_help_where_seeds_are_few(pbmc: AnnData, column: str) -> None:
    accuracies = []
    for seed in range(4):
        _few(pbmc, 5, seed, column)
        asked = pbmc.obs["few"].isna().to_numpy()
        truth = pbmc.obs[column].astype(str).to_numpy()[asked]
        row = []
        for how in ({}, {"prior": "X_pca"}):
            tl.label_propagation(pbmc, "few", method="direct", **how)
            row.append((pbmc.obs[KEY].astype(str).to_numpy()[asked] == truth).mean())
        cells, told = pbmc.obsm["X_pca"], pbmc.obs["few"].astype(str).to_numpy()[~asked]
        nearest = KNeighborsClassifier(9).fit(cells[~asked], told)
        row.append((nearest.predict(cells[asked]) == truth).mean())
        classes = pbmc.obs[KEY].cat.categories.to_numpy()
        regression = classes[pbmc.obsm[f"{KEY}_prior"].argmax(axis=1)][asked]
        row.append((regression == truth).mean())
        accuracies.append(row)
    alone, with_prior, nearest_cells, regressed = np.mean(accuracies, axis=0)
    assert with_prior >= max(nearest_cells, regressed) - 0.01
    assert with_prior >= alone - 0.01


def test_too_few_seeds_to_learn_from_are_said(pbmc: AnnData, logged: io.StringIO) -> None:
    for per_class, said in ((1, True), (3, False)):
        _few(pbmc, per_class)
        logged.truncate(0)
        tl.label_propagation(pbmc, "few", prior="X_pca", method="direct")
        assert ("labels are mostly better without prior" in logged.getvalue()) is said


def test_a_table_is_aligned_on_cells_and_classes(pbmc: AnnData) -> None:
    _few(pbmc, 5)
    prior = _random_prior(700, 10)
    classes = [str(name) for name in pbmc.obs["few"].cat.categories]
    tl.label_propagation(pbmc, "few", prior=prior)
    expected = pbmc.obsm[KEY].copy()
    table = pd.DataFrame(prior, index=pbmc.obs_names, columns=classes)
    for other in (
        table.iloc[::-1, ::-1],
        table * 3,
        sparse.csr_matrix(prior),
        prior.astype(np.float32),
    ):
        tl.label_propagation(pbmc, "few", prior=other)
        np.testing.assert_allclose(pbmc.obsm[KEY], expected, atol=1e-6)


@pytest.mark.parametrize("history", ["scores", "labels"])
@pytest.mark.parametrize("prior", ["X_pca", "given"])
def test_confidence_and_sets_hold_out_what_the_prior_was_told(
    pbmc: AnnData, tmp_path: Path, prior: str, history: str
) -> None:
    _few(pbmc, 20)
    given = prior if prior == "X_pca" else _random_prior(700, 10)
    tl.label_propagation(pbmc, "few", prior=given, history=history)
    result = read_result(pbmc, KEY)
    assert result is not None
    seeds = present_seeds(pbmc, result)
    assert seeds is not None
    positions = np.flatnonzero(pbmc.obs["few"].notna())
    np.testing.assert_array_equal(seeds.positions, positions)
    before = pbmc.obs[KEY].copy()
    pbmc.write_h5ad(tmp_path / "cells.h5ad")
    for adata in (pbmc, anndata.read_h5ad(tmp_path / "cells.h5ad")):
        tl.assign_labels(adata, calibrate=True, coverage=0.9)
        assert (adata.obs[KEY] == before).all()
        asked = adata.obs["few"].isna().to_numpy()
        truth = adata.obs[KEY].cat.categories.get_indexer(adata.obs["bulk_labels"].astype(str))
        covered = adata.obsm[f"{KEY}_set"][np.arange(700), truth][asked].mean()
        assert 0.84 < covered < 0.98
    with pytest.raises(ValueError, match="positions among other"):
        tl.assign_labels(pbmc[::2].copy(), calibrate=True)
    tl.label_propagation(pbmc, "few")
    assert f"{KEY}_prior" not in pbmc.obsm
    assert f"{KEY}_set" not in pbmc.obsm


def test_cells_of_which_nothing_is_known_may_be_of_any_class(pbmc: AnnData) -> None:
    _few(pbmc, 5)
    prior = _random_prior(700, 10)
    prior[::3] = 0
    tl.label_propagation(pbmc, "few", prior=prior)
    np.testing.assert_allclose(pbmc.obsm[f"{KEY}_prior"][::3], 0.1, rtol=1e-6)
    assert pbmc.obs[KEY].notna().all()


GOOD = _random_prior(700, 10)
BAD = {
    "shape": ({"prior": GOOD[:, :9]}, ValueError, r"prior of shape \(700, 9\) must be \(700, 10\)"),
    "cells": ({"prior": GOOD[:5]}, ValueError, r"prior of shape \(5, 10\)"),
    "one column": ({"prior": GOOD[:, 0]}, ValueError, r"prior of shape \(700,\)"),
    "negative": ({"prior": GOOD - 0.5}, ValueError, "prior: probabilities are 0 or more"),
    "NaN": ({"prior": np.where(GOOD > 0.2, np.nan, GOOD)}, ValueError, "prior: .* are NaN"),
    "words": ({"prior": GOOD.astype(str)}, TypeError, "prior of dtype <U.*: pass probabilities"),
    "zero": ({"prior": 0 * GOOD}, ValueError, "prior is 0 everywhere"),
    "no such": ({"prior": "X_pcb"}, KeyError, "prior='X_pcb' is not in adata.obsm.*'X_pca'"),
    "columns": ({"prior": pd.DataFrame(GOOD)}, KeyError, "index entries do not occur"),
    "hard": ({"prior": GOOD, "clamp": "hard"}, ValueError, "clamp='hard' holds the seeds alone"),
    "one class": ({"prior": GOOD, "seeds": [0, 1]}, ValueError, "the seeds are of one"),
}


@pytest.mark.parametrize(("how", "error", "message"), BAD.values(), ids=BAD)
def test_bad_input(
    pbmc: AnnData, how: dict[str, Any], error: type[Exception], message: str
) -> None:
    seeds = how.get("seeds", "bulk_labels")
    fields = set(pbmc.obsm), set(pbmc.obs), set(pbmc.uns)
    with pytest.raises(error, match=message):
        tl.label_propagation(pbmc, seeds, **{k: v for k, v in how.items() if k != "seeds"})
    assert (set(pbmc.obsm), set(pbmc.obs), set(pbmc.uns)) == fields


def test_columns_that_are_no_classes_are_refused(pbmc: AnnData) -> None:
    table = pd.DataFrame(GOOD, index=pbmc.obs_names, columns=[f"t{i}" for i in range(10)])
    with pytest.raises(KeyError, match=r"prior has columns 't0'.*but the classes are"):
        tl.label_propagation(pbmc, "bulk_labels", prior=table)


@pytest.mark.parametrize("size", [1e308, 1e300, 1.0, 1e-300, 1e-320])
def test_only_the_shares_of_a_prior_count(pbmc: AnnData, size: float) -> None:
    _few(pbmc, 3)
    shares = np.tile([1.0, 0.5, *[0.25] * 8], (pbmc.n_obs, 1))
    tl.label_propagation(pbmc, "few", prior=shares * size, method="direct")
    np.testing.assert_allclose(pbmc.obsm[f"{KEY}_prior"], shares / 3.5, rtol=1e-3)


def test_priors_with_gaps_and_of_no_shape(pbmc: AnnData) -> None:
    _few(pbmc, 3)
    with pytest.raises(ValueError, match="prior is no table of probabilities"):
        tl.label_propagation(pbmc, "few", prior=[[1, 2], [3]])
    nullable = pd.DataFrame(np.full((700, 10), 0.1), pbmc.obs_names).astype("Float64")
    nullable.columns = pbmc.obs["few"].cat.categories
    tl.label_propagation(pbmc, "few", prior=nullable, method="direct")
    nullable.iloc[5, 2] = pd.NA
    with pytest.raises(ValueError, match=r"prior: 1 of 7000 values are NaN .* at \(5, 2\)"):
        tl.label_propagation(pbmc, "few", prior=nullable, method="direct")
    masked = np.ma.MaskedArray(np.eye(10)[np.zeros(700, int)], mask=False)
    masked[7] = np.ma.masked
    tl.label_propagation(pbmc, "few", prior=masked, method="direct", key_added="masked")
    np.testing.assert_allclose(pbmc.obsm["masked_prior"][7], 0.1, rtol=1e-6)


def test_features_are_not_smoothed_where_neighbors_are_of_other_classes() -> None:
    """A graph that joins other classes, and one that joins the same: by what each one does."""
    random = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 200)
    features = random.normal(size=(600, 4)) + 2.5 * np.eye(4)[truth]
    cells = anndata.AnnData(np.zeros((600, 1), np.float32), obsm={"X_pca": features})
    cells.obs["few"] = pd.Categorical.from_codes(
        np.where(random.random(600) < 0.3, truth, -1), ["A", "B", "C"]
    )
    asked, accuracy = cells.obs["few"].isna().to_numpy(), {}
    for graph, joined in (("wrong", np.not_equal), ("true", np.equal)):
        edges = sparse.csr_array(
            np.triu(joined.outer(truth, truth), 1) * (random.random((600, 600)) < 0.02)
        )
        cells.obsp["connectivities"] = edges + edges.T
        for alpha in ("auto", 0.8, 0.2):
            tl.label_propagation(
                cells, "few", prior="X_pca", alpha=alpha, obsp="connectivities", method="direct"
            )
            found = cells.obs[KEY].cat.codes.to_numpy()
            accuracy[graph, alpha] = (found == truth)[asked].mean()
            if alpha == "auto":
                params = cells.uns[KEY]["params"]
                assert params["alpha"] == (0.8 if graph == "true" else 0.2)
                assert f"alpha={params['alpha']:g}" in params["chosen"]["taken"]
        prior = cells.obsm[f"{KEY}_prior"].argmax(axis=1)
        assert accuracy[graph, "auto"] >= (prior == truth)[asked].mean() - 0.01
    assert accuracy["wrong", "auto"] > accuracy["wrong", 0.8] + 0.02
    assert accuracy["true", "auto"] > accuracy["true", 0.2] + 0.01


def test_caution_is_for_seeds_that_are_unlike_the_cells() -> None:
    """Another alpha names two of 60 seeds more: taken where they are drawn like the cells."""
    candidates = [Candidate(alpha, "soft", False, 1) for alpha in (0.8, 0.2)]
    for n_first, found, alpha in (
        (48, [480, 120], 0.2),
        (48, [100, 500], 0.8),
        (30, [300, 300], 0.8),
    ):
        truth = np.repeat([0, 1], [n_first, 60 - n_first])
        seeds = SeedTable(np.arange(60), truth, np.ones(60), 2)
        names = np.stack([truth, truth])
        names[0, [0, 1, 2, 3]] ^= 1
        names[1, [4, 5]] ^= 1
        said = [np.where(np.eye(2)[each] > 0, 0.9, 0.1) for each in names]
        chosen = best_of(candidates, said, truth, np.array(found), seeds, sure=5.0)
        assert chosen.taken.alpha == alpha
        assert chosen.accuracy[1] > chosen.accuracy[0]


@pytest.mark.parametrize("n_single", [1, 4])
def test_classes_of_a_single_seed_are_learned_too(
    pbmc: AnnData, logged: io.StringIO, n_single: int
) -> None:
    """Some classes have one seed among others with ten; choosing and calibrating keep it."""
    _few(pbmc, 10)
    names = pbmc.obs["few"].cat.categories
    for name in names[:n_single]:
        of_class = pbmc.obs_names[pbmc.obs["few"] == name]
        pbmc.obs.loc[of_class[1:], "few"] = np.nan
    tl.label_propagation(pbmc, "few", prior="X_pca")
    tl.assign_labels(pbmc, calibrate=True, coverage=0.8)
    truth, told = pbmc.obs["bulk_labels"].cat.codes.to_numpy(), pbmc.obs["few"].notna().to_numpy()
    right = pbmc.obs[KEY].cat.codes.to_numpy() == truth
    by_features = pbmc.obsm[f"{KEY}_prior"].argmax(axis=1) == truth
    assert right[~told].mean() >= by_features[~told].mean() - 0.02
    assert np.isfinite(pbmc.obs[f"{KEY}_confidence"]).all()
    # nothing is promised of the cells of such a class, and that is said
    assert f"promises nothing of cells of {names[0]!r}" in logged.getvalue()
    held = pbmc.obsm[f"{KEY}_set"][np.arange(700), truth]
    assert held[~told & (truth >= n_single)].mean() > 0.7
