"""AnnData whose values stay in files: what they give, and how little of them is read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from scipy import sparse

import scanpy_anim as sca
from scanpy_anim._lazy import plain, readable
from scanpy_anim._table import Table, in_memory

if TYPE_CHECKING:
    from anndata import AnnData

read_lazy = pytest.importorskip("anndata.experimental").read_lazy
pytest.importorskip("xarray")
da = pytest.importorskip("dask.array")
zarr = pytest.importorskip("zarr")
h5py = pytest.importorskip("h5py")

KINDS = ["lazy zarr", "lazy h5ad", "backed h5ad"]
FILMS: dict[str, dict[str, Any]] = {
    "scores": {},
    "scores of a class": {"color": "types", "classes": "Dendritic"},
    "scores on a linear scale": {"scale": "linear", "vmax": "p99"},
    "labels": {"color": "types"},
    "stored labels": {"color": "codes"},
    "a gene": {"color": "CD3D"},
    "genes of a sparse layer": {"color": ["LYZ", "CD3D"], "layer": "counts"},
    "a gene that is not in raw": {"color": "LYZ", "use_raw": False},
    "categories": {"color": "bulk_labels"},
    "clusterings": {"color": ["louvain", "bulk_labels"]},
    "numbers": {"color": ["n_genes", "percent_mito"], "tween": 1},
    "missing numbers": {"color": "some"},
    "yes and no": {"color": "many"},
    "columns of an embedding": {"color": "X_pca", "every": 10},
    "a table": {"color": "table"},
    "a morph": {"basis": ["umap", "pca"], "tween": 1},
    "a path": {"basis": "path"},
    "a turn": {"color": "bulk_labels", "basis": "pca", "projection": "3d", "every": 24},
    "tissue": {"basis": "spatial"},
    "several dimensions": {"basis": "pca", "dimensions": [(0, 1), (3, 2)]},
    "panels": {"panels": ["types", "bulk_labels", {"basis": "pca"}], "color": "types"},
    "a group at a time": {"groupby": "bulk_labels", "color": "LYZ"},
    "along a number": {"along": "n_genes", "n_frames": 3},
    "a mask": {"mask_obs": "many"},
    "marked cells": {"mark_cells": ["AAAGCCTGGCTAAC-1"], "mark_seeds": True},
    "edges": {"edges": True, "every": 3},
}


@pytest.fixture(scope="session")
def cells(_propagated: AnnData) -> AnnData:
    adata = _propagated.copy()
    sca.tl.label_propagation(adata, "few", key_added="codes", history="labels", max_iter=4)
    adata.obs["many"] = adata.obs["n_genes"] > 600
    adata.obs["some"] = pd.array([None, 1, 2, 3] * 175, dtype="Int64")
    adata.layers["counts"] = sparse.csr_matrix(np.maximum(adata.X, 0))
    adata.obsm["X_path"] = np.stack([adata.obsm["X_umap"], adata.obsm["X_pca"][:, :2]], axis=2)
    adata.obsm["spatial"] = adata.obsm["X_umap"] * 10
    adata.obsm["table"] = pd.DataFrame({"a": adata.obs["n_genes"], "b": 1.0})
    image = np.linspace(0, 1, 8 * 8 * 3).reshape(8, 8, 3)
    factors = {"tissue_hires_scalef": 0.05, "spot_diameter_fullres": 3.0}
    adata.uns["spatial"] = {"slide": {"images": {"hires": image}, "scalefactors": factors}}
    return adata


@pytest.fixture(scope="session")
def files(cells: AnnData, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    import warnings

    folder = tmp_path_factory.mktemp("stores")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cells.write_h5ad(folder / "cells.h5ad")
        cells.write_zarr(folder / "cells.zarr")
    return {"h5ad": folder / "cells.h5ad", "zarr": folder / "cells.zarr"}


def _opened(kind: str, files: dict[str, Path]) -> AnnData:
    how, suffix = kind.split()
    if how == "backed":
        return anndata.read_h5ad(files[suffix], backed="r")
    return read_lazy(files[suffix])


@pytest.fixture(params=KINDS)
def elsewhere(request: pytest.FixtureRequest, files: dict[str, Path], quiet_files: None) -> Any:
    """The same cells, their values in a file."""
    return _opened(request.param, files)


@pytest.fixture
def lazy(files: dict[str, Path], quiet_files: None) -> AnnData:
    return _opened("lazy zarr", files)


def _frames(adata: AnnData, call: dict[str, Any]) -> list[bytes]:
    film = sca.pl.animate_embedding(adata, progress=False, **call)
    return [frame.tobytes() for frame in film.frames(dpi=30)]


@pytest.mark.parametrize("what", FILMS)
def test_films_are_those_of_the_same_cells_in_memory(
    what: str, cells: AnnData, lazy: AnnData
) -> None:
    assert _frames(lazy, FILMS[what]) == _frames(cells.copy(), FILMS[what])


@pytest.mark.parametrize("what", ["scores", "labels", "genes of a sparse layer", "numbers"])
@pytest.mark.parametrize("kind", KINDS[1:])
def test_films_are_the_same_from_files_of_other_kinds(
    what: str, kind: str, cells: AnnData, files: dict[str, Path], quiet_files: None
) -> None:
    assert _frames(_opened(kind, files), FILMS[what]) == _frames(cells.copy(), FILMS[what])


def test_a_view_of_lazy_cells_is_filmed(lazy: AnnData, cells: AnnData) -> None:
    some = np.arange(lazy.n_obs) % 3 == 0
    for call in (FILMS["scores"], FILMS["a gene"], FILMS["categories"]):
        assert _frames(lazy[some], call) == _frames(cells[some], call)


def test_cells_whose_names_were_not_loaded_are_filmed(
    files: dict[str, Path], cells: AnnData, quiet_files: None
) -> None:
    nameless = read_lazy(files["zarr"], load_annotation_index=False)
    assert _frames(nameless, FILMS["labels"]) == _frames(cells.copy(), FILMS["labels"])


def test_arrays_elsewhere_are_colors(cells: AnnData) -> None:
    values = np.asarray(cells.obsm["X_pca"][:, :3])
    expected = _frames(cells, {"color": values})
    assert _frames(cells, {"color": da.from_array(values, chunks=(99, 2))}) == expected
    frames = [da.from_array(column) for column in values.T]
    assert _frames(cells, {"color": frames}) == expected


@pytest.mark.parametrize("keep", ["dask", "h5py", "zarr"])
def test_a_history_elsewhere_plays_from_cells_in_memory(
    keep: str, cells: AnnData, tmp_path: Path
) -> None:
    expected = _frames(cells.copy(), FILMS["labels"])
    adata, history = cells.copy(), cells.obsm["types"]
    if keep == "dask":
        adata.obsm["types"] = da.from_array(history, chunks=(100, 1, -1))
    elif keep == "zarr":
        group = zarr.open_group(tmp_path / "history.zarr", mode="w")
        adata.obsm["types"] = group.create_array("history", data=history, chunks=(100, 1, 10))
    else:
        file = h5py.File(tmp_path / "history.h5", "w")
        adata.obsm["types"] = file.create_dataset("history", data=history, chunks=(100, 1, 10))
    assert _frames(adata, FILMS["labels"]) == expected
    sca.tl.assign_labels(adata, key="types", min_confidence=0.3)
    again = cells.copy()
    sca.tl.assign_labels(again, key="types", min_confidence=0.3)
    pd.testing.assert_series_equal(adata.obs["types"], again.obs["types"])


PAGES = ["scores", "labels", "genes of a sparse layer", "missing numbers", "a morph", "a turn"]


@pytest.mark.parametrize("what", [*PAGES, "several dimensions"])
def test_pages_are_those_of_the_same_cells_in_memory(
    what: str, cells: AnnData, elsewhere: AnnData
) -> None:
    hover = ["n_genes", "bulk_labels", "some"]
    lazy, known = (
        sca.pl.animate_embedding(adata, progress=False, **FILMS[what]).explore(hover=hover)
        for adata in (elsewhere, cells.copy())
    )
    assert lazy.to_html() == known.to_html()


# --- only what is needed is read


class _Reads(zarr.storage.WrapperStore):
    """A store that notes which arrays chunks are read of."""

    def __init__(self, store: Any, arrays: list[str] | None = None) -> None:
        super().__init__(store)
        self.arrays = [] if arrays is None else arrays

    async def get(self, key: str, *args: Any, **kwargs: Any) -> Any:
        if not key.endswith((".json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")):
            self.arrays.append(key)
        return await super().get(key, *args, **kwargs)

    def of(self, *prefixes: str) -> list[str]:
        return [name for name in self.arrays if name.startswith(prefixes)]


@pytest.fixture
def watched(files: dict[str, Path], quiet_files: None) -> tuple[AnnData, _Reads]:
    store = _Reads(zarr.storage.LocalStore(files["zarr"], read_only=True))
    adata = read_lazy(zarr.open_group(store, mode="r"))
    store.arrays.clear()
    return adata, store


def test_matrices_are_not_touched_for_scores(watched: tuple[AnnData, _Reads]) -> None:
    adata, store = watched
    film = sca.pl.animate_embedding(adata, color="types", progress=False)
    list(film.frames(dpi=20))
    assert store.of("obsm/types", "obsm/X_umap")
    assert not store.of("X/", "raw/", "layers/", "obsp/", "obs/", "obsm/X_pca", "varm", "varp")


@pytest.mark.parametrize("what", [name for name in FILMS if "gene" not in name])
def test_matrices_are_touched_for_genes_alone(what: str, watched: tuple[AnnData, _Reads]) -> None:
    adata, store = watched
    if "color" in (call := dict(FILMS[what])) and call["color"] == "LYZ":
        call["color"] = "bulk_labels"
    film = sca.pl.animate_embedding(adata, progress=False, **call)
    list(film.frames(dpi=20))
    assert store.of("obsm/")
    matrices = ["X/", "raw/", "layers/", "varm", "varp", "obsp/distances"]
    assert not store.of(*matrices, *([] if "edges" in call else ["obsp/"]))


def test_one_column_of_obs_is_read(watched: tuple[AnnData, _Reads]) -> None:
    adata, store = watched
    list(sca.pl.animate_embedding(adata, color="n_genes", progress=False).frames(dpi=20))
    assert store.of("obs/n_genes")
    assert store.of("obs/") == store.of("obs/n_genes")
    assert not store.of("X/", "raw/", "layers/", "obsp/")


def test_a_page_reads_what_it_tells_and_no_more(watched: tuple[AnnData, _Reads]) -> None:
    adata, store = watched
    film = sca.pl.animate_embedding(adata, color="types", progress=False)
    film.explore(hover="n_genes")
    assert store.of("obs/") == store.of("obs/n_genes")
    assert store.of("obs/n_genes", "obsm/types")
    assert not store.of("X/", "raw/", "layers/", "obsp/", "obsm/X_pca", "varm", "varp")


def test_labels_are_assigned_without_matrices_or_graph(watched: tuple[AnnData, _Reads]) -> None:
    adata, store = watched
    sca.tl.assign_labels(adata, key="types", class_mass=False)
    assert store.of("obsm/types")
    assert not store.of("X/", "raw/", "layers/", "obsp/", "obs/", "obsm/X_")


def test_a_graph_in_its_store_is_propagated_on_without_matrices(
    watched: tuple[AnnData, _Reads],
) -> None:
    adata, store = watched
    sca.tl.label_propagation(adata, "few", key_added="mine", alpha=0.9, max_iter=2)
    assert store.of("obsp/connectivities")
    assert store.of("obs/") == store.of("obs/few")
    assert not store.of("X/", "raw/", "layers/", "obsm/", "varm", "varp")


def test_a_table_with_names_is_read_a_column_at_a_time(watched: tuple[AnnData, _Reads]) -> None:
    adata, store = watched
    table = readable(adata).obsm["table"]
    assert table.labels == ["a", "b"]
    assert table.dtype == np.float64
    np.testing.assert_array_equal(table[:, 0], np.asarray(adata.obs["n_genes"]))
    assert store.of("obsm/table/a")
    assert not store.of("obsm/table/b")
    np.testing.assert_array_equal(np.asarray(table)[:, 1], 1.0)


def test_some_rows_of_a_table_are_read_without_its_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanpy_anim._table.ROWS_AT_ONCE", 100)
    values = np.random.default_rng(0).random((1000, 3, 2))
    asked: list[tuple[int, ...]] = []

    def chunk(block: np.ndarray, block_info: Any = None) -> np.ndarray:
        asked.append(block_info[0]["chunk-location"])
        return block

    source = da.from_array(values, chunks=(100, 1, 2))
    table = Table(source.map_blocks(chunk, dtype=float, meta=np.empty((0, 0, 0))))
    rows = np.array([907, 4, 3, 950, 4])
    np.testing.assert_array_equal(table[:, :, 1].of_rows(-1, rows), values[rows, -1, 1])
    assert set(asked) == {(0, 2, 0), (9, 2, 0)}


def test_a_table_reads_a_column_and_keeps_nothing_beside_it() -> None:
    values = np.arange(2_000 * 7 * 3, dtype=np.float32).reshape(2_000, 7, 3)
    asked: list[tuple[int, ...]] = []

    def chunk(block: np.ndarray, block_info: Any = None) -> np.ndarray:
        asked.append(block_info[0]["chunk-location"])
        return block

    source = da.from_array(values, chunks=(300, 1, 3))
    table = Table(source.map_blocks(chunk, dtype=np.float32, meta=np.empty((0, 0, 0), np.float32)))
    np.testing.assert_array_equal(table[:, 2], values[:, 2])
    assert {place[1] for place in asked} == {2}
    np.testing.assert_array_equal(table[:, :, 1][:, -1], values[:, -1, 1])
    assert {place[1] for place in asked} == {2, 6}
    assert table.shape == values.shape
    assert table[:, :, 1].shape == values.shape[:2]
    np.testing.assert_array_equal(np.asarray(table[:, :, 1]), values[:, :, 1])
    with pytest.raises(IndexError):
        table[:, 7]


_FILM = """
import sys, warnings
warnings.simplefilter("ignore")
import anndata, numpy as np, zarr
import dask.array as da
import scanpy_anim as sca

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024

