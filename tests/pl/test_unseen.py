"""Films in the cells of a notebook: which show themselves, and how often."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

_START = """
import scanpy as sc, scanpy_anim as sca
sc.settings.verbosity = 0
adata, genes, film = sc.datasets.pbmc68k_reduced(), ["CD3D", "LYZ"], None
class Box: pass
def draw(gene): return sca.pl.animate_embedding(adata, color=gene, figsize=(2, 2))
"""

#: What a cell holds, and how many films are under it.
_CELLS = {
    "draw('CD3D')": 1,
    "for gene in genes: draw(gene)": 2,
    "for gene in genes: film = draw(gene)": 2,
    "for gene in genes: draw(gene).show()": 2,
    "for gene in genes: draw(gene).save('film.gif')": 0,
    "for gene in genes: next(draw(gene).frames())": 0,
    "for gene in genes: draw(gene).still(0)": 0,
    "[draw(gene) for gene in genes]; print()": 2,
    "draw('CD3D'); film = draw('LYZ'); film": 2,
    "film = draw('CD3D')": 0,
    "films = [draw(gene) for gene in genes]": 0,
    "box = Box(); box.film = draw('CD3D')": 0,
    "draw('CD3D');": 0,
    "film": 1,
    "sca.pl.side_by_side([draw(gene) for gene in genes])": 1,
    "for _ in '12': sca.pl.animate_embedding(adata, panels=genes, figsize=(4, 2))": 2,
    "film = sca.pl.side_by_side([draw(gene) for gene in genes])": 0,
    "1": 0,
    "draw('CD3D'); 1 / 0": 1,
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Run each cell; return the data of what each showed."""
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in (_START, *_CELLS)]
    folder = str(tmp_path_factory.mktemp("notebook"))
    NotebookClient(
        notebook, timeout=600, allow_errors=True, resources={"metadata": {"path": folder}}
    ).execute()
    outputs = [cell.outputs for cell in notebook.cells[1:]]
    assert not any(o.output_type == "error" for o in notebook.cells[0].outputs)
    return dict(zip(_CELLS, outputs, strict=True))


@pytest.mark.parametrize("source", _CELLS)
def test_films_that_a_cell_throws_away_show_themselves(shown, source):
    outputs = shown[source]
    pages = [o for o in outputs if "text/html" in o.get("data", {})]
    assert len(pages) == _CELLS[source]
    assert all("image/png" in o["data"] for o in pages)
    assert len({o["data"]["image/png"] for o in pages}) == len(pages) or "panels" in source
    failed = [o.ename for o in outputs if o.output_type == "error"]
    assert failed == (["ZeroDivisionError"] if "1 / 0" in source else [])
    words = "".join(o.get("text", "") for o in outputs if o.get("name") == "stderr")
    assert "Traceback" not in words
