"""The page that holds the scores in headless Chromium: `python check_explorer.py [folder [check]]`.

Needs Debian's `chromium`, node and `playwright-core` (`npm install playwright-core` in the folder,
or wherever `NODE_PATH` points). Makes pages, opens them as `check_explorer.js` says, writes
screenshots into the folder and prints one line a check.
"""

from __future__ import annotations

import html
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import scanpy as sc

import scanpy_anim as sca

NASTY = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>\u2028\n"
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"


def pages(folder: Path) -> None:
    cells = sc.datasets.pbmc68k_reduced()
    sca.tl.label_propagation(cells, [0, 1])
    cells.obsm["X_space"] = cells.obsm["X_pca"][:, :3]
    film = sca.pl.animate_embedding(cells)
    film.explore(hover=["n_genes", "louvain"]).save(folder / "scores.html")
    labeled = sc.datasets.pbmc68k_reduced()
    kinds = labeled.obs["bulk_labels"]
    labeled.obs["bulk_labels"] = kinds.cat.rename_categories({"CD34+": NASTY})
    labeled.obs_names = [f"{name} {NASTY}" for name in labeled.obs_names]
    rng = np.random.default_rng(0)
    seeds = {
        kind: list(rng.choice(np.flatnonzero(labeled.obs["bulk_labels"] == kind), 3, replace=False))
        for kind in labeled.obs["bulk_labels"].cat.categories
    }
    sca.tl.label_propagation(labeled, seeds)
    page = sca.pl.animate_embedding(labeled).explore(names=True)
    page.save(folder / "labels.html")
    morph = sca.pl.animate_embedding(cells, basis=["umap", "pca"], tween=6)
    morph.explore(hover=["n_genes"]).save(folder / "morph.html")
    sides = [{"color": "bulk_labels", "basis": ["pca", "umap"]}, {"color": "louvain"}]
    panels = sca.pl.animate_embedding(cells, panels=["label_propagation", *sides])
    panels.explore(hover=["n_genes"]).save(folder / "panels.html")
    space = sca.pl.animate_embedding(cells, basis="space", projection="3d", rotate=120)
    space.explore(hover=["n_genes"]).save(folder / "turn.html")
    anew = sca.pl.animate_embedding(cells, sort_order="frame", tween=2)
    anew.explore(hover=["n_genes"]).save(folder / "sorted.html")
    (folder / "notebook.html").write_text(f"<!doctype html><body>{page._repr_html_()}")
    text = (folder / "scores.html").read_text("utf-8")
    cut = text.index('data-part="frame-1"') + 80
    (folder / "truncated.html").write_text(text[:cut], "utf-8")
    broken = text.replace('data-part="xy">', 'data-part="xy">AAAA', 1)
    (folder / "damaged.html").write_text(broken, "utf-8")
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    (folder / "policy.html").write_text(text.replace("<head>", f"<head>{policy}", 1), "utf-8")
    for name, sandbox in (("srcdoc", ""), ("sandbox", "sandbox=allow-scripts")):
        frame = f'<iframe {sandbox} width=900 height=800 srcdoc="{html.escape(text)}"></iframe>'
        (folder / f"{name}.html").write_text(f"<!doctype html>{frame}", "utf-8")
    first = fragment_of(folder / "scores.html")
    hidden = f'<!doctype html><meta charset=utf-8><body style="display:none"><div>{first}</div>'
    (folder / "hidden.html").write_text(hidden, "utf-8")
    kinds = ("scores", "panels", "labels", "morph", "turn", "sorted")
    for kind in kinds[1:]:
        text = (folder / f"{kind}.html").read_text("utf-8")
        whole = html.escape(text.replace("<head>", f"<head>{policy}", 1))
        frame = f'<iframe sandbox=allow-scripts width=900 height=800 srcdoc="{whole}"></iframe>'
        (folder / f"{kind}-framed.html").write_text(f"<!doctype html>{frame}", "utf-8")
        (folder / f"{kind}-cut.html").write_text(text[: text.rindex("data-part=") - 200], "utf-8")
    players = [fragment_of(folder / f"{kind}.html") for kind in kinds]
    copies = [re.sub("<script>.*?</script>", "", player, flags=re.S) for player in players]
    many = "".join(players) + "".join((copies * 40)[: 200 - len(players)])
    (folder / "many.html").write_text(f"<!doctype html><meta charset=utf-8>{many}", "utf-8")


def fragment_of(path: Path) -> str:
    """The player of a page, as it stands in a page of somebody else's."""
    text = path.read_text("utf-8")
    fragment = text[text.index("<div class=") : text.rindex("</main>")]
    return fragment.replace(' data-page="1"', "", 1)


def strange_pages(folder: Path) -> None:
    """Films at the edge of what there is."""

    def saved(name: str, n: int, how: dict | None = None, **obs: object) -> None:
        cells = sc.AnnData(np.zeros((n, 1), np.float32))
        space = np.random.default_rng(0).normal(size=(n, 3))
        cells.obsm["X_umap"], cells.obsm["X_other"] = space[:, :2].copy(), space[:, 1:].copy()
        gone = n // 2 if "nowhere" in name else n if "gone" in name else 0
        cells.obsm["X_umap"][:gone] = space[:gone] = np.nan
        cells.obsm["X_space"] = space
        for column, values in obs.items():
            cells.obs[column] = values
        if name == "twice":
            cells.obs_names = ["one name"] * n
        how = {"color": list(obs)} if how is None else how
        film = sca.pl.animate_embedding(cells, frame_title=None, **how)
        film.explore().save(folder / f"{name}.html")

    saved("one", 1, a=[1.0], b=[2.0])
    saved("missing", 50, a=np.nan, b=np.nan)
    saved("nowhere", 50, a=np.arange(50.0), b=1.0)
    saved("gone", 50, a=np.arange(50.0), b=1.0)
    saved("twice", 50, a=np.arange(50.0), b=np.arange(50.0)[::-1])
    saved("still", 50, a=np.arange(50.0))
    morph, panels = {"color": "a", "basis": ["umap", "other"]}, {"panels": ["a", "b"]}
    turn = {"color": "a", "basis": "space", "projection": "3d"}
    for kind, n in (("one", 1), ("nowhere", 50), ("gone", 50)):
        for way, how in (("moving", morph), ("turning", turn), ("several", panels)):
            saved(f"{way}-{kind}", n, how, a=np.arange(float(n)), b=1.0)
    names = [f"type {i}" for i in range(300)]
    classes = pd.Categorical(np.repeat(names, 2), categories=names)
    saved("many-classes", 600, a=classes)
    for way, how in (("moving", morph), ("turning", turn), ("several", panels)):
        saved(f"{way}-missing", 50, how, a=np.nan, b=np.nan)
        saved(f"{way}-many-classes", 600, how, a=classes, b=1.0)
    anew = {"color": ["a", "b"], "sort_order": "frame"}
    saved("sorted-missing", 50, anew, a=np.nan, b=np.arange(50.0))
    saved("sorted-one", 1, anew, a=[1.0], b=[2.0])


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    pages(folder)
    strange_pages(folder)
    driver = Path(__file__).with_suffix(".js")
    subprocess.run(["node", str(driver), str(folder), *sys.argv[2:]], check=True)
    print(f"screenshots in {folder}")


if __name__ == "__main__":
    main()
