"""Ctrl-C in the midst of propagation, and writing that fails halfway."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

import scanpy_anim as sca
from scanpy_anim._results import Result

from .strange import changed_fields, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from anndata import AnnData

INTERRUPTS = int(os.environ.get("FAULT_INTERRUPTS", "20"))


@pytest.mark.skipif(sys.platform == "win32", reason="has no such timers")
def test_interrupts_at_any_moment_lose_nothing(prepared: Callable[..., dict]) -> None:
    """What was there stays, whole, or the new run is there, whole; and the next call works."""
    report = prepared(
        """
        import scanpy as sc
        import scanpy_anim as sca
        from tests.faults.strange import changed_fields, snapshot

        sc.settings.verbosity = 0
        adata = sc.datasets.pbmc68k_reduced()
        adata.obs["few"] = adata.obs["bulk_labels"].where(adata.obs_names.str[0] == "A")
        call = lambda to, **how: sca.tl.label_propagation(to, "few", key_added="types", **how)

        def ring(*_):
            raise KeyboardInterrupt

        signal.signal(signal.SIGALRM, ring)
        call(adata, max_iter=3)
        old, other = adata, adata.copy()
        call(other, max_iter=30)  # compiles
        begun = time.perf_counter()
        call(other, max_iter=30)
        lasts = time.perf_counter() - begun
        new = snapshot(other)
        rng = np.random.default_rng(0)
        report = {"interrupted": 0, "old": 0, "new": 0, "between": []}
        for number in range(INTERRUPTS):
            edited = old.copy()
            before = snapshot(edited)
            signal.setitimer(signal.ITIMER_REAL, 1e-4 + lasts * rng.random())
            try:
                call(edited, max_iter=30)
            except KeyboardInterrupt:
                report["interrupted"] += 1
            signal.setitimer(signal.ITIMER_REAL, 0)
            after = snapshot(edited)
            if not changed_fields(before, after):
                report["old"] += 1
            elif not changed_fields(new, after):
                report["new"] += 1
            else:  # scores of the new run, labels not yet
                kept = {k: v for k, v in before.items() if ".types" not in k}
                then = {k: v for k, v in after.items() if ".types" not in k}
                assert not changed_fields(kept, then)
                np.testing.assert_array_equal(edited.obsm["types"], other.obsm["types"])
                report["between"].append(number)
            call(edited, max_iter=30)
            assert not changed_fields(new, snapshot(edited))
        print(json.dumps(report))
        """,
        INTERRUPTS=INTERRUPTS,
    )
    assert report["interrupted"] >= INTERRUPTS / 4
    assert report["old"] + report["new"] + len(report["between"]) == INTERRUPTS


@pytest.mark.parametrize("fails_at", range(5))
def test_a_run_that_cannot_be_written_leaves_the_last_one(
    propagated: AnnData, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    before, left = snapshot(propagated), [fails_at]
    store = type(propagated.obsm)
    put = store.__setitem__

    def fail(self: object, name: str, value: object) -> None:
        left[0] -= 1
        if left[0] == -1:
            raise KeyboardInterrupt
        put(self, name, value)

    n_obs = propagated.n_obs
    new = Result(
        "types",
        "label_propagation",
        np.zeros((n_obs, 2, 10), np.float32),
        np.arange(2.0),
        confidence=np.zeros((n_obs, 2), np.float32),
        scores=np.zeros((n_obs, 10), np.float32),
    )
    also = {"obsm/types_one": np.zeros((n_obs, 1)), "obsm/types_two": np.zeros((n_obs, 1))}
    monkeypatch.setattr(store, "__setitem__", fail)
    with pytest.raises(KeyboardInterrupt):
        new.write(propagated, also)
    monkeypatch.undo()
    assert not changed_fields(before, snapshot(propagated))
    sca.tl.label_propagation(propagated, "bulk_labels", key_added="types", max_iter=2)
