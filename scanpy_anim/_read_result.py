"""A stored result, read and checked: a hand may have changed it since it was written."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from scanpy_anim._checks import MissingKeyError, is_list
from scanpy_anim._decision import Decision
from scanpy_anim._results import Result, SeedCells, is_own, is_record, starts_with_seeds
from scanpy_anim._table import Table, as_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anndata import AnnData
    from numpy.typing import NDArray


def read_result(adata: AnnData, key: str) -> Result | None:
    """Read what is stored under the key; `None` where no algorithm's record is.

    Raises
    ------
    ValueError
        The record does not go with the data, such as one changed by hand.
    """
    record = adata.uns.get(key)
    if not is_record(record) or key not in adata.obsm:
        return None
    history = _numbers(adata.obsm[key], key)
    classes = [str(name) for name in np.atleast_1d(record.get("classes", ()))]
    if classes and history.ndim == 3 and len(classes) != history.shape[2]:
        raise _broken(key, "classes", f"{len(classes)} names for {history.shape[2]} classes")
    seeds = _stored_seeds(record, key, max(1, len(classes)))
    codes = bool(classes) and history.ndim == 2
    known = {"algorithm", "fields", "params", "iterations", "classes", "seeds", "colors"}
    return Result(
        key,
        str(record["algorithm"]),
        history,
        _iterations(record, key, history.shape[1]),
        classes,
        _colors(adata, key, len(classes)),
        _beside(adata, record, f"{key}_confidence") if codes else None,
        _beside(adata, record, f"{key}_scores") if classes else None,
        seeds,
        _mapping(record, "params", key),
        _decision(record, key, len(classes)),
        {name: value for name, value in record.items() if name not in known},
    )


@contextmanager
def reading_record(key: str) -> Iterator[None]:
    """Say of an error that it comes from a record, which a hand may have changed."""
    try:
        yield
    except MissingKeyError:
        raise
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(
            f"uns[{key!r}] cannot be read ({type(error).__name__}: {error}): the record of this "
            "result was changed, run the algorithm again"
        ) from error
    except ValueError as error:
        error.add_note(f"raised while uns[{key!r}] was read, the record of the run")
        raise


def _numbers(stored: Any, key: str) -> Any:
    """Take a history as an array or a table, having seen that it is one."""
    history = as_table(stored.toarray() if sparse.issparse(stored) else stored)
    if history.ndim not in (2, 3) or history.dtype.kind not in "fiu":
        raise ValueError(
            f"obsm[{key!r}] is {history.dtype} of shape {history.shape}, not numbers of shape "
            "(n_obs, n_frames) or (n_obs, n_frames, n_classes): it was changed, run the algorithm "
            "again"
        )
    return history


def _stored_seeds(record: Mapping[str, Any], key: str, n_classes: int) -> SeedCells | None:
    if "seeds" not in record:
        return None
    seeds = _mapping(record, "seeds", key)
    columns = [np.atleast_1d(np.asarray(seeds.get(n, ()))) for n in ("positions", "classes")]
    weights = np.atleast_1d(np.asarray(seeds.get("weights", np.ones(len(columns[0])))))
    if any(column.ndim != 1 or len(column) != len(weights) for column in columns):
        raise _broken(key, "seeds", "positions, classes and weights are not of one length")
    if any(c.size and c.dtype.kind not in "iu" for c in columns) or weights.dtype.kind not in "iuf":
        raise _broken(key, "seeds", "positions and classes must be integers, weights numbers")
    positions, classes = (column.astype(np.int64) for column in columns)
    if (positions < 0).any() or ((classes < 0) | (classes >= n_classes)).any():
        raise _broken(key, "seeds", f"their classes must be numbers from 0 to {n_classes - 1}")
    return SeedCells(positions, classes, weights.astype(np.float64))


def _beside(adata: AnnData, record: Mapping[str, Any], name: str) -> NDArray[Any] | Table | None:
    """Read a table of the run, not one of the user's that is called like it."""
    return as_table(adata.obsm[name]) if is_own(adata, record, f"obsm/{name}") else None


def _colors(adata: AnnData, key: str, n_classes: int) -> list[str] | None:
    stored = adata.uns.get(f"{key}_colors")
    if n_classes == 0 or not is_list(stored) or len(stored) != n_classes:
        return None
    return [str(color) for color in stored]


