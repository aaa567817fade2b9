"""What is done with a block of a graph where it is read: on a thread here, on a worker elsewhere.

Chunks come one after the other, as Dask has them. Arrays in, arrays out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from scanpy_anim._cells import native
from scanpy_anim.tl._block_kernels import (
    finish_rows,
    look_rows,
    mark_columns,
    reach_rows,
    send_rows,
)
from scanpy_anim.tl._checksum import marked_sums
from scanpy_anim.tl._graph import require_structure
from scanpy_anim.tl._product_kernels import multiply, receive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Chunks = Iterator[tuple[int, Any]]


class Seen(NamedTuple):
    """What a look at a block found: row sums, and of all of it a few numbers."""

    sums: NDArray[np.float64]
    n_weights: int
    smallest: float
    largest: float
    balance: int
    n_bytes: int
    marked: float
    total: float


class Stepped(NamedTuple):
    """Rows after an iteration: scaled scores, best class and its score, reached; sums, least."""

    signal: NDArray[np.float32]
    labels: NDArray[np.int32]
    best: NDArray[np.float32]
    reached: NDArray[np.bool_]
    change: float
    total: float
    least: float


def look_at(chunks: Chunks, rows: slice, n_obs: int, name: str) -> Seen:
    """Check the rows of a block, and add them up."""
    sums = np.zeros(rows.stop - rows.start)
    n_weights, n_bytes, smallest, largest, balance = 0, 0, np.inf, 0.0, 0
    marked = total = 0.0
    row = rows.start
    for start, chunk in chunks:
        block = _checked(chunk, start, n_obs, name)
        own = sums[start - rows.start :][: block.shape[0]]
        if len(block.data):
            data = _rounded(native(block.data))
            how = (*_pattern(block), data, data.view(np.uint64), own)
            least, most, left = look_rows(start, *how)
            smallest, largest = min(smallest, least), max(largest, most)
            balance += int(left)
            part = marked_sums(start, *_pattern(block), data)
            marked, total = marked + part[0], total + part[1]
        n_weights += len(block.data)
        n_bytes += sum(array.nbytes for array in (block.data, block.indices, block.indptr))
        row += block.shape[0]
    if row != rows.stop:
        raise ValueError(
            f"{name}: rows {rows.start} to {rows.stop} come in chunks of {row - rows.start} rows"
        )
    return Seen(sums, n_weights, smallest, largest, balance, n_bytes, marked, total)


def _rounded(weights: NDArray[Any]) -> NDArray[np.float64]:
    """Weights with the digits of float32, whatever their size: what is multiplied with later."""
    if weights.dtype == np.float32:
        return weights.astype(np.float64)
    mantissa, exponent = np.frexp(weights.astype(np.float64, copy=False))
    return np.ldexp(mantissa.astype(np.float32).astype(np.float64), exponent)


def _checked(chunk: Any, start: int, n_obs: int, name: str) -> Any:
    """Chunk of a graph, if it is one."""
    where = f"{name}, chunk of rows from {start} on"
    if not sparse.issparse(chunk) or chunk.format != "csr":
        kind = chunk.format.upper() if sparse.issparse(chunk) else type(chunk).__name__
        raise TypeError(
            f"{where}, is {kind}: chunks must be CSR matrices of whole rows. Turn them into such, "
            "`graph.map_blocks(scipy.sparse.csr_matrix)`, or read the graph with "
            "`anndata.experimental.read_elem_lazy`"
        )
    if chunk.shape[1] != n_obs:
        raise ValueError(f"{where}, has {chunk.shape[1]} columns, but there are {n_obs} cells")
    if chunk.dtype.kind not in "biuf":
        raise TypeError(f"{where}, is of dtype {chunk.dtype}: weights must be real numbers")
    require_structure(chunk, where)
    data = chunk.data
    # min and max pass NaN on
    if len(data) and not (data.min() >= 0 and np.isfinite(data.max())):
        wrong = int((~(data >= 0) | np.isinf(data)).sum())
        raise ValueError(
            f"{where}: {wrong} of {len(data)} weights are negative, NaN or infinite. Weights say "
            "how alike two cells are: finite, 0 or more"
        )
    return chunk


def _pattern(block: Any) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    return native(block.indptr).astype(np.int64, copy=False), native(block.indices)


def _weights_of(
    chunk: Any, exponent: int, lift: NDArray[np.int32] | None = None
) -> tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.float32]]:
    """CSR arrays of a checked chunk; weights divided by a power of two, rows times others."""
    indptr, indices = _pattern(chunk)
    data = native(chunk.data)
    if exponent:
        data = np.ldexp(data, -exponent)
    data = data.astype(np.float32, copy=False)
    if lift is not None:
        data = np.ldexp(data, np.repeat(lift, np.diff(indptr)))
    return indptr, indices, data


def multiply_block(
    chunks: Chunks,
    rows: slice,
    exponent: int,
    source: NDArray[np.floating],
    lift: NDArray[np.int32] | None = None,
) -> NDArray[np.floating]:
    """Rows of `A source`, in the precision of `source`."""
    out = np.zeros((rows.stop - rows.start, source.shape[1]), dtype=source.dtype)
    for start, chunk in chunks:
        first = start - rows.start
        own = out[first : first + chunk.shape[0]]
        lifts = None if lift is None else lift[first : first + chunk.shape[0]]
        _multiply(*_weights_of(chunk, exponent, lifts), source, own)
    return out


def _multiply(
    indptr: NDArray[np.integer],
    indices: NDArray[np.integer],
    data: NDArray[np.float32],
    source: NDArray[np.floating],
    out: NDArray[np.floating],
) -> None:
    n_rows = len(out)
    if out.shape[1] == 1:
        bounds = np.array([0, n_rows])
        receive(0, 1, bounds, indptr, indices, data, source[:, 0], out[:, 0])
    else:
        multiply(0, n_rows, indptr, indices, data, source, out, 0)


def step_block(
    chunks: Chunks,
    rows: slice,
    exponent: int,
    source: NDArray[np.float32],
    reached: NDArray[np.bool_],
    restart: NDArray[np.float32],
    decide: bool,
    scan: bool,
    gain: NDArray[np.float32],
    scale: NDArray[np.float32],
    lift: NDArray[np.int32] | None,
    seeds: NDArray[np.int64],
    signal: NDArray[np.float32],
) -> Stepped:
    """Iterate once on a block's rows: `scale * (gain * (A source) + restart * Y)`.

    Without `scan`, a product of zero is known to mean that no path leads there.
    """
    scores = np.zeros((rows.stop - rows.start, source.shape[1]), dtype=np.float32)
    found = reached[rows].copy()
    for start, chunk in chunks:
        own = slice(start - rows.start, start - rows.start + chunk.shape[0])
        arrays = _weights_of(chunk, exponent, None if lift is None else lift[own])
        _multiply(*arrays, source, scores[own])
        found[own] |= scores[own].any(axis=1)
        if scan and not found[own].all():
            reach_rows(*arrays, reached, found[own])
    n_decided = len(scores) if decide else 0
    labels, best = np.empty(n_decided, np.int32), np.empty(n_decided, np.float32)
    around = (gain, scale, seeds, signal, restart, found, labels, best)
    change, total, least = finish_rows(scores, source[rows], *around)
    return Stepped(scores, labels, best, found, change, total, least)


def reach_block(
    chunks: Chunks, rows: slice, exponent: int, reached: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which rows are reached one step on."""
    found = reached[rows].copy()
    for start, chunk in chunks:
        own = slice(start - rows.start, start - rows.start + chunk.shape[0])
        if not found[own].all():
            reach_rows(*_weights_of(chunk, exponent), reached, found[own])
    return found


