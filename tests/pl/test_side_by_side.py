"""What is asked for comes out: sizes, panels, films beside films."""

from __future__ import annotations

from io import BytesIO

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import scanpy as sc
from PIL import Image

import scanpy_anim as sca

from .pictures import largest_difference


@pytest.fixture
def tissue(propagated):
    grid = np.stack(np.meshgrid(np.arange(28), np.arange(25)), -1).reshape(-1, 2)
    propagated.obsm["spatial"] = grid * 100.0
    propagated.obsm["noise"] = np.random.default_rng(0).random((700, 3))
    propagated.uns["spatial"] = {
        "one": {
            "images": {"hires": np.full((280, 300, 3), 0.9)},
            "scalefactors": {"tissue_hires_scalef": 0.1, "spot_diameter_fullres": 90.0},
        }
    }
    return propagated


def ink(frame) -> np.ndarray:
    """Distances from the edges to what is drawn: left, right, top, bottom."""
    drawn = (frame < 250).any(axis=2)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    height, width = drawn.shape
    return np.array([columns[0], width - 1 - columns[-1], rows[0], height - 1 - rows[-1]])


def size_of(path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


@pytest.mark.parametrize(
    ("figsize", "arguments"),
    [
        ((9.6, 5.4), {"color": "types"}),
        ((4, 4), {"color": "noise"}),
        ((3.3, 2.5), {"color": "noise", "colorbar_loc": "bottom"}),
        ((9, 3.5), {"color": "types", "classes": ["Dendritic", "CD34+"]}),
        ((9, 3.5), {"color": "noise", "components": ["1,2", "2,1"], "title": ["a", "b"]}),
        ((5, 7), {"color": "types", "classes": ["Dendritic", "CD34+"], "ncols": 1}),
        ((8, 4), {"color": "bulk_labels", "basis": ["pca", "umap"], "frames": [0, 1], "tween": 1}),
    ],
)
def test_a_film_is_as_large_as_asked_with_everything_inside(tissue, figsize, arguments):
    film = sca.pl.animate_embedding(tissue, figsize=figsize, **arguments)
    frames = list(film.frames(100))
    assert {f.shape for f in frames} == {(round(figsize[1] * 100), round(figsize[0] * 100), 3)}
    edges = np.min([ink(f) for f in frames], axis=0)
    assert (edges >= 4).all()
    assert (edges <= 40).all()


def test_a_file_is_as_large_as_asked(tissue, tmp_path):
    film = sca.pl.animate_embedding(tissue, color="types", figsize=(4.8, 2.7))
    film.save(tmp_path / "film.gif", dpi=100)
    assert size_of(tmp_path / "film.gif") == (480, 270)


def test_spots_keep_their_size_in_the_tissue(tissue):
    """In a film of any size a spot is as wide as 0.9 of the distance between two."""
    for figsize in (None, (4, 4), (8, 5)):
        film = sca.pl.animate_embedding(tissue, "spatial", color="noise", figsize=figsize)
        panel = film.clips[0].stage.panels[0]
        unit = np.diff(panel.ax.transData.transform([(0, 0), (100, 0)])[:, 0])[0]
        marker = panel.cloud.get_paths()[0].get_extents().width
        width = marker * np.sqrt(panel.cloud.get_sizes()[0]) * film.figure.dpi / 72
        assert width == pytest.approx(0.9 * unit, rel=1e-3)


def test_spots_at_the_edge_are_whole(tissue):
    few = tissue[[0, 27]].copy()
    few.uns["spatial"]["one"]["scalefactors"]["spot_diameter_fullres"] = 2000.0
    for arguments in ({}, {"size": 20000}):
        film = sca.pl.animate_embedding(few, "spatial", color="noise", **arguments)
        panel = film.clips[0].stage.panels[0]
        ax, marker = panel.ax, panel.cloud.get_paths()[0].get_extents().width
        (x0, x1), (y1, y0) = ax.get_xlim(), ax.get_ylim()
        (point,) = np.diff(ax.transData.transform([(0, 0), (1, 0)])[:, 0]) * 72 / film.figure.dpi
        radius = 1000 if not arguments else marker * np.sqrt(20000) / point / 2 * 0.8
        assert x0 <= -radius
        assert x1 >= 2700 + radius
        assert y0 <= -radius
        assert y1 >= radius


def test_axes_of_another_figure_are_made_room_for(tissue):
    fig, axs = plt.subplots(1, 2, figsize=(8, 3))
    axs[0].plot([0, 1], [0, 1])
    film = sca.pl.animate_embedding(tissue, color="types", ax=axs[1], figsize=(10, 3))
    edges = np.min([ink(f) for f in film.frames(100)], axis=0)
    assert tuple(fig.get_size_inches()) == (10, 3)
    assert (edges >= 4).all()
    plt.close(fig)


@pytest.fixture
def told(monkeypatch):
    """What is warned of."""
    warnings: list[str] = []
    monkeypatch.setattr(sc.logging, "warning", warnings.append)
    return warnings


def test_what_sticks_out_of_the_users_axes_is_named(tissue, told):
    fig, axs = plt.subplots(1, 2, figsize=(8, 3))
    sca.pl.animate_embedding(tissue, color="types", ax=axs[1])
    assert "legend" in told[-1]
    assert "figsize=" in told[-1]
    plt.close(fig)
    fig, ax = plt.subplots(figsize=(9, 6))
    fig.subplots_adjust(right=0.6, top=0.85)
    told.clear()
    sca.pl.animate_embedding(tissue, color="types", ax=ax)
    assert not told
    plt.close(fig)


@pytest.mark.parametrize("figsize", [3, (3,), "big", (0, 1), (1, np.nan), (True, 2), (2, 3, 4)])
def test_sizes_are_width_and_height(tissue, figsize):
    with pytest.raises(ValueError, match="figsize"):
        sca.pl.animate_embedding(tissue, color="noise", figsize=figsize)


def test_a_size_without_room_for_cells_says_so(tissue):
    with pytest.raises(ValueError, match="leave no room"):
        sca.pl.animate_embedding(tissue, color="types", figsize=(2, 1))


def panel_pixels(film, i, frame):
    """Pixels inside the axes of a panel, without the frame around them."""
    panel = [p for clip in film.clips for p in clip.stage.panels][i]
    box, height = panel.ax.get_window_extent(), frame.shape[0]
    rows = slice(int(height - box.y1) + 3, int(height - box.y0) - 3)
    return frame[rows, int(box.x0) + 3 : int(box.x1) - 3]


def test_films_play_on_one_clock(tissue):
    short = sca.pl.animate_embedding(tissue, color=["CD3D", "LYZ"], fps=5, hold=0)
    long = sca.pl.animate_embedding(tissue, color="noise", fps=5, hold=2)
    still = sca.pl.animate_embedding(tissue, color="bulk_labels")
    film = sca.pl.side_by_side([short, long, still])
    assert film.schedule == [[0, 0, 0], [1, 1, 0], [1, 2, 0]]
    np.testing.assert_allclose(film.timeline.seconds(), [0.2, 0.2, 2.0])
    frames = list(film.frames())
    parts = [panel_pixels(film, 0, frame) for frame in frames]
    assert (parts[0] != parts[1]).any()
    assert (parts[1] == parts[2]).all()
    assert (panel_pixels(film, 2, frames[0]) == panel_pixels(film, 2, frames[2])).all()


def test_films_of_different_pace_meet_at_the_end(tissue):
    slow = sca.pl.animate_embedding(tissue, color="noise", fps=2, hold=0)
    fast = sca.pl.animate_embedding(tissue, color="noise", fps=4, hold=0, tween=1)
    film = sca.pl.side_by_side([slow, fast])
    assert film.schedule[-1] == [len(slow) - 1, len(fast) - 1]
    starts = np.concatenate([[0], np.cumsum(film.timeline.seconds())[:-1]])
    for i, alone in enumerate([slow, fast]):
        begin = np.concatenate([[0], np.cumsum(alone.timeline.seconds())[:-1]])
        shown = np.searchsorted(begin, starts + 0.01, side="right") - 1
        assert [moments[i] for moments in film.schedule] == shown.tolist()


def test_a_film_beside_another_looks_as_it_did_alone(tissue):
    one = sca.pl.animate_embedding(tissue, color="types", legend_loc=None)
    other = sca.pl.animate_embedding(tissue, basis=["pca", "umap"], color="phase", legend_loc=None)
    film = sca.pl.side_by_side([one, other], ncols=1)
    frame, alone = list(film.frames())[-1], list(one.frames())[-1]
    a, b = panel_pixels(film, 0, frame), panel_pixels(one, 0, alone)
    assert abs(a.shape[0] - b.shape[0]) <= 1
    assert abs(np.mean(a) - np.mean(b)) < 1  # the grid of pixels lies elsewhere
    assert {tuple(c) for c in a.reshape(-1, 3)[::97]} & {tuple(c) for c in b.reshape(-1, 3)[::97]}


def test_films_are_put_together_again(tissue):
    one = sca.pl.animate_embedding(tissue, color="noise")
    pair = sca.pl.side_by_side([one, one])
    film = sca.pl.side_by_side([pair, one], figsize=(12, 3))
    assert len(film.clips) == 3
    assert len(film) == len(one)
    assert next(film.frames(100)).shape == (300, 1200, 3)
    assert len(film.filmstrip([0]).axes) == 6  # a row each, with its color bar
    film.still(-1)


def test_films_of_different_data_stand_side_by_side(tissue):
    half = tissue[::2].copy()
    film = sca.pl.side_by_side(
        [sca.pl.animate_embedding(a, color="noise") for a in (tissue, half)], ncols=1
    )
    assert [len(c.stage.panels[0].cloud.get_offsets()) for c in film.clips] == [700, 350]


@pytest.mark.parametrize("films", [[], "film", None, [1], [None]])
def test_only_films_stand_side_by_side(films):
    with pytest.raises((TypeError, ValueError), match="film"):
        sca.pl.side_by_side(films)


def test_panels_are_what_stands_side_by_side(tissue):
    film = sca.pl.animate_embedding(
        tissue,
        color="types",
        panels=["umap", "spatial", "CD3D", ["LYZ", "CD3D"], {"color": "noise", "title": "mine"}],
        figsize=(14, 6),
        ncols=3,
    )
    stages = [clip.stage for clip in film.clips]
    assert [s.basis for s in stages] == ["umap", "spatial", "umap", "umap", "umap"]
    names = [s.panels[0].source.name for s in stages]
    assert names == ["types", "types", "CD3D", "LYZ … CD3D", "noise"]
    assert [s.panels[0].ax.get_title() for s in stages][-1] == "mine"
    assert next(film.frames(100)).shape == (600, 1400, 3)
    assert len({moments[0] for moments in film.schedule}) == tissue.obsm["types"].shape[1]
    assert "panels=" in film.metadata["comment"]


def test_a_color_that_no_panel_takes_is_the_first(tissue):
    film = sca.pl.animate_embedding(tissue, color="types", panels=["bulk_labels"], every=2)
    assert [c.stage.panels[0].source.name for c in film.clips] == ["types", "bulk_labels"]
    film = sca.pl.animate_embedding(tissue, panels=["bulk_labels", "noise"])
    assert [c.stage.panels[0].source.name for c in film.clips] == ["bulk_labels", "noise"]


def test_another_embedding_has_the_colors_of_the_panel_beside_it(tissue):
    tissue.obsm.pop("label_propagation", None)
    film = sca.pl.animate_embedding(tissue, panels=["spatial", "types", {"color": "noise"}])
    names = [c.stage.panels[0].source.name for c in film.clips]
    assert names == ["types", "types", "noise"]
    film = sca.pl.animate_embedding(tissue, panels=tissue.var_names[:2])
    assert len(film.clips) == 2


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"panels": "umap"}, TypeError),
        ({"panels": []}, TypeError),
        ({"panels": [{"figsize": (2, 2)}]}, ValueError),
        ({"panels": ["noise", "nothing"]}, KeyError),
        ({"panels": ["noise"], "title": ["a", "b"]}, ValueError),
    ],
)
def test_panels_that_make_no_sense_are_refused(tissue, arguments, error):
    with pytest.raises(error, match=r"panels|title|nothing"):
        sca.pl.animate_embedding(tissue, **arguments)