def _iterations(record: Mapping[str, Any], key: str, n_columns: int) -> NDArray[np.float64] | None:
    stored = record.get("iterations")
    if stored is None:
        return None
    try:
        iterations = np.atleast_1d(np.asarray(stored, dtype=np.float64))
    except (TypeError, ValueError):
        raise _broken(key, "iterations", f"{stored!r} are no numbers") from None
    if iterations.ndim != 1 or np.isnan(iterations).any():
        raise _broken(key, "iterations", f"{stored!r} are no list of numbers")
    # columns taken away or added by hand are only numbered
    return iterations if len(iterations) == n_columns else None


def _decision(record: Mapping[str, Any], key: str, n_classes: int) -> Decision:
    """Read the decision, having checked what a hand may have changed."""
    if not n_classes:
        return Decision()
    how = _mapping(record, "labels", key)
    _require_between(how.get("min_confidence", 0), key, "labels", 0, 1)
    _require_between(record.get("temperature", 1), key, "temperature", 1e-300, 1e300)
    weights = np.asarray(record.get("class_weights", np.ones((1, n_classes))))
    if weights.dtype.kind != "f" or weights.ndim != 2 or weights.shape[1] != n_classes:
        raise _broken(key, "class_weights", f"not a number for each of {n_classes} classes")
    _require_curve(_mapping(record, "calibration", key), key)
    with reading_record(key):
        return Decision.from_record(record)


def _require_curve(calibration: Mapping[str, Any], key: str) -> None:
    """See that confidences have a share each, in ascending order."""
    knots = [calibration[name] for name in ("shares", "confidences") if name in calibration]
    if not knots:
        return
    good = len(knots) == 2 and all(getattr(k, "dtype", np.dtype(object)).kind == "f" for k in knots)
    good = good and knots[0].ndim == 1 and knots[0].shape == knots[1].shape
    if not (good and all((np.diff(k) >= 0).all() and (k >= 0).all() for k in knots)):
        raise _broken(key, "calibration", "shares and confidences are not numbers that ascend")


def _require_between(value: Any, key: str, name: str, least: float, most: float) -> None:
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = np.nan
    if not least <= found <= most:
        raise _broken(key, name, f"{value!r} is no number from {least:.2g} to {most:.2g}")


def _mapping(record: Mapping[str, Any], name: str, key: str) -> Mapping[str, Any]:
    value = record.get(name, {})
    if not isinstance(value, Mapping):
        raise _broken(key, name, f"{value!r} is no mapping")
    return value


def _broken(key: str, name: str, what: str) -> ValueError:
    return ValueError(
        f"uns[{key!r}][{name!r}]: {what}. The record of this result was changed or does not belong "
        f"to obsm[{key!r}]: run the algorithm again"
    )


def present_seeds(adata: AnnData, result: Result) -> SeedCells | None:
    """Seeds of a result among the cells that adata has now; `None` where that is not known.

    They are read off what goes with the cells into a subset or another order, which the stored
    positions do not: column 0, or the table that is stored where column 0 is not kept.
    """
    if result.seeds is None:
        return None
    beside = f"{result.key}_seeds"
    if starts_with_seeds(result):
        first = result.history[:, 0]
        if result.holds_codes:
            return _of_codes(first, result.seeds)
        table = first.reshape(len(first), -1)
    elif beside in adata.obsm:
        table = adata.obsm[beside]
    else:
        return None
    cells, classes = table.nonzero()
    weights = np.asarray(table[cells, classes], dtype=np.float64).ravel()
    return SeedCells(cells.astype(np.int64), classes.astype(np.int64), weights)


def _of_codes(codes: NDArray[np.integer], stored: SeedCells) -> SeedCells:
    """Seeds off the codes of column 0; as stored, with weights, where the cells are the same."""
    cells = np.flatnonzero(codes >= 0)
    by_weight = np.lexsort((stored.classes, -stored.weights, stored.positions))
    positions, first = np.unique(stored.positions[by_weight], return_index=True)
    same = np.array_equal(positions, cells)
    if same and np.array_equal(stored.classes[by_weight][first], codes[cells]):
        return stored
    return SeedCells(cells, codes[cells].astype(np.int64), np.ones(len(cells)))
