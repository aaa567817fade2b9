"""The player's own JavaScript, run by node, draws what the film draws."""

from __future__ import annotations

import re
from pathlib import Path

import anndata as ad
import matplotlib.pyplot as plt
import numpy as np
import pytest
import scanpy as sc
from scipy import sparse

import scanpy_anim as sca
import scanpy_anim.explorer
from scanpy_anim.explorer._page import _JS, _player_script, _stripped
from tests.explorer.drawn import NODE, differences

pytestmark = pytest.mark.skipif(NODE is None, reason="needs node")


def atlas(n: int = 6000, n_frames: int = 5, seed: int = 0) -> ad.AnnData:
    rng = np.random.default_rng(seed)
    cells = ad.AnnData(sparse.csr_matrix((n, 1), dtype=np.float32))
    which = rng.integers(0, 7, n)
    cells.obsm["X_umap"] = rng.normal(size=(7, 2))[which] * 4 + rng.normal(size=(n, 2))
    base = rng.gamma(1.0, size=n)
    cells.obsm["scores"] = np.column_stack(
        [base * k / n_frames + rng.random(n) * 0.1 for k in range(1, n_frames + 1)]
    )
    weights = rng.gamma(0.3, size=(n, n_frames, 7))
    weights[np.arange(n), :, which] += np.linspace(0, 4, n_frames)
    cells.obsm["classes"] = weights / weights.sum(axis=2, keepdims=True)
    return cells


@pytest.mark.parametrize("scale", ["rank", "linear"])
@pytest.mark.parametrize("n", [400, 6000])
def test_key_frames_of_scores_are_those_of_the_film(tmp_path, n, scale):
    film = sca.pl.animate_embedding(atlas(n), color="scores", scale=scale, frame_title=None)
    for mean, within in differences(film, list(range(len(film))), tmp_path):
        assert mean <= 0.35
        assert within >= 0.999


@pytest.mark.parametrize(("n", "size"), [(400, 60), (6000, 2), (6000, 30), (70_000, None)])
def test_key_frames_of_labels_are_those_of_the_film(tmp_path, n, size):
    film = sca.pl.animate_embedding(atlas(n), color="classes", frame_title=None, size=size)
    for mean, within in differences(film, list(range(len(film))), tmp_path):
        assert mean <= (0.35 if n < 70_000 else 0.4)
        assert within >= 0.999


@pytest.mark.parametrize("color", ["scores", "classes"])
@pytest.mark.parametrize("size", [1, 20])
def test_a_picture_of_four_by_four_pixels(tmp_path, color, size):
    figure = plt.figure(figsize=(0.04, 0.04), dpi=100)
    how = {"ax": figure.add_axes((0, 0, 1, 1)), "frameon": False, "title": "", "legend_loc": None}
    film = sca.pl.animate_embedding(
        atlas(60), color=color, frame_title=None, colorbar_loc=None, size=size, **how
    )
    frames = list(film.frames())
    assert frames[0].shape == (4, 4, 3)
    assert np.ptp(frames[-1], axis=(0, 1)).min() > 8
    for mean, within in differences(film, list(range(len(film))), tmp_path, margin=0):
        assert mean <= 1
        assert within == 1


@pytest.mark.parametrize("color", ["scores", "classes"])
def test_frames_between_are_those_of_the_film(tmp_path, color):
    film = sca.pl.animate_embedding(atlas(), color=color, tween=3, frame_title=None, size=2)
    for mean, within in differences(film, list(range(0, len(film), 3)), tmp_path):
        assert mean <= 0.5
        assert within >= 0.995


@pytest.mark.parametrize("alpha", [0.5, 1.0])
@pytest.mark.parametrize("size", [1.0, 30.0, 400.0])
def test_sizes_and_opacities(tmp_path, size, alpha):
    film = sca.pl.animate_embedding(
        atlas(900), color="scores", size=size, alpha=alpha, frame_title=None
    )
    ((mean, within),) = differences(film, [len(film) - 1], tmp_path)
    assert mean <= 0.6
    assert within >= 0.998


def test_cells_without_value_lie_below(tmp_path):
    cells = atlas(900)
    scores = cells.obsm["scores"]
    scores[np.random.default_rng(1).random(scores.shape) < 0.3] = np.nan
    film = sca.pl.animate_embedding(cells, color="scores", frame_title=None, size=60)
    for mean, within in differences(film, list(range(len(film))), tmp_path):
        assert mean <= 0.6
        assert within >= 0.998


