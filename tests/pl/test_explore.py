"""Pages that hold the scores show what the film shows, and refuse what they cannot."""

from __future__ import annotations

from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
import scanpy as sc

import scanpy_anim as sca
from scanpy_anim.pl import Explorer
from tests.explorer.decoder import Page


@pytest.fixture(scope="module")
def cells():
    adata = sc.datasets.pbmc68k_reduced()
    few = adata.obs.groupby("bulk_labels", observed=True).cumcount() < 3
    adata.obs["some"] = adata.obs["bulk_labels"].where(few)
    sca.tl.label_propagation(adata, [0, 1])
    sca.tl.label_propagation(adata, "some", key_added="types")
    adata.obs["half"] = np.where(np.arange(700) % 2, np.nan, adata.obs["n_genes"])
    adata.obs["number"] = [str(i) for i in range(700)]
    adata.obs["percent"] = np.where(np.arange(700) % 3, np.nan, 1.1 * adata.obs["n_genes"])
    return adata


def difference(film, page, clip=0, panel=0):
    """Largest difference of each cell's color from the film's, in frames and between them."""
    coloring, timeline = film.clips[clip].colorings[panel], film.clips[clip].timeline
    order = np.array([int(name) for name in page.names()])
    key, between = [0.0], [0.0]
    for k, numbers in enumerate(film.schedule):
        moment = timeline.moments[numbers[clip]]
        wanted = coloring.colors(moment, 1)[order].astype(float)
        off = np.quantile(np.abs(page.rgb(k) - wanted).max(axis=1), 0.999)
        (between if moment.weight else key).append(off)
    return max(key), max(between)


@pytest.mark.parametrize(
    ("how", "most"),
    [
        ({}, 5),
        ({"tween": 3}, 10),
        ({"tween": 2, "reverse": True, "bounce": True}, 10),
        ({"scale": "linear"}, 4),
        ({"scale": "log", "tween": 1}, 6),
        ({"scale": "linear", "vmin": 0.001, "vmax": 0.01, "cmap": "coolwarm"}, 8),
        ({"scale": "linear", "per_frame": True}, 6),
        ({"scale": np.sqrt}, 6),
        ({"sort_order": False}, 5),
        ({"color": "types"}, 5),
        ({"color": "types", "tween": 2}, 5),
        ({"color": "types", "confidence": False}, 0.5),
        ({"color": "types", "groups": ["Dendritic", "CD34+"]}, 5),
        ({"color": "types", "classes": "Dendritic"}, 5),
        ({"color": ["louvain", "bulk_labels"], "tween": 1}, 1),
        ({"color": ["half", "percent"], "tween": 2}, 6),
        ({"color": "n_genes", "groupby": "phase"}, 6),
        ({"color": "CD3D", "mask_obs": np.arange(700) < 300}, 4),
    ],
)
def test_a_page_has_the_colors_of_the_film(cells, how, most):
    film = sca.pl.animate_embedding(cells, **{"color": "label_propagation", **how})
    page = Page(film.explore(names="number").to_html())
    key, between = difference(film, page)
    assert key <= most
    assert between <= max(12, most)
    assert len(page.header["moments"]) == len(film)
    seconds = [moment[3] for moment in page.header["moments"]]
    np.testing.assert_allclose(seconds, film.timeline.seconds(), atol=1e-4)


def test_order_rings_and_view_are_the_films(cells):
    film = sca.pl.animate_embedding(cells, color="types")
    page = Page(film.explore().to_html())
    seeds = film.clips[0].stage.panels[0].source.seeds.positions
    names = np.array(page.names())
    assert page.header["top"] == len(seeds)
    assert set(names[-len(seeds) :]) == set(cells.obs_names[seeds])
    (ring,) = page.header["rings"]
    assert set(names[ring["cells"]]) == set(cells.obs_names[seeds])
    kinds = cells.obs["some"].loc[names[ring["cells"]]]
    assert [page.header["categories"][c - 1] for c in ring["codes"]] == list(kinds)
    ax, view = film.clips[0].stage.panels[0].ax, page.header["view"]
    assert (view["x"], view["y"]) == (list(ax.get_xlim()), list(ax.get_ylim()))
    box = ax.get_window_extent()
    assert (view["width"], view["height"]) == pytest.approx((box.width, box.height))
    size = film.clips[0].stage.panels[0].cloud.get_sizes()[0]
    assert view["radius"] == pytest.approx(np.sqrt(size) / 4 * film.figure.dpi / 72)
    filled = [codes := page.codes(k) for k in range(page.n_planes)]
    assert len(filled) == page.n_planes
    assert (codes[-len(seeds) :] > 0).all()


