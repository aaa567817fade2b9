"""Accuracy, calibration and label sets from few labelled cells, against classifiers on features.

    python benchmarks/propagation_accuracy.py [folder with further data sets] [--draws 3]

Cells that scanpy bundles or simulates, digits of scikit-learn, generated blobs of uneven size, and
any of the files below that are found in the folder. Seeds are drawn several times, the same for all
rows: so many a class (at most half of it), or a share of all cells at random. Everything is
measured on the other cells. Types of fewer than ten cells are left out.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

import scanpy_anim.tl as tl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

KEY = "label_propagation"
FILES = {
    "pbmc3k_embeddings.h5ad": ("blood", "louvain", "X_pca"),
    "palantir_marrow_5780.h5ad": ("marrow", "slingshot_cluster", "X_diffmap_ms"),
    "scimap_example_data.h5ad": ("tissue", "phenotype", "X"),
}
AMOUNTS: tuple[float, ...] = (1, 5, 20, 50, 0.05, 0.2)
WAYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "alpha=0.99 (the former default)": ({"alpha": 0.99}, {}),
    "alpha=0.8": ({"alpha": 0.8}, {}),
    "hard, class mass": ({"clamp": "hard"}, {}),
    "hard, no class mass": ({"clamp": "hard"}, {"class_mass": False}),
    "auto (the default)": ({}, {}),
    "prior='X_pca'": ({"prior": "X_pca"}, {}),
}
DEFAULT = "auto (the default)"


@dataclass(frozen=True)
class Outcome:
    accuracy: float
    balanced: float
    error: float = np.nan
    calibrated: float = np.nan
    perfect: float = np.nan
    coverage: float = np.nan
    set_size: float = np.nan
    calibrated_se: float = np.nan
    coverage_se: float = np.nan


def data_sets(folder: Path | None) -> Iterator[tuple[str, AnnData]]:
    """Cells with a graph, their types in `obs["type"]`, features in `obsm["X_pca"]`."""
    for column in ("bulk_labels", "louvain"):
        cells = sc.datasets.pbmc68k_reduced()
        cells.obs["type"] = cells.obs[column].astype(str)
        yield f"pbmc68k, {column}", cells
    simulated = sc.datasets.krumsiek11()
    yield "krumsiek11", from_features(simulated.X, simulated.obs["cell_type"])
    yield "digits", from_features(*load_digits(return_X_y=True))
    for n_cells, n_types, spread, seed in ((5000, 12, 1.0, 2), (8000, 30, 0.6, 3)):
        yield f"blobs, {n_types} types", from_features(*blobs(n_cells, n_types, spread, seed))
    for name, (title, column, rep) in FILES.items():
        if folder is None or not (folder / name).exists():
            continue
        cells = sc.read_h5ad(folder / name)
        features = cells.X if rep == "X" else cells.obsm[rep]
        yield title, from_features(features, cells.obs[column], scaled=rep == "X")


def from_features(features: Any, types: Any, *, scaled: bool = True) -> AnnData:
    values = np.asarray(features, dtype=np.float64)
    if scaled:
        spread = values.std(axis=0)
        values = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)
    if values.shape[1] > 50:
        left, size, _ = np.linalg.svd(values, full_matrices=False)
        values = left[:, :30] * size[:30]
    cells = AnnData(obs=pd.DataFrame({"type": np.asarray(types).astype(str)}, dtype="category"))
    cells.obs_names = [f"cell{i}" for i in range(cells.n_obs)]
    cells.obsm["X_pca"] = values.astype(np.float32)
    sc.pp.neighbors(cells, use_rep="X_pca", random_state=0)
    return cells


def blobs(n_cells: int, n_types: int, spread: float, seed: int) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    proportions = np.maximum(random.dirichlet(np.full(n_types, 0.4)), 12 / n_cells)
    types = random.choice(n_types, n_cells, p=proportions / proportions.sum())
    centers = random.normal(size=(n_types, 20))
    scatter = spread * np.exp(0.4 * random.normal(size=n_types))
    return centers[types] + scatter[types, None] * random.normal(size=(n_cells, 20)), types


def draw(types: pd.Series, amount: float, seed: int) -> NDArray[np.bool_]:
    random = np.random.default_rng(seed)
    told = np.zeros(len(types), dtype=bool)
    if amount < 1:
        told[random.choice(len(types), round(amount * len(types)), replace=False)] = True
        return told
    for name in types.cat.categories:
        members = np.flatnonzero(types == name)
        told[random.choice(members, min(int(amount), len(members) // 2), replace=False)] = True
    return told


def calibration_error(confidence: Any, right: Any, n_bins: int = 10) -> float:
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = [abs(confidence[bins == b].mean() - right[bins == b].mean()) for b in np.unique(bins)]
    return float(np.dot(gaps, [(bins == b).mean() for b in np.unique(bins)]))


def error_of_chance(confidence: Any, n_draws: int = 5) -> float:
    """What is measured of a confidence that is exactly how often cells are right."""
    random = np.random.default_rng(0)
    right = random.random((n_draws, len(confidence))) < confidence
    return float(np.mean([calibration_error(confidence, each) for each in right]))


def rates(labels: Any, truth: Any) -> tuple[float, float]:
    right = labels == truth
    return float(right.mean()), float(np.mean([right[truth == t].mean() for t in set(truth)]))


def confidence_and_sets(cells: AnnData, told: NDArray[np.bool_]) -> dict[str, float]:
    """Errors of the confidence before and after calibration, and what sets hold, on other cells."""
    truth = cells.obs["type"].astype(str).to_numpy()[~told]
    right = cells.obs[KEY].astype(str).to_numpy()[~told] == truth
    share = cells.obs[f"{KEY}_confidence"].to_numpy()[~told]
    seeds = cells.obs["few"].value_counts()
    enough = seeds[seeds > 1].sum() >= 20
    tl.assign_labels(cells, calibrate=True, coverage=0.9 if enough else None)
    confidence = cells.obs[f"{KEY}_confidence"].to_numpy()[~told]
    values = {
        "error": calibration_error(share, right),
        "calibrated": calibration_error(confidence, right),
        "perfect": error_of_chance(confidence),
    }
    if enough:
        sets = cells.obsm[f"{KEY}_set"][~told]
        place = cells.obs[KEY].cat.categories.get_indexer(truth)
        known = place >= 0
        values["coverage"] = sets[np.flatnonzero(known), place[known]].mean()
        values["set_size"] = sets.sum(axis=1).mean()
    return values


def outcomes(cells: AnnData, amount: float, seed: int) -> dict[str, Outcome]:
    told = draw(cells.obs["type"], amount, seed)
    cells.obs["few"] = cells.obs["type"].where(told)
    truth = cells.obs["type"].astype(str).to_numpy()[~told]
    found = {}
    for name, (how, decision) in WAYS.items():
        tl.label_propagation(cells, "few", method="direct", **how)
        tl.assign_labels(cells, **decision)
        labels = cells.obs[KEY].astype(str).to_numpy()[~told]
        values: dict[str, float] = {}
        if name == DEFAULT and amount != 1:
            values = confidence_and_sets(cells, told)
        found[name] = Outcome(*rates(labels, truth), **values)
    features, seeds = cells.obsm["X_pca"], cells.obs["few"][told].astype(str)
    smallest = int(seeds.value_counts().min())
    scaled = features / features.std()
    for name, model, values in (
        ("kNN", KNeighborsClassifier(min(15, 2 * smallest - 1)), features),
        ("logistic regression", LogisticRegression(max_iter=1000), scaled),
    ):
        labels = model.fit(values[told], seeds).predict(values[~told])
        found[name] = Outcome(*rates(labels, truth))
    return found


def averaged(runs: list[Outcome]) -> Outcome:
    """Mean of the draws, and how far it is off by the choice of so many: a standard error."""
    each = pd.DataFrame([vars(run) for run in runs])
    error = each.sem()
    means = each.mean().to_dict()
    means |= {f"{what}_se": error[what] for what in ("calibrated", "coverage")}
    return Outcome(**means)


def table(title: str, rows: dict[str, list[str]]) -> None:
    amounts = [f"{a:g} a class" if a >= 1 else f"{a:.0%} at random" for a in AMOUNTS]
    print(f"\n{title}\n\n| | " + " | ".join(amounts) + " |")
    print("|---" * (1 + len(AMOUNTS)) + "|")
    for name, values in rows.items():
        told = ["–" if "nan" in value else value for value in values]
        print(f"| {name} | " + " | ".join(told) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--draws", type=int, default=3, help="of seeds, for each amount of them")
    arguments = parser.parse_args()
    measured: dict[tuple[str, float, str], Outcome] = {}
    titles = []
    for title, cells in data_sets(arguments.folder):
        sizes = cells.obs["type"].value_counts()
        cells = cells[cells.obs["type"].isin(sizes.index[sizes >= 10])].copy()
        cells.obs["type"] = cells.obs["type"].astype("category").cat.remove_unused_categories()
        titles.append(title)
        print(f"{title}: {cells.n_obs} cells, {cells.obs['type'].nunique()} types", flush=True)
        for amount in AMOUNTS:
            runs = [outcomes(cells, amount, s) for s in range(arguments.draws)]
            for name in runs[0]:
                measured[title, amount, name] = averaged([run[name] for run in runs])
    report(measured, titles)


def report(measured: dict[tuple[str, float, str], Outcome], titles: list[str]) -> None:
    def mean(amount: float, name: str, what: str) -> float:
        return float(np.mean([getattr(measured[t, amount, name], what) for t in titles]))

    names = [*WAYS, "kNN", "logistic regression"]
    pairs = {
        name: [
            f"{mean(a, name, 'accuracy'):.3f} / {mean(a, name, 'balanced'):.3f}" for a in AMOUNTS
        ]
        for name in names
    }
    table("Accuracy / balanced accuracy, mean of the sets", pairs)
    for name in ("auto (the default)", "prior='X_pca'", "kNN", "logistic regression"):
        rows = {t: [f"{measured[t, a, name].accuracy:.3f}" for a in AMOUNTS] for t in titles}
        table(f"Accuracy: {name}", rows)
    rows = {
        t: [
            f"{found.error:.3f} → {found.calibrated:.3f} ± {found.calibrated_se:.3f} "
            f"({found.perfect:.3f})"
            for found in (measured[t, a, DEFAULT] for a in AMOUNTS)
        ]
        for t in titles
    }
    rows["mean"] = [
        f"{mean(a, DEFAULT, 'error'):.3f} → {mean(a, DEFAULT, 'calibrated'):.3f} "
        f"({mean(a, DEFAULT, 'perfect'):.3f})"
        for a in AMOUNTS
    ]
    table("Expected calibration error before → after `calibrate=True` (were it exact)", rows)
    rows = {
        t: [
            f"{found.coverage:.3f} ± {found.coverage_se:.3f} ({found.set_size:.1f})"
            for found in (measured[t, a, DEFAULT] for a in AMOUNTS)
        ]
        for t in titles
    }
    rows["mean"] = [f"{mean(a, DEFAULT, 'coverage'):.3f}" for a in AMOUNTS]
    table(
        "Share of cells whose set holds the true type, `coverage=0.9` (mean size of the set)", rows
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sc.settings.verbosity = 0
    main()
