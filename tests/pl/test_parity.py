"""A one-frame film is the picture of the same `sc.pl.embedding` call, pixel by pixel."""

from __future__ import annotations

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from matplotlib.colors import LogNorm, Normalize, PowerNorm, TwoSlopeNorm

import scanpy_anim as sca

from .pictures import drawn_by_matplotlib, largest_difference

MEAN, SHARE, CLOSE = 0.6, 0.999, 8  # of 255; of the pixels

RISING = np.linspace(1, 200, 700)
THIRD = np.arange(700) % 3 == 0


@pytest.fixture(autouse=True)
def _pyplot_is_left_empty():
    yield
    plt.close("all")


@pytest.fixture
def cells(pbmc):
    """Blood cells with columns of every kind, a second graph and a layer."""
    pbmc.obs["holes"] = pbmc.obs["bulk_labels"].where(np.arange(700) % 4 > 0)
    pbmc.obs["some_counts"] = pbmc.obs["n_counts"].astype(float).where(np.arange(700) % 5 > 0)
    pbmc.obs["some_infinite"] = pbmc.obs["n_counts"].where(np.arange(700) % 5 > 0, np.inf)
    pbmc.obs["unused"] = pbmc.obs["phase"].cat.add_categories(["never"])
    pbmc.obs["numbered"] = pd.Categorical(np.arange(700) % 3)
    pbmc.obs["constant"] = 2.0
    pbmc.obsm["X_holes"] = np.where(THIRD[:, None], np.nan, pbmc.obsm["X_umap"])
    pbmc.obs["is_b"] = pbmc.obs["bulk_labels"] == "CD19+ B"
    pbmc.obs["third"] = THIRD
    pbmc.obs["words"] = pbmc.obs["phase"].astype(str)
    pbmc.var["symbol"] = [f"s-{name}" for name in pbmc.var_names]
    pbmc.layers["doubled"] = pbmc.X * 2
    graph = pbmc.obsp["connectivities"]
    pbmc.obsp["fewer"] = graph.multiply(graph > 0.5).tocsr()
    pbmc.uns["five"] = {
        **pbmc.uns["neighbors"],
        "connectivities_key": "fewer",
        "distances_key": "distances",
    }
    return pbmc


def expect_the_same(adata, basis="umap", **arguments):
    """Hold the only frame of a film against scanpy's picture; the film may be wider."""
    axes = sc.pl.embedding(adata.copy(), basis, show=False, **arguments)
    still = (axes[0] if isinstance(axes, list) else axes).figure
    plt.close(still)
    reference, before = drawn_by_matplotlib(still), plt.get_fignums()
    (frame,) = sca.pl.animate_embedding(adata, basis, scale="linear", **arguments).frames()
    assert plt.get_fignums() == before
    assert_same(frame, reference)


def assert_same(frame, reference):
    """Hold a film's frame, which may be wider, against a picture."""
    height, width = reference.shape[:2]
    places = itertools.product(
        {0, frame.shape[0] - height}, range(min(frame.shape[1] - width, 40) + 1)
    )

    def apart(place, step=1):
        y, x = place
        part = frame[y : y + height, x : x + width]
        return largest_difference(part[::step, ::step], reference[::step, ::step])

    off = apart(min(places, key=lambda place: apart(place, 7).mean()))
    assert off.mean() <= MEAN
    assert np.mean(off <= CLOSE) >= SHARE


