"""A made-up atlas for measurements: real cells, resampled and jittered, with scanpy's own graph."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import scanpy as sc
from anndata import AnnData
from scipy import sparse

N_CELLS = 209_126
N_DIMENSIONS = 15


def atlas(n_cells: int = N_CELLS) -> AnnData:
    """Cells in random order with connectivities of 15 neighbours (about 21 a row once united).

    The 700 cells that scanpy bundles are drawn again and again, each time moved towards a random
    neighbour and jittered, so that density varies as it does in a real embedding. Kept in the
    temporary folder, as the neighbour search takes minutes.
    """
    cache = Path(tempfile.gettempdir()) / f"scanpy_anim_atlas_{n_cells}.npz"
    if cache.exists():
        graph = sparse.load_npz(cache)
        types = np.load(cache.with_suffix(".types.npy"), allow_pickle=True)
        return _with_graph(graph, types)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cells = sc.datasets.pbmc68k_reduced()
    random = np.random.default_rng(0)
    real = cells.obsm["X_pca"][:, :N_DIMENSIONS]
    drawn = random.integers(len(real), size=n_cells)
    neighbors = cells.obsp["connectivities"].tocsr()
    other = np.array(
        [
            random.choice(neighbors.indices[neighbors.indptr[i] : neighbors.indptr[i + 1]])
            for i in range(len(real))
            for _ in range(64)
        ]
    ).reshape(len(real), 64)[drawn, random.integers(64, size=n_cells)]
    towards = random.random((n_cells, 1))
    made = real[drawn] * (1 - towards) + real[other] * towards
    made += random.normal(scale=0.25 * real.std(axis=0), size=made.shape)
    adata = AnnData(obsm={"X_pca": made.astype(np.float32)})
    sc.pp.neighbors(adata, use_rep="X_pca", n_neighbors=15, random_state=0)
    graph = adata.obsp["connectivities"]
    types = cells.obs["bulk_labels"].astype(str).to_numpy()[drawn]
    sparse.save_npz(cache, graph, compressed=False)
    np.save(cache.with_suffix(".types.npy"), types.astype(object), allow_pickle=True)
    return _with_graph(graph, types)


def _with_graph(graph: sparse.csr_matrix, types: np.ndarray) -> AnnData:
    adata = AnnData(obs={"bulk_labels": types}, obsp={"connectivities": graph})
    adata.uns["neighbors"] = {"connectivities_key": "connectivities"}
    return adata


if __name__ == "__main__":
    import sys
    import time

    start = time.perf_counter()
    made = atlas(int(float(sys.argv[1])) if len(sys.argv) > 1 else N_CELLS)
    graph = made.obsp["connectivities"]
    seconds = time.perf_counter() - start
    print(made.n_obs, "cells,", round(graph.nnz / made.n_obs, 1), "a row,", round(seconds), "s")
