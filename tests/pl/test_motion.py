"""Moving points, against geometry worked out by hand and SciPy's Procrustes."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
import scanpy as sc
from scipy.linalg import orthogonal_procrustes

import scanpy_anim as sca
from scanpy_anim.pl._motion import Path, Turn, _superposed, aligned
from scanpy_anim.raster import PointsArtist

from .pictures import drawn_by_matplotlib


@pytest.fixture
def cloud():
    return np.random.default_rng(0).normal(size=(200, 2)) * [5, 1]


def test_a_turned_mirrored_scaled_and_shifted_copy_is_brought_back(cloud):
    angle = np.deg2rad(130)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    for mirror in (1, -1):
        moved = 3.7 * (cloud * [mirror, 1]) @ turn + [100, -20]
        np.testing.assert_allclose(_superposed(moved, cloud), cloud, atol=1e-9)


def test_the_rotation_is_scipys(cloud):
    other = np.random.default_rng(1).normal(size=(200, 2))
    a, b = other - other.mean(axis=0), cloud - cloud.mean(axis=0)
    rotation, _ = orthogonal_procrustes(a, b)
    scale = np.linalg.norm(b) / np.linalg.norm(a)
    expected = a @ rotation * scale + cloud.mean(axis=0)
    np.testing.assert_allclose(_superposed(other, cloud), expected)


def test_missing_cells_do_not_disturb_the_fit(cloud):
    moved = cloud[:, ::-1] * 2
    holes = moved.copy()
    holes[::7] = np.nan
    placed = _superposed(holes, cloud)
    assert np.isnan(placed[::7]).all()
    known = np.isfinite(holes).all(axis=1)
    np.testing.assert_allclose(placed[known], cloud[known], atol=1e-9)
    nothing = np.full_like(cloud, np.nan)
    assert _superposed(nothing, cloud) is nothing


def test_the_tissue_stays_and_otherwise_the_last(cloud):
    others = [cloud[:, ::-1] + 3, cloud * 4, -cloud]
    last = aligned(others, ["pca", "tsne", "umap"])
    np.testing.assert_array_equal(last[2], others[2])
    np.testing.assert_allclose(last[0], others[2], atol=1e-9)
    tissue = aligned(others, ["pca", "spatial", "umap"])
    np.testing.assert_array_equal(tissue[1], others[1])
    np.testing.assert_allclose(tissue[2], others[1], atol=1e-9)


def test_a_path_goes_straight_from_stop_to_stop(cloud):
    path = Path(("a", "b", "c"), np.array([cloud, cloud + 4, cloud - 4]))
    np.testing.assert_array_equal(path.at(0), cloud)
    np.testing.assert_allclose(path.at(0.25), cloud + 2)
    np.testing.assert_array_equal(path.at(0.5), cloud + 4)
    np.testing.assert_allclose(path.at(0.75), cloud)
    np.testing.assert_array_equal(path.at(1), cloud - 4)
    np.testing.assert_allclose(path.limits(), [cloud.min(axis=0) - 4, cloud.max(axis=0) + 4])


def test_a_turn_is_rigid_and_closes():
    points = np.random.default_rng(0).normal(size=(50, 3))
    turn = Turn(("pca",), points)
    centred = points - (points.min(axis=0) + points.max(axis=0)) / 2
    for time in (0, 0.3, 1):
        seen = np.column_stack([turn.at(time), turn.depth(time)])
        np.testing.assert_allclose(  # distances from the centre do not change
            np.linalg.norm(seen, axis=1), np.linalg.norm(centred, axis=1)
        )
        (x0, y0), (x1, y1) = turn.limits()
        assert (seen[:, 0] >= x0).all()
        assert (seen[:, 0] <= x1).all()
        assert (seen[:, 1] >= y0).all()
        assert (seen[:, 1] <= y1).all()
    step = np.linalg.norm(turn.at(1 / (turn.n_keys - 1)) - turn.at(0))
    assert np.linalg.norm(turn.at(1) - turn.at(0)) == pytest.approx(step, rel=0.2)


def test_the_nearer_cell_hides_the_farther_one(pbmc):
    """Two cells on a line through the axis: after half a turn the other one is in front."""
    pair = pbmc[:2].copy()
    pair.obsm["X_line"] = np.array([[0.0, 1, 0], [0, -1, 0]])
    pair.obs["which"] = ["near", "far"]
    film = sca.pl.animate_embedding(
        pair,
        "line",
        color="which",
        projection="3d",
        palette=["red", "blue"],
        size=50_000,
        legend_loc=None,
        frame_title=None,
        title="",
        hold=0,
    )
    frames = list(film.frames(dpi=40))
    counts = [
        [(f[..., c] > 200).sum() - (f.min(axis=-1) > 200).sum() for c in (0, 2)] for f in frames
    ]
    red, blue = np.array(counts).T
    half = len(frames) // 2
    assert (red[0] > blue[0]) != (red[half] > blue[half])


def test_a_morph_starts_and_ends_as_the_embeddings(pbmc):
    film = sca.pl.animate_embedding(pbmc, ["pca", "umap"], color="louvain", align=False)
    assert len(film) == 26
    looks = [film.photos[i] for i in (0, -1)]
    for photo, key in zip(looks, ("X_pca", "X_umap"), strict=True):
        (points,) = [a for a in photo if isinstance(a, PointsArtist)]
        np.testing.assert_allclose(points.get_style().offsets, pbmc.obsm[key][:, :2])
    titles = [film.still(i).axes[0].texts[-1].get_text() for i in (0, 10, 25)]
    assert titles == ["pca", "pca → umap", "umap"]


def test_a_recorded_path(pbmc):
    path = np.stack([pbmc.obsm["X_umap"] * k for k in (1, 2, 3)], axis=2)
    pbmc.obsm["path"] = path
    film = sca.pl.animate_embedding(pbmc, "path", color="LYZ", scale="linear")
    assert len(film) == 3
    (points,) = [a for a in film.photos[1] if isinstance(a, PointsArtist)]
    np.testing.assert_allclose(points.get_style().offsets, path[:, :, 1])


def test_moving_frames_are_what_matplotlib_draws(pbmc):
    from matplotlib.figure import Figure

    film = sca.pl.animate_embedding(
        pbmc,
        ["pca", "umap"],
        color="louvain",
        tween=1,
        frame_title=None,
        title="",
        frameon=False,
        legend_loc=None,
        sort_order=False,
        size=80,
    )
    frame = list(film.frames())[1]
    (points,) = [a for a in film.photos[1] if isinstance(a, PointsArtist)]
    stage = film.figure.axes[0]
    ax = Figure(figsize=film.figure.get_size_inches()).add_axes(stage.get_position())
    colors = [pbmc.uns["louvain_colors"][k] for k in pbmc.obs["louvain"].cat.codes]
    ax.scatter(*points.get_style().offsets.T, c=colors, s=80, marker=".", edgecolor="none")
    ax.set(xlim=stage.get_xlim(), ylim=stage.get_ylim())
    ax.axis("off")
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    off = np.abs(frame.astype(int) - np.asarray(canvas.buffer_rgba())[..., :3]).max(axis=-1)
    assert off.mean() <= 0.6
    assert np.mean(off <= 8) >= 0.999


def test_seeds_move_with_their_cells(propagated):
    film = sca.pl.animate_embedding(propagated, ["pca", "umap"])
    for i in (0, len(film) - 1):
        (points,) = [a for a in film.photos[i] if isinstance(a, PointsArtist)]
        (rings,) = [a for a in film.photos[i] if hasattr(a, "get_offsets")]
        np.testing.assert_allclose(rings.get_offsets(), points.get_style().offsets[[0, 350]])


def test_cells_missing_in_one_embedding_come_when_they_are_there(pbmc):
    holes = np.array(pbmc.obsm["X_umap"])
    holes[:100] = np.nan
    pbmc.obsm["X_holes"] = holes
    film = sca.pl.animate_embedding(pbmc, ["holes", "pca"], color="louvain", tween=1)
    shown = []
    for photo in film.photos:
        (points,) = [a for a in photo if isinstance(a, PointsArtist)]
        shown.append(np.isfinite(points.get_style().offsets).all(axis=1).sum())
    assert shown == [600, 600, 700]
    assert len(list(film.frames(dpi=30))) == 3


def test_tissue_has_equal_sides_and_y_downwards(pbmc):
    pbmc.obsm["spatial"] = pbmc.obsm["X_umap"] * 10 + 200
    picture = np.zeros((80, 60, 3))
    pbmc.uns["spatial"] = {
        "slide": {"images": {"hires": picture}, "scalefactors": {"tissue_hires_scalef": 0.2}}
    }
    film = sca.pl.animate_embedding(pbmc, "spatial", color="louvain")
    ax = film.figure.axes[0]
    assert ax.get_aspect() == 1
    low, high = ax.get_ylim()
    assert low > high
    (tissue,) = ax.images
    assert tuple(tissue.get_extent()) == (-2.5, 297.5, 397.5, -2.5)  # pixels are 5 wide
    plain = sca.pl.animate_embedding(pbmc, "spatial", color="louvain", img_key=None)
    assert len(plain.figure.axes[0].images) == 0
    assert next(film.frames()).mean() < next(plain.frames()).mean()


@pytest.fixture
def tissue(pbmc):
    """Cells in a made-up tissue: a white picture, spots 30 wide."""
    pbmc.obsm["spatial"] = pbmc.obsm["X_umap"] * 40 + 700
    pbmc.uns["spatial"] = {
        "slide": {
            "images": {"hires": np.ones((300, 300, 3))},
            "scalefactors": {"tissue_hires_scalef": 0.2, "spot_diameter_fullres": 30.0},
        }
    }
    return pbmc


def test_spots_are_as_large_as_scanpy_draws_them(tissue):
    """Two spots, 30 wide and 300 apart: so they are in scanpy's picture, and in the film's."""
    import matplotlib.pyplot as plt

    pair = tissue[:2].copy()
    pair.obsm["spatial"] = np.array([[100.0, 100], [400, 100]])
    asked = {"color": "phase", "legend_loc": None, "title": "", "frameon": False, "img_key": None}
    with warnings.catch_warnings():  # scanpy would rather have squidpy draw it
        warnings.simplefilter("ignore")
        sc.pl.spatial(pair, show=False, **asked)
    still = plt.gcf()
    plt.close(still)
    film = sca.pl.animate_embedding(pair, "spatial", frame_title=None, **asked)
    for picture in (drawn_by_matplotlib(still), next(film.frames()), strip_of(film)):
        columns = np.flatnonzero((picture.min(axis=-1) < 128).any(axis=0))
        gap = int(np.diff(columns).argmax()) + 1
        left, right = columns[:gap], columns[gap:]
        assert len(left) == pytest.approx(30 / 300 * (right[0] - left[0]), abs=1.5)
        assert len(right) == pytest.approx(len(left), abs=1)
    sized = sca.pl.animate_embedding(tissue, "spatial", color="n_counts", size=20)
    assert sized.clips[0].stage.panels[0].cloud.get_sizes() == [20]


def strip_of(film):
    return drawn_by_matplotlib(film.filmstrip([0]))


def test_several_libraries_are_told_of(tissue, monkeypatch):
    tissue.uns["spatial"]["other"] = tissue.uns["spatial"]["slide"]
    told = []
    monkeypatch.setattr(sc.logging, "warning", told.append)
    film = sca.pl.animate_embedding(tissue, "spatial", color="louvain")
    assert "has 2 libraries, 'slide', 'other': no picture" in told[0]
    assert len(film.figure.axes[0].images) == 0
    assert film.figure.axes[0].get_aspect() == 1


def test_a_turn_shows_the_components_that_are_asked_for(pbmc):
    turns = [
        sca.pl.animate_embedding(pbmc, "pca", color="louvain", projection="3d", frames=[5], **asked)
        for asked in ({"components": "3,1,2"}, {"dimensions": (2, 0, 1)}, {})
    ]
    by_text, by_number, first = (next(film.frames(dpi=40)) for film in turns)
    np.testing.assert_array_equal(by_text, by_number)
    assert not np.array_equal(by_text, first)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"basis": ["pca"]}, ValueError, "from one embedding to another"),
        ({"basis": ["pca", "nope"]}, KeyError, "basis='nope'"),
        ({"basis": "umap", "projection": "3d"}, ValueError, r"shape \(700, 2\); 3 dimensions"),
        ({"basis": ["pca", "umap"], "projection": "3d"}, ValueError, "turns one embedding"),
        ({"basis": "pca", "projection": "4d"}, ValueError, "projection='4d'"),
        ({"basis": "pca", "projection": "3d", "rotate": np.nan}, ValueError, "rotate=nan"),
        ({"basis": ["pca", "umap"], "components": "1,2"}, ValueError, "in which the cells stay"),
        ({"basis": "pca", "projection": "3d", "components": "all"}, ValueError, "three of them"),
        ({"basis": "pca", "projection": "3d", "dimensions": (0, 1)}, ValueError, "3 dimensions a"),
        ({"basis": ["pca", "umap"], "edges": True}, ValueError, "edges=True is drawn once"),
        ({"basis": ["pca", "umap"], "add_outline": True}, ValueError, "add_outline=True"),
    ],
)
def test_bad_motion(pbmc, arguments, error, message):
    with pytest.raises(error, match=message):
        sca.pl.animate_embedding(pbmc, color="louvain", **arguments)


@pytest.mark.parametrize(
    "arguments", [{"basis": ["pca", "umap"]}, {"basis": "pca", "projection": "3d"}]
)
def test_cells_move_smoothly_while_colors_change(pbmc, arguments):
    film = sca.pl.animate_embedding(pbmc, color=["CD3D", "LYZ", "CD79A"], **arguments)
    clip = film.clips[0]
    assert len(film) >= (72 if "projection" in arguments else 26)
    places = [clip.style(0, k).offsets for k in range(len(film))]
    steps = [np.abs(b - a).max() for a, b in itertools.pairwise(places)]
    assert min(steps) > 0
    assert max(steps) < 0.15 * np.abs(places[0]).max()


def test_ways_are_smooth_while_colors_change(pbmc):
    """From one embedding to the other without a halt at each of the frames that are shown."""
    film = sca.pl.animate_embedding(pbmc, ["pca", "umap"], color=["CD3D", "LYZ", "CD79A", "NKG7"])
    places = []
    for photo in film.photos:
        (points,) = [a for a in photo if isinstance(a, PointsArtist)]
        places.append(np.asarray(points.get_style().offsets))
    speeds = np.linalg.norm(np.diff(places, axis=0), axis=2).mean(axis=1)
    top = int(speeds.argmax())
    assert (np.diff(speeds[: top + 1]) > 0).all()
    assert (np.diff(speeds[top:]) < 0).all()
    assert speeds[0] < speeds.max() / 5


@pytest.mark.parametrize("color", [["CD3D", "LYZ"], "label_propagation"])
def test_a_turn_with_several_colors_goes_on_without_a_stop(propagated, color):
    film = sca.pl.animate_embedding(propagated, "pca", color=color, projection="3d")
    assert np.ptp(film.timeline.seconds()) < 1e-9
    assert np.allclose(np.diff(film.timeline.times), 1 / (len(film) - 1))


def test_an_embedding_without_depth_names_the_projection(pbmc):
    with pytest.raises(ValueError, match="projection='3d'"):
        sca.pl.animate_embedding(pbmc, "umap", color="louvain", projection="3d")
