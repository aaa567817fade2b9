"""Takes over what `sc.pl.embedding` draws."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
from anndata import AnnData

import scanpy_anim as sca
from scanpy_anim.raster import FrameStyle, PointLayer, color_bytes, color_table, value_levels

from .scatters import mean_and_outliers, pixels

# scanpy's own calls
pytestmark = pytest.mark.filterwarnings(
    "ignore:The set_bad function:PendingDeprecationWarning",
    "ignore:No data for colormapping:UserWarning",
    "ignore:The 'mode.chained_assignment' option",
)


def style_of(scatter):
    """What a scatter shows, by values and a color map or by a color a cell."""
    if scatter.get_array() is not None:
        levels = value_levels(scatter.get_array(), scatter.norm, scatter.cmap.N)
        return FrameStyle(levels, color_table(scatter.cmap))
    colors, levels = np.unique(scatter.get_facecolor(), axis=0, return_inverse=True)
    if scatter.get_alpha() is not None:  # the layer's own, a factor
        colors[:, 3] = 1.0
    return FrameStyle(levels.ravel().astype(np.uint8), color_bytes(colors))  # numpy 2.0: a column


@pytest.mark.parametrize(
    "kwargs",
    [
        {"color": "CD3D", "use_raw": False},
        {"color": "n_genes", "vmin": "p5", "vmax": "p90", "cmap": "RdBu_r"},
        {"color": "bulk_labels", "size": 40, "alpha": 0.6},
        {"color": "louvain", "groups": ["1", "3"], "na_color": "#eeeeee", "marker": "s"},
        {"color": "phase", "edgecolor": "k", "linewidth": 0.4, "size": 60},
    ],
    ids=lambda kwargs: kwargs["color"],
)
def test_the_cloud_of_an_embedding(pbmc, kwargs):
    fig = sc.pl.embedding(pbmc, "umap", show=False, return_fig=True, **kwargs)
    try:
        clouds = [c for ax in fig.axes for c in ax.collections if len(c.get_offsets()) > 1]
        assert clouds
        theirs = pixels(fig)
        for cloud in clouds:
            axes = cloud.axes
            layer = PointLayer(cloud)
            style = style_of(cloud)
            cloud.remove()
            axes.add_artist(layer.artist(style))
        mean, share = mean_and_outliers(theirs, pixels(fig))
        assert mean <= 0.2
        assert share <= 0.001
    finally:
        plt.close(fig)


def test_a_frame_in_its_own_order_is_scanpys_still(embedding):
    """Black edges show every pair of cells that lies in another order than scanpy's."""
    rng = np.random.default_rng(0)
    n = 20_000
    values = rng.normal(size=n).astype(np.float32)
    values[rng.random(n) < 0.2] = np.nan
    adata = AnnData(obs=pd.DataFrame({"v": values}, index=np.arange(n).astype(str)))
    adata.obsm["X_umap"] = embedding[rng.integers(len(embedding), size=n)] + rng.normal(size=(n, 2))
    style = {"color": ["v"], "size": 30, "edgecolor": "k", "linewidth": 0.5}
    film = sca.pl.animate_embedding(
        adata, sort_order="frame", scale="linear", frame_title=None, progress=False, **style
    )
    (ours,) = film.frames(dpi=100)
    fig = sc.pl.embedding(adata, "umap", show=False, return_fig=True, title="", **style)
    try:
        fig.set_dpi(100)
        theirs = pixels(fig)[..., :3]
    finally:
        plt.close(fig)
    apart = np.abs(theirs.astype(int) - ours).max(axis=-1)
    assert (theirs.min(axis=-1) < 60).mean() > 0.05
    assert apart.mean() <= 0.5
    assert np.quantile(apart, 0.999) <= 8
