"""A graph whose rows stay where they are: a Dask array of CSR chunks, never put together.

A block is read, used and forgotten within one task. Chunks that are small are read one after the
other in the same task, so that the number of tasks depends on the bytes, and no two sparse chunks
are ever copied together.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from scanpy import logging as logg

from scanpy_anim.tl._block_kernels import add_columns
from scanpy_anim.tl._block_scheduler import blocks_of, choose_scheduler
from scanpy_anim.tl._block_tasks import look_at, send_block
from scanpy_anim.tl._checksum import quotient
from scanpy_anim.tl._graph import power_of_two

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scanpy_anim.tl._block_tasks import Seen
    from scanpy_anim.tl._options import Options

# rows that a task takes at least, unless there are fewer
_ROWS = 100_000
# rows a chunk below which the reading takes longer than all else
_SMALL = 20_000


class BlockGraph:
    """Rows of a graph in blocks, and what runs tasks on them.

    Attributes
    ----------
    n_obs
        Number of cells.
    exponent
        Weights are divided by two to this power, so that their sums fit float32.
    smallest
        Smallest positive weight, so divided.
    n_weights
        Weights stored.
    symmetric
        Whether the graph is its own transpose, bit by bit.
    block_bytes
        Size of the largest block.
    checksum
        What tells it from other graphs.
    """

    def __init__(self, array: Any, name: str) -> None:
        self.n_obs = int(array.shape[0])
        self.exponent, self.n_weights, self.block_bytes, self.symmetric = 0, 0, 0, False
        self.smallest, self.checksum = np.inf, 0.0
        self._name = name
        self._blocks = blocks_of(array, _ROWS)
        self._scheduler = choose_scheduler()
        self._sums: NDArray[np.float64] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Cells by cells."""
        return self.n_obs, self.n_obs

    @property
    def n_blocks(self) -> int:
        """Tasks of a pass."""
        return len(self._blocks)

    def run(
        self,
        work: Callable[..., Any],
        shared: tuple[Any, ...],
        sink: Callable[[slice, Any], None],
        each: Callable[[slice], tuple[Any, ...]] = lambda _: (),
    ) -> None:
        """Call `work(chunks, rows, *shared, *each(rows))` , `sink(rows, outcome)` with it."""
        self._scheduler.run(work, self._blocks, shared, each, sink)

    def look(self) -> None:
        """Check all of it in one pass, which tells the attributes.

        Raises
        ------
        ValueError, TypeError
            Chunks that are no rows of a graph.
        """
        sums = np.empty(self.n_obs)
        seen: list[Seen] = []

        def put(rows: slice, found: Seen) -> None:
            sums[rows] = found.sums
            seen.append(found._replace(sums=np.empty(0)))

        self.run(look_at, (self.n_obs, self._name), put)
        smallest, largest = min(s.smallest for s in seen), max(s.largest for s in seen)
        self.checksum = quotient(sum(s.marked for s in seen), sum(s.total for s in seen))
        self.n_weights = sum(s.n_weights for s in seen)
        self.block_bytes = max(s.n_bytes for s in seen)
        self.exponent = power_of_two(largest)
        self.smallest = float(np.ldexp(smallest, -self.exponent))
        if self.smallest < np.finfo(np.float32).tiny:
            raise ValueError(
                f"{self._name}: weights from {smallest:.3g} to {largest:.3g} span more than "
                "float32 holds. Cut them off from below"
            )
        self.symmetric = sum(s.balance for s in seen) % 2**64 == 0
        self._sums = np.ldexp(sums, -self.exponent, out=sums) if self.exponent else sums

    def unit(self, options: Options) -> float:
        """Sum that counts for a cell whose sum is zero: 1 of the weights before they are scaled.

        Only with symmetric scaling does it say anything, of cells that send but receive nothing.
        """
        symmetric = options.clamp == "soft" and options.normalization == "symmetric"
        return float(np.ldexp(1.0, -self.exponent)) if symmetric else 1.0

    def row_sums(self) -> NDArray[np.float64]:
        """Add up what each cell receives; another pass from the second call on."""
        if self._sums is None:
            self.look()
        sums, self._sums = self._sums, None
        assert sums is not None
        return sums

    def column_sums(self) -> NDArray[np.float64]:
        """Add up what each cell sends."""
        if self.symmetric:
            return self.row_sums()
        self._sums = None
        sent = np.zeros(self.n_obs)
        waiting: dict[int, tuple[int, NDArray[np.uint32], NDArray[np.float64]]] = {}
        turn, row = Lock(), 0

        def add(rows: slice, part: tuple[NDArray[np.uint32], NDArray[np.float64]]) -> None:
            # blocks have columns in common, and come from several threads: one at a time, in the
            # order of the rows, so that the sums do not depend on who came first
            nonlocal row
            with turn:
                waiting[rows.start] = (rows.stop, *part)
                while row in waiting:
                    row, columns, sums = waiting.pop(row)
                    add_columns(columns, sums, sent)

        self.run(send_block, (self.exponent, self.n_obs), add)
        return sent


def open_blocks(array: Any, n_obs: int | None = None, *, symmetrize: bool, name: str) -> BlockGraph:
    """Graph by blocks, refused where its shape or chunks tell that it cannot be walked on."""
    shape = array.shape
    if len(shape) != 2 or shape[0] != shape[1] or not shape[0]:
        raise ValueError(f"{name} must be a square matrix, not of shape {shape}")
    if n_obs is not None and shape[0] != n_obs:
        raise ValueError(f"{name} is of shape {shape}, but there are {n_obs} cells")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} of dtype {array.dtype}: weights must be real numbers")
    if np.isnan(array.chunks[0] + array.chunks[1]).any():
        raise ValueError(
            f"{name} has chunks of unknown size: call `compute_chunk_sizes()` on it first"
        )
    if len(array.chunks[1]) > 1:
        raise ValueError(
            f"{name} is in chunks of {array.chunks[1][0]} columns, but whole rows are needed: read "
            f"it with `read_elem_lazy(group['obsp/...'], chunks=({_ROWS}, {shape[1]}))`, or "
            f"`rechunk(({_ROWS}, -1))`"
        )
    if symmetrize:
        raise ValueError(
            f"symmetrize=True needs the columns of {name}, which is in blocks of rows: write "
            "(A + A.T) / 2 to a store once, and pass that"
        )
    typical = int(np.median(array.chunks[0]))
    if typical < _SMALL and len(array.chunks[0]) > 100:
        logg.warning(
            f"{name} comes in {len(array.chunks[0])} chunks of {typical} rows, which takes long to "
            "read: `adata.obsp[...] = anndata.experimental.read_elem_lazy(group['obsp/...'], "
            f"chunks=({_ROWS}, {shape[1]}))` is faster"
        )
    return BlockGraph(array, name)
