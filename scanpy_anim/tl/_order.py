"""Cells renumbered so that neighbours lie next to each other in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

# signals that fit into a core's cache gain nothing
_CACHE_BYTES = 1 << 20
# iterations times classes from which walking faster pays for sorting first (benchmarks/propagation)
_WORTH_SORTING = 300


class Renumbered(NamedTuple):
    """A graph whose row ``i`` is row ``order[i]`` of the original, which is at ``place[order]``."""

    graph: Any
    order: NDArray[np.int32]
    place: NDArray[np.int32]


def worth_renumbering(n_obs: int, n_classes: int, n_iter: float) -> bool:
    """Whether so much walking pays for sorting first."""
    return n_obs * n_classes * 4 > _CACHE_BYTES and n_classes * n_iter > _WORTH_SORTING


def renumber(graph: Any) -> Renumbered:
    """Graph in reverse Cuthill-McKee order; indices within a row are not sorted."""
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    from scanpy_anim.tl._order_kernels import permute

    # the order only has to bring neighbours together: edges in one direction are enough
    order = reverse_cuthill_mckee(sparse.csr_matrix(graph), symmetric_mode=True)
    lengths = np.diff(graph.indptr)[order]
    indptr = np.zeros_like(graph.indptr)
    np.cumsum(lengths, out=indptr[1:])
    indices, weights = np.empty_like(graph.indices), np.empty_like(graph.data)
    place = np.empty_like(order)
    place[order] = np.arange(len(order), dtype=order.dtype)
    permute(graph.indptr, graph.indices, graph.data, order, place, indptr, indices, weights)
    return Renumbered(sparse.csr_array((weights, indices, indptr), shape=graph.shape), order, place)
