"""Rings: around which cells, and what is seen within."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

import scanpy_anim as sca


def ringed(film) -> np.ndarray:
    """Coordinates of all rings on the stage: collections without a face."""
    ax = film.figure.axes[0]
    rings = [c for c in ax.collections if len(c.get_facecolor()) == 0]
    return np.concatenate([r.get_offsets() for r in rings]) if rings else np.empty((0, 2))


def color_at(film, position) -> np.ndarray:
    """Color of the pixel under a cell in the first frame."""
    frame = next(film.frames(dpi=200))
    figure = film.still(0)
    figure.set_dpi(200)
    x, y = figure.axes[0].transData.transform(position)
    return frame[len(frame) - 1 - int(y), int(x)]


@pytest.mark.parametrize("cell", [0, 120, 699])
def test_the_cell_within_a_ring_is_the_one_that_is_meant(pbmc, cell):
    alone = np.arange(pbmc.n_obs) == cell
    film = sca.pl.animate_embedding(
        pbmc, color=[alone], palette={"False": "lightgray", "True": "red"}, mark_cells=[cell]
    )
    seen = color_at(film, pbmc.obsm["X_umap"][cell])
    np.testing.assert_allclose(seen, np.multiply(to_rgb("red"), 255), atol=2)


def test_sort_order_false_leaves_the_order_of_the_data(pbmc):
    pbmc.obsm["X_umap"][1] = pbmc.obsm["X_umap"][0]
    film = sca.pl.animate_embedding(
        pbmc,
        color=[np.arange(pbmc.n_obs) == 0],
        palette={"False": "blue", "True": "red"},
        mark_cells=[0],
        sort_order=False,
    )
    seen = color_at(film, pbmc.obsm["X_umap"][0])
    np.testing.assert_allclose(seen, np.multiply(to_rgb("blue"), 255), atol=2)


def test_seeds_of_hidden_groups_are_not_ringed(propagated):
    record = propagated.uns["types"]
    names = np.asarray(record["classes"])[record["seeds"]["classes"]]
    film = sca.pl.animate_embedding(propagated, color="types", groups=["Dendritic", "CD34+"])
    meant = record["seeds"]["positions"][np.isin(names, ["Dendritic", "CD34+"])]
    np.testing.assert_allclose(ringed(film), propagated.obsm["X_umap"][meant])
    nobody = sca.pl.animate_embedding(propagated, color="label_propagation", mark_seeds=False)
    assert len(ringed(nobody)) == 0


def test_rings_are_under_labels_on_the_data(propagated):
    film = sca.pl.animate_embedding(propagated, color="types", legend_loc="on data")
    ax = film.figure.axes[0]
    rings = [c.get_zorder() for c in ax.collections if len(c.get_facecolor()) == 0]
    labels = [t.get_zorder() for t in ax.texts if t.get_text() in ("Dendritic", "CD34+")]
    assert rings
    assert labels
    assert max(rings) < min(labels)


def test_rings_of_a_filmstrip_are_as_small_as_its_cells(propagated):
    film = sca.pl.animate_embedding(propagated, color="types")
    strip = film.filmstrip([0])
    large, small = (
        next(c for c in figure.axes[0].collections if len(c.get_facecolor()) == 0)
        for figure in (film.figure, strip)
    )
    np.testing.assert_allclose(small.get_sizes(), large.get_sizes() / 4)
    np.testing.assert_allclose(small.get_linewidths(), np.array(large.get_linewidths()) / 2)
