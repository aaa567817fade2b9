"""The renderer's pictures against Agg's: markers × sizes × resolutions × alpha × edges × cells.

Prints the worst cases by mean difference (of 255) and by the share of pixels that differ by more
than 8 in any channel. `--pictures FOLDER` saves pairs and their differences to look at.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from matplotlib.colors import Normalize
from render_stage import rows, scores, stage, umap_like

from scanpy_anim.raster import FrameStyle, PointLayer, color_table, value_levels

GRID = {
    "marker": [".", "o", "s", "^", "D", "*", "+", "x"],
    "s": [0.3, 3, 30, 400],
    "dpi": [72, 100, 200, 300],
    "alpha": [None, 0.1, 0.5],
    "edges": [None, ("k", 0.5), ("face", 1.5)],
    "n": [10, 1000, 20_000, 209_126],
}


def cases(every):
    """The grid without what would take minutes: many large markers, and edges of unfilled ones."""
    made = []
    for values in product(*GRID.values()):
        case = dict(zip(GRID, values, strict=True))
        ink = case["n"] * case["s"] * case["dpi"] ** 2
        if ink < 20_000 * 400 * 100**2 and not (case["marker"] in "+x" and case["edges"]):
            made.append(case)
    return made[::every]


def pictures(case, inches=3.0):
    """Agg's, composed and painted."""
    xy = umap_like(case["n"], seed=2)
    values = scores(xy)
    style = {key: case[key] for key in ("marker", "alpha")}
    if case["edges"] is not None:
        style["edgecolor"], style["linewidth"] = case["edges"]
    elif case["marker"] in "+x":
        style["edgecolor"] = None
    fig, ax, scatter = stage(
        xy, inches=inches, dpi=case["dpi"], size=case["s"], values=values, **style
    )

    def picture():
        fig.canvas.draw()
        return np.asarray(fig.canvas.buffer_rgba()).astype(np.int16)

    theirs = picture()
    layer = PointLayer(scatter)
    scatter.remove()
    norm = Normalize(float(values.min()), float(values.max()))
    style = FrameStyle(value_levels(values, norm), color_table(scatter.cmap))
    shown = [style]
    ax.add_artist(layer.artist(lambda: shown[-1]))
    composed = picture()
    shown.append(replace(style, sort_key=np.arange(case["n"])))
    return theirs, composed, picture()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="take every k-th case of the grid")
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    found = []
    chosen = cases(options.every)
    for case in chosen:
        theirs, *both = pictures(case)
        apart = [np.abs(ours - theirs) for ours in both]
        means = [float(a.mean()) for a in apart]
        shares = [float((a.max(axis=-1) > 8).mean()) for a in apart]
        found.append((max(means), max(shares), means, shares, case))
    print(f"{len(found)} cases, each composed and painted")
    print(f"mean difference: at most {max(f[0] for f in found):.3f} of 255")
    print(f"pixels that differ by more than 8: at most {max(f[1] for f in found):.4%}")
    for k, title in ((0, "Worst by mean difference"), (1, "Worst by pixels beyond 8")):
        worst = sorted(found, key=lambda f: f[k], reverse=True)[:10]
        table = [(*GRID, "mean, composed", "painted", "beyond 8", "painted")]
        for _, _, means, shares, case in worst:
            table.append(
                (*case.values(), *(f"{m:.3f}" for m in means), *(f"{s:.4%}" for s in shares))
            )
        rows(title, table)
    if options.pictures:
        save_pairs(sorted(found, key=lambda f: f[0], reverse=True)[:6], options.pictures)


def save_pairs(worst, folder):
    """Agg's picture, ours, and their difference times 20, side by side."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for k, (*_, case) in enumerate(worst):
        theirs, composed, _ = pictures(case)
        apart = 255 - np.clip(20 * np.abs(theirs - composed), 0, 255)
        strip = np.concatenate([theirs, composed, apart], axis=1)[..., :3]
        Image.fromarray(strip.astype(np.uint8)).save(folder / f"worst_{k}.png")


if __name__ == "__main__":
    main()
