"""Labels, shares, class mass and calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix

import scanpy_anim.tl as tl
from scanpy_anim._decision import (
    Decision,
    class_mass_weights,
    column_names,
    decide,
    shares,
)
from scanpy_anim.tl import _decide_labels
from scanpy_anim.tl._calibration import (
    _fit_logistic,
    _fit_temperature,
    calibrate,
    drawn_otherwise,
    folds,
)
from scanpy_anim.tl._held_out import hold_out
from scanpy_anim.tl._label_sets import _together, label_sets
from tests.tl import reference

if TYPE_CHECKING:
    import io
    from pathlib import Path

    from anndata import AnnData

KEY = "label_propagation"


def _few(pbmc: AnnData, per_class: int) -> None:
    shuffled = pbmc.obs.sample(frac=1, random_state=0)
    few = shuffled.groupby("bulk_labels", observed=True).head(per_class).index
    pbmc.obs["few"] = pbmc.obs["bulk_labels"].where(pbmc.obs_names.isin(few))


def _calibration_error(confidence: np.ndarray, right: np.ndarray, n_bins: int = 10) -> float:
    """Expected calibration error: how far confidence and accuracy of a bin lie apart."""
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    return sum(
        (bins == b).mean() * abs(confidence[bins == b].mean() - right[bins == b].mean())
        for b in np.unique(bins)
    )


def test_shares_and_decisions() -> None:
    scores = np.array([[1, 3], [0, 0], [2, 2], [1e-30, 0]], dtype=np.float32)
    probability = shares(scores)
    np.testing.assert_allclose(probability, [[0.25, 0.75], [0, 0], [0.5, 0.5], [1, 0]])
    labels, confidence = decide(probability)
    np.testing.assert_array_equal(labels, [1, -1, 0, 0])
    np.testing.assert_allclose(confidence, [0.75, 0, 0.5, 1])


def test_a_decision_is_the_same_whatever_a_cell_s_scores_are_scaled_by() -> None:
    random = np.random.default_rng(0)
    scores = random.random((200, 5)) ** 4
    scale = 10.0 ** random.integers(-250, 250, size=(200, 1))
    knots = np.array([0, 0.5, 1]), np.array([0.2, 0.6, 0.9])
    for decision in (Decision(), Decision(temperature=0.3), Decision(None, None, 2.0, *knots)):
        labels, confidence = decision.of(scores)
        again, same = decision.of(scores * scale)
        np.testing.assert_array_equal(labels, scores.argmax(axis=1))
        np.testing.assert_array_equal(again, labels)
        np.testing.assert_allclose(same, confidence, rtol=1e-12)


@pytest.mark.parametrize("temperature", [None, 0.5, 3.0])
def test_probabilities_agree_with_labels_and_confidence(temperature: float | None) -> None:
    random = np.random.default_rng(0)
    scores = random.random((500, 4)) ** 6
    scores[:7] = 0
    scores[7] = [0, 0, 1, 0]
    for confidences in ([0.25, 0.4, 0.9], [0.25, 0.9, 1]):
        decision = Decision(None, None, temperature, np.array([0.25, 0.5, 1]), confidences)
        labels, confidence = decision.of(scores)
        probability = decision.probability(scores)
        assert (labels[:7] == -1).all()
        np.testing.assert_array_equal(probability[:7], 0)
        np.testing.assert_allclose(probability[7:].sum(axis=1), 1, rtol=1e-12)
        np.testing.assert_allclose(probability.max(axis=1), confidence, rtol=1e-12)
        np.testing.assert_array_equal(probability[7:].argmax(axis=1), labels[7:])
        np.testing.assert_array_equal(labels[7:], scores[7:].argmax(axis=1))
        assert (probability >= 0).all()


def test_films_of_some_cells_use_the_class_weights_of_all(pbmc: AnnData) -> None:
    _few(pbmc, 2)
    tl.label_propagation(pbmc, "few", clamp="hard")
    record, history = pbmc.uns[KEY], pbmc.obsm[KEY]
    assert record["class_weights"].shape == history.shape[1:]
    decision = Decision.from_record(record)
    few = history[::3]
    for column in range(history.shape[1]):
        expected = (history[:, column] / history[:, column].sum(axis=0, dtype=float))[::3]
        labels, _ = decision.of(few[:, column], column)
        reached = expected.any(axis=1)
        np.testing.assert_array_equal(labels[reached], expected.argmax(axis=1)[reached])
    np.testing.assert_array_equal(labels, pbmc.obs[KEY].cat.codes[::3])


def test_class_mass_gives_each_class_its_share() -> None:
    random = np.random.default_rng(0)
    scores = random.random((50, 3)) * [1, 10, 0.1]
    weights = class_mass_weights(scores, np.array([1, 1, 2]))
    np.testing.assert_allclose((scores * weights).sum(axis=0), [0.25, 0.25, 0.5])


def test_class_mass_saves_hard_clamping(pbmc: AnnData) -> None:
    _few(pbmc, 1)
    tl.label_propagation(pbmc, "few", clamp="hard", tol=0, max_iter=1)
    assert pbmc.uns[KEY]["labels"] == {"class_mass": True}
    with_mass = (pbmc.obs[KEY] == pbmc.obs["bulk_labels"]).mean()
    scores, weights = pbmc.obsm[KEY][:, -1], pbmc.obsm[f"{KEY}_proba"].to_numpy()
    expected = scores / scores.sum(axis=0)
    np.testing.assert_allclose(weights, expected / expected.sum(axis=1, keepdims=True), rtol=1e-4)
    tl.assign_labels(pbmc, class_mass=False)
    without = (pbmc.obs[KEY] == pbmc.obs["bulk_labels"]).mean()
    assert with_mass > without + 0.03


def test_the_decision_can_be_taken_again_on_labels_only(pbmc: AnnData) -> None:
    _few(pbmc, 5)
    tl.label_propagation(pbmc, "few")
    tl.label_propagation(pbmc, "few", history="labels", key_added="codes")
    for how in ({}, {"class_mass": True}, {"min_confidence": 0.4}):
        tl.assign_labels(pbmc, **how)
        tl.assign_labels(pbmc, key="codes", **how)
        np.testing.assert_array_equal(pbmc.obs[KEY].cat.codes, pbmc.obs["codes"].cat.codes)
    assert pbmc.obsm["codes"].dtype == np.int8
    assert pbmc.obsm["codes_confidence"].shape == pbmc.obsm["codes"].shape


def test_min_confidence_leaves_cells_without_label(pbmc: AnnData) -> None:
    _few(pbmc, 5)
    tl.label_propagation(pbmc, "few")
    result = tl.assign_labels(pbmc, min_confidence=0.5, copy=True)
    low = result.obs[f"{KEY}_confidence"] < 0.5
    assert 0 < low.sum() < 700
    assert (result.obs[KEY].isna() == low).all()
    assert pbmc.obs[KEY].notna().all()
    assert result.uns[KEY]["labels"]["min_confidence"] == 0.5


@pytest.mark.parametrize("history", ["scores", "labels"])
@pytest.mark.parametrize("clamp", ["soft", "hard"])
def test_calibrated_confidence_is_the_accuracy(pbmc: AnnData, clamp: str, history: str) -> None:
    _few(pbmc, 20)
    tl.label_propagation(pbmc, "few", alpha=0.99, clamp=clamp, history=history)
    before = pbmc.obs[[KEY, f"{KEY}_confidence"]].copy()
    told = pbmc.obs["few"].notna().to_numpy()
    right = (pbmc.obs[KEY] == pbmc.obs["bulk_labels"]).to_numpy()[~told]
    raw = _calibration_error(before[f"{KEY}_confidence"].to_numpy()[~told], right)
    tl.assign_labels(pbmc, calibrate=True)
    assert (pbmc.obs[KEY] == before[KEY]).all()
    calibrated = _calibration_error(pbmc.obs[f"{KEY}_confidence"].to_numpy()[~told], right)
    assert calibrated < (0.5 * raw if clamp == "soft" else 0.12)
    np.testing.assert_allclose(pbmc.obsm[f"{KEY}_proba"].sum(axis=1), 1)
    assert pbmc.uns[KEY]["temperature"] > 0
    tl.assign_labels(pbmc)
    assert "temperature" not in pbmc.uns[KEY]


def test_too_few_seeds_are_not_calibrated(
    pbmc: AnnData, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_decide_labels, "hold_out", None)  # not even tried
    _few(pbmc, 1)
    tl.label_propagation(pbmc, "few")
    before = pbmc.obsm[f"{KEY}_proba"].copy()
    tl.assign_labels(pbmc, calibrate=True)
    assert "calibration" not in pbmc.uns[KEY]
    assert "calibrate=True needs 40 seeds" in logged.getvalue()
    assert "temperature" not in pbmc.uns[KEY]
    assert pbmc.obsm[f"{KEY}_proba"].equals(before)


def test_the_temperature_is_the_most_likely_one() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(4, size=3000)
    logits = random.normal(size=(3000, 4)) + 1.5 * np.eye(4)[truth]
    probability = np.exp(0.2 * logits) / np.exp(0.2 * logits).sum(axis=1, keepdims=True)

    def loss(log_temperature: float) -> float:
        calibrated = shares(probability, temperature=float(np.exp(log_temperature)))
        return -np.log(calibrated[np.arange(3000), truth]).mean()

    best = minimize_scalar(loss, bounds=(-6, 4), method="bounded", options={"xatol": 1e-6})
    np.testing.assert_allclose(_fit_temperature(probability, truth), np.exp(best.x), rtol=5e-2)
    # few seeds have little to say against the share, and all right is no certainty
    few = np.full((10, 2), [0.7, 0.3])
    temperature = _fit_temperature(few, np.zeros(10, dtype=int))
    assert 0.7 < shares(few, temperature=temperature)[0, 0] < 0.85


def test_temperature_leaves_rows_of_zeros_and_ranks() -> None:
    probability = np.array([[0.0, 0, 0], [0.2, 0.3, 0.5], [0, 1, 0]])
    for temperature in (0.05, 1, 20):
        changed = shares(probability, temperature=temperature)
        np.testing.assert_array_equal(changed[0], 0)
        np.testing.assert_allclose(changed[1:].sum(axis=1), 1)
        np.testing.assert_array_equal(changed.argsort(), probability.argsort())
    np.testing.assert_allclose(shares(probability, temperature=1), probability)


def test_the_curve_is_the_one_that_the_truth_was_drawn_from() -> None:
    random = np.random.default_rng(0)
    odds = random.normal(1, 2, size=20_000)
    right = random.random(20_000) < 1 / (1 + np.exp(-(0.5 * odds - 0.7)))
    share = 1 / (1 + np.exp(-odds))
    slope, offset = _fit_logistic(share, right, np.ones(20_000))
    assert slope == pytest.approx(0.5, abs=0.03)
    assert offset == pytest.approx(-0.7, abs=0.05)
    # few seeds have little to say against the share, and all right is no infinity
    slope, offset = _fit_logistic(np.full(3, 0.7), np.ones(3, dtype=bool), np.ones(3))
    assert 0.7 < 1 / (1 + np.exp(-(slope * np.log(0.7 / 0.3) + offset))) < 0.85


@pytest.mark.parametrize("sharpness", [0.15, 1.0, 6.0])
@pytest.mark.parametrize("seed", range(3))
def test_what_calibration_takes_is_never_worse_by_much(sharpness: float, seed: int) -> None:
    """Shares too timid, right and too bold, by draws from the truth; asked of other draws."""
    random = np.random.default_rng(seed)
    logits = 2 * random.normal(size=(20_400, 4))
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (honest.cumsum(axis=1) > random.random((20_400, 1))).argmax(axis=1)
    said = shares(honest, temperature=1 / sharpness)
    found = calibrate(said[:400], truth[:400], np.ones(400))
    labels, share = decide(said[400:])
    confidence = decide(said[400:], temperature=found.temperature)[1]
    if found.bends:
        confidence = np.interp(confidence, *found.knots(4))
    right = labels == truth[400:]
    before, after = (_calibration_error(c, right) for c in (share, confidence))
    assert after <= max(0.05, before + 0.005)
    assert (found.method == "none") == (sharpness == 1.0)
    assert np.isfinite([found.loss_before, found.loss_after]).all()
    assert found.loss_after <= found.loss_before


def test_seeds_drawn_at_random_are_told_from_others() -> None:
    random = np.random.default_rng(0)
    found = np.array([7000, 2000, 700, 300])
    drawn = [random.choice(4, 200, p=found / found.sum()) for _ in range(200)]
    assert np.mean([drawn_otherwise(named, found) for named in drawn]) < 0.05
    assert drawn_otherwise(np.repeat(np.arange(4), 20), found)
    assert not drawn_otherwise(np.array([-1, -1, 0, 0, 0, 1]), found)


def _drawn(random: np.random.Generator, sizes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Logits of cells, and their classes, of which the last one is the hardest to tell."""
    truth = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    right = np.eye(len(sizes))[truth] * np.linspace(1.5, 0.5, len(sizes))
    return random.normal(size=right.shape) + right, truth


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("n_folds", [1, 5])
def test_sets_hold_the_truth_as_often_as_asked_where_seeds_are_like_the_cells(
    coverage: float, n_folds: int
) -> None:
    """The theorem, on exchangeable draws: coverage of each class on the mean of many draws.

    Small classes, harder than the others, are no exception. Propagations of folds differ in how
    far they may be trusted and where they stray, and none says anything of seeds that it was told.
    """
    random, held = np.random.default_rng(0), []
    for _ in range(150):
        logits, truth = _drawn(random, [700, 100, 60, 28, 26])
        seeds, cells = slice(None, 457), slice(457, None)
        fold = random.integers(n_folds, size=len(truth))
        trust = random.uniform(0.5, 1.5, n_folds)
        logits += random.normal(size=logits.shape)
        everyone = shares(np.exp(trust[fold, None] * logits)).astype(np.float32)
        own, weights = everyone[np.arange(457), truth[seeds]], np.ones(457)
        sets = label_sets(everyone[cells], own, truth[seeds], weights, coverage)
        inside = sets[np.arange(len(sets)), truth[cells]]
        small = truth[cells] > 2
        held.append([inside.mean(), inside[truth[cells] == 1].mean(), inside[small].mean()])
    everyone_held, of_class, of_small = np.mean(held, axis=0)
    assert everyone_held == pytest.approx(coverage, abs=0.01)
    assert of_class == pytest.approx(coverage, abs=0.02)
    assert of_small == pytest.approx(coverage, abs=0.04)


