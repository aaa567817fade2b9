"""What each phase of a call takes, against what the system says of the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import scanpy_anim as sca
from scanpy_anim._memory import SHARE
from scanpy_anim.tl import _label_propagation, _peak, _phases
from scanpy_anim.tl._options import Options
from scanpy_anim.tl._peak import Peak

# a process of its own for each case, as what one leaves would be taken for free by the next
MEASURE = """
import gc, json, sys
import anndata as ad
import numpy as np
import pandas as pd
import scanpy as sc
from scipy import sparse
import scanpy_anim as sca
from scanpy_anim.tl import _phases

sc.settings.verbosity = 0

def status(name):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

def cells(n_obs, n_classes, directed):
    random = np.random.default_rng(0)
    rows = np.repeat(np.arange(n_obs), 12)
    columns = (rows + random.integers(1, n_obs // 50, len(rows))) % n_obs
    weights = np.ones(len(rows), np.float32)
    graph = sparse.csr_matrix((weights, (rows, columns)), (n_obs, n_obs))
    graph = graph if directed else sparse.csr_matrix(graph + graph.T).astype(np.float32)
    seeds = random.choice(n_obs, 10 * n_classes, replace=False)
    labels = np.full(n_obs, None, object)
    labels[seeds] = [f"c{i % n_classes}" for i in range(len(seeds))]
    obs = pd.DataFrame({"few": pd.Categorical(labels)}, index=np.arange(n_obs).astype(str))
    adata = ad.AnnData(obs=obs, obsp={"connectivities": graph})
    adata.uns["neighbors"] = {"connectivities_key": "connectivities"}
    adata.obsm["X_pca"] = random.random((n_obs, 40)).astype(np.float32)
    return adata

n_obs, n_classes, directed, how = json.loads(sys.argv[1])
of_view, then = how.pop("of_view", False), how.pop("then", None)
told = []
original = _phases._foreseen
def note(*args, **kwargs):
    told.append(original(*args, **kwargs))
    return told[-1]
_phases._foreseen = note

def called(n_obs):
    adata = cells(n_obs, n_classes, directed)
    if of_view:
        adata = adata[::-1]
    if then is not None:
        sca.tl.label_propagation(adata, "few", **how)
    gc.collect()
    open("/proc/self/clear_refs", "w").write("5")
    before = status("VmRSS")
    if then is None:
        kept = sca.tl.label_propagation(adata, "few", **how)
    else:
        sca.tl.assign_labels(adata, **then)
    return status("VmHWM") - before

called(3_000)
peak = called(n_obs)
held = 8 * n_obs * (n_classes + 1) if then else 0
if of_view:  # its graph has been read, which copies it, when memory is asked for
    held += 8 * cells(n_obs, n_classes, directed).obsp["connectivities"].nnz
print(json.dumps([max(told[-1].values()) + held, peak]))
"""
WAY = {"tol": 0, "max_iter": 4, "limit": False}
CASES = {
    "search": [150_000, 12, False, WAY],
    "search of many classes": [100_000, 30, False, WAY],
    "symmetrize": [200_000, 1, True, {**WAY, "symmetrize": True}],
    "symmetrize, then more": [100_000, 6, True, {**WAY, "symmetrize": True, "alpha": 0.9}],
    "prior": [100_000, 12, False, {**WAY, "prior": "X_pca"}],
    "copy": [150_000, 8, False, {**WAY, "alpha": 0.9, "copy": True}],
    "copy of a view": [100_000, 4, False, {**WAY, "alpha": 0.9, "copy": True, "of_view": True}],
    "calibrate": [60_000, 12, False, {"alpha": 0.9, "max_iter": 2, "then": {"calibrate": True}}],
}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells the peak")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_peak_of_a_call_is_foreseen_within_15_percent(case: list[object]) -> None:
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
    command = [sys.executable, "-W", "ignore", "-c", MEASURE, json.dumps(case)]
    for _ in range(3):  # what compiles leaves memory behind: a later run has it compiled
        out = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert out.returncode == 0, out.stderr[-600:]
        need, peak = json.loads(out.stdout)
        if 0.85 < need / peak < 1.15:
            return
    pytest.fail(f"foreseen {need:,} bytes, taken {peak:,}")


@pytest.mark.parametrize(
    ("phase", "how"),
    [
        ("symmetrize=True", {"symmetrize": True}),
        ("alpha='auto'", {}),
        ("prior=", {"prior": "X_pca"}),
        ("copy=True", {"copy": True, "alpha": 0.9}),
    ],
)
def test_a_phase_that_does_not_fit_is_refused_before_work(
    pbmc, monkeypatch: pytest.MonkeyPatch, phase: str, how: dict
) -> None:
    pbmc.obs["few"] = pbmc.obs["bulk_labels"].where(pbmc.obs_names.str[0] == "A")
    way = {**WAY, **how}
    options = Options.checked(**{k: v for k, v in way.items() if k not in ("prior", "copy")})
    said = {
        "searches": not how,
        "prior": "prior" in how,
        "n_features": 50 if "prior" in how else 0,
        "copied": sys.getsizeof(pbmc) if "copy" in how else 0,
    }
    weights = pbmc.obsp["connectivities"].nnz
    seeds, n_classes = ([0, 1], 1) if "symmetrize" in how else ("few", 10)
    need = _phases._foreseen(pbmc.n_obs, weights, n_classes, options, **said)
    assert max(need, key=need.get) == phase
    monkeypatch.setattr(_phases, "free_bytes", lambda: int(need[phase] / 0.91))
    before = list(pbmc.obsm)
    with pytest.raises(MemoryError, match=f"{phase} takes .* at its peak, but .* are free"):
        sca.tl.label_propagation(pbmc, seeds, **way)
    assert list(pbmc.obsm) == before
    assert "label_propagation" not in pbmc.uns
    monkeypatch.setattr(_phases, "free_bytes", lambda: int(need[phase] / 0.89))
    sca.tl.label_propagation(pbmc, seeds, **way)


def test_a_history_of_unknown_length_leaves_room_for_the_copy(
    pbmc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends where memory does, and what `copy=True` takes comes after it."""
    weights, copied = pbmc.obsp["connectivities"].nnz, sys.getsizeof(pbmc)
    options = Options.checked(tol=1e-30, max_iter=100)
    peak = Peak.of(pbmc.n_obs, weights, 1, replace(options, reserved=copied))
    assert peak.work == copied
    free = int((10.5 * peak.column + copied) / SHARE)
    for module in (_phases, _peak):
        monkeypatch.setattr(module, "free_bytes", lambda: free)
    kept = sca.tl.label_propagation(pbmc, [0, 1], tol=1e-30, copy=True)
    assert kept.obsm["label_propagation"].shape[1] == 10
    sca.tl.label_propagation(pbmc, [0, 1], tol=1e-30)
    assert pbmc.obsm["label_propagation"].shape[1] > 50


def test_a_copy_of_a_view_is_foreseen(pbmc, monkeypatch: pytest.MonkeyPatch) -> None:
    view = pbmc[::-1]
    copied = sys.getsizeof(view.copy())
    assert 0.9 < _phases._size_of_copy(view) / copied < 1.1
    monkeypatch.setattr(_phases, "free_bytes", lambda: copied)
    with pytest.raises(MemoryError, match=r"copy=True takes .* at its peak"):
        sca.tl.label_propagation(view, [0, 1], copy=True)
    assert view.is_view
    sca.tl.label_propagation(pbmc, [0, 1])


@pytest.mark.parametrize("asked", ["calibrate=True", "coverage=0.8"])
def test_seeds_are_not_held_out_where_that_does_not_fit(
    pbmc, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    sca.tl.label_propagation(pbmc, "bulk_labels", alpha=0.9, max_iter=3)
    before = dict(pbmc.uns["label_propagation"])
    monkeypatch.setattr(_phases, "free_bytes", lambda: 300_000)
    name, _, value = asked.partition("=")
    with pytest.raises(MemoryError, match=f"{asked} takes .* at its peak, but 300 kB are free"):
        sca.tl.assign_labels(pbmc, **{name: value == "True" or float(value)})
    assert dict(pbmc.uns["label_propagation"]).keys() == before.keys()
    sca.tl.assign_labels(pbmc)


@pytest.mark.parametrize("symmetrize", [True, False])
def test_arrays_are_not_put_together_where_that_does_not_fit(
    pbmc, monkeypatch: pytest.MonkeyPatch, symmetrize: bool
) -> None:
    graph = pbmc.obsp["connectivities"]
    monkeypatch.setattr(_peak, "free_bytes", lambda: 8 * graph.nnz)
    how = {"tol": 0, "max_iter": 2, "limit": False, "symmetrize": symmetrize}
    signal = np.eye(pbmc.n_obs)[0]
    if not symmetrize:
        sca.tl.propagate(graph, signal, **how)
        return
    with pytest.raises(MemoryError, match=r"symmetrize=True takes .* at its peak"):
        sca.tl.propagate(graph, signal, **how)


def test_a_history_that_does_not_fit_is_refused_before_any_other_work(
    pbmc, monkeypatch: pytest.MonkeyPatch
) -> None:
    pbmc.obs["few"] = pbmc.obs["bulk_labels"].where(pbmc.obs_names.str[0] == "A")
    monkeypatch.setattr(_phases, "free_bytes", lambda: 10**7)
    monkeypatch.setattr(_label_propagation, "read_graph", pytest.fail)
    with pytest.raises(MemoryError, match=r"the history would take .*Keep fewer iterations"):
        sca.tl.label_propagation(pbmc, "few", tol=0, max_iter=10**4)
