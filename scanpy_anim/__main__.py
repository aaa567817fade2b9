"""The main job: a film of label propagation over 700 real blood cells.

`python -m scanpy_anim` writes it as gif, mp4 and web page, and says how to do the same in a
notebook.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanpy_anim.pl._animation import EmbeddingAnimation

NAME = "label_propagation"
SUFFIXES = ("gif", "mp4", "html")
PREPARE = """\
import scanpy as sc, scanpy_anim as sca
adata = sc.datasets.pbmc68k_reduced()
few = adata.obs.groupby("bulk_labels", observed=True).cumcount() < 3
adata.obs["cell_types"] = adata.obs["bulk_labels"].where(few)
"""
NOTEBOOK = """\
sca.tl.label_propagation(adata, ["GTAGCTGATTCCAT-4", "TCAATCACCCTTCG-8"], tol=1e-4)
sca.tl.label_propagation(adata, "cell_types", key_added="types", tol=1e-4)
sca.pl.animate_embedding(adata, color=["label_propagation", "types"], fps=5)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the main job and return its exit code."""
    chosen = _parser().parse_args(arguments)
    folder = Path(chosen.folder)
    files = [folder / f"{NAME}.{suffix}" for suffix in SUFFIXES]
    problem = _problem(folder, files, overwrite=chosen.overwrite)
    if problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    folder.mkdir(exist_ok=True)
    start = time.perf_counter()
    _say("700 real blood cells, bundled with scanpy: propagating from two seed cells,")
    _say("and from three cells of each of the ten cell types …")
    film = _film()
    for file in files:
        film.save(file, progress=False)
        _say(f"  {file.resolve()}  ({len(film)} frames, {file.stat().st_size / 1e6:.2f} MB)")
    _say(f"Done in {time.perf_counter() - start:.0f} s. The same in a notebook:\n")
    _say(f"{PREPARE}\n{NOTEBOOK}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scanpy_anim",
        description=(
            "Make a film of label propagation over the 700 blood cells that scanpy bundles, from "
            f"two seed cells and from the cell types: {NAME}.gif, .mp4 and .html. "
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
    place = folder if folder.exists() else folder.parent
    if not os.access(place, os.W_OK | os.X_OK):
        return f"you may not write into {str(place.resolve())!r}: name another folder."
    there = [f.name for f in files if f.exists()]
    if there and not overwrite:
        return (
            f"{', '.join(there)} in {str(folder)!r} would be replaced: "
            "add --overwrite, or name another folder."
        )
    return None


def _film() -> EmbeddingAnimation:
    """Run the lines that are shown to the user."""
    import scanpy as sc

    import scanpy_anim as sca

    names: dict[str, object] = {"sc": sc, "sca": sca}
    *calls, film = NOTEBOOK.splitlines()
    exec("\n".join([PREPARE, *calls]), names)
    return eval(film, names)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