def rows_of_block(
    chunks: Chunks, rows: slice, exponent: int, chosen: NDArray[np.int64]
) -> sparse.csr_array:
    """Chosen rows of a block, in float64, ascending."""
    parts = []
    for start, chunk in chunks:
        own = chosen[(chosen >= start) & (chosen < start + chunk.shape[0])] - start
        indptr, indices, data = _weights_of(chunk, exponent)
        whole = sparse.csr_array((data, indices, indptr), shape=chunk.shape)
        parts.append(whole[own].astype(np.float64))
    return sparse.vstack(parts, format="csr")


def send_block(
    chunks: Chunks, rows: slice, exponent: int, n_obs: int
) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Columns that a block's rows receive from, ascending, and how much in all.

    What it takes beside the block goes with the block: of all cells there is a bit each.
    """
    arrays = [_weights_of(chunk, exponent)[1:] for _, chunk in chunks]
    marks = np.zeros(n_obs // 64 + 1, dtype=np.uint64)
    before = np.zeros(len(marks), dtype=np.uint32)
    n_columns = 0
    for indices, _ in arrays:
        n_columns = int(mark_columns(indices, marks, before))
    columns, sent = np.empty(n_columns, dtype=np.uint32), np.zeros(n_columns)
    for indices, data in arrays:
        send_rows(indices, data, marks, before, columns, sent)
    return columns, sent
