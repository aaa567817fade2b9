"""Writing films against matplotlib's own writers: ``python benchmarks/video.py [repeats]``.

Left-hand side: matplotlib's ``save`` and ``to_jshtml`` of a scatter whose colors change (needs
Debian's ``ffmpeg`` for mp4). Right-hand side: ``scanpy_anim.video`` fed with the same frames, drawn
beforehand; what drawing them takes is the raster benchmark's business. The second table gives both
the same matplotlib animation to draw. Ratios of one run, medians of several.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import matplotlib as mpl
import numpy as np

mpl.use("agg")
import matplotlib.pyplot as plt
from matplotlib.animation import FFMpegWriter, FuncAnimation, PillowWriter

import scanpy_anim  # noqa: F401 (registers its writer)
from scanpy_anim.video import Film, player, write

VIRIDIS = (mpl.colormaps["viridis"](np.arange(256))[:, :3] * 255).round().astype(np.uint8)
INKS = np.concatenate([[[255, 255, 255], [0, 0, 0]], VIRIDIS]).astype(np.uint8)


def cells(n_cells: int) -> np.ndarray:
    """Clusters, filaments and outliers with the density of an embedding."""
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 6, (12, 2))
    share = rng.dirichlet(np.full(12, 2.0))
    of = rng.choice(12, n_cells, p=share)
    along = rng.normal(0, 1, n_cells)
    angle = rng.uniform(0, np.pi, 12)[of]
    points = centres[of] + rng.normal(0, 0.5, (n_cells, 2))
    points += along[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1) * 1.5
    far = rng.random(n_cells) < 0.01
    points[far] = rng.uniform(-15, 15, (far.sum(), 2))
    return points


def scores(points: np.ndarray, n_frames: int) -> np.ndarray:
    """Scores that spread from one cell, smooth but for some noise."""
    distance = np.linalg.norm(points - points[0], axis=1)
    distance = distance / distance.max() + np.random.default_rng(1).normal(0, 0.03, len(points))
    time_ = np.arange(n_frames) / n_frames
    return 1 / (1 + np.exp((distance[None] - time_[:, None]) * 14))


def scatter(n_cells: int, n_frames: int, side: int) -> FuncAnimation:
    points = cells(n_cells)
    values = scores(points, n_frames)
    figure = plt.figure(figsize=(6, 6), dpi=side / 6)
    axes = figure.add_axes((0.08, 0.08, 0.75, 0.84))
    drawn = axes.scatter(*points.T, c=values[0], s=120_000 / n_cells, linewidths=0, vmin=0, vmax=1)
    figure.colorbar(drawn, cax=figure.add_axes((0.86, 0.2, 0.03, 0.6)))
    title = axes.set_title("iteration 0")

    def draw(number: int) -> list:
        drawn.set_array(values[number])
        title.set_text(f"iteration {number}")
        return [drawn, title]

    return FuncAnimation(figure, draw, frames=n_frames, interval=100)


def frames_of(animation: FuncAnimation, n_frames: int) -> np.ndarray:
    figure = animation._fig
    animation._init_draw()
    frames = []
    for number in range(n_frames):
        animation._func(number)
        figure.canvas.draw()
        frames.append(np.asarray(figure.canvas.buffer_rgba())[..., :3].copy())
    return np.array(frames)


def film_of(frames: np.ndarray) -> Film:
    return Film(lambda scale: iter(frames), [0.1] * len(frames), palette=INKS)


def clocked(work, repeats: int) -> float:
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return median(seconds)


def row(what: str, theirs: tuple[float, int], ours: tuple[float, int], goal: str) -> None:
    speed, size = theirs[0] / ours[0], ours[1] / theirs[1]
    print(
        f"| {what} | {theirs[0]:.2f} s, {theirs[1] / 1e6:.2f} MB | {ours[0]:.3f} s, "
        f"{ours[1] / 1e6:.2f} MB | {speed:.1f} × | {size:.2f} | {goal} |",
        flush=True,
    )


def compare_mp4(folder: Path, repeats: int, n_cells: int) -> None:
    animation = scatter(n_cells, 100, 1200)
    frames = frames_of(animation, 100)
    path = folder / "theirs.mp4"
    for codec, crf in (("h264", None), ("h264", "18")):
        options = ["-crf", crf] if crf else []
        writer = FFMpegWriter(fps=10, codec=codec, extra_args=options)
        begin = time.perf_counter()
        animation.save(path, writer=writer, dpi=200)
        theirs = time.perf_counter() - begin, path.stat().st_size
        seconds = clocked(lambda: write(film_of(frames), folder / "ours.mp4"), repeats)
        ours = seconds, (folder / "ours.mp4").stat().st_size
        what = f"mp4, 100 frames 1200², {n_cells:,} points, theirs at crf {crf or '23 (its own)'}"
        row(what, theirs, ours, "10 ×, no larger")
    begin = time.perf_counter()
    animation.save(folder / "writer.mp4", writer="scanpy_anim", dpi=200, fps=10)
    ours = time.perf_counter() - begin, (folder / "writer.mp4").stat().st_size
    row('the same animation, writer="scanpy_anim"', theirs, ours, "")
    plt.close("all")


def compare_gif(folder: Path, repeats: int, n_cells: int) -> None:
    from PIL import Image

    animation = scatter(n_cells, 100, 600)
    frames = frames_of(animation, 100)
    path = folder / "theirs.gif"
    writer = PillowWriter(fps=10)
    begin = time.perf_counter()
    animation.save(path, writer=writer, dpi=100)
    theirs = time.perf_counter() - begin, path.stat().st_size
    seconds = clocked(lambda: write(film_of(frames), folder / "ours.gif"), repeats)
    ours = seconds, (folder / "ours.gif").stat().st_size
    row(f"gif, 100 frames 600², {n_cells:,} points, drawing theirs included", theirs, ours, "5 ×")
    begin = time.perf_counter()
    pictures = [Image.fromarray(frame) for frame in frames]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100, loop=0)
    bare = time.perf_counter() - begin, path.stat().st_size
    row("the same, Pillow fed with the same frames", bare, ours, "5 ×, ≤ 0.5")
    for name in ("theirs", "ours"):
        print(f"  {name}: {flicker(folder / f'{name}.gif', frames):.2%} of unchanged pixels change")
    plt.close("all")


def flicker(path: Path, frames: np.ndarray) -> float:
    """Share of the colored pixels that did not change, but whose color in the file did."""
    from PIL import Image

    changed = still = 0
    before = None
    with Image.open(path) as picture:
        for number in range(len(frames)):
            picture.seek(number)
            shown = np.asarray(picture.convert("RGB"))
            if before is not None:
                same = (frames[number] == frames[number - 1]).all(-1)
                same &= (frames[number] != 255).any(-1)
                still += same.sum()
                changed += (same & (shown != before).any(-1)).sum()
            before = shown
    return changed / still


def compare_html(folder: Path, repeats: int) -> None:
    animation = scatter(209_126, 18, 600)
    frames = frames_of(animation, 18)
    begin = time.perf_counter()
    with mpl.rc_context({"animation.embed_limit": 1000}):
        page = animation.to_jshtml(fps=10)
    theirs = time.perf_counter() - begin, len(page)
    seconds = clocked(lambda: write(film_of(frames), folder / "ours.html"), repeats)
    ours = seconds, (folder / "ours.html").stat().st_size
    row("html page, 209,126 × 18 frames, 6 × 6 in, dpi 100", theirs, ours, "60 ×, ≤ 0.2")
    print(f"  in a notebook: {len(player(film_of(frames))):,} bytes")
    plt.close("all")


MEMORY = r"""
import re, sys, tempfile, numpy as np
from pathlib import Path
from scanpy_anim.video import Film, write
n_frames, suffix = int(sys.argv[1]), sys.argv[2]
rows, columns = np.mgrid[:400, :400]
def render(scale):
    for number in range(n_frames):
        wave = (np.sin(rows / 40 + number / 5) * 60 + np.cos(columns / 30) * 60 + 128)
        frame = np.full((400, 400, 3), 255, np.uint8)
        frame[50:350, 50:350, number % 3] = wave[50:350, 50:350]
        yield frame