group = zarr.open_group(sys.argv[1], mode="r")
adata = anndata.AnnData(shape=(group["xy"].shape[0], 0))
adata.obsm["X_umap"], adata.obsm["scores"] = (da.from_zarr(group[n]) for n in ("xy", "scores"))
small = adata[:1000].copy()
list(sca.pl.animate_embedding(small, color="scores", progress=False).frames(dpi=20))
before = peak()
list(sca.pl.animate_embedding(adata, color="scores", scale="rank", progress=False).frames(dpi=20))
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no peak of memory is told")
def test_a_film_takes_far_less_memory_than_its_history(tmp_path: Path) -> None:
    n_obs, n_frames = 1_000_000, 200
    group = zarr.open_group(tmp_path / "cells.zarr", mode="w")
    values = np.arange(n_obs, dtype=np.float32)
    chunks = (n_obs // 4, 1)
    group.create_array("xy", data=np.stack([values % 1009, values % 997], axis=1))
    scores = group.create_array("scores", shape=(n_obs, n_frames), chunks=chunks, dtype="f4")
    for frame in range(0, n_frames, 20):  # the others are 0
        scores[:, frame] = values % (frame + 7)
    command = [sys.executable, "-c", _FILM, str(tmp_path / "cells.zarr")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    assert int(done.stdout) < n_obs * n_frames * 4 / 2


# --- results


def _seeded(adata: AnnData) -> AnnData:
    """Lend lazy cells a graph in memory."""
    if not adata.isbacked:
        adata.obsp["connectivities"] = in_memory(adata.obsp["connectivities"])
    return adata


@pytest.mark.parametrize("seeds", ["few", ["AAAGCCTGGCTAAC-1"], {"a": [0, 3], "b": [9]}, "many"])
def test_results_are_written_into_lazy_cells(
    seeds: Any, elsewhere: AnnData, cells: AnnData
) -> None:
    expected = cells.copy()
    options: dict[str, Any] = {"key_added": "mine", "alpha": 0.9, "max_iter": 5, "tol": 0}
    sca.tl.label_propagation(expected, seeds, **options)
    sca.tl.label_propagation(_seeded(elsewhere), seeds, **options)
    sca.tl.label_propagation(elsewhere, seeds, **options)  # takes its own place
    found = readable(elsewhere)
    np.testing.assert_array_equal(found.obsm["mine"], expected.obsm["mine"])
    pd.testing.assert_series_equal(found.obs["mine"], expected.obs["mine"], check_names=False)
    assert _frames(elsewhere, {"color": "mine"}) == _frames(expected, {"color": "mine"})


def test_a_lazy_graph_gives_the_same_labels_and_a_film(lazy: AnnData, cells: AnnData) -> None:
    options: dict[str, Any] = {"key_added": "mine", "alpha": 0.9, "max_iter": 5, "tol": 0}
    sca.tl.label_propagation(lazy, "few", **options)
    expected = cells.copy()
    sca.tl.label_propagation(expected, "few", **options)
    np.testing.assert_allclose(lazy.obsm["mine"], expected.obsm["mine"], rtol=1e-3, atol=1e-6)
    assert (readable(lazy).obs["mine"].to_numpy() == expected.obs["mine"].to_numpy()).mean() > 0.99
    assert len(_frames(lazy, {"color": "mine"})) == expected.obsm["mine"].shape[1]


def test_stored_results_are_replaced_in_lazy_cells(lazy: AnnData) -> None:
    sca.tl.label_propagation(_seeded(lazy), "few", key_added="types", max_iter=3)
    assert lazy.obsm["types"].shape[1] == 5  # 0 to 3, and the limit
    assert isinstance(lazy.uns["types"], dict)
    assert isinstance(lazy.uns["types"]["params"], dict)
    with pytest.raises(ValueError, match="would replace obs"):
        sca.tl.label_propagation(lazy, [0], key_added="n_genes")


def test_a_column_of_lazy_cells_is_seeds(lazy: AnnData, cells: AnnData) -> None:
    sca.tl.label_propagation(_seeded(lazy), lazy.obs["few"], key_added="mine", alpha=0.9)
    expected = cells.copy()
    sca.tl.label_propagation(expected, expected.obs["few"], key_added="mine", alpha=0.9)
    np.testing.assert_array_equal(lazy.obsm["mine"], expected.obsm["mine"])


def test_copies_are_lazy_again(lazy: AnnData) -> None:
    copied = sca.tl.assign_labels(lazy, key="types", min_confidence=0.5, copy=True)
    assert copied is plain(copied)
    assert type(copied.obs) is type(lazy.obs)
    assert float(lazy.uns["types"]["labels"].get("min_confidence", 0)) == 0
    assert copied.uns["types"]["labels"]["min_confidence"] == 0.5


def test_what_was_added_is_written_once_the_columns_are_in_memory(
    lazy: AnnData, cells: AnnData, tmp_path: Path
) -> None:
    sca.tl.assign_labels(lazy, key="types", min_confidence=0.4)
    whole = lazy.to_memory()
    whole.write_h5ad(tmp_path / "cells.h5ad")
    again = anndata.read_h5ad(tmp_path / "cells.h5ad")
    expected = cells.copy()
    sca.tl.assign_labels(expected, key="types", min_confidence=0.4)
    pd.testing.assert_series_equal(again.obs["types"], expected.obs["types"])


def test_what_is_said_of_a_name_that_is_taken_can_be_run(lazy: AnnData) -> None:
    sca.tl.assign_labels(lazy, key="types")
    del lazy.uns["types"]
    with pytest.raises(ValueError, match="first") as refused:
        sca.tl.label_propagation(_seeded(lazy), "few", key_added="types", max_iter=2)
    command = str(refused.value).split("run `")[1].split("`")[0]
    exec(command, {"adata": lazy})
    sca.tl.label_propagation(lazy, "few", key_added="types", max_iter=2)


def test_cells_without_names_are_filmed(cells: AnnData) -> None:
    """Names are most of what tens of millions of cells hold in memory."""
    xarray = pytest.importorskip("xarray")
    from anndata.experimental.backed import Dataset2D

    obs = Dataset2D(xarray.Dataset(coords={"cell": pd.RangeIndex(cells.n_obs)}))
    some = {name: da.from_array(cells.obsm[name]) for name in ("types", "X_umap")}
    nameless = anndata.AnnData(obs=obs, obsm=some, uns=cells.uns)
    assert isinstance(nameless.obs_names, pd.RangeIndex)
    for call in (FILMS["scores of a class"], FILMS["labels"]):
        assert _frames(nameless, call) == _frames(cells.copy(), call)


# --- refusals


def test_names_that_are_not_there_are_refused_as_in_memory(lazy: AnnData, cells: AnnData) -> None:
    calls: list[dict[str, Any]] = [
        {"color": "CD3X"},
        {"color": "n_gene"},
        {"basis": "tsne"},
        {"color": "types", "classes": "T"},
        {"color": "CD3D", "layer": "count"},
        {"mark_cells": ["nobody"]},
        {"mask_obs": "n_genes"},
    ]
    for call in calls:
        with pytest.raises((KeyError, ValueError)) as here:
            sca.pl.animate_embedding(cells.copy(), **call)
        with pytest.raises(here.type) as there:
            sca.pl.animate_embedding(lazy, **call)
        assert str(there.value).split(".")[0] == str(here.value).split(".")[0]


def test_seeds_that_are_not_there_are_refused(lazy: AnnData) -> None:
    for seeds, message in (("nobody", "is not a column"), (["nobody"], "not in adata.obs_names")):
        with pytest.raises(KeyError, match=message):
            sca.tl.label_propagation(_seeded(lazy), seeds)
    with pytest.raises(KeyError, match="not a propagation"):
        sca.tl.assign_labels(lazy, key="nothing")


def test_a_matrix_in_a_file_is_no_prior(elsewhere: AnnData, cells: AnnData) -> None:
    with pytest.raises(ValueError, match=r"prior='X': adata.X is not in memory.*'X_pca'"):
        sca.tl.label_propagation(_seeded(elsewhere), "few", prior="X", key_added="mine")
    sca.tl.label_propagation(elsewhere, "few", prior="X_pca", key_added="mine", max_iter=3)
    expected = cells.copy()
    sca.tl.label_propagation(expected, "few", prior="X_pca", key_added="mine", max_iter=3)
    np.testing.assert_array_equal(elsewhere.obsm["mine"], expected.obsm["mine"])


def test_cells_in_memory_are_taken_as_they_are(pbmc: AnnData) -> None:
    assert readable(pbmc) is pbmc
    assert readable(pbmc[::2]).is_view
    assert sc.get.obs_df(pbmc, ["n_genes"]).shape == (700, 1)
