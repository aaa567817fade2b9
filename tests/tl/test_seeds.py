"""Every spelling of the same seeds means the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from scanpy_anim.tl._seeds import resolve_seeds

if TYPE_CHECKING:
    from anndata import AnnData

CELLS = [1, 4, 6]
NAMES = ["cell1", "cell4", "cell6"]


def _mask() -> np.ndarray:
    return np.isin(np.arange(9), CELLS)


def _shuffled(values: pd.Series | pd.DataFrame) -> pd.Series | pd.DataFrame:
    return values.iloc[[3, 8, 1, 0, 6, 2, 7, 5, 4]]


ONE_CLASS = {
    "names": NAMES,
    "names out of order": NAMES[::-1],
    "tuple of names": tuple(NAMES),
    "array of names": np.array(NAMES),
    "Index": pd.Index(NAMES),
    "Series of names": pd.Series(NAMES),
    "positions": CELLS,
    "array of positions": np.array(CELLS, dtype=np.uint8),
    "range-like": np.array(CELLS)[:, None],
    "mask": _mask(),
    "list mask": _mask().tolist(),
    "object mask": _mask().astype(object),
    "Series mask": _shuffled(pd.Series(_mask(), index=[f"cell{i}" for i in range(9)])),
    "nullable mask": pd.Series(_mask(), index=[f"cell{i}" for i in range(9)], dtype="boolean"),
    "weights": dict.fromkeys(NAMES, 1),
    "signal": _mask().astype(float),
    "column signal": _mask().astype(np.float32)[:, None],
    "Series signal": _shuffled(pd.Series(_mask() * 1.0, index=[f"cell{i}" for i in range(9)])),
    "short Series signal": pd.Series(1, index=NAMES),
    "sparse signal": sparse.csc_matrix(_mask()[:, None] * 1.0),
    "coo_array": sparse.coo_array(_mask()[:, None] * 1.0),
    "one-dimensional csr_array": sparse.csr_array(_mask() * 1.0),
    "one-dimensional coo_array": sparse.coo_array(_mask()),
    "row of a dok_array": sparse.dok_array(_mask()[None] * 1),
    "boolean column": "chosen",
    "set": set(NAMES),
}


@pytest.mark.parametrize("seeds", ONE_CLASS.values(), ids=ONE_CLASS)
def test_one_class_in_all_spellings(islands: AnnData, seeds: object) -> None:
    islands.obs["chosen"] = _mask()
    resolved = resolve_seeds(islands, seeds)
    np.testing.assert_array_equal(resolved.positions, CELLS)
    np.testing.assert_array_equal(resolved.signal, np.ones((3, 1)))
    assert resolved.classes == ()
    assert resolved.spelling == ("chosen" if isinstance(seeds, str) else None)


def _table() -> pd.DataFrame:
    signal = np.zeros((9, 2))
    signal[[0, 7], 0] = 1
    signal[4, 1] = 1
    return pd.DataFrame(signal, index=[f"cell{i}" for i in range(9)], columns=["A", "B"])


KIND = ["A", None, None, None, "B", None, None, "A", None]
SEVERAL = {
    "string column": "kind",
    "mapping": {"A": ["cell7", "cell0"], "B": [4]},
    "mapping of masks": {"A": _table()["A"].to_numpy() > 0, "B": "cell4"},
    "mapping of weights": {"A": {"cell0": 1, "cell7": 1.0}, "B": 4},
    "mapping of sparse counts": {
        "A": sparse.dok_array(_table()[["A"]].to_numpy(int)),
        "B": sparse.csr_array(_table()["B"].to_numpy(bool)),
    },
    "mapping of signals": {"A": _table()["A"], "B": _table()["B"].to_numpy()},
    "DataFrame": _shuffled(_table()),
    "short DataFrame": _table().iloc[[7, 4, 0]],
    "Categorical": pd.Categorical(KIND),
    "Series of labels": _shuffled(
        pd.Series(KIND, index=[f"cell{i}" for i in range(9)], dtype=object)
    ),
    "some categories": ("kind", ["B", "A"]),
}


@pytest.mark.parametrize("seeds", SEVERAL.values(), ids=SEVERAL)
def test_several_classes_in_all_spellings(islands: AnnData, seeds: object) -> None:
    resolved = resolve_seeds(islands, seeds)
    assert resolved.classes == ("A", "B")
    np.testing.assert_array_equal(resolved.positions, [0, 4, 7])
    np.testing.assert_array_equal(resolved.signal, [[1, 0], [0, 1], [1, 0]])


FORMATS = ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"]


@pytest.mark.parametrize("dtype", [bool, np.int8, np.float32, np.float64])
@pytest.mark.parametrize("kind", ["plain", *FORMATS])
def test_sparse_and_plain_signals_number_their_classes(
    islands: AnnData, kind: str, dtype: type
) -> None:
    plain = _table().to_numpy().astype(dtype)
    spelled = [plain]
    if kind != "plain":
        spelled = [getattr(sparse, f"{kind}_{c}")(plain) for c in ("matrix", "array")]
    for signal in spelled:
        resolved = resolve_seeds(islands, signal)
        assert resolved.classes == ("0", "1")
        np.testing.assert_array_equal(resolved.positions, [0, 4, 7])
        np.testing.assert_array_equal(resolved.signal, [[1, 0], [0, 1], [1, 0]])


def test_stored_zeros_seed_nothing(islands: AnnData) -> None:
    signal = sparse.coo_array(([1.0, 0.0, 2.0], ([0, 3, 5], [0, 0, 1])), shape=(9, 2))
    np.testing.assert_array_equal(resolve_seeds(islands, signal).positions, [0, 5])


def test_a_cell_may_seed_two_classes_and_weigh_differently(islands: AnnData) -> None:
    resolved = resolve_seeds(islands, {"A": {"cell2": 0.5}, "B": ["cell2", "cell3"]})
    np.testing.assert_array_equal(resolved.positions, [2, 3])
    np.testing.assert_array_equal(resolved.signal, [[0.5, 1], [0, 1]])


def test_one_class_takes_both_signs(islands: AnnData) -> None:
    resolved = resolve_seeds(islands, {"cell3": -2.0, "cell1": 1.0, "cell2": 0})
    np.testing.assert_array_equal(resolved.positions, [1, 3])
    np.testing.assert_array_equal(resolved.signal[:, 0], [1, -2])


def test_unused_categories_are_dropped_with_their_colors(islands: AnnData) -> None:
    islands.obs["kind"] = pd.Categorical(islands.obs["kind"], categories=["B", "unused", "A"])
    islands.uns["kind_colors"] = ["#00f", "#0f0", "#f00"]
    resolved = resolve_seeds(islands, "kind")
    assert resolved.classes == ("B", "A")
    assert resolved.colors == ("#00f", "#f00")


def test_a_single_category_is_one_class(islands: AnnData) -> None:
    resolved = resolve_seeds(islands, ("kind", "A"))
    assert resolved.classes == ()
    np.testing.assert_array_equal(resolved.positions, [0, 7])


def test_categories_that_are_not_strings_become_names(islands: AnnData) -> None:
    islands.obs["kind"] = pd.Categorical([1, 2, *[None] * 7])
    assert resolve_seeds(islands, "kind").classes == ("1", "2")


NAN = np.where(_mask(), np.nan, 0.0)
BAD = {
    "no such column": ("kinds", KeyError, r"'kinds' is not a column.*'kind'"),
    "a cell, not a column": ("cell3", KeyError, r"seeds=\['cell3'\]"),
    "numeric column": ("number", TypeError, "column of numbers"),
    "column without labels": ("nothing", ValueError, "empty"),
    "mask column without cells": ("never", ValueError, "empty"),
    "empty list": ([], ValueError, "seeds are empty"),
    "empty mapping": ({}, ValueError, "seeds are empty"),
    "mapping with an empty class": ({"A": [1], "B": []}, ValueError, r"seeds\['B'\] are empty"),
    "empty mask": (np.zeros(9, dtype=bool), ValueError, "empty"),
    "zero signal": (np.zeros(9), ValueError, "empty"),
    "unknown names": (["cell1", "x", "y"], KeyError, r"2 of 3 names.*'x', 'y'"),
    "out of range": ([1, 9], IndexError, r"positions 9 are out of range for 9 cells"),
    "negative": ([-1], IndexError, "out of range"),
    "short mask": ([True, False], ValueError, "mask of 2 entries, but there are 9"),
    "short signal": (np.ones(3), ValueError, "signal of 3 values, but there are 9"),
    "duplicate names": (["cell1", "cell1"], ValueError, "more than once: 'cell1'"),
    "duplicate positions": ([3, 3], ValueError, "more than once: 3"),
    "mask of integers": ([0, 1] + [0] * 7, ValueError, "must be boolean"),
    "NaN": (NAN, ValueError, r"3 of 9 values are NaN or infinite, at 1, 4, 6"),
    "NaN in several": (np.c_[NAN, NAN], ValueError, r"6 of 18.*\(1, 0\)"),
    "NaN in a Series": (pd.Series(NAN), ValueError, "aligned|NaN"),
    "infinite": (np.where(_mask(), np.inf, 0.0), ValueError, "infinite"),
    "objects": (np.array([object()] * 9), TypeError, "dtype object"),
    "mixture": (["cell1", 2], TypeError, "mixes names"),
    "None": (None, TypeError, "seeds must be"),
    "wrong rows": (np.ones((4, 2)), ValueError, "4 rows, but there are 9 cells"),
    "class without seeds": (
        np.eye(9)[:, :2] * [1, 0],
        ValueError,
        r"without any seed cell: \['1'\]",
    ),
    "negative classes": (-np.eye(9)[:, :2], ValueError, "negative"),
    "unknown category": (("kind", ["C"]), KeyError, r"no category \['C'\]; it has \['A', 'B'\]"),
    "category without cells": (("sorted", ["z", "A"]), ValueError, r"no cell.*\['z'\]"),
    "category twice": (("kind", ["A", "A"]), ValueError, "more than once"),
    "no category": (("kind", []), ValueError, "no category is named"),
    "same column twice": (
        pd.DataFrame(np.eye(9)[:, :2], [f"cell{i}" for i in range(9)], ["A", "A"]),
        ValueError,
        r"columns of seeds name the same class more than once: \['A'\]",
    ),
    "too large for float32": ({"cell1": 1e39}, ValueError, r"1e\+39 are beyond float32"),
    "too small for float32": (sparse.eye_array(9, 2) * 1e-50, ValueError, "1e-50, 1e-50 are bey"),
    "same name twice": ({1: [1], "1": [2]}, ValueError, "more than once"),
    "foreign index": (pd.Series(1.0, index=["q"]), KeyError, "aligned on obs_names"),
    "repeated index": (pd.Series(1.0, index=["cell1"] * 2), ValueError, "more than once"),
    "text table": (pd.DataFrame({"A": ["x"]}, index=["cell1"]), TypeError, "not numeric"),
    "short Categorical": (pd.Categorical(["A"]), ValueError, "label 1 cells"),
    "bytes": (b"cell1", TypeError, "seeds are bytes, names are text"),
    "list of bytes": ([b"cell1"], TypeError, r"numpy\.char\.decode"),
    "void": (np.zeros(9, "V4"), TypeError, "structured array"),
    "rows of several lengths": ([["cell1"], ["cell2", "cell3"]], ValueError, "seeds is no array"),
    "column of text for a class": ({"A": "kind", "B": [1]}, TypeError, "not boolean"),
}


@pytest.mark.parametrize(("seeds", "error", "message"), BAD.values(), ids=BAD)
def test_bad_seeds_are_refused_in_words(
    islands: AnnData, seeds: object, error: type[Exception], message: str
) -> None:
    islands.obs["number"] = 1.5
    islands.obs["never"] = False
    islands.obs["nothing"] = pd.Categorical([None] * 9, categories=["A", "B"])
    islands.obs["sorted"] = pd.Categorical(KIND, categories=["A", "B", "z"])
    with pytest.raises(error, match=message):
        resolve_seeds(islands, seeds)


def test_names_need_unique_obs_names(islands: AnnData) -> None:
    islands.obs_names = ["cell"] * 9
    with pytest.raises(ValueError, match="obs_names_make_unique"):
        resolve_seeds(islands, ["cell"])
    assert len(resolve_seeds(islands, [3]).positions) == 1
