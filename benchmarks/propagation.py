"""Label propagation against the same recurrence elsewhere: time, memory, bandwidth.

    python benchmarks/propagation.py [speed] [rivals] [limit] [memory] [growth] [compile]

Everything is measured in turns within one run, on a made-up atlas (see ``propagation_atlas``),
and given as the median of the ratios of each turn.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import warnings
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from propagation_atlas import atlas
from scipy import sparse
from scipy.stats import spearmanr

import scanpy_anim.tl as tl

if TYPE_CHECKING:
    from collections.abc import Callable

N_ITER = 18
ALPHA = 0.99
WAY = {"alpha": ALPHA, "tol": 0, "max_iter": N_ITER, "limit": False}


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turns(ours: Callable[[], Any], theirs: Callable[[], Any], n: int) -> tuple[float, ...]:
    """Medians of our time, their time, and of the ratio within a turn; the first is warm-up."""
    ours()
    turns = [(seconds(ours), seconds(theirs)) for _ in range(n)]
    return (
        median(o for o, _ in turns),
        median(t for _, t in turns),
        median(t / o for o, t in turns),
    )


def seeded(n_obs: int, n_classes: int, per_class: int = 50) -> tuple[Any, np.ndarray]:
    """Seeds as one writes them, and the dense signal they mean."""
    cells = np.random.default_rng(0).choice(n_obs, per_class * n_classes, replace=False)
    signal = np.zeros((n_obs, n_classes))
    signal[cells, np.arange(len(cells)) % n_classes] = 1
    if n_classes == 1:
        return cells, signal[:, 0]
    return {f"type {c}": cells[c::n_classes] for c in range(n_classes)}, signal


def normalized(graph: Any, dtype: Any = np.float64) -> sparse.csr_matrix:
    """``S``, which scipy converts at every product when it is float32 and the signal float64."""
    scale = sparse.diags(1 / np.sqrt(np.asarray(graph.sum(axis=1), dtype=dtype).ravel()))
    return (scale @ graph.astype(dtype) @ scale).tocsr()


def yardstick(step: Any, signal: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """The recurrence as one writes it with scipy, history stored."""
    scores, history, residuals = signal, [signal], []
    for _ in range(N_ITER):
        new = ALPHA * (step @ scores) + (1 - ALPHA) * signal
        residuals.append(((new - scores) ** 2).sum() / (new**2).sum())
        scores = new
        history.append(scores)
    return np.stack(history, axis=1), residuals


def _from_graph(graph: Any, dtype: Any, signal: np.ndarray) -> None:
    yardstick(normalized(graph, dtype), signal)


def speed() -> None:
    adata = atlas()
    graph = adata.obsp["connectivities"]
    print(f"\n{adata.n_obs} cells, {graph.nnz / adata.n_obs:.1f} neighbours, {N_ITER} iterations")
    print("| classes | ours, s | S float64 | S float32 | normalising, float64 | float32 |")
    print("|---|---|---|---|---|---|")
    steps = {dtype: normalized(graph, dtype) for dtype in (np.float64, np.float32)}
    for n_classes, turns in ((1, 31), (10, 5), (44, 3)):
        seeds, signal = seeded(adata.n_obs, n_classes)
        bare = [partial(yardstick, step, signal) for step in steps.values()]
        whole = [partial(_from_graph, graph, dtype, signal) for dtype in steps]
        ours = partial(tl.label_propagation, adata, seeds, **WAY)
        cells, taken = [], []
        for theirs in (*bare, *whole):
            own, other, ratio = in_turns(ours, theirs, turns)
            cells.append(f"{other:.3f} s, {ratio:.1f} x")
            taken.append(own)
        print(f"| {n_classes} | {median(taken):.3f} | {' | '.join(cells)} |", flush=True)
    bandwidth(graph)


def bandwidth(graph: Any) -> None:
    """Bytes an iteration has to move, against a triad (a = b + s * c)."""
    from numba import njit, prange, set_num_threads

    @njit(parallel=True)
    def triad(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
        for i in prange(len(a)):
            a[i] = b[i] + 3 * c[i]

    a, b, c = (np.ones(20_000_000, dtype=np.float32) for _ in range(3))
    triad(a, b, c)
    best = 3 * a.nbytes / min(seconds(lambda: triad(a, b, c)) for _ in range(9)) / 1e9
    print(f"\ntriad: {best:.1f} GB/s")
    set_num_threads(os.cpu_count() or 1)
    for n_classes in (1, 10, 44):
        signal = seeded(graph.shape[0], n_classes)[1].astype(np.float32)
        runs = []
        for n_iter in (15, 30):  # both renumber cells where there are several classes
            how = WAY | {"max_iter": n_iter, "iterations": [n_iter]}
            call = partial(tl.propagate, graph, signal, **how)
            call()
            runs.append(min(seconds(call) for _ in range(3)))
        each = (runs[1] - runs[0]) / 15
        # graph once, signal read and written once, two scalings; a gather costs no extra bytes
        moved = graph.nnz * 8 + graph.shape[0] * (4 + 8 * n_classes + 8)
        print(
            f"{n_classes} classes: {each * 1e3:.1f} ms an iteration, {moved / each / 1e9:.1f} GB/s"
        )


def rivals() -> None:
    """scikit-learn's LabelSpreading and scikit-network's DiffusionClassifier, 10 classes."""
    from sklearn.semi_supervised import LabelSpreading
    from sknetwork.classification import DiffusionClassifier

    adata = atlas()
    graph = sparse.csr_matrix(adata.obsp["connectivities"])
    seeds, signal = seeded(adata.n_obs, 10)
    target = np.where(signal.any(axis=1), signal.argmax(axis=1), -1)

    def spreading() -> None:
        model = LabelSpreading(kernel=lambda *_: graph, alpha=ALPHA, max_iter=N_ITER, tol=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(np.zeros((adata.n_obs, 1)), target)

    labels = {int(i): int(target[i]) for i in np.flatnonzero(target >= 0)}

    def diffusion() -> None:
        DiffusionClassifier(n_iter=N_ITER).fit(graph, labels)

    def ours() -> None:
        tl.label_propagation(adata, seeds, **WAY)

    print("\n| 10 classes, 18 iterations | theirs, s | ours, s | x |\n|---|---|---|---|")
    for name, theirs in (("sklearn LabelSpreading", spreading), ("sknetwork Diffusion", diffusion)):
        own, other, ratio = in_turns(ours, theirs, 5)
        print(f"| {name} | {other:.2f} | {own:.2f} | {ratio:.1f} |", flush=True)


def limit() -> None:
    """Personalised PageRank to convergence, one seed set; then all modes of ours."""
    import igraph
    from scipy.sparse.linalg import cg
    from sknetwork.ranking import PageRank

    graph = sparse.csr_matrix(atlas().obsp["connectivities"])
    n_obs = graph.shape[0]
    seeds, signal = seeded(n_obs, 1)
    signal = signal / signal.sum()
    degrees = np.asarray(graph.sum(axis=0)).ravel()
    system = sparse.diags(degrees) - ALPHA * graph.astype(np.float64)
    exact = degrees * cg(system, (1 - ALPHA) * signal, rtol=1e-14, M=sparse.diags(1 / degrees))[0]
    upper = sparse.triu(graph, k=1).tocoo()
    network = igraph.Graph(n=n_obs, edges=np.c_[upper.row, upper.col])
    network.es["weight"] = upper.data.astype(float)
    weights = {int(i): 1.0 for i in seeds}
    how = {"alpha": ALPHA, "normalization": "pagerank", "method": "direct"}

    def ours() -> np.ndarray:
        return tl.propagate(graph, signal, **how).limit

    def by_igraph() -> np.ndarray:
        return np.array(
            network.personalized_pagerank(
                damping=ALPHA, reset_vertices=seeds.tolist(), weights="weight"
            )
        )

    def by_sknetwork(**options: Any) -> np.ndarray:
        return PageRank(ALPHA, **options).fit_predict(graph, weights)

    others = {
        "igraph": by_igraph,
        "sknetwork power, tol 1e-10": lambda: by_sknetwork(
            solver="piteration", n_iter=3000, tol=1e-10
        ),
        "sknetwork bicgstab, tol 1e-10": lambda: by_sknetwork(solver="bicgstab", tol=1e-10),
        "sknetwork lanczos": lambda: by_sknetwork(solver="lanczos"),
        "sknetwork lanczos, tol 1e-8": lambda: by_sknetwork(solver="lanczos", tol=1e-8),
    }
    print("\n| PageRank, alpha 0.99 | s | error^2 | Spearman | ours, s | x |")
    print("|---|---|---|---|---|---|")
    error = lambda x: ((x - exact) ** 2).sum() / (exact**2).sum()  # noqa: E731
    found = ours()
    print(f"| ours | | {error(found):.1e} | {spearmanr(found, exact).statistic:.7f} | | |")
    for name, theirs in others.items():
        own, other, ratio = in_turns(ours, theirs, 3)
        found = theirs()
        print(
            f"| {name} | {other:.2f} | {error(found):.1e} | "
            f"{spearmanr(found, exact).statistic:.7f} | {own:.2f} | {ratio:.1f} |",
            flush=True,
        )
    print("\n| alpha | classes | s | iterations | residual |\n|---|---|---|---|---|")
    for alpha in (0.8, 0.99, 0.999):
        for n_classes in (1, 10, 44):
            signal = seeded(n_obs, n_classes)[1]
            start = time.perf_counter()
            outcome = tl.propagate(graph, signal, alpha=alpha, method="direct")
            took = time.perf_counter() - start
            print(
                f"| {alpha} | {n_classes} | {took:.2f} | {outcome.limit_iterations} | "
                f"{outcome.limit_residual:.1e} |",
                flush=True,
            )


def memory() -> None:
    """Peak resident memory over the loaded AnnData, against history + 3 signals + 2 floats."""
    print("\n| classes | peak over the loaded AnnData, MB | history + 3 signals + 2 floats, MB |")
    print("|---|---|---|")
    for n_classes in (1, 10, 44):
        code = f"import propagation as p; p.peak({n_classes})"
        command = [sys.executable, "-W", "ignore", "-c", code]
        subprocess.run(command, check=True, cwd=Path(__file__).parent)


def peak(n_classes: int) -> None:
    import psutil

    adata = atlas()
    seeds, _ = seeded(adata.n_obs, n_classes)
    small = adata[:2000].copy()
    tl.label_propagation(small, np.arange(50) if n_classes == 1 else {"a": [1], "b": [2]}, **WAY)
    process, highest, running = psutil.Process(), [0], [True]
    before = process.memory_info().rss

    def watch() -> None:
        while running[0]:
            highest[0] = max(highest[0], process.memory_info().rss)
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    tl.label_propagation(adata, seeds, **WAY)
    running[0] = False
    watcher.join()
    allowed = 4 * adata.n_obs * (n_classes * (N_ITER + 1 + 3) + 2)
    print(f"| {n_classes} | {(highest[0] - before) / 1e6:.0f} | {allowed / 1e6:.0f} |", flush=True)


def growth() -> None:
    print("\n| classes | 209,126 cells, s | 1,000,000 cells, s | x |\n|---|---|---|---|")
    small, large = atlas(), atlas(1_000_000)
    for n_classes in (1, 10):
        few, many = seeded(small.n_obs, n_classes)[0], seeded(large.n_obs, n_classes)[0]
        own, other, ratio = in_turns(
            lambda few=few: tl.label_propagation(small, few, **WAY),
            lambda many=many: tl.label_propagation(large, many, **WAY),
            3,
        )
        print(f"| {n_classes} | {own:.2f} | {other:.2f} | {ratio:.1f} |", flush=True)


def compile() -> None:
    """First call in a fresh installation, and with the kernels cached."""
    import tempfile

    script = (
        "import time, numpy as np; from scanpy_anim import tl; import numba; "
        "g = np.eye(9, k=1, dtype='f4') + np.eye(9, k=-1, dtype='f4'); s = time.perf_counter(); "
        "tl.propagate(g, np.eye(9)[0]{how}); print(f'{{time.perf_counter() - s:.2f}} s')"
    )
    for name, how in (("one class", ", limit=False"), ("one class, with limit", "")):
        with tempfile.TemporaryDirectory() as fresh:
            for state in ("fresh", "cached"):
                print(f"{name}, {state}: ", end="", flush=True)
                subprocess.run(
                    [sys.executable, "-W", "ignore", "-c", script.format(how=how)],
                    check=True,
                    env=os.environ | {"NUMBA_CACHE_DIR": fresh},
                )


if __name__ == "__main__":
    parts = {f.__name__: f for f in (speed, rivals, limit, memory, growth, compile)}
    print("cores", os.cpu_count(), "load", [round(x, 1) for x in os.getloadavg()])
    for part in sys.argv[1:] or parts:
        parts[part]()
    print("load", [round(x, 1) for x in os.getloadavg()])
