"""What algorithms stored, as sources of frames: scores, or the label of the moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scanpy_anim._checks import MissingKeyError, listed, nearest
from scanpy_anim._read_result import present_seeds
from scanpy_anim._results import Result
from scanpy_anim._table import Table, as_table
from scanpy_anim._threads import spread
from scanpy_anim.pl._palette import film_colors, known_colors
from scanpy_anim.pl._source import (
    Categorical,
    Continuous,
    Seeds,
    Source,
    columns_of,
    kept,
    read_columns,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from anndata import AnnData
    from numpy.typing import NDArray

_AT_ONCE = 1 << 14  # rows looked at by one thread


def sources_of(adata: AnnData, result: Result, classes: str | Sequence[str] | None) -> list[Source]:
    """Show a stored result: one panel of labels, or one for each of `classes`."""
    seeds = _seeds(adata, result)
    if result.history.ndim == 3:
        return _of_cube(adata, result, seeds, classes)
    if classes is not None:
        raise ValueError(_no_classes(result.key, classes, stored_as_labels=bool(result.classes)))
    if not result.holds_codes:
        return [_scores(result, result.key, result.history, seeds)]
    share = result.confidence
    if share is None or share.shape != result.history.shape:
        raise ValueError(
            f"color={result.key!r}: adata.obsm['{result.key}_confidence'] of shape "
            f"{result.history.shape} is missing."
        )
    return [_labels(adata, result, seeds, _codes(result), read_columns(share))]


def sources_of_cube(adata: AnnData, key: str, classes: str | Sequence[str] | None) -> list[Source]:
    """Make sources of any `(n_obs, n_frames, n_classes)` array, classes by their number."""
    history = as_table(adata.obsm[key])
    names = [str(c) for c in range(history.shape[2])]
    return _of_cube(adata, Result(key, "", history, None, names), None, classes)


def _seeds(adata: AnnData, result: Result) -> Seeds | None:
    """Find the cells where a run started, among those that there are now."""
    if result.seeds is None or not len(result.seeds.positions):
        return None
    seeds = present_seeds(adata, result)
    if seeds is None:
        import scanpy as sc

        sc.logging.info(
            f"the seeds of {result.key!r} are not ringed: nothing that goes with the cells says "
            "which they are"
        )
        return None
    return Seeds(seeds.positions.astype(np.intp), seeds.classes.astype(np.intp))


def _of_cube(
    adata: AnnData, result: Result, seeds: Seeds | None, classes: str | Sequence[str] | None
) -> list[Source]:
    history, names = result.history, list(result.classes)
    if classes is None:
        winners = kept(lambda i: _decided(result, i))
        return [_labels(adata, result, seeds, lambda i: winners(i)[0], lambda i: winners(i)[1])]
    wanted = [classes] if np.isscalar(classes) else list(classes)
    panels: list[Source] = []
    for name in map(str, wanted):
        if name not in names:
            raise MissingKeyError(
                f"classes: {name!r} is no class of {result.key!r}.{nearest(name, names)} "
                f"There are {listed(names)}."
            )
        k = names.index(name)
        panels.append(_scores(result, name, history[:, :, k], seeds.of_class(k) if seeds else None))
    return panels


def _decided(result: Result, i: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Decide the labels of frame `i`, and how sure they are."""
    scores = result.history[:, i]
    parts = range(0, len(scores), _AT_ONCE)
    lowest = spread(lambda first: scores[first : first + _AT_ONCE].min(initial=0), parts)
    if not np.min(lowest, initial=0) >= 0:  # NaN is not
        raise ValueError(
            f"color={result.key!r}: adata.obsm[{result.key!r}][:, {i}] holds NaN or negative "
            "scores; labels are decided from scores of 0 or more."
        )
    if result.scores is not None and i % result.n_columns == result.n_columns - 1:
        # of cells whose scores are too small for the history
        scores = np.asarray(result.scores)
    # weights of classes are stored for the columns that the record knows
    column = None if result.iterations is None else i
    labels, confidence = result.decision.of(scores, column)
    return labels.astype(np.int32), confidence.astype(np.float32)


def _codes(result: Result) -> Callable[[int], NDArray[np.integer]]:
    """Read the stored labels of each frame, having seen that there are such classes."""
    history, n = result.history, len(result.classes)
    columns = (history[:, t] for t in range(result.n_columns))
    if history.dtype.kind != "i" or any(
        c.min(initial=0) < -1 or c.max(initial=0) >= n for c in columns
    ):
        raise ValueError(
            f"color={result.key!r}: adata.obsm[{result.key!r}] holds numbers that are none of the "
            f"{n} classes (0 to {n - 1}, -1: none)."
        )
    return read_columns(history)


def _labels(
    adata: AnnData,
    result: Result,
    seeds: Seeds | None,
    codes: Callable[[int], NDArray[np.integer]],
    share: Callable[[int], NDArray[np.floating]],
) -> Categorical:
    names = list(result.classes)
    return Categorical(
        result.key,
        result.n_columns,
        codes,
        names,
        film_colors(names, known_colors(adata, result.key, names)),
        confidence=share,
        iterations=result.iterations,
        seeds=seeds,
        stored=bool(result.algorithm),
    )


def _scores(result: Result, name: str, history: NDArray | Table, seeds: Seeds | None) -> Continuous:
    return Continuous(
        name,
        result.n_columns,
        columns_of(history),
        iterations=result.iterations,
        seeds=seeds,
        stored=bool(result.algorithm),
    )


def _no_classes(key: str, classes: object, *, stored_as_labels: bool) -> str:
    if stored_as_labels:
        return (
            f"classes={classes!r}: {key!r} was stored with history='labels', without the scores "
            "of each class; run sca.tl.label_propagation(..., history='scores')."
        )
    return f"classes={classes!r}: {key!r} was propagated for a single class."
