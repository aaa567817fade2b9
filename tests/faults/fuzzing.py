# ruff: noqa: T201
"""Calls with strange arguments to everything that a user calls.

`python -m tests.faults.fuzzing 4000` prints every message that does not name its argument, comes
after work has begun, or leaves something changed; `python -m tests.faults.fuzzing 200 7 films`
makes 200 calls of one kind from seed 7.
"""

from __future__ import annotations

import inspect
import sys
import tempfile
import warnings
from collections import Counter
from contextlib import chdir, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import matplotlib.pyplot as plt
import numpy as np
import scanpy as sc
import scipy.sparse as sp

import scanpy_anim as sca
from scanpy_anim.video import Film, check, write

from .strange import Outcome, Work, try_calls, try_edited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from anndata import AnnData


def small_atlas() -> AnnData:
    """Sixty real cells with a stored propagation."""
    return _small_atlas().copy()


@cache
def _small_atlas() -> AnnData:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adata = sc.datasets.pbmc68k_reduced()[::12].copy()
        sc.pp.neighbors(adata, n_neighbors=8)
    sc.settings.verbosity = 0
    sca.tl.label_propagation(adata, [0, 1], max_iter=3)
    return adata


@contextmanager
def begun_with(work: Work, said: str) -> Iterator[None]:
    """Note that work begins with what is logged then."""
    inform = sc.logging.info

    def listen(message: str, *args: Any, **kwargs: Any) -> Any:
        if message.startswith(said):
            work.begins()
        return inform(message, *args, **kwargs)

    with mock.patch.object(sc.logging, "info", listen):
        yield


def arguments_of(function: Callable[..., Any], *but: str) -> list[str]:
    """Name what a function takes by name."""
    own = inspect.signature(function).parameters.values()
    return [p.name for p in own if p.kind != p.VAR_KEYWORD and p.name not in ("self", *but)]


def film_calls(n_calls: int, seed: int, folder: str = "") -> list[Outcome]:
    """Make films, and draw the first frame of those that are made."""
    adata, work = small_atlas(), Work()
    fuzzed = arguments_of(sca.pl.animate_embedding, "adata", "ax")
    fuzzed += ["size", "alpha", "cmap", "vmin", "vmax", "palette", "groups", "legend_loc", "title"]

    def call(**arguments: Any) -> None:
        try:
            film = sca.pl.animate_embedding(adata, **arguments)
            work.begins()
            next(film.frames(dpi=20))
        finally:
            plt.close("all")

    return try_calls(call, fuzzed, n_calls, seed, adata=adata, work=work)


def propagation_calls(n_calls: int, seed: int, folder: str = "") -> list[Outcome]:
    """Propagate labels over sixty cells."""
    adata, work = small_atlas(), Work()

    def call(**arguments: Any) -> None:
        sca.tl.label_propagation(
            adata, **{"seeds": "bulk_labels", "max_iter": 3, **arguments, "copy": True}
        )

    fuzzed = arguments_of(sca.tl.label_propagation, "adata", "copy")
    with begun_with(work, "propagating"):
        return try_calls(call, fuzzed, n_calls, seed, adata=adata, work=work)


def lazy_calls(n_calls: int, seed: int, folder: str = "") -> list[Outcome]:
    """Propagate labels over sixty cells whose graph stays in blocks of a Dask array."""
    import dask.array as da

    adata, work = small_atlas(), Work()
    graph = sp.csr_matrix(adata.obsp["connectivities"])
    adata.obsp["connectivities"] = da.from_array(graph, chunks=(20, graph.shape[1]), asarray=False)
    before = adata.copy()

    def call(**arguments: Any) -> None:
        edited = before.copy()
        sca.tl.label_propagation(
            edited, **{"seeds": "bulk_labels", "max_iter": 3, "alpha": 0.9, **arguments}
        )

    fuzzed = arguments_of(sca.tl.label_propagation, "adata", "copy")
    with begun_with(work, "propagating"):
        return try_calls(call, [*fuzzed, "history_store"], n_calls, seed, adata=before, work=work)


def array_calls(n_calls: int, seed: int, folder: str = "") -> list[Outcome]:
    """Propagate a signal over a graph, both arrays."""
    adata = small_atlas()
    graph = adata.obsp["connectivities"]
    usual = {"graph": graph, "signal": np.eye(adata.n_obs)[:, :2], "max_iter": 3}
    fuzzed = arguments_of(sca.tl.propagate)
    return try_calls(sca.tl.propagate, fuzzed, n_calls, seed, adata=adata, usual=usual)


