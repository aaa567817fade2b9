"""Graphs to walk on."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scanpy as sc
from anndata import AnnData
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def islands() -> AnnData:
    """Nine cells: a weighted path of five, a pair, and two without neighbours."""
    rows = np.array([0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 0])
    columns = np.array([1, 0, 2, 1, 3, 2, 4, 3, 6, 5, 2])
    weights = np.array([1, 1, 0.5, 0.5, 2, 2, 1, 1, 0.25, 0.25, 0], dtype=np.float32)
    graph = sparse.csr_matrix((weights, (rows, columns)), shape=(9, 9))
    adata = AnnData(obs={"kind": ["A", None, None, None, "B", None, None, "A", None]})
    adata.obs_names = [f"cell{i}" for i in range(9)]
    adata.obsp["connectivities"] = graph
    adata.uns["neighbors"] = {"connectivities_key": "connectivities"}
    return adata


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What scanpy's logging says."""
    verbosity, logfile = sc.settings.verbosity, sc.settings.logfile
    stream = io.StringIO()
    sc.settings.verbosity, sc.settings.logfile = 3, stream
    yield stream
    sc.settings.verbosity, sc.settings.logfile = verbosity, logfile
