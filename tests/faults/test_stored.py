"""Files that are damaged, and results that are read from them."""

from __future__ import annotations

import json
import shutil
import warnings
from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
import pytest

import scanpy_anim as sca

if TYPE_CHECKING:
    from pathlib import Path

    from anndata import AnnData

GRAPH, HISTORY = "obsp/connectivities", "obsm/types"


@pytest.fixture
def written(tmp_path: Path, propagated: AnnData, quiet_files: None) -> Path:
    path = tmp_path / "cells.zarr"
    propagated.write_zarr(path)
    return path


def chunks(folder: Path) -> list[Path]:
    """List the files of an array that hold its values."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".z") and path.name != "zarr.json"
    )


def used(path: Path) -> str:
    """Read the file, propagate and make a film; say what became of it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            adata = ad.read_zarr(path)
    except Exception as error:  # a file that nobody can read is anndata's to tell
        return f"not read: {type(error).__name__}"
    before = {key: np.array(adata.obsm[key]) for key in adata.obsm if key != "types_proba"}
    said = None
    try:
        sca.tl.label_propagation(adata, [0, 1], key_added="again", tol=0, max_iter=3)
        next(sca.pl.animate_embedding(adata, color="types").frames(30))
    except ValueError as error:
        said = str(error)
    if said is not None:
        assert "obsp['connectivities']" in said or "'types'" in said
        after = {key: np.array(adata.obsm[key]) for key in before}
        assert all(np.array_equal(before[key], after[key], equal_nan=True) for key in before)
        return "refused"
    return "used"


@pytest.mark.parametrize("array", [f"{GRAPH}/indices", f"{GRAPH}/indptr", f"{GRAPH}/data", HISTORY])
@pytest.mark.parametrize("damage", ["missing", "truncated", "scrambled"])
def test_damaged_chunks(written: Path, array: str, damage: str) -> None:
    """A missing chunk is read as zeros, a broken one not at all; nothing crashes or hangs."""
    for chunk in chunks(written / array):
        if damage == "missing":
            chunk.unlink()
        elif damage == "truncated":
            chunk.write_bytes(chunk.read_bytes()[: chunk.stat().st_size // 2])
        else:
            content = bytearray(chunk.read_bytes())
            content[len(content) // 2 :] = bytes(reversed(content[len(content) // 2 :]))
            chunk.write_bytes(bytes(content))
    became = used(written)
    # where the fill value stands for what is missing: an indptr of zeros is no graph
    refused = damage == "missing" and array == f"{GRAPH}/indptr"
    assert became == "refused" if refused else became.startswith(("not read", "refused", "used"))


@pytest.mark.parametrize("change", [{"shape": [3, 3, 3]}, {"dtype": "<i2"}, {"shape": [700]}])
def test_descriptions_that_do_not_fit(written: Path, change: dict) -> None:
    described = written / HISTORY / ".zarray"
    if not described.exists():  # version 3 of the format
        described = written / HISTORY / "zarr.json"
        names = {"dtype": "data_type"}
        change = {names.get(k, k): "int16" if k == "dtype" else v for k, v in change.items()}
    described.write_text(json.dumps({**json.loads(described.read_text()), **change}))
    consolidated = written / ".zmetadata"
    if consolidated.exists():
        consolidated.unlink()
    assert used(written).startswith(("not read", "refused", "used"))


def test_a_history_that_is_gone(written: Path) -> None:
    """What is shown then is what the file still has; where it is known to be gone, that is said."""
    shutil.rmtree(written / HISTORY)
    assert used(written).startswith(("not read", "refused", "used"))


def test_a_record_without_its_history(propagated: AnnData) -> None:
    del propagated.obsm["types"]
    with pytest.raises(KeyError, match="propagate again"):
        sca.tl.assign_labels(propagated, key="types")
    assert len(sca.pl.animate_embedding(propagated, color="types")) == 1  # the labels in obs