@pytest.mark.parametrize("sizes", [[160, 40], [170, 15, 15]])
def test_sets_keep_their_promise_where_a_class_joins_others_that_are_rare(sizes: list[int]) -> None:
    """Rare classes that went by a large one's seeds, which went by them too, lost their cells."""
    random, held = np.random.default_rng(0), []
    for _ in range(150):
        logits, truth = _drawn(random, sizes)
        logits += np.log(sizes)  # what is rare gets small shares
        seeds, cells = slice(None, 80), slice(80, None)
        everyone = shares(np.exp(logits))
        own = everyone[np.arange(80), truth[seeds]]
        sets = label_sets(everyone[cells], own, truth[seeds], np.ones(80), 0.9)
        held.append(sets[np.arange(len(sets)), truth[cells]].mean())
    assert np.mean(held) == pytest.approx(0.9, abs=0.012)


@pytest.mark.parametrize("n_seeds", [25, 28])
def test_few_seeds_do_not_round_the_coverage_up(n_seeds: int) -> None:
    """Of 28 seeds the third smallest share is exceeded by 0.897 of cells, the second by 0.931."""
    random = np.random.default_rng(0)
    held = []
    for _ in range(400):
        own, cells = random.random(n_seeds), random.random((200, 1))
        none = np.zeros(n_seeds, dtype=int)
        held.append(label_sets(cells, own, none, np.ones(n_seeds), 0.9).mean())
    assert np.mean(held) == pytest.approx(0.9, abs=0.012)