def label_calls(n_calls: int, seed: int, folder: str = "") -> list[Outcome]:
    """Decide on labels of stored scores in strange ways."""
    adata = small_atlas()
    adata.obs["few"] = adata.obs["bulk_labels"].where(np.arange(adata.n_obs) % 3 > 0)
    sca.tl.label_propagation(adata, "few", key_added="types", max_iter=3)

    def call(**arguments: Any) -> None:
        edited = adata.copy()
        sca.tl.assign_labels(edited, **{"key": "types", **arguments})

    fuzzed = arguments_of(sca.tl.assign_labels, "adata")
    return try_calls(call, fuzzed, n_calls, seed, adata=adata)


def small_film(adata: AnnData) -> Any:
    """A film of three columns."""
    adata.obsm["steps"] = np.random.default_rng(0).random((adata.n_obs, 3))
    return sca.pl.animate_embedding(adata, color="steps", figsize=(3, 2.5))


def page_calls(n_calls: int, seed: int, folder: str) -> list[Outcome]:
    """Make pages that hold the scores, by both of their names."""
    adata = small_atlas()
    film = small_film(adata)
    target = Path(folder) / "page.html"
    explored = arguments_of(film.explore)
    saved = arguments_of(film.save, "interactive")

    def call(**arguments: Any) -> None:
        given = {name: value for name, value in arguments.items() if name in explored}
        if given:
            film.explore(**given).save(target)
        rest = {name: value for name, value in arguments.items() if name in saved}
        film.save(**{"filename": target, **rest}, interactive=True)

    return try_calls(call, [*explored, *saved], n_calls, seed, adata=adata)


def film_save_calls(n_calls: int, seed: int, folder: str) -> list[Outcome]:
    """Save a real film, and take frames, stills and strips of it."""
    adata, work = small_atlas(), Work()
    film = small_film(adata)

    def call(**arguments: Any) -> None:
        try:
            if "i" in arguments:
                film.still(arguments.pop("i"))
            strip = {k: arguments.pop(k) for k in ("frames", "n") if k in arguments}
            if strip:
                film.filmstrip(**strip)
            if "dpi" in arguments:
                next(film.frames(arguments["dpi"]))
            given = {"filename": Path(folder) / "film.gif", "dpi": 20, **arguments}
            film.save(**given)
        finally:
            plt.close("all")

    fuzzed = [*arguments_of(film.save), "i", "frames", "n"]
    with begun_with(work, "saving"):
        return try_calls(call, fuzzed, n_calls, seed, adata=adata, work=work)


def side_by_side_calls(n_calls: int, seed: int, folder: str = "") -> list[Outcome]:
    """Put films side by side."""
    adata = small_atlas()
    films = [small_film(adata), sca.pl.animate_embedding(adata, color="bulk_labels")]
    rng = np.random.default_rng(seed)

    def call(**arguments: Any) -> None:
        given = arguments.get("films")
        if "films" in arguments and rng.random() < 0.5:
            arguments["films"] = [films[0], given]
        try:
            sca.pl.side_by_side(**{"films": films, **arguments})
        finally:
            plt.close("all")

    return try_calls(call, ["films", "ncols", "figsize"], n_calls, seed, adata=adata)


def record_calls(n_calls: int, seed: int, folder: str = "") -> list[Outcome]:
    """Edit the record of a propagation by hand, then show it, decide anew, propagate anew."""
    adata = small_atlas()
    sca.tl.label_propagation(adata, "bulk_labels", key_added="types", max_iter=3)
    sca.tl.assign_labels(adata, key="types", calibrate=True, min_confidence=0.1)
    adata.obs["few"] = adata.obs["bulk_labels"].where(np.arange(adata.n_obs) % 3 > 0)
    sca.tl.label_propagation(
        adata, "few", key_added="codes", max_iter=3, history="labels", clamp="hard"
    )

    def film(key: str, **how: Any) -> Callable[[AnnData], None]:
        def show(edited: AnnData) -> None:
            try:
                next(sca.pl.animate_embedding(edited, color=key, **how).frames(dpi=20))
            finally:
                plt.close("all")

        return show

    work: dict[str, Callable[[AnnData], object]] = {
        "film": film("types"),
        "film of a class": film("types", classes="Dendritic"),
        "film of codes": film("codes"),
        "film of one class": film("label_propagation"),
        "film of whatever there is": lambda edited: film(None)(edited),  # type: ignore[arg-type]
        "labels": lambda edited: sca.tl.assign_labels(edited, key="types"),
        "labels of codes": lambda edited: sca.tl.assign_labels(edited, key="codes"),
        "calibrated": lambda edited: sca.tl.assign_labels(edited, key="types", calibrate=True),
        "again": lambda edited: sca.tl.label_propagation(
            edited, "bulk_labels", key_added="types", max_iter=2
        ),
    }
    places = [
        "uns/types",
        "uns/codes",
        "uns/label_propagation",
        "uns/types_colors",
        "obsm/types",
        "obsm/codes",
        "obsm/codes_confidence",
    ]
    return try_edited(places, work, adata, n_calls, seed)


