"""Inputs beside those that people reported: strange values, and pictures that could mislead."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scanpy as sc

import scanpy_anim as sca
from scanpy_anim.pl._matching import are_numbered
from scanpy_anim.pl._pacing import Pacing

make = sca.pl.animate_embedding


@pytest.mark.parametrize(
    "arguments",
    [
        {"rotate": np.zeros(3)},
        {"rotate": pd.NA},
        {"fps": 10**400},
        {"hold": 10**400},
        {"rotate": 10**400, "projection": "3d", "basis": "pca"},
        {"projection": pd.DataFrame({"a": [1]})},
        {"projection": np.array("3d")},
        {"ease": pd.NA},
        {"ease": pd.Series([1, 2])},
        {"ease": ""},
        {"tween": pd.Series([1, 2])},
        {"pace": np.array(["auto", "even"])},
        {"hold": [[1, 2], [3]]},
        {"basis": [[1, 2], [3]]},
        {"basis": ["umap", 3]},
        {"along": type},
        {"groupby": print},
        {"panels": [None, None]},
        {"panels": ["louvain", {"scale": "nope"}]},
        {"frames": slice("a", None)},
        {"frames": slice(None, None, 0)},
        {"figsize": np.array(3)},
        {"figsize": (1e9, 1)},
        {"n_frames": 10**9, "along": "n_counts"},
        {"mark_cells": [[1, 2], [3]]},
        {"legend_loc": np.zeros(3)},
        {"components": 3},
        {"dimensions": pd.NA},
        {"layer": 3, "color": "LYZ"},
        {"gene_symbols": [1], "color": "LYZ"},
        {"linewidths": "fat"},
        {"linewidth": pd.NA},
        {"snap": "often"},
        {"edges": True, "edges_width": "wide"},
        {"legend_loc": "on data", "legend_fontsize": "hug"},
    ],
    ids=lambda arguments: ",".join(arguments),
)
def test_strange_values_are_named_before_there_is_a_film(pbmc, arguments):
    with pytest.raises((TypeError, ValueError, RuntimeError)) as raised:
        make(pbmc, **{"color": "bulk_labels", **arguments})
    told = " ".join([str(raised.value), *getattr(raised.value, "__notes__", [])])
    assert any(name in told for name in arguments)


def test_a_class_that_looks_like_missing_is_told(pbmc, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr(sc.logging, "warning", told.append)
    known = np.where(np.arange(pbmc.n_obs) % 3, pbmc.obs["phase"].astype(object), None)
    pbmc.obs["some"] = pd.Categorical(known)
    for grey in ("lightgray", "#d0d4d3"):
        pbmc.uns["some_colors"] = ["red", grey, "blue"]
        film = make(pbmc, color="some")
        assert len(list(film.frames(20))) == 1
        assert "'G2M' look like missing ones" in told.pop()
    make(pbmc, color="some", na_color="white")
    assert not told


def test_no_stored_color_makes_cells_invisible(pbmc):
    plain = next(make(pbmc, color="phase").frames(30))
    pbmc.uns["phase_colors"] = ["red", None, "blue"]
    assert np.array_equal(next(make(pbmc, color="phase").frames(30)), plain)


@pytest.mark.parametrize(
    ("names", "numbered"),
    [
        ([["0", "1", "2"], ["0", "1"]], True),
        ([["0", "1", "2"], ["0", "2", "3"]], True),
        ([["1", "2"], ["1", "2", "4"]], True),
        ([["0"], ["0", "1"]], True),
        ([["0", "3", "7"], ["0", "3", "7"]], False),
        ([["2019", "2020"], ["2019", "2021"]], False),
        ([["1", "01"], ["0", "1"]], False),
        ([["0", "1"]], False),
    ],
)
def test_clusters_of_a_subset_are_numbered_still(names, numbered):
    assert are_numbered(names) is numbered


@pytest.mark.parametrize(("way", "n"), [(0.47, 4), (0.2, 3), (0.0, 3), (1.1, 6)])
def test_the_limit_is_no_larger_a_step_than_those_before_on_average(way, n):
    gone = np.cumsum([0, 0.2, 0.33, way])

    def change(a, b):
        return float(abs(np.interp(b.place, range(4), gone) - np.interp(a.place, range(4), gone)))

    moments = Pacing().timeline(4, change, limit=True).moments
    assert len(moments) - 1 == n