def test_a_label_is_in_the_set_by_its_smoothed_p_value() -> None:
    """Counted one by one, as Vovk, Gammerman and Shafer (2005) define it."""
    random = np.random.default_rng(1)
    everyone, truth = random.random((30, 2)).round(1), np.repeat([0, 1], 45)
    own = random.random(90).round(1)
    sets = label_sets(everyone, own, truth, np.ones(90), 0.8)
    chance = np.random.default_rng(0).random(30)
    for i in range(30):
        for c in range(2):
            mine = truth == c
            less, same = (own[mine] < everyone[i, c]).sum(), (own[mine] == everyone[i, c]).sum()
            assert sets[i, c] == ((less + chance[i] * (same + 1)) / 46 > 0.2)


def test_classes_with_few_seeds_speak_together() -> None:
    assert _together(np.array([40, 20, 30]), 20).tolist() == []
    # the three small ones have 12 seeds, and the next smallest joins them
    assert _together(np.array([40, 3, 0, 25, 9, 30]), 20).tolist() == [2, 1, 4, 3]
    assert _together(np.array([5, 8, 15, 30]), 20).tolist() == [0, 1, 2]
    assert _together(np.array([2, 3]), 20).tolist() == [0, 1]
    # seeds of a class that is four times as large among the cells count four times
    own = np.array([0.1] * 5 + [0.9] * 5, dtype=np.float32)
    truth = np.repeat([0, 1], 5)
    cells = np.full((4000, 2), 0.5)
    for heavy, light in ((1.6, 0.4), (0.4, 1.6)):
        weights = np.repeat([heavy, light], 5)
        sets = label_sets(cells, own, truth, weights, 0.8)
        below, asked = 5 * heavy, 0.2 * (10 + np.array([heavy, light]))
        expected = np.clip(1 - (asked - below) / [heavy, light], 0, 1)
        np.testing.assert_allclose(sets.mean(axis=0), expected, atol=0.03)


