"""Pages that hold the scores, measured: `python benchmarks/explorer.py [cells] [film ...]`.

Bytes, processor time of the export, the player's pixels against `film.frames()` in node and in
Chromium, and its time a frame against that of the film. Cells are those of `propagation_atlas.py`
with a UMAP of their graph; more cells than these are drawn from them and jittered. Films: `type`
(scores of one of 44 types), `seeds` (scores from two cells), `labels` (all types). Needs node;
`NODE_PATH` with `playwright-core`, and Debian's `chromium`, for the browser.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData
from propagation_atlas import N_CELLS, atlas
from sklearn.cluster import MiniBatchKMeans

import scanpy_anim as sca
from scanpy_anim.raster import PointLayer
from tests.explorer.drawn import drawn

if TYPE_CHECKING:
    from collections.abc import Callable

N_FRAMES, N_TYPES, N_SEEDS = 19, 44, 20
CACHE = Path(tempfile.gettempdir()) / "scanpy_anim_explorer.npz"


def measured() -> dict[str, np.ndarray]:
    """Coordinates, scores and labels of the atlas; kept, as they take minutes."""
    if CACHE.exists():
        return dict(np.load(CACHE))
    adata = atlas()
    adata.uns["neighbors"]["params"] = {"method": "umap", "n_neighbors": 15, "use_rep": "X_pca"}
    adata.obsm["X_pca"] = np.zeros((adata.n_obs, 15), np.float32)
    small, kinds = sc.datasets.pbmc68k_reduced(), adata.obs["bulk_labels"].astype("category")
    centers = {
        k: small.obsm["X_umap"][small.obs["bulk_labels"] == k].mean(0) for k in kinds.cat.categories
    }
    jitter = np.random.default_rng(0).normal(scale=0.8, size=(adata.n_obs, 2))
    adata.obsm["X_start"] = np.array([centers[kind] for kind in kinds]) + jitter
    sc.tl.umap(adata, init_pos="X_start", maxiter=120)
    places = adata.obsm["X_umap"]
    types = MiniBatchKMeans(N_TYPES, random_state=0, n_init=1).fit_predict(places)
    adata.obs["types"] = pd.Categorical([f"type {t:02d}" for t in types])
    few = adata.obs.groupby("types", observed=True).cumcount() < N_SEEDS
    adata.obs["chosen"] = adata.obs["types"].where(few)
    sca.tl.label_propagation(adata, [0, 1], key_added="seeds", tol=1e-9)
    sca.tl.label_propagation(adata, "chosen", key_added="labels")
    found = {
        "places": places,
        "seeds": adata.obsm["seeds"][:, :N_FRAMES],
        "labels": adata.obsm["labels"],
    }
    np.savez(CACHE, **found)
    return found


def cells(n: int) -> AnnData:
    """So many cells with scores and labels in 19 frames, and barcodes."""
    found, rng = measured(), np.random.default_rng(1)
    drawn_from = np.arange(N_CELLS) if n == N_CELLS else rng.integers(N_CELLS, size=n)
    adata = AnnData(obs=pd.DataFrame(index=barcodes(n, rng)))
    places = found["places"][drawn_from]
    adata.obsm["X_umap"] = places + (rng.normal(scale=0.02, size=(n, 2)) if n != N_CELLS else 0)
    adata.obsm["seeds"] = found["seeds"][drawn_from]
    stored = found["labels"]
    if n > N_CELLS:  # 44 types of millions of cells in 19 frames take more than most machines have
        stored = stored[:, :, 3:4]
    last = stored.shape[1] - 1
    frames = []
    for at in np.linspace(0, last, N_FRAMES):
        first = min(int(at), last - 1)
        frames.append(stored[:, first] * (1 - at + first) + stored[:, first + 1] * (at - first))
    blended = np.stack(frames, 1).astype(np.float32)
    if n == N_CELLS:
        adata.obsm["labels"] = blended
        blended = blended[:, :, 3]
    adata.obsm["type"] = np.ascontiguousarray(blended.reshape(N_CELLS, N_FRAMES)[drawn_from])
    return adata


def barcodes(n: int, rng: np.random.Generator) -> list[str]:
    bases = np.array(list("ACGT"))[rng.integers(4, size=(n, 16))]
    return [f"{row}-{1 + i % 8}" for i, row in enumerate(bases.view("U16")[:, 0].tolist())]


def sizes(film: sca.pl.EmbeddingAnimation, names: str | bool | None) -> None:
    film.explore(names=names)  # compiled
    begin, cpu = time.perf_counter(), time.process_time()
    page = film.explore(names=names).to_html()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - begin
    header = json.loads(page.split('data-part="header">')[1].split("</script>")[0])
    raw = {name: letters * 3 / 4 / header["n"] for name, (letters, _) in header["parts"].items()}
    frames = sum(size for name, size in raw.items() if name.startswith("frame-"))
    told = {"frames": frames / N_FRAMES, "xy": raw["xy"], "names": raw.get("names", 0)}
    each = ", ".join(f"{name} {size:.3f}" for name, size in told.items())
    print(f"names={names}: {len(page) / 1e6:.2f} MB; bytes a cell: {each}")
    print(f"  export {cpu:.2f} s of processor time, {wall:.2f} s")


class Timed:
    """Times what the film takes to draw the cells of a frame."""

    def __enter__(self) -> list[float]:
        self.own, taken = PointLayer.draw, []

        def draw(layer: PointLayer, *given: object) -> None:
            begin = time.process_time()
            self.own(layer, *given)  # type: ignore[arg-type]
            taken.append((time.process_time() - begin) * 1000)

        PointLayer.draw = draw  # type: ignore[method-assign]
        return taken

    def __exit__(self, *_: object) -> None:
        PointLayer.draw = self.own  # type: ignore[method-assign]


def pictures(make: Callable[[], sca.pl.EmbeddingAnimation], rounds: int) -> None:
    """The player's pixels against the film's, and in turns what both take."""
    film = make()
    moments = list(range(0, len(film), 3))
    setups: list[float] = []
    own: list[float] = []
    for engine in [None, *filter(None, [shutil.which("chromium")])] * 2:
        with tempfile.TemporaryDirectory() as folder:
            shown, inside, told = drawn(film, moments, Path(folder), browser=engine, rounds=rounds)
        with Timed() as taken:
            frames = list(make().frames())
            setups.append(taken[0])
            own += taken[1:]
        off = [
            np.abs(frames[k][inside][..., :3].astype(int) - p)
            for k, p in zip(moments, shown, strict=True)
        ]
        mean = np.mean([o.mean() for o in off])
        within = min((o.max(axis=2) <= 8).mean() for o in off)
        print(f"{engine or 'node'}: mean difference {mean:.3f}, within 8 {within:.3%} (worst)")
        js = [a + b for a, b in zip(told["fill"], told["paint"], strict=True)]
        setup = min(setups) - median(own)
        print(f"  a frame, least: {beside(min(js), min(own))}; page, median: {median(js):.1f} ms")
        first, least = told["look"][0], min(told["look"])
        print(f"  set-up, first: {beside(first, setup)}; least: {beside(least, setup)}")
        first = told["decode"][0] + told["look"][0] + js[0]
        print(f"  first picture: {first:.0f} ms, {told['decode'][0]:.0f} of them to decode")


def beside(player: float, film: float) -> str:
    return f"{player:.1f} ms, film {film:.1f} ms, {player / film:.2f} ×"


def main() -> None:
    given = sys.argv[1:]
    n = int(float(given[0])) if given else N_CELLS
    adata = cells(n)
    for color in given[1:] or [name for name in adata.obsm if name != "X_umap"]:
        print(f"\n{color}, {n:,} cells, {N_FRAMES} frames")
        how = {"color": color} | ({} if color == "labels" else {"scale": "rank"})
        film = sca.pl.animate_embedding(adata, **how)
        for names in (None, "auto")[: 2 if n == N_CELLS else 1]:
            sizes(film, names)
        pictures(lambda how=how: sca.pl.animate_embedding(adata, **how), 5)


if __name__ == "__main__":
    main()
