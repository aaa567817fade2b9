"""Arrays in, arrays out: what is passed to `propagate`, checked and opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from scanpy_anim._checks import whole
from scanpy_anim._compiled import kept_functions
from scanpy_anim._table import is_dask, is_elsewhere
from scanpy_anim._threads import limit_threads
from scanpy_anim.tl._blocks import BlockGraph, open_blocks
from scanpy_anim.tl._graph import as_csr
from scanpy_anim.tl._history_store import HistoryStore
from scanpy_anim.tl._options import Clamp, History, Method, Normalization, Options
from scanpy_anim.tl._peak import require_mean
from scanpy_anim.tl._propagation import run
from scanpy_anim.tl._signal import nonzero_rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy import sparse

    from scanpy_anim.tl._outcome import Propagation


@kept_functions()
def propagate(
    graph: Any,
    signal: Any,
    *,
    alpha: float = 0.99,
    clamp: Clamp = "soft",
    method: Method = "iterative",
    normalization: Normalization = "symmetric",
    tol: float = 1e-2,
    max_iter: int = 100,
    limit: bool = True,
    history: History = "scores",
    every: int = 1,
    iterations: Sequence[int] | Literal["log"] | None = None,
    symmetrize: bool = False,
    history_store: Any = None,
    n_threads: int | None = None,
) -> Propagation:
    """Let a signal run over a graph, and keep every iteration: arrays in, arrays out.

    What :func:`label_propagation` does with an AnnData, for any other container. The equations
    are there.

    Parameters
    ----------
    graph
        `(n_obs, n_obs)` sparse matrix or array of any format, or a dense array; weights of 0 or
        more. Row `i` lists the cells that cell `i` receives from. It is not changed, and not
        copied when it is float32 CSR. Or a Dask array of CSR chunks of rows, which is read block
        by block in each iteration and never put together, by whatever Dask scheduler is set.
    signal
        `(n_obs,)` or `(n_obs, n_classes)`, dense or sparse, finite. Non-zero rows are the
        seeds.
    alpha, clamp, method, normalization, tol, max_iter, limit, history
        As in :func:`label_propagation`.
    every, iterations, symmetrize
        As in :func:`label_propagation`.
    history_store
        As in :func:`label_propagation`, with a Dask array.
    n_threads
        Threads to use; the default is what numba uses, with a Dask array Dask's. The result does
        not depend on it.

    Returns
    -------
    Propagation
        `history`, `limit`, `residuals`, `converged` and more.

    Raises
    ------
    ValueError, TypeError
        An argument that makes no sense, said before work starts.
    MemoryError
        The history would not fit into memory.

    Examples
    --------
    >>> import numpy as np
    >>> from scanpy_anim.tl import propagate
    >>> path = np.eye(4, k=1) + np.eye(4, k=-1)
    >>> outcome = propagate(path, [1, 0, 0, 0], alpha=0.5, tol=0, max_iter=3)
    >>> outcome.history.shape, outcome.unreached.tolist()
    ((4, 5), [2, 1, 0])
    >>> bool(outcome.limit_residual < 1e-12)
    True
    """
    options = Options.checked(
        alpha=alpha,
        clamp=clamp,
        method=method,
        normalization=normalization,
        tol=tol,
        max_iter=max_iter,
        limit=limit,
        history=history,
        every=every,
        iterations=iterations,
        symmetrize=symmetrize,
    )
    if n_threads is not None:
        whole("n_threads", n_threads)
    require_mean(graph, options)
    adjacency = read_graph(graph, symmetrize=options.symmetrize)
    store = open_store(history_store, "history", adjacency)
    seeds, rows = nonzero_rows_of(signal, adjacency.shape[0])
    with limit_threads(n_threads):
        return run(adjacency, seeds, rows, options, store)


def read_graph(
    graph: Any, n_obs: int | None = None, *, symmetrize: bool, name: str = "graph"
) -> sparse.csr_array | BlockGraph:
    """Graph that can be walked on: in memory, or in blocks where it is a Dask array."""
    if is_dask(graph):
        return open_blocks(graph, n_obs, symmetrize=symmetrize, name=name)
    if is_elsewhere(graph) and type(graph).__name__.endswith(("Group", "CSRDataset", "CSCDataset")):
        raise TypeError(
            f"{name} is in a file ({type(graph).__name__}): pass what "
            "`anndata.experimental.read_elem_lazy(group, chunks=(100_000, n_obs))` gives, which is "
            "read block by block, or `anndata.io.read_elem(group)`, which is in memory"
        )
    return as_csr(graph, n_obs, symmetrize=symmetrize, name=name)


def open_store(
    history_store: Any, key: str, graph: sparse.csr_array | BlockGraph
) -> HistoryStore | None:
    """Where the history of a graph in blocks goes; None for one in memory."""
    if isinstance(graph, BlockGraph):
        return HistoryStore(history_store, key)
    if history_store is not None:
        raise ValueError(
            f"history_store={history_store!r} is for graphs in blocks, this one is in memory, and "
            "so is its history: leave it out"
        )
    return None