@pytest.mark.parametrize("column", ["bulk_labels", "louvain"])
def test_sets_hold_nine_of_ten_true_labels(pbmc: AnnData, column: str) -> None:
    covered = []
    for seed in range(4):
        shuffled = pbmc.obs.sample(frac=1, random_state=seed)
        sizes = pbmc.obs[column].value_counts()
        few = shuffled.groupby(column, observed=True).head(20)
        keep = (
            few.groupby(column, observed=True).cumcount() < few[column].map(sizes).astype(int) // 2
        )
        pbmc.obs["few"] = pbmc.obs[column].where(pbmc.obs_names.isin(few.index[keep]))
        tl.label_propagation(pbmc, "few", method="direct")
        tl.assign_labels(pbmc, coverage=0.9)
        sets = pbmc.obsm[f"{KEY}_set"]
        assert sets.dtype == bool
        np.testing.assert_array_equal(pbmc.obs[f"{KEY}_set_size"], sets.sum(axis=1))
        asked = pbmc.obs["few"].isna().to_numpy()
        truth = pbmc.obs[KEY].cat.categories.get_indexer(pbmc.obs[column].astype(str))
        covered.append(sets[np.arange(700), truth][asked & (truth >= 0)].mean())
    assert np.mean(covered) == pytest.approx(0.9, abs=0.035)


