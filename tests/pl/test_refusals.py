"""What would be left aside or fail late is refused early, by name."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.animation import FuncAnimation
from scipy import sparse

import scanpy_anim as sca


@pytest.fixture
def noise(pbmc):
    pbmc.obsm["noise"] = np.random.default_rng(0).random((700, 2))
    pbmc.obsm["spatial"] = np.random.default_rng(1).random((700, 2)) * 1000
    return pbmc


@pytest.fixture
def figure():
    figure = plt.figure()
    yield figure
    plt.close(figure)


@pytest.mark.parametrize("projection", ["3d", "polar", "mollweide"])
def test_axes_that_are_not_plain(noise, figure, projection):
    ax = figure.add_subplot(projection=projection)
    with pytest.raises(ValueError, match=f"ax is of projection '{projection}'"):
        sca.pl.animate_embedding(noise, "pca", color="noise", projection="3d", ax=ax)


def test_axes_that_cannot_be_seen(noise, figure):
    ax = figure.add_subplot()
    ax.set_visible(False)
    with pytest.raises(ValueError, match="invisible"):
        sca.pl.animate_embedding(noise, color="noise", ax=ax)
    ax.remove()
    with pytest.raises(ValueError, match="taken off"):
        sca.pl.animate_embedding(noise, color="noise", ax=ax)


@pytest.mark.parametrize(
    "arguments",
    [{"rotate": 90}, {"align": False}, {"img_key": "hires"}, {"library_id": "one"}],
)
def test_arguments_that_have_nothing_to_do(noise, arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"{name}=.* goes with"):
        sca.pl.animate_embedding(noise, color="noise", **arguments)


@pytest.mark.parametrize("zorder", ["top", True, [1]])
def test_zorder_is_a_number(noise, zorder):
    with pytest.raises(TypeError, match="zorder"):
        sca.pl.animate_embedding(noise, color="noise", zorder=zorder)


@pytest.mark.parametrize(
    ("name", "value"), [("cmap", "nonsense"), ("palette", 3), ("legend_fontsize", "hugest")]
)
def test_errors_of_scanpy_and_matplotlib_name_the_argument(noise, name, value):
    with pytest.raises(ValueError, match=r"valid|palette") as raised:
        sca.pl.animate_embedding(noise, color="bulk_labels", **{name: value})
    told = str(raised.value) + " ".join(getattr(raised.value, "__notes__", ()))
    assert f"{name}={value!r}" in told or name in str(raised.value)


@pytest.mark.parametrize(
    "cells",
    [np.array([1.0, 2.0]), [1.5], [0.1, 2], pd.Series([1.0, 2.0]), {"a": 1}],
)
def test_marked_cells_are_no_numbers_that_are_not_whole(noise, cells):
    with pytest.raises(TypeError, match="mark_cells"):
        sca.pl.animate_embedding(noise, color="noise", mark_cells=cells)


class MuData:
    mod: dict[str, object] = {"prot": None, "rna": None}  # noqa: RUF012


class SpatialData:
    tables: dict[str, object] = {"spots": None}  # noqa: RUF012


@pytest.mark.parametrize(
    ("data", "remedy"),
    [
        (MuData(), r"'prot', 'rna', such as mdata\['prot'\]"),
        (SpatialData(), r"sdata.tables\['spots'\]"),
        (None, "AnnData"),
        ([], "AnnData"),
    ],
)
def test_what_is_no_anndata(data, remedy):
    with pytest.raises(TypeError, match=remedy):
        sca.pl.animate_embedding(data, color="rna:louvain")
    with pytest.raises(TypeError, match=remedy):
        sca.pl.animate_embedding(data, panels=["rna:louvain"])
    with pytest.raises(TypeError, match=remedy):
        sca.tl.label_propagation(data, "rna:louvain")
    with pytest.raises(TypeError, match=remedy):
        sca.tl.assign_labels(data)


def test_without_any_result_the_default_is_named(noise):
    with pytest.raises(KeyError, match=r"color='label_propagation' is not in .*Run sca\.tl"):
        sca.pl.animate_embedding(noise)


def test_a_way_with_nothing_on_it_has_no_ease(noise):
    with pytest.raises(ValueError, match="ease='in-out': there is nothing between"):
        sca.pl.animate_embedding(noise, color="noise", ease="in-out")
    for arguments in ({"tween": 2}, {"pace": "change"}, {"basis": ["pca", "umap"]}):
        sca.pl.animate_embedding(noise, color="noise", ease="in-out", **arguments)


@pytest.mark.parametrize("marker", [["s", "^"], ("s", "^", "o")])
def test_more_markers_than_panels(noise, marker):
    with pytest.raises(ValueError, match=r"marker=.*one for each panel; the film has 1"):
        sca.pl.animate_embedding(noise, color=["phase", "louvain"], marker=marker)


@pytest.mark.parametrize("marker", ["^", ["^"], ["s", "^"]])
def test_strips_of_markers(noise, marker):
    film = sca.pl.animate_embedding(noise, color="noise", components=["1,2", "2,1"], marker=marker)
    assert len(film.filmstrip([0, -1]).axes) >= 4


PICTURE = np.zeros((3, 3, 3))


@pytest.mark.parametrize(
    "spatial",
    [
        "text",
        [1],
        {"one": 3},
        {"one": {"images": 3}},
        {"one": {"scalefactors": 3}},
        {"one": {"images": {"hires": "text"}, "scalefactors": {}}},
        {"one": {"images": {"hires": np.zeros((3, 3, 7))}, "scalefactors": {}}},
        {"one": {"images": {"hires": [[1, 2], [3]]}, "scalefactors": {}}},
        {"one": {"images": {"hires": np.zeros((0, 3, 3))}, "scalefactors": {}}},
        {"one": {"images": {"hires": PICTURE}, "scalefactors": {"tissue_hires_scalef": 0}}},
        {"one": {"images": {"hires": PICTURE}, "scalefactors": {"tissue_hires_scalef": None}}},
        {"one": {"scalefactors": {"spot_diameter_fullres": "big"}}},
        {"one": {"scalefactors": {"spot_diameter_fullres": np.nan}}},
        {"one": {"scalefactors": {"spot_diameter_fullres": -1}}},
    ],
)
def test_tissues_that_are_not_as_they_should_be(noise, spatial):
    noise.uns["spatial"] = spatial
    with pytest.raises(ValueError, match=r"adata.uns\['spatial'\]"):
        sca.pl.animate_embedding(noise, "spatial", color="noise")
    sca.pl.animate_embedding(noise, "spatial", color="noise", img_key=None, size=20)


def test_one_of_several_libraries(noise):
    library = {"images": {"hires": PICTURE + 0.5}, "scalefactors": {"tissue_hires_scalef": 0.01}}
    noise.uns["spatial"] = {"one": library, "two": library}
    film = sca.pl.animate_embedding(noise, "spatial", color="noise", library_id="two")
    assert len(film.figure.axes[0].images) == 1
    with pytest.raises(KeyError, match="Did you mean 'two'"):
        sca.pl.animate_embedding(noise, "spatial", color="noise", library_id="tow")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"default_mode": "nonsense"}, "default_mode"),
        ({"fps": 0}, "fps"),
        ({"fps": -3}, "fps"),
        ({"fps": "fast"}, "fps"),
        ({"fps": np.inf}, "fps"),
        ({"embed_frames": False}, "embed_frames"),
        ({"embed_frames": "yes"}, "embed_frames"),
    ],
)
def test_players_that_cannot_be(noise, arguments, word):
    with pytest.raises((TypeError, ValueError), match=word):
        sca.pl.animate_embedding(noise, color="noise").to_jshtml(**arguments)


def test_players_go_there_and_back(noise):
    noise.obsm["noise"] = np.random.default_rng(0).random((700, 4))
    film = sca.pl.animate_embedding(noise, color="noise", hold=0)
    there = film._footage.in_notebook(5)
    back = film._footage.in_notebook(5, [0, 1, 2, 3, 2, 1])
    assert len(there.durations) == 4
    assert len(back.durations) == 6
    frames = list(back.render(1.0))
    assert (frames[2] == frames[4]).all()
    assert film.to_jshtml(default_mode="reflect") != film.to_jshtml()


def test_our_writer_under_a_tight_bbox(tmp_path, figure):
    ax = figure.add_subplot()
    (line,) = ax.plot([0, 1], [0, 1])
    animation = FuncAnimation(figure, lambda i: [line.set_ydata([0, i])], frames=2)
    with mpl.rc_context({"savefig.bbox": "tight"}):
        animation.save(tmp_path / "film.gif", writer="scanpy_anim")
    assert (tmp_path / "film.gif").stat().st_size


@pytest.mark.parametrize(
    ("name", "value"),
    [("transparent", np.ones(3)), ("transparent", "no"), ("progress", 3), ("writer", {"a": 1})],
)
def test_switches_and_writers_of_a_file(noise, tmp_path, name, value):
    film = sca.pl.animate_embedding(noise, color="noise")
    with pytest.raises((TypeError, ValueError), match=name):
        film.save(tmp_path / "film.gif", **{name: value})
    assert not list(tmp_path.iterdir())


def test_frames_are_named_by_their_argument(noise):
    film = sca.pl.animate_embedding(noise, color="noise")
    with pytest.raises(TypeError, match="i: frame"):
        film.still(())
    with pytest.raises(IndexError, match="frames: frame 9"):
        film.filmstrip([9])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", np.ones(3)),
        ("metadata", np.ones(3)),
        ("loop", np.zeros(3)),
        ("filename", "page.gif"),
    ],
)
def test_what_a_page_is_asked_for(noise, tmp_path, monkeypatch, name, value):
    noise.obs["one"] = 1.0
    monkeypatch.chdir(tmp_path)
    film = sca.pl.animate_embedding(noise, color="one")
    with pytest.raises((TypeError, ValueError), match="interactive" if "file" in name else name):
        film.save(**{"filename": "page.html", name: value}, interactive=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("names", np.ones(3)),
        ("hover", pd.Timestamp(0)),
        ("names", 3),
        ("hover", np.ones((3, 2))),
        ("hover", [["louvain"]]),
        ("hover", np.array("louvain")),
        ("hover", sparse.csr_array(np.eye(3))),
    ],
)
def test_what_a_page_tells_of_cells(noise, name, value):
    noise.obs["one"] = 1.0
    film = sca.pl.animate_embedding(noise, color="one")
    with pytest.raises(TypeError, match=name):
        film.explore(**{name: value})


def test_a_pace_that_is_an_array(noise):
    with pytest.raises(ValueError, match="pace="):
        sca.pl.animate_embedding(noise, color="noise", pace=np.ones(3))


def test_colors_that_are_no_text(noise):
    """Bytes that are no letters are no color, either: scanpy's own stand in, as it says."""
    noise.uns["bulk_labels_colors"] = [b"\xdf"] * 10
    assert next(sca.pl.animate_embedding(noise, color="bulk_labels").frames(30)).ndim == 3