def test_cells_without_value_in_one_of_two_frames_fade(tmp_path):
    cells = atlas(900)
    scores = cells.obsm["scores"][:, :2]
    scores[np.random.default_rng(1).random(scores.shape) < 0.3] = np.nan
    cells.obsm["two"] = scores
    film = sca.pl.animate_embedding(cells, color="two", frame_title=None, size=60, tween=4)
    for mean, within in differences(film, list(range(len(film))), tmp_path):
        assert mean <= 0.6
        assert within >= 0.99


def moving(n: int = 6000, n_stops: int = 3) -> ad.AnnData:
    cells, rng = atlas(n), np.random.default_rng(5)
    turned = cells.obsm["X_umap"] @ [[0.6, -0.8], [0.8, 0.6]]
    cells.obsm["X_other"] = turned + rng.normal(size=(n, 2))
    cells.obsm["X_other"][::50] = np.nan
    ways = [cells.obsm["X_umap"] + 0.3 * k * rng.normal(size=(n, 2)) for k in range(n_stops)]
    cells.obsm["X_path"] = np.stack(ways, axis=2)
    return cells


@pytest.mark.parametrize(
    ("how", "worst"),
    [
        ({"color": "scores", "basis": ["umap", "other"], "tween": 1}, 0.998),
        ({"color": "classes", "basis": ["umap", "other"]}, 0.998),
        ({"color": "scores", "basis": "path", "frames": [0, 2, 4]}, 0.998),
    ],
)
def test_moving_cells_are_where_the_film_has_them(tmp_path, how, worst):
    film = sca.pl.animate_embedding(moving(), frame_title=None, size=8, **how)
    for mean, within in differences(film, list(range(0, len(film), 3)), tmp_path):
        assert mean <= 0.5
        assert within >= worst


@pytest.mark.parametrize(
    ("color", "scale", "tween"),
    [
        ("scores", "rank", 0),
        ("scores", "linear", 3),
        ("scores", np.sqrt, 0),
        ("signed", "linear", 1),
        ("classes", None, 0),
    ],
)
def test_cells_that_are_sorted_anew_lie_as_in_the_film(tmp_path, color, scale, tween):
    cells = atlas(900)
    scores = cells.obsm["scores"]
    scores[:, ::2] = scores[:, ::-1][:, ::2]  # not the same cells are on top in all frames
    scores[::9, 1:3] = np.nan
    cells.obsm["signed"] = np.roll(scores, 100, axis=0) - scores
    how = {} if scale is None else {"scale": scale}
    film = sca.pl.animate_embedding(
        cells, color=color, frame_title=None, size=80, sort_order="frame", tween=tween, **how
    )
    for mean, within in differences(film, list(range(0, len(film), 2)), tmp_path):
        assert mean <= 0.8
        assert within >= 0.995


@pytest.mark.parametrize("color", ["scores", "classes"])
def test_turning_cells_lie_as_in_the_film(tmp_path, color):
    cells = atlas(900)
    third = np.random.default_rng(2).normal(size=900) * 3
    cells.obsm["X_space"] = np.column_stack([cells.obsm["X_umap"], third])
    cells.obsm["X_space"][::50, 2] = np.nan
    cells.obsm["scores"][::9, 1] = np.nan
    how = {"basis": "space", "projection": "3d", "size": 60, "rotate": 120}
    film = sca.pl.animate_embedding(cells, color=color, frame_title=None, every=12, **how)
    for mean, within in differences(film, list(range(0, len(film), 7)), tmp_path):
        assert mean <= 0.6
        assert within >= 0.997