CASES = [
    # where
    {"basis": "pca", "color": "n_counts", "components": "2,3"},
    {"basis": "pca", "color": "n_counts", "components": ["1,2", "2,3"]},
    {"basis": "umap", "color": "louvain", "components": "all"},
    {"basis": "pca", "color": "louvain", "dimensions": (2, 3)},
    {"color": "n_counts", "dimensions": (1, 0)},
    {"basis": "pca", "color": "louvain", "dimensions": [(0, 1), (1, 2), (2, 3)], "ncols": 2},
    {"basis": "X_umap", "color": "louvain"},
    # which cells
    {"color": "bulk_labels", "groups": ["Dendritic", "CD34+"], "size": 60},
    {"color": "bulk_labels", "groups": "Dendritic"},
    {"color": "bulk_labels", "groups": ["Dendritic"], "na_in_legend": False},
    {"color": "n_counts", "mask_obs": THIRD, "na_color": "pink"},
    {"color": "louvain", "mask_obs": "third"},
    {"color": "holes"},
    {"color": "holes", "na_color": "red", "sort_order": False},
    {"color": "holes", "na_in_legend": False},
    {"color": "some_counts", "na_color": (1, 0, 0, 0.3)},
    {"color": "some_counts", "vmin": "p10"},
    {"color": "some_infinite", "sort_order": False},
    {"basis": "holes", "color": "louvain"},
    {"basis": "holes", "color": "n_counts"},
    {"color": "holes", "na_color": (1, 0, 0, 0.3), "alpha": 0.5},
    {"color": "some_counts", "na_color": (1, 0, 0, 0.3), "alpha": 0.5},
    {"color": "holes", "mask_obs": THIRD},
    {"color": "n_counts", "mask_obs": THIRD, "vmax": "p90"},
    # what
    {"color": "is_b"},
    {"color": "unused"},
    {"color": "numbered"},
    {"color": "constant"},
    {"color": "words", "palette": "tab10"},
    {"color": "LYZ", "layer": "doubled"},
    {"color": "LYZ", "use_raw": False, "vmin": -0.5, "colorbar_loc": "bottom"},
    {"color": "s-LYZ", "gene_symbols": "symbol", "use_raw": False},
    {"color": "s-LYZ", "gene_symbols": "symbol", "title": "LYZ"},
    # markers
    {"color": "louvain", "size": 7},
    {"color": "louvain", "s": 30},
    {"color": "n_counts", "size": RISING},
    {"color": "louvain", "size": list(RISING)},
    {
        "color": "n_counts",
        "size": np.random.default_rng(0).permutation(np.resize(RISING[:300], 700)),
    },
    {"color": "n_counts", "marker": "s", "edgecolor": "black", "linewidth": 0.5, "size": 40},
    {"color": "louvain", "marker": "^", "size": 50},
    {"color": "louvain", "alpha": 0.3, "size": 300},
    {"color": "n_counts", "alpha": RISING / 200, "sort_order": False},
    # colors
    {"color": "louvain", "palette": "Set2", "na_color": "red", "legend_loc": None},
    {"color": "phase", "palette": ["red", "green", "blue"]},
    {"color": "phase", "palette": {"G1": "red", "S": "blue", "G2M": "k"}},
    {"color": "phase", "palette": mpl.cycler(color=["r", "g", "b"])},
    {"color": "n_counts", "cmap": mpl.colormaps["viridis"].resampled(7)},
    {"color": "n_counts", "color_map": "Reds"},
    {"color": "n_counts", "cmap": "magma", "vmax": "p95"},
    {"color": "n_counts", "vmin": 1000, "vmax": 3000},
    {
        "color": "LYZ",
        "vmin": lambda v: float(np.percentile(v, 20)),
        "vmax": lambda v: float(v.mean()),
    },
    {"color": "LYZ", "vmin": [0.2], "vmax": ["p90"]},
    {"color": "LYZ", "vcenter": 1.0, "cmap": "RdBu_r"},
    {"color": "LYZ", "vmin": -1, "vcenter": "p60", "vmax": 3, "cmap": "RdBu_r"},
    {"color": "n_counts", "norm": Normalize(500, 4000)},
    {"color": "n_counts", "norm": LogNorm()},
    {"color": "n_counts", "norm": PowerNorm(0.5)},
    {"color": "n_counts", "norm": TwoSlopeNorm(3000), "cmap": "RdBu_r"},
    # around
    {"color": "louvain", "frameon": True},
    {"color": "n_genes", "frameon": False, "size": 300, "alpha": 0.3, "sort_order": False},
    {"color": "louvain", "legend_loc": "on data", "legend_fontoutline": 2},
    {
        "color": "louvain",
        "legend_loc": "on data",
        "legend_fontsize": 15,
        "legend_fontweight": "normal",
    },
    {"color": "louvain", "legend_loc": "upper left"},
    {"color": "louvain", "legend_loc": "best"},
    {"color": "louvain", "legend_loc": "none"},
    {"color": "louvain", "legend_fontoutline": 3},
    {"color": "holes", "legend_loc": "on data", "na_in_legend": False},
    {"color": "bulk_labels", "legend_fontsize": "xx-small", "legend_fontweight": "bold"},
    {"color": "n_counts", "colorbar_loc": "left"},
    {"color": "n_counts", "colorbar_loc": "top"},
    {"color": "n_counts", "colorbar_loc": None},
    {"color": "n_counts", "title": "a title"},
    {"color": "louvain", "title": ["a title"]},
    {"color": "louvain", "title": ""},
    {"color": "phase", "add_outline": True, "title": "a title", "legend_fontsize": 7},
    {
        "color": "n_counts",
        "add_outline": True,
        "outline_width": (0.6, 0.1),
        "outline_color": ("red", "w"),
    },
    {"color": "bulk_labels", "add_outline": True, "groups": ["Dendritic", "CD34+"]},
    {"color": "louvain", "edges": True, "size": 10},
    {"color": "n_counts", "edges": True, "edges_width": 0.5, "edges_color": "red", "size": 10},
    {"color": "louvain", "edges": True, "neighbors_key": "five"},
]


