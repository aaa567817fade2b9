"""How to propagate where the call leaves it open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.spatial import cKDTree

import scanpy_anim.tl as tl
from scanpy_anim.tl._calibration import folds
from scanpy_anim.tl._choice import choose
from scanpy_anim.tl._held_out import class_proportions, weights_of_held_out
from scanpy_anim.tl._signal import SeedTable
from tests.tl import reference

if TYPE_CHECKING:
    import io
    from pathlib import Path

    from anndata import AnnData

KEY = "label_propagation"


def _blobs(sizes: list[int], spread: float, seed: int = 0) -> AnnData:
    """Cells of known types around random centers, on the graph of their ten nearest."""
    random = np.random.default_rng(seed)
    types = np.repeat(np.arange(len(sizes)), sizes)
    centers = random.normal(size=(len(sizes), 6))
    cells = centers[types] + spread * random.normal(size=(len(types), 6))
    _, nearest = cKDTree(cells).query(cells, 11)
    rows = np.repeat(np.arange(len(types)), 10)
    graph = sparse.csr_matrix((np.ones(len(rows)), (rows, nearest[:, 1:].ravel())))
    obs = pd.DataFrame({"type": pd.Categorical([f"t{t}" for t in types])})
    obs.index = [f"cell{i}" for i in range(len(types))]
    adata = anndata.AnnData(obs=obs)
    adata.obsp["connectivities"] = ((graph + graph.T) / 2).astype(np.float32)
    adata.uns["neighbors"] = {"connectivities_key": "connectivities"}
    return adata


def _draw(adata: AnnData, column: str, how: float, seed: int) -> None:
    """Keep so many labels of each type, or this share of all."""
    random = np.random.default_rng(seed)
    types = adata.obs[column]
    told = random.random(adata.n_obs) < how
    if how >= 1:
        told[:] = False
        for name in types.cat.categories:
            members = np.flatnonzero(types == name)
            told[random.choice(members, min(int(how), len(members) // 2), replace=False)] = True
    adata.obs["few"] = types.where(told)


def _accuracy(adata: AnnData, column: str, **how: Any) -> float:
    tl.label_propagation(adata, "few", method="direct", **how)
    asked = adata.obs["few"].isna()
    return float((adata.obs[KEY].astype(str) == adata.obs[column].astype(str))[asked].mean())


@pytest.mark.parametrize("how", [1, 5, 20, 0.05, 0.2])
def test_what_is_chosen_is_nearly_the_best(pbmc: AnnData, how: float) -> None:
    """As good as the best fixed choice on the mean of some sets, which is another each time."""
    blobs = _blobs([900, 400, 150, 100, 60, 40], 0.6)
    fixed = ({"alpha": 0.99}, {"alpha": 0.8}, {"clamp": "hard"})
    accuracies = []
    for adata, column in ((pbmc, "bulk_labels"), (pbmc, "louvain"), (blobs, "type")):
        for seed in range(2):
            _draw(adata, column, how, seed)
            accuracies.append([_accuracy(adata, column, **c) for c in ({}, *fixed)])
    mean = np.mean(accuracies, axis=0)
    assert mean[0] >= mean[1:].max() - 0.02


def test_held_out_seeds_are_named_as_by_dense_iteration() -> None:
    adata = _blobs([120, 60, 30], 1.1)
    _draw(adata, "type", 8, 0)
    graph = adata.obsp["connectivities"]
    positions = np.flatnonzero(adata.obs["few"].notna())
    classes = adata.obs["few"].cat.codes.to_numpy()[positions].astype(int)
    seeds = SeedTable(positions, classes, np.ones(len(positions)), 3)
    choice = choose(graph, seeds, soft_only=False, normalization="symmetric")
    right: dict[str, int] = {}
    for kept, out in folds(classes, 3):
        signal = np.zeros((210, 3))
        signal[positions[kept], classes[kept]] = 1
        ways = {
            "clamp='soft', alpha=0.8": reference.soft(graph, signal, 0.8, "symmetric", 15)[-1],
            "clamp='soft', alpha=0.95": reference.soft(graph, signal, 0.95, "symmetric", 30)[-1],
        }
        hard = reference.hard(graph, signal, positions[kept], 30)[-1]
        ways["clamp='hard', without class mass"] = hard
        weights = np.bincount(classes[kept]) / hard.sum(axis=0)
        ways["clamp='hard', with class mass"] = hard * weights
        for name, scores in ways.items():
            labels = scores[positions[out]].argmax(axis=1)
            right[name] = right.get(name, 0) + int((labels == classes[out]).sum())
    assert choice.n_held_out == len(positions) == 24
    found = dict(zip(map(str, choice.candidates), choice.accuracy, strict=True))
    assert found.keys() == right.keys()
    for name, count in right.items():
        assert found[name] == pytest.approx(count / 24)
    assert found[str(choice.taken)] >= max(found.values()) - 0.05


def test_proportions_are_those_of_the_cells_not_of_the_seeds() -> None:
    random = np.random.default_rng(0)
    confusion = np.array([[0.8, 0.2, 0, 0], [0.1, 0.7, 0.2, 0], [0, 0.1, 0.9, 0], [0, 0, 0.3, 0.7]])
    of_cells = np.array([0.7, 0.2, 0.07, 0.03])
    truth = np.repeat(np.arange(4), 3000)
    named = np.array([random.choice(4, p=confusion[t]) for t in truth])
    found = np.round(1e5 * of_cells @ confusion).astype(int)
    proportions = class_proportions(truth, named, found)
    np.testing.assert_allclose(proportions, of_cells, atol=0.06)
    # nearer than what is found, and much nearer than the seeds
    error = np.abs(proportions - of_cells).sum()
    assert error < 0.5 * np.abs(found / found.sum() - of_cells).sum()
    assert error < 0.2 * np.abs(0.25 - of_cells).sum()
    weights = weights_of_held_out(truth, proportions)
    assert weights.mean() == pytest.approx(1)
    by_class = np.bincount(truth, weights=weights) / len(truth)
    np.testing.assert_allclose(by_class, proportions)


def test_classes_never_held_out_have_no_proportion() -> None:
    proportions = class_proportions(np.array([0, 0, 2]), np.array([0, -1, 2]), np.array([5, 9, 1]))
    assert proportions[1] == 0
    assert proportions.sum() == pytest.approx(1)
    unknown = class_proportions(np.array([0, 0, 2]), np.array([0, -1, 2]), np.zeros(3, dtype=int))
    np.testing.assert_allclose(unknown, [2 / 3, 0, 1 / 3])


def test_what_was_chosen_is_recorded_logged_and_stored(
    pbmc: AnnData, logged: io.StringIO, tmp_path: Path
) -> None:
    _draw(pbmc, "bulk_labels", 20, 0)
    tl.label_propagation(pbmc, "few")
    params = pbmc.uns[KEY]["params"]
    chosen = params["chosen"]
    assert chosen["taken"] in chosen["candidates"]
    assert chosen["taken"] in logged.getvalue()
    assert "held-out seeds" in chosen["why"]
    assert params["clamp"] in ("soft", "hard")
    assert 0 < params["alpha"] < 1
    before = pbmc.obs[KEY].copy()
    tl.label_propagation(
        pbmc, "few", alpha=params["alpha"], clamp=params["clamp"], key_added="again"
    )
    tl.assign_labels(pbmc, key="again", class_mass=params["class_mass"])
    assert (pbmc.obs["again"] == before).all()
    assert "chosen" not in pbmc.uns["again"]["params"]
    pbmc.write_h5ad(tmp_path / "cells.h5ad")
    read = anndata.read_h5ad(tmp_path / "cells.h5ad")
    assert read.uns[KEY]["params"]["chosen"]["taken"] == chosen["taken"]
    tl.assign_labels(read)
    assert (read.obs[KEY] == before).all()


@pytest.mark.parametrize("history", ["scores", "labels"])
def test_few_seeds_are_not_held_out(pbmc: AnnData, history: str) -> None:
    _draw(pbmc, "bulk_labels", 1, 0)
    tl.label_propagation(pbmc, "few", history=history)
    params = pbmc.uns[KEY]["params"]
    assert (params["clamp"], params["class_mass"]) == ("hard", True)
    assert "evenly" in params["chosen"]["why"]
    uneven = {"A": list(range(12)), "B": [20, 21], "C": [30]}
    tl.label_propagation(pbmc, uneven, history=history)
    params = pbmc.uns[KEY]["params"]
    assert (params["alpha"], params["clamp"]) == (0.8, "soft")
    assert "unevenly" in params["chosen"]["why"]


def test_labels_kept_are_those_assigned_whatever_was_chosen() -> None:
    adata = _blobs([900, 300, 150], 0.9)
    taken = set()
    for how in (1, 5, 20, 0.1):
        _draw(adata, "type", how, 1)
        tl.label_propagation(adata, "few", history="labels")
        taken.add(adata.uns[KEY]["params"]["chosen"]["taken"])
        codes = adata.obsm[KEY][:, -1]
        np.testing.assert_array_equal(codes, adata.obs[KEY].cat.codes)
    assert len(taken) > 1


def test_numbers_are_taken_as_they_are(pbmc: AnnData) -> None:
    _draw(pbmc, "bulk_labels", 20, 0)
    for how, alpha, clamp in (
        ({"alpha": 0.7}, 0.7, "soft"),
        ({"clamp": "hard"}, 0.99, "hard"),
        ({"alpha": 0.6, "clamp": "soft"}, 0.6, "soft"),
    ):
        tl.label_propagation(pbmc, "few", **how)
        params = pbmc.uns[KEY]["params"]
        assert (params["alpha"], params["clamp"]) == (alpha, clamp)
        assert "chosen" not in params
    tl.label_propagation(pbmc, "few", clamp="soft")
    assert pbmc.uns[KEY]["params"]["clamp"] == "soft"
    assert pbmc.uns[KEY]["params"]["alpha"] in (0.8, 0.95)
    tl.label_propagation(pbmc, [0, 1])
    assert pbmc.uns[KEY]["params"]["alpha"] == 0.99
    assert pbmc.uns[KEY]["params"]["clamp"] == "soft"
    tl.label_propagation(pbmc, "bulk_labels")
    assert pbmc.uns[KEY]["params"]["clamp"] == "soft"  # every cell a seed: none left to hold
    tl.label_propagation(pbmc, "few", normalization="pagerank")
    assert pbmc.uns[KEY]["params"]["clamp"] == "soft"


def test_uneven_seeds_near_alpha_one_are_warned_about(pbmc: AnnData, logged: io.StringIO) -> None:
    seeds = {"A": list(range(40)), "B": [50, 51], "C": [60, 61]}
    tl.label_propagation(pbmc, seeds, alpha=0.99)
    assert "alpha=0.99 with 2 to 40 seeds a class" in logged.getvalue()
    logged.truncate(0)
    tl.label_propagation(pbmc, seeds, alpha=0.8)
    tl.label_propagation(pbmc, seeds)
    tl.label_propagation(pbmc, {"A": [0, 1, 2], "B": [50, 51]}, alpha=0.99)
    assert "seeds a class hands" not in logged.getvalue()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"alpha": "automatic"}, "alpha='automatic' must be a number between 0 and 1, or 'auto'"),
        ({"alpha": None}, "alpha=None must lie between 0 and 1"),
        ({"clamp": "firm"}, r"clamp='firm' is unknown.*'auto'"),
        ({"clamp": None}, "clamp=None is unknown"),
    ],
)
def test_bad_input(pbmc: AnnData, how: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tl.label_propagation(pbmc, "bulk_labels", **how)
    assert KEY not in pbmc.uns