def tissue_calls(n_calls: int, seed: int, folder: str = "") -> list[Outcome]:
    """Edit what is known of a tissue by hand, then show cells in it."""
    adata = small_atlas()
    rng = np.random.default_rng(0)
    adata.obsm["spatial"] = rng.random((adata.n_obs, 2)) * 100
    adata.uns["spatial"] = {
        "slide": {
            "images": {"hires": rng.random((40, 50, 3)), "lowres": rng.random((20, 25, 3))},
            "scalefactors": {
                "spot_diameter_fullres": 5.0,
                "tissue_hires_scalef": 0.5,
                "tissue_lowres_scalef": 0.25,
            },
            "metadata": {"chemistry": "none"},
        }
    }

    def film(**how: Any) -> Callable[[AnnData], None]:
        def show(edited: AnnData) -> None:
            try:
                film = sca.pl.animate_embedding(edited, **{"basis": "spatial", **how})
                next(film.frames(dpi=20))
            finally:
                plt.close("all")

        return show

    work = {
        "film": film(),
        "film over lowres": film(img_key="lowres"),
        "film of a library": film(library_id="slide"),
        "film without picture": film(img_key=None),
        "film of a way": film(basis=["umap", "spatial"]),
    }
    return try_edited(["uns/spatial", "obsm/spatial"], work, adata, n_calls, seed)


def save_calls(n_calls: int, seed: int, folder: str) -> list[Outcome]:
    """Save a film of three frames."""
    frames, work = np.zeros((3, 16, 24, 3), np.uint8), Work()

    def render(scale: float) -> Iterator[Any]:
        work.begins()
        yield from frames[:, : max(1, int(16 * scale))]

    film = Film(render, [0.5] * 3)
    checked = ["fps", "hold", "metadata"]
    written = ["filename", "format", "loop", "quality", "max_bytes", "target"]

    def call(filename: Any = str(Path(folder) / "film.gif"), **arguments: Any) -> None:
        check(filename, **arguments)
        write(film, filename, **{k: v for k, v in arguments.items() if k in written})

    return try_calls(call, [*checked, *written], n_calls, seed, work=work)


KINDS: dict[str, Callable[[int, int, str], list[Outcome]]] = {
    "films": film_calls,
    "propagations": propagation_calls,
    "lazy": lazy_calls,
    "arrays": array_calls,
    "labels": label_calls,
    "pages": page_calls,
    "film_saves": film_save_calls,
    "side_by_side": side_by_side_calls,
    "saves": save_calls,
    "records": record_calls,
    "tissues": tissue_calls,
}


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    n_calls, seed = (*numbers, *numbers)[:2]  # the same calls for the same number
    for name in [word for word in sys.argv[1:] if not word.isdigit()] or list(KINDS):
        # names without a folder go there
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            outcomes = KINDS[name](n_calls, seed, folder)
        bad = [o for o in outcomes if o.is_bad]
        failed = sum(o.error is not None for o in outcomes)
        print(f"{name}: seed {seed}, {len(outcomes)} calls, {failed} errors, {len(bad)} raw")
        kinds = Counter((type(o.error).__name__, str(o.error)[:60]) for o in bad)
        seen = set()
        for o in bad:
            kind = type(o.error).__name__, str(o.error)[:60]
            if kind not in seen:
                seen.add(kind)
                print(f"  {kinds[kind]} × {o}")


if __name__ == "__main__":
    main()