@pytest.mark.parametrize("color", ["label_propagation", "types", "louvain"])
def test_a_morph_is_where_the_film_is_at_all_times(cells, color):
    adata = cells.copy()
    adata.obsm["X_pca"][:7] = np.nan
    film = sca.pl.animate_embedding(adata, basis=["umap", "pca"], color=color, tween=2)
    page = Page(film.explore(names="number").to_html())
    key, between = difference(film, page)
    assert key <= 5
    assert between <= 12
    (clip,) = film.clips
    order = np.array([int(name) for name in page.names()])
    assert sorted(order) == list(range(700))
    for k, (number,) in enumerate(film.schedule):
        wanted = clip.stage.motion.at(clip.time(number))[order]
        off = np.abs(page.places(k) - wanted)
        assert (np.isnan(off) == np.isnan(wanted)).all()
        assert np.nanmax(off) <= 0.51 * page.header["xy"]["step"]
    layer = clip.stage.panels[0].order
    if layer is not None:  # cells in the film's own order, whoever comes to overlap
        key = np.nan_to_num(np.asarray(layer.sort_key, float), nan=-np.inf)[order]
        assert (np.diff(key[: 700 - page.header["top"]]) >= 0).all()


@pytest.mark.parametrize("color", ["label_propagation", "louvain"])
def test_a_turn_is_where_the_film_is_at_all_times(cells, color):
    adata = cells.copy()
    adata.obsm["X_pca"][:7, 2] = np.nan
    film = sca.pl.animate_embedding(
        adata, basis="pca", projection="3d", color=color, every=9, rotate=200
    )
    page = Page(film.explore(names="number").to_html())
    assert max(difference(film, page)) <= 5
    (clip,) = film.clips
    order = np.array([int(name) for name in page.names()])
    assert list(order) == list(range(7, 700))
    assert page.header["top"] == 0
    assert not any(told["resort"] for told in page.header["planes"])
    for k, (number,) in enumerate(film.schedule):
        motion, time = clip.stage.motion, clip.time(number)
        wanted = np.column_stack([motion.at(time), motion.depth(time)])[order]
        assert np.abs(page.places(k) - wanted).max() <= 1.5 * page.header["xy"]["step"]


def test_several_panels_show_the_same_cells(cells):
    film = sca.pl.animate_embedding(cells, color=["label_propagation", "types"], tween=1)
    html = film.explore(names="number", hover="n_genes").to_html()
    pages = [Page(html, k) for k in range(2)]
    assert len(pages[0].several) == 2
    places = cells.obsm["X_umap"]
    for k, page in enumerate(pages):
        key, between = difference(film, page, panel=k)
        assert key <= 5
        assert between <= 12
        order = [int(name) for name in page.names()]
        assert sorted(order) == list(range(700))
        off = np.abs(page.positions() - places[order]).max()
        assert off <= 0.51 * pages[0].header["xy"]["step"]
        seeds = film.clips[0].stage.panels[k].source.seeds
        ringed = [order[c] for ring in page.header["rings"] for c in ring["cells"]]
        assert set(ringed) == set(() if seeds is None else seeds.positions.tolist())
    assert [page.header["name"] for page in pages] == ["label_propagation", "types"]
    assert pages[1].header["follows"] == 0
    assert not {"1-xy", "1-names", "1-hover-0"} & set(pages[0].parts)
    assert pages[0].hover(0) == cells.obs["n_genes"].iloc[list(map(int, pages[0].names()))].tolist()