def test_panels_and_axes_exclude_each_other(tissue):
    fig, ax = plt.subplots()
    with pytest.raises(TypeError, match="ax="):
        sca.pl.animate_embedding(tissue, panels=["noise"], ax=ax)
    plt.close(fig)


def test_two_films_in_one_figure_are_told_of_each_other(tissue, told):
    fig, axs = plt.subplots(1, 2)
    sca.pl.animate_embedding(tissue, color="noise", ax=axs[0])
    assert not told
    sca.pl.animate_embedding(tissue, color="noise", ax=axs[1])
    assert "side_by_side" in told[0]
    plt.close(fig)


def _shares(film, panel=0):
    """Return which share of the figure's width, height and area the axes of a panel have."""
    ax = film.figure.axes[panel]
    width, height = ax.get_window_extent().size / film.figure.bbox.size
    return width, height, width * height


_SHORT, _LONG = "c{}", "a cell type with the number {}"


@pytest.mark.parametrize(
    ("n", "name", "figsize"),
    [
        *((n, name, None) for n in (44, 99) for name in (_SHORT, _LONG)),
        *(
            (n, name, size)
            for n, name in ((44, _SHORT), (99, _LONG))
            for size in ((9.6, 5.4), (4, 6))
        ),
        (44, _LONG, (5, 5)),
        (99, _SHORT, (5, 5)),
    ],
)
def test_long_legends_leave_the_cells_room(tissue, n, name, figsize):
    tissue.obs["many"] = [name.format(i) for i in np.arange(700) % n]
    film = sca.pl.animate_embedding(tissue, color="many", figsize=figsize)
    legend, inside = film.figure.axes[0].get_legend(), film.figure.bbox.padded(1)
    assert len(legend.get_texts()) == n
    width, height, area = _shares(film)
    assert min(width, height) > 0.35
    assert max(width, height) > 0.6
    assert area > 0.25
    box = legend.get_window_extent()
    assert inside.contains(*box.min)
    assert inside.contains(*box.max)
    assert not box.overlaps(film.figure.axes[0].get_window_extent())


