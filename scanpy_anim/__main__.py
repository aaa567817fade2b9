"""The main job: a film of label propagation over 700 real blood cells.

`python -m scanpy_anim` writes it as gif, mp4 and web page, and a page that holds the scores; and it
says how to do the same in a notebook.
"""

from __future__ import annotations

import argparse
import inspect
import os
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import scanpy as sc

import scanpy_anim as sca

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

    from scanpy_anim.pl import EmbeddingAnimation, Explorer

_NAME = "label_propagation"
_SUFFIXES = ("gif", "mp4", "html")
_PAGE = "label_propagation_explore.html"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the main job and return its exit code."""
    chosen = _parser().parse_args(arguments)
    folder = Path(chosen.folder)
    files = [folder / f"{_NAME}.{suffix}" for suffix in _SUFFIXES]
    problem = _problem(folder, [*files, folder / _PAGE], overwrite=chosen.overwrite)
    if problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    folder.mkdir(exist_ok=True)
    start = time.perf_counter()
    _say("700 real blood cells, bundled with scanpy: propagating from two seed cells,")
    _say("and from three cells of each of the ten cell types …")
    adata = _cells()
    film = _film(adata)
    for file in files:
        film.save(file, progress=False)
        _say(f"  {file.resolve()}  ({len(film)} frames, {file.stat().st_size / 1e6:.2f} MB)")
    page = _page(adata)
    page.save(folder / _PAGE)
    _say(f"  {(folder / _PAGE).resolve()}  ({page})")
    _say(f"Done in {time.perf_counter() - start:.0f} s. The same in a notebook:\n")
    _say(f"{notebook()}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scanpy_anim",
        description=(
            "Make a film of label propagation over the 700 blood cells that scanpy bundles, from "
            f"two seed cells and from the cell types: {_NAME}.gif, .mp4 and .html, and "
            f"{_PAGE}, which plays the scores themselves. "
            "Needs no network."
        ),
    )
    parser.add_argument("folder", nargs="?", default=".", help="where to write (default: here)")
    parser.add_argument("--overwrite", action="store_true", help="replace films that are there")
    return parser


def _problem(folder: Path, files: Sequence[Path], *, overwrite: bool) -> str | None:
    """Say what keeps the films from being written, before any work is done."""
    if folder.exists() and not folder.is_dir():
        return f"folder {str(folder)!r} is a file; name a folder."
    if not folder.exists() and not folder.parent.is_dir():
        return f"folder {str(folder)!r}: {str(folder.parent)!r} does not exist; make it first."
    nearest = folder if folder.exists() else folder.parent
    if not os.access(nearest, os.W_OK | os.X_OK):
        return f"you may not write into {str(nearest.resolve())!r}: name another folder."
    there = [f.name for f in files if f.exists()]
    if there and not overwrite:
        return (
            f"{', '.join(there)} in {str(folder)!r} would be replaced: "
            "add --overwrite, or name another folder."
        )
    return None


def _cells() -> AnnData:
    """Propagate; what stands here, and in the next two functions, is what the user is shown."""
    adata = sc.datasets.pbmc68k_reduced()
    few = adata.obs.groupby("bulk_labels", observed=True).cumcount() < 3
    adata.obs["cell_types"] = adata.obs["bulk_labels"].where(few)

    sca.tl.label_propagation(adata, ["GTAGCTGATTCCAT-4", "TCAATCACCCTTCG-8"], tol=1e-4)
    sca.tl.label_propagation(adata, "cell_types", key_added="types", tol=1e-4)
    return adata


def _page(adata: AnnData) -> Explorer:
    """Make a page that holds the scores."""
    return sca.pl.animate_embedding(adata, color="types").explore(hover=["n_genes", "louvain"])


def _film(adata: AnnData) -> EmbeddingAnimation:
    """Make the film."""
    return sca.pl.animate_embedding(adata, color=["label_propagation", "types"], fps=5)


def notebook() -> str:
    """Spell the same film as one writes it in a notebook."""
    bodies = [inspect.getsource(part).splitlines()[2:] for part in (_cells, _page, _film)]
    cells, page, film = (textwrap.dedent("\n".join(lines)) for lines in bodies)
    page, film = (text.removeprefix("return ") for text in (page, film))
    made = f"{cells.removesuffix('return adata')}page = {page}\n{film}"
    return f"import scanpy as sc, scanpy_anim as sca\n{made}\n"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
