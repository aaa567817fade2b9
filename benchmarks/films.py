"""Whole films against matplotlib's and celluloid's own way: time, size, memory.

Run `python benchmarks/films.py` (minutes: matplotlib is the slow side), or some of its parts:
`--only frames labels`. Every row measures through what a user calls and compares two ways in one
run: medians of several rounds, except where matplotlib takes more than ten seconds. With
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


def ours(adata, marker_size: float = 0.3, **arguments):
    import scanpy_anim as sca

    with mpl.rc_context({"figure.figsize": (6, 6)}):
        return sca.pl.animate_embedding(
            adata, color="scores", size=marker_size, progress=False, hold=0, **arguments
        )


def compare_origin(adata, folder: Path, frames: int) -> None:
    share = FRAMES / frames
    page, film = folder / "theirs.html", folder / "ours.html"

    def theirs_page() -> None:
        with mpl.rc_context({"animation.embed_limit": 1000}):
            page.write_text(origin(adata, frames).to_jshtml())

    theirs = clocked(theirs_page) * share
    row("18 frames to a page", theirs, clocked(lambda: ours(adata).save(film, progress=False)), 200)
    row("… bytes", page.stat().st_size * share / 1e6, film.stat().st_size / 1e6, 5, "MB")
    writer = {"writer": "scanpy_anim", "dpi": 200, "fps": 10}
    theirs = clocked(lambda: origin(adata, frames).save(folder / "theirs.mp4", **writer)) * share
    film = folder / "ours.mp4"
    mine = clocked(lambda: ours(adata).save(film, dpi=200, progress=False))
    row("18 frames to mp4, dpi 200", theirs, mine, 200)


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


def theirs_of(adata, inches: float = 6.0):
    """matplotlib's way of one more frame, 200 dpi: `set_array` on the scatter, and a draw."""
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(inches, inches), dpi=200)
    xy, scores = adata.obsm["X_umap"], adata.obsm["scores"]
    points = ax.scatter(*xy.T, s=0.3, c=scores[:, 0], edgecolor="none", marker=".")
    figure.canvas.draw()

    def draw(i: int) -> None:
        points.set_array(scores[:, i % scores.shape[1]])
        figure.canvas.draw()

    return figure, draw


def frame_times(drawn) -> list[float]:
    """Seconds of each further frame of a film."""
    times = []
    while True:
        start = time.perf_counter()
        if next(drawn, None) is None:
            return times
        times.append(time.perf_counter() - start)


def compare_frames(adata, rounds: int = 5) -> None:
    """One more frame of `film.frames(dpi=200)`, in turns with matplotlib's."""
    import matplotlib.pyplot as plt

    figure, draw = theirs_of(adata)
    ways = {
        'values (scale="linear")': ({"scale": "linear"}, 200),
        'ranks (scale="rank")': ({"scale": "rank"}, 120),
        'sort_order="frame"': ({"scale": "linear", "sort_order": "frame"}, 60),
    }
    films = {what: ours(adata, **arguments) for what, (arguments, _) in ways.items()}
    theirs, mine = [], {what: [] for what in ways}
    for k in range(rounds):
        theirs.append(clocked(lambda k=k: draw(k), 1))
        for what, film in films.items():
            drawn = film.frames(dpi=200)
            next(drawn)
            mine[what] += frame_times(drawn)
    for what, (_, goal) in ways.items():
        row(f"one more frame, {what}, median", median(theirs), median(mine[what]), goal)
        row("… minimum", min(theirs), min(mine[what]), goal)
    plt.close(figure)


def compare_many(cells: int) -> None:
    """From the call to the first frame, and one more frame, of very many cells."""
    adata = atlas(cells, 4)
    start = time.perf_counter()
    film = ours(adata, scale="linear")
    drawn = film.frames(dpi=200)
    next(drawn)
    first = time.perf_counter() - start
    each = median(frame_times(drawn))
    print(f"| {cells:,} cells: call to first frame | | {first:.2f} s | | |")
    print(f"| … one more frame | | {each * 1e3:.1f} ms | | |")