def test_long_legends_of_panels(tissue):
    tissue.obs["many"] = [f"a cell type with the number {i}" for i in np.arange(700) % 99]
    film = sca.pl.animate_embedding(tissue, panels=["many", "noise"], figsize=(12, 5))
    assert _shares(film)[2] > 0.12
    assert _shares(film, 1)[2] > 0.12


def test_legends_stay_where_and_as_they_were_asked_for(tissue):
    tissue.obs["many"] = [f"type {i}" for i in np.arange(700) % 99]
    asked = {"color": "many", "legend_loc": "right margin"}
    film = sca.pl.animate_embedding(tissue, **asked)
    texts = film.figure.axes[0].get_legend().get_texts()
    plain = sc.pl.embedding(tissue.copy(), "umap", show=False, **asked).get_legend().get_texts()
    plt.close("all")
    assert [t.get_fontsize() for t in texts] == [t.get_fontsize() for t in plain]
    film = sca.pl.animate_embedding(tissue, color="many", legend_fontsize=7)
    assert {t.get_fontsize() for t in film.figure.axes[0].get_legend().get_texts()} == {7}


def test_margins_of_notebooks_are_tight(tissue):
    film = sca.pl.animate_embedding(tissue, color="noise")
    picture = film.still(-1)
    rows, columns = film._footage.tight(100)
    with mpl.rc_context({"savefig.dpi": 100}):
        picture.savefig(stream := BytesIO(), bbox_inches="tight")
    width, height = Image.open(stream).size
    assert abs(columns.stop - columns.start - width) <= 2
    assert abs(rows.stop - rows.start - height) <= 2
    assert Image.open(BytesIO(film._repr_png_())).size == (
        columns.stop - columns.start,
        rows.stop - rows.start,
    )


