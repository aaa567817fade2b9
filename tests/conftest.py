"""Real cells for every test."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anndata import AnnData
    from numpy.typing import NDArray

mpl.use("Agg")

# the same cases on every machine, so that a change is what makes them fail; new ones are looked
# for by `pytest --hypothesis-profile=explore`
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("fixed")


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
def embedding(_pbmc: AnnData) -> NDArray[np.float64]:
    """UMAP coordinates of the 700 cells."""
    return np.asarray(_pbmc.obsm["X_umap"], dtype=np.float64)


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


@pytest.fixture
def quiet_files() -> Iterator[None]:
    """Let anndata say what it plans for zarr, and pandas 3 what it thinks of an option."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Writing zarr v2")
        warnings.filterwarnings("ignore", "zarr v3 autosharding")
        warnings.filterwarnings("ignore", "(This setting will be removed|zarr v3 will become)")
        warnings.filterwarnings("ignore", "Consolidated metadata is currently not")
        warnings.filterwarnings("ignore", "The 'future.infer_string' option")
        yield
