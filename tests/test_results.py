"""What is stored under a key: by any algorithm, cleared by the same one, found in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from anndata import AnnData

import scanpy_anim as sca
from scanpy_anim._read_result import present_seeds, read_result
from scanpy_anim._results import Result, SeedCells, is_ours, require_free

if TYPE_CHECKING:
    from pathlib import Path

KEY = "label_propagation"


def _cells(n_obs: int = 6) -> AnnData:
    return AnnData(obs=pd.DataFrame(index=[f"c{i}" for i in range(n_obs)]))


def _run(key: str = "way", algorithm: str = "diffusion", **more: Any) -> Result:
    history = np.arange(18, dtype=np.float32).reshape(6, 3)
    return Result(key, algorithm, history, np.array([0.0, 1, np.inf]), **more)


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_any_algorithm_reads_back_what_it_wrote(
    tmp_path: Path, suffix: str, quiet_files: None
) -> None:
    adata = _cells()
    seeds = SeedCells(np.array([1, 4]), np.array([0, 1]), np.array([1.0, 0.5]))
    cube = np.zeros((6, 3, 2), dtype=np.float32)
    cube[[1, 4], 0, [0, 1]] = [1, 0.5]
    result = _run(classes=("T/NK", "B"), colors=("#f00", "#00f"), seeds=seeds, params={"a": 2})
    result = Result(**{**vars(result), "history": cube, "details": {"n_iter": 2}})
    result.write(adata, {"obs/way": np.arange(6)})
    getattr(adata, f"write_{suffix}")(tmp_path / "run")
    back = getattr(anndata, f"read_{suffix}")(tmp_path / "run")
    assert list(back.uns["way"]["fields"]) == ["obsm/way", "uns/way_colors", "obs/way"]
    read = read_result(back, "way")
    assert read is not None
    assert (read.algorithm, list(read.classes), read.n_columns) == ("diffusion", ["T/NK", "B"], 3)
    assert read.colors == ["#f00", "#00f"]
    assert int(read.params["a"]), int(read.details["n_iter"]) == (2, 2)
    np.testing.assert_array_equal(read.history, cube)
    np.testing.assert_array_equal(read.iterations, [0, 1, np.inf])
    found = present_seeds(back, read)
    np.testing.assert_array_equal(found.positions, [1, 4])
    np.testing.assert_array_equal(found.weights, [1, 0.5])


def test_only_its_own_algorithm_replaces_a_run() -> None:
    adata = _cells()
    _run().write(adata)
    assert is_ours(adata, "way", "diffusion")
    assert not is_ours(adata, "way", KEY)
    require_free(adata, "way", "diffusion", ["obsm/way"])
    with pytest.raises(ValueError, match=r"would replace obsm\['way'\], uns\['way'\]"):
        require_free(adata, "way", KEY, ["obsm/way"])


def test_a_dict_that_looks_like_a_run_is_the_users(pbmc: AnnData) -> None:
    own = {"params": {}, "seeds": {"positions": [0]}, "iterations": [1.0]}
    pbmc.uns[KEY] = own
    with pytest.raises(ValueError, match=r"would replace uns\['label_propagation'\]"):
        sca.tl.label_propagation(pbmc, [0])
    assert pbmc.uns[KEY] == own


def test_a_run_clears_what_the_last_one_wrote_and_nothing_else(pbmc: AnnData) -> None:
    sca.tl.label_propagation(pbmc, [0])
    pbmc.obs[f"{KEY}_confidence"] = 1.0
    pbmc.obsm[f"{KEY}_proba"] = np.ones((700, 2))
    pbmc.uns[f"{KEY}_colors"] = ["#123456"]
    sca.tl.label_propagation(pbmc, [1])
    assert (pbmc.obs[f"{KEY}_confidence"] == 1).all()
    assert (pbmc.obsm[f"{KEY}_proba"] == 1).all()
    assert pbmc.uns[f"{KEY}_colors"] == ["#123456"]
    with pytest.raises(ValueError, match=r"would replace obs\['label_propagation_confidence'\]"):
        sca.tl.label_propagation(pbmc, "bulk_labels")


@pytest.mark.parametrize("store", ["obs", "obsm"])
def test_sets_replace_nothing_of_the_users(pbmc: AnnData, store: str) -> None:
    pbmc.obs["few"] = pbmc.obs["bulk_labels"].where(np.arange(700) < 300)
    sca.tl.label_propagation(pbmc, "few", alpha=0.8)
    name, own = f"{KEY}_{'set_size' if store == 'obs' else 'set'}", np.ones((700, 1))[:, 0]
    getattr(pbmc, store)[name] = own if store == "obs" else own[:, None]
    with pytest.raises(ValueError, match=rf"would replace adata\.{store}\['{name}'\]"):
        sca.tl.assign_labels(pbmc, coverage=0.9)
    assert (np.asarray(getattr(pbmc, store)[name]) == 1).all()
    assert f"{KEY}_set" in pbmc.obsm or f"{KEY}_set_size" in pbmc.obs
    del getattr(pbmc, store)[name]
    for _ in range(2):  # its own it replaces
        sca.tl.assign_labels(pbmc, coverage=0.9)
        assert (pbmc.obs[f"{KEY}_set_size"] == pbmc.obsm[f"{KEY}_set"].sum(axis=1)).all()


def test_a_table_of_the_users_decides_no_labels(pbmc: AnnData) -> None:
    """Scores beside the history are read where the run wrote some."""
    pbmc.obs["few"] = pbmc.obs["bulk_labels"].where(np.arange(700) < 300)
    sca.tl.label_propagation(pbmc, "few", alpha=0.8)
    labels = pbmc.obs[KEY].copy()
    n_classes = len(labels.cat.categories)
    pbmc.obsm[f"{KEY}_scores"] = np.eye(n_classes, dtype=np.float32)[np.zeros(700, dtype=int)]
    sca.tl.assign_labels(pbmc)
    assert pbmc.obs[KEY].equals(labels)


def test_palettes_set_beforehand_or_since_stay(pbmc: AnnData) -> None:
    own = ["#abcdef"] * 10
    pbmc.uns[f"{KEY}_colors"] = own
    sca.tl.label_propagation(pbmc, "bulk_labels")
    assert list(pbmc.uns[f"{KEY}_colors"]) == own
    sca.tl.label_propagation(pbmc, "bulk_labels", key_added="other")
    assert list(pbmc.uns["other_colors"]) == list(pbmc.uns["bulk_labels_colors"])
    pbmc.uns["other_colors"] = own
    sca.tl.label_propagation(pbmc, "bulk_labels", key_added="other")
    assert list(pbmc.uns["other_colors"]) == own


@pytest.mark.parametrize("lost", ["concat", "uns"])
def test_a_lost_record_is_explained_and_the_advice_works(pbmc: AnnData, lost: str) -> None:
    sca.tl.label_propagation(pbmc, "bulk_labels")
    again = pbmc.copy()
    if lost == "concat":
        other = pbmc.copy()
        other.obs_names += "-2"
        again = anndata.concat([pbmc, other])
        sc.pp.neighbors(again, use_rep="X_pca")
    else:
        again.uns = {}
    with pytest.raises(ValueError, match=r"record was lost .*run `(del adata\.[^`]*)`") as raised:
        sca.tl.label_propagation(again, "bulk_labels")
    exec(str(raised.value).split("`")[3], {"adata": again})
    sca.tl.label_propagation(again, "bulk_labels")
    assert is_ours(again, KEY, KEY)


@pytest.mark.parametrize("how", [{}, {"history": "labels"}, {"iterations": [2, 5]}, {"every": 3}])
@pytest.mark.parametrize("chosen", ["subset", "order"])
def test_seeds_are_found_among_the_cells_of_now(
    pbmc: AnnData, how: dict[str, Any], chosen: str
) -> None:
    seeds = {"A": [3, 50, 200], "B": [10, 650]}
    sca.tl.label_propagation(pbmc, seeds, **how)
    random = np.random.default_rng(0)
    order = random.permutation(700)[: 350 if chosen == "subset" else 700]
    names = {pbmc.obs_names[i]: c for c, cells in enumerate(seeds.values()) for i in cells}
    other = pbmc[order].copy()
    found = present_seeds(other, read_result(other, KEY))
    told = dict(zip(other.obs_names[found.positions], found.classes, strict=True))
    assert told == {name: c for name, c in names.items() if name in other.obs_names}


def test_seeds_of_two_classes_keep_their_weights_next_to_codes(pbmc: AnnData) -> None:
    seeds = {"A": {0: 0.5, 7: 1.0}, "B": {7: 0.25, 9: 2.0}}
    sca.tl.label_propagation(pbmc, seeds, history="labels")
    found = present_seeds(pbmc, read_result(pbmc, KEY))
    assert found.positions.tolist() == [0, 7, 7, 9]
    assert found.weights.tolist() == [0.5, 1, 0.25, 2]
    # the same cells are seeds, but of other classes
    swapped = pbmc[[9, *range(1, 9), 0, *range(10, 700)]].copy()
    found = present_seeds(swapped, read_result(swapped, KEY))
    assert found.positions.tolist() == [0, 7, 9]
    assert found.classes.tolist() == [1, 0, 0]


BROKEN = {
    "iterations of words": ("iterations", ["a", "b"], "'iterations'"),
    "iterations unknown": ("iterations", [np.nan], "'iterations'"),
    "a class too few": ("classes", ["A"], "1 names for 2 classes"),
    "seeds no mapping": ("seeds", 3, "'seeds'.*no mapping"),
    "seeds of other classes": ("seeds", {"positions": [0], "classes": [7]}, "'seeds'.*0 to 1"),
    "seeds before the first": ("seeds", {"positions": [-4], "classes": [0]}, "'seeds'"),
    "seeds of two lengths": ("seeds", {"positions": [0, 1], "classes": [0]}, "one length"),
    "seeds of words": ("seeds", {"positions": ["c1"], "classes": [0]}, "integers"),
    "params no mapping": ("params", "alpha", "'params'.*no mapping"),
    "temperature": ("temperature", np.nan, "'temperature'.*nan"),
    "cold": ("temperature", -1, "'temperature'"),
    "labels": ("labels", {"min_confidence": "high"}, "'labels'.*'high'"),
}


@pytest.mark.parametrize(("name", "value", "message"), BROKEN.values(), ids=BROKEN)
def test_records_changed_by_hand_are_refused_by_name(
    pbmc: AnnData, name: str, value: object, message: str
) -> None:
    sca.tl.label_propagation(pbmc, {"A": [0], "B": [1]}, max_iter=2)
    pbmc.uns[KEY][name] = value
    with pytest.raises(ValueError, match=message):
        read_result(pbmc, KEY)


@pytest.mark.parametrize(
    "key",
    [
        "dtype",
        "a\0b",
        "zarr.json",
        ".zarray",
        "x" * 250,
        "Ω" * 130,
        "\ud800",
        "",
        "..",
        3,
        None,
        [1],
        np.ones(3),
    ],
)
def test_keys_that_files_cannot_hold_are_refused_at_the_start(pbmc: AnnData, key: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="key_added="):
        sca.tl.label_propagation(pbmc, [0], key_added=key)
    assert list(pbmc.uns) == list(_untouched(pbmc))


def _untouched(adata: AnnData) -> list[str]:
    return [name for name in adata.uns if not is_ours(adata, name, KEY)]
