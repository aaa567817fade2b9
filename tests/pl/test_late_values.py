"""Frames for which the values of visible cells alone are read are those drawn from all values."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import scanpy_anim as sca
from scanpy_anim._threads import limit_threads
from scanpy_anim.pl._backdrop import _Backdrop
from scanpy_anim.pl._continuous_coloring import ContinuousColoring
from scanpy_anim.pl._source import Columns
from scanpy_anim.raster import LateStyle


@pytest.fixture
def crowd(pbmc):
    """Cells of which large markers leave few to be seen."""
    rng = np.random.default_rng(0)
    pbmc.obsm["smooth"] = rng.lognormal(size=(700, 4)).astype(np.float32)
    pbmc.obsm["columns"] = np.asfortranarray(rng.normal(size=(700, 4)))
    pbmc.obsm["whole"] = rng.integers(-9, 9, (700, 4)).astype(">i2")
    pbmc.obsm["gaps"] = np.where(rng.random((700, 4)) < 0.1, np.nan, pbmc.obsm["smooth"])
    return pbmc


ASKED = [
    ("smooth", {}),
    ("smooth", {"scale": "log", "tween": 2}),
    ("smooth", {"vmin": 0.5, "vmax": "p80", "alpha": 0.4, "sort_order": False}),
    ("smooth", {"vcenter": 1.0}),
    ("smooth", {"per_frame": True}),
    ("smooth", {"scale": "rank", "tween": 1}),
    ("smooth", {"scale": np.sqrt}),
    ("smooth", {"mark_cells": [3, 4], "edgecolor": "black", "linewidth": 0.3}),
    ("columns", {"tween": 3, "ease": "in-out"}),
    ("columns", {"sort_order": "frame"}),
    ("whole", {"tween": 1}),
    ("gaps", {"tween": 2}),
    ("gaps", {"scale": "log", "sort_order": False}),
    ("smooth", {"mask_obs": np.arange(700) % 2 == 0}),
]


@pytest.mark.parametrize(("color", "asked"), ASKED)
def test_frames_are_those_of_all_values(crowd, color, asked, monkeypatch):
    def frames():
        film = sca.pl.animate_embedding(crowd, color=color, **{"scale": "linear", **asked})
        return [*film.frames(50), *film.frames(80)]

    late = frames()
    monkeypatch.setattr(ContinuousColoring, "late_style", ContinuousColoring.style)
    for a, b in zip(late, frames(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_values_of_hidden_cells_are_not_read(crowd):
    film = sca.pl.animate_embedding(crowd, color="smooth", scale="linear", size=900)
    clip = film.clips[0]
    style = clip.late_style(0, 1)
    assert isinstance(style, LateStyle)
    np.testing.assert_array_equal(style.read(np.array([3, 9])), clip.style(0, 1).levels[[3, 9]])
    columns, asked = clip.colorings[0].source.read, []
    of_cells = columns.of_cells
    columns.of_cells = lambda i, cells: asked.append(len(np.unique(cells))) or of_cells(i, cells)
    list(film.frames(50))
    assert 0 < max(asked) < 500


def test_films_drawn_late_pickle(crowd):
    film = sca.pl.animate_embedding(crowd, color="smooth", scale="linear")
    again = pickle.loads(pickle.dumps(film))
    for a, b in zip(film.frames(50), again.frames(50), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize(
    "asked",
    [
        {"color": "smooth", "scale": "linear"},
        {"color": "smooth", "scale": "linear", "progress_line": True, "mark_cells": [3]},
        {"color": "gaps", "sort_order": "frame", "colorbar_loc": "top"},
        {"color": ["smooth", "columns"], "scale": "linear", "alpha": 0.5},
    ],
)
def test_texts_drawn_while_cells_are_blended_change_nothing(crowd, asked, threads, monkeypatch):
    film = sca.pl.animate_embedding(crowd, **asked)
    with limit_threads(threads):
        together = list(film.frames(70))
    monkeypatch.setattr(_Backdrop, "_is_apart", lambda *_: False)
    with limit_threads(1):
        for a, b in zip(together, film.frames(70), strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_frame_is_the_callers_own(crowd):
    film = sca.pl.animate_embedding(crowd, color="smooth", scale="linear")
    kept = [frame.copy() for frame in film.frames(50)]
    for frame, own in zip(film.frames(50), kept, strict=True):
        np.testing.assert_array_equal(frame, own)
        frame[:] = 77


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f4", "i2"])
@pytest.mark.parametrize("n_columns", [1, 5, 40, 200])
def test_columns_read_ahead_are_the_columns(dtype, n_columns, monkeypatch):
    monkeypatch.setattr("scanpy_anim.pl._source._AHEAD", 7)
    rng = np.random.default_rng(0)
    table = rng.normal(scale=99, size=(3000, n_columns)).astype(dtype)
    cells, others = rng.integers(0, 3000, (2, 2500))
    for whole in (table, np.asfortranarray(table), table[::-1]):
        columns = Columns(whole)
        for i in rng.integers(0, n_columns, 30):
            for some in (cells, others):
                np.testing.assert_array_equal(columns.of_cells(int(i), some), whole[some, i])