@pytest.mark.parametrize("panel", [0, 1])
@pytest.mark.parametrize("basis", ["umap", ["umap", "other"]])
def test_each_panel_is_the_films(tmp_path, panel, basis):
    film = sca.pl.animate_embedding(
        moving(900), color=["scores", "classes"], basis=basis, frame_title=None, size=30
    )
    for mean, within in differences(film, [0, len(film) // 2], tmp_path, panel=panel):
        assert mean <= 0.5
        assert within >= 0.998


def test_a_real_atlas(tmp_path):
    cells = sc.datasets.pbmc68k_reduced()
    sca.tl.label_propagation(cells, [0, 1])
    film = sca.pl.animate_embedding(cells, mark_seeds=False)
    for mean, within in differences(film, [0, len(film) - 1], tmp_path):
        assert mean <= 0.35
        assert within >= 0.999


def one_cell() -> ad.AnnData:
    return atlas(1)


def all_missing() -> ad.AnnData:
    cells = atlas(50)
    cells.obsm["scores"][:] = np.nan
    return cells


def many_classes() -> ad.AnnData:
    cells = atlas(900)
    weights = np.random.default_rng(3).gamma(0.1, size=(900, 2, 300))
    cells.obsm["scores"] = weights / weights.sum(axis=2, keepdims=True)
    return cells


def nowhere() -> ad.AnnData:
    cells = atlas(300)
    cells.obsm["X_umap"][::7] = np.nan
    return cells


@pytest.mark.parametrize("make", [one_cell, all_missing, many_classes, nowhere])
def test_strange_films(tmp_path, make):
    film = sca.pl.animate_embedding(
        make(), color="scores", frame_title=None, size=40, legend_loc=None
    )
    for mean, within in differences(film, list(range(len(film))), tmp_path):
        assert mean <= 0.5
        assert within >= 0.998


#: What no page needs unless its header says so: a name, and what says so.
DOORS = {
    "decodeBarcodes": {"names": {"kind": "barcodes"}},
    "placesOf": {"like": 0},
    "moveCells": {"stops": [[0, 0]]},
    "turnCells": {"turn": 0.5},
    "orderByValue": {"sorted": 1},
    "blendScores": {"moments": [(0, 1, 0.5, 1.0)]},
    "Scores": {"kind": "scores"},
    "Labels": {"kind": "labels"},
}


@pytest.mark.parametrize("kind", ["scores", "labels"])
@pytest.mark.parametrize("more", [[], *([name] for name in DOORS), list(DOORS)[:-2]])
@pytest.mark.parametrize("several", [False, True])
def test_a_page_holds_the_scripts_it_needs(kind, more, several):
    panel: dict[str, object] = {"kind": kind, "names": None, "planes": [], "moments": []}
    other = panel | {key: value for name in more for key, value in DOORS[name].items()}
    script = _player_script({"panels": [panel, other]} if several else other)
    everything = {one: name for name in _JS for one in _defined(name)}
    defined = {one for one, name in everything.items() if _stripped(name) in script}
    panels = [panel, other] if several else [other]
    needed = {str(one["kind"]).capitalize() for one in panels} | set(more)
    needed -= {"blendScores"}
    if any(
        one["kind"] == "scores" and one.keys() & {"sorted"} | set(one["moments"]) for one in panels
    ):
        needed |= {"blendScores", "course"}
    if "turnCells" in needed:
        needed.add("orderByValue")  # its file orders cells that turn, too
    if needed & {"placesOf", "moveCells", "turnCells"}:
        needed |= {"byDeltas", "undelta"}
    if several or not needed & {"moveCells", "turnCells"}:
        needed.add("alongCurve")
    callers = {"blendScores": "Scores", "course": "orderByValue"}  # of all others: every page
    named = {*DOORS, "byDeltas", "undelta", "alongCurve", "course"} - needed
    allowed = {name for name in named if name not in callers or callers[name] in needed}
    assert needed <= defined
    assert set(everything) & set(re.findall(r"\w+", script)) - defined == allowed


def test_a_script_brings_its_own_kind_of_page_to_life():
    pages = [
        sca.pl.animate_embedding(atlas(50), color=color, legend_loc=None).explore().to_html()
        for color in ("scores", "classes")
    ]
    keys = [re.search(r'data-script="(\w+)"', page)[1] for page in pages]
    assert keys[0] != keys[1]
    for page, key in zip(pages, keys, strict=True):
        assert re.findall(r"\[data-script=\"(\w+)\"\]", page) == [key]


def _defined(name: str) -> list[str]:
    """What a file defines for all others."""
    text = (Path(scanpy_anim.explorer.__file__).parent / name).read_text("utf-8")
    return re.findall(r"^(?:async )?(?:function|class|const) (\w+)", text, flags=re.M)
