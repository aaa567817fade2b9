"""Accuracy and calibration from few labelled cells, against a nearest-neighbour classifier.

    python benchmarks/propagation_accuracy.py [folder with further data sets]

The 700 cells that scanpy bundles, and any of these files found in the folder. Seeds are drawn
five times for each number of seeds a class (fewer where a class is smaller; classes of fewer than
ten cells are left out), the same for all methods; accuracy and calibration are of the other cells.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scanpy as sc
from sklearn.neighbors import KNeighborsClassifier

import scanpy_anim.tl as tl

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

KEY = "label_propagation"
FILES = {
    "pbmc3k_embeddings.h5ad": ("blood", "louvain", "X_pca"),
    "palantir_marrow_5780.h5ad": ("marrow", None, None),
    "scimap_example_data.h5ad": ("tissue", "phenotype", None),
}
SOFT = {"alpha": 0.99, "method": "direct"}
METHODS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "soft, alpha 0.99": (SOFT, {}),
    "soft 0.99, calibrated": (SOFT, {"calibrate": True}),
    "soft, alpha 0.8": (SOFT | {"alpha": 0.8}, {}),
    "hard, no class mass": ({"clamp": "hard", "method": "direct"}, {"class_mass": False}),
    "hard, class mass": ({"clamp": "hard", "method": "direct"}, {}),
    "hard, class mass, calibrated": ({"clamp": "hard", "method": "direct"}, {"calibrate": True}),
}


def data_sets(folder: Path | None) -> dict[str, tuple[AnnData, str, str]]:
    """Cells with a graph, the column of their types, and the representation behind the graph."""
    small = sc.datasets.pbmc68k_reduced()
    found = {"pbmc68k, 700": (small, "bulk_labels", "X_pca")}
    for name, (title, column, rep) in FILES.items():
        if folder is None or not (folder / name).exists():
            continue
        adata = sc.read_h5ad(folder / name)
        column = column or next(c for c in adata.obs if "cluster" in c.lower())
        rep = rep or next((r for r in adata.obsm if "diff" in r.lower() or "dm" in r.lower()), "X")
        sc.pp.neighbors(adata, use_rep=rep, random_state=0)
        adata.obs[column] = adata.obs[column].astype(str).astype("category")
        found[f"{title}, {adata.n_obs}"] = (adata, column, rep)
    return found


def calibration_error(confidence: np.ndarray, right: np.ndarray, n_bins: int = 10) -> float:
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = [abs(confidence[bins == b].mean() - right[bins == b].mean()) for b in np.unique(bins)]
    return float(np.dot(gaps, [(bins == b).mean() for b in np.unique(bins)]))


def draw(types: pd.Series, per_class: int, seed: int) -> pd.Series:
    shuffled = types.sample(frac=1, random_state=seed)
    told = shuffled.groupby(shuffled, observed=True).head(per_class).index
    return types.where(types.index.isin(told))


def nearest(adata: AnnData, rep: str, few: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    cells = adata.X if rep == "X" else adata.obsm[rep]
    told = few.notna().to_numpy()
    smallest = int(few[told].value_counts().loc[lambda n: n > 0].min())
    model = KNeighborsClassifier(n_neighbors=min(15, 2 * smallest - 1))
    model.fit(cells[told], few[told].astype(str))
    shares = model.predict_proba(cells)
    return model.classes_[shares.argmax(axis=1)], shares.max(axis=1)


def outcomes(adata: AnnData, column: str, rep: str, per_class: int, seed: int) -> dict[str, Any]:
    few = draw(adata.obs[column], per_class, seed)
    adata.obs["few"] = few.astype("category")
    told = few.notna().to_numpy()
    truth = adata.obs[column].astype(str).to_numpy()[~told]
    results = {}
    for name, (how, decision) in METHODS.items():
        tl.label_propagation(adata, "few", **how)
        tl.assign_labels(adata, **decision)
        labels, confidence = adata.obs[KEY].astype(str), adata.obs[f"{KEY}_confidence"]
        results[name] = labels.to_numpy()[~told] == truth, confidence.to_numpy()[~told]
    labels, confidence = nearest(adata, rep, few)
    results["kNN classifier on the seeds"] = labels[~told] == truth, confidence[~told]
    return {
        name: (right.mean(), calibration_error(confidence, right))
        for name, (right, confidence) in results.items()
    }


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    per_class = (1, 5, 50)
    for title, (adata, column, rep) in data_sets(folder).items():
        sizes = adata.obs[column].value_counts()
        adata = adata[adata.obs[column].isin(sizes.index[sizes >= 10])].copy()
        adata.obs[column] = adata.obs[column].cat.remove_unused_categories()
        n_types = adata.obs[column].nunique()
        print(f"\n{title} cells, {n_types} types: accuracy (expected calibration error)\n")
        print("| seeds a class | " + " | ".join(map(str, per_class)) + " |")
        print("|---" * (1 + len(per_class)) + "|")
        rows: dict[str, list[str]] = {}
        for n in per_class:
            runs = [outcomes(adata, column, rep, n, seed) for seed in range(5)]
            for name in runs[0]:
                accuracy, error = np.mean([run[name] for run in runs], axis=0)
                rows.setdefault(name, []).append(f"{accuracy:.2f} ({error:.2f})")
        for name, cells in rows.items():
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sc.settings.verbosity = 0
    main()
