"""Results of `tl.label_propagation` as sources of frames: scores, or the label of the moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim._names import MissingKeyError, listed, nearest
from scanpy_anim.pl._source import Categorical, Continuous, Seeds, Source, columns_of

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Decision:
    """How `tl.assign_labels` turned scores into labels, so that the film ends where they are.

    Attributes
    ----------
    seeded
        Number of seeds of each class, where classes are scaled to them; else `None`.
    temperature
        Of the calibrated confidence; `None`: not calibrated.
    min_confidence
        Below it a cell is without label.
    """

    seeded: NDArray[np.integer] | None = None
    temperature: float | None = None
    min_confidence: float = 0.0

    def of(self, scores: NDArray) -> tuple[NDArray[np.integer], NDArray[np.floating]]:
        """Return the label of each cell (-1: none) and its probability, from one frame's scores."""
        from scanpy_anim.tl._calibration import apply_temperature
        from scanpy_anim.tl._decision import class_mass_weights, decide, shares

        scaled = None if self.seeded is None else class_mass_weights(scores, self.seeded)
        probability = shares(scores, scaled)
        if self.temperature is not None:
            probability = apply_temperature(probability, self.temperature)
        labels, confidence = decide(probability)
        return np.where(confidence >= self.min_confidence, labels, -1), confidence


def _decision(record: Mapping[str, Any], n_classes: int) -> Decision:
    labels = record.get("labels", {})
    seeded = None
    if labels.get("class_mass"):
        seeded = np.bincount(record["seeds"]["classes"], minlength=n_classes)
    return Decision(seeded, record.get("temperature"), labels.get("min_confidence", 0.0))


@dataclass(frozen=True, eq=False)
class _Result:
    """A stored result: its history, and what is known of its columns, classes and seeds."""

    key: str
    history: NDArray
    names: list[str]
    colors: list[str] | None
    iterations: NDArray[np.float64] | None = None
    seeds: Seeds | None = None
    decision: Decision = field(default_factory=Decision)


def sources(
    adata: AnnData, key: str, record: Mapping[str, Any], classes: str | Sequence[str] | None
) -> list[Source]:
    """Read the result under `key`: one panel of labels, or one for each of `classes`."""
    history = np.asarray(adata.obsm[key])
    iterations = np.asarray(record["iterations"], dtype=float)
    names = _class_names(record)
    result = _Result(
        key,
        history,
        names,
        _colors(adata, key, names),
        # columns taken away or added by hand are numbered
        iterations if len(iterations) == history.shape[1] else None,
        _seeds(record),
        _decision(record, len(names)),
    )
    if history.ndim == 3:
        return _of_cube(result, classes)
    if classes is not None:
        raise ValueError(_no_classes(key, classes, stored_as_labels=bool(names)))
    if not names:
        return [_scores(result, key, history, result.seeds)]
    share = np.asarray(adata.obsm[f"{key}_confidence"])
    return [_labels(result, lambda i: history[:, i], lambda i: share[:, i])]


def cube(adata: AnnData, key: str, classes: str | Sequence[str] | None) -> list[Source]:
    """Make sources of any `(n_obs, n_frames, n_classes)` array, classes by their number."""
    history = np.asarray(adata.obsm[key])
    names = [str(c) for c in range(history.shape[2])]
    return _of_cube(_Result(key, history, names, _colors(adata, key, names)), classes)


def _of_cube(result: _Result, classes: str | Sequence[str] | None) -> list[Source]:
    history, names = result.history, result.names
    if classes is None:
        winners = lru_cache(maxsize=2)(lambda i: result.decision.of(history[:, i]))
        return [_labels(result, lambda i: winners(i)[0], lambda i: winners(i)[1])]
    wanted = [classes] if np.isscalar(classes) else list(classes)
    panels: list[Source] = []
    for name in map(str, wanted):
        if name not in names:
            raise MissingKeyError(
                f"classes: {name!r} is no class of {result.key!r}.{nearest(name, names)} "
                f"There are {listed(names)}."
            )
        k = names.index(name)
        seeds = result.seeds.of_class(k) if result.seeds else None
        panels.append(_scores(result, name, history[:, :, k], seeds))
    return panels


def _labels(
    result: _Result,
    codes: Callable[[int], NDArray[np.integer]],
    share: Callable[[int], NDArray[np.floating]],
) -> Categorical:
    return Categorical(
        result.key,
        result.history.shape[1],
        codes,
        result.names,
        result.colors,
        confidence=share,
        iterations=result.iterations,
        seeds=result.seeds,
    )


def _scores(result: _Result, name: str, history: NDArray, seeds: Seeds | None) -> Continuous:
    return Continuous(
        name,
        history.shape[1],
        columns_of(history),
        iterations=result.iterations,
        seeds=seeds,
    )


def _class_names(record: Mapping[str, Any]) -> list[str]:
    """Names of the classes of a result; empty for one class."""
    names = record.get("classes")
    return [] if names is None else [str(n) for n in np.atleast_1d(names)]


def _colors(adata: AnnData, key: str, names: Sequence[str]) -> list[str] | None:
    """Colours of the classes from `uns`, where there is one for each."""
    stored = adata.uns.get(f"{key}_colors")
    return [str(c) for c in stored] if stored is not None and len(stored) == len(names) else None


def _seeds(record: Mapping[str, Any]) -> Seeds | None:
    seeds = record.get("seeds")
    if not isinstance(seeds, Mapping) or len(seeds["positions"]) == 0:
        return None
    positions = np.asarray(seeds["positions"], dtype=np.intp)
    return Seeds(positions, np.asarray(seeds["classes"], dtype=np.intp))


def _no_classes(key: str, classes: object, *, stored_as_labels: bool) -> str:
    if stored_as_labels:
        return (
            f"classes={classes!r}: {key!r} was stored with history='labels', without the scores "
            "of each class; run sca.tl.label_propagation(..., history='scores')."
        )
    return f"classes={classes!r}: {key!r} was propagated for a single class."
