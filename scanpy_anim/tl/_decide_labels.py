"""Labels, confidence and probabilities of a stored run, decided and written: the story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scanpy import logging as logg

from scanpy_anim._checks import MissingKeyError, few
from scanpy_anim._decision import Decision, class_mass_weights, column_names, decide, shares
from scanpy_anim._lazy import readable
from scanpy_anim._read_result import present_seeds, read_result, reading_record
from scanpy_anim._results import write_fields
from scanpy_anim.tl._calibration import FEWEST
from scanpy_anim.tl._calibration import calibrate as calibrate_shares
from scanpy_anim.tl._held_out import arguments_of, count_held_out, hold_out
from scanpy_anim.tl._label_sets import label_sets
from scanpy_anim.tl._options import Options
from scanpy_anim.tl._phases import require_search
from scanpy_anim.tl._walked import graph_of_run, require_same_graph

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray

    from scanpy_anim._results import Result
    from scanpy_anim.tl._held_out import HeldOut
# held-out seeds a class that hardly tell in what proportions the cells come
_FEW_A_CLASS = 10
# held-out seeds of a class that say something if none of them is given its label
_SOME = 5


def assign(
    adata: AnnData,
    key: str,
    *,
    class_mass: bool | None = None,
    calibrate: bool = False,
    min_confidence: float | None = None,
    coverage: float | None = None,
) -> list[str]:
    """Write label, confidence and probabilities of a stored propagation, and say what."""
    adata = readable(adata)  # the history that was just written may be elsewhere
    result = read_result(adata, key)
    if result is None:
        raise MissingKeyError(f"key={key!r} is no result in adata.uns and adata.obsm")
    if class_mass is None:
        held = str(result.params.get("clamp")) == "hard"
        class_mass = result.params.get("class_mass", held)
    scores = _stored_scores(result)
    columns = _class_weights(result, scores) if class_mass else None
    weights = None if columns is None else columns[-1]
    how: dict[str, Any] = {"class_mass": bool(class_mass)}
    if min_confidence is not None:
        how["min_confidence"] = float(min_confidence)
    outcome: dict[str, Any] = {"labels": how}
    if columns is not None:
        outcome["class_weights"] = columns
    held_out, sets = None, dict[str, Any]()
    if calibrate or coverage is not None:
        asked = "calibrate=True" if calibrate else f"coverage={coverage}"
        held_out = _hold_out(adata, key, scores, weights, asked, coverage)
    if calibrate:
        outcome |= _calibration(held_out, list(map(str, result.classes)))
    if coverage is not None and held_out is not None and held_out.everyone is not None:
        how["coverage"] = float(coverage)
        _warn_of_single_seeds(list(map(str, result.classes)), held_out)
        sets = _sets(key, shares(scores, weights), held_out.everyone, held_out, float(coverage))
    _write(adata, key, scores, outcome, sets)
    kept = outcome.get("calibration", {}).get("method", "none") == "none"
    return _told(key, "share of the scores" if kept else "probability", sets=bool(sets))


def _hold_out(
    adata: AnnData,
    key: str,
    scores: NDArray[np.floating],
    weights: NDArray[np.float64] | None,
    asked: str,
    coverage: float | None,
) -> HeldOut | None:
    """Hold seeds out for what was `asked`; `None` where they are too few to calibrate by."""
    record = adata.uns[key]
    with reading_record(key):
        _require_same_cells(adata, key, asked)
        n_held_out = count_held_out(record)
    if coverage is not None:
        _require_enough(n_held_out, float(coverage))
    elif n_held_out < FEWEST:
        return None
    with reading_record(key):
        graph = graph_of_run(adata, record)
        require_same_graph(graph, record, asked)
        options, prior = Options.checked(**arguments_of(record)), record["params"].get("prior")
        require_search(
            adata,
            graph,
            scores.shape[1],
            options,
            asked=asked,
            prior=prior,
            keep=coverage is not None,
        )
        labels = decide(scores, weights)[0]
        return hold_out(adata, graph, record, labels, weights, keep=coverage is not None)


def _write(
    adata: AnnData,
    key: str,
    scores: NDArray[np.floating],
    outcome: dict[str, Any],
    sets: dict[str, Any],
) -> None:
    """Write what was decided in place of what was before."""
    record = adata.uns[key]
    former = {"class_weights", "temperature", "calibration"}
    stale = {f"obs/{key}_set_size", f"obsm/{key}_set"} & set(map(str, record["fields"])) - set(sets)
    record = {name: value for name, value in record.items() if name not in former} | outcome
    record["fields"] = [name for name in record["fields"] if str(name) not in stale]
    fields = _fields(adata, key, scores, Decision.from_record(record)) | sets
    write_fields(adata, key, fields, record)
    for name in stale:
        store, _, within = name.partition("/")
        if within in getattr(adata, store):
            del getattr(adata, store)[within]


def _told(key: str, what: str, *, sets: bool) -> list[str]:
    """Say which fields were added."""
    added = [
        f"'{key}', labels (adata.obs)",
        f"'{key}_confidence', {what} of the label (adata.obs)",
        f"'{key}_proba', {what} of each class (adata.obsm)",
    ]
    if sets:
        added.append(f"'{key}_set_size', number of labels in the set of each cell (adata.obs)")
        added.append(f"'{key}_set', which labels (adata.obsm)")
    return added


def _calibration(held_out: HeldOut | None, classes: list[str]) -> dict[str, Any]:
    """Calibrate by held-out seeds, for the record; nothing when they are too few."""
    if held_out is None or len(held_out.truth) < FEWEST:
        logg.warning(
            f"calibrate=True needs {FEWEST} seeds that can be held out, and there are fewer: "
            "the confidence stays the share of the scores"
        )
        return {}
    n_classes = len(classes)
    found = calibrate_shares(held_out.shares, held_out.truth, held_out.weights)
    n_held_out = len(held_out.truth)
    if found.method == "none":
        logg.info(f"    {n_held_out} held-out seeds bear the shares out, which stay as they are")
    else:
        logg.info(
            f"    calibrated by {found.method} on {n_held_out} held-out seeds, whose loss went "
            f"from {found.loss_before:.3g} to {found.loss_after:.3g}"
        )
    if held_out.weighed and n_held_out < _FEW_A_CLASS * n_classes:
        logg.warning(
            f"the calibrated confidence is a guess: {n_held_out} seeds of {n_classes} classes come "
            "in other proportions than the cells, and are too few to tell in which"
        )
    _warn_of_unnamed(classes, held_out)
    stored = found.storable(n_classes)
    stored |= {"held_out": n_held_out, "weighed": held_out.weighed}
    return {"temperature": found.temperature, "calibration": stored}


def _warn_of_unnamed(classes: list[str], held_out: HeldOut) -> None:
    """Say of which classes no held-out seed is given its label: how large they are is hidden."""
    truth, named = held_out.truth, decide(held_out.shares)[0]
    counts = np.bincount(truth, minlength=len(classes))
    right = np.bincount(truth[named == truth], minlength=len(classes))
    never = [classes[c] for c in np.flatnonzero((counts >= _SOME) & (right == 0))]
    if never:
        logg.warning(
            f"the calibrated confidence may be far off: no held-out seed of {few(never)} is given "
            "that label, so how many cells are of it cannot be told. Give it more seeds, or merge "
            "it with what it is taken for"
        )


def _sets(
    key: str,
    probability: NDArray[np.float64],
    everyone: NDArray[np.float32],
    held_out: HeldOut,
    coverage: float,
) -> dict[str, Any]:
    """Fields with the set of labels of each cell."""
    of_seeds = held_out.own(), held_out.truth, held_out.weights
    sets = label_sets(everyone, *of_seeds, coverage)
    sets[probability.max(axis=1) <= 0] = True  # no seed reaches the cell
    return {f"obs/{key}_set_size": sets.sum(axis=1), f"obsm/{key}_set": sets}


def _warn_of_single_seeds(classes: list[str], held_out: HeldOut) -> None:
    """Say of which classes no seed can be held out: what share their cells get is not known."""
    counts = np.bincount(held_out.truth, minlength=len(classes))
    without = [name for name, count in zip(classes, counts, strict=True) if not count]
    if without:
        logg.warning(
            f"coverage= promises nothing of cells of {few(without)}: no seed of them can be held "
            "out"
        )


def _require_enough(n_held_out: int, coverage: float) -> None:
    fewest = int(np.ceil(1 / (1 - coverage) - 1e-9))
    if n_held_out < fewest:
        raise ValueError(
            f"coverage={coverage:g} needs {fewest} seeds that can be held out (of classes with two "
            f"or more), there are {n_held_out}: give more seeds, or ask for less"
        )


def _stored_scores(result: Result) -> NDArray[np.float32]:
    """Scores `(n_obs, n_classes)` of the last column, however the history is kept."""
    name, scores = f"{result.key}_scores", result.scores
    if scores is None:
        name, scores = result.key, result.history[:, -1]
    scores = np.asarray(scores)
    shape = (len(result.history), len(result.classes))
    if scores.shape != shape or scores.dtype.kind != "f" or not scores.min(initial=0) >= 0:
        raise ValueError(
            f"key={result.key!r}: adata.obsm[{name!r}] does not hold scores of 0 or more for each "
            f"of {shape[1]} classes: propagate again"
        )
    return scores


def _require_same_cells(adata: AnnData, key: str, asked: str) -> None:
    """Refuse other cells: seeds held out there say nothing about this run."""
    result = read_result(adata, key)
    stored = result and result.seeds
    found = result and present_seeds(adata, result)
    same = stored is not None and found is not None
    if same and stored and found:
        same = np.array_equal(found.positions, stored.positions)
        same = same and np.array_equal(found.classes, stored.classes)
    graph = result.details.get("graph", {}) if result else {}
    if not same or int(graph.get("n_obs", adata.n_obs)) != adata.n_obs:
        raise ValueError(
            f"{asked} needs the seeds, but uns[{key!r}]['seeds'] are positions among other "
            "cells than adata has now (a subset, or another order): calibrate before, or run "
            "`sca.tl.label_propagation` again"
        )


def _class_weights(result: Result, scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Weights by class mass of each stored column, or of the last one alone."""
    if result.seeds is None:
        raise ValueError(
            f"class_mass=True needs the seeds, which are not in uns[{result.key!r}]: propagate "
            "again"
        )
    history = result.history
    counts = np.bincount(result.seeds.classes, minlength=scores.shape[1])
    columns = [history[:, t] for t in range(history.shape[1])] if history.ndim == 3 else [scores]
    return np.stack([class_mass_weights(np.asarray(column), counts) for column in columns])


def _fields(
    adata: AnnData, key: str, scores: NDArray[np.floating], decision: Decision
) -> dict[str, Any]:
    labels, confidence = decision.of(scores, -1)
    classes = [str(name) for name in adata.uns[key]["classes"]]
    columns = pd.Index(column_names(classes, adata.obs_names.name))
    probability = decision.probability(scores, -1)
    return {
        f"obs/{key}": pd.Categorical.from_codes(labels, categories=pd.Index(classes)),
        f"obs/{key}_confidence": confidence,
        f"obsm/{key}_proba": pd.DataFrame(
            probability, index=adata.obs_names, columns=columns, copy=False
        ),
    }