with tempfile.TemporaryDirectory() as folder:
    write(Film(render, [0.05] * n_frames), f"{folder}/film{suffix}")
print(int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
"""


def compare_memory() -> None:
    print("\n| peak memory, 400², MB | 100 frames | 1,000 frames | ratio (goal ≤ 1.1) |")
    print("|---|---|---|---|")
    for suffix in (".gif", ".mp4", ".webm", ".webp", ".apng", ".avif", ".html"):
        few, many = (
            float(subprocess.check_output([sys.executable, "-c", MEMORY, str(n), suffix]))
            for n in (100, 1000)
        )
        print(f"| {suffix} | {few:.0f} | {many:.0f} | {many / few:.2f} |", flush=True)


def compare_formats(folder: Path, repeats: int, n_cells: int) -> None:
    print("\n| 100 frames of 1200², ours | s | MB |\n|---|---|---|")
    frames = frames_of(scatter(n_cells, 100, 1200), 100)
    for suffix in (".mp4", ".webm", ".html", ".avif", ".webp", ".gif", ".apng"):
        path = folder / f"all{suffix}"
        seconds = clocked(lambda path=path: write(film_of(frames), path), repeats)
        print(f"| {suffix} | {seconds:.2f} | {path.stat().st_size / 1e6:.2f} |", flush=True)
    plt.close("all")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repeats", nargs="?", type=int, default=3)
    parser.add_argument("--cells", type=int, default=100_000)
    parser.add_argument("--only", default="gif,html,mp4,formats,memory")
    arguments = parser.parse_args()
    rows = arguments.only.split(",")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("| what | matplotlib | ours | speed | size | goal |\n|---|---|---|---|---|---|")
        if "gif" in rows:
            compare_gif(folder, arguments.repeats, arguments.cells)
        if "html" in rows:
            compare_html(folder, arguments.repeats)
        if "mp4" in rows:
            compare_mp4(folder, arguments.repeats, arguments.cells)
        if "formats" in rows:
            compare_formats(folder, arguments.repeats, arguments.cells)
        if "memory" in rows:
            compare_memory()


if __name__ == "__main__":
    main()
