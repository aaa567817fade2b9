"""Propagation on graphs larger than memory: out of core, on threads and on worker processes.

    python benchmarks/atlas.py write --cells 4000000 atlas.zarr
    python benchmarks/atlas.py threads atlas.zarr            # time an iteration, peak memory
    python benchmarks/atlas.py read atlas.zarr               # the same bytes, read by Dask alone
    python benchmarks/atlas.py turns atlas.zarr              # both in turns, and their ratio
    python benchmarks/atlas.py memory atlas.zarr             # the whole graph in memory, numpy path
    python benchmarks/atlas.py blocks atlas.zarr             # the same in memory, as Dask's blocks
    python benchmarks/atlas.py workers --workers 2 atlas.zarr
    python benchmarks/atlas.py threads --history h.zarr atlas.zarr
    python benchmarks/atlas.py film --history h.zarr atlas.zarr

The atlas is made up block by block: cells along a ring, joined to near ones and to a few far ones.
"""

from __future__ import annotations

import argparse
import resource
import time
from functools import partial
from pathlib import Path

import anndata as ad
import dask
import dask.array
import numpy as np
import pandas as pd
import xarray as xr
import zarr
from anndata.experimental import read_elem_lazy
from anndata.experimental.backed import Dataset2D
from scipy import sparse

import scanpy_anim as sca

WHAT = ["write", "threads", "read", "turns", "memory", "blocks", "workers", "film"]


def write(path: Path, n_obs: int, n_neighbors: int, n_rows: int) -> None:
    """Write a graph block by block, as anndata stores CSR."""
    random = np.random.default_rng(0)
    group = zarr.open_group(path, mode="w")
    n_weights = n_obs * n_neighbors
    store = group.create_group("obsp/connectivities")
    store.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
    store.attrs["shape"] = [n_obs, n_obs]
    chunk = n_rows * n_neighbors
    for name, dtype in (("data", "float32"), ("indices", "int32")):
        store.create_array(name, shape=(n_weights,), chunks=(chunk,), dtype=dtype)
    indptr = np.arange(n_obs + 1, dtype=np.int64) * n_neighbors
    store.create_array("indptr", data=indptr, chunks=(n_rows,))
    for start in range(0, n_obs, n_rows):
        rows = np.arange(start, min(start + n_rows, n_obs))[:, None]
        near = random.integers(1, 2000, size=(len(rows), n_neighbors), dtype=np.int64)
        near[:, ::2] *= -1
        far = random.random((len(rows), n_neighbors)) < 0.02
        near[far] = random.integers(n_obs, size=int(far.sum()))
        columns = np.sort((rows + near) % n_obs, axis=1).astype(np.int32)
        # a few digits, as weights have that mean something
        weights = (random.integers(1, 256, size=columns.shape) / 256).astype(np.float32)
        part = slice(start * n_neighbors, (start + len(rows)) * n_neighbors)
        store["indices"][part], store["data"][part] = columns.ravel(), weights.ravel()
    angle = np.linspace(0, 2 * np.pi, n_obs, endpoint=False)
    umap = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (1 + random.random((n_obs, 1)))
    ad.io.write_elem(group, "obsm/X_umap", umap.astype(np.float32))
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    print(f"{n_obs:,} cells, {n_weights:,} weights, {size / 1e9:.2f} GB on disk")


def graph_of(path: Path, n_rows: int):
    group = zarr.open_group(path, mode="r")["obsp/connectivities"]
    return read_elem_lazy(group, chunks=(n_rows, group.attrs["shape"][1]))


def in_blocks(path: Path, n_rows: int):
    """Blocks that are in memory already."""
    graph = graph_of(path, n_rows)
    blocks = [dask.delayed(block.compute()) for block in graph.to_delayed().ravel()]
    parts = [
        dask.array.from_delayed(b, (rows, graph.shape[1]), graph.dtype, meta=graph._meta)
        for b, rows in zip(blocks, graph.chunks[0], strict=True)
    ]
    return dask.array.concatenate(parts)