def test_more_coverage_than_seeds_can_tell_is_refused(
    pbmc: AnnData, monkeypatch: pytest.MonkeyPatch
) -> None:
    _few(pbmc, 5)
    tl.label_propagation(pbmc, "few")
    before = pbmc.obs.copy()
    monkeypatch.setattr(_decide_labels, "hold_out", None)
    with pytest.raises(ValueError, match=r"coverage=0\.999 needs 1000 seeds.*there are 50"):
        tl.assign_labels(pbmc, coverage=0.999)
    assert pbmc.obs.equals(before)
    tl.label_propagation(pbmc, {"A": [0], "B": [1]})
    with pytest.raises(ValueError, match=r"coverage=0\.9 needs 10 seeds.*there are 0"):
        tl.assign_labels(pbmc, coverage=0.9)


def test_sets_go_when_they_are_not_asked_for_again(pbmc: AnnData, tmp_path: Path) -> None:
    _few(pbmc, 20)
    tl.label_propagation(pbmc, "few")
    tl.assign_labels(pbmc, coverage=0.9, calibrate=True)
    assert {f"obs/{KEY}_set_size", f"obsm/{KEY}_set"} <= set(pbmc.uns[KEY]["fields"])
    assert pbmc.uns[KEY]["labels"]["coverage"] == 0.9
    pbmc.write_h5ad(tmp_path / "cells.h5ad")
    read = anndata.read_h5ad(tmp_path / "cells.h5ad")
    np.testing.assert_array_equal(read.obsm[f"{KEY}_set"], pbmc.obsm[f"{KEY}_set"])
    decision = Decision.from_record(read.uns[KEY])
    labels, confidence = decision.of(read.obsm[KEY][:, -1], -1)
    np.testing.assert_array_equal(labels, read.obs[KEY].cat.codes)
    np.testing.assert_allclose(confidence, read.obs[f"{KEY}_confidence"], rtol=1e-6)
    for adata in (pbmc, read):
        tl.assign_labels(adata)
        assert f"{KEY}_set" not in adata.obsm
        assert f"{KEY}_set_size" not in adata.obs
        assert f"obsm/{KEY}_set" not in set(adata.uns[KEY]["fields"])
        assert "coverage" not in adata.uns[KEY]["labels"]
        assert "calibration" not in adata.uns[KEY]


