"""Results of `tl.label_propagation` as sources of frames: scores, or the label of the moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim._names import MissingKeyError, listed, nearest
from scanpy_anim.pl._source import Categorical, Continuous, Seeds, Source, columns_of

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class _Result:
    """A stored result: its history, and what is known of its columns, classes and seeds."""

    key: str
    history: NDArray
    names: list[str]
    colors: list[str] | None
    iterations: NDArray[np.float64] | None = None
    seeds: Seeds | None = None


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
        winners = lru_cache(maxsize=2)(lambda i: winner(history[:, i]))
        return [_labels(result, lambda i: winners(i)[0], lambda i: winners(i)[1])]
    wanted = [classes] if isinstance(classes, str) else list(classes)
    panels: list[Source] = []
    for name in wanted:
        if name not in names:
            raise MissingKeyError(
                f"classes: {name!r} is no class of {result.key!r}.{nearest(str(name), names)} "
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
        opacity=share,
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


def winner(scores: NDArray) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
    """Return the class with the highest score (-1 where all are 0) and its share of them all."""
    total = scores.sum(axis=1, dtype=np.float64)
    codes = scores.argmax(axis=1)
    best = np.take_along_axis(scores, codes[:, None], axis=1)[:, 0]
    reached = total > 0
    share = np.divide(best, total, out=np.zeros(len(total)), where=reached)
    return np.where(reached, codes, -1), share


def _no_classes(key: str, classes: object, *, stored_as_labels: bool) -> str:
    if stored_as_labels:
        return (
            f"classes={classes!r}: {key!r} was stored with history='labels', without the scores "
            "of each class; run sca.tl.label_propagation(..., history='scores')."
        )
    return f"classes={classes!r}: {key!r} was propagated for a single class."