def with_graph(cells: int, neighbors: int = 20):
    """Cells of an embedding, each joined to as many others, near ones in the order of cells."""
    import anndata as ad
    from scipy import sparse

    rng = np.random.default_rng(0)
    known = embedding(200_000)
    places = known[rng.integers(len(known), size=cells)].astype(np.float32)
    places += rng.normal(scale=0.05, size=(cells, 2)).astype(np.float32)
    half = neighbors // 2
    steps = np.append(np.arange(1, half - 2), rng.integers(1000, cells // 2, 3))
    indices = np.empty((cells, neighbors), np.int32)
    for k, step in enumerate((*steps, *-steps)):
        indices[:, k] = (np.arange(cells, dtype=np.int64) + step) % cells
    weights = np.ones(indices.size, np.float32)
    indptr = np.arange(0, indices.size + 1, neighbors, dtype=np.int64)
    graph = sparse.csr_matrix((weights, indices.ravel(), indptr), shape=(cells, cells))
    adata = ad.AnnData(shape=(cells, 0), obsm={"X_umap": places})
    adata.obsp["connectivities"] = graph
    adata.uns["neighbors"] = {"connectivities_key": "connectivities", "params": {}}
    return adata


def measure_whole(cells: int) -> None:
    """Print seconds and peak bytes over the AnnData: propagation, then its film to mp4."""
    import scanpy_anim as sca

    def status(name: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

    def whole(cells: int, path: Path) -> list[float]:
        adata = with_graph(cells)
        Path("/proc/self/clear_refs").write_text("5")
        before, start = status("VmRSS"), time.perf_counter()
        how = {"max_iter": 18, "tol": 0, "limit": False, "key_added": "scores"}
        sca.tl.label_propagation(adata, list(range(0, cells, cells // 50)), **how)
        propagated = time.perf_counter()
        peak_then = status("VmHWM") - before
        film = ours(adata, scale="linear")
        drawn = film.frames(dpi=200)
        next(drawn)
        first = time.perf_counter() - propagated
        each = median(frame_times(drawn))
        del drawn
        film.save(path, dpi=200, progress=False)
        told = [propagated - start, peak_then, first, each, status("VmHWM") - before]
        return [before, adata.obsm["scores"].nbytes, *told]

    with tempfile.TemporaryDirectory() as folder:
        whole(50_000, Path(folder) / "compiles.mp4")
        print(*whole(cells, Path(folder) / "film.mp4"))


def compare_whole(cells: int) -> None:
    """All of a very large AnnData in memory, in a process of its own."""
    with tempfile.TemporaryDirectory() as cache:
        told = process_seconds("whole", cells, cache)
    before, history, propagated, peak_then, first, each, most = told
    over = (most - history) / 1e9
    print(f"| {cells:,} cells × 20 neighbours, {before / 1e9:.1f} GB: 18 iterations | | ", end="")
    print(f"{propagated:.0f} s, peak {peak_then / 1e9:.2f} GB over it | | |")
    drawn = f"{first:.1f} s / {each * 1e3:.0f} ms"
    print(f"| … call to first frame / one more | | {drawn} | 6 s / 25 ms | |")
    print(f"| … peak of all, over it and the history | | {over:.2f} GB | 3 GB | |")


def compare_growth(cells: int) -> None:
    """How much longer a frame takes with very many cells than with 209,126."""
    for what, size in (
        ("marker of one size", lambda n: 0.3),
        ("size 120000/n", lambda n: 120_000 / n),
    ):
        times = []
        for n in (CELLS, cells):
            film = ours(atlas(n, 6), scale="linear", marker_size=size(n))
            drawn = film.frames(dpi=200)
            next(drawn)
            times.append(median(frame_times(drawn)))
        few, many = (f"{t * 1e3:.1f} ms" for t in times)
        growth = f"{times[1] / times[0]:.1f} ×"
        print(f"| a frame, {what}: {CELLS:,} → {cells:,} cells | {few} | {many} | {growth} | |")


def compare_labels(adata, folder: Path) -> None:
    """A film of labels against one of a single class's scores, to mp4."""
    import scanpy_anim as sca

    n_classes, frames = 44, 19
    rng = np.random.default_rng(0)
    codes = rng.integers(0, n_classes, (adata.n_obs, 1))
    spread = np.sort(rng.random((adata.n_obs, frames)), axis=1)
    scores = np.zeros((adata.n_obs, frames, n_classes), np.float32)
    np.put_along_axis(scores, codes[:, :, None].repeat(frames, 1), spread[:, :, None], axis=2)
    scores += rng.random((1, 1, n_classes), np.float32) * 0.1
    adata.obsm["classes"] = scores

    def save(**arguments) -> None:
        with mpl.rc_context({"figure.figsize": (6, 6)}):
            film = sca.pl.animate_embedding(adata, color="classes", size=0.3, hold=0, **arguments)
        film.save(folder / "labels.mp4", dpi=200, progress=False)

    one, every = clocked(lambda: save(classes="0", scale="linear")), clocked(save)
    row(f"labels of {n_classes} classes against scores of one, to mp4", one, every, 0.5)
    del adata.obsm["classes"]


def process_seconds(what: str, cells: int, cache: str) -> list[float]:
    """Times that a new process prints, with a cache of compiled kernels of its own."""
    code = f"import films; films.measure_{what}({cells})"
    here = Path(__file__).parent
    paths = {"NUMBA_CACHE_DIR": cache, "PYTHONPATH": f"{here.parent}{os.pathsep}{here}"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **paths},
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(word) for word in done.stdout.splitlines()[-1].split()]


def measure_film(cells: int) -> None:
    """Print how long the first and the second film take to their first frame."""
    import scanpy_anim  # noqa: F401 (both ways have imported the same before)

    adata = atlas(cells, 3)
    print(*(clocked(lambda: next(ours(adata).frames(dpi=100)), 1) for _ in range(2)))


def measure_still(cells: int) -> None:
    """Print how long scanpy and matplotlib take to their first picture."""
    import matplotlib.pyplot as plt
    import scanpy as sc

    import scanpy_anim  # noqa: F401 (as above)

    adata = atlas(cells, 3)
    adata.obs["score"] = adata.obsm["scores"][:, 2]

    def still() -> None:
        sc.pl.umap(adata, color="score", show=False)
        plt.savefig(os.devnull, format="png", dpi=100)

    print(clocked(still, 1))


def compare_fresh(rounds: int = 3) -> None:
    """First films: of a fresh installation over the second, of a fresh process over a still."""
    with tempfile.TemporaryDirectory() as fresh:
        first, second = process_seconds("film", 2700, fresh)
        print(f"| first film, nothing compiled, over the second | | {first - second:.1f} s | | |")
        for cells, goal in ((2700, 1 / 1.3), (CELLS, 2)):
            films = [process_seconds("film", cells, fresh)[0] for _ in range(rounds)]
            stills = [process_seconds("still", cells, fresh)[0] for _ in range(rounds)]
            what = f"first frame of a process, {cells:,} cells (theirs: sc.pl.umap, savefig)"
            row(what, median(stills), median(films), goal)


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
    parser.add_argument("--many", type=int, default=5_000_000, help="cells of the large films")
    parser.add_argument(
        "--only", nargs="+", help="parts to run; by default all but many, growth, whole"
    )
    options = parser.parse_args()
    frames, usual = (
        options.frames,
        ("frames", "origin", "tween", "morph", "labels", "fresh", "memory"),
    )
    adata = atlas()
    print(f"{adata.n_obs:,} cells; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    if frames < FRAMES:
        print(f"matplotlib's times: scaled up from {frames} frames")
    ours(atlas(2000, 3)).save(Path(tempfile.mkdtemp()) / "compiles.mp4", progress=False)
    print("| what | theirs | ours | ratio | goal | met |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = {
            "frames": lambda: compare_frames(adata),
            "origin": lambda: compare_origin(adata, folder, frames),
            "tween": lambda: compare_tween(adata, folder, min(frames, 8)),
            "morph": lambda: compare_morph(adata, min(frames, 8)),
            "labels": lambda: compare_labels(adata, folder),
            "fresh": compare_fresh,
            "memory": lambda: compare_memory(frames),
            "many": lambda: compare_many(options.many),
            "growth": lambda: compare_growth(options.many),
            "whole": lambda: compare_whole(options.many),
        }
        for part in options.only or usual:
            parts[part]()
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
