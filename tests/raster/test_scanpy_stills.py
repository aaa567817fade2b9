"""Takes over what `sc.pl.embedding` draws."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import scanpy as sc

from scanpy_anim.raster import Look, PointLayer, color_bytes, color_table, value_levels

from .scatters import difference, pixels

# scanpy's own calls
pytestmark = pytest.mark.filterwarnings(
    "ignore:The set_bad function:PendingDeprecationWarning",
    "ignore:No data for colormapping:UserWarning",
    "ignore:The 'mode.chained_assignment' option",
)


def look_of(scatter):
    """What a scatter shows, by values and a colour map or by a colour a cell."""
    if scatter.get_array() is not None:
        levels = value_levels(scatter.get_array(), scatter.norm, scatter.cmap.N)
        return Look(levels, color_table(scatter.cmap))
    colors, levels = np.unique(scatter.get_facecolor(), axis=0, return_inverse=True)
    if scatter.get_alpha() is not None:  # the layer's own, a factor
        colors[:, 3] = 1.0
    return Look(levels.ravel().astype(np.uint8), color_bytes(colors))  # numpy 2.0: a column


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
def test_the_cloud_of_an_embedding(adata, kwargs):
    fig = sc.pl.embedding(adata, "umap", show=False, return_fig=True, **kwargs)
    try:
        clouds = [c for ax in fig.axes for c in ax.collections if len(c.get_offsets()) > 1]
        assert clouds
        theirs = pixels(fig)
        for cloud in clouds:
            axes = cloud.axes
            layer = PointLayer(cloud)
            look = look_of(cloud)
            cloud.remove()
            axes.add_artist(layer.artist(look))
        mean, share = difference(theirs, pixels(fig))
        assert mean <= 0.2
        assert share <= 0.001
    finally:
        plt.close(fig)
