"""Labels, shares, class mass and calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import scanpy_anim.tl as tl
from scanpy_anim.tl._calibration import apply_temperature, fit_temperature, folds, seed_weights
from scanpy_anim.tl._decision import class_mass_weights, column_names, decide, shares

if TYPE_CHECKING:
    import io

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
    tl.label_propagation(pbmc, "few", clamp=clamp, history=history)
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


def test_too_few_seeds_are_not_calibrated(pbmc: AnnData, logged: io.StringIO) -> None:
    _few(pbmc, 1)
    tl.label_propagation(pbmc, "few")
    before = pbmc.obsm[f"{KEY}_proba"].copy()
    tl.assign_labels(pbmc, calibrate=True)
    assert "calibrate=True needs 30 seeds" in logged.getvalue()
    assert "temperature" not in pbmc.uns[KEY]
    assert pbmc.obsm[f"{KEY}_proba"].equals(before)


def test_the_temperature_is_the_most_likely_one() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(4, size=3000)
    logits = random.normal(size=(3000, 4)) + 1.5 * np.eye(4)[truth]
    probability = np.exp(0.2 * logits) / np.exp(0.2 * logits).sum(axis=1, keepdims=True)

    def loss(log_temperature: float) -> float:
        calibrated = apply_temperature(probability, float(np.exp(log_temperature)))
        return -np.log(calibrated[np.arange(3000), truth]).mean()

    best = minimize_scalar(loss, bounds=(-6, 4), method="bounded", options={"xatol": 1e-6})
    np.testing.assert_allclose(fit_temperature(probability, truth), np.exp(best.x), rtol=1e-2)


def test_temperature_leaves_rows_of_zeros_and_ranks() -> None:
    probability = np.array([[0.0, 0, 0], [0.2, 0.3, 0.5], [0, 1, 0]])
    for temperature in (0.05, 1, 20):
        changed = apply_temperature(probability, temperature)
        np.testing.assert_array_equal(changed[0], 0)
        np.testing.assert_allclose(changed[1:].sum(axis=1), 1)
        np.testing.assert_array_equal(changed.argsort(), probability.argsort())
    np.testing.assert_allclose(apply_temperature(probability, 1), probability)


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


def test_held_out_seeds_weigh_as_much_as_their_class_was_found() -> None:
    truth = np.repeat([0, 1, 2], [30, 30, 60])
    found = np.repeat([0, 1, 2, 3], [70, 20, 10, 7])  # of class 3 no seed can be held out
    weights = seed_weights(truth, found, 4)
    # 40 seeds a class: four parts what was found, one part what the seeds are
    wanted = 0.8 * np.array([0.7, 0.2, 0.1]) + 0.2 * np.array([0.25, 0.25, 0.5])
    by_class = [weights[truth == c].sum() / len(truth) for c in range(3)]
    np.testing.assert_allclose(by_class, wanted)
    np.testing.assert_array_equal(seed_weights(truth, found[:0], 4), 1)


def test_a_large_class_counts_more_in_the_temperature(pbmc: AnnData) -> None:
    """Seeds are even, cells are not: the likelihood is that of the cells."""
    random = np.random.default_rng(0)
    truth = np.repeat([0, 1], 2000)
    # class 0 is easier than its shares say, class 1 harder
    sharpness = np.where(truth == 0, 4.0, 0.5)
    logits = random.logistic(size=4000) + np.where(truth == 0, 1, -1) * sharpness
    share = 1 / (1 + np.exp(-logits))
    probability = np.c_[share, 1 - share]
    even = fit_temperature(probability, truth)
    for found, sharper in ((np.repeat([0, 1], [95, 5]), True), (np.repeat([0, 1], [5, 95]), False)):
        weights = seed_weights(truth, found, 2)
        uneven = fit_temperature(probability, truth, weights)
        assert (uneven < even) == sharper

        def loss(log_temperature: float, weights: np.ndarray = weights) -> float:
            calibrated = apply_temperature(probability, float(np.exp(log_temperature)))
            return -(weights * np.log(calibrated[np.arange(4000), truth])).mean()

        best = minimize_scalar(loss, bounds=(-6, 4), method="bounded", options={"xatol": 1e-6})
        np.testing.assert_allclose(uneven, np.exp(best.x), rtol=1e-2)


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
    "calibrate": ({"calibrate": "no"}, TypeError, "calibrate='no' must be True or False"),
    "class mass": ({"class_mass": 0.5}, TypeError, "class_mass=0.5 must be True or False"),
    "copy": ({"copy": None}, TypeError, "copy=None must be True or False"),
    "class mass of one class": ({"key": "one", "class_mass": True}, ValueError, "several classes"),
    "scores gone": ({"key": "codes"}, KeyError, "codes_scores.*gone, propagate again"),
    "graph gone": ({"calibrate": True}, KeyError, "run `sc.pp.neighbors"),
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
