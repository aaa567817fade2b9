"""What each cell receives and sends: sums over a graph's rows and columns, in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scanpy_anim._threads import RowBlocks
from scanpy_anim.tl import _product_kernels as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

# what is sent is added up in so many parts, each by one thread
_PARTS = 4


def row_sums(graph: sparse.csr_array) -> NDArray[np.float64]:
    """Add up each row: what a cell receives."""
    sums = np.empty(graph.shape[0])
    RowBlocks(graph.indptr).run(kernels.add_rows, graph.indptr, graph.data, sums)
    return sums


def received_by(graph: sparse.csr_array, sent: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply, `A sent`: what each cell receives when cell `j` sends `sent[j]`."""
    received = np.empty(graph.shape[0])
    arrays = (graph.indptr, graph.indices, graph.data)
    RowBlocks(graph.indptr).run(kernels.receive, *arrays, sent, received)
    return received


def sent_by(graph: sparse.csr_array, held: NDArray[np.float64]) -> NDArray[np.float64]:
    """Multiply, `A^T held`, without a transposed copy."""
    parts = np.zeros((_PARTS, graph.shape[1]))
    arrays = (graph.indptr, graph.indices, graph.data)
    RowBlocks(graph.indptr, n_blocks=_PARTS).run(kernels.send, *arrays, held, parts)
    return parts.sum(axis=0)
