"""Cells with the density of a real UMAP, and the stages that the renderer's benchmarks share."""

from __future__ import annotations

import statistics
import time
import warnings

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

CELLS = 209_126


def umap_like(n, seed=0):
    """`n` cells: 700 real ones resampled with little jitter, filaments between some, outliers."""
    import scanpy as sc

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        real = sc.datasets.pbmc68k_reduced().obsm["X_umap"].astype(np.float64)
    rng = np.random.default_rng(seed)
    start = real[rng.integers(len(real), size=n)]
    kind = rng.choice(4, p=[0.62, 0.25, 0.12, 0.01], size=n)
    spread = np.array([0.05, 0.25, 0.04, 2.0])[kind][:, None]
    ends = real[rng.integers(40, size=n)]  # filaments lead to a few cells only
    along = np.where(kind == 2, rng.random(n), 0.0)[:, None]
    return start + along * (ends - start) + spread * rng.normal(size=(n, 2))


def scores(xy, frame=0, seed=1):
    """Smooth values over the embedding with some noise, other ones in each frame."""
    rng = np.random.default_rng(seed)
    wave = np.sin(xy[:, 0] / 2 + frame / 3) + np.cos(xy[:, 1] / 3 - frame / 5)
    return (wave + 0.1 * rng.normal(size=len(xy))).astype(np.float32)


def stage(xy, *, inches=6.0, dpi=200, size=None, values=None, **style):
    """Axes that fill the canvas, with a scatter as scanpy makes it."""
    fig = Figure((inches, inches), dpi=dpi)
    FigureCanvasAgg(fig)
    ax = fig.add_axes((0, 0, 1, 1))
    ax.axis("off")
    size = 120_000 / len(xy) if size is None else size
    style = {"marker": ".", "edgecolor": "none", "s": size, **style}
    return fig, ax, ax.scatter(*xy.T, c=values, **style)


def seconds(call, times=1):
    """Median wall time of a call."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def processor_seconds(call, times):
    """Median processor time of a call, all threads together."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def in_a_row(call, at_least=0.05, most=10):
    """Median wall time of a call made again and again, as the frames of a film are."""
    taken = []
    while sum(taken) < at_least and len(taken) < most:
        taken.append(seconds(call))
    return statistics.median(taken)


def in_turns(*calls, rounds):
    """Median wall time of each of several calls made in turns, short ones some times in a row."""
    taken = [[] for _ in calls]
    for _ in range(rounds):
        for call, times in zip(calls, taken, strict=True):
            times.append(in_a_row(call))
    return [statistics.median(times) for times in taken]


def rows(title, table):
    """Print a table whose first row is the heading."""
    widths = [max(len(str(row[k])) for row in table) for k in range(len(table[0]))]
    print(f"\n{title}")
    for i, row in enumerate(table):
        print("  " + "  ".join(str(cell).ljust(w) for cell, w in zip(row, widths, strict=True)))
        if i == 0:
            print("  " + "  ".join("-" * w for w in widths))


def ms(taken):
    return f"{taken * 1e3:.1f} ms" if taken < 1 else f"{taken:.2f} s"