def test_cells_are_asked_in_one_fold_by_who_was_not_told_its_seeds(pbmc: AnnData) -> None:
    shuffled = pbmc.obs.sample(frac=1, random_state=0)
    few = shuffled.groupby("louvain", observed=True).head(6).index
    pbmc.obs["few"] = pbmc.obs["louvain"].where(pbmc.obs_names.isin(few))
    tl.label_propagation(pbmc, "few", alpha=0.8, method="direct")
    labels = pbmc.obs[KEY].cat.codes.to_numpy().astype(np.int64)
    held_out = hold_out(pbmc, pbmc.obsp["connectivities"], pbmc.uns[KEY], labels, None, keep=True)
    assert held_out is not None
    assert held_out.everyone is not None
    positions = pbmc.uns[KEY]["seeds"]["positions"]
    classes = pbmc.uns[KEY]["seeds"]["classes"]
    asked = np.zeros(700, dtype=int)
    for _, out in folds(classes, 10):
        signal = np.zeros((700, 11))
        kept = np.delete(np.arange(len(classes)), out)
        signal[positions[kept], classes[kept]] = 1
        said = shares(reference.soft_limit(pbmc.obsp["connectivities"], signal, 0.8, "symmetric"))
        asked += np.isclose(held_out.everyone, said, rtol=0, atol=1e-4).all(axis=1)
    assert (asked >= 1).all()
    assert np.mean(asked > 1) < 0.05


def test_sets_hold_no_more_than_asked_where_folds_differ() -> None:
    """In a stochastic block model a few seeds nearby are all that a cell's shares tell."""
    random, held = np.random.default_rng(0), []
    truth = np.repeat(np.arange(3), 200)
    for _ in range(40):
        edges = random.random((600, 600)) < np.where(truth[:, None] == truth, 0.04, 0.02)
        edges = np.triu(edges, 1)
        cells = anndata.AnnData(obs=pd.DataFrame(index=[f"cell{i}" for i in range(600)]))
        cells.obsp["connectivities"] = csr_matrix((edges | edges.T).astype(np.float32))
        told = np.concatenate([random.choice(200, 40, replace=False) + 200 * c for c in range(3)])
        seeds = {str(c): told[truth[told] == c].tolist() for c in range(3)}
        tl.label_propagation(cells, seeds, alpha=0.8, method="direct", obsp="connectivities")
        tl.assign_labels(cells, coverage=0.9)
        inside = cells.obsm[f"{KEY}_set"][np.arange(600), truth]
        held.append(np.delete(inside, told).mean())
    assert np.mean(held) == pytest.approx(0.9, abs=0.02)


