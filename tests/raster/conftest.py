"""Real cells."""

import warnings

import numpy as np
import pytest


@pytest.fixture(scope="session")
def embedding():
    """UMAP coordinates of 700 real cells."""
    import scanpy as sc

    with warnings.catch_warnings():  # old file format notices of whatever scanpy is installed
        warnings.simplefilter("ignore")
        adata = sc.datasets.pbmc68k_reduced()
    return np.asarray(adata.obsm["X_umap"], dtype=np.float64)
