"""Real cells."""

import warnings

import numpy as np
import pytest


@pytest.fixture(scope="session")
def cells():
    """700 real cells, as scanpy bundles them."""
    import scanpy as sc

    with warnings.catch_warnings():  # notices of old file formats
        warnings.simplefilter("ignore")
        return sc.datasets.pbmc68k_reduced()


@pytest.fixture
def adata(cells):
    """Copy of the real cells, to be changed at will."""
    return cells.copy()


@pytest.fixture(scope="session")
def embedding(cells):
    """UMAP coordinates of the real cells."""
    return np.asarray(cells.obsm["X_umap"], dtype=np.float64)