def spelled(arguments) -> str:
    return "-".join(f"{k}={v}" if isinstance(v, str | int) else k for k, v in arguments.items())


@pytest.mark.parametrize("arguments", CASES, ids=spelled)
def test_one_frame_is_the_picture_of_the_same_call(cells, arguments):
    expect_the_same(cells, **arguments)


STYLES = {
    "dpi": lambda: sc.set_figure_params(dpi=130),
    "not scanpy's": lambda: sc.set_figure_params(scanpy=False, dpi=70, figsize=(5, 3)),
    "facecolor": lambda: sc.set_figure_params(facecolor="#ddeeff", dpi=90),
    "transparent": lambda: sc.set_figure_params(transparent=True),
    "frameless": lambda: sc.set_figure_params(frameon=False, dpi=80),
    "fonts": lambda: sc.set_figure_params(fontsize=9, color_map="magma"),
    "dark": lambda: plt.style.use("dark_background"),
    "ggplot": lambda: plt.style.use("ggplot"),
    "small": lambda: mpl.rcParams.update({"figure.figsize": (3, 2), "font.size": 7}),
    "constrained": lambda: mpl.rcParams.update({"figure.constrained_layout.use": True}),
    "tight": lambda: mpl.rcParams.update({"figure.autolayout": True}),
}


@pytest.fixture(params=STYLES)
def style(request):
    """Style of the figures, as it was again afterwards."""
    with mpl.rc_context():
        STYLES[request.param]()
        yield request.param
    sc.set_figure_params(scanpy=False, frameon=True)
    mpl.rcdefaults()


@pytest.mark.parametrize(
    "arguments",
    [
        {"color": "some_counts"},
        {"color": "holes"},
        {"color": "louvain", "legend_loc": "on data", "add_outline": True},
    ],
    ids=spelled,
)
def test_in_every_style(cells, style, arguments):
    expect_the_same(cells, **arguments)


def test_in_axes_of_the_callers(cells):
    frames = []
    for draw in (sc.pl.embedding, sca.pl.animate_embedding):
        figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3), dpi=100)
        left.plot([0, 1])
        how = {"show": False} if draw is sc.pl.embedding else {"scale": "linear"}
        film = draw(cells, "umap", color="n_counts", ax=right, **how)
        frames.append(
            drawn_by_matplotlib(figure)
            if film is None or how.get("show") is False
            else next(film.frames())
        )
        plt.close(figure)
    theirs, ours = frames
    assert_same(ours, theirs)


@pytest.mark.parametrize("spelled", [pd.Index, np.array, tuple, pd.Series])
def test_groups_in_every_spelling(cells, spelled):
    names = ["Dendritic", "CD34+"]
    film = sca.pl.animate_embedding(cells, color="bulk_labels", groups=spelled(names))
    (frame,), plain = film.frames(dpi=50), {"color": "bulk_labels", "groups": names}
    (expected,) = sca.pl.animate_embedding(cells, **plain).frames(dpi=50)
    np.testing.assert_array_equal(frame, expected)


def test_opacities_stay_with_their_cells_when_the_highest_go_on_top(cells):
    """scanpy sorts values and sizes but not opacities; sorted by hand it draws the same."""
    values, alpha = cells.obs["n_counts"].to_numpy(), RISING / 200
    order = np.argsort(-values, kind="stable")[::-1]
    still = sc.pl.embedding(
        cells[order].copy(),
        "umap",
        color="n_counts",
        alpha=alpha[order],
        sort_order=False,
        show=False,
    ).figure
    plt.close(still)
    film = sca.pl.animate_embedding(cells, color="n_counts", alpha=alpha, scale="linear")
    assert_same(next(film.frames()), drawn_by_matplotlib(still))