def test_cells_without_a_path_may_be_anything(pbmc: AnnData) -> None:
    _few(pbmc, 20)
    joined = np.arange(700) >= 30
    graph = pbmc.obsp["connectivities"].tocoo()
    kept = joined[graph.row] == joined[graph.col]
    entries = (graph.data[kept], (graph.row[kept], graph.col[kept]))
    pbmc.obsp["connectivities"] = csr_matrix(entries, shape=(700, 700))
    pbmc.obs.loc[pbmc.obs_names[:30], "few"] = np.nan
    tl.label_propagation(pbmc, "few", method="direct")
    tl.assign_labels(pbmc, coverage=0.9)
    size = pbmc.obs[f"{KEY}_set_size"].to_numpy()
    without = pbmc.obs[KEY].isna().to_numpy()
    assert without[:30].all()
    assert (size[without] == 10).all()
    assert size[~without].mean() < 4


def test_sets_that_were_deleted_by_hand_are_not_missed(pbmc: AnnData) -> None:
    _few(pbmc, 20)
    tl.label_propagation(pbmc, "few")
    tl.assign_labels(pbmc, coverage=0.9)
    del pbmc.obsm[f"{KEY}_set"]
    tl.assign_labels(pbmc, min_confidence=0.5)
    assert f"{KEY}_set_size" not in pbmc.obs
    assert not [name for name in pbmc.uns[KEY]["fields"] if "set" in name]


def test_folds_hold_out_each_seed_once_but_the_only_one() -> None:
    classes = np.array([0] * 7 + [1] * 3 + [2])
    held_out = np.concatenate([out for _, out in folds(classes)])
    np.testing.assert_array_equal(np.sort(held_out), np.arange(10))
    for kept, out in folds(classes):
        np.testing.assert_array_equal(np.sort(np.r_[kept, out]), np.arange(11))
        assert set(classes[kept]) == {0, 1, 2}


def test_names_that_files_cannot_hold() -> None:
    names = ["a/b", "a|b", "", "..", "_index", "plain"]
    assert column_names(names) == ["class 0", "a|b", "class 2", "class 3", "class 4", "plain"]
    assert column_names(["CD4+/CD25 T Reg", "B"]) == ["CD4+|CD25 T Reg", "B"]
    assert column_names(["a\\b", "dtype", "barcode", "x"], "barcode") == [
        "a|b",
        "class 1",
        "class 2",
        "x",
    ]


@pytest.mark.parametrize("history", ["scores", "labels"])
def test_seeds_of_other_cells_are_not_calibrated_on(pbmc: AnnData, history: str) -> None:
    _few(pbmc, 20)
    tl.label_propagation(pbmc, "few", history=history)
    order = np.random.default_rng(0).permutation(700)
    for other in (pbmc[order].copy(), pbmc[:350].copy(), pbmc[350:].copy()):
        tl.assign_labels(other, class_mass=True)
        before = other.obs.copy()
        with pytest.raises(ValueError, match="positions among other cells"):
            tl.assign_labels(other, calibrate=True)
        assert other.obs.equals(before)


