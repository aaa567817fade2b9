"""Points to pixels: a frame, its growth with the cells, set-up; against matplotlib and datashader.

Run with `python benchmarks/render.py`, or `--large 1000000` for a shorter run. Times are medians
of wall time, the alternatives measured in turns within one run on the same coordinates and canvas.
Processor time is that of all threads together: on a busy machine it is the fairer comparison, on
an idle one two threads of ours finish sooner than it says.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.colors import Normalize
from render_stage import (
    CELLS,
    in_turns,
    ms,
    processor_seconds,
    rows,
    scores,
    seconds,
    stage,
    umap_like,
)

from scanpy_anim.raster import FrameStyle, PointLayer, color_table, rank_levels, value_levels

VIRIDIS = mpl.colormaps["viridis"]
TABLE = color_table(VIRIDIS)


class Ours:
    """A layer on its stage, frames drawn as the film draws them: restore, draw."""

    def __init__(self, xy, size, sort_key=None):
        self.xy = xy
        self.fig, ax, scatter = stage(xy, size=size)
        scatter.remove()
        self.fig.canvas.draw()
        self.background = self.fig.canvas.copy_from_bbox(self.fig.bbox)
        self.norm = Normalize(-2, 2)
        self.layer = PointLayer(scatter, sort_key=sort_key)
        self.style = self.styled(scores(xy))
        self.artist = ax.add_artist(self.layer.artist(lambda: self.style))
        self.set_up = seconds(self.draw)

    def styled(self, values, **kwargs):
        return FrameStyle(value_levels(values, self.norm), TABLE, **kwargs)

    def draw(self):
        self.fig.canvas.restore_region(self.background)
        self.artist.draw(self.fig.canvas.get_renderer())

    def frame(self, values, **kwargs):
        """A new frame, from values to pixels."""
        self.style = self.styled(values, **kwargs)
        self.draw()


def matplotlib_frame(xy, values, size):
    """`set_array` and a draw, the cells in the same order."""
    fig, _, scatter = stage(xy, size=size, values=values, vmin=-2, vmax=2)
    fig.canvas.draw()

    def draw(values):
        scatter.set_array(values)
        fig.canvas.draw()

    return draw


def a_frame(rounds):
    """One more frame of 209,126 cells on 1200 × 1200."""
    xy = umap_like(CELLS)
    values = [scores(xy, frame) for frame in range(8)]
    peak = np.max(values, axis=0)
    size = 120_000 / CELLS
    order = np.argsort(peak, kind="stable")
    theirs = matplotlib_frame(xy[order], values[0][order], size)
    ours = Ours(xy, size, peak)
    ours.frame(values[1])
    frame_order = Ours(xy, size)
    levels = value_levels(values[1], ours.norm)
    frame_order.frame(values[1], sort_key=levels)
    opaque = ours.style
    moving = Ours(xy, size, peak)
    moving.frame(values[1], offsets=xy + 0.01)

    def show(layer, **kwargs):
        layer.style = replace(opaque, **kwargs)
        layer.draw()

    calls = {
        "matplotlib: set_array, canvas.draw": lambda: theirs(values[2][order]),
        "fixed order, from values to pixels": lambda: ours.frame(values[2]),
        "fixed order, levels at hand": lambda: show(ours),
        "fixed order, ranks of the frame": lambda: show(ours, levels=rank_levels(values[2])),
        'order of the frame (sort_order="frame")': lambda: show(frame_order, sort_key=values[2]),
        "points that move": lambda: show(moving, offsets=xy + 0.02),
    }
    taken = in_turns(*calls.values(), rounds=rounds)
    spent = [processor_seconds(call, rounds) for call in calls.values()]
    table = [("", "a frame", "matplotlib / this", "processor time", "matplotlib / this")]
    for name, t, p in zip(calls, taken, spent, strict=True):
        table.append((name, ms(t), f"{taken[0] / t:.0f} ×", ms(p), f"{spent[0] / p:.0f} ×"))
    rows(f"One more frame: {CELLS:,} cells, 1200 × 1200, size 120000/n", table)


def growth(large, rounds):
    """A frame and the set-up, from 209,126 cells to many."""
    counts = [CELLS, *(n for n in (1_000_000, 3_000_000) if n < large), large]
    table = [("cells", "size", "a frame", "/ 209 k", "set-up", "seen", "memory")]
    for own_size in (False, True):
        made = []
        for n in counts:
            xy = umap_like(n)
            ours = Ours(xy, 120_000 / (n if own_size else CELLS), scores(xy))
            made.append((n, ours))
        taken = in_turns(*(ours.draw for _, ours in made), rounds=rounds)
        for (n, ours), t in zip(made, taken, strict=True):
            (scene,) = ours.layer._scenes.values()
            (seen,) = scene._seen.values()
            table.append(
                (
                    f"{n:,}",
                    "120000/n" if own_size else f"{120_000 / CELLS:.2f}",
                    ms(t),
                    f"{t / taken[0]:.1f} ×",
                    ms(ours.set_up),
                    f"{len(seen.cells) / n:.0%}",
                    f"{sum(a.nbytes for a in seen) / 2**20:.0f} MB",
                )
            )
    rows("Growth: levels at hand, 1200 × 1200", table)


def against_matplotlib_set_up(large):
    """Set-up of many cells against one matplotlib draw of them."""
    xy = umap_like(large)
    size = 120_000 / CELLS
    ours = Ours(xy, size, scores(xy))
    fig, _, _ = stage(xy, size=size, values=scores(xy))
    theirs = seconds(fig.canvas.draw)
    table = [("", "time"), ("matplotlib, one draw", ms(theirs)), ("set-up", ms(ours.set_up))]
    table.append(("set-up / draw", f"1 / {theirs / ours.set_up:.0f}"))
    rows(f"Set-up: {large:,} cells, 1200 × 1200, size {size:.2f}", table)


def against_datashader(large, rounds):
    """Canvas.points with the mean of the values, shaded, against a frame from values to pixels."""
    try:
        import datashader as ds
        import pandas as pd
        from datashader import transfer_functions as tf
    except ImportError:
        print("\ndatashader is not installed: no comparison with it")
        return
    table = [("cells", "datashader", "this, values", "this, ranks", "datashader / values")]
    colors = [mpl.colors.to_hex(VIRIDIS(i)) for i in range(256)]
    for n in (CELLS, large):
        xy = umap_like(n)
        values = scores(xy, 1)
        ours = Ours(xy, 120_000 / CELLS, scores(xy))
        frame = pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1], "v": values})
        canvas = ds.Canvas(plot_width=1200, plot_height=1200)

        def theirs(canvas=canvas, frame=frame):
            image = tf.shade(
                canvas.points(frame, "x", "y", ds.mean("v")), cmap=colors, how="linear"
            )
            return np.asarray(image.data)

        def ranked(ours=ours, values=values):
            ours.style = FrameStyle(rank_levels(values), TABLE)
            ours.draw()

        theirs()
        taken = in_turns(theirs, lambda ours=ours, v=values: ours.frame(v), ranked, rounds=rounds)
        table.append((f"{n:,}", *(ms(t) for t in taken), f"{taken[0] / taken[1]:.1f} ×"))
    rows("Against datashader: mean of the values in each pixel, shaded, 1200 × 1200", table)


def compilation():
    """First pictures of a fresh installation."""
    code = (
        "import sys, time; sys.path.insert(0, sys.argv[1])\n"
        "import numpy as np, matplotlib.figure, numba\n"
        "from render import *\n"
        "xy = np.random.default_rng(0).normal(size=(5000, 2))\n"
        "for name in ('first time', 'again'):\n"
        "    start = time.process_time()\n"
        "    ours = Ours(xy, 1.0, xy[:, 0])\n"
        "    composed = time.process_time() - start\n"
        "    levels = rank_levels(xy[:, 0])\n"
        "    ranked = time.process_time() - start - composed\n"
        "    ours.frame(xy[:, 0], sort_key=levels)\n"
        "    total = time.process_time() - start\n"
        "    print(f'{composed:.2f} {ranked:.2f} {total - composed - ranked:.2f} {total:.2f}')\n"
    )
    table = [("", "compositor", "ranks", "painter", "in all")]
    with tempfile.TemporaryDirectory() as fresh:
        for name in ("compiled", "from the cache"):
            done = subprocess.run(
                [sys.executable, "-c", code, str(Path(__file__).resolve().parent)],
                env={**os.environ, "NUMBA_CACHE_DIR": fresh},
                capture_output=True,
                text=True,
                check=True,
            )
            first = done.stdout.splitlines()[0].split()
            table.append((name, *(f"{float(t):.1f} s" for t in first)))
    rows("First pictures of a process, processor time (all kernels compile on one)", table)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", type=int, default=10_000_000, help="cells of the large runs")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="part of a benchmark's name")
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    parts = {
        "frame": lambda: a_frame(options.rounds),
        "growth": lambda: growth(options.large, options.rounds),
        "setup": lambda: against_matplotlib_set_up(options.large),
        "datashader": lambda: against_datashader(options.large, options.rounds),
        "compilation": compilation,
    }
    for name, part in parts.items():
        if options.only in name:
            part()
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
