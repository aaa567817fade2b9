"""Texts that fonts choke on, or that no figure has room for; and nothing where cells should be."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import scanpy_anim as sca

if TYPE_CHECKING:
    from pathlib import Path

    from anndata import AnnData

UNPRINTABLE = ["a\x00b", "a\x07\x1b[31mb", "a\ud800b", "a\ufffeb\x9f"]


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("where", ["frame_title", "title", "category", "on data", "column"])
@pytest.mark.parametrize("text", UNPRINTABLE, ids=["null", "control", "half a pair", "no letter"])
def test_what_no_file_can_say_is_left_out_of_pictures(
    pbmc: AnnData, tmp_path: Path, where: str, text: str
) -> None:
    how: dict[str, object] = {"color": ["CD3D", "LYZ"], "figsize": (5, 4)}
    if where in ("frame_title", "title"):
        how[where] = [text, "other"] if where == "frame_title" else text
    elif where == "column":
        pbmc.obs[text] = np.arange(pbmc.n_obs) / 3
        how["color"] = [text, "n_genes"]
    else:
        names = pbmc.obs["bulk_labels"].astype(str).str.replace("Dendritic", text)
        pbmc.obs["named"] = names.astype("category")
        how["color"] = "named"
        how["legend_loc"] = "on data" if where == "on data" else "right margin"
    film = sca.pl.animate_embedding(pbmc, **how)
    assert next(film.frames(30)).ndim == 3
    film.still(0).savefig(path := tmp_path / "still.svg")
    ET.parse(path)


@pytest.mark.parametrize("count", [10_001, 10**6])
@pytest.mark.parametrize("name", ["title", "frame_title"])
@pytest.mark.parametrize("several", [True, False])
def test_a_text_that_no_figure_has_room_for_is_named(
    pbmc: AnnData, name: str, several: bool, count: int
) -> None:
    """Drawing a megabyte took minutes, and then the figure was called too small."""
    long = "x" * count
    given = [long, "y"] if several and name == "frame_title" else [long] if several else long
    with pytest.raises(ValueError, match=rf"{name}.* has {count:,} letters; 10,000 at most"):
        sca.pl.animate_embedding(pbmc, color=["CD3D", "LYZ"], **{name: given})


@pytest.mark.parametrize("fps", [1001, 1e9])
def test_more_frames_a_second_than_any_format_has(pbmc: AnnData, fps: float) -> None:
    with pytest.raises(ValueError, match=r"fps=.*: 1,000 frames a second at most"):
        sca.pl.animate_embedding(pbmc, color=["CD3D", "LYZ"], fps=fps)


def test_a_selection_without_cells_is_said(propagated: AnnData) -> None:
    none = propagated[propagated.obs["bulk_labels"] == "Dendritik"]
    for work in (
        lambda: sca.pl.animate_embedding(none),
        lambda: sca.pl.animate_embedding(none, color="CD3D"),
        lambda: sca.tl.label_propagation(none, [0]),
        lambda: sca.tl.assign_labels(none, key="types", copy=True),
    ):
        with pytest.raises(ValueError, match="adata has no cells"):
            work()
    with pytest.raises(ValueError, match="graph has no nodes"):
        sca.tl.propagate(np.zeros((0, 0)), np.zeros((0, 2)))


def test_arrays_that_hold_several_values_a_cell_or_none(pbmc: AnnData) -> None:
    with pytest.raises(TypeError, match="seeds is a structured array"):
        sca.tl.label_propagation(pbmc, np.zeros(pbmc.n_obs, [("a", "f4"), ("b", "i4")]))
    film = sca.pl.animate_embedding(pbmc, color=["CD3D", "LYZ"])
    with pytest.raises(TypeError, match="frames="):
        film.filmstrip(np.array(1))
