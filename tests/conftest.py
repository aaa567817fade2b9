"""Real cells for every test."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import matplotlib as mpl
import pytest

if TYPE_CHECKING:
    from anndata import AnnData

mpl.use("Agg")


@pytest.fixture(scope="session")
def _pbmc() -> AnnData:
    import scanpy as sc

    with warnings.catch_warnings():  # reading files of older versions: anndata's own affair
        warnings.simplefilter("ignore")
        return sc.datasets.pbmc68k_reduced()


@pytest.fixture
def pbmc(_pbmc: AnnData) -> AnnData:
    """700 real blood cells with graph, UMAP and cell types; a copy of its own for each test."""
    return _pbmc.copy()


@pytest.fixture(scope="session")
def _propagated(_pbmc: AnnData) -> AnnData:
    import scanpy_anim as sca

    adata = _pbmc.copy()
    few = adata.obs.groupby("bulk_labels", observed=True).cumcount() < 3
    adata.obs["few"] = adata.obs["bulk_labels"].where(few)
    adata.uns["few_colors"] = list(adata.uns["bulk_labels_colors"])
    sca.tl.label_propagation(adata, [0, 350], tol=0, max_iter=6)
    sca.tl.label_propagation(adata, "few", key_added="types", tol=0, max_iter=6)
    return adata


@pytest.fixture
def propagated(_propagated: AnnData) -> AnnData:
    """The same with two results: "label_propagation" of one class, "types" of ten."""
    return _propagated.copy()
