"""Labels as people have them before annotation, and every dtype that they come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

import scanpy_anim.tl as tl
from scanpy_anim.tl._no_label import means_no_label
from scanpy_anim.tl._seeds import resolve_seeds

if TYPE_CHECKING:
    import io
    from pathlib import Path

KEY = "label_propagation"
NAMES = pd.Index([f"cell{i}" for i in range(9)])


def _told(seeds: Any) -> dict[str, list[int]]:
    """Cells of each class; of one class under its absent name."""
    classes = seeds.classes or ("",)
    return {
        name: seeds.positions[seeds.signal[:, c] != 0].tolist() for c, name in enumerate(classes)
    }


AB = ["A", "B", *["?"] * 7]
INTEGERS = [0, 1, *[-1] * 7]
HALF = {"A": [0], "B": [1]}
NUMBERED = {"0": [0], "1": [1]}


@pytest.mark.parametrize(
    "word",
    [
        "Unknown",
        "unassigned",
        "nan",
        "NA",
        "None",
        "-1",
        "",
        "not assigned",
        "<NA>",
        "?",
        "N/A",
        "Unlabeled",
        "un-assigned",
        "UNKNOWN ",
        "null",
        "unclassified",
        "-1.0",
        "n.a.",
        "unknown cells",
        "Unassigned_2",
        "Unknown (low quality)",
        "not known",
        "no annotation",
        "-",
    ],
)
@pytest.mark.parametrize("dtype", [object, "category"])
def test_what_looks_like_no_label_is_said_loudly(
    islands: AnnData, logged: io.StringIO, word: str, dtype: Any
) -> None:
    islands.obs["kind"] = pd.Series([word if k == "?" else k for k in AB], NAMES, dtype=dtype)
    tl.label_propagation(islands, "kind")
    said = logged.getvalue()
    assert f"{word!r} (7 of 9 cells) counts as a class" in said
    assert f"unlabeled={word!r}" in said
    # the advice works, and nothing is said any more
    logged.truncate(0)
    tl.label_propagation(islands, "kind", unlabeled=word)
    assert list(islands.uns[KEY]["classes"]) == ["A", "B"]
    assert islands.uns[KEY]["params"]["unlabeled"] == word
    assert islands.uns[KEY]["seeds"]["positions"].tolist() == [0, 1]
    assert "counts as a class" not in logged.getvalue()
    logged.truncate(0)
    tl.label_propagation(islands, "kind", unlabeled=[])
    assert len(islands.uns[KEY]["classes"]) == 3
    assert "counts as a class" not in logged.getvalue()


WITHOUT_LABEL = """
Unknown 2|unknown celltype|cell type unknown|Unknown (CD45+)|unkown|Unkonwn|UNK|un assigned|<nan>
not_assigned|nan_nan|#N/A|void|--|—|*|??|\u00a0|un-labeled|no labels|without label|missing value
Un-annotated|not annotated|unclassifiable|uncategorised|not determined|n.d.|TBA|to be determined
unspecified|not identified|uncharacterized|uncertain|not sure|not provided|untyped|Unknowns|no match
Unbekannt|nicht zugeordnet|keine Angabe|inconnu|non assigné|non annoté|indéterminé|sans étiquette
desconocido|sin etiqueta|no asignado|sconosciuto|non assegnato|não atribuído|onbekend|okänd|nieznany
neznámý|неизвестно|неизвестный|άγνωστο|未知|不明|未标注|未分類|ラベルなし|알 수 없음|Ｕｎｋｎｏｗｎ
[unknown]|'nan'|b'nan'|unknown\u200b|__unlabeled__|no call
""".strip().replace("\n", "|")
LABELS = """
NK|Naive|NA+|Na+|T|other|mixed|None of the above T|not T|nonclassical monocyte|unswitched memory B
Undifferentiated|unstimulated|untreated|unconventional T|Unpolarized|empty droplets|ND1|Nanog|0|-2
CD4-|-+|cluster 1|Label 1|uncommitted|unipolar brush cell|Unknown T|notochord|Nodal|Nonneuronal
""".strip().replace("\n", "|")


@pytest.mark.parametrize(
    ("names", "expected"), [(WITHOUT_LABEL, True), (LABELS, False)], ids=["none", "labels"]
)
def test_names_of_cells_without_label_in_many_spellings(names: str, expected: bool) -> None:
    assert [name for name in names.split("|") if means_no_label(name) != expected] == []


@pytest.mark.parametrize("make", [dict, pd.DataFrame], ids=["mapping", "table"])
def test_classes_of_a_mapping_or_a_table_are_doubted_too(islands: AnnData, make: Any) -> None:
    weights = {"A": np.eye(9)[0], "Unknown": (np.arange(9) > 2) * 1.0}
    seeds = make({name: pd.Series(w, NAMES) for name, w in weights.items()})
    (doubt,) = resolve_seeds(islands, seeds).doubts
    assert "'Unknown' (6 of 9 cells) counts as a class" in doubt
    assert "leave it out of seeds" in doubt


@pytest.mark.parametrize("values", [[True, False], ["True", "False"], ["yes", "no"]], ids=str)
def test_truth_values_as_categories_are_doubted(islands: AnnData, values: list[Any]) -> None:
    islands.obs["is_a"] = pd.Categorical([*values, *[None] * 7])
    (doubt,) = resolve_seeds(islands, "is_a").doubts
    assert f"unlabeled={str(values[1])!r}" in doubt
    assert _told(resolve_seeds(islands, "is_a", str(values[1]))) == {"": [0]}
    assert resolve_seeds(islands, ("is_a", values)).doubts == ()


def test_seeds_everywhere_are_said(islands: AnnData) -> None:
    islands.obs["all"], islands.obs["mask"] = "A", True
    for seeds in ("all", "mask", NAMES, np.ones(9)):
        (doubt,) = resolve_seeds(islands, seeds).doubts
        assert "9 of 9 cells" in doubt
    assert resolve_seeds(islands, np.arange(9) + 0.5).doubts == ()


def test_values_of_any_number_type_choose_the_same_class(islands: AnnData) -> None:
    islands.obs["n"] = np.array([1, 2, *[np.nan] * 7], "f2")
    assert _told(resolve_seeds(islands, ("n", [1]))) == {"": [0]}
    for values in ([1, 2], [1.0, 2.0]):
        islands.obs["n"] = pd.Categorical([*values, *[None] * 7])
        for wanted in (1, 1.0, np.int8(1), [np.float32(1)]):
            assert _told(resolve_seeds(islands, ("n", wanted))) == {"": [0]}
        with pytest.raises(KeyError, match=r"no category \['True'\]"):
            resolve_seeds(islands, ("n", True))


@pytest.mark.parametrize(
    ("seeds", "error", "said"),
    [
        ({"A": 1.0, "B": 2}, KeyError, r"seeds={'A': \[1\], 'B': \[2\]}"),
        ({"A": True}, KeyError, r"in a list, such as seeds={'A': \[0, 1\]}"),
        ({"cell1": "A", "cell2": "B"}, TypeError, r"pass pandas\.Series\(seeds\)"),
    ],
    ids=str,
)
def test_advice_for_mappings_works(
    islands: AnnData, seeds: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        resolve_seeds(islands, seeds)
    told = resolve_seeds(islands, pd.Series({"cell1": "A", "cell2": "B"}))
    assert _told(told) == _told(resolve_seeds(islands, {"A": [1], "B": [2]}))


@pytest.mark.parametrize(
    "word",
    [
        "T cell",
        "NK",
        "1",
        "10",
        "+",
        "Nano",
        "0",
        "naive",
        "Others",
        "NK type 1",
        "Cells",
        "Unknown T",
    ],
)
def test_what_is_a_label_is_not_doubted(islands: AnnData, word: str) -> None:
    islands.obs["kind"] = ["A", "B", word, *[None] * 6]
    assert resolve_seeds(islands, "kind").doubts == ()


def test_minus_beside_plus_is_a_label(islands: AnnData) -> None:
    islands.obs["marker"] = ["+", "-", *[None] * 7]
    assert resolve_seeds(islands, "marker").doubts == ()


def test_advice_keeps_what_was_passed(islands: AnnData) -> None:
    """Of two words for no label one was named: the advice names both."""
    islands.obs["kind"] = ["A", "B", "NA", "NA", *["Unknown"] * 5]
    (doubt,) = resolve_seeds(islands, "kind", "Unknown").doubts
    assert "unlabeled=['Unknown', 'NA']" in doubt
    named = resolve_seeds(islands, "kind", ["Unknown", "NA"])
    assert _told(named) == HALF
    assert named.doubts == ()


def test_values_of_unlabeled_that_do_not_occur_are_said(islands: AnnData) -> None:
    islands.obs["kind"] = ["A", "B", "rest", "rest", *["Unknown"] * 5]
    (doubt,) = resolve_seeds(islands, "kind", ["Unknown", "Rest", None]).doubts
    assert doubt == "unlabeled: 'kind' has no value 'Rest'. Did you mean 'rest'?"
    islands.obs["number"] = [0, 1, *[7] * 7]
    assert resolve_seeds(islands, "number", [7.0]).doubts == ()


@pytest.mark.parametrize("spelled", ["column", "Series", "array"])
@pytest.mark.parametrize("dtype", ["int64", "float64", object])
def test_minus_one_is_no_label_whatever_else_is_none(
    islands: AnnData, spelled: str, dtype: Any
) -> None:
    values = pd.Series([0, 1, 9, 9, *[-1] * 5], NAMES, dtype=dtype)
    islands.obs["kind"] = values
    seeds = {"column": "kind", "Series": values, "array": values.to_numpy()}[spelled]
    assert _told(resolve_seeds(islands, seeds, 9)) == NUMBERED
    # unless nothing is none
    assert len(resolve_seeds(islands, seeds, []).classes) == 4


def test_a_mapping_is_no_list_of_values(islands: AnnData) -> None:
    islands.obs["kind"] = AB
    with pytest.raises(TypeError, match=r"unlabeled=\{'\?': 1\} must be a value, or several"):
        resolve_seeds(islands, "kind", {"?": 1})


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint64"])
def test_masked_numbers_are_labels_whatever_their_width(islands: AnnData, dtype: str) -> None:
    seeds = np.ma.array(np.array([0, 1, *[5] * 7], dtype=dtype), mask=[0, 0, *[1] * 7])
    assert _told(resolve_seeds(islands, seeds)) == NUMBERED


def test_hardly_anything_left_to_label_is_said(pbmc: AnnData, logged: io.StringIO) -> None:
    tl.label_propagation(pbmc, "bulk_labels", max_iter=1)
    assert "700 of 700 cells have a label" in logged.getvalue()
    assert "unlabeled='Dendritic'" in logged.getvalue()
    pbmc.obs["half"] = pbmc.obs["bulk_labels"].where(np.arange(700) % 2 == 0)
    assert resolve_seeds(pbmc, "half").doubts == ()


UNLABELED: dict[str, tuple[Any, Any, dict[str, list[int]]]] = {
    "a value": (AB, "?", HALF),
    "several": (["A", "B", "?", "x", *["?"] * 5], ["?", "x"], HALF),
    "several of which some occur": (AB, ("?", "Unknown"), HALF),
    "categorical": (pd.Categorical(AB), "?", HALF),
    "missing ones too": (["A", "B", "?", None, np.nan, *["?"] * 4], "?", HALF),
    "missing by name": (["A", "B", *[None] * 7], np.nan, HALF),
    "whole numbers": ([3, 7, *[9] * 7], 9, {"3": [0], "7": [1]}),
    "whole numbers as text": ([3, 7, *[9] * 7], "9", {"3": [0], "7": [1]}),
    "minus one": (INTEGERS, -1, NUMBERED),
    "floats": ([0.0, 1.0, *[-1.0] * 7], -1, NUMBERED),
    "floats, some missing": ([0.0, 1.0, np.nan, *[-1.0] * 6], -1, NUMBERED),
    "halves": ([0.5, 1.5, *[-1.0] * 7], -1.0, {"0.5": [0], "1.5": [1]}),
    "boolean": ([True, *[False] * 8], False, {"": [0]}),
    "numbers as categories": (pd.Categorical([0, 1, *[-1] * 7]), -1, NUMBERED),
    "nullable integers": (pd.array([0, 1, *[None] * 3, *[-1] * 4], dtype="Int64"), -1, NUMBERED),
    "nullable text": (pd.array([*AB[:4], *[None] * 5], dtype="string"), "?", HALF),
}


@pytest.mark.parametrize(("values", "unlabeled", "told"), UNLABELED.values(), ids=UNLABELED)
@pytest.mark.parametrize("spelled", ["column", "Series", "array"])
def test_unlabeled_cells_are_no_seeds(
    islands: AnnData, values: Any, unlabeled: Any, told: dict[str, list[int]], spelled: str
) -> None:
    islands.obs["kind"] = pd.Series(values, NAMES)
    seeds: Any = {
        "column": "kind",
        "Series": islands.obs["kind"].iloc[::-1],
        "array": islands.obs["kind"].array,
    }[spelled]
    assert _told(resolve_seeds(islands, seeds, unlabeled)) == told


def test_a_typing_error_in_unlabeled_is_found(islands: AnnData) -> None:
    islands.obs["kind"] = AB[:2] + ["Unknown"] * 7
    with pytest.raises(KeyError, match=r"unlabeled='unknow': 'kind' has no such value\. Did you "):
        tl.label_propagation(islands, "kind", unlabeled="unknow")
    for seeds in ([0, 1], {"A": [0], "B": [1]}, np.eye(9)[:, :2], {"cell1"}):
        with pytest.raises(ValueError, match="unlabeled='x' goes with a label for each cell"):
            tl.label_propagation(islands, seeds, unlabeled="x")


@pytest.mark.parametrize("dtype", ["int64", "int8", "Int64", ">i4", object, "float64", ">f4"])
@pytest.mark.parametrize("spelled", ["column", "Series", "array", "list"])
def test_whole_numbers_with_minus_one_are_labels(
    islands: AnnData, dtype: Any, spelled: str
) -> None:
    values = pd.array(INTEGERS, dtype=dtype) if dtype == "Int64" else np.array(INTEGERS, dtype)
    islands.obs["kind"] = values
    seeds: Any = {
        "column": "kind",
        "Series": pd.Series(values, NAMES),
        "array": values,
        "list": INTEGERS,
    }[spelled]
    assert _told(resolve_seeds(islands, seeds)) == NUMBERED


def test_signals_of_both_signs_are_floats(islands: AnnData) -> None:
    signal = pd.Series([-1.0, 0, 2, *[0] * 6], NAMES)
    assert resolve_seeds(islands, signal).signal.ravel().tolist() == [-1, 2]
    assert resolve_seeds(islands, signal.astype(int) * 2).signal.ravel().tolist() == [-2, 4]


def test_floats_with_gaps_and_minus_one_are_labels(islands: AnnData) -> None:
    values = [0.0, -1, np.nan, -1, 1, np.nan, np.nan, 0, np.nan]
    for seeds in (pd.Series(values, NAMES), np.array(values), np.ma.masked_invalid(values)):
        found = resolve_seeds(islands, seeds)
        assert found.classes == ("0", "1")
        assert found.positions.tolist() == [0, 4, 7]


def test_classes_that_weigh_next_to_nothing_are_doubted(islands: AnnData) -> None:
    assert not resolve_seeds(islands, {"A": {0: 1.0}, "B": {1: 1e-6}}).doubts
    (doubt,) = resolve_seeds(islands, {"A": {0: 1.0}, "B": {1: 1e-30}}).doubts
    assert "classes ['B'] weigh less than 1e-12" in doubt


MASKS = {
    "object": lambda m: pd.Series(m, NAMES, dtype=object),
    "nullable": lambda m: pd.Series(pd.array(m, dtype="boolean"), NAMES),
    "with NaN": lambda m: pd.Series([np.nan if x is None else x for x in m], NAMES, dtype=object),
}


@pytest.mark.parametrize("kind", MASKS)
def test_a_boolean_column_with_gaps_is_one_class_whichever_way(islands: AnnData, kind: str) -> None:
    mask = MASKS[kind]([True, False, None, True, *[None] * 5])
    islands.obs["s"] = mask
    ways = ["s", mask, mask.iloc[::-1], mask.iloc[:5], mask.array, mask.tolist()]
    ways += [mask.to_numpy(object)]
    for seeds in ways:
        seeds = [None if x is pd.NA else x for x in seeds] if isinstance(seeds, list) else seeds
        assert _told(resolve_seeds(islands, seeds)) == {"": [0, 3]}
    assert _told(resolve_seeds(islands, {"A": "s", "B": [8]})) == {"A": [0, 3], "B": [8]}


@pytest.mark.parametrize("dtype", [bool, "boolean", object])
def test_values_of_boolean_columns_mean_those_values(islands: AnnData, dtype: Any) -> None:
    islands.obs["tumor"] = pd.Series([True] * 2 + [False] * 7, NAMES, dtype=dtype)
    for wanted in ([False], False, np.array([False]), (np.False_,), ["False"]):
        resolved = resolve_seeds(islands, ("tumor", wanted))
        assert _told(resolved) == {"": list(range(2, 9))}
        assert resolved.spelling == ("tumor", "False")
    assert _told(resolve_seeds(islands, ("tumor", True))) == {"": [0, 1]}
    both = {"False": list(range(2, 9)), "True": [0, 1]}
    assert _told(resolve_seeds(islands, ("tumor", [True, False]))) == both
    for wanted in (["yes"], [0], "tumor?"):
        with pytest.raises(KeyError, match=r"has no category|not in adata"):
            resolve_seeds(islands, ("tumor", wanted))


def test_values_of_numbers_mean_those_values(islands: AnnData) -> None:
    islands.obs["cluster"] = [0, 1, 2] * 3
    assert _told(resolve_seeds(islands, ("cluster", [1, 2]))) == {"1": [1, 4, 7], "2": [2, 5, 8]}
    assert _told(resolve_seeds(islands, ("cluster", 1))) == {"": [1, 4, 7]}
    islands.obs["cluster"] = [0.0, np.nan, 2] * 3
    assert _told(resolve_seeds(islands, ("cluster", [0, 2]))) == {"0": [0, 3, 6], "2": [2, 5, 8]}


@pytest.mark.parametrize(
    "values", [np.where(np.arange(9) < 4, np.arange(9) % 3, np.nan), [0.5, 1.5, *[np.nan] * 7]]
)
def test_advice_for_numbers_makes_no_class_of_missing_ones(islands: AnnData, values: Any) -> None:
    islands.obs["lab"] = values
    with pytest.raises(TypeError, match=r"For a class per value run `([^`]*)`") as raised:
        resolve_seeds(islands, "lab")
    exec(str(raised.value).split("`")[1], {"adata": islands})
    kinds = sorted({str(v) for v in islands.obs["lab"].dropna()})
    assert list(resolve_seeds(islands, "lab").classes) == kinds
    assert "nan" not in kinds
    with pytest.raises(ValueError, match=r"NaN or infinite.*(astype\('Int64'\)|fill)"):
        resolve_seeds(islands, pd.Series(values, NAMES))


def test_a_position_for_a_class_suggests_a_list(islands: AnnData) -> None:
    for seeds in ({"A": 1}, {"A": 1, "B": 4}, {"A": np.int64(1)}):
        with pytest.raises(KeyError, match=r"\{cell: weight\}.*seeds=\{'A': \[1"):
            resolve_seeds(islands, seeds)
    assert _told(resolve_seeds(islands, {"cell1": 1})) == {"": [1]}


MASKED = {
    "mask": np.ma.masked_array([True] * 3 + [False] * 6, [False, True] + [False] * 7),
    "positions": np.ma.masked_array([0, 1, 2], [False, True, False]),
    "names": np.ma.masked_array(["cell0", "cell1", "cell2"], [False, True, False]),
    "signal": np.ma.masked_array([1.0, np.nan, 1, *[0] * 6], [False, True] + [False] * 7),
    "column": np.ma.masked_array([[1.0], [9], [1]] + [[0.0]] * 6, [[0], [1]] + [[0]] * 7),
}


@pytest.mark.parametrize("seeds", MASKED.values(), ids=MASKED)
def test_masked_entries_mean_no_cell(islands: AnnData, seeds: Any) -> None:
    resolved = resolve_seeds(islands, seeds)
    assert resolved.positions.tolist() == [0, 2]
    np.testing.assert_array_equal(resolved.signal, 1)


def test_masked_labels_are_unlabeled(islands: AnnData) -> None:
    seeds = np.ma.masked_array([0, 1, 5, *[-1] * 6], [False, False, True, *[False] * 6])
    assert _told(resolve_seeds(islands, seeds)) == NUMBERED
    assert _told(resolve_seeds(islands, seeds, -1)) == NUMBERED


def test_the_same_index_goes_by_position_even_with_names_twice(islands: AnnData) -> None:
    islands.obs_names = ["x", "x", "y", *"abcdef"]
    mask = pd.Series([False, True, True, *[False] * 6], islands.obs_names)
    islands.obs["chosen"], islands.obs["kind"] = mask, ["A", "B", *[None] * 7]
    for seeds in (mask, mask * 1.0, "chosen", mask.astype("boolean")):
        assert resolve_seeds(islands, seeds).positions.tolist() == [1, 2]
    assert _told(resolve_seeds(islands, islands.obs["kind"])) == HALF
    table = pd.DataFrame({"A": mask * 1.0, "B": ~mask * 1.0})
    assert _told(resolve_seeds(islands, table))["A"] == [1, 2]
    with pytest.raises(ValueError, match="obs_names_make_unique"):
        resolve_seeds(islands, mask.iloc[::-1])


def test_arrow_columns(islands: AnnData) -> None:
    pa = pytest.importorskip("pyarrow")
    text = pd.Series(["A", "B", *[None] * 7], NAMES, dtype=pd.ArrowDtype(pa.string()))
    words = text.astype(pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string())))
    mask = pd.Series([True, False, None] * 3, NAMES, dtype=pd.ArrowDtype(pa.bool_()))
    codes = pd.Series(INTEGERS, NAMES, dtype=pd.ArrowDtype(pa.int16()))
    signal = pd.Series([1.5, *[0.0] * 8], NAMES, dtype=pd.ArrowDtype(pa.float32()))
    listed = pd.Series(["cell3"], dtype=pd.ArrowDtype(pa.string()))
    islands.obs["text"], islands.obs["mask"], islands.obs["codes"] = text, mask, codes
    islands.obs["words"] = words
    for seeds in ("text", text, text.iloc[::-1], text.iloc[:2], "words", words, words.array):
        assert _told(resolve_seeds(islands, seeds)) == HALF
    for seeds in ("mask", mask, mask.iloc[::-1], mask.array):
        assert _told(resolve_seeds(islands, seeds)) == {"": [0, 3, 6]}
    for seeds in ("codes", codes, codes.array):
        assert _told(resolve_seeds(islands, seeds)) == NUMBERED
    assert resolve_seeds(islands, signal).signal.tolist() == [[1.5]]
    assert _told(resolve_seeds(islands, listed)) == {"": [3]}
    table = pd.DataFrame({"A": signal, "B": signal.iloc[::-1].to_numpy()})
    assert _told(resolve_seeds(islands, table.convert_dtypes(dtype_backend="pyarrow"))) == {
        "A": [0],
        "B": [8],
    }


def test_thousands_of_names_take_linear_time() -> None:
    n_obs = 30_000
    adata = AnnData(obs=pd.DataFrame(index=[f"c{i}" for i in range(n_obs)]))
    names = [f"clone {i}" for i in range(n_obs)]
    labels = pd.Categorical(["A"] * n_obs, categories=["A", *names])
    assert resolve_seeds(adata, labels).classes == ()
    adata.obs["clone"] = labels
    with pytest.raises(KeyError, match="no category"):
        resolve_seeds(adata, ("clone", [*names, "x"]))


def test_arrays_of_no_dimension_are_what_they_hold(islands: AnnData) -> None:
    islands.obs["kind"] = AB
    with pytest.raises(KeyError, match="is a cell, not an obs column"):
        resolve_seeds(islands, np.array("cell3"))
    assert set(_told(resolve_seeds(islands, np.array("kind")))) == {"A", "B", "?"}
    with pytest.raises(TypeError, match="unlabeled="):
        resolve_seeds(islands, "kind", [["?"], np.ones(2)])


def test_unlabeled_of_no_dimension_is_what_it_holds(islands: AnnData) -> None:
    islands.obs["kind"] = AB
    tl.label_propagation(islands, "kind", unlabeled=np.array("?"))
    assert islands.uns[KEY]["params"]["unlabeled"] == "?"
    assert list(islands.uns[KEY]["classes"]) == ["A", "B"]


@pytest.mark.parametrize("dtype", ["int8", "int64", "float64", "Int64", "category"])
def test_unlabeled_numbers_are_no_truth_values(islands: AnnData, dtype: str) -> None:
    islands.obs["kind"] = pd.Series(INTEGERS, NAMES, dtype=dtype)
    assert _told(resolve_seeds(islands, "kind", [pd.NA, -1])) == NUMBERED
    with pytest.raises(KeyError, match="unlabeled=True: 'kind' has no such value"):
        resolve_seeds(islands, "kind", True)
    islands.obs["kind"] = [True, *[False] * 8]
    with pytest.raises(KeyError, match="unlabeled=0: 'kind' has no such value"):
        resolve_seeds(islands, "kind", 0)


@pytest.mark.parametrize("make", [set, iter, pd.Index, np.array])
def test_unlabeled_is_stored_as_values_whatever_holds_them(islands: AnnData, make: Any) -> None:
    islands.obs["kind"] = AB
    tl.label_propagation(islands, "kind", unlabeled=make(["?"]))
    assert list(islands.uns[KEY]["params"]["unlabeled"]) == ["?"]


def test_signals_of_half_precision_are_signals(islands: AnnData) -> None:
    signal = np.eye(9)[:, :2].astype(np.float16)
    assert _told(resolve_seeds(islands, signal)) == NUMBERED


def test_a_reference_to_a_column_is_its_name(pbmc: AnnData) -> None:
    acc = pytest.importorskip("anndata.acc")
    pbmc.obs["few"] = pbmc.obs["bulk_labels"].where(np.arange(700) % 9 == 0)
    tl.label_propagation(pbmc, acc.A.obs["few"], max_iter=1)
    assert pbmc.uns[KEY]["params"]["seeds"] == "few"
    tl.label_propagation(
        pbmc, acc.A.obs["few"], obsp=acc.A.obsp["connectivities"], key_added="few_of", max_iter=1
    )
    assert pbmc.uns["few_of"]["params"]["obsp"] == "connectivities"
    tl.assign_labels(pbmc, key=acc.A.obsm["few_of"], min_confidence=0.5)
    assert pbmc.uns["few_of"]["labels"]["min_confidence"] == 0.5
    with pytest.raises(TypeError, match=r"obsp=.*: a key, or a reference such as"):
        tl.label_propagation(pbmc, [0], obsp=acc.A.obs["few"])


def test_lazy_and_foreign_arrays_are_named(islands: AnnData) -> None:
    array = pytest.importorskip("dask.array")
    with pytest.raises(TypeError, match=r"seeds is a Dask array, not .*`\.compute\(\)"):
        resolve_seeds(islands, array.ones(9))
    with pytest.raises(TypeError, match=r"seeds\['A'\] is a Dask array"):
        resolve_seeds(islands, {"A": array.ones(9), "B": [1]})


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_unlabeled_is_stored(
    islands: AnnData, tmp_path: Path, suffix: str, quiet_files: None
) -> None:
    islands.obs["kind"] = [*AB[:4], *["x"] * 5]
    for unlabeled in ("?", ["?", "x"], ["?", np.nan], ["?", None, 3], []):
        tl.label_propagation(islands, "kind", unlabeled=unlabeled)
        getattr(islands, f"write_{suffix}")(tmp_path / "labels")
        back = getattr(anndata, f"read_{suffix}")(tmp_path / "labels")
        stored = back.uns[KEY]["params"]["unlabeled"]
        assert np.atleast_1d(stored).tolist() == [str(v) for v in np.atleast_1d(unlabeled)]


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA])
def test_an_array_of_names_with_gaps_labels_cells(islands: AnnData, gap: Any) -> None:
    labels = ["A", "B", *[gap] * 7]
    strings = pd.array(["A", "B", *[pd.NA] * 7], dtype="string")
    for seeds in (labels, np.array(labels, dtype=object), strings):
        assert _told(resolve_seeds(islands, seeds)) == HALF


def test_a_categorical_of_cells_names_cells(islands: AnnData) -> None:
    cells = pd.Categorical([NAMES[3], NAMES[1]])
    assert resolve_seeds(islands, cells).positions.tolist() == [1, 3]
    with pytest.raises(ValueError, match="seeds label 2 cells, but there are 9"):
        resolve_seeds(islands, pd.Categorical(["A", "B"]))
