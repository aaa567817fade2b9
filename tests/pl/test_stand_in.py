"""A stage drawn from a few cells is, pixel for pixel, the one that is drawn from all."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import scanpy_anim as sca
from scanpy_anim.pl import _stand_in
from scanpy_anim.pl._stand_in import _representatives, _stands_for_all

from .pictures import drawn_by_matplotlib


@pytest.fixture
def cells(pbmc):
    rng = np.random.default_rng(0)
    pbmc.obsm["noise"] = rng.normal(size=(700, 3)).astype(np.float32)
    pbmc.obsm["X_torn"] = rng.lognormal(size=(700, 3))
    pbmc.obsm["X_torn"][::7, 0], pbmc.obsm["X_torn"][5, 1] = np.nan, np.inf
    pbmc.obs["part"] = pd.Categorical(np.where(rng.random(700) < 0.5, "a", "b"), ["a", "b", "none"])
    pbmc.obs.loc[pbmc.obs_names[:50], "part"] = np.nan
    pbmc.obs["gaps"] = np.where(rng.random(700) < 0.3, np.nan, rng.random(700))
    return pbmc


def on_logarithms(ax) -> None:
    ax.set(xscale="log", yscale="log")


ASKED = [
    {"color": "noise"},
    {"color": "noise", "scale": "linear", "vmax": "p90", "colorbar_loc": "bottom"},
    {"color": "gaps", "basis": "torn"},
    {"color": "gaps", "basis": "torn", "ax": on_logarithms},
    {"color": "part"},
    {"color": "part", "basis": "torn", "groups": ["b"], "na_in_legend": False},
    {"color": "part", "mask_obs": np.arange(700) % 3 == 0, "legend_loc": "upper left"},
    {"color": "bulk_labels", "palette": "tab20", "legend_loc": "best", "frameon": False},
    {"color": "bulk_labels", "add_outline": True},
    {"color": "bulk_labels", "legend_loc": "on data", "s": 50},
    {"color": "noise", "edges": True, "title": "edges"},
    {"color": "noise", "size": np.linspace(1, 90, 700), "alpha": 0.5},
    {"color": "noise", "edgecolor": (1, 0, 0), "linewidth": 0.5},
    {"color": "noise", "components": ["1,2", "2,1"]},
    {"color": "noise", "basis": ["pca", "umap"]},
    {"color": "noise", "basis": "pca", "projection": "3d"},
]


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: "-".join(asked))
def test_the_stage_is_that_of_all_cells(cells, asked, monkeypatch):
    def film():
        axes = {}
        if "ax" in asked:
            axes["ax"] = plt.subplots()[1]
            asked["ax"](axes["ax"])
        return sca.pl.animate_embedding(cells, **{"frame_title": None, **asked, **axes})

    few = film()
    monkeypatch.setattr(_stand_in, "_stands_for_all", lambda passed: False)
    every = film()
    assert len(every.clips[0].stage.plot.stand_in) == 700
    for a, b in zip(few.frames(60), every.frames(60), strict=True):
        np.testing.assert_array_equal(a, b)
    strip, whole = (drawn_by_matplotlib(f.filmstrip([0])) for f in (few, every))
    np.testing.assert_array_equal(strip, whole)


@pytest.mark.parametrize("name", ["noise", "part"])
def test_most_stages_need_a_handful_of_cells(cells, name):
    stage = sca.pl.animate_embedding(cells, color=name, groups=None).clips[0].stage
    assert stage.plot.stand_in.n_obs < 12
    assert len(stage.panels[0].cloud.get_offsets()) == 700


def test_what_may_have_an_entry_for_each_cell_is_drawn_from_all():
    assert _stands_for_all({"palette": ["red"], "groups": ["a"], "size": 3.0, "marker": "o"})
    assert not _stands_for_all({"size": [3.0] * 700})
    assert not _stands_for_all({"alpha": np.ones(700)})


@given(
    arrays.arrays(
        np.float64, st.tuples(st.integers(1, 40), st.just(2)), elements=st.floats(width=32)
    )
)
def test_the_chosen_reach_as_far_as_all(xy):
    few = xy[_representatives(xy, [(0, 1)], [], None)]
    known, chosen = (part[np.isfinite(part).all(axis=1)] for part in (xy, few))
    assert len(chosen) > 0 or not len(known)
    if len(known):
        np.testing.assert_array_equal(chosen.min(axis=0), known.min(axis=0))
        np.testing.assert_array_equal(chosen.max(axis=0), known.max(axis=0))