def film(path: Path, history: Path) -> None:
    """Make and save a film of cells without names, which would be most of what is in memory."""
    scores = dask.array.from_zarr(zarr.open_group(history, mode="r")["history"])
    umap = read_elem_lazy(zarr.open_group(path, mode="r")["obsm/X_umap"])
    cells = Dataset2D(xr.Dataset(coords={"cell": pd.RangeIndex(len(umap))}))
    adata = ad.AnnData(obs=cells, obsm={"X_umap": umap, "scores": scores})
    begin = time.perf_counter()
    made = sca.pl.animate_embedding(adata, color="scores", scale="rank", basis="umap")
    print(f"made: {time.perf_counter() - begin:.1f} s, peak {peak():.2f} GB")
    made.save(history.with_suffix(".mp4"))
    print(f"saved: {time.perf_counter() - begin:.1f} s, {scores.shape[1]} frames")


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def signal_of(n_obs: int, n_classes: int) -> sparse.csr_array:
    cells = np.linspace(0, n_obs - 1, 50 * n_classes, dtype=int)
    return sparse.csr_array(
        (np.ones(len(cells)), (cells, np.arange(len(cells)) % n_classes)),
        shape=(n_obs, n_classes),
    )


def walk(graph, n_iter: int, n_classes: int, *, limit: bool, history: Path | None) -> None:
    signal = signal_of(graph.shape[0], n_classes)
    sca.tl.propagate(graph, signal, max_iter=1, tol=0, limit=False)  # compiled, cached
    spent = []
    for n in (2, n_iter):
        begin, used = time.perf_counter(), time.process_time()
        store = history if n == n_iter else None
        found = sca.tl.propagate(graph, signal, max_iter=n, tol=0, limit=limit, history_store=store)
        spent.append((time.perf_counter() - begin, time.process_time() - used))
        print(f"{n} iterations: {spent[-1][0]:.1f} s, {spent[-1][1]:.1f} s of processors")
        del found
    wall, cpu = ((b - a) / (n_iter - 2) for a, b in zip(*spent, strict=True))
    print(f"an iteration: {wall:.2f} s, {cpu:.2f} s of processors")


def timed(work) -> np.ndarray:
    begin, used = time.perf_counter(), time.process_time()
    work()
    return np.array([time.perf_counter() - begin, time.process_time() - used])


def read_once(graph) -> None:
    sums = [dask.delayed(lambda block: block.data.sum())(b) for b in graph.to_delayed().ravel()]
    dask.compute(sums)


def read(graph) -> None:
    for _ in range(3):
        print("read: {:.2f} s, {:.2f} s of processors".format(*timed(lambda: read_once(graph))))


def turns(graph, n_classes: int) -> None:
    """Reading, and four iterations more of the same call, one after the other."""
    signal = signal_of(graph.shape[0], n_classes)

    def call(n: int) -> None:
        sca.tl.propagate(graph, signal, max_iter=n, tol=0, limit=False)

    call(1)  # compiled, cached
    found = []
    for _ in range(3):
        short, long = timed(lambda: call(2)), timed(lambda: call(6))
        found.append((timed(lambda: read_once(graph)), (long - short) / 4))
    reading, iteration = np.median(found, axis=0)
    print("read: {:.2f} s, {:.2f} s of processors".format(*reading))
    print("an iteration: {:.2f} s, {:.2f} s of processors".format(*iteration))
    print("ratio: {:.2f}, {:.2f}".format(*(iteration / reading)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=WHAT)
    parser.add_argument("path", type=Path)
    parser.add_argument("--cells", type=int, default=4_000_000)
    parser.add_argument("--neighbors", type=int, default=20)
    parser.add_argument("--rows", type=int, default=250_000, help="a chunk")
    parser.add_argument("--iterations", type=int, default=18)
    parser.add_argument("--classes", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--memory-limit", default="2GB", help="of a worker")
    parser.add_argument("--history", type=Path, help="where the history goes, or is")
    parser.add_argument("--limit", action="store_true", help="solve for the limit too")
    given = parser.parse_args()
    if given.what == "write":
        write(given.path, given.cells, given.neighbors, given.rows)
        return
    graph = graph_of(given.path, given.rows)
    how = partial(
        walk,
        n_iter=given.iterations,
        n_classes=given.classes,
        limit=given.limit,
        history=given.history,
    )
    if given.what == "threads":
        how(graph)
    elif given.what == "film":
        film(given.path, given.history)
    elif given.what == "blocks":
        how(in_blocks(given.path, given.rows))
    elif given.what == "read":
        read(graph)
    elif given.what == "turns":
        turns(graph, given.classes)
    elif given.what == "memory":
        whole = ad.io.read_elem(zarr.open_group(given.path, mode="r")["obsp/connectivities"])
        how(whole)
    else:
        from distributed import Client, LocalCluster

        with (
            LocalCluster(
                n_workers=given.workers,
                threads_per_worker=1,
                memory_limit=given.memory_limit,
                dashboard_address=":0",
            ) as cluster,
            Client(cluster),
        ):
            how(graph)
    print(f"peak of this process: {peak():.2f} GB")


if __name__ == "__main__":
    main()