BAD = {
    "no such key": ({"key": "x"}, KeyError, r"'x' is not a propagation.*\['label_prop"),
    "one class": ({"key": "one"}, ValueError, "one class"),
    "calibrate one class": ({"key": "one", "calibrate": True}, ValueError, "several classes"),
    "confidence": ({"min_confidence": 80}, ValueError, "min_confidence=80 must lie between"),
    "confidence text": ({"min_confidence": "0.5"}, ValueError, "min_confidence='0.5' must lie"),
    "confidence NaN": ({"min_confidence": float("nan")}, ValueError, "min_confidence=nan must"),
    "confidence switch": ({"min_confidence": True}, ValueError, "min_confidence=True must lie"),
    "coverage 1": ({"coverage": 1}, ValueError, "coverage=1 must lie between 0 and 1, both excl"),
    "coverage 90": ({"coverage": 90}, ValueError, "coverage=90 must lie between 0 and 1"),
    "coverage text": ({"coverage": "0.9"}, ValueError, "coverage='0.9' must lie between"),
    "coverage NaN": ({"coverage": float("nan")}, ValueError, "coverage=nan must lie between"),
    "coverage switch": ({"coverage": True}, ValueError, "coverage=True must lie between"),
    "coverage of one class": ({"key": "one", "coverage": 0.9}, ValueError, "several classes"),
    "calibrate": ({"calibrate": "no"}, TypeError, "calibrate='no' must be True or False"),
    "class mass": ({"class_mass": 0.5}, TypeError, "class_mass=0.5 must be True or False"),
    "copy": ({"copy": None}, TypeError, "copy=None must be True or False"),
    "class mass of one class": ({"key": "one", "class_mass": True}, ValueError, "several classes"),
    "scores gone": ({"key": "codes"}, KeyError, "codes_scores.*gone, propagate again"),
    "graph gone": ({"calibrate": True}, KeyError, "the graph of the run, is gone"),
}


@pytest.mark.parametrize(("arguments", "error", "message"), BAD.values(), ids=BAD)
def test_bad_input(
    pbmc: AnnData, arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    tl.label_propagation(pbmc, "bulk_labels")
    tl.label_propagation(pbmc, [0], key_added="one")
    tl.label_propagation(pbmc, "bulk_labels", key_added="codes", history="labels")
    del pbmc.obsm["codes_scores"], pbmc.obsp["connectivities"]
    before = pbmc.obs.copy()
    with pytest.raises(error, match=message):
        tl.assign_labels(pbmc, **arguments)
    assert pbmc.obs.equals(before)


def test_nothing_propagated_says_what_to_run(pbmc: AnnData) -> None:
    with pytest.raises(KeyError, match=r"run `sca\.tl\.label_propagation"):
        tl.assign_labels(pbmc)


def test_hard_clamping_with_few_seeds_is_warned_about(pbmc: AnnData, logged: io.StringIO) -> None:
    tl.label_propagation(pbmc, {"A": [0], "B": [1]}, clamp="hard")
    assert "degenerates to spikes" in logged.getvalue()
    tl.label_propagation(pbmc, [0], clamp="hard", key_added="one")
    assert "the same score for all cells" in logged.getvalue()


@pytest.mark.parametrize("hidden", [False, True])
def test_classes_that_no_held_out_seed_is_named_after_are_said(
    *, hidden: bool, logged: io.StringIO
) -> None:
    """Seeds of `rare` lie among those of two groups, or are a group of their own."""
    random, group = np.random.default_rng(0), np.repeat([0, 1, 2], [200, 200, 40])
    cells = anndata.AnnData(np.zeros((440, 1), np.float32))
    where = random.normal(size=(440, 2)) + 20 * np.eye(3, 2)[group]
    near = np.argsort(np.square(where[:, None] - where).sum(axis=2), axis=1)[:, 1:11]
    graph = csr_matrix((np.ones(4400, np.float32), near.ravel(), np.arange(0, 4401, 10)))
    cells.obsp["connectivities"] = graph.maximum(graph.T)
    rare = [*range(60, 64), *range(260, 264)] if hidden else [*range(400, 408)]
    tl.label_propagation(cells, {"a": range(50), "b": range(200, 250), "rare": rare}, alpha=0.8)
    tl.assign_labels(cells, calibrate=True)
    assert ("no held-out seed of 'rare' is given that label" in logged.getvalue()) == hidden