def test_panels_of_other_embeddings_cells_and_lengths(cells):
    half = cells[::2].copy()
    films = [
        sca.pl.animate_embedding(cells, color="types"),
        sca.pl.animate_embedding(cells, color="CD3D", basis="pca"),
        sca.pl.animate_embedding(half, color="louvain", basis=["umap", "pca"], tween=3),
    ]
    film = sca.pl.side_by_side(films)
    html = film.explore(names="number").to_html()
    for c, n in enumerate((700, 700, 350)):
        page = Page(html, c)
        key, between = difference(film, page, clip=c) if n == 700 else (0, 0)
        assert key <= 5
        assert between <= 12
        assert page.n == n
        assert len(page.header["moments"]) == len(film)
        order = np.array([int(name) for name in page.names()])
        stage = film.clips[c].stage
        if stage.motion is None:
            key = "X_pca" if c else "X_umap"
            wanted = cells.obsm[key][order][:, :2]
            assert np.abs(page.positions() - wanted).max() <= 0.51 * page.header["xy"]["step"]
        else:
            assert (np.array(half.obs["number"].astype(int))[order // 2] == order).all()
            wanted = stage.motion.at(1)[order // 2]
            last = page.places(len(film) - 1)
            assert np.abs(last - wanted).max() <= 0.51 * page.header["xy"]["step"]
    assert "follows" not in Page(html, 1).header  # the same cells elsewhere
    assert Page(html, 1).header["like"] == 0
    assert Page(html, 2).like is None


def test_missing_cells_that_lie_above_others_are_told(cells):
    film = sca.pl.animate_embedding(cells, color=["half", "percent"])
    page = Page(film.explore().to_html())
    for k, told in enumerate(page.header["planes"]):
        missing = page.missing(k)
        first = np.flatnonzero(~missing)[0]
        assert told["resort"] == int(missing[first:].any())
    assert any(told["resort"] for told in page.header["planes"])


def test_names_and_columns(cells):
    film = sca.pl.animate_embedding(cells, color="CD3D")
    hover = ["n_genes", "louvain", "phase", "half"]
    page = Page(film.explore(hover=hover).to_html())
    told = cells.obs.loc[page.names()]
    assert page.header["names"]["kind"] == "barcodes"
    assert page.hover(0) == told["n_genes"].tolist()
    assert page.hover(1) == told["louvain"].tolist()
    assert page.hover(2) == told["phase"].tolist()
    np.testing.assert_allclose(page.hover(3), told["half"])
    named = Page(film.explore(names="bulk_labels").to_html())
    assert named.names() == told["bulk_labels"].tolist()
    assert named.header["namesTitle"] == "bulk_labels"
    assert Page(film.explore(names=None).to_html()).header["names"] is None


def test_names_that_take_too_much_are_left_out_with_a_sentence(cells, monkeypatch):
    warned = []
    monkeypatch.setattr(sc.logging, "warning", warned.append)
    monkeypatch.setattr(sca.explorer, "MOST_NAMES", 1000)
    film = sca.pl.animate_embedding(cells, color="CD3D")
    page = Page(film.explore().to_html())
    assert page.header["names"] is None
    assert "names=True" in page.header["namesNote"]
    assert warned == [page.header["namesNote"]]
    assert len(Page(film.explore(names=True).to_html()).names()) == 700


def strange(n=30, **obs):
    adata = sc.AnnData(np.zeros((n, 1), np.float32))
    adata.obsm["X_umap"] = np.random.default_rng(0).normal(size=(n, 2))
    for name, column in obs.items():
        adata.obs[name] = column
    return adata


@pytest.mark.parametrize("sort_order", [True, False])
def test_bad_input(sort_order):
    nan = strange(a=np.nan, b=1.0, c=np.inf)
    nan.obsm["X_umap"][:5] = np.nan
    for color in ("a", "b", "c", ["a", "b"], ["b", "a"]):
        film = sca.pl.animate_embedding(nan, color=color, sort_order=sort_order)
        page = Page(film.explore().to_html())
        assert page.n == 25
        page.rgb(0)
    gone = strange(b=np.arange(30.0))
    gone.obsm["X_umap"][:] = np.nan
    one = strange(1, b=3.0)
    for adata, n in ((gone, 0), (one, 1)):
        film = sca.pl.animate_embedding(adata, color="b", sort_order=sort_order)
        page = Page(film.explore(hover="b").to_html())
        assert page.n == n
        assert len(page.names()) == n


def test_all_categories_missing_and_many_categories():
    none = strange(a=pd.Categorical([None] * 30, categories=["x"]))
    page = Page(sca.pl.animate_embedding(none, color="a").explore().to_html())
    assert not page.codes(0).any()
    names = [f"type {i}" for i in range(300)]
    many = strange(600, a=pd.Categorical(np.repeat(names, 2), categories=names))
    film = sca.pl.animate_embedding(many, color="a")
    page = Page(film.explore(names="a").to_html())
    assert page.header["wide"] == 1
    assert [page.header["categories"][c - 1] for c in page.codes(0)] == page.names()


def test_duplicated_and_hostile_names():
    adata = strange(3, a=[1.0, 2.0, 3.0], b=["</script>", "\u2028", "<!--"])
    adata.obs_names = ["</script><b>", "twice\n", "twice\n"]
    film = sca.pl.animate_embedding(adata, color="a", cmap="magma")
    page = Page(film.explore(hover="b").to_html())
    assert sorted(page.names()) == sorted(adata.obs_names)
    assert sorted(page.hover(0)) == sorted(adata.obs["b"])


def test_saved_whole_or_not_at_all(cells, tmp_path, monkeypatch):
    film = sca.pl.animate_embedding(cells, color="CD3D")
    path = tmp_path / "atlas.html"
    film.save(path, interactive=True, fps=3, loop=2, metadata={"title": "Mine", "artist": "<me>"})
    page = Page(path.read_text("utf-8"))
    assert page.header["loop"] == 2
    assert page.header["moments"][0][3] == pytest.approx(1, abs=0.7)
    assert '<meta name="artist" content="&lt;me&gt;">' in path.read_text("utf-8")
    before = path.read_bytes()
    film.explore().save(path)
    assert path.read_bytes() != before
    stream = BytesIO()
    film.save(stream, interactive=True, format="html")
    assert Page(stream.getvalue().decode()).n == 700

    kept = path.read_bytes()
    monkeypatch.setattr(type(path), "replace", _full)
    with pytest.raises(OSError, match="full"):
        film.save(path, interactive=True)
    assert path.read_bytes() == kept
    assert [f.name for f in tmp_path.iterdir()] == ["atlas.html"]


def _full(*_):
    raise OSError("the disk is full")


def test_what_a_page_cannot_do_is_refused_by_name(cells, tmp_path):
    def refused(match, **how):
        film = sca.pl.animate_embedding(cells, **{"color": "CD3D", **how})
        with pytest.raises(ValueError, match=match):
            film.explore()
        with pytest.raises(ValueError, match=match):
            film.save(tmp_path / "page.html", interactive=True)
        assert not list(tmp_path.iterdir())

    refused("edges=True", edges=True)
    refused("add_outline=True", add_outline=True)
    refused("marker='s'", marker="s")
    refused("several sizes", size=np.arange(700.0))

    film = sca.pl.animate_embedding(cells, color="CD3D")
    pictures = {"quality": 50, "max_bytes": "1MB", "transparent": True, "writer": "x"}
    for name, value in pictures.items():
        with pytest.raises((ValueError, TypeError), match=name):
            film.save(tmp_path / "page.html", interactive=True, **{name: value})
    with pytest.raises(ValueError, match=r"is \.html"):
        film.save(tmp_path / "film.mp4", interactive=True)
    with pytest.raises(TypeError, match="interactive"):
        film.save(tmp_path / "page.html", interactive="yes")
    with pytest.raises(KeyError, match="n_genes"):
        film.explore(hover="n_gene")
    with pytest.raises(KeyError, match="louvain"):
        film.explore(names="luvain")
    with pytest.raises(FileNotFoundError):
        film.save(tmp_path / "no" / "page.html", interactive=True)


def test_a_notebook_shows_the_page_in_a_frame_over_its_last_picture(cells):
    page = sca.pl.animate_embedding(cells, color="CD3D").explore()
    assert isinstance(page, Explorer)
    bundle = page._repr_mimebundle_()
    assert bundle["text/html"] == page._repr_html_()
    assert bundle["text/plain"].startswith("Explorer of 'CD3D on umap': 700 cells, 1 frame, ")
    kind = next(name for name in bundle if name.startswith("image/"))
    assert bundle[kind][:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0")
    found = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.append((tag, dict(attrs)))

    Tags().feed(bundle["text/html"])
    assert [tag for tag, _ in found] == ["div", "img", "iframe", "div"]
    frame = found[2][1]
    assert frame["srcdoc"] == page.to_html()
    assert frame["sandbox"].split() == ["allow-scripts", "allow-downloads"]


@pytest.mark.parametrize("tween", [1, 4])
@pytest.mark.parametrize("color", [["half", "percent"], ["n_genes", "half"]])
def test_moments_between_frames_with_other_missing_values(cells, color, tween):
    film = sca.pl.animate_embedding(cells, color=color, tween=tween, scale="rank")
    page = Page(film.explore(names="number").to_html())
    key, between = difference(film, page)
    assert key <= 6
    assert between <= 12
    for told in page.header["planes"]:
        assert told["edge"] == ("between" in told)
