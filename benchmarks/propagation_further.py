"""What the defaults, calibration and label sets do on cells of kinds that they were not made on.

    python benchmarks/propagation_further.py [folder with further data sets] [--draws 10]

Seeds as in `propagation_accuracy.py`, and "uneven": 120 of one type, 72 of the next, 43 and so on,
types in an order of chance, at most half of each. Measured on the other cells.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from propagation_accuracy import (
    KEY,
    Outcome,
    averaged,
    blobs,
    confidence_and_sets,
    draw,
    from_features,
    rates,
)
from scipy import sparse
from sklearn.datasets import make_moons

import scanpy_anim.tl as tl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

UNEVEN = 0
AMOUNTS: tuple[float, ...] = (20, 50, 0.05, 0.2, UNEVEN)
NOISY = "blobs, a seed of ten mislabelled"


def data_sets(folder: Path | None) -> Iterator[tuple[str, AnnData]]:
    random = np.random.default_rng(7)
    points, moon = make_moons(1500, noise=0.25, random_state=1)
    yield "two moons", from_features(points, moon)
    yield "blobs, one of 76 %", from_features(*blobs(3000, 8, 1.3, 11))
    rare = (random.random(2000) < 0.05).astype(int)
    features = random.normal(size=(2000, 10))
    features[:, 0] += 2.5 * rare
    features[:, 1] += 1.5 * rare
    yield "two types, 95 and 5 %", from_features(features, rare)
    yield "blobs, 200 cells", from_features(*blobs(200, 4, 1.2, 5))
    yield "block model, 5 types", block_model(1500, [0.4, 0.3, 0.15, 0.1, 0.05], 0.02, 0.005)
    yield "block model, 3 types", block_model(1200, [1 / 3, 1 / 3, 1 / 3], 0.02, 0.01)
    damaged = from_features(*blobs(2000, 6, 1.1, 17))
    graph = damaged.obsp["connectivities"].tocoo()
    left = random.random(graph.nnz) < 0.5
    entries = graph.data[left], (graph.row[left], graph.col[left])
    damaged.obsp["connectivities"] = sparse.csr_matrix(entries, graph.shape)
    yield "blobs, half of the weights, one way", damaged
    yield NOISY, from_features(*blobs(2500, 6, 1.0, 23))
    toggled = sc.datasets.toggleswitch()
    first, second = np.asarray(toggled.X).T
    state = np.where(first > second + 0.2, "a", np.where(second > first + 0.2, "b", "between"))
    yield "toggleswitch", from_features(toggled.X + 0.1 * random.normal(size=(200, 2)), state)
    yield "three branches", branches(2400, random)
    if folder is not None and (folder / "pbmc3k_embeddings.h5ad").exists():
        blood = sc.read_h5ad(folder / "pbmc3k_embeddings.h5ad")
        yield (
            "blood, graph of its UMAP",
            from_features(blood.obsm["X_umap"], blood.obs["louvain"], scaled=False),
        )


def block_model(n: int, sizes: list[float], inside: float, across: float) -> AnnData:
    random = np.random.default_rng(3)
    types = random.choice(len(sizes), n, p=sizes)
    edges = np.triu(random.random((n, n)) < np.where(types[:, None] == types, inside, across), 1)
    cells = AnnData(obs=pd.DataFrame({"type": pd.Categorical(types.astype(str))}))
    cells.obs_names = [f"cell{i}" for i in range(n)]
    cells.obsp["connectivities"] = sparse.csr_matrix((edges | edges.T).astype(np.float32))
    cells.uns["neighbors"] = {
        "connectivities_key": "connectivities",
        "distances_key": "connectivities",
        "params": {"n_neighbors": 15, "method": "umap"},
    }
    return cells


def branches(n: int, random: np.random.Generator) -> AnnData:
    """Cells along a trunk that forks into three, named by where they are."""
    time, branch = random.random(n), random.integers(3, size=n)
    features = 0.25 * random.normal(size=(n, 12))
    features[np.arange(n), branch] += 3 * np.maximum(time - 0.4, 0)
    features[:, 3] += 3 * time
    late = np.where(time > 0.75, " late", " early")
    on_trunk = np.where(time < 0.2, "root", "stem")
    types = np.where(time < 0.4, on_trunk, np.char.add(branch.astype(str), late))
    return from_features(features, types, scaled=False)


def seeds_of(types: pd.Series, amount: float, seed: int) -> NDArray[np.bool_]:
    if amount != UNEVEN:
        return draw(types, amount, seed)
    random = np.random.default_rng(seed)
    told = np.zeros(len(types), dtype=bool)
    for i, name in enumerate(random.permutation(types.cat.categories.to_numpy(str))):
        members = np.flatnonzero(types == name)
        wanted = min(max(2, int(120 * 0.6**i)), len(members) // 2)
        told[random.choice(members, wanted, replace=False)] = True
    return told


def outcome(cells: AnnData, amount: float, seed: int, *, noisy: bool) -> Outcome:
    told = seeds_of(cells.obs["type"], amount, seed)
    few = cells.obs["type"].where(told)
    if noisy:
        random = np.random.default_rng(seed)
        wrong = told & (random.random(cells.n_obs) < 0.1)
        few[wrong] = random.choice(few.cat.categories.to_numpy(), wrong.sum())
    cells.obs["few"] = few
    tl.label_propagation(cells, "few", method="direct")
    truth = cells.obs["type"].astype(str).to_numpy()[~told]
    labels = cells.obs[KEY].astype(str).to_numpy()[~told]
    return Outcome(*rates(labels, truth), **confidence_and_sets(cells, told))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--draws", type=int, default=10, help="of seeds, for each amount of them")
    arguments = parser.parse_args()
    names = {UNEVEN: "uneven"} | {
        a: f"{a:g} a class" if a >= 1 else f"{a:.0%} at random" for a in AMOUNTS if a != UNEVEN
    }
    rows: dict[str, dict[str, Any]] = {"calibration": {}, "coverage": {}}
    for title, cells in data_sets(arguments.folder):
        sizes = cells.obs["type"].value_counts()
        cells = cells[cells.obs["type"].isin(sizes.index[sizes >= 10])].copy()
        cells.obs["type"] = cells.obs["type"].astype("category").cat.remove_unused_categories()
        for amount in AMOUNTS:
            draws = range(arguments.draws)
            found = averaged([outcome(cells, amount, s, noisy=title == NOISY) for s in draws])
            rows["calibration"].setdefault(title, []).append(
                f"{found.error:.3f} → {found.calibrated:.3f} ± {found.calibrated_se:.3f} "
                f"({found.perfect:.3f})"
            )
            rows["coverage"].setdefault(title, []).append(
                f"{found.coverage:.3f} ± {found.coverage_se:.3f} ({found.set_size:.1f})"
            )
        print(title, flush=True)
    for what, table in rows.items():
        print(f"\n{what}\n\n| | " + " | ".join(names[a] for a in AMOUNTS) + " |")
        print("|---" * (1 + len(AMOUNTS)) + "|")
        for title, values in table.items():
            told = ["–" if "nan" in value else value for value in values]
            print(f"| {title} | " + " | ".join(told) + " |", flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sc.settings.verbosity = 0
    main()
