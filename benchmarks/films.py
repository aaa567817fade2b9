"""Whole films against matplotlib's and celluloid's own way: time, size, memory.

Run `python benchmarks/films.py` (minutes: matplotlib is the slow side). Every row compares two ways
in one run; medians of several rounds, except where matplotlib takes more than ten seconds. With
`--frames k`, matplotlib draws only the first k frames and its time is scaled up, and says so.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
CELLS, FRAMES = 209_126, 18


def embedding(n: int, seed: int = 0) -> np.ndarray:
    """Cells with the density of a real UMAP: resampled, jittered, some along filaments."""
    import scanpy as sc

    rng = np.random.default_rng(seed)
    known = sc.datasets.pbmc68k_reduced().obsm["X_umap"]
    a, b = known[rng.integers(len(known), size=(2, n))]
    near = np.linalg.norm(a - b, axis=1) < 3
    along = rng.random(n)[:, None] * near[:, None] * 0.8
    spread = np.where(rng.random(n) < 0.01, 1.5, 0.15)
    return a + along * (b - a) + rng.normal(size=(n, 2)) * spread[:, None]


def atlas(n: int = CELLS, frames: int = FRAMES):
    """An AnnData with an embedding and scores that spread from one cell."""
    import anndata as ad
    import pandas as pd

    xy = embedding(n)
    far = np.linalg.norm(xy - xy[0], axis=1)
    noise = np.random.default_rng(1).random(n)
    widths = np.linspace(0.5, 12, frames)
    scores = np.stack([np.exp(-((far / w) ** 2)) * (0.8 + 0.2 * noise) for w in widths], axis=1)
    adata = ad.AnnData(obs=pd.DataFrame(index=np.arange(n).astype(str)))
    adata.obsm["X_umap"] = xy
    adata.obsm["X_other"] = xy @ [[0.8, 0.6], [-0.6, 0.8]] * 1.5 + np.sin(xy[:, ::-1])
    adata.obsm["scores"] = scores.astype(np.float32)
    return adata


def clocked(work, rounds: int = 3) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
        if times[-1] > 10:
            break
    return median(times)


def row(what: str, theirs: float, ours: float, goal: float, unit: str = "s") -> None:
    ratio = theirs / ours
    verdict = "yes" if ratio >= goal else "NO"
    cells = what, f"{theirs:.3g} {unit}", f"{ours:.3g} {unit}", f"{ratio:.1f} ×", f"{goal:g} ×"
    print("|", *" | ".join((*cells, verdict)).split(), "|")


def origin(adata, frames: int):
    """The job this project came from: one scatter a frame, celluloid."""
    import matplotlib.pyplot as plt
    from celluloid import Camera
    from scipy.stats import rankdata

    figure = plt.figure(figsize=(6, 6))
    camera = Camera(figure)
    for i in range(frames):
        plt.scatter(*adata.obsm["X_umap"].T, s=0.3, c=rankdata(adata.obsm["scores"][:, i]))
        camera.snap()
    animation = camera.animate()
    animation._draw_was_started = True
    plt.close(figure)
    return animation


def ours(adata, **arguments):
    import scanpy_anim as sca

    with mpl.rc_context({"figure.figsize": (6, 6)}):
        return sca.pl.animate_embedding(
            adata, color="scores", size=0.3, progress=False, hold=0, **arguments
        )


def compare_origin(adata, folder: Path, frames: int) -> None:
    share = FRAMES / frames
    page, film = folder / "theirs.html", folder / "ours.html"

    def theirs_page() -> None:
        with mpl.rc_context({"animation.embed_limit": 1000}):
            page.write_text(origin(adata, frames).to_jshtml())

    theirs = clocked(theirs_page) * share
    row("18 frames to a page", theirs, clocked(lambda: ours(adata).save(film, progress=False)), 60)
    row("… bytes", page.stat().st_size * share / 1e6, film.stat().st_size / 1e6, 5, "MB")
    writer = {"writer": "scanpy_anim", "dpi": 200, "fps": 10}
    theirs = clocked(lambda: origin(adata, frames).save(folder / "theirs.mp4", **writer)) * share
    film = folder / "ours.mp4"
    mine = clocked(lambda: ours(adata).save(film, dpi=200, progress=False))
    row("18 frames to mp4, dpi 200", theirs, mine, 30)


def compare_tween(adata, folder: Path, frames: int) -> None:
    import matplotlib.pyplot as plt
    from matplotlib.animation import FuncAnimation
    from scipy.stats import rankdata

    n_frames = (FRAMES - 1) * 10 + 1
    figure, ax = plt.subplots(figsize=(6, 6))
    points = ax.scatter(
        *adata.obsm["X_umap"].T, s=0.3, c=np.zeros(adata.n_obs), edgecolor="none", marker="."
    )
    scores = adata.obsm["scores"]

    def draw(i: int):
        k, w = divmod(i / 10, 1)
        mixed = scores[:, int(k)] * (1 - w) + scores[:, min(int(k) + 1, FRAMES - 1)] * w
        points.set_array(rankdata(mixed))
        points.autoscale()

    animation = FuncAnimation(figure, draw, frames=frames)
    how = {"writer": "scanpy_anim", "dpi": 200, "fps": 10}
    theirs = clocked(lambda: animation.save(folder / "t.mp4", **how))
    plt.close(figure)
    mine = clocked(lambda: ours(adata, tween=9).save(folder / "o.mp4", dpi=200, progress=False))
    row(f"{n_frames} tweened frames to mp4, 1200 × 1200", theirs * n_frames / frames, mine, 50)


def compare_morph(adata, frames: int) -> None:
    import matplotlib.pyplot as plt

    film = ours(adata, basis=["other", "umap"], align=False, tween=2)
    drawn = film.frames(dpi=200)
    next(drawn)
    mine = clocked(lambda: next(drawn), rounds=30)
    figure, ax = plt.subplots(figsize=(6, 6), dpi=200)
    start, end = adata.obsm["X_other"], adata.obsm["X_umap"]
    points = ax.scatter(*start.T, s=0.3, c=adata.obsm["scores"][:, 5], edgecolor="none", marker=".")

    def theirs() -> None:
        points.set_offsets((start + end) / 2)
        figure.canvas.draw()

    row("a frame of a morph, 1200 × 1200", clocked(theirs, frames), mine, 20)
    plt.close(figure)


def peak(way: str, frames: int) -> float:
    """Peak memory of one film in a process of its own, over the loaded AnnData, in MB."""
    code = f"import films; films.measure_peak({way!r}, {frames})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def measure_peak(way: str, frames: int) -> None:
    """Print how far memory rose above the loaded AnnData (kernels compiled and loaded)."""
    import psutil

    class Sampler:
        """Reads the resident memory a hundred times a second."""

        def __enter__(self):
            import threading

            self.most, self.over = 0, threading.Event()
            self.thread = threading.Thread(target=self.run)
            self.thread.start()
            return self

        def run(self):
            while not self.over.wait(0.01):
                self.most = max(self.most, psutil.Process().memory_info().rss)

        def __exit__(self, *_):
            self.over.set()
            self.thread.join()

    with tempfile.TemporaryDirectory() as folder:
        ours(atlas(2000, 3)).save(Path(folder) / "warm.mp4", progress=False)
        adata = atlas(frames=FRAMES)
        scores = adata.obsm["scores"]
        adata.obsm["scores"] = np.ascontiguousarray(scores[:, np.arange(frames) % FRAMES])
        before = psutil.Process().memory_info().rss
        with Sampler() as sampler:
            if way == "ours":
                ours(adata).save(Path(folder) / "film.mp4", progress=False)
            else:
                origin(adata, frames).save(Path(folder) / "film.mp4", writer="scanpy_anim", fps=10)
    print((sampler.most - before) / 1e6)


def compare_memory(frames: int) -> None:
    """Peaks of short films and long ones: x264 looks some tens of frames ahead, and no further."""
    mine, long = peak("ours", FRAMES), peak("ours", 10 * FRAMES)
    row("peak memory, 18 frames", peak("theirs", frames), mine, 2, "MB")
    row("… 18 against 180 frames", mine, long, 0.9, "MB")
    row("… 60 against 180 frames", peak("ours", 60), long, 0.9, "MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=FRAMES, help="frames that matplotlib draws")
    frames = parser.parse_args().frames
    adata = atlas()
    print(f"{adata.n_obs:,} cells; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    if frames < FRAMES:
        print(f"matplotlib's times: scaled up from {frames} frames")
    ours(atlas(2000, 3)).save(Path(tempfile.mkdtemp()) / "compiles.mp4", progress=False)
    print("| what | theirs | ours | ratio | goal | met |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        compare_origin(adata, Path(folder), frames)
        compare_tween(adata, Path(folder), min(frames, 8))
        compare_morph(adata, min(frames, 8))
    compare_memory(frames)


if __name__ == "__main__":
    main()