def test_files_are_tight_where_figures_are(tissue, tmp_path):
    film = sca.pl.animate_embedding(tissue, color="noise")
    film.save(tmp_path / "film.gif", dpi=100)
    with mpl.rc_context({"savefig.bbox": "tight"}):
        film.save(tmp_path / "tight.gif", dpi=100)
        film.save(tmp_path / "standard.gif", dpi=100, bbox_inches="standard")
    film.save(tmp_path / "asked.gif", dpi=100, bbox_inches="tight")
    whole, tight = (size_of(tmp_path / name) for name in ("film.gif", "tight.gif"))
    assert size_of(tmp_path / "standard.gif") == whole == (640, 480)
    assert size_of(tmp_path / "asked.gif") == tight
    with pytest.raises(ValueError, match="bbox_inches='snug'"):
        film.save(tmp_path / "film.gif", bbox_inches="snug")
    assert tight[0] < 600
    assert tight[1] < 480


@pytest.mark.parametrize("suffix", ["gif", "webp", "apng", "avif", "mp4", "webm"])
@pytest.mark.parametrize("ground", ["none", (0.2, 0.4, 0.9, 0.5)])
def test_figures_without_background_lie_on_white(tissue, tmp_path, suffix, ground):
    with mpl.rc_context({"figure.facecolor": ground, "axes.facecolor": "none"}):
        film = sca.pl.animate_embedding(tissue, color="noise", alpha=0.5, figsize=(3, 2.4))
    film.save(path := tmp_path / f"film.{suffix}", dpi=100)
    shown = next(film.frames(100))
    if suffix in ("mp4", "webm"):
        import av

        with av.open(str(path)) as container:
            saved = next(container.decode(video=0)).to_ndarray(format="rgb24")
        saved = saved[: shown.shape[0], : shown.shape[1]]
    else:
        with Image.open(path) as opened:
            picture = opened.convert("RGBA")
        green = Image.new("RGBA", picture.size, (200, 255, 200, 255))
        green.alpha_composite(picture)
        saved = np.asarray(green.convert("RGB"))
    assert largest_difference(saved, shown).mean() < 8
